package tui

import (
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// change is the session's last change of state.
type change struct {
	from, to session.State
	at       time.Time
	reason   string
	renewed  bool // a renewal has just succeeded
}

// place is where a state stands in the picture. Fetching shares the place of LoggingIn: both are a login under way.
type place struct {
	row, column int
	label       string
}

var places = map[session.State]place{
	session.LoggedOut: {2, 1, "logged out"}, session.Fetching: {2, 15, "fetching"}, session.LoggingIn: {2, 15, "logging in"},
	session.Online: {2, 29, "online"}, session.WillExpire: {2, 43, "will expire"}, session.Renewing: {0, 34, "renewing"},
	session.Reconnecting: {4, 26, "reconnecting"}, session.Expired: {5, 45, "expired"}, session.Waiting: {4, 6, "waiting"},
	session.Stopped: {5, 6, "stopped"},
}

// stroke is a piece of an arrow.
type stroke struct {
	row, column int
	text        string
}

// arrow is a way from one state to another. Others happen too; then only the two states and the words tell of it.
type arrow struct {
	from, to session.State
	strokes  []stroke
}

// setbacks are ways back. They are drawn when they were the last change, in the place of the usual way.
var setbacks = []arrow{
	{session.Renewing, session.WillExpire, []stroke{{1, 48, "▼"}, {0, 43, "─────╮"}}},
	{session.LoggingIn, session.Waiting, []stroke{{4, 14, "◀─╯"}, {3, 16, "│"}}},
	{session.LoggingIn, session.Stopped, []stroke{{5, 14, "◀───╯"}, {4, 18, "│"}, {3, 18, "│"}}},
}

// arrivals mark states that can be reached from anywhere, when the last change has no arrow of its own.
var arrivals = map[session.State][]stroke{
	session.Stopped: {{5, 2, "─▶"}}, session.LoggedOut: {{0, 6, "│"}, {1, 6, "▼"}},
}

var arrows = []arrow{
	{session.LoggedOut, session.LoggingIn, []stroke{{2, 12, "─▶"}}},
	{session.LoggingIn, session.Online, []stroke{{2, 26, "─▶"}}},
	{session.Online, session.WillExpire, []stroke{{2, 36, "─────▶"}}},
	{session.WillExpire, session.Renewing, []stroke{{1, 48, "│"}, {0, 43, "◀────╮"}}},
	{session.Renewing, session.Online, []stroke{{0, 31, "╭─"}, {1, 31, "▼"}}},
	{session.WillExpire, session.Expired, []stroke{{3, 48, "│"}, {4, 48, "▼"}}},
	{session.Expired, session.LoggingIn, []stroke{{5, 21, "╰──────────────────────"}, {4, 21, "│"}, {3, 21, "▲"}}},
	{session.Waiting, session.LoggingIn, []stroke{{4, 14, "──╯"}, {3, 16, "▲"}}},
	{session.Stopped, session.LoggingIn, []stroke{{5, 14, "────╯"}, {4, 18, "│"}, {3, 18, "▲"}}},
	{session.Online, session.Reconnecting, []stroke{{3, 30, "▼"}}},
	{session.Reconnecting, session.Online, []stroke{{3, 32, "▲"}}},
}

const lifeWidth, lifeHeight = 55, 6

// spot is the state whose place a state has in the picture.
func spot(s session.State) session.State {
	if s == session.Fetching {
		return session.LoggingIn
	}
	return s
}

// brush is one piece of a row of the picture.
type brush struct {
	stroke
	paint paint
}

// life draws the states of a session as a picture, with the present one lit, the last change marked, and that change in words below.
func (m *model) life(width int) []string {
	rows := make([][]brush, lifeHeight)
	put := func(row, column int, text string, p paint) {
		rows[row] = append(rows[row], brush{stroke{row, column, text}, p})
	}
	from, to := spot(m.last.from), spot(m.last.to)
	unmarked := arrivals[to]
	for _, a := range arrows {
		p := m.faint
		if i := slices.IndexFunc(setbacks, func(b arrow) bool { return b.from == from && b.to == to && b.from == a.to && b.to == a.from }); i >= 0 {
			a = setbacks[i]
		}
		if a.from == from && a.to == to {
			p, unmarked = m.accent.Bold(), nil
		}
		for _, s := range a.strokes {
			put(s.row, s.column, s.text, p)
		}
	}
	for _, s := range unmarked {
		put(s.row, s.column, s.text, m.accent.Bold())
	}
	for _, state := range session.States() {
		at := places[state]
		switch {
		case state == m.snap.State:
			put(at.row, at.column-1, "["+strings.ToUpper(at.label)+"]", m.pills[stateTones[state]])
		case state == session.Fetching, spot(state) == spot(m.snap.State):
		case spot(state) == from && m.last.to == m.snap.State:
			put(at.row, at.column, at.label, m.accent)
		default:
			put(at.row, at.column, at.label, m.dim)
		}
	}
	indent := strings.Repeat(" ", max((width-lifeWidth)/2, 0))
	lines := make([]string, 0, lifeHeight+1)
	for _, row := range rows {
		slices.SortFunc(row, func(a, b brush) int { return a.column - b.column })
		line, end := indent, 0
		for _, b := range row {
			line += strings.Repeat(" ", max(b.column-end, 0)) + b.paint.Render(b.text)
			end = b.column + len([]rune(b.text))
		}
		lines = append(lines, line)
	}
	if m.last.to == "" {
		return append(lines, m.dim.Render("nothing has happened yet"))
	}
	return append(lines, m.lastChanges()[0])
}

// lastChanges tell of the last change of state in words, each in fewer.
func (m *model) lastChanges() []string {
	if m.last.to == "" {
		return nil
	}
	at, reason := m.clock(m.last.at), printable.Line(m.last.reason, 200)
	way := stateWord(m.last.from) + " → " + stateWord(m.last.to)
	brief := m.last.brief() + " " + at
	words := []string{at + "  " + strings.TrimSuffix(way+": "+reason, ": "), brief + ": " + reason, brief}
	if reason == "" || reason == m.last.brief() {
		words = []string{words[0], brief}
	}
	for i := range words {
		words[i] = m.dim.Render(words[i])
	}
	return words
}

// brief says in a word or two what the change was.
func (c change) brief() string {
	switch {
	case c.from == session.Renewing && c.renewed:
		return "renewed"
	case c.from == session.Renewing && (c.to == session.Online || c.to == session.WillExpire):
		return "not renewed"
	case c.to == session.Online && c.from == session.Reconnecting:
		return "link back"
	case c.to == session.Online:
		return "logged in"
	case c.to == session.Reconnecting:
		return "link lost"
	case c.to == session.WillExpire:
		return "will-expire"
	case c.to == session.Fetching:
		return "fetching"
	default:
		return stateWord(c.to)
	}
}

// pathLine draws the path and the last change behind it: as much of both as there is room for, but always the present state, and after that
// what the change was and when.
func (m *model) pathLine(width int) string {
	changes := m.lastChanges()
	needed := 0
	if len(changes) > 0 {
		needed = m.cells.StringWidth(changes[len(changes)-1]) + 1
	}
	line := ""
	for _, line = range m.paths() {
		line = " " + line
		if m.cells.StringWidth(line)+needed <= width {
			break
		}
	}
	return m.spread(width, line, changes...)
}

// paths draw the life in one line, each shorter than the one before: the way from logged out to expired, with the present state in the place
// that it has on it. What is furthest from that is left out first.
func (m *model) paths() []string {
	way := []session.State{session.LoggedOut, session.LoggingIn, session.Online, session.WillExpire, session.Expired}
	step, found := map[session.State]int{
		session.Stopped: 0, session.Fetching: 1, session.Waiting: 1, session.Reconnecting: 2, session.Renewing: 3,
	}[m.snap.State]
	if found {
		way[step] = m.snap.State
	} else {
		step = slices.Index(way, m.snap.State)
	}
	var all []string
	from, to := 0, len(way)
	for from < to {
		all = append(all, m.path(way[from:to]))
		if step-from >= to-1-step {
			from++
		} else {
			to--
		}
	}
	return all
}

func (m *model) path(way []session.State) string {
	line := ""
	before := session.State("")
	for _, state := range way {
		if before != "" {
			p := m.faint
			if spot(m.last.from) == spot(before) && spot(m.last.to) == spot(state) {
				p = m.accent.Bold()
			}
			line += p.Render(" ▶ ")
		}
		before = state
		if state == m.snap.State {
			line += m.pills[stateTones[state]].Render("[" + strings.ToUpper(places[state].label) + "]")
		} else {
			line += m.dim.Render(places[state].label)
		}
	}
	return line
}

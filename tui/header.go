package tui

import (
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// header draws who, where, and the state by name, and every fault that is on; on screens that have no room for the card of the token, the
// token and the situation too.
func (m *model) header(v tokenView) []string {
	switch {
	case m.small():
		return m.smallHeader(v)
	case m.large():
		return []string{m.firstLine(v)}
	default:
		top := []string{m.firstLine(v), m.fit(" "+v.strip(m.width-2), m.width), m.pathLine(m.width)}
		sentence := m.situation(v, min(2+m.height/24, 3))
		return append(top, m.block(sentence, m.width, max(len(sentence), min(m.sentenceRows, 2)))...)
	}
}

// firstLine draws who, where and the state, and at the right the faults and the clock, on wide screens what the app does at the token's
// events, too. Names get shorter first, and the service's goes, and the profile's before the names of faults, and in the end the clock: state and
// faults are always there.
func (m *model) firstLine(v tokenView) string {
	answers := m.dim.Render("will-expire: " + afterWillExpire(v.Policy) + " · expired: " + afterExpired(v.Policy) + "  ")
	brief := m.dim.Render("W " + afterWillExpire(v.Policy) + " · E " + afterExpired(v.Policy) + "  ") // the letters of the bar's marks
	if !m.large() {
		answers, brief = "", ""
	}
	clock := "  " + m.wallClock(v)
	long, short := m.faultWords(m.width/2)+clock, m.faultWords(12)+clock
	width := m.cells.StringWidth
	where := m.dim.Render(" on " + printable.Line(m.where, 40))
	left := m.who(v, m.width-width(short)-3, v.Profile.Name)
	if bare := m.who(v, m.width-width(short)-3, ""); width(left+long)+2 >= m.width && width(bare+long)+2 < m.width {
		left, where = bare, ""
	}
	if width(left+where+long)+2 < m.width {
		left += where
	}
	return m.spread(m.width, left, "  "+answers+long, "  "+brief+long, "  "+long, "  "+brief+short, "  "+short, "  "+m.faultWords(12)+" ")
}

// smallHeader draws no more than a narrow or short screen can spare: the user, the state, and the nearest thing to know beside them.
func (m *model) smallHeader(v tokenView) []string {
	state, beside := m.state(v), ""
	few := min(8, m.width/4) // cells for the user's name, at least
	var below []string
	lives := v.mortal() && !v.over() && !v.died()
	if lives {
		below = append(below, v.strip(m.width))
	}
	if !lives || v.failing() {
		below = append(below, m.situation(v, 1+m.height/10)...)
	}
	switch {
	case atRest(v.Snapshot):
		beside = m.accent.Render("^L logs in")
	case len(m.faults.on()) > 0:
		beside = m.faultWords(m.width - m.cells.StringWidth(state) - min(m.cells.StringWidth(v.User), few) - 4) // two of the pill, and two between
	case v.out():
		beside = m.accent.Render("^L logs in")
	case !lives, v.failing():
	case !v.warns():
		beside = m.dim.Render("no will-expire")
	case !v.warned():
		beside = m.tones[v.tone()].Render("will expire " + span(left(v.Token.WillExpireAt, v.now)))
	default:
		beside = m.tones[v.tone()].Render(deed(v.Snapshot))
	}
	room := max(m.width-m.cells.StringWidth(state)-m.cells.StringWidth(beside)-2, few)
	lines := []string{m.spread(m.width, m.strong.Render(m.cut(printable.Line(v.User, 64), room, "…"))+" "+state, beside)}
	if len(m.talks) > 1 { // no frame tells whose conversation this is, and who else has written
		below = append(below, m.dim.Render(m.cut(chatTitle(m), m.width, "…")))
	}
	return append(lines, m.block(below, m.width, len(below))...)
}

// who draws the program, the two who talk, the state and the profile in at most width cells, as far as their names can be shortened.
func (m *model) who(v tokenView, width int, profile string) string {
	head := " " + m.accent.Bold().Render("ttlchat") + "  "
	tail := "  " + m.state(v)
	if profile != "" {
		tail += "  " + m.dim.Render(profile)
	}
	user, peer := printable.Line(v.User, 64), printable.Line(m.talk.peer, 64)
	const arrow = " → "
	if room := max(width-m.cells.StringWidth(head+tail+arrow), 8); m.cells.StringWidth(user+peer) > room {
		longer := max(room/2, room-m.cells.StringWidth(user)) // what the one does not need is the other's
		peer = m.cut(peer, longer, "…")
		user = m.cut(user, room-m.cells.StringWidth(peer), "…")
	}
	return head + m.strong.Render(user) + m.dim.Render(arrow) + peer + tail
}

// state draws the state by name, with a dot that tells whether the link is up.
func (m *model) state(v tokenView) string {
	dot := "○ "
	if v.Linked {
		dot = "● "
	}
	word := dot + strings.ToUpper(stateWord(v.State))
	if !m.small() {
		word = " " + word + " "
	}
	return m.pills[stateTones[v.State]].Render(word)
}

// wallClock draws the session's time of day while it is kept up to date: a clock that stands still would lie.
func (m *model) wallClock(v tokenView) string {
	switch step(v.Snapshot, v.now) {
	case 0:
		return ""
	case time.Minute:
		return m.dim.Render(v.now.In(m.zone).Format("15:04")) + " "
	default:
		return m.dim.Render(m.clock(v.now)) + " "
	}
}

// situation draws the sentences on what is going on, in at most so many lines; where not all have room, the reasons come last.
func (m *model) situation(v tokenView, most int) []string {
	pad := strings.Repeat(" ", m.margin())
	what, warning := v.account(), printable.Line(v.ClockWarning, 300)
	lines := m.wrap(sentences(what.String(), warning), m.width-2*len(pad), most+1)
	if len(lines) > most {
		lines = m.wrap(sentences(what.urgent(), warning), m.width-2*len(pad), most)
	}
	for i, line := range lines {
		lines[i] = m.fit(pad+m.tones[v.mood()].Render(line), m.width)
	}
	return lines
}

package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Below narrow cells or short rows only the essentials are shown; from wide cells and tall rows on everything is shown at once.
const (
	narrow, short = 60, 18
	wide, tall    = 110, 30
	least, lowest = 20, 6
)

func (m *model) tooSmall() bool { return m.width < least || m.height < lowest }
func (m *model) small() bool    { return m.width < narrow || m.height < short }
func (m *model) large() bool    { return m.width >= wide && m.height >= tall }

// margin is the empty column at both sides of a screen that has room for it.
func (m *model) margin() int {
	if m.small() {
		return 0
	}
	return 1
}

// View draws the screen, exactly as large as the terminal.
func (m *model) View() tea.View {
	view := tea.View{AltScreen: true}
	if !m.mouseOff {
		view.MouseMode = tea.MouseModeCellMotion
	}
	var lines []string
	switch {
	case m.tooSmall():
		lines = m.block([]string{"ttlchat needs 20x6"}, m.width, m.height)
	case m.session == nil:
		lines, view.Cursor = m.viewForm()
	default:
		lines, view.Cursor = m.viewSession()
	}
	view.Content = strings.Join(lines, "\n")
	return view
}

func (m *model) viewForm() ([]string, *tea.Cursor) {
	status := m.status(1)
	if m.help {
		return append(m.block(m.helpLines(m.width, m.height-len(status)), m.width, m.height-len(status)), status...), nil
	}
	if m.notice == "" {
		return m.form.view(m.pen, m.policy, m.width, m.height)
	}
	lines, cursor := m.form.view(m.pen, m.policy, m.width, m.height-1)
	return append(lines, status...), cursor
}

// screen is one frame's division of the terminal.
type screen struct {
	top, bottom    []string
	input          int      // rows of the input within bottom, the last but status
	status         int      // rows below the input
	body           int      // rows in between
	token          []string // the token panel of a large screen
	chat, timeline pane
}

// pane is the window into a history: how its entries look, and how many lines there are.
type pane struct {
	look   look
	height int
}

// divide lays out the frame for the instant now.
func (m *model) divide(now time.Time) screen {
	var s screen
	v := tokenView{m.pen, m.snap, now}
	s.top = m.header(v)
	input := strings.Split(m.input.View(), "\n")
	s.input = len(input)
	room := m.height - len(s.top) - s.input - 1
	status := m.status(min(max(room-2, 1), 3))
	s.status = len(status)
	if m.drawer.open {
		drawer := m.drawer.view(m.pen, m.policy, m.width)
		s.bottom = drawer[:max(min(len(drawer), room-s.status), 0)]
	}
	pad := strings.Repeat(" ", m.margin())
	for _, line := range input {
		s.bottom = append(s.bottom, m.fit(pad+line, m.width))
	}
	s.bottom = append(s.bottom, status...)
	s.body = max(m.height-len(s.top)-len(s.bottom), 0)

	base := look{pen: m.pen, names: m.chat.names, times: !m.small()}
	s.chat, s.timeline = pane{base, s.body}, pane{base, s.body}
	s.chat.look.width, s.timeline.look.width = m.width-2*m.margin(), m.width-2*m.margin()
	switch {
	case m.large():
		right := min(max(m.width*12/25, 60), 84)
		token := v.panel(right - 4)
		height := min(len(token)+2, s.body-6)
		title := m.title("token", false)
		s.token = m.boxed(title, v.age(), token, right, height)
		s.chat = pane{base, s.body - 2}
		s.chat.look.width, s.chat.look.words = m.width-right-4, true
		s.timeline = pane{base, s.body - height - 2}
		s.timeline.look.width = right - 4
	case !m.small():
		s.chat.height--
		s.timeline.height--
	}
	return s
}

func (m *model) viewSession() ([]string, *tea.Cursor) {
	now := m.session.Now()
	s := m.divide(now)
	cursor := m.input.Cursor()
	if cursor != nil {
		cursor.X += m.margin()
		cursor.Y += m.height - s.status - s.input
	}
	var body []string
	switch {
	case m.help:
		body, cursor = m.block(m.helpLines(m.width, s.body), m.width, s.body), nil
	case m.large():
		body = m.viewLarge(s)
	default:
		body = m.viewPanel(s, now)
	}
	return append(append(s.top, body...), s.bottom...), cursor
}

func (m *model) viewLarge(s screen) []string {
	chat := m.chat.window(s.chat.look, s.chat.height)
	left := m.boxed(m.title(m.peer, m.focus == chatPanel), m.behind(m.chat.away), chat, s.chat.look.width+4, s.body)
	moments := m.timeline.window(s.timeline.look, s.timeline.height)
	right := m.boxed(m.title("timeline", m.focus == timelinePanel), m.behind(m.timeline.away), moments, s.timeline.look.width+4, s.timeline.height+2)
	return beside(left, append(s.token, right...))
}

// viewPanel draws the one panel that a smaller screen has room for, under its tab.
func (m *model) viewPanel(s screen, now time.Time) []string {
	var lines []string
	away := false
	switch m.focus {
	case chatPanel:
		lines, away = m.chat.window(s.chat.look, s.chat.height), m.chat.away
	case timelinePanel:
		lines, away = m.timeline.window(s.timeline.look, s.timeline.height), m.timeline.away
	default:
		lines = tokenView{m.pen, m.snap, now}.panel(s.chat.look.width)
	}
	if m.small() {
		return m.block(lines, m.width, s.body)
	}
	tabs := m.faint.Render("─")
	for i, name := range []string{m.peer, "timeline", "token"} {
		tabs += " " + m.title(name, m.focus == panel(i)) + " " + m.faint.Render("─")
	}
	out := []string{m.rule(tabs, m.behind(away), m.width)}
	for _, line := range m.block(lines, m.width-2, s.body-1) {
		out = append(out, " "+line+" ")
	}
	return out
}

// title draws the name of a panel, in the accent when the panel has the focus.
func (m *model) title(name string, focused bool) string {
	name = printable.Line(name, 64)
	if focused {
		return m.accent.Bold().Render(name)
	}
	return m.dim.Render(name)
}

// behind says that a window does not show the newest line.
func (m *model) behind(away bool) string {
	if !away {
		return ""
	}
	return m.accent.Render("newer lines below ↓ Esc")
}

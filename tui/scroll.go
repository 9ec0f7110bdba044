package tui

import tea "charm.land/bubbletea/v2"

// wheelLines is how far one notch of the wheel scrolls.
const wheelLines = 3

// turn moves the focus by so many panels. The token panel takes part only where the panels are tabs: it has nothing to scroll.
func (m *model) turn(by panel) {
	n := panels
	if m.large() {
		n = tokenPanel
	}
	m.focus = (min(m.focus, n-1) + by + n) % n
}

// scroll moves the window of a panel by lines, towards older ones when lines is positive.
func (m *model) scroll(p panel, lines int) {
	if m.tooSmall() {
		return
	}
	s := m.divide(m.session.Now())
	switch p {
	case chatPanel:
		m.chat.scroll(s.chat.look, s.chat.height, lines)
	case timelinePanel:
		m.timeline.scroll(s.timeline.look, s.timeline.height, lines)
	}
}

// scrollPage moves the window of the focused panel by pages, less a line to keep one's place.
func (m *model) scrollPage(pages int) {
	if m.tooSmall() {
		return
	}
	s := m.divide(m.session.Now())
	height := s.chat.height
	if m.focus == timelinePanel {
		height = s.timeline.height
	}
	m.scroll(m.focus, pages*max(height-1, 1))
}

// takeWheel scrolls the panel under the mouse.
func (m *model) takeWheel(mouse tea.Mouse) {
	lines := map[tea.MouseButton]int{tea.MouseWheelUp: wheelLines, tea.MouseWheelDown: -wheelLines}[mouse.Button]
	switch {
	case m.help:
		m.helpTop -= lines
	case m.tooSmall() || m.session == nil:
	case !m.large():
		m.scroll(m.focus, lines)
	case mouse.X < m.divide(m.session.Now()).chat.look.width+4:
		m.scroll(chatPanel, lines)
	default:
		m.scroll(timelinePanel, lines)
	}
}

// toggleMouse lets the terminal have the mouse, which cannot select text while the wheel scrolls here.
func (m *model) toggleMouse() {
	m.mouseOff = !m.mouseOff
	if m.mouseOff {
		m.say("the mouse selects text now, F2 takes it back", calm)
	} else {
		m.say("the wheel scrolls", calm)
	}
}

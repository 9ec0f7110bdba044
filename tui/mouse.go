package tui

import tea "charm.land/bubbletea/v2"

// wheelLines is how far one notch of the wheel scrolls.
const wheelLines = 3

// page moves the window of the focused panel by pages, less a line to keep one's place.
func (m *model) page(pages int) {
	if a, ok := m.areaOf(m.focus); ok {
		m.panels[m.focus].move(m, a, pages*max(a.height-2, 2))
	}
}

// slotAt returns what stands at a place of the screen, its room, and which of its lines it is.
func (m *model) slotAt(x, y int) (s slot, a area, line int, ok bool) {
	if m.tooSmall() || m.session == nil {
		return slot{}, area{}, 0, false
	}
	f := m.divide(m.session.Now())
	for _, column := range f.columns {
		for _, s := range column {
			if x >= s.x && x < s.x+s.width && y >= s.y && y < s.y+s.height {
				a, _, top := f.inner(s)
				return s, a, y - top, true
			}
		}
	}
	return slot{}, area{}, 0, false
}

// takeWheel scrolls what is under the mouse.
func (m *model) takeWheel(mouse tea.Mouse) {
	lines := map[tea.MouseButton]int{tea.MouseWheelUp: wheelLines, tea.MouseWheelDown: -wheelLines}[mouse.Button]
	if m.dialog != nil {
		m.dialog.scroll(lines)
		return
	}
	if s, a, _, ok := m.slotAt(mouse.X, mouse.Y); ok && s.content >= 0 && lines != 0 {
		m.panels[s.content].move(m, a, lines)
	}
}

// takeClick gives the panel under the mouse the focus, and points at the line that was clicked at.
func (m *model) takeClick(mouse tea.Mouse) {
	if m.dialog != nil || mouse.Button != tea.MouseLeft {
		return
	}
	s, a, line, ok := m.slotAt(mouse.X, mouse.Y)
	switch {
	case !ok || s.content < 0:
		return
	case line < 0 && !m.small():
		m.clickTitle(s, mouse.X)
		return
	}
	m.focusOn(s.content)
	if p := m.panels[s.content]; p.click != nil && line >= 0 && line < a.height {
		p.click(m, a, line)
	}
}

// clickTitle turns to the panel whose title is at column x, on its frame or in the row of tabs.
func (m *model) clickTitle(s slot, x int) {
	i, at := s.content, s.x+3
	if !m.large() {
		i, at = 0, 2
		for ; i < len(m.panels); i++ {
			next := at + m.cells.StringWidth(m.title(i)) + 3
			if x < next-1 {
				break
			}
			at = next
		}
	}
	if i == len(m.panels) {
		return
	}
	if p := m.panels[i]; p.clickTitle != nil {
		p.clickTitle(m, x-at)
	}
	m.focusOn(i)
}

// toggleMouse lets the terminal have the mouse, which cannot select text while the wheel scrolls here.
func (m *model) toggleMouse() {
	m.mouseOff = !m.mouseOff
	if m.mouseOff {
		m.say("the mouse selects text now, F2 takes it back", calm)
	} else {
		m.say("the wheel scrolls, a click points", calm)
	}
}

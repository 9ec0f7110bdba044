package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/guard"
)

// View draws the screen, exactly as large as the terminal.
func (m *model) View() (view tea.View) {
	defer guard.Catch()
	view.AltScreen = true
	if !m.mouseOff {
		view.MouseMode = tea.MouseModeCellMotion
	}
	var lines []string
	switch {
	case m.tooSmall():
		lines = m.block(m.wrap("ttlchat needs 20x6", m.width, max(m.height, 1)), m.width, m.height)
	case m.session == nil:
		lines, view.Cursor = m.viewForm()
	default:
		lines, view.Cursor = m.viewSession()
	}
	view.Content = strings.Join(lines, "\n")
	if m.ascii {
		view.Content = m.plain(view.Content)
	}
	return view
}

func (m *model) viewForm() ([]string, *tea.Cursor) {
	var status []string
	if m.notice != "" {
		status = m.status(1)
	}
	height := m.height - len(status)
	lines, cursor := m.form.view(m.pen, m.policy, m.width, height)
	if m.dialog != nil {
		cursor = m.overlay(lines, 0)
	}
	return append(lines, status...), cursor
}

func (m *model) viewSession() ([]string, *tea.Cursor) {
	now := m.session.Now()
	f := m.divide(now)
	var cursor *tea.Cursor
	if m.focus == chatPanel {
		if cursor = m.input.Cursor(); cursor != nil {
			cursor.X += m.margin()
			cursor.Y += m.height - f.status - f.input
		}
	}
	var body []string
	for i, column := range f.columns {
		var lines []string
		for _, s := range column {
			lines = append(lines, m.viewSlot(f, s, now)...)
		}
		if i == 0 {
			body = lines
		} else {
			body = beside(body, lines)
		}
	}
	if m.dialog != nil {
		cursor = m.overlay(body, len(f.top))
	}
	return append(append(f.top, body...), f.bottom...), cursor
}

// inputLook is everything that the look of the input depends on.
type inputLook struct {
	value, invitation  string
	line, column       int
	width, top, height int
	focused            bool
	styles             *styles
}

// viewInput draws the input, anew only when it has changed: that costs as much as all the rest of a frame.
func (m *model) viewInput() string {
	in := &m.input
	in.Placeholder = m.invitation()
	l := inputLook{in.Value(), in.Placeholder, in.Line(), in.Column(), in.Width(), in.ScrollYOffset(), in.Height(), in.Focused(), m.styles}
	if m.inputDrawn == "" || l != m.inputLook {
		m.inputDrawn, m.inputLook = in.View(), l
	}
	return m.inputDrawn
}

// viewSlot draws what stands in a slot, exactly as large as the slot.
func (m *model) viewSlot(f frame, s slot, now time.Time) []string {
	a, _, _ := f.inner(s)
	switch {
	case s.content == cardBox:
		return m.boxed(m.dim.Render("life of the token"), "", m.tokenView(now).card(a.width, m.sentenceRows), s.width, s.height)
	case s.content == lifeBox:
		return m.boxed(m.dim.Render("where it stands"), "", m.life(a.width), s.width, s.height)
	case f.bare:
		return m.block(m.content(s.content, a), s.width, s.height)
	case f.tabs:
		return m.tabbed(m.content(s.content, a), s)
	}
	lines := m.boxed(m.title(s.content), m.note(s.content), m.content(s.content, a), s.width, s.height)
	if bar := m.panels[s.content].bar; bar != nil {
		top, bottom := bar(m)
		m.scrollBar(lines, top, bottom)
	}
	return lines
}

// tabbed draws the names of all panels above the lines of the one that is shown.
func (m *model) tabbed(lines []string, s slot) []string {
	tabs := m.faint.Render("─")
	for i := range m.panels {
		tabs += " " + m.title(i) + " " + m.faint.Render("─")
	}
	if s.height < 1 {
		return nil
	}
	note := m.note(s.content)
	if note != "" {
		note = " " + note + " "
	}
	out := []string{m.rule(tabs, note, s.width)}
	for _, line := range m.block(lines, s.width-2, s.height-1) {
		out = append(out, " "+line+" ")
	}
	return out
}

// scrollBar marks on the right side of a frame which part of all there is the window shows, from top to bottom as fractions.
func (m *model) scrollBar(lines []string, top, bottom float64) {
	if len(lines) < 3 || bottom-top >= 1 {
		return
	}
	rows := float64(len(lines) - 2)
	first := min(int(top*rows), len(lines)-3)
	last := max(int(bottom*rows+0.5), first+1)
	thumb := m.accent.Render("┃")
	for i := first; i < min(last, len(lines)-2); i++ {
		lines[1+i] = strings.TrimSuffix(lines[1+i], m.faint.Render(" │")) + " " + thumb
	}
}

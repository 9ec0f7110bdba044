package tui

import "github.com/ttlchat/ttlchat/internal/printable"

// area is the room that a panel has for its lines.
type area struct{ width, height int }

// panel is a part of the screen that can have the focus. To add one, write a file with its functions, and add a line to the table below.
type panel struct {
	name string
	// title stands on its frame and on its tab; nil stands for the name.
	title func(*model) string
	// clickTitle is told that its title was clicked at, so many columns from the left; nil does not care.
	clickTitle func(m *model, column int)
	// note stands at the upper right of its frame; nil stands for nothing.
	note func(*model) string
	// view draws at most a.height lines, each at most a.width cells wide.
	view func(m *model, a area) []string
	// empty says in words why there is nothing to view, "" when there is something; nil always has something.
	empty func(*model) string
	// move moves its window or its cursor by so many lines, upwards when positive.
	move func(m *model, a area, lines int)
	// click is told that a line of it was clicked at; nil does not care.
	click func(m *model, a area, line int)
	// bar tells which part of all there is the window shows, as fractions of its length; nil has no scroll bar.
	bar func(*model) (top, bottom float64)
	// keys act while the panel has the focus. The others of the table of actions always do.
	keys []action
}

// The panels that the rest of the screen knows by name.
const (
	chatPanel = iota
	timelinePanel
	tokenPanel
	faultPanel
	playPanel // while a scenario is played
)

// panels is the table of panels, in the order of their tabs.
func panels() []panel {
	return []panel{
		{name: "chat", title: chatTitle, clickTitle: clickTalk, note: chatNote, view: viewChat, empty: chatEmpty, move: moveChat,
			bar: chatBar, keys: chatKeys()},
		{name: "timeline", title: timelineTitle, note: timelineNote, view: viewTimeline, empty: timelineEmpty, move: moveTimeline,
			click: clickTimeline, bar: timelineBar, keys: timelineKeys()},
		{name: "token", view: viewInspector, move: moveInspector, note: inspectorNote},
		{name: "faults", title: faultsTitle, view: viewFaults, move: moveFaults, click: clickFaults, bar: faultsBar, keys: faultKeys()},
	}
}

// focusOn gives a panel the focus.
func (m *model) focusOn(i int) {
	m.focus = i
	if i != chatPanel && i != playPanel {
		m.side = i
	}
	if i == chatPanel {
		m.input.Focus()
	} else {
		m.input.Blur()
	}
}

// turn moves the focus by so many panels.
func (m *model) turn(by int) { m.focusOn((m.focus + by + len(m.panels)) % len(m.panels)) }

// toggle goes to a panel, or back to the chat when it has the focus already.
func (m *model) toggle(i int) {
	if m.focus == i {
		i = chatPanel
	}
	m.focusOn(i)
}

// title draws the name of a panel, in the accent when the panel has the focus.
func (m *model) title(i int) string {
	p := m.panels[i]
	name := p.name
	if p.title != nil {
		name = p.title(m)
	}
	if m.focus == i {
		return m.accent.Bold().Render(name)
	}
	return m.dim.Render(name)
}

// content draws the lines of a panel, or says why there are none.
func (m *model) content(i int, a area) []string {
	p := m.panels[i]
	lines := p.view(m, a)
	if p.empty == nil {
		return lines
	}
	if why := p.empty(m); why != "" {
		for _, line := range m.wrap(why, a.width, max(a.height-len(lines), 1)) {
			lines = append(lines, m.dim.Render(line))
		}
	}
	return lines
}

func timelineEmpty(m *model) string {
	switch {
	case len(m.timeline.entries) > 0:
		return ""
	case len(m.timeline.all) == 0:
		return "nothing has happened yet"
	default:
		return printable.Count(len(m.timeline.all), "event is", "events are") + " hidden by this filter: f shows the next one"
	}
}

func (m *model) note(i int) string {
	if m.panels[i].note == nil {
		return ""
	}
	return m.panels[i].note(m)
}

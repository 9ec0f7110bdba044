package tui

import (
	"slices"
	"strings"

	"github.com/ttlchat/ttlchat/internal/command"
)

// completer offers the commands that begin like what is typed.
type completer struct {
	at     int
	closed bool // Esc was pressed; typing opens it again
}

// Commands lists what can be typed: the same that is offered while one types.
func (t target) Commands() []command.Command {
	var all []command.Command
	for _, c := range t.m.commands() {
		all = append(all, command.Command{Name: c.name, Args: c.key, Help: c.help})
	}
	return all
}

// nearest puts the one that is called what was typed first, then those whose names begin with it, then the rest.
func nearest(list []choiceOf, typed string) {
	typed = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(typed)), "/")
	rank := func(c choiceOf) int {
		switch name := strings.TrimPrefix(c.name, "/"); {
		case name == typed:
			return 0
		case strings.HasPrefix(name, typed):
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(list, func(a, b choiceOf) int { return rank(a) - rank(b) })
}

// offers lists the commands that fit what is typed, or nothing when no command's name is being typed.
func (m *model) offers() []choiceOf {
	typed := m.input.Value()
	if !command.IsCommand(typed) || m.completer.closed || strings.Contains(typed, "\n") {
		return nil
	}
	name, _, args := strings.Cut(typed, " ")
	var fits []choiceOf
	for _, c := range m.commands() {
		if c.name == name || !args && strings.HasPrefix(c.name, name) {
			fits = append(fits, c)
		}
	}
	nearest(fits, name)
	return fits
}

// commands lists every slash command, as names with their arguments.
func (m *model) commands() []choiceOf {
	var all []choiceOf
	for _, a := range m.actions {
		if a.command != "" {
			all = append(all, choiceOf{name: a.command, key: a.args(), help: a.explain(), why: a.whyNot(m)})
		}
	}
	for _, c := range m.otherCommands() {
		all = append(all, choiceOf{name: c.Name, key: c.Args, help: c.Help})
	}
	return all
}

// pressOffers handles a key while commands are offered, and tells whether it was for them.
func (m *model) pressOffers(key string) bool {
	fits := m.offers()
	if m.session == nil || m.focus != chatPanel || len(fits) == 0 {
		return false
	}
	if m.recalled > 0 && (key == "up" || key == "down") {
		return false // a command that was brought back: the arrows go on to the next one
	}
	m.completer.at = min(m.completer.at, len(fits)-1)
	switch key {
	case "up":
		m.completer.at = (m.completer.at + len(fits) - 1) % len(fits)
	case "down":
		m.completer.at = (m.completer.at + 1) % len(fits)
	case "tab":
		c := fits[m.completer.at]
		if strings.Contains(m.input.Value(), " ") {
			return true
		}
		text := c.name
		if c.key != "" {
			text += " "
		}
		m.input.SetValue(text)
		m.completer.at = 0
	case "esc":
		if m.talk.draft != "" {
			m.bringBack()
			return true
		}
		m.completer.closed = true
	default:
		return false
	}
	return true
}

// offerLines draws what is offered, above the input.
func (m *model) offerLines(most int) []string {
	fits := m.offers()
	rows := min(len(fits), most, 8)
	if rows <= 0 {
		return nil
	}
	if rows < len(fits) && rows > 1 {
		rows-- // for the line that says so
	}
	column := 0
	for _, c := range fits {
		column = max(column, m.cells.StringWidth(c.name))
	}
	at := min(m.completer.at, len(fits)-1)
	top := min(max(at-rows/2, 0), len(fits)-rows)
	var lines []string
	for i, c := range fits[top : top+rows] {
		mark, name := "  ", m.fit(c.name, column)
		if top+i == at {
			mark, name = m.accent.Render("▌ "), m.accent.Bold().Render(name)
		}
		help := c.help
		if c.why != "" {
			help = "not now: " + c.why
		}
		if c.key != "" {
			help = c.key + "  " + help
		}
		lines = append(lines, m.fit(strings.Repeat(" ", m.margin())+mark+name+"  "+m.dim.Render(help), m.width))
	}
	if more := m.more(top, len(fits)-top-rows); more != "" && len(lines) < most {
		lines = append(lines, m.fit(strings.Repeat(" ", m.margin()+2)+m.dim.Render(more), m.width))
	}
	return lines
}

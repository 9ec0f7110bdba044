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
	name, rest, args := strings.Cut(typed, " ")
	var fits []choiceOf
	if args {
		fits = m.argumentOffers(name, rest)
	}
	if len(fits) > 0 {
		return fits
	}
	for _, c := range m.commands() {
		if c.name == name || !args && strings.HasPrefix(c.name, name) {
			fits = append(fits, c)
		}
	}
	nearest(fits, name)
	return fits
}

// argumentOffers lists the words that can be the argument that is being typed behind a command's name.
func (m *model) argumentOffers(name, rest string) []choiceOf {
	before, begun := strings.Fields(rest), ""
	if rest != "" && !strings.HasSuffix(rest, " ") {
		before, begun = before[:len(before)-1], before[len(before)-1]
	}
	var fits []choiceOf
	for _, word := range m.argumentWords(strings.ToLower(name), before) {
		if strings.HasPrefix(word, begun) && word != begun {
			fits = append(fits, choiceOf{name: word, typed: strings.Join(append(append([]string{name}, before...), word), " ") + " "})
		}
	}
	return fits
}

// argumentWords lists the words that can follow a command's name and these arguments, where they are known.
func (m *model) argumentWords(name string, before []string) []string {
	a := m.actionOf(name)
	switch {
	case a != nil && a.words != nil && len(before) == 0:
		return a.words
	case name == "/to" && len(before) == 0:
		var peers []string
		for _, t := range m.talks {
			peers = append(peers, t.peer)
		}
		return peers
	}
	c, _ := command.Find(name)
	return c.Next(before)
}

// usage is the command whose arguments are being typed, as its help shows it.
func (m *model) usage() string {
	name, _, args := strings.Cut(m.input.Value(), " ")
	if !args {
		return ""
	}
	for _, c := range m.commands() {
		if c.name == strings.ToLower(name) {
			return strings.TrimSpace(c.name + " " + c.key)
		}
	}
	return ""
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
		if c.typed != "" {
			m.input.SetValue(c.typed)
			m.completer.at = 0
			return true
		}
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

// offerLines draws what is offered, above the input: the commands that can be meant, or what the command that is being typed takes.
func (m *model) offerLines(most int) []string {
	fits := m.offers()
	if len(fits) == 0 || most < 1 {
		return nil
	}
	pad := strings.Repeat(" ", m.margin())
	usage, lines := m.usage(), []string(nil)
	if usage != "" {
		if fits[0].typed == "" {
			usage += ": " + fits[0].help
		}
		for _, line := range m.wrap(usage, max(m.width-2*len(pad), 1), 4) {
			lines = append(lines, m.fit(pad+m.dim.Render(line), m.width))
		}
		if fits[0].typed == "" {
			return lines[:min(len(lines), most)]
		}
		lines = lines[:min(len(lines), max(most-len(fits), 0))]
	}
	most -= len(lines)
	rows := min(len(fits), most, 8)
	if rows < len(fits) && rows > 1 {
		rows-- // for the line that says so
	}
	column := 0
	for _, c := range fits {
		column = max(column, m.cells.StringWidth(c.name))
	}
	at := min(m.completer.at, len(fits)-1)
	top := min(max(at-rows/2, 0), len(fits)-rows)
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
		lines = append(lines, m.fit(pad+mark+name+"  "+m.dim.Render(help), m.width))
	}
	if more := m.more(top, len(fits)-top-rows); more != "" && rows < most {
		lines = append(lines, m.fit(pad+"  "+m.dim.Render(more), m.width))
	}
	return lines
}

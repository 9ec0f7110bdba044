package tui

import "strings"

func (m *model) showHelp() { m.dialog = &reader{title: "keys and commands", draw: (*model).helpLines} }

// helpLines draws every key that makes sense here and now, with the reason where one cannot act, then every command and every mark.
func (m *model) helpLines(width int) []string {
	var lines []string
	section := func(name string) {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, m.accent.Bold().Render(name))
	}
	column := m.nameCells() + 2
	row := func(name, help, why string) {
		if why != "" {
			help += " — not now: " + why
		}
		for i, line := range m.wrap(help, max(width-column, 8), 10) {
			head := strings.Repeat(" ", column)
			if i == 0 {
				head = m.fit(name, column)
			}
			lines = append(lines, head+m.dim.Render(line))
		}
	}
	keys := func(here bool) {
		for _, a := range m.actions {
			if a.explain() != "" && a.keys.Help().Key != "" && a.here(m) && (a.panel != anywhere) == here && (here || a.first || m.session != nil) {
				row(a.keys.Help().Key, a.explain(), a.whyNot(m))
			}
		}
	}
	if m.session == nil {
		section("Keys of the login screen")
		keys(true)
		keys(false)
		lines = append(lines, "")
		row("", "There are more, and commands, once somebody has logged in: ? shows them then.", "")
		return lines
	}
	section("Keys in " + m.panels[m.focus].name)
	keys(true)
	section("Keys everywhere, also while typing")
	keys(false)
	section("Commands")
	for _, c := range m.commands() {
		row(c.name, strings.TrimSpace(c.key+"  "+c.help), "")
	}
	row("//text", "send /text", "")
	section("Marks")
	row(marks[sending][0], marks[sending][1]+", or "+marks[offline][1]+" for a link to be sent on", "")
	for _, f := range []fate{sent, delivered, failed} {
		row(marks[f][0], marks[f][1], "")
	}
	row("● ○", "the link to the service is up, is down", "")
	row("W E", "on the bar: where will-expire comes, where the token expires", "")
	return lines
}

// nameCells is how wide the longest name of a key or a command is.
func (m *model) nameCells() int {
	width := 0
	for _, a := range m.actions {
		width = max(width, m.cells.StringWidth(a.keys.Help().Key), m.cells.StringWidth(a.command))
	}
	return width
}

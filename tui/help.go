package tui

import (
	"strings"

	"github.com/ttlchat/ttlchat/internal/command"
)

func (m *model) toggleHelp() { m.help, m.helpTop = !m.help, 0 }

// pressHelp scrolls or leaves the help, and tells whether the key was for it. Other keys do what they always do.
func (m *model) pressHelp(key string) bool {
	switch key {
	case "up":
		m.helpTop--
	case "down":
		m.helpTop++
	case "pgup":
		m.helpTop -= m.height / 2
	case "pgdown":
		m.helpTop += m.height / 2
	case "esc", "q", "?", "f1", "enter":
		m.help = false
	default:
		return false
	}
	return true
}

// helpLines draws every key, every command and every mark, from the line that the person has scrolled to.
func (m *model) helpLines(width, height int) []string {
	var lines []string
	title := m.faint.Render("─ ") + m.accent.Bold().Render("help ")
	section := func(name string) {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, m.accent.Bold().Render(" "+name))
	}
	row := func(name, help string) {
		const column = 13
		for i, line := range m.wrap(help, width-column-1, 4) {
			head := strings.Repeat(" ", column)
			if i == 0 {
				head = m.fit(" "+name, column)
			}
			lines = append(lines, head+m.dim.Render(line))
		}
	}
	section("Keys, also while typing")
	for _, a := range m.actions {
		if help := a.explain(); help != "" {
			name := a.keys.Help().Key
			if a.command != "" {
				name = m.fit(name, 4) + a.command
			}
			row(name, help)
		}
	}
	section("Commands")
	for _, c := range command.Table() {
		if c.Args != "" || c.Name == "/help" {
			row(c.Name, strings.TrimSpace(c.Args+"  "+c.Help))
		}
	}
	row("//text", "send /text")
	section("Marks")
	for _, f := range []fate{sending, sent, delivered, failed} {
		row(marks[f][0], marks[f][1])
	}
	row("● ○", "the link to the service is up, is down")
	m.helpTop = min(max(m.helpTop, 0), max(len(lines)-height+1, 0))
	return append([]string{m.rule(title, m.dim.Render(" ↑↓ scroll · Esc closes ")+m.faint.Render("─"), width)}, lines[m.helpTop:]...)
}

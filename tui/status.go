package tui

import (
	"strings"

	"github.com/ttlchat/ttlchat/internal/command"
)

// status draws what is under the input: the notice, the commands that fit what is typed, or the hints.
func (m *model) status(most int) []string {
	pad := strings.Repeat(" ", m.margin())
	inner := max(m.width-2*len(pad), 1)
	switch typed := m.input.Value(); {
	case m.notice != "":
		lines := m.wrap(m.notice, inner, most)
		for i, line := range lines {
			if m.noticeTone != calm {
				line = m.tones[m.noticeTone].Render(line)
			}
			lines[i] = m.fit(pad+line, m.width)
		}
		return lines
	case command.IsCommand(typed):
		return []string{m.fit(pad+m.completions(typed), m.width)}
	case m.small():
		return nil
	default:
		var hints [][2]string
		for _, a := range m.actions {
			if help := a.keys.Help(); help.Desc != "" {
				hints = append(hints, [2]string{help.Key, help.Desc})
			}
		}
		hints = append(hints, [2]string{"?", "keys"})
		return []string{m.fit(pad+m.hints(hints, inner), m.width)}
	}
}

// completions lists the commands that begin like what is typed, with the help of the only one.
func (m *model) completions(typed string) string {
	name, _, _ := strings.Cut(typed, " ")
	var fits []command.Command
	var names []string
	for _, c := range command.Table() {
		if strings.HasPrefix(c.Name, name) {
			fits, names = append(fits, c), append(names, c.Name)
		}
	}
	if len(fits) == 1 {
		return strings.TrimSpace(fits[0].Name+" "+fits[0].Args) + m.dim.Render("  "+fits[0].Help)
	}
	return m.dim.Render(strings.Join(names, "  "))
}

// hints draws keys with a word each, as many as there is room for. The last one, which leads to all the others, always has room.
func (p pen) hints(pairs [][2]string, width int) string {
	const gap = "   "
	draw := func(pair [2]string) (string, int) {
		return pair[0] + " " + p.dim.Render(pair[1]), p.cells.StringWidth(pair[0]) + 1 + p.cells.StringWidth(pair[1])
	}
	last, used := draw(pairs[len(pairs)-1])
	var words []string
	for _, pair := range pairs[:len(pairs)-1] {
		word, cells := draw(pair)
		if used += cells + len(gap); used > width {
			break
		}
		words = append(words, word)
	}
	return p.fit(strings.Join(append(words, last), gap), width)
}

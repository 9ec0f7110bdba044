package tui

import "strings"

// above draws what is between the panels and the input: the policy's drawer, commands to complete, or a tip.
func (m *model) above(room int) []string {
	switch {
	case m.session == nil || room < 1:
		return nil
	case m.drawer.open:
		drawer := m.drawer.view(m.pen, m.policy, m.width)
		return drawer[:min(len(drawer), room)]
	case len(m.offers()) > 0:
		return m.offerLines(room)
	}
	if text := m.tip(); text != "" && room > 4 {
		if m.dialog != nil { // then Esc closes that
			return []string{m.fit(" "+m.accent.Render("▸ "+text), m.width)}
		}
		return []string{m.spread(m.width, " "+m.accent.Render("▸ "+text), m.dim.Render("Esc hides this "))}
	}
	return nil
}

// status draws what is under the input: the notice, or the hints.
func (m *model) status(most int) []string {
	pad := strings.Repeat(" ", m.margin())
	inner := max(m.width-2*len(pad), 1)
	switch {
	case m.notice != "":
		lines := m.wrap(m.notice, inner, most)
		for i, line := range lines {
			if m.noticeTone != calm {
				line = m.tones[m.noticeTone].Render(line)
			}
			lines[i] = m.fit(pad+line, m.width)
		}
		return lines
	case m.small():
		return nil
	default:
		return []string{m.fit(pad+m.hints(m.hintPairs(), inner), m.width)}
	}
}

// hintPairs are the keys that make sense here and now, those of the panel with the focus first.
func (m *model) hintPairs() [][2]string {
	if m.dialog != nil {
		return m.dialog.hints()
	}
	if m.faults.edit != nil {
		return [][2]string{{"Enter", "sets the value"}, {"Esc", "leaves it as it was"}}
	}
	if m.drawer.open {
		return [][2]string{{"↑↓", "row"}, {"←→", "change"}, {"Enter", "done"}}
	}
	var here, always [][2]string
	for _, a := range m.actions {
		help := a.keys.Help()
		if help.Desc == "" || !a.here(m) || a.whyNot(m) != "" {
			continue
		}
		if pair := [2]string{help.Key, help.Desc}; a.panel == anywhere {
			always = append(always, pair)
		} else {
			here = append(here, pair)
		}
	}
	return append(append(here, always...), [2]string{"?", "keys"})
}

// hints draws keys with a word each, as many as there is room for. The last one, which leads to all the others, always has room.
func (p pen) hints(pairs [][2]string, width int) string {
	const gap = "   "
	draw := func(pair [2]string) (string, int) {
		return p.strong.Render(pair[0]) + " " + p.dim.Render(pair[1]), p.cells.StringWidth(pair[0]) + 1 + p.cells.StringWidth(pair[1])
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

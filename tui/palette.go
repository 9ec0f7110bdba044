package tui

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// palette is the dialog that finds an action by what it is called or does.
type palette struct {
	input textinput.Model
	at    int
	shown []choiceOf
	// The window of the last view: its first choice, and how many rows it has.
	top, rows int
}

// choiceOf is an action or a command in a list to choose from.
type choiceOf struct {
	name, key, help, why string
	run                  func(*model)
	// typed is what to put into the input instead, for what wants arguments.
	typed string
}

func (m *model) showPalette() {
	in := textinput.New()
	in.Prompt, in.Placeholder, in.CharLimit = "› ", "what do you want to do?", 60
	in.KeyMap.Paste.SetEnabled(false)
	in.SetVirtualCursor(false)
	in.SetStyles(m.field)
	in.Focus()
	p := &palette{input: in}
	p.narrow(m)
	m.dialog = p
}

// everything lists all that can be done, with what cannot be done now at the end.
func (m *model) everything() []choiceOf {
	var all []choiceOf
	for _, a := range m.actions {
		if a.explain() == "" || a.do == nil && a.command == "" || a.keys.Help().Key == "" && a.command == "" || a.keys.Help().Key == paletteKey {
			continue
		}
		if !a.here(m) {
			if m.session != nil && a.panel > chatPanel {
				all = append(all, m.elsewhere(a))
			}
			continue
		}
		c := choiceOf{name: a.name(), key: a.shownKey(), help: a.explain(), why: a.whyNot(m), run: func(m *model) { m.act(a) }}
		if a.needsArgs() {
			c.typed = a.command + " "
		}
		all = append(all, c)
	}
	for _, c := range m.otherCommands() {
		choice := choiceOf{name: c.Name, help: c.Help, run: func(m *model) { m.run(c.Name) }}
		if c.Args != "" {
			choice.typed = c.Name + " "
		}
		all = append(all, choice)
	}
	all = append(append(all, m.talkChoices()...), m.faultChoices()...)
	slices.SortStableFunc(all, func(a, b choiceOf) int {
		return cmp.Compare(len(a.why)/max(len(a.why), 1), len(b.why)/max(len(b.why), 1))
	})
	return all
}

// elsewhere is an action of a panel that does not have the focus; it goes there.
func (m *model) elsewhere(a action) choiceOf {
	return choiceOf{
		name: a.name(), key: a.shownKey(), help: "in " + m.panels[a.panel].name + ": " + a.explain(), why: a.whyNot(m),
		run: func(m *model) {
			m.focusOn(a.panel)
			m.act(a)
		},
	}
}

// narrow keeps what has every word of the input in it, what is called so first.
func (p *palette) narrow(m *model) {
	words := strings.Fields(strings.ToLower(p.input.Value()))
	p.shown = slices.DeleteFunc(m.everything(), func(c choiceOf) bool {
		text := strings.ToLower(c.name + " " + c.key + " " + c.help)
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
	nearest(p.shown, p.input.Value())
	p.at = min(max(p.at, 0), max(len(p.shown)-1, 0))
}

func (p *palette) press(m *model, msg tea.KeyPressMsg) bool {
	switch msg.String() {
	case "esc", "ctrl+k":
		m.dialog = nil
	case "up":
		p.scroll(1)
	case "down", "tab":
		p.scroll(-1)
	case "pgup":
		p.scroll(10)
	case "pgdown":
		p.scroll(-10)
	case "enter":
		if p.at < len(p.shown) {
			m.dialog = nil
			m.choose(p.shown[p.at])
		}
	default:
		before, at := p.input.Value(), p.input.Position()
		var cmd tea.Cmd
		p.input, cmd = p.input.Update(msg)
		m.queue(cmd)
		if p.input.Value() == before {
			return msg.Text != "" || p.input.Position() != at || m.refuse(msg)
		}
		p.at = 0
		p.narrow(m)
	}
	return true
}

func (p *palette) hints() [][2]string {
	return [][2]string{{"type", "to find"}, {"↑↓", "choose"}, {"Enter", "does it"}, {"Esc", "closes"}}
}

// choose does what was chosen, or begins to write it.
func (m *model) choose(c choiceOf) {
	if c.typed != "" && m.session != nil {
		m.beginCommand(c.typed)
		return
	}
	c.run(m)
}

func (p *palette) scroll(lines int) { p.at = min(max(p.at-lines, 0), max(len(p.shown)-1, 0)) }

func (p *palette) view(m *model, width, height int) (string, string, []string, *tea.Cursor) {
	p.input.SetWidth(max(width-4, 1))
	lines := []string{p.input.View(), ""}
	height = min(height, 18)
	p.rows = max(height-2, 0)
	explain := p.explain(m, width, height)
	p.rows = max(p.rows-len(explain), 1)
	p.top = min(max(p.at-p.rows/2, 0), max(len(p.shown)-p.rows, 0))
	for i := p.top; i < min(p.top+p.rows, len(p.shown)); i++ {
		lines = append(lines, m.choiceLine(p.shown[i], i == p.at, width))
	}
	if len(p.shown) == 0 {
		lines = append(lines, m.dim.Render("nothing is called that"))
	}
	for len(lines) < height-len(explain) { // the box does not jump while one types
		lines = append(lines, "")
	}
	lines = append(lines, explain...)
	return "what to do", "↑↓ · Enter does it · Esc closes", lines[:min(len(lines), height)], p.input.Cursor()
}

// explain tells in full of what is pointed at, where that may be cut beside its name: in three rows, of which the first is empty.
func (p *palette) explain(m *model, width, height int) []string {
	if width >= narrow || height < 14 || p.at >= len(p.shown) {
		return nil
	}
	c := p.shown[p.at]
	text := c.help
	if c.key != "" {
		text = c.key + "  " + text
	}
	if c.why != "" {
		text = "not now: " + c.why
	}
	lines := []string{""}
	for _, line := range m.wrap(text, width, 2) {
		lines = append(lines, m.dim.Render(line))
	}
	return m.block(lines, width, 3)
}

func (p *palette) bar() (float64, float64) { return partOf(p.top, p.rows, len(p.shown)) }

// choiceLine draws one line of a list to choose from.
func (m *model) choiceLine(c choiceOf, at bool, width int) string {
	mark, name := "  ", m.fit(c.name, 18)
	help := m.dim.Render(c.help)
	if c.why != "" {
		help = m.dim.Render("not now: " + c.why)
	}
	if at {
		mark, name = m.accent.Render("▌ "), m.accent.Bold().Render(name)
	}
	if width < narrow {
		return m.fit(mark+name+" "+help, width) // a long name fills its column
	}
	return m.fit(mark+name+" "+m.strong.Render(m.fit(c.key, 9))+" "+help, width)
}

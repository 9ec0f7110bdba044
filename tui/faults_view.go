package tui

import (
	"fmt"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

func faultsTitle(m *model) string {
	if n := len(m.faults.on()); n > 0 {
		return fmt.Sprintf("faults (%d on)", n)
	}
	return "faults"
}

// faultWords names the faults that are on, for the header, in at most width cells and the two around them; at least it counts them.
func (m *model) faultWords(width int) string {
	on := m.faults.on()
	switch {
	case m.faults.source == nil:
		return ""
	case len(on) == 0:
		return m.dim.Render("no faults")
	}
	whole, names := make([]string, len(on)), make([]string, len(on))
	for i, f := range on {
		whole[i], names[i] = printable.Line(f.Target+" "+f.Name, 60), printable.Line(f.Name, 60)
	}
	text := ""
	for _, text = range []string{
		"FAULT: " + strings.Join(whole, ", "), strings.Join(whole, ", "), "FAULT: " + strings.Join(names, ", "), printable.Count(len(on), "FAULT", "FAULTS"),
	} {
		if m.cells.StringWidth(text) <= width {
			break
		}
	}
	return m.pills[late].Render(" " + text + " ")
}

func viewFaults(m *model, a area) []string {
	f := &m.faults
	if f.source == nil {
		return m.wrap("no faults: "+whyNotEmulator(m), a.width, a.height)
	}
	rows := f.rows()
	at, _ := f.row()
	focused := m.focus == faultPanel
	f.shown = a.height
	if focused && a.height > 8 {
		f.shown -= 3 // for what the row that is pointed at means, in full
	}
	f.top = min(max(f.top, f.at-f.shown+1), max(f.at-1, 0), max(len(rows)-f.shown, 0))
	var lines []string
	for _, row := range rows[f.top:min(f.top+max(f.shown, 0), len(rows))] {
		mark := "  "
		if row == at && focused {
			mark = m.accent.Render("▌ ")
		}
		lines = append(lines, mark+m.faultLine(row, row == at && focused, a.width-2))
	}
	if f.shown < a.height {
		lines = append(m.block(lines, a.width, f.shown), m.faint.Render(strings.Repeat("─", a.width)))
		text, paint := f.explain(at), m.dim
		if f.edit != nil && f.wrong != nil {
			text, paint = f.wrong.Error(), m.tones[dead]
		}
		for _, line := range m.wrap(printable.Line(text, 400), a.width, 2) {
			lines = append(lines, paint.Render(line))
		}
	}
	return lines
}

// column is how wide the names are that stand below each other with a row's, with a gap behind them: those of the events, of the kinds of
// one target, or of the parameters of one kind.
func (f *faults) column(row faultRow) int {
	widest := 0
	switch {
	case row.trigger.Name != "":
		for _, t := range f.source.Triggers() {
			widest = max(widest, len(t.Name))
		}
	case row.param >= 0:
		for _, p := range f.kinds[row.kind].Params {
			widest = max(widest, len(p.Name))
		}
	default:
		for _, k := range f.kinds {
			if k.Target == f.kinds[row.kind].Target {
				widest = max(widest, len(k.Name))
			}
		}
	}
	return widest + 2
}

// faultsBar tells which part of the list the window shows.
func faultsBar(m *model) (float64, float64) {
	f := &m.faults
	return partOf(f.top, f.shown, len(f.rows()))
}

// explain says what a row means.
func (f *faults) explain(row faultRow) string {
	switch {
	case row.trigger.Name != "":
		return row.trigger.Meaning
	case row.param >= 0:
		p := f.kinds[row.kind].Params[row.param]
		return p.Name + ": " + p.Meaning
	default:
		return f.kinds[row.kind].Meaning
	}
}

// faultLine draws one row of the panel.
func (m *model) faultLine(row faultRow, at bool, width int) string {
	f := &m.faults
	switch {
	case row.heading != "":
		return m.accent.Render(row.heading)
	case row.trigger.Name != "":
		return m.cut("▸ "+m.fit(row.trigger.Name, f.column(row))+m.dim.Render(row.trigger.Meaning), width, "…")
	case row.param >= 0:
		p := f.kinds[row.kind].Params[row.param]
		name, value := "    "+m.dim.Render(m.fit(p.Name, f.column(row))), f.value(row.kind, p)
		switch {
		case at && f.edit != nil && f.wrong != nil:
			f.edit.SetWidth(min(max(len(f.edit.Value())+1, 8), max(width-40, 8)))
			return m.cut(name+f.edit.View()+m.tones[dead].Render(" ✗ "+printable.Line(f.wrong.Error(), 200)), width, "…")
		case at && f.edit != nil:
			f.edit.SetWidth(max(width-26, 8))
			return m.cut(name+f.edit.View(), width, "…")
		case value == "":
			value = "–"
		}
		if len(p.Choices) > 0 {
			value = "◂ " + value + " ▸"
		}
		return m.cut(name+printable.Line(value, 60)+m.dim.Render("  "+p.Meaning), width, "…")
	}
	k := f.kinds[row.kind]
	on, is := f.active(row.kind)
	if !is {
		return m.cut("[ ] "+m.fit(k.Name, f.column(row))+m.dim.Render(k.Meaning), width, "…")
	}
	times := "applied " + printable.Count(on.Applied, "time", "times")
	switch {
	case on.Waiting:
		times = "waiting for its moment"
	case on.Count > 0:
		times = fmt.Sprintf("applied %d of %d", on.Applied, on.Count)
	}
	return m.cut(m.tones[late].Bold().Render("[x] "+m.fit(k.Name, f.column(row)))+m.tones[late].Render(times+" · "+k.Meaning), width, "…")
}

func moveFaults(m *model, _ area, lines int) { m.faults.step(-lines) }

func clickFaults(m *model, _ area, line int) {
	rows := m.faults.rows()
	if i := m.faults.top + line; i >= 0 && i < len(rows) && rows[i].heading == "" {
		again := m.faults.at == i
		m.faults.pick(rows[i])
		if again {
			m.switchFault()
		}
	}
}

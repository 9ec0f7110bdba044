package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// pen is what all drawing depends on: the styles, how the terminal counts cells, and the time zone of the clocks.
type pen struct {
	*styles
	cells ansi.Method
	zone  *time.Location
}

// fit makes one line exactly width cells wide.
func (p pen) fit(line string, width int) string {
	if width <= 0 {
		return ""
	}
	line = p.cut(line, width, "…")
	return line + strings.Repeat(" ", max(width-p.cells.StringWidth(line), 0))
}

// cut shortens a line that is wider than width cells, tail included.
func (p pen) cut(line string, width int, tail string) string {
	if p.cells.StringWidth(line) <= width {
		return line
	}
	// Truncate counts grapheme clusters to see whether there is anything to do, whichever way it counts then. The blanks make it act.
	return p.cells.Truncate(line+strings.Repeat(" ", max(width, 0)), width, tail)
}

// right makes one line exactly width cells wide with the text at its right end.
func (p pen) right(line string, width int) string {
	return p.fit(strings.Repeat(" ", max(width-p.cells.StringWidth(line), 0))+line, width)
}

// spread puts left and the first of rights that fits at the two ends of a line.
func (p pen) spread(width int, left string, rights ...string) string {
	used := p.cells.StringWidth(left)
	for _, right := range rights {
		if room := width - p.cells.StringWidth(right); used < room {
			return p.fit(left, room) + right
		}
	}
	return p.fit(left, width)
}

// stuckDash is a dash behind which no line is broken.
const stuckDash = "\u2011"

// stickDashes keeps the dashes that a word begins with, such as a flag or a negative number, on its line.
func stickDashes(text string) string {
	if !strings.Contains(text, "-") {
		return text
	}
	var b strings.Builder
	begins := true
	for _, r := range text {
		if r == '-' && begins {
			b.WriteString(stuckDash)
			continue
		}
		begins = unicode.IsSpace(r) || r == '(' || r == '"'
		b.WriteRune(r)
	}
	return b.String()
}

// wrap breaks text into lines of at most width cells, at most most lines; the last one ends with "…" when there are more.
func (p pen) wrap(text string, width, most int) []string {
	width = max(width, 1)
	lines := strings.Split(strings.ReplaceAll(p.cells.Wrap(stickDashes(text), width, ""), stuckDash, "-"), "\n")
	if len(lines) > most {
		lines = lines[:most]
		lines[most-1] = p.cut(lines[most-1], width-1, "") + "…"
	}
	return lines
}

// more says how many lines are out of sight above and below a window, "" when none are.
func (p pen) more(above, below int) string {
	var parts []string
	if above > 0 {
		parts = append(parts, fmt.Sprintf("↑ %d more", above))
	}
	if below > 0 {
		parts = append(parts, fmt.Sprintf("↓ %d more", below))
	}
	return strings.Join(parts, " · ")
}

// block makes lines exactly height lines of exactly width cells.
func (p pen) block(lines []string, width, height int) []string {
	out := make([]string, max(height, 0))
	for i := range out {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out[i] = p.fit(line, width)
	}
	return out
}

// boxed draws a frame of exactly width by height cells around lines, with a title at its upper left and a note at its upper right.
func (p pen) boxed(title, note string, lines []string, width, height int) []string {
	if width < 4 || height < 2 {
		return p.block(lines, width, height)
	}
	if note != "" {
		note = " " + note + " "
	}
	left, right := p.faint.Render("│ "), p.faint.Render(" │")
	out := make([]string, 0, height)
	out = append(out, p.faint.Render("╭─")+p.rule(" "+title+" ", note, width-4)+p.faint.Render("─╮"))
	for _, line := range p.block(lines, width-4, height-2) {
		out = append(out, left+line+right)
	}
	return append(out, p.faint.Render("╰"+strings.Repeat("─", width-2)+"╯"))
}

// rule draws a horizontal line of exactly width cells with a title at its left and a note at its right end.
func (p pen) rule(title, note string, width int) string {
	room := width - p.cells.StringWidth(title) - p.cells.StringWidth(note)
	if room < 0 {
		note, room = "", width-p.cells.StringWidth(title)
	}
	return p.fit(title+p.faint.Render(strings.Repeat("─", max(room, 0)))+note, width)
}

// beside joins two blocks of the same height.
func beside(left, right []string) []string {
	out := make([]string, len(left))
	for i := range left {
		out[i] = left[i] + right[i]
	}
	return out
}

// when shows an instant as a clock does, with the day where that is not clear.
func (p pen) when(t, now time.Time) string {
	if t.Sub(now).Abs() > 12*time.Hour {
		return t.In(p.zone).Format("Mon 15:04:05")
	}
	return p.clock(t)
}

// clock shows the time of day, which is what a person compares with other logs.
func (p pen) clock(t time.Time) string { return t.In(p.zone).Format(time.TimeOnly) }

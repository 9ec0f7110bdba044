package main

import (
	"fmt"
	"html"
	"image/color"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/vt"
)

// The size of a cell, and the margin around the screen, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 17
	padding    = 14
)

// look is the terminal that a picture shows.
type look struct{ paper, ink string }

var (
	dark  = look{"#16161d", "#e4e4e8"}
	light = look{"#ffffff", "#1c1c20"}
)

// style is how the text of a run looks; nil colours are the terminal's own.
type style struct {
	ink, paper color.Color
	bold       bool
}

// run is a piece of one row in one style.
type run struct {
	column, cells int
	text          string
	style         style
}

// bold is the attribute of bold cells.
const bold = 1

// svg draws the screen of a terminal.
func svg(screen *vt.Emulator, l look) string {
	width := padding*2 + cellWidth*float64(screen.Width())
	height := padding*2 + cellHeight*screen.Height()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", l.paper)
	fmt.Fprintf(&b, `<g font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14" fill="%s" xml:space="preserve">`+"\n", l.ink)
	for y := range screen.Height() {
		for _, r := range runs(screen, y) {
			r.draw(&b, y, l)
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// runs takes a row apart where the style changes, and at characters that fonts give a width of their own.
func runs(screen *vt.Emulator, y int) []run {
	var out []run
	for x := 0; x < screen.Width(); {
		cell := screen.CellAt(x, y)
		if cell == nil || cell.Width < 1 {
			x++
			continue
		}
		text := cell.Content
		if text == "" {
			text = " "
		}
		now := style{cell.Style.Fg, cell.Style.Bg, cell.Style.Attrs&bold != 0}
		if last := len(out) - 1; last >= 0 && out[last].style == now && cell.Width == 1 && out[last].joins(text) {
			out[last].text += text
			out[last].cells++
		} else {
			out = append(out, run{x, cell.Width, text, now})
		}
		x += cell.Width
	}
	return out
}

// joins tells whether a character can stand in the same run: ASCII after ASCII, or a line or block after its like.
func (r run) joins(text string) bool {
	if len(text) == 1 {
		return len(r.text) == r.cells
	}
	return (text == "─" || text == "█" || text == "░") && strings.HasPrefix(r.text, text)
}

func (r run) draw(b *strings.Builder, y int, l look) {
	x, top := padding+cellWidth*float64(r.column), padding+cellHeight*y
	wide := cellWidth * float64(r.cells)
	if r.style.paper != nil {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`, x, top, wide, cellHeight, hex(r.style.paper))
	}
	ink := l.ink
	if r.style.ink != nil {
		ink = hex(r.style.ink)
	}
	if first, _ := utf8.DecodeRuneInString(r.text); first >= 0x2500 && first < 0x25a0 && r.drawLines(b, first, x, float64(top), ink) {
		return
	}
	weight := ""
	if r.style.bold {
		weight = ` font-weight="bold"`
	}
	for column, word := range words(r.text) {
		cells := r.cells
		if len(r.text) == r.cells {
			cells = len(word)
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d" fill="%s"%s textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
			x+cellWidth*float64(column), top+13, ink, weight, cellWidth*float64(cells), html.EscapeString(word))
	}
}

// words yields the parts of a text between two spaces or more, which SVG would make one, with the columns where they begin.
func words(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		column := 0
		for part := range strings.SplitSeq(text, "  ") {
			word := strings.TrimLeft(part, " ")
			at := column + len(part) - len(word)
			if word = strings.TrimRight(word, " "); word != "" && !yield(at, word) {
				return
			}
			column += len(part) + 2
		}
	}
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

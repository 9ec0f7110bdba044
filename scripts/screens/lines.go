package main

import (
	"fmt"
	"strings"
)

// arms says from which sides a line comes to the middle of a cell: left, right, up, down.
var arms = map[rune][4]bool{
	'│': {false, false, true, true}, '┃': {false, false, true, true},
	'╭': {false, true, false, true}, '╮': {true, false, false, true}, '╰': {false, true, true, false}, '╯': {true, false, true, false},
}

// drawLines draws a line or a block as a shape, because in no font of a browser they join. It tells whether it knows the character.
func (r run) drawLines(b *strings.Builder, c rune, x, y float64, ink string) bool {
	rect := func(x, y, width, height, opacity float64) {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" opacity="%.2g"/>`+"\n", x, y, width, height, ink, opacity)
	}
	switch {
	case c == '░':
		rect(x, y+2, cellWidth*float64(r.cells), cellHeight-4, 0.35)
		return true
	case c == '█':
		rect(x, y+2, cellWidth*float64(r.cells), cellHeight-4, 1)
		return true
	case c == '─':
		rect(x, y+cellHeight/2-0.6, cellWidth*float64(r.cells), 1.2, 1)
		return true
	case c > '█' && c <= '▏': // from seven eighths of a cell to one
		rect(x, y+2, cellWidth*float64('▏'-c+1)/8, cellHeight-4, 1)
		return true
	}
	sides, ok := arms[c]
	if !ok {
		return false
	}
	thick := 1.2
	if c == '┃' {
		thick = 3
	}
	mx, my := x+cellWidth/2, y+cellHeight/2
	for i, end := range [4][2]float64{{x, my}, {x + cellWidth, my}, {mx, y}, {mx, y + cellHeight}} {
		if sides[i] {
			fmt.Fprintf(b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="%s" stroke-width="%.1f"/>`, mx, my, end[0], end[1], ink, thick)
		}
	}
	b.WriteByte('\n')
	return true
}

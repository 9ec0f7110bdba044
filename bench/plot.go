package main

import (
	"fmt"
	"strings"
)

// plot draws the ratios to the echo as bars, with their range as a line.
func (r *report) plot() string {
	const width, left, row, top, most = 760, 330, 26, 40, 1.6
	var b strings.Builder
	y := top
	x := func(ratio float64) float64 { return left + min(ratio, most)/most*(width-left-60) }
	for _, g := range goals {
		if g.per != "echo" || g.lower {
			continue
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-10, y+row, strings.TrimSuffix(g.name, ", ÷ echo"))
		for _, name := range []string{"ttlchat", "relay"} {
			s, ok := r.of(g, name)
			if !ok {
				continue
			}
			colour := map[string]string{"ttlchat": "#0969da", "relay": "#8c959f"}[name]
			middle := y + 10
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.0f" height="14" fill="%s"/>`+"\n", left, y+3, x(s.Median)-left, colour)
			fmt.Fprintf(&b, `<line x1="%.0f" y1="%d" x2="%.0f" y2="%d" stroke="#24292f"/>`+"\n", x(s.Min), middle, x(s.Max), middle)
			fmt.Fprintf(&b, `<text x="%.0f" y="%d">%s %.2f</text>`+"\n", x(max(s.Median, s.Max))+6, y+15, name, s.Median)
			y += 20
		}
		y += 16
	}
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width+120, y+10)
	head += fmt.Sprintf(`<rect width="%d" height="%d" fill="white"/>`+"\n", width+120, y+10)
	head += fmt.Sprintf(`<line x1="%.0f" y1="%d" x2="%.0f" y2="%d" stroke="#cf222e" stroke-dasharray="4"/>`+"\n", x(1), top-10, x(1), y)
	head += fmt.Sprintf(`<text x="%.0f" y="%d" text-anchor="middle">the bare echo</text>`+"\n", x(1), top-16)
	return head + b.String() + "</svg>\n"
}

package tui

import (
	"fmt"
	"slices"
)

// keep is how many entries a history holds before the oldest tenth goes.
const keep = 10_000

// entry is one thing in a history.
type entry interface {
	// lines renders the entry. It is called for entries on the screen only and remembers its last answer.
	lines(look) []string
}

// look is everything that the lines of an entry depend on besides the entry itself.
type look struct {
	pen
	width int
	// names is the width of the column of names; times and words say whether the clock and words beside the marks are shown.
	names        int
	times, words bool
}

// drawn remembers the lines of an entry for one look.
type drawn struct {
	look look
	text []string
}

// of returns the remembered lines, or renders them when the look is another one.
func (d *drawn) of(l look, render func(look) []string) []string {
	if d.text == nil || d.look != l {
		d.look, d.text = l, render(l)
	}
	return d.text
}

// history is a bounded list that shows a window of its lines. Only the entries in the window are rendered, however long the list is.
type history[E entry] struct {
	entries []E
	dropped int
	// The window ends at the last line of entry number last, counted from the first one ever added, less hidden lines. A window that
	// follows ends at the newest line instead.
	away         bool
	last, hidden int
}

// add appends an entry and returns those that had to go for it.
func (h *history[E]) add(e E) []E {
	var gone []E
	if len(h.entries) >= keep {
		gone = slices.Clone(h.entries[:keep/10])
		h.entries = slices.Delete(h.entries, 0, keep/10)
		h.dropped += len(gone)
	}
	h.entries = append(h.entries, e)
	return gone
}

// window returns the visible lines, at most height.
func (h *history[E]) window(l look, height int) []string {
	if len(h.entries) == 0 || height <= 0 {
		return nil
	}
	var lines []string // from the bottom up
	i, hidden := h.end()
	for ; i >= 0 && len(lines) < height; i-- {
		text := h.entries[i].lines(l)
		text = text[:max(len(text)-hidden, 0)]
		hidden = 0
		for j := len(text) - 1; j >= 0 && len(lines) < height; j-- {
			lines = append(lines, text[j])
		}
	}
	if len(lines) < height && h.dropped > 0 {
		lines = append(lines, l.dim.Render(fmt.Sprintf("the oldest %d are no longer kept", h.dropped)))
	}
	slices.Reverse(lines)
	return lines
}

// scroll moves the window by lines, towards older ones when lines is positive, and stops at both ends.
func (h *history[E]) scroll(l look, height, lines int) {
	if len(h.entries) == 0 {
		return
	}
	i, hidden := h.move(l, lines)
	h.away, h.last, h.hidden = true, h.dropped+i, hidden
	if missing := height - len(h.window(l, height)); missing > 0 && lines > 0 {
		i, hidden = h.move(l, -missing)
		h.last, h.hidden = h.dropped+i, hidden
	}
	h.away = i < len(h.entries)-1 || hidden > 0
}

// follow makes the window show what is newest again.
func (h *history[E]) follow() { h.away = false }

// end returns where the window ends: an index into entries, and how many of that entry's lines are below the window.
func (h *history[E]) end() (i, hidden int) {
	switch {
	case !h.away:
		return len(h.entries) - 1, 0
	case h.last < h.dropped:
		return 0, 0
	default:
		return h.last - h.dropped, h.hidden
	}
}

// move returns the end of a window that is moved by lines, not yet bounded by the screen's height.
func (h *history[E]) move(l look, lines int) (i, hidden int) {
	i, hidden = h.end()
	hidden += lines
	for hidden < 0 && i < len(h.entries)-1 {
		i++
		hidden += len(h.entries[i].lines(l))
	}
	for i > 0 && hidden >= len(h.entries[i].lines(l)) {
		hidden -= len(h.entries[i].lines(l))
		i--
	}
	return i, min(max(hidden, 0), len(h.entries[i].lines(l))-1)
}

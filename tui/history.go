package tui

import (
	"fmt"
	"slices"
)

// How many entries a history holds before the oldest tenth goes, and for how many of them it remembers the lines.
const (
	keepMessages  = 100_000
	keepMoments   = 10_000
	rememberLines = 512
)

// entry is one thing in a history.
type entry interface {
	// lines renders the entry. It is called for entries on the screen only, and remembers its last answer until it has to forget it.
	lines(look) []string
	known() bool
	forget()
}

// look is everything that the lines of an entry depend on besides the entry itself.
type look struct {
	pen
	width int
	// names and offsets are the widths of the columns of names and of offsets; times and words say whether the clock and words beside the marks
	// are shown, and waits that there is no link on which a message could be sent.
	names, offsets      int
	times, words, waits bool
}

// drawn remembers the lines of an entry for one look.
type drawn struct{ *drawing }

type drawing struct {
	look look
	text []string
}

func (d *drawn) known() bool { return d.drawing != nil }
func (d *drawn) forget()     { d.drawing = nil }

// of returns the remembered lines, or renders them when the look is another one.
func (d *drawn) of(l look, render func(look) []string) []string {
	if d.drawing == nil || d.look != l {
		d.drawing = &drawing{l, render(l)}
	}
	return d.text
}

// history is a bounded list that shows a window of its lines. Only the entries in the window are rendered, however long the list is.
type history[E entry] struct {
	keep    int // how many entries are held
	entries []E
	dropped int
	// The window ends at the last line of entry number last, counted from the first one ever added, less hidden lines. A window that
	// follows ends at the newest line instead.
	away         bool
	last, hidden int
	// marked is the number of the entry that a person points at, when there is one.
	pointing bool
	marked   int
	// owners says of each line of the last window which entry it belongs to; -1 is none.
	owners []int
	// recent are the entries whose lines are remembered, a ring.
	recent []E
	oldest int
}

// add appends an entry and returns those that had to go for it.
func (h *history[E]) add(e E) []E {
	var gone []E
	if len(h.entries) >= h.keep {
		gone = slices.Clone(h.entries[:h.keep/10])
		h.entries = slices.Delete(h.entries, 0, h.keep/10)
		h.dropped += len(gone)
		h.pointing = h.pointing && h.marked >= h.dropped
	}
	h.entries = append(h.entries, e)
	return gone
}

// insert puts an entry before number i of those held; what is pointed at and what is seen stay the same. There is room for it.
func (h *history[E]) insert(i int, e E) {
	h.entries = slices.Insert(h.entries, i, e)
	if h.pointing && h.marked >= h.dropped+i {
		h.marked++
	}
	if h.away && h.last >= h.dropped+i {
		h.last++
	}
}

// text returns the lines of an entry, and lets go of those that have not been asked for in a long time.
func (h *history[E]) text(i int, l look) []string {
	e := h.entries[i]
	if e.known() {
		return e.lines(l)
	}
	if len(h.recent) < rememberLines {
		h.recent = append(h.recent, e)
	} else {
		h.recent[h.oldest].forget()
		h.recent[h.oldest] = e
		h.oldest = (h.oldest + 1) % rememberLines
	}
	return e.lines(l)
}

// window returns the visible lines, at most height.
func (h *history[E]) window(l look, height int) []string {
	h.owners = h.owners[:0]
	if len(h.entries) == 0 || height <= 0 {
		return nil
	}
	lines := make([]string, 0, height) // from the bottom up
	i, hidden := h.end()
	for ; i >= 0 && len(lines) < height; i-- {
		text := h.text(i, l)
		text = text[:max(len(text)-hidden, 0)]
		hidden = 0
		for j := len(text) - 1; j >= 0 && len(lines) < height; j-- {
			lines, h.owners = append(lines, text[j]), append(h.owners, i)
		}
	}
	if len(lines) < height && h.dropped > 0 {
		lines, h.owners = append(lines, l.dim.Render(fmt.Sprintf("the oldest %d are no longer kept", h.dropped))), append(h.owners, -1)
	}
	slices.Reverse(lines)
	slices.Reverse(h.owners)
	return lines
}

// pointed draws the window with a gutter of two cells, in which a mark stands at the entry that is pointed at.
func (h *history[E]) pointed(l look, height int) []string {
	l.width -= 2
	lines := h.window(l, height)
	mark := l.accent.Render("▌ ")
	for i, line := range lines {
		if h.pointing && h.owners[i] >= 0 && h.owners[i]+h.dropped == h.marked {
			lines[i] = mark + line
		} else {
			lines[i] = "  " + line
		}
	}
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
func (h *history[E]) follow() { h.away, h.pointing = false, false }

// point points at entry i of those held, and moves the window as little as it must to show it. What is pointed at stays in sight: the window
// does not follow the newest line any more.
func (h *history[E]) point(l look, height, i int) {
	i = min(max(i, 0), len(h.entries)-1)
	if i < 0 {
		return
	}
	if !h.away {
		h.away, h.last, h.hidden = true, h.dropped+len(h.entries)-1, 0
	}
	h.pointing, h.marked = true, h.dropped+i
	if end, hidden := h.end(); i >= end {
		if i > end || hidden > 0 {
			h.last, h.hidden = h.marked, 0
		}
		return
	}
	h.window(l, height)
	if slices.Contains(h.owners, i) && h.owners[0] != i || len(h.owners) > 0 && h.owners[0] == i && len(h.text(i, l)) == 1 {
		return
	}
	end, rows := i, len(h.text(i, l))
	for end < len(h.entries)-1 && rows < height {
		end++
		rows += len(h.text(end, l))
	}
	h.last, h.hidden = h.dropped+end, min(max(rows-height, 0), len(h.text(end, l))-1)
}

// step points at the next entry, upwards when by is positive; without one yet at the newest in the window. It tells whether there is one.
func (h *history[E]) step(l look, height, by int) {
	end, _ := h.end()
	if h.pointing {
		end = h.marked - h.dropped - by
	}
	if end > len(h.entries)-1 {
		h.follow()
		return
	}
	h.point(l, height, end)
}

// target returns the entry that is pointed at, or else the newest.
func (h *history[E]) target() (e E, ok bool) {
	switch {
	case len(h.entries) == 0:
		return e, false
	case h.pointing:
		return h.entries[h.marked-h.dropped], true
	default:
		return h.entries[len(h.entries)-1], true
	}
}

// click points at the entry of a line of the last window.
func (h *history[E]) click(line int) bool {
	if line < 0 || line >= len(h.owners) || h.owners[line] < 0 {
		return false
	}
	if !h.away {
		h.away, h.last, h.hidden = true, h.dropped+len(h.entries)-1, 0
	}
	h.pointing, h.marked = true, h.dropped+h.owners[line]
	return true
}

// below counts the entries that are newer than the last window, one of which only a part is seen among them.
func (h *history[E]) below() int {
	i, hidden := h.end()
	return len(h.entries) - 1 - i + min(hidden, 1)
}

// bar returns which part of the entries the last window showed.
func (h *history[E]) bar() (top, bottom float64) {
	n := float64(len(h.entries))
	if len(h.owners) == 0 {
		return 0, 1
	}
	if i := h.owners[0]; i > 0 {
		top = float64(i) / n
	}
	return top, float64(h.owners[len(h.owners)-1]+1) / n
}

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
		hidden += len(h.text(i, l))
	}
	for i > 0 && hidden >= len(h.text(i, l)) {
		hidden -= len(h.text(i, l))
		i--
	}
	return i, min(max(hidden, 0), len(h.text(i, l))-1)
}

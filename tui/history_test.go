package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plain is an entry of a few lines; it counts how often it was rendered.
type plain struct {
	name, height int
	rendered     int
	drawn
}

func (p *plain) lines(l look) []string {
	return p.of(l, func(look) []string {
		p.rendered++
		out := make([]string, p.height)
		for i := range out {
			out[i] = fmt.Sprintf("%d.%d", p.name, i)
		}
		return out
	})
}

func testLook() look { return look{pen: pen{styles: newStyles(true)}, width: 80} }

// TestWindow compares the window with a slice of all lines, which is what a history must never build.
func TestWindow(t *testing.T) {
	l := testLook()
	rapid.Check(t, func(t *rapid.T) {
		h := history[*plain]{keep: 1000}
		var all []string
		height := rapid.IntRange(1, 12).Draw(t, "height")
		bottom := -1 // the number of lines up to the end of the window; -1 follows
		check := func() {
			end := len(all)
			if bottom >= 0 {
				end = bottom
			}
			want := all[max(end-height, 0):end]
			if got := h.window(l, height); !slices.Equal(got, want) {
				t.Fatalf("window %v, want %v", got, want)
			}
			if h.away != (bottom >= 0) {
				t.Fatalf("away %v with the window at %d of %d", h.away, bottom, len(all))
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { check() },
			"add": func(t *rapid.T) {
				e := &plain{name: len(h.entries), height: rapid.IntRange(1, 15).Draw(t, "lines")}
				h.add(e)
				all = append(all, e.lines(l)...)
			},
			"scroll": func(t *rapid.T) {
				n := rapid.IntRange(-30, 30).Draw(t, "n")
				h.scroll(l, height, n)
				end := len(all)
				if bottom >= 0 {
					end = bottom
				}
				end = min(max(end-n, min(height, len(all))), len(all))
				if bottom = end; end == len(all) {
					bottom = -1
				}
			},
			"follow": func(*rapid.T) { h.follow(); bottom = -1 },
		})
	})
}

func TestHistoryIsBounded(t *testing.T) {
	h := history[*plain]{keep: 1000}
	gone := 0
	for i := range 3 * h.keep {
		gone += len(h.add(&plain{name: i, height: 1}))
		if len(h.entries) > h.keep {
			t.Fatalf("%d entries are kept", len(h.entries))
		}
	}
	if gone == 0 || gone != h.dropped || gone+len(h.entries) != 3*h.keep {
		t.Fatalf("%d gone, %d dropped, %d kept", gone, h.dropped, len(h.entries))
	}
	l := testLook()
	if got := h.window(l, 1); !slices.Equal(got, []string{fmt.Sprintf("%d.0", 3*h.keep-1)}) {
		t.Errorf("the newest line is %q", got)
	}
	h.scroll(l, 3, 4*h.keep)
	top := h.window(l, 3)
	if want := fmt.Sprintf("the oldest %d are no longer kept", h.dropped); !strings.Contains(top[0], want) {
		t.Errorf("the top is %q, want %q", top, want)
	}
	h.add(&plain{name: -1, height: 1}) // the window stays where it is, unless its lines are let go
	if diff := cmp.Diff(top[1:], h.window(l, 3)[1:]); diff != "" && h.dropped == gone {
		t.Errorf("the window moved:\n%s", diff)
	}
}

func TestOnlyVisibleEntriesAreRendered(t *testing.T) {
	h := history[*plain]{keep: 1000}
	h.keep = 5000
	for i := range 5000 {
		h.add(&plain{name: i, height: 1})
	}
	l := testLook()
	for range 10 {
		h.window(l, 20)
		h.scroll(l, 20, 5)
	}
	rendered := 0
	for _, e := range h.entries {
		rendered += e.rendered
	}
	if rendered == 0 || rendered > 20+10*5+1 {
		t.Errorf("%d entries were rendered for 10 windows of 20 lines, each 5 apart", rendered)
	}
}

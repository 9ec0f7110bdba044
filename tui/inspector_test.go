package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

// TestInspectorShowsAll: a renewal's old and new values can be read in full on every screen, with the times of the screen's own zone.
func TestInspectorShowsAll(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online())
		r.zone = time.FixedZone("EST", -5*3600)
		r.keys("ctrl+t")
		var all []string
		for _, line := range r.inspectorLines(area{size.Width - 4, 20}) {
			if w := r.cells.StringWidth(line); w > size.Width-4 {
				t.Errorf("%d cells: a line has %d: %q", size.Width-4, w, line)
			}
			all = append(all, strings.Fields(ansi.Strip(line))...)
		}
		wantOn(t, strings.Join(all, " "), "issued 2026-11-22 07:04:12 EST (19 s ago) was 2026-11-22 07:03:42 EST (49 s ago)",
			"expires 2026-11-22 07:04:42 EST (in 11 s) was 2026-11-22 07:04:12 EST (19 s ago)", "life 30 s", "salt 77812 was 4711")
		if text := strings.Join(all, " "); strings.Contains(text+" ", "… ") { // a shortened token has one in its middle
			t.Errorf("something is cut at %d cells: %s", size.Width, text)
		}
	}
}

// TestMeanings: what a value means is beside it, below it, or nowhere, but never cut.
func TestMeanings(t *testing.T) {
	const meaning = "by the clock of the token server"
	tests := map[string]struct {
		area area
		says string
	}{
		"beside":   {area{80, 3}, "issued      12:04  " + meaning},
		"below":    {area{45, 5}, "issued      12:04\n            " + meaning},
		"wrapped":  {area{36, 7}, "issued      12:04\n            by the clock of the\n            token server"},
		"left out": {area{45, 3}, "issued      12:04\n"},
	}
	for name, test := range tests {
		r := opened(t, 80, 24, online())
		r.fake.tokens = []Token{fakeToken{Inspection{Short: "006…", Genuine: true, Fields: []TokenField{said("issued", "12:04", meaning)}}, ""}}
		var lines []string
		for _, line := range r.inspectorLines(test.area) {
			lines = append(lines, strings.TrimRight(ansi.Strip(line), " "))
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(text, test.says) || name == "left out" && strings.Contains(text, "clock") {
			t.Errorf("%s: %q lacks %q", name, text, test.says)
		}
	}
}

func TestInstant(t *testing.T) {
	p := pen{zone: time.FixedZone("EST", -5*3600)}
	tests := map[time.Duration]string{
		0: "now", -900 * time.Millisecond: "now", -time.Second: "1 s ago", -235 * time.Second: "3 min 55 s ago",
		-2*time.Hour - 90*time.Second: "2 h 1 min ago", 5400 * time.Millisecond: "in 5.4 s", 8 * time.Minute: "in 8m 00s", 23 * time.Hour: "in 23h 00m",
	}
	got, want := map[time.Duration]string{}, map[time.Duration]string{}
	for after, away := range tests {
		at := noon.Add(after)
		got[after] = p.instant(at, noon)
		want[after] = at.Add(-5*time.Hour).Format(time.DateTime) + " EST (" + away + ")"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

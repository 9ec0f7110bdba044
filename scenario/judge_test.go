package scenario

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The busiest second is the one that a slow look at every second finds.
func TestBusiest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.IntRange(0, 50).Draw(t, "tenths")) * 100 * time.Millisecond
		}), 0, 30).Draw(t, "at")
		slices.Sort(at)
		want, from := 0, time.Duration(0)
		for i := range at {
			n := 0
			for _, other := range at[i:] {
				if other < at[i]+time.Second {
					n++
				}
			}
			if n > want {
				want, from = n, at[i]
			}
		}
		if n, when := busiest(at); n != want || when != from {
			t.Fatalf("%d from %v on, want %d from %v on", n, when, want, from)
		}
	})
}

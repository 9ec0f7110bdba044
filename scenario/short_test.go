package scenario

import "testing"

// The lifetimes that the files ask for are what the command line runs with; in a bubble they cost nothing, and nothing can be late.
func TestLibraryWithItsOwnLifetimes(t *testing.T) {
	t.Parallel()
	for _, s := range Library() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if r := inBubble(t, s, Options{TTL: s.TTL}); r.Verdict != VerdictPassed {
				t.Error(r.Text())
			}
		})
	}
}

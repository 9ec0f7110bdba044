package tui

import (
	"fmt"
	"testing"
)

// TestPolicyDrawerNarrow: whatever is chosen can be read where the words do not all fit.
func TestPolicyDrawerNarrow(t *testing.T) {
	r := opened(t, 40, 12, online())
	r.keys("ctrl+p")
	for i, row := range choices(r.policy) {
		for range row.options {
			chosen := choices(r.policy)[i]
			wantOn(t, r.screen(t), fmt.Sprintf("[%s]", chosen.options[chosen.chosen]))
			r.keys("right")
		}
		r.keys("down")
	}
}

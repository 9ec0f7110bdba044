package tui

import (
	"fmt"
	"strings"
	"testing"
)

// TestPolicyWords: an answer is called in the drawer what it is called on the command line.
func TestPolicyWords(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.write("/policy will-expire ignore expired ignore")
	r.keys("enter", "ctrl+p")
	wantOn(t, r.screen(t), "on will-expire   renew  [ignore]  ask", "on expired       log in again   renew  [ignore]")
	if _, drawer, ok := strings.Cut(r.screen(t), "─ policy"); !ok || strings.Contains(drawer, "nothing") {
		t.Errorf("the drawer has another word for it, too:\n%s", r.screen(t))
	}
}

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

package scenario

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs a scenario with a token that lives a day, in no time.
func inBubble(t *testing.T, s *Scenario, o Options) (r *Report) {
	t.Helper()
	o.InMemory = true
	if o.TTL == 0 {
		o.TTL = 24 * time.Hour
	}
	synctest.Test(t, func(t *testing.T) { r = Run(t.Context(), s, o) })
	return r
}

// Every built-in scenario passes with a token of 24 hours, so nothing in it depends on short lifetimes.
func TestLibraryWithTokensOfADay(t *testing.T) {
	t.Parallel()
	for _, s := range Library() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if r := inBubble(t, s, Options{}); r.Verdict != VerdictPassed {
				t.Error(r.Text())
			}
		})
	}
}

// And every sample behaviour that gets one wrong fails it, in the checks that tell its story.
func TestSampleBehavioursFail(t *testing.T) {
	t.Parallel()
	for _, s := range Library() {
		for _, f := range s.FailsWith {
			t.Run(s.Name+"/"+f.App, func(t *testing.T) {
				t.Parallel()
				r := inBubble(t, s, Options{App: f.App})
				if r.Verdict != VerdictFailed {
					t.Fatalf("%s, but it must fail with %s\n%s", r.Verdict, f.App, r.Text())
				}
				for _, name := range f.Check {
					if !slices.ContainsFunc(r.Failed(), func(c Check) bool { return c.Name == name }) {
						t.Errorf("the check %q does not fail\n%s", name, r.Text())
					}
				}
			})
		}
	}
}

// A file is called as its scenario, and says where the bug comes from.
func TestLibraryIsInOrder(t *testing.T) {
	for _, s := range Library() {
		if s.File != s.Name+".yaml" {
			t.Errorf("%s is in the file %s", s.Name, s.File)
		}
		if s.Source == "" || len(s.Tags) == 0 || strings.Contains(s.Story, "\n\n") {
			t.Errorf("%s has no source, no tags, or a story of several paragraphs", s.Name)
		}
	}
}

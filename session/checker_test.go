package session_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ttlchat/ttlchat/session"
)

// chapter is what one client saw: what the service took of it, in that order, and what it was given, in that order.
type chapter struct {
	user     string
	taken    []letter
	received []letter
}

// letter is a message; its text is unlike that of every other.
type letter struct{ from, to, text string }

// violations says in which ways what clients saw breaks the promise: whatever the service took arrives once, at the right place, in its
// sender's order, and nothing else does (fault test R21).
func violations(story []chapter) []string {
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	place := make(map[letter]int) // in the order of its sender
	for _, c := range story {
		for i, l := range c.taken {
			if _, twice := place[l]; twice {
				bad("%v was taken twice", l)
			}
			if l.from != c.user {
				bad("%v was taken from %s", l, c.user)
			}
			place[l] = i
		}
	}
	arrived := make(map[letter]bool)
	for _, c := range story {
		newest := make(map[string]int)
		for _, l := range c.received {
			at, known := place[l]
			switch {
			case !known:
				bad("%s got %v, which nobody sent", c.user, l)
				continue
			case l.to != c.user:
				bad("%s got %v", c.user, l)
			case arrived[l]:
				bad("%s got %v twice", c.user, l)
				continue
			}
			if before, any := newest[l.from]; any && at < before {
				bad("%s got %v out of order", c.user, l)
			}
			newest[l.from] = max(newest[l.from], at)
			arrived[l] = true
		}
	}
	for l := range place {
		if !arrived[l] {
			bad("%v was lost", l)
		}
	}
	return wrong
}

// chapter reads what the person saw. Messages are in the order in which they were written: that of their answers may change with a
// reconnect.
func (p *person) chapter(user string) chapter {
	c := chapter{user: user}
	taken := make(map[string]bool)
	for _, e := range p.all() {
		switch e.Name {
		case session.MessageSent:
			taken[e.Text] = true
			c.taken = append(c.taken, letter{e.From, e.To, e.Text})
		case session.MessageReceived:
			c.received = append(c.received, letter{e.From, e.To, e.Text})
		}
	}
	order := make(map[string]int, len(p.said))
	for i, text := range p.said {
		order[text] = i
	}
	slices.SortStableFunc(c.taken, func(a, b letter) int { return order[a.text] - order[b.text] })
	return c
}

// TestCheckerCatchesMutants breaks a sound story in each way, at places chosen by five seeds: the checker must find every one.
func TestCheckerCatchesMutants(t *testing.T) {
	sound := func(luck *rand.Rand) []chapter {
		story := []chapter{{user: "a"}, {user: "b"}, {user: "c"}}
		for i := range 200 {
			from := luck.IntN(3)
			to := (from + 1 + luck.IntN(2)) % 3
			l := letter{story[from].user, story[to].user, fmt.Sprint(i)}
			story[from].taken = append(story[from].taken, l)
			story[to].received = append(story[to].received, l)
		}
		return story
	}
	mutants := map[string]func(c *chapter, at int){
		"lost": func(c *chapter, at int) { c.received = slices.Delete(c.received, at, at+1) },
		"twice": func(c *chapter, at int) {
			c.received = slices.Insert(c.received, len(c.received)-at%3, c.received[at])
		},
		"out of order": func(c *chapter, at int) { // with the next one of the same sender
			for next := at + 1; next < len(c.received); next++ {
				if c.received[next].from == c.received[at].from {
					c.received[at], c.received[next] = c.received[next], c.received[at]
					return
				}
			}
		},
		"which nobody sent": func(c *chapter, at int) { c.received[at].text = "?" },
		"was taken twice":   func(c *chapter, at int) { c.taken = append(c.taken, c.taken[at%len(c.taken)]) },
		"was taken from":    func(c *chapter, at int) { c.taken[at%len(c.taken)].from = "a" },
		"b got":             func(c *chapter, at int) { c.received = slices.Insert(c.received, at, letter{"a", "c", "stray"}) },
	}
	for seed := range uint64(5) {
		if wrong := violations(sound(rand.New(rand.NewPCG(seed, 0)))); wrong != nil { //nolint:gosec // must be repeatable
			t.Fatalf("seed %d: a sound story is refused: %v", seed, wrong)
		}
		for name, mutate := range mutants {
			luck := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // must be repeatable
			story := sound(luck)
			if name == "b got" { // a letter of a to c that goes astray
				story[0].taken = append(story[0].taken, letter{"a", "c", "stray"})
			}
			mutate(&story[1], luck.IntN(len(story[1].received)/2))
			wrong := violations(story)
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, name) }) {
				t.Errorf("seed %d: the mutant %q is not found: %v", seed, name, wrong)
			}
		}
	}
}

package session

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/session/chat"
)

// The app layer lives through anything, and never comes to a pair of state and input that docs/session-states.md calls impossible.
func TestMachineProperties(t *testing.T) {
	known := explored()
	rapid.Check(t, func(t *rapid.T) {
		s := newSim(rules{
			profile: rapid.SampledFrom(chat.Profiles()).Draw(t, "profile"), renewable: rapid.Bool().Draw(t, "renewable"),
			spread: rapid.SampledFrom(spreads).Draw(t, "spread"),
		}, rapid.Float64Range(0, 1).Draw(t, "luck"))
		s.t = t
		s.m.policy = rapid.SampledFrom(policies).Draw(t, "policy")
		s.saw = func(from State, in string, to State) {
			if known[pair{from, in}] == nil {
				t.Fatalf("%q in %s leads to %s, and the model calls this impossible", in, from, to)
			}
		}
		choose := chooser(func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, what) })
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { s.check() },
			"move": func(t *rapid.T) {
				for !rapid.SampledFrom(simMoves).Draw(t, "move").do(s, choose) { // some are possible in every state
				}
			},
		})
	})
}

// The deadline that the loop sleeps until is exactly the instant from which a tick does something.
func TestTheDeadlineIsWhenATickDoesSomething(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{
			"logged out", "fetching", "logging in", "online", "will expire", "fetching anew", "renewing", "retrying", "reconnecting", "expired", "waiting", "stopped",
		}).Draw(t, "stand")
		m := stand(name)
		m.policy = rapid.SampledFrom(policies).Draw(t, "policy")
		now := noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "now")))
		_, effects := step(evenRules(chat.Native), m, now, inTick{})
		due := !m.deadline().IsZero() && !now.Before(m.deadline())
		if due != (len(effects) > 0) {
			t.Fatalf("%s at %v with deadline %v does %q", name, now, m.deadline(), short(effects))
		}
	})
}

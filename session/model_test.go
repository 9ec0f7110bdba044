package session

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/session/chat"
)

// The model of the app layer: which input in which state leads where, found by a long walk through the machine itself, in a plausible world.
// It is written down in docs/session-states.md.

var update = flag.Bool("update", false, "write docs/session-states.md anew")

// pair is a state and an input.
type pair struct {
	from State
	in   string
}

// spreads are the ways to spread renewals.
var spreads = []float64{0, 0.5}

// explored walks through the machine once, always the same way, and returns the states that each pair leads to. A pair that is not in it is
// impossible.
var explored = sync.OnceValue(func() map[pair][]State { return walk(11, 6000) })

func walk(seed uint64, lives int) map[pair][]State {
	luck := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // must be repeatable
	choose := chooser(func(_ string, n int) int { return luck.IntN(n) })
	found := make(map[pair][]State)
	var urn []move // each move as often as its weight
	for _, m := range simMoves {
		urn = append(urn, slices.Repeat([]move{m}, m.weight)...)
	}
	for i := range lives {
		profiles := chat.Profiles()
		s := newSim(rules{
			profile: profiles[i%len(profiles)], renewable: luck.IntN(3) > 0, spread: pick(choose, "spread", spreads),
		}, luck.Float64())
		s.m.policy = pick(choose, "policy", policies)
		s.saw = func(from State, in string, to State) {
			if p := (pair{from, in}); !slices.Contains(found[p], to) {
				found[p] = append(found[p], to)
			}
		}
		for range 300 {
			pick(choose, "move", urn).do(s, choose)
		}
	}
	return found
}

const statesDocument = "../docs/session-states.md"

func TestStatesDocument(t *testing.T) {
	want := document()
	if *update {
		if err := os.WriteFile(statesDocument, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(statesDocument)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/session-states.md is stale; run go test ./session -run TestStatesDocument -update (-want +got):\n%s", diff)
	}
}

// meanings are the states for a reader.
var meanings = map[State]string{
	LoggedOut:    "nobody is logged in and nothing is under way",
	Fetching:     "a token for a login is being fetched",
	LoggingIn:    "the SDK logs in",
	Online:       "logged in, most of the token's life ahead",
	WillExpire:   "online, will-expire has fired, and no renewal is under way",
	Renewing:     "online, a new token is being fetched or handed to the SDK",
	Reconnecting: "the link is down and the SDK tries to get it back; a renewal may go on meanwhile",
	Expired:      "the token is past its end and no login is under way; the classic profile is still online then",
	Waiting:      "the next attempt to log in has a time",
	Stopped:      "given up, for one of the reasons below; only a person goes on from here",
}

func document() string {
	known := explored()
	var b strings.Builder
	b.WriteString(`# The session's states

This page is generated from the code: ` + "`go test ./session -run TestStatesDocument -update`" + ` walks through the machine in ` + "`session`" + ` and
writes down what it did. The tests fail when the page is stale, and when a random walk comes to a pair that is called impossible here.

What is late changes nothing: every effect has a number, and an answer with another one than the present is dropped. Such answers are left out
below. Only what an earlier session says of the clocks counts, because clocks outlive sessions.

| state | meaning |
| --- | --- |
`)
	for _, s := range States() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", s, meanings[s])
	}
	b.WriteString("\n## The diagram\n\nWithout what a person asks for, which may come at any time.\n\n```mermaid\nstateDiagram-v2\n    [*] --> logged_out\n")
	for _, from := range States() {
		for _, to := range States() {
			var why []string
			for _, in := range inputNames()[4:] {
				if from != to && slices.Contains(known[pair{from, in}], to) {
					why = append(why, strings.ReplaceAll(in, ": ", " "))
				}
			}
			if why != nil {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(why, ", "))
			}
		}
	}
	b.WriteString("```\n\n## Every pair\n\nWhere a state leads with an input. `=` stays where it is; a blank pair is impossible.\n\n| input |")
	for _, s := range States() {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(States())) + "\n")
	for _, in := range inputNames() {
		fmt.Fprintf(&b, "| %s |", in)
		for _, from := range States() {
			b.WriteString(" " + cell(from, known[pair{from, in}]) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Why it gives up\n\nThe name stands in `why` of an event and in the snapshot; what happened in detail stands beside it in words.\n\n| reason | meaning | what to do |\n| --- | --- | --- |\n")
	for _, r := range Reasons() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Reason, r.Meaning, r.Remedy)
	}
	b.WriteString("\n## Apps that do it wrong\n\n`--app` lets the app behave like one of these. All of it is data that the same machine reads.\n\n| app | what it does | where it was met |\n| --- | --- | --- |\n")
	for _, a := range Behaviours() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.Name, a.Meaning, a.Source)
	}
	return b.String()
}

// cell is where a pair leads, in the order of States.
func cell(from State, to []State) string {
	var words []string
	for _, s := range States() {
		switch {
		case !slices.Contains(to, s):
		case s == from:
			words = append(words, "=")
		default:
			words = append(words, string(s))
		}
	}
	return strings.Join(words, ", ")
}

// Every reason is listed once, and every one that an error can lead to is in the list.
func TestReasons(t *testing.T) {
	listed := make(map[Reason]bool)
	for _, r := range Reasons() {
		if listed[r.Reason] || r.Reason == NotGivenUp || r.Meaning == "" || r.Remedy == "" {
			t.Errorf("%+v", r)
		}
		listed[r.Reason] = true
	}
	for _, err := range fetchErrors {
		if !listed[reasonOfFetch(err)] {
			t.Errorf("%v has the reason %q", err, reasonOfFetch(err))
		}
	}
	for _, err := range slices.Concat(loginErrors, renewErrors) {
		if !listed[reasonOfSDK(err.Kind)] {
			t.Errorf("%v has the reason %q", err, reasonOfSDK(err.Kind))
		}
	}
	if len(meanings) != len(States()) {
		t.Error("a state has no meaning")
	}
}

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tui"
)

// playedScenario goes by what happens and not by the clock, so that a slow machine plays the same; it ends early where it says stop_after, too.
const playedScenario = `
name: short
story: The token expires early, and the app logs in again.
ttl: 60s
steps:
  - at: login.succeeded+500ms
    trigger: expire
until: 0.3T
expect:
  events: [token.expired, {event: login.succeeded, in: token.expired..}]
  never: [kicked]
  final: online
`

const stopsEarly = "stop_after: login.succeeded#2+200ms\n"

// noTokensYet lets nobody log in until somebody clears it: what a scenario waits for at first is passed too soon to be seen otherwise.
const noTokensYet = "steps:\n  - at: 0s\n    fault: {id: later, target: token-server, kind: hang}\n"

// playScenario begins a run as the screen does.
func playScenario(t *testing.T, text string, change scenario.Options) (*performance, tui.PlayRun) {
	t.Helper()
	s, err := scenario.Parse("short.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{scenario: s, change: change}
	run, err := st.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.end() })
	return st.now, run
}

// until waits for a standing that is as wanted.
func until(t *testing.T, run tui.PlayRun, what string, wanted func(tui.Standing) bool) tui.Standing {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		s, err := run.Next(ctx)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if wanted(s) {
			return s
		}
	}
}

// A scenario is played over real sockets, judged, and then left; what it shows on the way is what the screen needs.
func TestPlayPasses(t *testing.T) {
	t.Parallel()
	p, run := playScenario(t, strings.Replace(playedScenario, "steps:\n", noTokensYet, 1)+stopsEarly, scenario.Options{})
	first := until(t, run, "the first step", func(s tui.Standing) bool { return s.Next != "" })
	run.Faults.Clear("later")
	if first.Next != "trigger: expire for alice" || first.Waits != "login.succeeded+500ms" || first.Until != 18*time.Second || len(first.Checks) != 4 {
		t.Errorf("at first: %+v", first)
	}
	last := until(t, run, "the verdict", func(s tui.Standing) bool { return s.Verdict != "" })
	if last.Verdict != tui.PlayPassed || last.Checks[0].State != tui.CheckMet || run.Session.Snapshot().State != session.Online {
		t.Errorf("in the end: %+v, and the session is %s", last, run.Session.Snapshot().State)
	}
	if tokens := run.Session.Tokens(); len(tokens) == 0 || !tokens[0].Inspect(time.Now()).Genuine {
		t.Errorf("the inspector has %d tokens", len(tokens))
	}
	events, err := run.Emulator.Next(t.Context())
	if err != nil || len(events) == 0 {
		t.Errorf("the emulator tells %d events: %v", len(events), err)
	}
	if len(run.Faults.Kinds()) == 0 {
		t.Error("there are no faults to choose from")
	}
	run.Session.Close()
	run.Session.Close()
	var out strings.Builder
	if err := p.verdict(&out, "short"); err != nil || !strings.HasPrefix(out.String(), "ok     short") {
		t.Errorf("%v: %q", err, out.String())
	}
}

// What a run is left with decides the exit code.
func TestPlayVerdicts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		act  func(*testing.T, tui.PlayRun)
		out  string
		err  string
	}{
		"failed": {strings.Replace(playedScenario+stopsEarly, "never: [kicked]", "never: [token.expired]", 1), func(t *testing.T, run tui.PlayRun) {
			until(t, run, "the verdict", func(s tui.Standing) bool { return s.Verdict == tui.PlayFailed })
		}, "✗ never token.expired", "short: failed"},
		"left": {playedScenario, func(t *testing.T, run tui.PlayRun) {
			until(t, run, "the beginning", func(tui.Standing) bool { return true })
		}, "", "left before its end"},
		"left when it had failed": {strings.Replace(playedScenario, "until: 0.3T", "until: 3T", 1) + "  requests: ..1\n", func(t *testing.T, run tui.PlayRun) {
			until(t, run, "the failure", func(s tui.Standing) bool { return s.Checks[len(s.Checks)-2].State == tui.CheckFailed })
		}, "", "short: failed, and left before its end"},
		"taken over": {playedScenario, func(t *testing.T, run tui.PlayRun) {
			run.Ask(tui.HoldOn)
			until(t, run, "held", func(s tui.Standing) bool { return s.Held && !s.Taken })
			run.Ask(tui.TakeOver)
			until(t, run, "taken over", func(s tui.Standing) bool { return s.Taken })
			run.Session.Renew()
		}, "taken over, so there is no verdict", ""},
		"hurried": {playedScenario, func(t *testing.T, run tui.PlayRun) {
			until(t, run, "online", func(tui.Standing) bool { return run.Session.Snapshot().State == session.Online })
			run.Ask(tui.StepOn)
			until(t, run, "the step is done, and the app is online again", func(s tui.Standing) bool {
				now := run.Session.Snapshot()
				return s.Next == "" && now.State == session.Online && now.Token != nil && now.Token.Ordinal == 2
			})
			run.Ask(tui.HoldOn)
			run.Ask(tui.GoOn)
			run.Ask(tui.SkipOn)
			until(t, run, "the verdict", func(s tui.Standing) bool { return s.Verdict != "" })
		}, "ok     short", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, run := playScenario(t, tc.text, scenario.Options{})
			tc.act(t, run)
			run.Session.Close()
			var out strings.Builder
			err := p.verdict(&out, "short")
			if err == nil != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) || !strings.Contains(out.String(), tc.out) {
				t.Errorf("%v\n%s", err, out.String())
			}
		})
	}
}

package scenario

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

func parsed1(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each kind of check fails when it must, and says what was expected and what happened instead.
func TestWhatFails(t *testing.T) {
	t.Parallel()
	const head = "name: n\nstory: s.\n"
	for _, tc := range []struct {
		name, text, check, expected, seen string
	}{
		{
			"an event that never came", "until: 0.5T\nexpect:\n  events: [token.expired]\n",
			"event 1 token.expired", "token.expired", "it never happened",
		},
		{
			"an event at another time", "until: 1T\nexpect:\n  events: [{event: token.will_expire, in: 0.1T..0.5T}]\n",
			"event 1 token.will_expire", "token.will_expire in 0.1T..0.5T (1s to 5s)", "at 8s (0.8T): onTokenWillExpire, 109 TOKEN_WILL_EXPIRE",
		},
		{
			"an event out of order", "until: 1T\nexpect:\n  events: [renew.succeeded, login.succeeded]\n",
			"event 2 login.succeeded", "login.succeeded", "at 2ms (0.0002T) (before the event expected ahead of it)",
		},
		{
			"a window on an event that never came", "until: 0.5T\nexpect:\n  events: [{event: login.succeeded, in: token.expired..}]\n",
			"event 1 login.succeeded", "login.succeeded in token.expired..", "nor did the event that its time counts from",
		},
		{
			"another code", "until: 1T\nexpect:\n  events: [{event: token.will_expire, code: 108}]\n",
			"event 1 token.will_expire", "token.will_expire, code 108", "109 TOKEN_WILL_EXPIRE",
		},
		{
			"another life", "until: 1T\nexpect:\n  events: [{event: renew.succeeded, left: ..1s}]\n",
			"event 1 renew.succeeded", "renew.succeeded, with ..1s of the life left", "s left",
		},
		{
			"what must not be", "until: 1T\nexpect:\n  never: [renew.started]\n",
			"never renew.started", "never renew.started", "at 8s (0.8T)",
		},
		{
			"too often", "until: 1T\nexpect:\n  counts: {token.requested: 1}\n",
			"count token.requested", "1 time token.requested", "2",
		},
		{
			"too seldom", "until: 1T\nexpect:\n  counts: {token.requested: 3..}\n",
			"count token.requested", "at least 3 times token.requested", "2",
		},
		{
			"requests", "until: 1T\nexpect:\n  requests: ..1\n",
			"requests", "at most 1 request at the token server", "2",
		},
		{
			"requests at once", "herd: 4\nuntil: 1T\nexpect:\n  per_second: 4\n",
			"per_second", "at most 4 requests a second at the token server after the logins", "5 in the second from 8s (0.8T) on",
		},
		{
			"requests at once in the first second", "herd: 4\nsteps: [{at: 0.09T, trigger: {event: will-expire, user: all}}]\nuntil: 0.5T\nexpect:\n  per_second: 4\n",
			"per_second", "at most 4 requests a second at the token server after the logins", "5 in the second from 900ms (0.09T) on",
		},
		{
			"logins at once that were not let in at first", "herd: 4\nsteps:\n  - {at: 0s, network: down}\n  - {at: 0.05T, network: up}\nuntil: 0.5T\nexpect:\n  per_second: 4\n",
			"per_second", "at most 4 requests a second at the token server after the logins", "5 in the second from ",
		},
		{
			"another state", "until: 1T\nexpect:\n  final: stopped\n",
			"final", "alice's session is stopped in the end", "online: renewed",
		},
		{
			"another reason", "steps: [{at: 0.5T, trigger: kick}]\nuntil: 1T\nexpect:\n  why: token_foreign\n",
			"why", "given up for the reason token_foreign", "kicked",
		},
		{
			"a message that did not arrive", "users: [alice, bob]\nsteps:\n  - at: 0.5T\n    fault: {target: message, kind: status}\n  - at: 0.5T\n    send: {to: bob, text: hi}\nuntil: 0.7T\nexpect:\n  delivered: once\n",
			"delivered", "each message arrives exactly once", `"hi" to bob arrived 0 times instead of 1`,
		},
		{
			"a step that never came", "steps: [{at: token.expired, network: cut}]\nuntil: 0.5T\nexpect:\n  final: online\n",
			"step 1 token.expired", "the step happens: every connection breaks", "it was never time for it: token.expired",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := parsed1(t, head+tc.text)
			if !slices.Contains(s.checkNames(), tc.check) {
				t.Errorf("checkNames does not know %q: %q", tc.check, s.checkNames())
			}
			r := inBubble(t, s, Options{TTL: s.TTL, Seed: 2}) // with which one of the herd comes after alice, whom the text below the checks names
			failed := r.Failed()
			if len(failed) != 1 || r.Verdict != VerdictFailed {
				t.Fatal(r.Text())
			}
			c := failed[0]
			if c.Name != tc.check || c.Expected != tc.expected || !strings.Contains(c.Seen, tc.seen) {
				t.Errorf("got %+v\nwant %q, expected %q, seen %q", c, tc.check, tc.expected, tc.seen)
			}
			text := r.Text()
			for _, want := range []string{"✗ " + tc.check, "expected  " + tc.expected, "alice"} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
		})
	}
}

// A network that is away can be taken away again, and comes back once it is let; and again.
func TestNetworkGoesAwayTwice(t *testing.T) {
	t.Parallel()
	s := parsed1(t, `
name: n
story: s.
steps:
  - {at: 0.1T, network: down}
  - {at: 0.2T, network: down}
  - {at: 0.3T, network: up}
  - {at: 0.4T, network: up}
  - {at: 0.5T, network: down}
  - {at: 0.6T, clear: all}
  - {at: 0.7T, network: down}
  - {at: 0.75T, network: up}
until: 1.2T
expect:
  counts: {disconnected: 3}
  final: online
`)
	if r := inBubble(t, s, Options{TTL: time.Hour}); r.Verdict != VerdictPassed {
		t.Error(r.Text())
	}
}

// A message that names a user arrives at each of the user's devices, and one that names a device at that one, whatever else was written to it.
func TestDelivered(t *testing.T) {
	t.Parallel()
	const kick = "  - {at: 0.3T, trigger: {event: kick, user: bob}}\n"
	const to, toPhone, toTablet = "  - {at: 0.5T, send: {to: bob, text: one}}\n", "  - {at: 0.5T, send: {to: bob@phone, text: one}}\n", "  - {at: 0.6T, send: {to: bob@tablet, text: one}}\n"
	for _, tc := range []struct{ name, users, steps, seen string }{
		{"to a user", "alice, bob@phone", to, ""},
		{"to a user who has gone", "alice, bob@phone", kick + to, `"one" to bob@phone arrived 0 times instead of 1`},
		{"to a device that has gone", "alice, bob@phone", kick + toPhone, `"one" to bob@phone arrived 0 times instead of 1`},
		{"to a user with two devices", "alice, bob@phone, bob@tablet", to + to, ""},
		{"to both devices", "alice, bob@phone, bob@tablet", toPhone + toTablet, ""},
		{"from both devices", "alice@phone, alice@tablet, bob", "  - {at: 0.5T, send: {to: bob, text: one}}\n  - {at: 0.6T, send: {from: alice@tablet, to: bob, text: one}}\n", ""},
		{"to nobody of ours", "alice@phone, alice@tablet", "  - {at: 0.5T, send: {to: carol, text: one}}\n  - {at: 0.6T, send: {from: alice@tablet, to: carol, text: two}}\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := parsed1(t, "name: n\nstory: s.\nusers: ["+tc.users+"]\nsteps:\n"+tc.steps+"until: 0.7T\nexpect:\n  delivered: once\n")
			c := inBubble(t, s, Options{TTL: s.TTL}).Checks[0]
			if want := map[bool]CheckState{true: Passed, false: Failed}[tc.seen == ""]; c.State != want || !strings.Contains(c.Seen, tc.seen) {
				t.Errorf("%s: %s, want %s: %s", c.State, c.Seen, want, tc.seen)
			}
		})
	}
}

// A lifetime from outside changes nothing but the lifetime.
func TestLifetimeFromOutside(t *testing.T) {
	t.Parallel()
	s, err := Find("s01-happy-renew")
	if err != nil {
		t.Fatal(err)
	}
	for _, ttl := range []time.Duration{5 * time.Second, time.Minute, 7 * time.Hour} {
		if r := inBubble(t, s, Options{TTL: ttl}); r.Verdict != VerdictPassed || r.TTL != ttl {
			t.Errorf("%v: %s", ttl, r.Text())
		}
	}
}

// Progress tells what comes next, and commands hold the steps back, do them early, skip the time, and take over.
func TestCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := parsed1(t, `
name: n
story: The story.
steps:
  - at: 0.3T
    trigger: will-expire
  - at: 0.5T
    network: cut
until: 2T
expect: {final: online}
`)
		commands := make(chan Command)
		var last Progress
		ctx, cancel := context.WithCancel(t.Context())
		var met *session.Session
		done := make(chan *Report)
		go func() {
			done <- Run(ctx, s, Options{
				TTL: 24 * time.Hour, InMemory: true, Commands: commands, Progress: func(p Progress) { last = p },
				Meet: func(s *session.Session, _ *fakeserver.Server) { met = s },
			})
		}()
		say := func(c Command) {
			commands <- c
			synctest.Wait()
			time.Sleep(time.Second)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if last.Next != "trigger: will-expire for alice" || last.NextAt != 24*time.Hour*3/10 || last.Story != "The story." || met == nil {
			t.Errorf("progress %+v", last)
		}
		say(Hold)
		time.Sleep(8 * time.Hour)
		synctest.Wait()
		if !last.Held || count(last.Moments, "alice/token.will_expire") != 0 {
			t.Errorf("a step was done while they are held: %+v", last)
		}
		say(StepOn)
		if count(last.Moments, "alice/token.will_expire") != 1 || last.Next != "every connection breaks" {
			t.Errorf("the next step was not done: %+v", last)
		}
		say(Go)
		say(Skip)
		if count(last.Moments, "alice/disconnected") != 1 {
			t.Errorf("nobody skipped to the next step: %+v", last)
		}
		say(TakeOver)
		time.Sleep(100 * time.Hour)
		cancel()
		if r := <-done; r.Verdict != VerdictBroken || r.Problem != errTakenOver.Error() || r.Lasted < 100*time.Hour {
			t.Errorf("%s after %v: %s", r.Verdict, r.Lasted, r.Problem)
		}
	})
}

// However much happens at once, it is told in one go; and all of it is told.
func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	s := parsed1(t, "name: n\nstory: s.\nherd: 30\nuntil: 1T\nexpect: {final: online}\n")
	var told []time.Time
	var last Progress
	r := inBubble(t, s, Options{TTL: time.Hour, Progress: func(p Progress) {
		told, last = append(told, time.Now()), p
	}})
	for i := 1; i < len(told)-1; i++ { // the last one does not wait
		if gap := told[i].Sub(told[i-1]); gap < 50*time.Millisecond {
			t.Fatalf("it was told %v after the time before", gap)
		}
	}
	if len(told) < 3 || count(last.Moments, "herd030/renew.succeeded") != 1 || len(last.Moments) < len(r.Timeline)/2 {
		t.Errorf("it was told %d times; in the end %d moments of %d, and the checks are %v", len(told), len(last.Moments), len(r.Timeline), last.Checks)
	}
}

func count(moments []Moment, ref string) int {
	n := 0
	for _, m := range moments {
		if m.Lane+"/"+m.Event == ref {
			n++
		}
	}
	return n
}

// A foreign client gets a verdict by what the emulator sees of it.
func TestWatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, app string
		verdict   Verdict
		notSeen   []string
	}{
		{"s02-server-down-at-will-expire", "correct", VerdictPassed, []string{"event 1 token.will_expire", "event 2 token.rejected", "never token.expired", "count renew.started"}},
		{"b05-renewed-with-the-old-token", "docs-flutter", VerdictFailed, []string{"event 1 token.will_expire", "never token.expired"}},
		{"s24-rejected-token", "correct", VerdictPassed, []string{"event 1 token.received", "event 3 state.stopped", "why"}},
		{"s23-kicked-by-another-device", "correct", VerdictPassed, []string{"event 2 state.stopped", "never token.expired", "requests", "why"}},
		{"s24-rejected-token", "retry-forever", VerdictFailed, []string{"event 1 token.received", "event 3 state.stopped", "why"}},
	} {
		t.Run(tc.name+"/"+tc.app, func(t *testing.T) {
			t.Parallel()
			s, err := Find(tc.name)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				st, err := newStage(t.Context(), fakeserver.Config{}, true)
				if err != nil {
					t.Fatal(err)
				}
				players, err := st.cast(&Scenario{Users: []string{"carol"}}, Options{TTL: time.Hour, Profile: "native", App: tc.app})
				if err != nil {
					t.Fatal(err)
				}
				transport := &http.Transport{DialContext: st.dial}
				client := &control.Client{URL: "http://chat" + fakeserver.ControlPath, HTTP: &http.Client{Transport: transport}}
				other := fakeserver.Fault{ID: "somebody-else", Target: "rest", Kind: "status", User: "nobody"}
				if _, err := st.server.AddFault(other); err != nil {
					t.Fatal(err)
				}
				done := make(chan *Report)
				go func() { done <- Watch(t.Context(), s, WatchOptions{Client: client, User: "carol"}) }()
				time.Sleep(90 * time.Second)
				players[0].Login()
				r := <-done
				dismiss(players)
				transport.CloseIdleConnections()
				left := st.server.Faults()
				if len(left) != 1 || left[0].ID != "somebody-else" {
					t.Errorf("the emulator was left with %v, and not with the one fault that was there before", left)
				}
				if err := st.close(); err != nil {
					t.Error(err)
				}
				if r.Verdict != tc.verdict {
					t.Error(r.Text())
				}
				var notSeen []string
				for _, c := range r.Checks {
					if c.State == NotSeen {
						notSeen = append(notSeen, c.Name)
					}
				}
				if diff := cmp.Diff(tc.notSeen, notSeen); diff != "" {
					t.Errorf("not seen (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The codes that a foreign client gets are checked where the journal shows them, in either SDK's numbers.
func TestWatchedCodes(t *testing.T) {
	for _, tc := range []struct {
		entry fakeserver.Entry
		event string
		fit   []int
	}{
		{fakeserver.Entry{Name: fakeserver.SessionClosed, Reason: "kicked with 217: by an administrator"}, "kicked", []int{0, 217}},
		{fakeserver.Entry{Name: fakeserver.SessionRefused, Code: 28}, "login.failed", []int{0, 28, 104}},
		{fakeserver.Entry{Name: fakeserver.SessionRefused, Code: 56}, "login.failed", []int{0, 56, 108}},
		{fakeserver.Entry{Name: fakeserver.SessionRefused, Code: 204}, "login.failed", []int{0, 204}},
		{fakeserver.Entry{Name: fakeserver.SessionClosed, Reason: "the client closed"}, "disconnected", []int{0, 28, 56, 104, 108, 204, 206, 217}}, // nothing is shown
	} {
		tc.entry.User = "carol"
		f := newForeign("carol")
		f.start = time.Now()
		var fit []int
		for _, m := range f.moments(tc.entry) {
			if m.Lane != "carol" || m.Event != tc.event {
				continue
			}
			for _, code := range []int{0, 28, 56, 104, 108, 204, 206, 217} {
				if (evidence{foreign: true}).fits(Event{Code: code}, "carol", tc.event, m) {
					fit = append(fit, code)
				}
			}
		}
		if diff := cmp.Diff(tc.fit, fit); diff != "" {
			t.Errorf("%s with code %d and reason %q fits other codes (-want +got):\n%s", tc.entry.Name, tc.entry.Code, tc.entry.Reason, diff)
		}
	}
}

// Whoever plays a scenario may stay when it has been judged: everything goes on until it is left.
func TestStay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := parsed1(t, "name: n\nstory: s.\nsteps: [{at: token.expired, do: renew}]\nuntil: 0.5T\nexpect: {counts: {login.succeeded: 1}}\n")
		ctx, leave := context.WithCancel(t.Context())
		var first, last Progress
		var met *session.Session
		var tokens int
		done := make(chan *Report)
		go func() {
			done <- Run(ctx, s, Options{
				TTL: time.Hour, InMemory: true, Stay: true, Progress: func(p Progress) {
					if first.Until == 0 {
						first = p
					}
					last = p
				},
				Meet: func(s *session.Session, _ *fakeserver.Server) { met = s },
				Tokens: func(source tokenclient.Source) tokenclient.Source {
					tokens++
					return source
				},
			})
		}()
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		if last.Report == nil || last.Report.Verdict != VerdictFailed || !slices.Equal(last.Checks, last.Report.Checks) {
			t.Errorf("after the end: %+v", last)
		}
		if first.Next != "alice asks to renew" || first.Waits != "token.expired" || first.Report != nil {
			t.Errorf("at first: %+v", first)
		}
		if met.Snapshot().State != session.Online || tokens != 1 {
			t.Errorf("the session is %s and has %d sources of tokens", met.Snapshot().State, tokens)
		}
		leave()
		if r := <-done; r != last.Report {
			t.Errorf("leaving changes the report: %s", r.Text())
		}
	})
}

func TestWatchingNobody(t *testing.T) {
	t.Parallel()
	s, err := Find("s01-happy-renew")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		st, err := newStage(t.Context(), fakeserver.Config{}, true)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: st.dial}
		client := &control.Client{URL: "http://chat" + fakeserver.ControlPath, HTTP: &http.Client{Transport: transport}}
		r := Watch(t.Context(), s, WatchOptions{Client: client, User: "carol"})
		if r.Verdict != VerdictBroken || !strings.Contains(r.Problem, ErrNobodyCame.Error()) {
			t.Errorf("%s: %s", r.Verdict, r.Problem)
		}
		transport.CloseIdleConnections()
		if err := errors.Join(st.close()); err != nil {
			t.Error(err)
		}
	})
}

// The seed of a run is all that chance has to do with it.
func TestSeedRepeats(t *testing.T) {
	s, err := Find("s03-server-down-past-expiry")
	if err != nil {
		t.Fatal(err)
	}
	tries := func(seed uint64) (at []time.Duration) {
		r := inBubble(t, s, Options{Seed: seed})
		if r.Verdict != VerdictPassed || r.Seed != seed {
			t.Errorf("seed %d of %d\n%s", r.Seed, seed, r.Text())
		}
		for _, m := range r.Timeline {
			if m.Event == string(session.TokenRequested) {
				at = append(at, m.At.Truncate(10*time.Millisecond))
			}
		}
		return at
	}
	first, again, other := tries(4711), tries(4711), tries(4712)
	if !slices.Equal(first, again) {
		t.Errorf("one seed, two runs:\n%v\n%v", first, again)
	}
	if slices.Equal(first, other) {
		t.Errorf("two seeds, one run: %v", first)
	}
}

// What waits to be noticed when the time to notice is over is noticed all the same, and what has happened is read to its end.
func TestNothingIsLeftUnread(t *testing.T) {
	t.Parallel()
	for range 50 {
		r := newDriver(&Scenario{}, Options{}, own{})
		for range cap(r.inbox) {
			r.inbox <- Moment{Lane: LaneScript, Event: "step"}
		}
		r.settle(t.Context())
		if n := len(r.inbox); n != 0 {
			t.Fatalf("%d moments were left", n)
		}
	}
	r := newDriver(&Scenario{}, Options{}, own{})
	reading, stop := context.WithCancel(t.Context())
	r.stop = stop
	const many = 5000
	r.readers.Go(func() {
		<-reading.Done() // as late as can be
		for range many {
			r.inbox <- Moment{Lane: LaneScript, Event: "step"}
		}
	})
	r.collect()
	if n := len(r.seen.moments); n != many {
		t.Errorf("%d moments of %d", n, many)
	}
}

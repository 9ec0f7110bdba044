package scenario

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/session"
)

// What is recorded from a session can be run, and then does the same.
func TestRecordingReplays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		way  time.Duration // what each connection takes to be made
		live func(t *testing.T, st *stage, p *player, emulator *control.Client)
		want []string
	}{
		"what a person might do": {live: func(t *testing.T, st *stage, p *player, emulator *control.Client) {
			until(t, st, 0)
			p.Login()
			until(t, st, 5*time.Second)
			send(t, p)
			until(t, st, 8*time.Second)
			fault := fakeserver.Fault{Target: "token-server", Kind: "status", Params: fakeserver.FaultParams{"status": "500"}, Count: 1}
			if _, err := emulator.AddFault(t.Context(), fault); err != nil {
				t.Fatal(err)
			}
			until(t, st, 10*time.Second)
			for _, event := range []string{"will-expire", "cut"} {
				if _, err := emulator.Trigger(t.Context(), event, fakeserver.TriggerRequest{User: "alice"}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(4 * time.Second)
			}
		}, want: []string{
			"profile: native\nttl: 20s\nusers: [\"alice\"]\npolicy: {on_will_expire: renew, on_expired: relogin}\n",
			"  - at: 0.25T\n    send: {to: \"echo\", text: \"message 1\"}\n",
			"target: token-server, kind: status, params: {status: \"500\"}, count: 1}\n",
			"  - at: 0.5T\n    trigger: {event: will-expire, user: \"alice\"}\n",
			"    trigger: {event: cut, user: \"alice\"}\n",
			"event: emulator/session.renewed, in: ",
		}},
		"a clock that is set, and more after the session": {live: func(t *testing.T, st *stage, p *player, emulator *control.Client) {
			jump := func(d time.Duration) {
				if _, err := emulator.ChangeClock(t.Context(), fakeserver.ClockChange{Jump: d}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
			}
			until(t, st, 0)
			p.Login()
			until(t, st, 3*time.Second)
			jump(5 * time.Second)
			send(t, p)
			time.Sleep(time.Second)
			p.Logout()
			time.Sleep(2 * time.Second)
			if _, err := emulator.AddFault(t.Context(), fakeserver.Fault{Target: "rest", Kind: "hang"}); err != nil {
				t.Fatal(err)
			}
			jump(time.Hour)
		}, want: []string{"    jump: {emulator: 5s}\n  - at: 0.5T\n    send: ", "    do: logout\nuntil: ", "final: logged_out\n"}},
		"a late and slow login, and an end just before will-expire": {way: 150 * time.Millisecond,
			live: func(t *testing.T, st *stage, p *player, _ *control.Client) {
				until(t, st, 800*time.Millisecond)
				p.Login()
				until(t, st, 15*time.Second+600*time.Millisecond)
				send(t, p)
				time.Sleep(200 * time.Millisecond)
			},
			want: []string{"event: emulator/session.opened, in: ..", "requests: 1..2\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var recorded string
			synctest.Test(t, func(t *testing.T) { recorded = recordSession(t, tc.way, tc.live) })
			s, err := Parse("recorded.yaml", []byte(recorded))
			if err != nil {
				t.Fatalf("%v\n%s", err, recorded)
			}
			if r := inBubble(t, s, Options{TTL: s.TTL}); r.Verdict != VerdictPassed {
				t.Errorf("%s\n%s", r.Text(), recorded)
			}
			for _, want := range tc.want {
				if !strings.Contains(recorded, want) {
					t.Errorf("%q is not in the recording\n%s", want, recorded)
				}
			}
		})
	}
}

func send(t *testing.T, p *player) {
	t.Helper()
	if _, err := p.Send("echo", "hello"); err != nil {
		t.Fatal(err)
	}
}

// slow makes each connection to the stage take that long to be made.
func (st *stage) slow(way time.Duration) {
	dial := st.dial
	st.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		time.Sleep(way)
		return dial(ctx, network, address)
	}
}

// recordSession records what is done with a running emulator.
func recordSession(t *testing.T, way time.Duration, live func(t *testing.T, st *stage, p *player, emulator *control.Client)) string {
	t.Helper()
	return recordSessionAfter(t, func(*testing.T, *stage) {}, way, live)
}

// recordSessionAfter is recordSession of an emulator that something was done with before.
func recordSessionAfter(t *testing.T, before func(t *testing.T, st *stage), way time.Duration,
	live func(t *testing.T, st *stage, p *player, emulator *control.Client),
) string {
	t.Helper()
	st, err := newStage(t.Context(), fakeserver.Config{}, true)
	if err != nil {
		t.Fatal(err)
	}
	before(t, st)
	transport := &http.Transport{DialContext: st.dial}
	st.slow(way)
	base := &Scenario{Users: []string{"alice"}}
	players, err := st.cast(base, Options{TTL: 20 * time.Second, Profile: "native", App: "correct"})
	if err != nil {
		t.Fatal(err)
	}
	client := &control.Client{URL: "http://chat" + fakeserver.ControlPath, HTTP: &http.Client{Transport: transport}}
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		r   *Recording
		err error
	}
	done := make(chan result, 1)
	go func() {
		r, err := Record(ctx, client, "", func() {})
		done <- result{r, err}
	}()
	live(t, st, players[0], client)
	cancel()
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	dismiss(players)
	transport.CloseIdleConnections()
	if err := st.close(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := got.r.Write(&b, "recorded"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is taken down of a session of this process can be run, and then does the same.
func TestRecorderReplays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		profile, app string
		live         func(t *testing.T, p *player, r *Recorder, st *stage)
		want         []string
		// phase is when in its second the login begins, 300 ms when absent; way is what each connection takes to be made.
		phase, way time.Duration
		policy     *Policy
	}{
		"a person's day": {profile: "native", app: "correct", live: func(t *testing.T, p *player, r *Recorder, st *stage) {
			say := func(step Step, act func()) {
				r.Did(step)
				act()
				time.Sleep(3 * time.Second)
			}
			say(Step{Send: &Send{To: "echo", Text: "it's \"\x1b[31m\" #1: 你好"}}, func() {
				if _, err := p.Send("echo", "it's \"\x1b[31m\" #1: 你好"); err != nil {
					t.Error(err)
				}
			})
			say(Step{Do: &Do{Action: "renew"}}, p.Renew)
			say(Step{Policy: PolicyOf(session.Policy{OnWillExpire: session.WillExpireIgnore, OnExpired: session.ExpiredRelogin})}, func() {
				if err := p.SetPolicy(session.Policy{OnWillExpire: session.WillExpireIgnore, OnExpired: session.ExpiredRelogin}); err != nil {
					t.Error(err)
				}
			})
			for _, every := range []time.Duration{2 * time.Second, 0} {
				policy := session.Policy{OnWillExpire: session.WillExpireIgnore, OnExpired: session.ExpiredRelogin, RenewEvery: every}
				say(Step{Policy: PolicyOf(policy)}, func() {
					if err := p.SetPolicy(policy); err != nil {
						t.Error(err)
					}
				})
			}
			_, at := p.Snapshot().Next()
			d := at.Sub(p.Now())
			r.Did(Step{Jump: &Jump{Emulator: Span{Offset: d}}})
			st.server.JumpClock(d)
			say(Step{Jump: &Jump{Client: Span{Offset: d}}}, func() { p.JumpClock(d) })
			say(Step{Trigger: &Trigger{Event: "expire", User: "alice"}}, func() { st.server.TriggerExpire("alice") })
			say(Step{Trigger: &Trigger{Event: "kick", User: "alice"}}, func() { st.server.Kick("alice", 206, "") })
			say(Step{Do: &Do{Action: "login"}}, p.Login)
			say(Step{Do: &Do{Action: "logout"}}, p.Logout)
		}, want: []string{
			`send: {to: "echo", text: "it's \"\u001b[31m\" #1: 你好"}`, "do: renew\n", "policy: {on_will_expire: ignore, on_expired: relogin, renew_every: 0s}\n", "    sleep: ",
			`trigger: {event: expire, user: "alice"}`, "{event: kicked, in: ", "do: login\n", "do: logout\n", "final: logged_out\n", "delivered: once\n",
		}},
		"a token server that is down": {profile: "web", app: "correct", live: func(_ *testing.T, p *player, r *Recorder, st *stage) {
			time.Sleep(12 * time.Second)
			fault := fakeserver.Fault{ID: "screen-1", Target: "token-server", Kind: "status", Params: fakeserver.FaultParams{"status": "503"}}
			if _, err := st.server.AddFault(fault); err != nil {
				panic(err)
			}
			r.Did(Step{Fault: FaultOf(fault)})
			time.Sleep(30 * time.Second)
			r.Did(Step{Clear: "screen-1"})
			st.server.ClearFault("screen-1")
			time.Sleep(time.Minute) // longer than any pause between two tries
		}, want: []string{
			`fault: {id: "screen-1", target: token-server, kind: status, params: {status: "503"}}`, `clear: "screen-1"`, "{event: token.expired, in: ",
			"login.succeeded: 2\n", "profile: web\n", "\nseed: ",
		}},
		"a careless app": {profile: "native", app: "docs-web-2021", live: func(_ *testing.T, p *player, _ *Recorder, _ *stage) { time.Sleep(50 * time.Second) },
			want: []string{"app: docs-web-2021\n"}},
		// Tokens count whole seconds, and a run begins with one: there each of these logins is over about a second sooner.
		"a late and slow login": {profile: "native", app: "correct", phase: 800 * time.Millisecond, way: 150 * time.Millisecond,
			live: func(_ *testing.T, _ *player, _ *Recorder, _ *stage) { time.Sleep(20 * time.Second) },
			want: []string{"{event: login.succeeded, in: ..", "final: online\n"}},
		"an end just before will-expire": {profile: "native", app: "correct", phase: 990 * time.Millisecond,
			live: func(_ *testing.T, p *player, _ *Recorder, _ *stage) {
				_, at := p.Snapshot().Next()
				time.Sleep(at.Sub(p.Now()) - 100*time.Millisecond)
			},
			want: []string{"requests: 1..2\n"}},
		"an end just before a renewal": {profile: "native", app: "correct", phase: 990 * time.Millisecond,
			policy: PolicyOf(session.Policy{OnWillExpire: session.WillExpireIgnore, OnExpired: session.ExpiredRelogin, RenewEvery: 5 * time.Second}),
			live:   func(_ *testing.T, _ *player, _ *Recorder, _ *stage) { time.Sleep(7900 * time.Millisecond) },
			want:   []string{"renew.succeeded: 1..2\n", "requests: 2..3\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			synctest.Test(t, func(t *testing.T) {
				st, err := newStage(t.Context(), fakeserver.Config{}, true)
				if err != nil {
					t.Fatal(err)
				}
				st.slow(tc.way)
				players, err := st.cast(&Scenario{Users: []string{"alice"}, Policy: tc.policy}, Options{TTL: 20 * time.Second, Profile: tc.profile, App: tc.app})
				if err != nil {
					t.Fatal(err)
				}
				r, p := NewRecorder(st.server), players[0]
				if err := r.Write(&b, "early"); !errors.Is(err, ErrNobodyCame) {
					t.Errorf("before the session: %v", err)
				}
				time.Sleep(cmp.Or(tc.phase, 300*time.Millisecond))
				r.Begin(Setup{User: "alice", Profile: tc.profile, App: tc.app, TTL: 20 * time.Second, Policy: p.Snapshot().Policy}, p.Session)
				if err := r.Write(&b, "early"); !errors.Is(err, ErrNobodyCame) {
					t.Errorf("before the login: %v", err)
				}
				r.Did(Step{Do: &Do{Action: "login"}})
				p.Login()
				time.Sleep(2 * time.Second)
				tc.live(t, p, r, st)
				r.End()
				r.End()
				dismiss(players)
				if err := errors.Join(st.close(), r.Write(&b, "recorded")); err != nil {
					t.Fatal(err)
				}
			})
			s, err := Parse("recorded.yaml", []byte(b.String()))
			if err != nil {
				t.Fatalf("%v\n%s", err, b.String())
			}
			if r := inBubble(t, s, Options{TTL: s.TTL}); r.Verdict != VerdictPassed {
				t.Errorf("%s\n%s", r.Text(), b.String())
			}
			for _, want := range tc.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("%q is not in the recording\n%s", want, b.String())
				}
			}
		})
	}
}

// until waits for a moment after the start of the bubble.
func until(t *testing.T, st *stage, d time.Duration) {
	t.Helper()
	time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC).Add(d)))
	synctest.Wait()
}

// A recording allows for how late its login was over, but not for what a fault added to that: the same fault adds it again.
func TestLead(t *testing.T) {
	zero := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	began, over := zero.Add(900*time.Millisecond), zero.Add(3*time.Second)
	for name, tc := range map[string]struct {
		steps []done
		want  time.Duration
	}{
		"a slow machine": {nil, 3 * time.Second},
		"a slow server":  {[]done{{step: Step{Fault: &Fault{Target: "token-server", Kind: "delay"}}}}, 900 * time.Millisecond},
		"a later fault":  {[]done{{zero.Add(time.Minute), Step{Fault: &Fault{}}}}, 3 * time.Second},
	} {
		a := account{zero: zero, steps: tc.steps}
		if a.loggedIn(began, over); a.lead != tc.want {
			t.Errorf("%s: %v", name, a.lead)
		}
	}
}

func TestNothingToRecord(t *testing.T) {
	if err := new(Recording).Write(new(strings.Builder), "empty"); err == nil || !strings.Contains(err.Error(), "the user did not log in") {
		t.Errorf("got %v", err)
	}
}

// Whatever is typed can be written, and is read again as it was, but for what a line of a file cannot hold.
func TestAnyTextCanBeRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.StringOf(rapid.SampledFrom([]rune("\x00\t\n\r\x1b\x7f\u0085\u009b\u2028\u202e\ufeff\"'\\\\#:-{}[]&*!|>%@`😀é ")))
		text := "x" + rapid.OneOf(rapid.String(), odd).Draw(t, "text") + "x"
		start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		a := account{
			zero: start, end: start.Add(time.Minute), life: 30 * time.Second, user: "alice", profile: "native", final: session.Online,
			steps: []done{{start.Add(time.Second), Step{Send: &Send{To: "echo", Text: text}}}},
		}
		var b strings.Builder
		if err := a.write(&b, "any"); err != nil {
			t.Fatal(err)
		}
		s, err := Parse("any.yaml", []byte(b.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if got := s.Steps[0].Send.Text; got != text && len(quoted(text)) < maxQuoted*3/4 {
			t.Errorf("%q is read as %q\n%s", text, got, b.String())
		}
	})
}

func TestLongTextsAreCut(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 4000), strings.Repeat("\x1b", 4000), strings.Repeat("你", 4000)} {
		if q := quoted(text); len(q) > maxQuoted || len(q) < maxQuoted/2 {
			t.Errorf("%d bytes of %.3q", len(q), text)
		}
	}
}

// A recording names nobody and no fault that a scenario would not take from it.
func TestRecordingOfOthersIsAScenario(t *testing.T) {
	zero := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	a := account{zero: zero, end: zero.Add(time.Minute), life: time.Minute, user: "alice", profile: "native", policy: session.Policy{OnWillExpire: "renew", OnExpired: "relogin"}, final: session.Online}
	for _, step := range []Step{
		{Fault: &Fault{ID: "slow", Target: "message", Kind: "status", User: "bob"}},
		{Clear: "slow"},
		{Clear: "of-before"},
		{Trigger: &Trigger{Event: "kick", User: "carol"}},
		{Trigger: &Trigger{Event: "kick", User: "all"}},
	} {
		a.steps = append(a.steps, done{zero.Add(time.Second), step})
	}
	var out strings.Builder
	if err := a.write(&out, "others"); err != nil {
		t.Fatal(err)
	}
	s, err := Parse("others.yaml", []byte(out.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if !slices.Equal(s.Later, []string{"bob", "carol"}) || len(s.Steps) != 4 {
		t.Errorf("there are %d steps, and %q who come later", len(s.Steps), s.Later)
	}
}

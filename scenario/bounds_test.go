package scenario

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
)

// recorderOf records a session of this process: before is what was done to the emulator and its users before, live what is done with the session.
func recorderOf(t *testing.T, ttl time.Duration, before func(t *testing.T, st *stage), live func(t *testing.T, p *player, r *Recorder, st *stage)) string {
	t.Helper()
	var b strings.Builder
	synctest.Test(t, func(t *testing.T) {
		st, err := newStage(t.Context(), fakeserver.Config{JournalSize: 200_000}, true)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil {
			before(t, st)
		}
		players, err := st.cast(&Scenario{Users: []string{"alice"}}, Options{TTL: ttl, Profile: "native", App: "correct", Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		r, p := NewRecorder(st.server), players[0]
		time.Sleep(300 * time.Millisecond)
		r.Begin(Setup{User: "alice", Profile: "native", App: "correct", TTL: ttl, Policy: p.Snapshot().Policy}, p.Session)
		r.Did(Step{Do: &Do{Action: "login"}})
		p.Login()
		time.Sleep(2 * time.Second)
		live(t, p, r, st)
		r.End()
		dismiss(players)
		if err := errors.Join(st.close(), r.Write(&b, "recorded")); err != nil {
			t.Fatal(err)
		}
	})
	return b.String()
}

// replays reads what was recorded, and runs it.
func replays(t *testing.T, recorded string) {
	t.Helper()
	if len(recorded) > maxFile {
		t.Errorf("%d bytes", len(recorded))
	}
	s, err := Parse("recorded.yaml", []byte(recorded))
	if err != nil {
		t.Fatalf("%v\n%.3000s", err, recorded)
	}
	if r := inBubble(t, s, Options{TTL: s.TTL}); r.Verdict != VerdictPassed {
		t.Errorf("%.6000s\n%.6000s", r.Text(), recorded)
	}
}

// refusals are faults of the token server that were there before the recording, and tokens that were asked for meanwhile.
func refusals(count, used int) func(t *testing.T, st *stage) {
	return func(t *testing.T, st *stage) {
		t.Helper()
		fault := fakeserver.Fault{ID: "no", Target: "token-server", Kind: "status", Params: fakeserver.FaultParams{"status": "503"}, Count: count}
		if _, err := st.server.AddFault(fault); err != nil {
			t.Fatal(err)
		}
		if used == 0 { // a login would use it as soon as it can
			return
		}
		players, err := st.cast(&Scenario{Users: []string{"bob"}}, Options{TTL: time.Minute, Profile: "native", App: "correct", Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		players[0].Login()
		for st.server.Faults()[0].Applied < used {
			time.Sleep(10 * time.Millisecond)
		}
		dismiss(players)
	}
}

// A fault that has been at work before the recording does only the rest of it when that is replayed.
func TestRecordedFaultsDoWhatIsLeft(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		count, used int
		want        string
	}{
		{"partly used", 2, 1, "count: 1}"},
		{"untouched", 2, 0, "count: 2}"},
		{"used up", 1, 1, ""},
	} {
		check := func(t *testing.T, recorded string) {
			t.Helper()
			if got := strings.Contains(recorded, "fault:"); got != (tc.want != "") || !strings.Contains(recorded, tc.want) || strings.Contains(recorded, "clear:") {
				t.Errorf("want a fault with %q in\n%s", tc.want, recorded)
			}
			replays(t, recorded)
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			check(t, recorderOf(t, 20*time.Second, refusals(tc.count, tc.used), func(_ *testing.T, _ *player, _ *Recorder, _ *stage) {
				time.Sleep(10 * time.Second)
			}))
		})
		t.Run(tc.name+", of a running emulator", func(t *testing.T) {
			t.Parallel()
			var recorded string
			synctest.Test(t, func(t *testing.T) {
				recorded = recordSessionAfter(t, refusals(tc.count, tc.used), 0, func(t *testing.T, st *stage, p *player, _ *control.Client) {
					if tc.want == "" {
						st.server.ClearFault("no")
					}
					until(t, st, 10*time.Second)
					p.Login()
					until(t, st, 21*time.Second)
				})
			})
			check(t, recorded)
		})
	}
}

// Whatever was done and for however long: what is written of it can be read, says where it ends, and passes.
func TestLongRecordingsAreBounded(t *testing.T) {
	t.Parallel()
	sends := func(n int, every time.Duration, text string) func(t *testing.T, p *player, r *Recorder, st *stage) {
		return func(t *testing.T, p *player, r *Recorder, _ *stage) {
			for i := range n {
				r.Did(Step{Send: &Send{To: "echo", Text: fmt.Sprint(i, text)}})
				if _, err := p.Send("echo", fmt.Sprint(i, text)); err != nil {
					t.Error(err)
				}
				time.Sleep(every)
			}
			time.Sleep(5 * time.Second)
		}
	}
	const cut = "# This ends before the recording did, at "
	for _, tc := range []struct {
		name string
		ttl  time.Duration
		live func(t *testing.T, p *player, r *Recorder, st *stage)
		want []string
	}{
		{"three hours of ten seconds", 10 * time.Second, func(_ *testing.T, _ *player, _ *Recorder, _ *stage) { time.Sleep(3 * time.Hour) },
			[]string{cut, "lasts 1000 lives", "\nuntil: 1000T\n", "which are too many"}},
		{"a sleep of a day", 20 * time.Second, func(_ *testing.T, p *player, r *Recorder, st *stage) {
			time.Sleep(10 * time.Second)
			r.Did(Step{Jump: &Jump{Emulator: Span{Offset: 24 * time.Hour}}})
			st.server.JumpClock(24 * time.Hour)
			r.Did(Step{Jump: &Jump{Client: Span{Offset: 24 * time.Hour}}})
			p.JumpClock(24 * time.Hour)
			time.Sleep(5 * time.Second)
		}, []string{cut, "lasts 1000 lives"}},
		{"many steps and many events", 20 * time.Second, sends(101, 16*time.Second, ""), []string{"until: ", "which are too many"}},
		{"more steps than there may be", 20 * time.Second, sends(201, 3*time.Second, ""), []string{cut, "more than these 150 steps"}},
		{"more steps than there may be, in a hurry", 20 * time.Second, sends(201, 20*time.Millisecond, ""), []string{cut, "more than these 150 steps"}},
		{"long texts", 20 * time.Second, sends(60, 3*time.Second, strings.Repeat("long ", 300)), []string{cut, "steps do not fit"}},
		{"texts of brackets", 20 * time.Second, sends(30, 3*time.Second, strings.Repeat("[", 50)), []string{cut, "steps do not fit"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			recorded := recorderOf(t, tc.ttl, nil, tc.live)
			for _, want := range tc.want {
				if !strings.Contains(recorded, want) {
					t.Errorf("%q is not in\n%.3000s", want, recorded)
				}
			}
			replays(t, recorded)
		})
	}
}

func TestLongRecordingsOfARunningEmulatorAreBounded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		live func(t *testing.T, st *stage, p *player, emulator *control.Client)
		want string
	}{
		{"a clock that is set", func(t *testing.T, st *stage, p *player, emulator *control.Client) {
			until(t, st, 0)
			p.Login()
			until(t, st, time.Minute)
			if _, err := emulator.ChangeClock(t.Context(), fakeserver.ClockChange{Jump: 6 * time.Hour}); err != nil {
				t.Fatal(err)
			}
			p.JumpClock(6 * time.Hour)
			time.Sleep(5 * time.Second)
		}, "lasts 1000 lives"},
		{"more steps than there may be", func(t *testing.T, st *stage, p *player, _ *control.Client) {
			until(t, st, 0)
			p.Login()
			for range 201 {
				time.Sleep(3 * time.Second)
				send(t, p)
			}
			time.Sleep(3 * time.Second)
		}, "more than these 150 steps"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var recorded string
			synctest.Test(t, func(t *testing.T) { recorded = recordSession(t, 0, tc.live) })
			if !strings.Contains(recorded, tc.want) {
				t.Errorf("%q is not in\n%.3000s", tc.want, recorded)
			}
			replays(t, recorded)
		})
	}
}

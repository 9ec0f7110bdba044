package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/ttlchat/ttlchat/session"
)

const story = "The token server answers 503 from before will-expire until shortly before the end. The client tries again with growing pauses, " +
	"renews in time and never logs in again."

// fakeRun is a run without a scenario: it says what a test puts into news, and remembers what it was asked.
type fakeRun struct {
	session *fakeSession
	news    chan Standing

	mu    sync.Mutex
	asked []Wish
}

func newFakeRun(s *fakeSession) *fakeRun { return &fakeRun{session: s, news: make(chan Standing, 8)} }

func (r *fakeRun) run() PlayRun {
	return PlayRun{Session: r.session, Emulator: &fakeEmulator{}, Faults: &fakeFaults{}, Next: r.next, Ask: r.ask}
}

func (r *fakeRun) next(ctx context.Context) (Standing, error) {
	select {
	case s := <-r.news:
		return s, nil
	case <-ctx.Done():
		return Standing{}, ctx.Err()
	}
}

func (r *fakeRun) ask(w Wish) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, w)
}

func (r *fakeRun) wishes() []Wish {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

// played returns a model that plays a scenario and stands as told.
func played(t testing.TB, size tea.WindowSizeMsg, snap session.Snapshot, standing Standing) (*rig, *fakeRun) {
	s := newFake(noon, snap)
	run := newFakeRun(s)
	r := &rig{fake: s}
	r.model = newModel(t.Context(), Config{
		Form: Form{Peer: "echo"}, Where: "emulator",
		Play: &Play{Name: "s02-server-down-at-will-expire", Story: story, Run: run.run()},
	})
	r.zone = time.UTC
	r.send(size)
	r.Init()
	r.happen(talking()...)
	r.send(standingMsg{count: 1, Standing: standing})
	return r, run
}

func standingAt(now time.Duration) Standing {
	return Standing{
		Now: now, Until: 33 * time.Second, Next: "the fault down ends", NextAt: 28200 * time.Millisecond,
		Checks: []PlayCheck{
			{CheckMet, "token.will_expire in 0.8T..0.8T+1s (24s to 25s)", "at 24.001s (0.8T)"},
			{CheckMet, "token.rejected in 0.8T..0.8T+1s (24s to 25s)", "at 24.003s (0.8T)"},
			{CheckOpen, "renew.succeeded in 0.94T..1T (28.2s to 30s)", ""},
			{CheckOpen, "never token.expired", ""}, {CheckOpen, "never disconnected", ""},
			{CheckOpen, "1 time login.succeeded", "1"},
			{CheckOpen, "at most 1 request a second at the token server after the logins", "1 in the second from 24.001s (0.8T) on"},
			{CheckOpen, "alice's session is online in the end", ""},
		},
	}
}

func withFailures() Standing {
	s := standingAt(33 * time.Second)
	s.Next, s.NextAt, s.Verdict = "", 0, PlayFailed
	for i := range s.Checks {
		s.Checks[i].State = CheckMet
	}
	s.Checks[3] = PlayCheck{CheckFailed, "never token.expired", "at 30.002s (1T): onTokenExpired, 108 TOKEN_EXPIRED, 007eJx…9f2a, the token expired"}
	s.Checks[5] = PlayCheck{CheckFailed, "1 time login.succeeded", "2"}
	return s
}

func TestPlayScreens(t *testing.T) {
	held := standingAt(26900 * time.Millisecond)
	held.Held = true
	for name, tc := range map[string]struct {
		snap     session.Snapshot
		standing Standing
	}{
		"playing": {lastFifth(), standingAt(26900 * time.Millisecond)}, "paused": {lastFifth(), held}, "failed": {online(), withFailures()},
	} {
		open := func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r, _ := played(t, size, tc.snap, tc.standing)
			return r
		}
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s_%dx%d", name, size.Width, size.Height), func(t *testing.T) {
				golden.RequireEqual(t, open(t, size).screen(t))
			})
		}
		colours(t, name, open)
	}
}

// Every way in which a run can stand is on the screen in words, also on a small one.
func TestPlayWords(t *testing.T) {
	change := func(f func(*Standing)) Standing {
		s := standingAt(26900 * time.Millisecond)
		f(&s)
		return s
	}
	for name, tc := range map[string]struct {
		standing     Standing
		small, words string
	}{
		"a step with its time": {standingAt(26900 * time.Millisecond), "PLAYING 0:26.9  2/8 met", "Next in 1.3 s, at 0:28.2: the fault down ends"},
		"a step that waits": {change(func(s *Standing) { s.Waits, s.NextAt = "token.expired", 0 }), "PLAYING 0:26.9",
			"Next when token.expired comes: the fault down ends"},
		"no step":    {change(func(s *Standing) { s.Next, s.NextAt = "", 0 }), "PLAYING 0:26.9", "Next the end, in 6.1 s; no step is left"},
		"paused":     {change(func(s *Standing) { s.Held = true }), "PAUSED 0:26.9", "Paused, the token lives on."},
		"taken over": {change(func(s *Standing) { s.Held, s.Taken = true, true }), "TAKEN OVER 0:26.9", "Everything is up to you now"},
		"passed":     {change(func(s *Standing) { s.Verdict = PlayPassed }), "PASSED 0:26.9", "All checks are met."},
		"failed":     {withFailures(), "FAILED 0:33.0  6/8 met, 2 failed", "2 checks have failed"},
		"broken": {change(func(s *Standing) { s.Verdict, s.Problem = PlayBroken, "no \x1b[31mport" }), "BROKEN 0:26.9",
			"No verdict: no port"},
		"a day": {change(func(s *Standing) { s.Now, s.Until, s.NextAt = 7*time.Hour, 24*time.Hour, 20*time.Hour }), "PLAYING 7h00m00s",
			"Next in 13h 00m, at 20h00m00s"},
	} {
		t.Run(name, func(t *testing.T) {
			oneLine := func(width, height int) string {
				r, _ := played(t, tea.WindowSizeMsg{Width: width, Height: height}, online(), tc.standing)
				return strings.Join(strings.Fields(r.screen(t)), " ")
			}
			wantOn(t, oneLine(40, 12), strings.Join(strings.Fields(tc.small), " "))
			wantOn(t, oneLine(80, 24), tc.words)
		})
	}
}

func TestPlayInASCII(t *testing.T) {
	for _, size := range sizes {
		r, _ := played(t, size, loggedOut(), withFailures())
		r.talk.entries, r.ascii = nil, true
		if screen := r.screen(t); strings.Contains(screen, "?  ") || strings.ContainsFunc(screen, func(c rune) bool { return c > '~' }) {
			t.Errorf("this is not ASCII, or it has question marks:\n%s", screen)
		}
	}
}

// While a scenario acts a person cannot, except through it; once it is over or taken over everything is as ever.
func TestPlayKeys(t *testing.T) {
	size := tea.WindowSizeMsg{Width: 80, Height: 24}
	acts := func(r *rig) {
		r.keys("ctrl+r", "ctrl+o", "ctrl+l", "ctrl+x", "ctrl+p", "tab")
		r.write("hello")
		r.keys("enter")
	}
	r, run := played(t, size, online(), standingAt(time.Second))
	r.keys("ctrl+r")
	wantOn(t, r.screen(t), "cannot renew: the scenario acts until /take-over")
	acts(r)
	if len(r.fake.asked) != 0 || r.drawer.open {
		t.Errorf("while the scenario acts the session is asked %v", r.fake.asked)
	}
	if r.focusOn(playPanel); r.input.Value() != "hello" {
		t.Error("a message that could not go out is gone")
	}
	r.keys("space", "s", "n", "ctrl+n", "t")
	held := standingAt(time.Second)
	held.Held = true
	r.send(standingMsg{count: 1, Standing: held})
	r.keys("space")
	if got, want := run.wishes(), []Wish{HoldOn, StepOn, SkipOn, SkipOn, TakeOver, GoOn}; !slices.Equal(got, want) {
		t.Errorf("the run is asked %v, want %v", got, want)
	}
	wait := standingAt(time.Second)
	wait.Waits = "token.expired"
	r.send(standingMsg{count: 1, Standing: wait})
	r.keys("s")
	wantOn(t, r.screen(t), "cannot step: the next step waits for token.expired")

	taken := standingAt(time.Second)
	taken.Held, taken.Taken = true, true
	r.send(standingMsg{count: 1, Standing: taken})
	r.keys("space")
	wantOn(t, r.screen(t), "cannot pause: you have taken over")
	r.input.Reset()
	acts(r)
	if got, want := r.fake.asked, []string{"renew", "logout", "login"}; !slices.Equal(got[:min(len(got), 3)], want) {
		t.Errorf("after taking over the session is asked %v, want %v", got, want)
	}
}

// Restarting puts a new run in the place of the old one, whose late news change nothing.
func TestPlayRestart(t *testing.T) {
	synctest.Test(t, playRestart)
}

func playRestart(t *testing.T) {
	r, _ := played(t, tea.WindowSizeMsg{Width: 80, Height: 24}, online(), withFailures())
	second := newFakeRun(newFake(noon, loggedOut()))
	fails := errors.New("no port is free")
	r.cfg.Play.Restart = func(context.Context) (PlayRun, error) { return second.run(), fails }
	restart := func() {
		_, cmd := r.Update(press("r"))
		for _, msg := range everything(cmd) {
			r.send(msg)
		}
	}
	restart()
	wantOn(t, r.screen(t), "the scenario cannot be played again: no port is free", "FAILED")
	fails = nil
	restart()
	wantOn(t, r.screen(t), "from the beginning", "PLAYING", "LOGGED OUT", "play 0/0")
	if asked := r.fake.asked; !slices.Equal(asked, []string{"close", "close"}) {
		t.Errorf("the first session is asked %v", asked)
	}
	r.send(standingMsg{count: 1, Standing: withFailures()})
	r.send(emulatorMsg{run: 1, err: errNope})
	r.send(eventsMsg{opened: 1, events: talking()})
	if screen := r.screen(t); strings.Contains(screen, "FAILED") || strings.Contains(screen, "nope") || len(r.timeline.all) != 0 {
		t.Errorf("news of the first run are on the screen of the second:\n%s", screen)
	}
	r.keys("esc") // nobody is logged in, and yet there is no login screen to go back to
	if r.session == nil {
		t.Error("Esc leaves the scenario")
	}
}

// everything runs a command and those that it brings, but for those that wait for something to happen.
func everything(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	got := make(chan tea.Msg, 1)
	go func() { got <- cmd() }()
	synctest.Wait()
	select {
	case msg := <-got:
		if batch, ok := msg.(tea.BatchMsg); ok {
			var all []tea.Msg
			for _, c := range batch {
				all = append(all, everything(c)...)
			}
			return all
		}
		return []tea.Msg{msg}
	default:
		return nil
	}
}

// TestHostileScenario: nothing that a file says reaches the terminal as anything but text.
func TestHostileScenario(t *testing.T) {
	evil := "a\x1b]52;c;aGk=\x07\x1b[2J\u009b31m\u202eb\r\nc" + strings.Repeat("x", 5000)
	for _, size := range sizes {
		r, _ := played(t, size, online(), Standing{
			Until: time.Minute, Next: evil, Waits: evil, Problem: evil, Verdict: PlayBroken,
			Checks: []PlayCheck{{CheckFailed, evil, evil}, {CheckMet, evil, evil}, {CheckOpen, evil, evil}},
		})
		r.cfg.Play.Name, r.cfg.Play.Story = evil, evil
		for _, bad := range []string{"\x1b]", "\x1b[2J", "\x07", "\r", "\u202e", "\u009b"} {
			if strings.Contains(r.View().Content, bad) {
				t.Errorf("%q is in the frame of %v", bad, size)
			}
		}
		r.screen(t)
	}
}

// TestPlayWholeProgram plays a scenario through a terminal, with real key bytes, takes it over, and plays it again.
func TestPlayWholeProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(80, 24)
		keyboard, keys := io.Pipe()
		runs := []*fakeRun{newFakeRun(live(30 * time.Second)), newFakeRun(live(30 * time.Second))}
		cfg := Config{Form: Form{Peer: "echo"}, Play: &Play{
			Name: "s02", Story: story, Run: runs[0].run(), Restart: func(context.Context) (PlayRun, error) { return runs[1].run(), nil },
		}}
		done := make(chan error)
		go func() {
			done <- run(t.Context(), cfg, term, tea.WithInput(keyboard), tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24), tea.WithEnvironment(colourful))
		}()
		look := func(at string, wait time.Duration, parts ...string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			for _, part := range parts {
				if screen := term.String(); !strings.Contains(screen, part) {
					t.Errorf("%s: the screen lacks %q:\n%s", at, part, screen)
				}
			}
		}
		typed := func(text string) {
			if _, err := keys.Write([]byte(text)); err != nil {
				t.Error(err)
			}
		}
		const frame = 150 * time.Millisecond
		look("first frame", frame, "PLAYING", "play 0/0", "LOGGED OUT")
		runs[0].session.Login()
		now := standingAt(0)
		runs[0].news <- now
		look("login", frame, "ONLINE", "play 2/8", "Next in 28 s, at 0:28.2: the fault down ends")
		look("20 s", 20*time.Second, "PLAYING  0:20.", "of 0:33.0", "Next in 8.")
		typed(" ")
		look("space", frame)
		now.Held, now.Now = true, 20*time.Second
		runs[0].news <- now
		look("paused", frame, "PAUSED", "Paused, the token lives on.")
		typed("\x12") // ^R
		look("^R", frame, "cannot renew: the scenario acts until /take-over")
		typed("t")
		look("t", frame)
		now.Taken = true
		runs[0].news <- now
		look("taken over", frame, "TAKEN OVER", "no verdict")
		typed("\x12")
		look("^R then", frame, "ONLINE", "expires 3")
		if got, want := runs[0].wishes(), []Wish{HoldOn, TakeOver}; !slices.Equal(got, want) {
			t.Errorf("the run is asked %v, want %v", got, want)
		}
		typed("r")
		look("again", 2*frame, "from the beginning", "PLAYING", "LOGGED OUT", "play 0/0")
		runs[1].session.Login()
		over := withFailures()
		runs[1].news <- over
		look("failed", frame, "FAILED  0:33.0 of 0:33.0", "2 checks have failed", "failed  never token.expired", "met     token.will_expire")
		typed("\x03")
		if err := <-done; err != nil {
			t.Error(err)
		}
		for i, r := range runs {
			if asked := r.session.asked; asked[len(asked)-1] != "close" {
				t.Errorf("session %d is asked %v, and not closed at last", i, asked)
			}
		}
		_ = keyboard.Close()
		_ = term.vt.Close()
		time.Sleep(2 * time.Second)
	})
}

// TestExportScenario: the session is exported as a scenario by a key, or when the file is called like one.
func TestExportScenario(t *testing.T) {
	t.Chdir(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		r := opened(t, 80, 24, online(), talking()...)
		export := func(names ...string) {
			for _, name := range names {
				_, cmd := r.Update(press(name))
				for _, msg := range everything(cmd) {
					r.send(msg)
				}
			}
		}
		r.write("/export bug.yaml")
		export("enter")
		wantOn(t, r.screen(t), "cannot export: a scenario needs the built-in emulator and its token server")
		var fails error
		r.cfg.Scenario = func(file string) (string, error) { return "name: of " + file + "\n", fails }
		r.write("/export bug.yaml")
		export("enter")
		wantOn(t, r.screen(t), "ttlchat run bug.yaml does all this again")
		r.write("/export a b.yaml")
		export("enter")
		wantOn(t, r.screen(t), "ttlchat run 'a b.yaml' does all this again")
		if err := os.Mkdir("folder.yaml", 0o700); err != nil {
			t.Fatal(err)
		}
		r.write("/export folder.yaml")
		export("enter")
		wantOn(t, r.screen(t), "the scenario was not exported: folder.yaml is a folder; name a new file in it")
		r.focusOn(timelinePanel)
		export("E")
		const made = "ttlchat-20261122-120431.yaml"
		for _, file := range []string{"bug.yaml", made} {
			if text, err := os.ReadFile(file); err != nil || string(text) != "name: of "+file+"\n" { //nolint:gosec // files of this test
				t.Errorf("%s holds %q: %v", file, text, err)
			}
		}
		fails = errors.New("nobody has logged in")
		export("E")
		wantOn(t, r.screen(t), "the scenario was not exported: nobody has logged in")
	})
}

package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"

	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/session"
)

// terminal is a screen in memory that the whole program runs on.
type terminal struct {
	mu    sync.Mutex
	vt    *vt.Emulator
	raw   bytes.Buffer
	wrote int
}

func newTerminal(width, height int) *terminal {
	term := &terminal{vt: vt.NewEmulator(width, height)}
	_, _ = term.vt.WriteString("\x1b[20h") // without a real terminal Bubble Tea takes a line feed for a whole new line
	go func() { _, _ = io.Copy(io.Discard, term.vt) }()
	return term
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote++
	t.raw.Write(p)
	return t.vt.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.vt.String()
}

// colourful is the environment of a terminal that shows every colour.
var colourful = []string{"TERM=xterm-256color", "COLORTERM=truecolor", "CLICOLOR_FORCE=1"}

// TestWholeProgram plays a life of 30 s in a bubble of its own time, through a terminal, with real key bytes.
func TestWholeProgram(t *testing.T) {
	t.Setenv("NO_COLOR", "yes")
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(80, 24)
		keyboard, keys := io.Pipe()
		s := live(30 * time.Second)
		cfg := Config{Form: filled, Open: func(Form) (Session, error) { return s, nil }, EmulatorNote: "there is none in this test"}
		done := make(chan error)
		go func() {
			done <- run(t.Context(), cfg, term, tea.WithInput(keyboard), tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24),
				tea.WithEnvironment(colourful))
		}()
		typed := func(text string) {
			t.Helper()
			if _, err := keys.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		look := func(at string, wait time.Duration, parts ...string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			screen := term.String()
			for _, part := range parts {
				if !strings.Contains(screen, part) {
					t.Errorf("%s: the screen lacks %q:\n%s", at, part, screen)
				}
			}
		}
		const frame = 70 * time.Millisecond // after this a frame at 30 a second has been drawn
		look("first frame", frame, "Enter logs in", "lives 30 s: after 24 s")
		typed("\r")
		start := time.Now()
		to := func(d time.Duration) time.Duration { return time.Until(start.Add(d)) + frame }
		look("login", to(0), "ONLINE", "will expire 24 s · expires 30 s", "logged in:")
		look("1 s", to(time.Second), "will expire 23 s · expires 29 s")
		typed("hello\r")
		look("14 s", to(14*time.Second), "will expire 10 s · expires 16 s", "hello")
		look("20.3 s", to(20300*time.Millisecond), "will expire 3.7 s · expires 9.7 s")
		look("23.9 s", to(23900*time.Millisecond), "will expire 0.1 s · expires 6.1 s")
		look("24 s", to(24*time.Second), "WILL EXPIRE", "will-expire fired · expires 6.0 s")
		typed("\x05") // ^E
		look("^E", frame, "cannot expire: there is none in this test")
		typed("\x12") // ^R
		look("^R", frame, "ONLINE", "expires 30 s")
		s.JumpClock(30 * time.Second)
		look("jumped", 2*frame, "EXPIRED", "onTokenExpired, 108 TOKEN_EXPIRED")

		before := s.Snapshot().State
		synctest.Wait()
		frames := term.wrote
		time.Sleep(time.Hour)
		synctest.Wait()
		if term.wrote != frames || before != session.Expired {
			t.Errorf("an idle hour in state %s wrote %d times to the terminal", before, term.wrote-frames)
		}

		typed("\x03") // ^C
		if err := <-done; err != nil {
			t.Error(err)
		}
		raw := term.raw.String()
		if !strings.Contains(raw, "\x1b[?1049l") || !strings.HasSuffix(raw, "ttlchat: logins 1, renewals 1, expiries 1; messages sent 0, received 0\n") {
			t.Errorf("the terminal is left with %q", raw[max(len(raw)-200, 0):])
		}
		if strings.Contains(raw, "\x1b[38;") || !strings.Contains(raw, "\x1b[1m") {
			t.Error("with NO_COLOR there are colours, or nothing is bold")
		}
		_ = keyboard.Close()
		_ = term.vt.Close()
		time.Sleep(2 * time.Second) // the last tick
	})
}

// TestWholeDay plays a token of 24 hours in a bubble of its own time, and looks at the countdown at chosen instants, having lived through the
// seconds before each.
func TestWholeDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(120, 40)
		keyboard, keys := io.Pipe()
		s := live(24 * time.Hour)
		done := make(chan error)
		go func() {
			done <- run(t.Context(), Config{Form: filled, Open: func(Form) (Session, error) { return s, nil }}, term, tea.WithInput(keyboard),
				tea.WithoutSignalHandler(), tea.WithWindowSize(120, 40), tea.WithEnvironment(colourful), tea.WithFPS(2))
		}()
		time.Sleep(time.Second)
		_, _ = keys.Write([]byte("\r"))
		start := time.Now()
		const run = 20 * time.Second         // what is lived through before each look
		const paint = 600 * time.Millisecond // after this a frame at 2 a second has been drawn
		for _, look := range []struct {
			at    time.Duration
			parts []string
		}{
			{0, []string{"● ONLINE", "0 % of 24 h", "19h 12m", "24h 00m"}},
			{12 * time.Hour, []string{"7h 12m", "12h 00m"}},
			{19*time.Hour + 11*time.Minute, []string{"79 % of 24 h", "1m 00s", "4h 49m"}},
			{19*time.Hour + 11*time.Minute + 55*time.Second, []string{"will expire in     4."}},
			{19*time.Hour + 12*time.Minute, []string{"● WILL EXPIRE", "will-expire fired", "80 % of 24 h", "4h 48m"}},
			{23*time.Hour + 30*time.Minute, []string{"97 % of 24 h", "30m 00s"}},
			{23*time.Hour + 59*time.Minute + 57*time.Second, []string{"99 % of 24 h", "expires in         2."}},
			{24 * time.Hour, []string{"○ EXPIRED", "The token expired: onTokenExpired"}},
		} {
			if rest := look.at - s.Now().Sub(start) - run; rest > 0 {
				s.JumpClock(rest) // most of a day need not be drawn second by second
				_, _ = keys.Write([]byte("x\x7f"))
			}
			time.Sleep(look.at - s.Now().Sub(start) + paint)
			synctest.Wait()
			screen := term.String()
			for _, part := range look.parts {
				if !strings.Contains(screen, part) {
					t.Errorf("after %v the screen lacks %q:\n%s", look.at, part, screen)
				}
			}
		}
		_, _ = keys.Write([]byte{3})
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = keyboard.Close()
		_ = term.vt.Close()
		time.Sleep(2 * time.Minute) // the last tick
	})
}

// TestResumeAcrossExpiry: a suspended program looks at the deadlines again as soon as it is back.
func TestResumeAcrossExpiry(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.fake.now = func() time.Time { return noon.Add(time.Minute) } // while it was suspended
	r.send(tea.ResumeMsg{})
	wantOn(t, r.screen(t), "100 % of 30 s", "E  expired")
	if !slices.Equal(r.fake.asked, []string{"check"}) {
		t.Errorf("on return the session is asked %v", r.fake.asked)
	}
}

// panicking is an emulator that panics in the goroutine of a command.
type panicking struct {
	fakeEmulator
	now chan struct{}
}

func (p *panicking) Next(context.Context) ([]EmulatorEvent, error) {
	<-p.now
	panic("in a goroutine")
}

// TestTerminalIsRestored: whatever ends the program, the terminal gets its screen back, and the session is closed.
func TestTerminalIsRestored(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	inGoroutine := func(_ context.CancelFunc, _ *fakeSession, p *panicking) { close(p.now) }
	inView := func(_ context.CancelFunc, s *fakeSession, _ *panicking) {
		s.now = func() time.Time { panic("in View") }
		s.log.Append(func(e *session.Event, _ uint64) { e.Name = session.TokenRequested })
	}
	tests := map[string]struct {
		end     func(context.CancelFunc, *fakeSession, *panicking)
		watched bool
		want    error
	}{
		"cancelled":                    {func(cancel context.CancelFunc, _ *fakeSession, _ *panicking) { cancel() }, false, context.Canceled},
		"panic in a goroutine":         {inGoroutine, false, tea.ErrProgramPanic},
		"panic":                        {inView, false, tea.ErrProgramPanic},
		"watched panic in a goroutine": {inGoroutine, true, context.Canceled},
		"watched panic in View":        {inView, true, context.Canceled},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				term := newTerminal(80, 24)
				keyboard, keys := io.Pipe()
				s, p := newFake(noon, loggedOut()), &panicking{now: make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.watched {
					defer guard.Watch(func(any, []byte) { cancel() })()
				}
				done := make(chan error)
				go func() {
					done <- run(ctx, Config{Form: filled, Open: func(Form) (Session, error) { return s, nil }, Emulator: p}, term, tea.WithInput(keyboard),
						tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24), tea.WithEnvironment(colourful))
				}()
				time.Sleep(time.Second)
				_, _ = keys.Write([]byte("\r"))
				time.Sleep(time.Second)
				synctest.Wait()
				test.end(cancel, s, p)
				if err := <-done; !errors.Is(err, test.want) {
					t.Errorf("Run returns %v, want %v", err, test.want)
				}
				if raw := term.raw.String(); strings.LastIndex(raw, "\x1b[?1049l") < strings.LastIndex(raw, "\x1b[?1049h") {
					t.Error("the alternate screen is not left")
				}
				if !strings.Contains(term.raw.String(), "\x1b[38;2;") {
					t.Error("without NO_COLOR there are no colours")
				}
				if asked := s.asked; asked[len(asked)-1] != "close" {
					t.Errorf("the session is asked %v, and not closed at last", asked)
				}
				if !strings.Contains(name, "in a goroutine") {
					close(p.now) // nobody is there any more
				}
				_ = keyboard.Close()
				_ = term.vt.Close()
				time.Sleep(2 * time.Second)
			})
		})
	}
}

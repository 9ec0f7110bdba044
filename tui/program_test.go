package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"

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

// TestTerminalIsRestored: whatever ends the program, the terminal gets its screen back, and the session is closed.
func TestTerminalIsRestored(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	tests := map[string]struct {
		end  func(context.CancelFunc, *fakeSession)
		want error
	}{
		"cancelled": {func(cancel context.CancelFunc, _ *fakeSession) { cancel() }, context.Canceled},
		"panic": {func(_ context.CancelFunc, s *fakeSession) {
			s.now = func() time.Time { panic("in View") }
			s.log.Append(func(uint64) session.Event { return session.Event{Name: session.TokenRequested} })
		}, tea.ErrProgramPanic},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				term := newTerminal(80, 24)
				keyboard, keys := io.Pipe()
				s := newFake(noon, loggedOut())
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := make(chan error)
				go func() {
					done <- run(ctx, Config{Form: filled, Open: func(Form) (Session, error) { return s, nil }}, term, tea.WithInput(keyboard),
						tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24), tea.WithEnvironment(colourful))
				}()
				time.Sleep(time.Second)
				_, _ = keys.Write([]byte("\r"))
				time.Sleep(time.Second)
				synctest.Wait()
				test.end(cancel, s)
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
				_ = keyboard.Close()
				_ = term.vt.Close()
				time.Sleep(2 * time.Second)
			})
		})
	}
}

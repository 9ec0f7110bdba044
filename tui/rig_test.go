package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// noon is the instant at which every still screen is drawn.
var noon = time.Date(2026, 11, 22, 12, 4, 31, 0, time.UTC)

var filled = Form{
	User: "alice", Peer: "echo", Lifetime: "30s", Profile: "native", Service: BuiltIn, TokenURL: "http://127.0.0.1:8082/fetch-token",
	RESTURL: "http://127.0.0.1:8081", WSURL: "ws://127.0.0.1:8081/websocket",
}

// rig is a model with a fake session and a fake emulator around it.
type rig struct {
	*model
	fake     *fakeSession
	emulator *fakeEmulator
	broken   *fakeFaults
	asked    Form // what Open was given
}

// newRig returns a model that shows the login screen.
func newRig(t testing.TB, width, height int, snap session.Snapshot) *rig {
	r := &rig{fake: newFake(noon, snap), emulator: &fakeEmulator{}, broken: &fakeFaults{}}
	r.model = newModel(t.Context(), Config{
		Form: filled, Emulator: r.emulator, Faults: r.broken, Where: "emulator", Policy: snap.Policy,
		Open: func(f Form) (Session, error) {
			r.asked = f
			return r.fake, nil
		},
	})
	r.zone = time.UTC
	r.send(tea.WindowSizeMsg{Width: width, Height: height})
	return r
}

// opened returns a model that shows the session.
func opened(t testing.TB, width, height int, snap session.Snapshot, events ...session.Event) *rig {
	r := newRig(t, width, height, snap)
	r.keys("enter")
	if r.session == nil {
		t.Fatalf("no session was opened: %v, %v", r.form.fault, r.form.faults)
	}
	r.fake.asked = nil
	r.happen(events...)
	return r
}

func (r *rig) send(msg tea.Msg) tea.Cmd {
	_, cmd := r.Update(msg)
	return cmd
}

// happen delivers events of the session.
func (r *rig) happen(events ...session.Event) {
	for i := range events {
		if events[i].At.IsZero() {
			events[i].At = noon
		}
	}
	r.send(eventsMsg{opened: r.opened, events: events})
}

// keys presses keys by the names that Bubble Tea gives them.
func (r *rig) keys(names ...string) {
	for _, name := range names {
		r.send(press(name))
	}
}

// write types a text.
func (r *rig) write(text string) {
	for _, c := range text {
		r.send(tea.KeyPressMsg{Code: c, Text: string(c)})
	}
}

func press(name string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	for {
		if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
			name, k.Mod = rest, k.Mod|tea.ModCtrl
		} else if rest, ok := strings.CutPrefix(name, "shift+"); ok {
			name, k.Mod = rest, k.Mod|tea.ModShift
		} else if rest, ok := strings.CutPrefix(name, "alt+"); ok {
			name, k.Mod = rest, k.Mod|tea.ModAlt
		} else {
			break
		}
	}
	special := map[string]rune{
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
		"right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1, "f2": tea.KeyF2, "f3": tea.KeyF3, "f5": tea.KeyF5, "end": tea.KeyEnd, "home": tea.KeyHome, "backspace": tea.KeyBackspace,
	}
	if code, ok := special[name]; ok {
		k.Code = code
		return k
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	k.Code = []rune(name)[0]
	if k.Mod == 0 {
		k.Text = name
	}
	return k
}

// screen returns the frame without styles, after checking that it is exactly as large as the terminal.
func (r *rig) screen(t testing.TB) string {
	t.Helper()
	return checkFrame(t, r.model)
}

func checkFrame(t interface {
	Helper()
	Fatalf(string, ...any)
}, m *model) string {
	t.Helper()
	text := ansi.Strip(m.View().Content)
	if m.height == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	if len(lines) != m.height {
		t.Fatalf("%d lines on a screen of %d:\n%s", len(lines), m.height, text)
	}
	for i, line := range lines {
		if w := m.cells.StringWidth(line); w != m.width {
			t.Fatalf("line %d is %d cells wide on a screen of %d: %q", i, w, m.width, line)
		}
	}
	return text
}

func wantOn(t *testing.T, screen string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(screen, part) {
			t.Errorf("the screen lacks %q:\n%s", part, screen)
		}
	}
}

// token is the one in use at noon: accepted before, with a lifetime of 30 s.
func token(age time.Duration) *session.TokenFacts {
	accepted := noon.Add(-age)
	return &session.TokenFacts{
		Short: "007eJx…9f2a", User: "alice", AppID: "970ca35de60c44645bbae8a215061b33", IssuedAt: accepted, AcceptedAt: accepted,
		WillExpireAt: accepted.Add(24 * time.Second), ExpiresAt: accepted.Add(30 * time.Second), Ordinal: 2, Renewable: true,
	}
}

func snapshot(state session.State, age time.Duration) session.Snapshot {
	return session.Snapshot{
		State: state, User: "alice", Profile: chat.Native, Token: token(age), Linked: state == session.Online || state == session.WillExpire,
		WillExpireFired: age >= 24*time.Second, ExpiredFired: age >= 30*time.Second,
		Policy: session.Policy{OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin},
	}
}

func online() session.Snapshot { return snapshot(session.Online, 18600*time.Millisecond) }

func lastFifth() session.Snapshot {
	s := snapshot(session.WillExpire, 26900*time.Millisecond)
	s.Reason, s.Attempt, s.RetryAt = "the token server does not answer", 1, noon.Add(2*time.Second)
	return s
}

func expired() session.Snapshot {
	s := snapshot(session.Expired, 31*time.Second)
	s.Code = chat.TokenExpired
	return s
}

func stopped() session.Snapshot {
	s := snapshot(session.Stopped, 5*time.Second)
	s.Code, s.Reason = chat.InvalidToken, "the service refused the token: its signature does not fit"
	return s
}

func waiting() session.Snapshot {
	s := snapshot(session.Waiting, 40*time.Second)
	s.Reason, s.Attempt, s.RetryAt = "the token server answered 503, it is not ready", 3, noon.Add(4200*time.Millisecond)
	return s
}

func loggedOut() session.Snapshot {
	return session.Snapshot{State: session.LoggedOut, User: "alice", Profile: chat.Native, Policy: online().Policy}
}

// talking is a conversation, and what happened meanwhile, up to noon.
func talking() []session.Event {
	at := func(ago time.Duration, e session.Event) session.Event {
		e.At = noon.Add(-ago)
		return e
	}
	return []session.Event{
		at(49*time.Second, session.Event{Name: session.TokenRequested}),
		at(49*time.Second, session.Event{Name: session.LoginStarted, Attempt: 1}),
		at(48*time.Second, session.Event{Name: session.LoginSucceeded, Token: "007eJx…77c1", ExpiresAt: noon.Add(-18 * time.Second)}),
		at(29*time.Second, session.Event{Name: session.MessageReceived, From: "echo", Text: "hello"}),
		at(24*time.Second, session.Event{Name: session.TokenWillExpire, Callback: "onTokenWillExpire", ExpiresAt: noon.Add(-18 * time.Second)}),
		at(19*time.Second, session.Event{Name: session.RenewStarted, Attempt: 1}),
		at(19*time.Second, session.Event{Name: session.RenewSucceeded, Token: "007eJx…9f2a", ExpiresAt: noon.Add(11 * time.Second)}),
		at(11*time.Second, session.Event{Name: session.MessageReceived, From: "echo", Text: "still there? 你好, this one is long enough to be " +
			"wrapped on every screen but the widest"}),
	}
}

var errNope = errors.New("nope")

package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/session"
)

// TestActions presses each key and types each command, and looks at whom it reached, or at why it could not.
func TestActions(t *testing.T) {
	pasted := online()
	pasted.Token.Renewable = false
	due := online()
	due.Token.WillExpireAt = noon
	both := func(key, line string) []string { return []string{key, line} }
	tests := []struct {
		name     string
		snap     session.Snapshot
		ways     []string // each must do the same: a key, or a typed command
		alone    bool     // there is no emulator
		session  []string // what the session is asked
		emulator []string // what the emulator is asked
		says     string   // a part of the notice
	}{
		{name: "renew", snap: online(), ways: both("ctrl+r", "/renew"), session: []string{"renew"}},
		{name: "renew, logged out", snap: loggedOut(), ways: both("ctrl+r", "/renew"), says: "cannot renew: nobody is logged in, ^L logs in"},
		{name: "renew, stopped", snap: stopped(), ways: both("ctrl+r", "/renew"), says: "^L logs in"},
		{name: "renew, renewing", snap: snapshot(session.Renewing, 0), ways: both("ctrl+r", "/renew"), says: "a renewal is under way"},
		{name: "renew, logging in", snap: snapshot(session.LoggingIn, 0), ways: both("ctrl+r", "/renew"), says: "a login is under way"},
		{name: "renew, pasted", snap: pasted, ways: both("ctrl+r", "/renew"), says: "cannot renew: the token was pasted"},
		{name: "renew, expired", snap: expired(), ways: both("ctrl+r", "/renew"), session: []string{"renew"}}, // the SDK's refusal is worth seeing
		{name: "log in", snap: loggedOut(), ways: both("ctrl+l", "/login"), session: []string{"login"}},
		{name: "log in again", snap: online(), ways: both("ctrl+l", "/login"), session: []string{"login"}},
		{name: "log in twice", snap: snapshot(session.Fetching, 0), ways: both("ctrl+l", "/login"), says: "cannot log in: a login is under way"},
		{name: "log out", snap: online(), ways: both("ctrl+o", "/logout"), session: []string{"logout"}},
		{name: "log out twice", snap: loggedOut(), ways: both("ctrl+o", "/logout"), says: "cannot log out: nobody is logged in"},
		{name: "expire", snap: online(), ways: both("ctrl+e", "/expire"), emulator: []string{"expire alice"}, says: "has expired"},
		{name: "expire, alone", snap: online(), ways: both("ctrl+e", "/expire"), alone: true, says: "cannot expire: this is not our emulator"},
		{name: "expire, no token", snap: loggedOut(), ways: both("ctrl+e", "/expire"), says: "cannot expire: there is no token"},
		{name: "expire twice", snap: expired(), ways: both("ctrl+e", "/expire"), says: "has expired already"},
		{name: "skip", snap: online(), ways: both("ctrl+n", "/skip"), session: []string{"jump 5.401s"}, emulator: []string{"jump 5.401s"},
			says: "skipped to will-expire, 5 s ahead"},
		{name: "skip to a try", snap: lastFifth(), ways: both("ctrl+n", "/skip"), session: []string{"jump 2.001s"}, emulator: []string{"jump 2.001s"},
			says: "skipped to the next try, 2 s ahead"},
		{name: "skip, waiting", snap: waiting(), ways: both("ctrl+n", "/skip"), session: []string{"jump 4.201s"}, emulator: []string{"jump 4.201s"},
			says: "skipped to the next try, 4 s ahead"},
		{name: "skip, due", snap: due, ways: both("ctrl+n", "/skip"), says: "will-expire is due this very moment"},
		{name: "skip, nothing", snap: stopped(), ways: both("ctrl+n", "/skip"), says: "cannot skip: nothing is coming up"},
		{name: "skip, alone", snap: online(), ways: both("ctrl+n", "/skip"), alone: true, says: "cannot skip: this is not our emulator"},
		{name: "message", snap: online(), ways: []string{"hello /to bob"}, session: []string{"send echo hello /to bob"}},
		{name: "escaped", snap: online(), ways: []string{"//renew"}, session: []string{"send echo /renew"}},
		{name: "blank", snap: online(), ways: []string{"  "}},
		{name: "unknown", snap: online(), ways: []string{"/renwe"}, says: "did you mean /renew?"},
		{name: "to", snap: online(), ways: []string{"/to bob"}, says: "messages go to bob now"},
		{name: "policy", snap: online(), ways: []string{"/policy"}, says: "will-expire: renew, expired: relogin"},
	}
	for _, test := range tests {
		for _, way := range test.ways {
			t.Run(test.name+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := opened(t, 120, 40, test.snap)
					if test.alone {
						r.model.emulator, r.emulatorNote = nil, "this is not our emulator"
					}
					if strings.HasPrefix(way, "ctrl+") {
						r.write("half a message") // the keys work while typing
						r.settle(t, press(way))
						if r.input.Value() != "half a message" {
							t.Errorf("the input holds %q", r.input.Value())
						}
					} else {
						r.write(way)
						r.settle(t, press("enter"))
					}
					if diff := cmp.Diff(test.session, r.fake.asked); diff != "" {
						t.Errorf("the session was asked otherwise (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(test.emulator, r.emulator.asked); diff != "" {
						t.Errorf("the emulator was asked otherwise (-want +got):\n%s", diff)
					}
					if !strings.Contains(r.notice, test.says) || (test.says == "") != (r.notice == "") {
						t.Errorf("the notice says %q, want %q", r.notice, test.says)
					}
				})
			})
		}
	}
}

// settle sends a message and what its commands answer at once. Commands that wait, for events or for a tick, are left behind.
func (r *rig) settle(t *testing.T, msg tea.Msg) {
	ctx, cancel := context.WithCancel(t.Context())
	r.ctx = ctx
	answers := make(chan tea.Msg, 16)
	r.Update(msg)
	for _, cmd := range r.pending {
		go func() { answers <- cmd() }()
	}
	synctest.Wait()
	for len(answers) > 0 {
		r.Update(<-answers)
	}
	cancel()
	time.Sleep(2 * time.Second) // the last tick
}

func TestJumpsOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := opened(t, 80, 24, online())
		r.keys("ctrl+n") // its command has not run yet
		r.keys("ctrl+n")
		if !strings.Contains(r.notice, "under way") || !r.jumping {
			t.Errorf("the second jump says %q", r.notice)
		}
		r.emulator.fails = errNope
		r.send(jumpedMsg{errNope})
		if !strings.Contains(r.notice, "nope") || r.jumping {
			t.Errorf("a jump that fails says %q", r.notice)
		}
		time.Sleep(2 * time.Second)
	})
}

func TestQuit(t *testing.T) {
	for _, way := range [][]string{{"ctrl+c"}, {"/", "q", "u", "i", "t", "enter"}} {
		for _, r := range []*rig{opened(t, 80, 24, loggedOut()), newRig(t, 80, 24, loggedOut())} {
			if r.session == nil && len(way) > 1 {
				continue // there is nowhere to type a command
			}
			r.keys(way...)
			quits := slices.ContainsFunc(r.pending, func(c tea.Cmd) bool { return c() == tea.Quit() })
			if !quits {
				t.Errorf("%v does not quit", way)
			}
		}
	}
}

func TestSuspend(t *testing.T) {
	r := opened(t, 80, 24, loggedOut())
	r.keys("ctrl+z")
	if len(r.pending) != 1 || r.pending[0]() != tea.Suspend() {
		t.Error("^Z does not suspend")
	}
	r.send(tea.ResumeMsg{})
	if !slices.Equal(r.fake.asked, []string{"check"}) {
		t.Errorf("on return the session is asked %v", r.fake.asked)
	}
}

func TestHelp(t *testing.T) {
	r := opened(t, 109, 90, online())
	for _, open := range []string{"?", "f1"} {
		r.keys(open)
		screen := r.screen(t)
		for _, a := range r.actions {
			if a.here(r.model) && a.keys.Help().Key != "" {
				wantOn(t, screen, a.explain())
			}
		}
		for _, c := range command.Table() {
			wantOn(t, screen, c.Name, c.Args, c.Help)
		}
		r.keys("esc")
		if r.dialog != nil {
			t.Fatal("Esc does not close the help")
		}
	}
	r.write("what")
	r.keys("?")
	if r.dialog != nil || r.input.Value() != "what?" {
		t.Errorf("a typed ? opens the help, or is lost: %q", r.input.Value())
	}
	r.keys("f1")
	if r.dialog == nil {
		t.Error("F1 does not open the help while typing")
	}
	r.keys("f1", "tab", "?")
	if r.dialog == nil {
		t.Error("? does not open the help while another panel has the focus")
	}
	r.keys("ctrl+r")
	if !slices.Contains(r.fake.asked, "renew") {
		t.Error("^R does not work while the help is open")
	}
}

func TestHelpScrolls(t *testing.T) {
	r := opened(t, 40, 12, online())
	r.keys("?")
	first := r.screen(t)
	for range 40 {
		r.keys("pgdown")
	}
	last := r.screen(t)
	wantOn(t, last, "W E ")
	r.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	for range 300 {
		r.keys("up")
	}
	if diff := cmp.Diff(first, r.screen(t)); diff != "" || first == last {
		t.Errorf("the help does not scroll back:\n%s", diff)
	}
}

func TestPolicyDrawer(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.keys("ctrl+p")
	wantOn(t, r.screen(t), "[renew]", "[log in again]", "[off]")
	r.keys("left", "down", "right", "right", "tab", "right", "enter")
	want := session.Policy{OnWillExpire: session.WillExpireAsk, OnExpired: session.ExpiredIgnore, RenewEvery: 10 * time.Second}
	if diff := cmp.Diff(want, r.fake.snap.Policy); diff != "" || r.drawer.open {
		t.Errorf("open %v, policy (-want +got):\n%s", r.drawer.open, diff)
	}
	r.write("/policy every 45s")
	r.keys("enter", "ctrl+p", "left")
	wantOn(t, r.screen(t), "renew every      off   10 s   30 s   1 min  [5 min]")
	r.fake.fails = errNope
	r.keys("left")
	if r.notice != "nope" || r.fake.snap.Policy.RenewEvery != 5*time.Minute {
		t.Errorf("a refused policy says %q and leaves %v", r.notice, r.fake.snap.Policy)
	}
	r.write("x") // typing goes on
	r.keys("esc")
	if r.drawer.open || r.input.Value() != "x" {
		t.Errorf("open %v, input %q", r.drawer.open, r.input.Value())
	}
}

func TestSendFails(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.fake.fails = errNope
	r.write("hello")
	r.keys("enter")
	if r.notice != "nope" || r.input.Value() != "hello" || len(r.talk.entries) != 0 {
		t.Errorf("notice %q, input %q, %d messages", r.notice, r.input.Value(), len(r.talk.entries))
	}
}

func TestNewlineAndPaste(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.write("one")
	r.keys("ctrl+j")
	r.write("two")
	r.keys("alt+enter")
	r.send(tea.PasteMsg{Content: "three\nfour\x1b[31m\x9b1m\u202e"})
	r.keys("enter")
	if want := []string{"send echo one\ntwo\nthree\nfour"}; !slices.Equal(r.fake.asked, want) {
		t.Errorf("sent %q, want %q", r.fake.asked, want)
	}
	r.send(tea.PasteMsg{Content: strings.Repeat("x", 2*maxInput)})
	if r.input.Length() != maxInput || !strings.Contains(r.notice, "cut") {
		t.Errorf("a long paste leaves %d characters and says %q", r.input.Length(), r.notice)
	}
	r.input.Reset()
	r.send(tea.PasteMsg{Content: strings.Repeat("x\n", maxInput/4)})
	if r.input.LineCount() != maxInputLines+1 || !strings.Contains(r.notice, "cut") {
		t.Errorf("a paste of many lines leaves %d and says %q", r.input.LineCount(), r.notice)
	}
}

func TestCompletions(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.write("/")
	wantOn(t, r.screen(t), "▌ /renew", "/expire", "/skip", "/policy")
	r.write("log")
	wantOn(t, r.screen(t), "▌ /login", "/logout")
	r.keys("down", "tab")
	if r.input.Value() != "/logout" {
		t.Errorf("Tab leaves %q", r.input.Value())
	}
	wantOn(t, r.screen(t), "▌ /logout", "log out")
	r.keys("esc")
	if len(r.offers()) != 0 {
		t.Error("Esc does not close the list")
	}
	r.completer = completer{}
	r.input.SetValue("/fin")
	r.keys("enter") // it wants arguments
	if r.input.Value() != "/find " {
		t.Errorf("Enter leaves %q", r.input.Value())
	}
	r.input.SetValue("/log")
	r.completer = completer{}
	r.keys("down", "enter")
	if want := []string{"logout"}; !slices.Equal(r.fake.asked, want) {
		t.Errorf("Enter asks %v, want %v", r.fake.asked, want)
	}
}

// TestArgumentsAreCompleted: the words that a command takes are offered one after the other, below the whole of what it takes.
func TestArgumentsAreCompleted(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online(), session.Event{Name: session.MessageReceived, From: "bob", Text: "psst"})
		r.write("/policy ")
		if size.Width > 40 {
			if all := strings.Join(strings.Fields(r.screen(t)), " "); !strings.Contains(all, "[every 10s|off]") {
				t.Errorf("what /policy takes is cut:\n%s", r.screen(t))
			}
		}
		wantOn(t, r.screen(t), "▌ will-expire", "expired", "every")
		r.strokes("down", "tab")
		wantOn(t, r.screen(t), "▌ relogin", "renew", "ignore")
		r.strokes("=i", "tab", "=w", "tab", "=a", "tab")
		if got := r.input.Value(); got != "/policy expired ignore will-expire ask " {
			t.Errorf("Tab leaves %q", got)
		}
		r.keys("enter")
		if p := r.policy; p.OnExpired != session.ExpiredIgnore || p.OnWillExpire != session.WillExpireAsk {
			t.Errorf("the policy is %+v", p)
		}
		r.strokes("=/to b", "tab", "enter", "=/theme l", "tab", "enter")
		if r.talk.peer != "bob" || r.theme != ThemeLight {
			t.Errorf("it is %s, in the theme %s", r.talk.peer, r.theme)
		}
		r.strokes("=/renew ")
		wantOn(t, r.screen(t), "/renew: fetch a new token")
	}
}

// TestEveryCommandIsTold: /help, the answer to an unknown command and the dialog with the keys know every command that is offered.
func TestEveryCommandIsTold(t *testing.T) {
	r := opened(t, 109, 120, online())
	r.strokes("=/help", "enter")
	if len(r.talk.entries) > 0 {
		t.Error("/help writes into the conversation")
	}
	help := r.screen(t)
	r.strokes("esc", "=/xyzzy", "enter")
	unknown := r.notice + " "
	r.keys("f1")
	dialog := r.screen(t)
	for _, c := range r.commands() {
		wantOn(t, help, c.name+"  ")
		if !strings.Contains(unknown, c.name+" ") {
			t.Errorf("the answer to an unknown command lacks %s: %s", c.name, unknown)
		}
		wantOn(t, dialog, c.name+"  ")
	}
	r.strokes("esc", "=/exprot", "enter")
	if !strings.Contains(r.notice, "did you mean /export?") {
		t.Errorf("a command of the screen that is misspelt gets %q", r.notice)
	}
}

// TestMoreIsShown: what does not fit is told of, in a list of commands and in a dialog.
func TestMoreIsShown(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.write("/")
	wantOn(t, r.screen(t), fmt.Sprintf("↓ %d more", len(r.commands())-7))
	r.keys("up")
	wantOn(t, r.screen(t), fmt.Sprintf("↑ %d more", len(r.commands())-7))
	r.write("cl")
	wantOn(t, r.screen(t), "/clear-faults  ")
	r.input.Reset()
	for _, size := range sizes[:3] {
		r.send(size)
		r.keys("?")
		if screen := r.screen(t); size.Width > 40 {
			wantOn(t, screen, "↓ ", " more · Esc closes")
		} else {
			wantOn(t, screen, "┃\n") // there is no room for words
		}
		r.keys("pgdown")
		if screen := r.screen(t); size.Width > 40 && !strings.Contains(screen, "↑ ") {
			t.Errorf("nothing tells of what is above:\n%s", screen)
		}
		r.keys("esc")
	}
	r.keys("ctrl+k")
	wantOn(t, r.screen(t), "┃\n")
}

// TestNearestName: a name that is typed in full is meant, whatever else begins or deals with it.
func TestNearestName(t *testing.T) {
	for typed, want := range map[string]string{"/to": "/to", "/tok": "/token", "/t": "/token", "/re": "/renew", "/res": "/resend"} {
		r := opened(t, 120, 40, online())
		r.write(typed)
		wantOn(t, r.screen(t), "▌ "+want+" ")
	}
	r := opened(t, 120, 40, online())
	r.strokes("=/to", "enter")
	if r.focus != chatPanel || !strings.Contains(r.notice, "/to takes one name") {
		t.Errorf("/to leads to the panel %s and says %q", r.panels[r.focus].name, r.notice)
	}
	for typed, want := range map[string]string{"find": "/find", "fi": "/find", "/find": "/find", "Log": "/login", "resend": "/resend"} {
		r.strokes("ctrl+k", "="+typed)
		if p := r.dialog.(*palette); p.shown[0].name != want {
			t.Errorf("%q in the palette finds %s first, want %s", typed, p.shown[0].name, want)
		}
		r.keys("esc")
	}
}

func TestFate(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.write("hello")
	r.keys("enter")
	wantOn(t, r.screen(t), "… ", "sending")
	r.happen(session.Event{Name: session.MessageDelivered, MessageID: "m1"}, session.Event{Name: session.MessageSent, MessageID: "m1"})
	wantOn(t, r.screen(t), "✓✓ delivered") // a fate never goes back
	r.happen(session.Event{Name: session.MessageFailed, MessageID: "nobody's"})
}

func TestScrolling(t *testing.T) {
	r := opened(t, 120, 40, online())
	for i := range 100 {
		r.happen(session.Event{Name: session.MessageReceived, From: "echo", Text: strings.Repeat("x", i+1)},
			session.Event{Name: session.TokenRequested, Token: strings.Repeat("y", i+1)})
	}
	still := r.screen(t)
	for _, scroll := range []tea.Msg{press("pgup"), tea.MouseWheelMsg{X: 2, Y: 10, Button: tea.MouseWheelUp}} {
		r.send(scroll)
		if !r.talk.away || r.timeline.away {
			t.Errorf("%v scrolls the wrong panel", scroll)
		}
		wantOn(t, r.screen(t), "below ↓ Esc")
		r.keys("esc")
		if r.screen(t) != still {
			t.Error("Esc does not lead back to the newest line")
		}
	}
	r.keys("tab", "up")
	r.send(tea.MouseWheelMsg{X: 100, Y: 35, Button: tea.MouseWheelUp})
	if r.talk.away || !r.timeline.away {
		t.Error("the timeline does not scroll")
	}
	r.keys("pgdown", "end", "shift+tab")
	if r.timeline.away || r.focus != chatPanel || r.screen(t) != still {
		t.Error("the timeline does not scroll back")
	}
	r.keys("f2")
	if r.View().MouseMode != tea.MouseModeNone {
		t.Error("F2 does not give the mouse away")
	}
	r.keys("f2")
	if r.View().MouseMode != tea.MouseModeCellMotion {
		t.Error("F2 does not take the mouse back")
	}
}

func TestTabs(t *testing.T) {
	r := opened(t, 80, 24, online(), talking()...)
	for _, want := range []string{"renewed: 007eJx…9f2a", "the token in use, the 2nd", "[ ] status", "still there?"} {
		r.keys("tab")
		wantOn(t, r.screen(t), want)
	}
	r.keys("tab", "esc")
	if r.focus != chatPanel {
		t.Error("Esc does not lead back to the chat")
	}
	r.keys("tab", "tab")
	r.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	wantOn(t, r.screen(t), "the token in use, the 2nd", "still there?")
}

// TestLeave goes back to the login screen, where what is left of the old session must change nothing.
func TestLeave(t *testing.T) {
	r := opened(t, 80, 24, stopped(), talking()...)
	r.write("x")
	r.keys("esc")
	if r.session == nil {
		t.Fatal("Esc leaves although a message is half written")
	}
	r.keys("backspace", "esc")
	if r.session != nil {
		t.Fatal("Esc does not lead back to the login screen")
	}
	for _, cmd := range r.pending {
		cmd()
	}
	if !slices.Equal(r.fake.asked, []string{"close"}) {
		t.Errorf("the old session is asked %v", r.fake.asked)
	}
	wantOn(t, r.screen(t), "talk to", "Enter logs in")
	before := len(r.timeline.entries)
	r.happen(talking()...)
	r.keys("enter")
	r.send(eventsMsg{opened: 1, events: talking()})
	if len(r.timeline.entries) != before || len(r.talk.entries) != 0 {
		t.Error("late events of the old session are shown")
	}
}

func TestEmulatorEvents(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.send(emulatorMsg{events: []EmulatorEvent{
		{At: noon, Name: "token.issued", User: "alice", Entry: saying{text: "ends 12:05:01"}},
		{At: noon, Name: "rest.request", User: "bob", Code: 401, Entry: saying{text: "POST /token"}},
		{At: noon, Name: "message.stored", User: "alice", Entry: saying{text: "alice to echo"}},
	}})
	screen := r.screen(t)
	wantOn(t, screen, "token issued: ends 12:05:01", "bob 401: POST /token")
	if strings.Contains(screen, "message stored") {
		t.Error("the timeline tells of messages")
	}
	r.send(emulatorMsg{err: errNope})
	if !strings.Contains(r.notice, "journal ends here: nope") {
		t.Errorf("the end of the journal says %q", r.notice)
	}
}

func TestMissedEvents(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.send(eventsMsg{opened: 1, missed: 7})
	r.send(eventsMsg{opened: 1, missed: 7})
	r.keys("tab")
	if screen := r.screen(t); strings.Count(screen, "7 events came too fast for the screen") != 1 {
		t.Errorf("the timeline does not tell once of what is missing:\n%s", screen)
	}
}

package tui

import (
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

var sizes = []tea.WindowSizeMsg{{Width: 120, Height: 40}, {Width: 80, Height: 24}, {Width: 40, Height: 12}, {Width: 200, Height: 60}}

// conversation opens a screen in the middle of a talk, with own messages in every state.
func conversation(t testing.TB, size tea.WindowSizeMsg, snap session.Snapshot, more ...session.Event) *rig {
	r := opened(t, size.Width, size.Height, snap, talk()...)
	for _, text := range []string{"hello", "are you sure?", "and now?", "one more"} {
		r.write(text)
		r.keys("enter")
	}
	r.happen(
		session.Event{Name: session.MessageDelivered, MessageID: "m1"},
		session.Event{Name: session.MessageSent, MessageID: "m2"},
		session.Event{Name: session.MessageFailed, MessageID: "m3", Reason: "the service answered 501"},
	)
	r.send(emulatorMsg{events: []EmulatorEvent{{At: noon, Name: "session.renewed", User: "alice", Text: "expires 12:04:42"}}})
	r.happen(more...)
	return r
}

// moments are the screens that must look right.
func moments() map[string]func(testing.TB, tea.WindowSizeMsg) *rig {
	show := func(snap session.Snapshot, more ...session.Event) func(testing.TB, tea.WindowSizeMsg) *rig {
		return func(t testing.TB, size tea.WindowSizeMsg) *rig { return conversation(t, size, snap, more...) }
	}
	end := session.Event{Name: session.TokenExpired, Callback: "onTokenExpired", Code: chat.TokenExpired}
	ask := lastFifth()
	ask.Policy.OnWillExpire, ask.RetryAt, ask.Reason = session.WillExpireAsk, time.Time{}, ""
	return map[string]func(testing.TB, tea.WindowSizeMsg) *rig{
		"login": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			return newRig(t, size.Width, size.Height, loggedOut())
		},
		"login_fault": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := newRig(t, size.Width, size.Height, loggedOut())
			r.write("!")
			r.keys("enter")
			return r
		},
		"online": show(online()),
		"last_fifth": show(lastFifth(),
			session.Event{Name: session.RenewFailed, Reason: "the token server does not answer", RetryAt: noon.Add(2 * time.Second)}),
		"ask":     show(ask),
		"expired": show(expired(), end, session.Event{Name: session.LoginStarted, Attempt: 1}),
		"stopped": show(stopped(),
			session.Event{Name: session.StateChanged, New: session.Stopped, Code: chat.InvalidToken, Reason: stopped().Reason}),
		"waiting":    show(waiting(), end),
		"logged_out": show(loggedOut(), session.Event{Name: session.LoggedOutNow}),
		"help": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.keys("?")
			return r
		},
		"policy": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.keys("ctrl+p", "down")
			return r
		},
		"timeline": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.keys("tab")
			return r
		},
	}
}

func TestScreens(t *testing.T) {
	for name, open := range moments() {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s_%dx%d", name, size.Width, size.Height), func(t *testing.T) {
				golden.RequireEqual(t, open(t, size).screen(t))
			})
		}
	}
}

func TestColours(t *testing.T) {
	for name, background := range map[string]tea.BackgroundColorMsg{"dark": {}, "light": {Color: lightGrey{}}} {
		t.Run(name, func(t *testing.T) {
			r := conversation(t, sizes[0], lastFifth())
			r.send(background)
			golden.RequireEqual(t, r.View().Content)
		})
	}
}

// lightGrey is the background of a light terminal.
type lightGrey struct{}

func (lightGrey) RGBA() (r, g, b, a uint32) { return 0xeeee, 0xeeee, 0xeeee, 0xffff }

package tui

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

var sizes = []tea.WindowSizeMsg{{Width: 120, Height: 40}, {Width: 80, Height: 24}, {Width: 40, Height: 12}, {Width: 200, Height: 60}}

// conversation opens a screen in the middle of a talk, with own messages in every state.
func conversation(t testing.TB, size tea.WindowSizeMsg, snap session.Snapshot, more ...session.Event) *rig {
	r := opened(t, size.Width, size.Height, snap, talking()...)
	for _, text := range []string{"hello", "are you sure?", "and now?", "one more"} {
		r.write(text)
		r.keys("enter")
	}
	r.happen(
		session.Event{Name: session.MessageDelivered, MessageID: "m1"},
		session.Event{Name: session.MessageSent, MessageID: "m2"},
		session.Event{Name: session.MessageFailed, MessageID: "m3", Reason: "the service answered 501"},
	)
	r.send(emulatorMsg{events: []EmulatorEvent{{At: noon, Name: "session.renewed", User: "alice", Entry: saying{text: "expires 12:04:42"}}}})
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
	skewed := online()
	skewed.ClockWarning = "this device's clock is 10 min behind the service's; set it right"
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
		"skewed":     show(skewed, session.Event{Name: session.ClockSkewed, ClockAhead: 10 * time.Minute, Reason: skewed.ClockWarning}),
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
		"faults": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.broken.list = []Fault{{ID: "f1", Target: "token-server", Name: "status", Count: 3, Applied: 1, Params: map[string]string{"status": "503"}}}
			r.send(faultsMsg{list: r.broken.list})
			r.keys("ctrl+f", "down", "down", "down", "down")
			return r
		},
		"token": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.keys("ctrl+t")
			return r
		},
		"palette": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.keys("ctrl+k", "down", "down")
			return r
		},
		"details": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.keys("tab", "up", "up", "enter")
			return r
		},
		"commands": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			r.write("/re")
			return r
		},
		"conversations": func(t testing.TB, size tea.WindowSizeMsg) *rig {
			r := conversation(t, size, online())
			for range 30 {
				r.happen(session.Event{Name: session.MessageReceived, From: "echo", Text: "one of many"})
			}
			r.happen(session.Event{Name: session.MessageReceived, From: "bob", Text: "psst"})
			r.keys("pgup")
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
	for moment, open := range moments() {
		colours(t, moment, open)
	}
}

// colours holds the colours of a screen, at the four sizes on either background and with NO_COLOR, as the terminal gets them.
func colours(t *testing.T, moment string, open func(testing.TB, tea.WindowSizeMsg) *rig) {
	looks := map[string]struct {
		background tea.BackgroundColorMsg
		profile    colorprofile.Profile
	}{
		"dark": {tea.BackgroundColorMsg{}, colorprofile.TrueColor}, "light": {tea.BackgroundColorMsg{Color: lightGrey{}}, colorprofile.TrueColor},
		"no_color": {tea.BackgroundColorMsg{}, colorprofile.ASCII},
	}
	for name, look := range looks {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s_%s_%dx%d", name, moment, size.Width, size.Height), func(t *testing.T) {
				r := open(t, size)
				r.send(look.background)
				var out bytes.Buffer
				w := colorprofile.Writer{Forward: &out, Profile: look.profile}
				if _, err := w.WriteString(r.View().Content); err != nil {
					t.Fatal(err)
				}
				if name == "no_color" && strings.Contains(out.String(), "38;2") {
					t.Error("there are colours")
				}
				golden.RequireEqual(t, out.String())
			})
		}
	}
}

// lightGrey is the background of a light terminal.
type lightGrey struct{}

func (lightGrey) RGBA() (r, g, b, a uint32) { return 0xeeee, 0xeeee, 0xeeee, 0xffff }

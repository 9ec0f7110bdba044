package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/session"
)

// Whatever the last change was, every state can be read in the picture, and nothing is drawn over anything else.
func TestLifePicture(t *testing.T) {
	r := opened(t, 200, 60, online())
	for _, from := range session.States() {
		for _, to := range session.States() {
			r.snap.State, r.last = to, change{from: from, to: to, at: noon}
			picture := ansi.Strip(strings.Join(r.life(lifeWidth)[:lifeHeight], "\n"))
			for _, line := range strings.Split(picture, "\n") {
				if len([]rune(line)) > lifeWidth {
					t.Errorf("%s → %s: too wide: %q", from, to, line)
				}
			}
			for _, state := range session.States() {
				want := places[state].label
				switch {
				case state == to:
					want = "[" + strings.ToUpper(want) + "]"
				case state == session.Fetching, spot(state) == spot(to):
					continue
				}
				if strings.Count(picture, want) != 1 {
					t.Errorf("%s → %s: %q is not there once:\n%s", from, to, want, picture)
				}
			}
		}
	}
}

// Where one has come to is marked by an arrow that ends there, for the states that end a session from wherever.
func TestArrivals(t *testing.T) {
	r := opened(t, 200, 60, online())
	for _, to := range []session.State{session.Stopped, session.LoggedOut} {
		for _, from := range session.States() {
			if from == to {
				continue
			}
			r.snap.State, r.last = to, change{from: from, to: to, at: noon}
			marked := strings.Join(r.life(lifeWidth)[:lifeHeight], "\n")
			for _, p := range []string{"─▶", "▼", "◀───╯"} {
				if strings.Contains(marked, r.accent.Bold().Render(p)) {
					marked = ""
				}
			}
			if marked != "" {
				t.Errorf("%s → %s is not marked:\n%s", from, to, marked)
			}
		}
	}
}

// Where the life is one line, the present state stands in it whole, and behind it what the last change was and when.
func TestTheLifeInOneLine(t *testing.T) {
	for _, size := range []struct{ width, height int }{{60, 20}, {80, 24}, {100, 28}} {
		r := opened(t, size.width, size.height, online())
		for _, from := range session.States() {
			for _, to := range session.States() {
				if from == to {
					continue
				}
				r.snap.State, r.last = to, change{from: from, to: to, at: noon, reason: strings.Repeat("a long reason ", 20)}
				line := ansi.Strip(r.pathLine(size.width))
				if state := "[" + strings.ToUpper(places[to].label) + "]"; !strings.Contains(line, state) {
					t.Errorf("%d cells, %s → %s: %q lacks %s", size.width, from, to, line, state)
				}
				if !strings.Contains(line, "12:04:31") || strings.Contains(line, "…") {
					t.Errorf("%d cells, %s → %s: %q lacks the last change", size.width, from, to, line)
				}
			}
		}
	}
}

// What a renewal came to is told in a word, also where it leads back to the same state.
func TestTheLastChangeInAWord(t *testing.T) {
	changed := func(from, to session.State) session.Event {
		return session.Event{Name: session.StateChanged, Old: from, New: to}
	}
	for want, events := range map[string][]session.Event{
		"logged in 12:04:31":   {changed(session.LoggingIn, session.Online)},
		"renewed 12:04:31":     {{Name: session.RenewSucceeded}, changed(session.Renewing, session.Online)},
		"not renewed 12:04:31": {{Name: session.RenewFailed}, changed(session.Renewing, session.Online)},
		"link lost 12:04:31":   {changed(session.Online, session.Reconnecting)},
		"link back 12:04:31":   {changed(session.Reconnecting, session.Online)},
		"stopped 12:04:31":     {changed(session.LoggingIn, session.Stopped)},
		"waiting 12:04:31":     {changed(session.LoggingIn, session.Waiting)},
	} {
		r := opened(t, 80, 24, online(), events...)
		for i := range events {
			if events[i].Name == session.StateChanged {
				r.last.reason = strings.Repeat("a long reason ", 20)
			}
		}
		wantOn(t, strings.Split(r.screen(t), "\n")[2], want)
	}
}

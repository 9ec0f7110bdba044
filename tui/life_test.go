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

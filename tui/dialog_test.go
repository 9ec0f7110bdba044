package tui

import (
	"strings"
	"testing"

	"github.com/ttlchat/ttlchat/session"
)

// TestDialogsOwnTheirKeys: while something lies over the panels, the last line has its keys and no others, Esc is said to close it and
// nothing else, and a key that means nothing there says so.
func TestDialogsOwnTheirKeys(t *testing.T) {
	for name, tc := range map[string]struct {
		open    []string
		hint    string
		refused []string // keys that do nothing there
	}{
		"palette":  {[]string{"ctrl+k"}, "Enter does it", []string{"ctrl+r", "ctrl+l", "alt+enter"}},
		"question": {[]string{"ctrl+t", "ctrl+y"}, "y yes   n no", []string{"ctrl+r", "ctrl+l", "z", "ctrl+t"}},
		"details":  {[]string{"tab", "up", "enter"}, "Esc closes", []string{"z", "f"}},
		"help":     {[]string{"?"}, "↑↓ PgUp PgDn scroll", []string{"z"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := opened(t, 80, 24, online(), append(talking(), session.Event{Name: session.LoginSucceeded})...)
			r.keys(tc.open...)
			if r.dialog == nil {
				t.Fatal("nothing is open")
			}
			screen := r.screen(t)
			lines := strings.Split(screen, "\n")
			last := lines[len(lines)-1]
			wantOn(t, last, tc.hint)
			if strings.Contains(last, "^R") || strings.Contains(screen, "Esc hides") || strings.Contains(screen, "Esc leads") {
				t.Errorf("what lies below still has keys:\n%s", screen)
			}
			r.fake.asked = nil
			for _, key := range tc.refused {
				r.keys(key)
				if want := keyName(key) + " does nothing while this is open: "; !strings.HasPrefix(r.notice, want) || r.dialog == nil || len(r.fake.asked) > 0 {
					t.Errorf("%s says %q and asks for %v", key, r.notice, r.fake.asked)
				}
			}
			r.keys("esc")
			if r.dialog != nil {
				t.Error("Esc does not close it")
			}
		})
	}
}

// TestKeyNames: a key is called on the screen what the help calls it.
func TestKeyNames(t *testing.T) {
	for name, want := range map[string]string{
		"ctrl+u": "^U", "alt+e": "Alt+E", "shift+up": "Shift+↑", "ctrl+alt+x": "^Alt+X", "pgdown": "PgDn", "f5": "F5", "space": "Space", "x": "x", "X": "X", "f": "f",
		"+": "+", "ctrl++": "^+", "enter": "Enter", "\x1b[2J": "",
	} {
		if got := keyName(name); got != want {
			t.Errorf("%s is called %q, want %q", name, got, want)
		}
	}
	r := opened(t, 80, 24, online())
	r.keys("tab", "ctrl+u")
	wantOn(t, r.screen(t), "^U does nothing here")
}

// TestDialogsLeaveTheLifeInSight: on a large screen whatever is open lies over the chat, beside the countdown and the picture.
func TestDialogsLeaveTheLifeInSight(t *testing.T) {
	for _, size := range sizes {
		for _, open := range [][]string{{"ctrl+k"}, {"?"}, {"tab", "up", "enter"}, {"ctrl+t", "ctrl+y"}} {
			r := opened(t, size.Width, size.Height, online(), talking()...)
			if !r.large() {
				continue
			}
			r.keys(open...)
			wantOn(t, r.screen(t), "W  will expire in", "then log in again", "logged out ─▶ logging in ─▶[ONLINE]─────▶ will expire", "waiting ──╯")
			if r.dialog == nil {
				t.Errorf("%v opens nothing", open)
			}
		}
	}
}

// TestThePaletteExplains: what is cut beside a name is told below the list for the one that is pointed at.
func TestThePaletteExplains(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.strokes("ctrl+k", "=/find")
	wantOn(t, r.screen(t), "F3  look for a text in the conversation; again", "looks further up, Shift+F3 down")
	r.strokes("esc", "ctrl+k", "=/resend")
	wantOn(t, r.screen(t), "not now: no message of this conversation has")
}

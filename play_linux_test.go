package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// A scenario is played on a terminal: the exit code says what came of it, and the terminal is given back.
func TestPlayOnATerminal(t *testing.T) {
	t.Parallel()
	// The life is long, so that nothing ends by itself before a key was pressed: a scenario to its end stops early, the others are left.
	const toItsEnd, left = playedScenario + stopsEarly, playedScenario
	for name, tc := range map[string]struct {
		text  string
		act   func(*terminal)
		code  int
		shown string // on the ordinary screen
	}{
		"passed": {toItsEnd, func(tt *terminal) {
			tt.see("PASSED")
			tt.press("\x03")
		}, exitFine, "ok     short"},
		"taken over": {left, func(tt *terminal) {
			tt.see("PLAYING")
			tt.press("t")
			tt.see("TAKEN OVER")
			tt.see("ONLINE")
			tt.press("\x0f") // ^O
			tt.see("LOGGED OUT")
			tt.press("\x03")
		}, exitFine, "short: taken over, so there is no verdict"},
		"again": {toItsEnd, func(tt *terminal) {
			tt.see("PASSED")
			tt.press("r")
			tt.see("from the beginning")
			tt.see("PASSED")
			tt.press("\x03")
		}, exitFine, "ok     short"},
		"left":    {left, func(tt *terminal) { tt.see("PLAYING"); tt.press(" "); tt.see("PAUSED"); tt.press("\x03") }, exitFailed, "left before its end"},
		"SIGTERM": {left, func(tt *terminal) { tt.see("PLAYING"); tt.signal(syscall.SIGTERM) }, exitFailed, "terminated signal received"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := t.TempDir() + "/short.yaml"
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			tt := start(t, 80, 24, "ttlchat", "play", file, "--ttl", "1h")
			tc.act(tt)
			if code := tt.end(); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			tt.given()
			tt.until(tc.shown, func() bool { // its lines are broken at the edge of the terminal
				return strings.Contains(strings.Join(strings.Fields(tt.String()), " "), strings.Join(strings.Fields(tc.shown), " "))
			})
		})
	}
}

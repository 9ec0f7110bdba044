package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// become changes how the session stands, and lets the screen see it.
func (r *rig) become(change func(*session.Snapshot)) {
	change(&r.fake.snap)
	r.send(nil)
}

// However long the names are, one sees the state and the faults that are on, at every size.
func TestLongNamesHideNothing(t *testing.T) {
	for _, size := range []struct{ width, height int }{{40, 12}, {62, 20}, {80, 24}, {120, 40}, {200, 60}} {
		for _, name := range []string{"bo", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", strings.Repeat("名", 64)} {
			snap := online()
			snap.User = name
			r := opened(t, size.width, size.height, snap)
			r.talk.peer = name
			r.faults.list = []Fault{{ID: "f1", Target: "token-server", Name: "status"}}
			top := strings.Join(strings.Split(r.screen(t), "\n")[:2], "\n")
			wantOn(t, top, "● ONLINE")
			if !strings.Contains(top, "FAULT") && !strings.Contains(top, "token-server status") {
				t.Errorf("nothing tells of the fault:\n%s", top)
			}
			wantOn(t, top, string([]rune(name)[:2]))
		}
	}
}

// The card says how the last token ended for as long as there is no other one, and what is below it stays where it is.
func TestTheEndIsShown(t *testing.T) {
	for name, tc := range map[string]struct {
		state   session.State
		expired bool
		want    []string
	}{
		"it expired":  {session.Waiting, true, []string{"100 %", "E  expired", "the last token, the 2nd"}},
		"logged out":  {session.LoggedOut, false, []string{"62 % of 30 s", "the last token, the 2nd"}},
		"no more try": {session.Stopped, true, []string{"100 %", "E  expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := opened(t, 120, 40, online())
			row := func() int { return strings.Count(strings.Split(r.screen(t), "where it stands")[0], "\n") }
			before := row()
			if tc.expired {
				r.become(func(s *session.Snapshot) {
					s.ExpiredFired, s.WillExpireFired = true, true
					s.Token.ExpiresAt, s.Token.WillExpireAt = noon, noon.Add(-6*time.Second)
				})
			}
			r.become(func(s *session.Snapshot) { s.State, s.Linked, s.Token = tc.state, false, nil })
			wantOn(t, r.screen(t), tc.want...)
			r.fake.now = func() time.Time { return noon.Add(time.Hour) }
			r.send(nil)
			wantOn(t, r.screen(t), tc.want...)
			if after := row(); after != before {
				t.Errorf("the panel below has moved from row %d to %d", before, after)
			}
		})
	}
}

// An expiry that the service has pushed came when it came, and not when it was due.
func TestAnEarlyEnd(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {120, 40}} {
		r := opened(t, size.width, size.height, online())
		r.become(func(s *session.Snapshot) {
			s.State, s.Linked, s.WillExpireFired, s.ExpiredFired, s.Since = session.Expired, false, true, true, noon.Add(-3*time.Second)
		})
		if screen := r.screen(t); !strings.Contains(screen, "12:04:28") || strings.Contains(screen, "12:04:42, then") || strings.Contains(screen, "expired 12:04:42") {
			t.Errorf("it is said to have expired at another time:\n%s", screen)
		}
		r.become(func(s *session.Snapshot) { s.WillExpireFired = false })
		if size.width == 120 {
			wantOn(t, r.screen(t), "W  will expire: it never came")
		}
	}
}

// Who logs out after an expiry that came early still reads when that was, and the bar stands where it stood.
func TestTheEndStaysWhereItWas(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online())
		r.become(func(s *session.Snapshot) {
			s.State, s.Linked, s.WillExpireFired, s.ExpiredFired, s.Since = session.Expired, false, true, true, noon
			s.WarnedAt, s.ExpiredAt, s.Policy.OnExpired = noon.Add(-time.Second), noon, session.ExpiredIgnore
		})
		bar := func() string {
			for _, line := range strings.Split(r.screen(t), "\n") {
				if _, bar, ok := strings.Cut(line, "█"); ok {
					return bar
				}
			}
			return ""
		}
		before := bar()
		r.fake.now = func() time.Time { return noon.Add(5 * time.Second) }
		if r.send(nil); bar() != before {
			t.Errorf("%dx%d: the bar of a dead token goes on:\n%s\n%s", size.Width, size.Height, before, bar())
		}
		r.become(func(s *session.Snapshot) { s.State, s.Token, s.Since = session.LoggedOut, nil, noon.Add(5*time.Second) })
		if bar() != before {
			t.Errorf("%dx%d: the bar jumps when one logs out:\n%s\n%s", size.Width, size.Height, before, bar())
		}
		if size.Width > 40 {
			wantOn(t, r.screen(t), "12:04:31")
		}
		if screen := r.screen(t); strings.Contains(screen, "12:04:36") || strings.Contains(screen, "12:04:42") {
			t.Errorf("it is said to have expired at another time:\n%s", screen)
		}
	}
}

// The countdown of a day is written out as far as it goes, and the bar is what gets shorter.
func TestTheDayIsNotCut(t *testing.T) {
	for width := 60; width < 110; width++ {
		snap := online()
		snap.Token.AcceptedAt, snap.Token.IssuedAt = noon, noon
		snap.Token.WillExpireAt, snap.Token.ExpiresAt = noon.Add(19*time.Hour+12*time.Minute), noon.Add(24*time.Hour)
		line := strings.Split(opened(t, width, 24, snap).screen(t), "\n")[1]
		if strings.Contains(line, "…") || !strings.Contains(line, "will expire 19h 12m · expires 24h 00m") || width >= 74 && !strings.Contains(line, "at Mon 12:04:31") {
			t.Errorf("%d cells: %s", width, line)
		}
	}
}

// A sentence that needs another row moves the rest once, and not again when it is gone.
func TestTheRestStaysBelowTheSentence(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {120, 40}} {
		r := opened(t, size.width, size.height, online())
		lines := func() int { return strings.Count(strings.Split(r.screen(t), "timeline")[0], "\n") }
		r.become(func(s *session.Snapshot) {
			s.State, s.Reason = session.WillExpire, strings.Repeat("the token server is far away ", 5)
		})
		there := lines()
		r.become(func(s *session.Snapshot) { s.State, s.Reason = session.Online, "" })
		if back := lines(); back != there {
			t.Errorf("%dx%d: the timeline went from line %d to %d", size.width, size.height, there, back)
		}
	}
}

// Who has skipped ahead with one session logs in with a clock that agrees with the emulator's.
func TestTheNextSessionIsAhead(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.keys("ctrl+n")
	r.leave()
	r.fake.asked = nil
	r.keys("enter")
	if got := strings.Join(r.fake.asked, " "); got != "jump 5.401s login" {
		t.Errorf("the next session is asked to %s", got)
	}
}

// What somebody points at stays in sight, whatever comes.
func TestPointingPausesFollowing(t *testing.T) {
	r := opened(t, 120, 40, online(), talking()...)
	r.keys("tab", "up", "up")
	at, _ := r.timeline.target()
	for range 100 {
		r.happen(session.Event{Name: session.RenewStarted, At: noon.Add(time.Minute)})
	}
	wantOn(t, r.screen(t), "▌", "100 newer ones below")
	if got, _ := r.timeline.target(); got != at {
		t.Errorf("it points at %s", got.name)
	}
	r.keys("end")
	if strings.Contains(r.screen(t), "newer ones") {
		t.Error("it does not follow again")
	}
}

// The column of the offsets is as wide as they are.
func TestOffsetsOfADay(t *testing.T) {
	r := opened(t, 120, 40, online(), session.Event{Name: session.LoginStarted, At: noon})
	r.happen(session.Event{Name: session.TokenExpired, At: noon.Add(24*time.Hour - time.Second)})
	wantOn(t, r.screen(t), "    +0.00  │", " +23h59:59  │")
}

// A renewal or a login that failed is marked in the picture, too.
func TestSetbacksAreMarked(t *testing.T) {
	for _, tc := range []struct {
		from, to session.State
		want     string
	}{{session.Renewing, session.WillExpire, "renewing ─────╮"}, {session.Fetching, session.Waiting, "WAITING]◀─╯"}} {
		r := opened(t, 120, 40, snapshot(tc.to, 0))
		r.happen(session.Event{Name: session.StateChanged, Old: tc.from, New: tc.to})
		wantOn(t, r.screen(t), tc.want)
	}
}

// A notice goes with the next click, and by itself when the screen changes long after it.
func TestNoticesGo(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.say("something was said", calm)
	r.send(nil)
	wantOn(t, r.screen(t), "something was said")
	r.send(tea.MouseClickMsg{X: 3, Y: 5, Button: tea.MouseLeft})
	if r.notice != "" {
		t.Error("a click leaves it")
	}
	r.say("something was said", calm)
	r.noticed = time.Now().Add(-noticeTime - time.Second)
	if r.send(nil); r.notice != "" {
		t.Error("it stays")
	}
}

// A character that the input counts otherwise than the terminal leaves no sign of being cut behind.
func TestFamiliesInTheInput(t *testing.T) {
	for _, text := range []string{"👨‍👩‍👧 x", "👍🏽 ok"} {
		r := opened(t, 80, 24, online())
		r.send(tea.PasteMsg{Content: text})
		lines := strings.Split(r.screen(t), "\n")
		if line := lines[len(lines)-2]; strings.Contains(line, "…") || !strings.Contains(line, text) {
			t.Errorf("the input is %q", line)
		}
	}
}

// TestAFailedRenewalIsSeen: at every size, with and without a fault on, whoever is online sees that a renewal has failed, and when the next try is.
func TestAFailedRenewalIsSeen(t *testing.T) {
	for _, size := range sizes {
		for _, faults := range [][]Fault{nil, {{ID: "f1", Target: "token-server", Name: "refuse"}}} {
			r := opened(t, size.Width, size.Height, online())
			r.faults.list = faults
			r.become(func(s *session.Snapshot) { s.Reason, s.RetryAt, s.Attempt = "no answer", noon.Add(2*time.Second), 1 })
			wantOn(t, strings.Join(strings.Fields(r.screen(t)), " "), "The renewal failed: no answer. Next try in 2.0 s.")
		}
	}
}

// In a life that is too short for will-expire nobody is told to wait for it, at any size: no mark stands on the bar, and no countdown beside it.
func TestNoWillExpire(t *testing.T) {
	for _, size := range sizes {
		snap := snapshot(session.Online, 2*time.Second)
		snap.Profile, snap.Token.WillExpireAt = chat.RTC, time.Time{}
		screen := opened(t, size.Width, size.Height, snap).screen(t)
		wantOn(t, screen, "no will-expire")
		for _, line := range strings.Split(screen, "\n") {
			if strings.Contains(line, "█") && (strings.Contains(line, "W") || strings.Contains(line, "░│")) || strings.Contains(line, "W  ") {
				t.Errorf("%dx%d: there is a mark: %s", size.Width, size.Height, line)
			}
			if strings.Contains(line, "will expire in") || strings.Contains(line, "then renew") || strings.Contains(line, "fired") {
				t.Errorf("%dx%d: will-expire is promised: %s", size.Width, size.Height, line)
			}
		}
	}
}

// However long the reason is, who needs to act sees what would help, and who waits sees for how long.
func TestRemediesAreNotCut(t *testing.T) {
	long := strings.Repeat("the token server has a long explanation ", 7)
	inVain := expired()
	inVain.Policy.OnExpired, inVain.Attempt, inVain.Code = session.ExpiredRenew, 1, chat.NotLoggedIn
	waits := waiting()
	failing := online()
	failing.RetryAt = noon.Add(2 * time.Second)
	for want, snap := range map[string]session.Snapshot{
		"^L tries again": stopped(), "^L logs in again": inVain, "^L logs in. Logged out": loggedOut(), "Next try in 4.2 s": waits, "Next try in 2.0 s": failing,
	} {
		snap.Reason = long
		for _, size := range []struct{ width, height int }{{80, 24}, {60, 20}, {40, 12}} {
			r := opened(t, size.width, size.height, snap)
			wantOn(t, strings.Join(strings.Fields(r.screen(t)), " "), want)
		}
	}
}

// A fault that is on is called by its name on a small screen too, as far as the state leaves room for it.
func TestFaultsHaveNames(t *testing.T) {
	for _, tc := range []struct {
		snap session.Snapshot
		on   []Fault
		want string
	}{
		{online(), []Fault{{Target: "token-server", Name: "refuse"}}, " token-server refuse "},
		{lastFifth(), []Fault{{Target: "token-server", Name: "refuse"}}, " FAULT: refuse "},
		{online(), []Fault{{Target: "link", Name: "cut"}}, " FAULT: link cut "},
		{online(), []Fault{{Target: "link", Name: "cut"}, {Target: "rest", Name: "hang"}}, " link cut, rest hang "},
		{lastFifth(), []Fault{{Target: "link", Name: "freeze"}, {Target: "token-server", Name: "refuse"}}, " 2 FAULTS "},
	} {
		r := opened(t, 40, 12, tc.snap)
		r.faults.list = tc.on
		wantOn(t, strings.Split(r.screen(t), "\n")[0], tc.want)
	}
}

// While a renewal fails, a small screen shows how long the token lives and when the next try comes, whatever the cause.
func TestAFailingRenewalHidesNothing(t *testing.T) {
	early := online()
	early.RetryAt = noon.Add(2 * time.Second)
	for _, snap := range []session.Snapshot{early, lastFifth()} {
		snap.Reason = strings.Repeat("a long reason ", 20)
		for _, on := range [][]Fault{nil, {{Target: "token-server", Name: "refuse"}}} {
			r := opened(t, 40, 12, snap)
			r.faults.list = on
			wantOn(t, r.screen(t), "█", "expires ", "Next try in 2.0 s", "long reason")
		}
	}
}

// The timeline at 120x40 shows the name and the code of each callback of a token's life whole, in every profile, and its details have both too.
func TestCallbacksAreNotCut(t *testing.T) {
	for _, p := range append(chat.Profiles(), chat.RTC) {
		for _, policy := range []session.OnWillExpire{session.WillExpireRenew, session.WillExpireAsk} {
			snap := online()
			snap.Profile, snap.Policy.OnWillExpire = p, policy
			r := opened(t, 120, 40, snap,
				session.Event{Name: session.TokenWillExpire, Callback: p.WillExpireCallback, Code: p.WillExpireCode, Token: "007eJx…9f2a", ExpiresAt: noon},
				session.Event{Name: session.TokenExpired, Callback: p.ExpiredCallback, Code: p.ExpiredCode, Token: "007eJx…9f2a", ExpiresAt: noon})
			_, timeline, _ := strings.Cut(r.screen(t), "─ timeline ─")
			warned := "will-expire"
			if p.WillExpireCode != chat.OK {
				warned += fmt.Sprintf(" %d", p.WillExpireCode)
			}
			wantOn(t, timeline, warned+": "+p.WillExpireCallback, fmt.Sprintf("expired %d: %s", p.ExpiredCode, p.ExpiredCallback))
			r.keys("tab", "up", "enter")
			wantOn(t, r.screen(t), p.ExpiredCode.String())
		}
	}
}

// The bar in one line keeps both marks from the first moment of a life to the last; they do not move, and everything before now is filled.
func TestTheMarksStay(t *testing.T) {
	for age := time.Duration(0); age <= 31*time.Second; age += 100 * time.Millisecond {
		for _, width := range []int{38, 58, 78} {
			v := tokenView{pen: opened(t, 80, 24, online()).pen, Snapshot: snapshot(session.Online, age), now: noon, at: noon}
			bar, _, _ := strings.Cut(ansi.Strip(v.strip(width)), "E")
			cells := []rune(bar)
			if at := slices.Index(cells, 'W'); at != len(cells)*24/30 {
				t.Fatalf("after %v W stands at %d of %q", age, at, bar)
			}
			if filled := strings.Count(bar, "█"); float64(filled) < float64(len(cells))*min(age.Seconds()/30, 1)-2 {
				t.Fatalf("after %v only %d cells of %q are filled", age, filled, bar)
			}
		}
	}
}

// A will-expire that came early makes the bar late as it makes the state.
func TestAnEarlyWarningIsSeen(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.become(func(s *session.Snapshot) { s.State, s.WillExpireFired = session.WillExpire, true })
	if bar := r.tokenView(noon).strip(78); !strings.HasPrefix(bar, r.tones[late].begin+"█") {
		t.Errorf("the bar is %q", bar)
	}
}

// Where something has failed while a fault is on that has applied, the way to end that is shown; a scenario's faults are its own.
func TestAFaultThatSpoilsIsNamedAsTheCause(t *testing.T) {
	on := []Fault{{Target: "token-server", Name: "refuse", Applied: 1}}
	for _, size := range sizes {
		for _, snap := range []session.Snapshot{waiting(), stopped(), lastFifth()} {
			r := opened(t, size.Width, size.Height, snap)
			hint := func() bool { return strings.Contains(r.screen(t), "^X") }
			if hint() {
				t.Errorf("%dx%d, %s: a fault is blamed that is not on", size.Width, size.Height, snap.State)
			}
			r.faults.list = on
			if r.send(nil); !hint() {
				t.Errorf("%dx%d, %s: nobody is told that a fault does this:\n%s", size.Width, size.Height, snap.State, r.screen(t))
			}
		}
	}
	r := opened(t, 120, 40, online())
	r.faults.list = on
	if r.send(nil); strings.Contains(r.screen(t), "^X") {
		t.Error("nothing has failed, and a fault is blamed for it")
	}
}

// On a small screen it is said who does something about a token that will expire.
func TestDeedsHaveSubjects(t *testing.T) {
	for want, answer := range map[string]session.OnWillExpire{"the app ignores it": session.WillExpireIgnore, "^R renews": session.WillExpireAsk} {
		snap := snapshot(session.WillExpire, 25*time.Second)
		snap.Policy.OnWillExpire = answer
		wantOn(t, strings.Split(opened(t, 40, 12, snap).screen(t), "\n")[0], want)
	}
}

// An event that reaches nobody says why, and a token for anybody whom it is for.
func TestNobodyAndAnybody(t *testing.T) {
	r := opened(t, 120, 40, loggedOut())
	r.broken.nobody = true
	r.keys("ctrl+f")
	r.pressed(t, "enter")
	if want := "will-expire reached nobody: alice is not connected"; r.notice != want {
		t.Errorf("it says %q, want %q", r.notice, want)
	}
	r.send(emulatorMsg{events: []EmulatorEvent{{At: noon, Name: "token.issued", User: "0", TokenServer: true, Entry: saying{text: "007eJx…9f2a"}}}})
	r.keys("esc", "tab")
	wantOn(t, r.screen(t), "token issued for uid 0, anybody: 007eJx")
}

// The header does not say that the tokens are the emulator's where they come from a server of one's own.
func TestWhoseTokens(t *testing.T) {
	for chosen, want := range map[Service]string{BuiltIn: "native on emulator  ", OwnTokenServer: "native on emulator, own tokens  "} {
		r := newRig(t, 160, 40, online())
		r.cfg.Form.Service = chosen
		r.form = newForm(r.cfg.Form)
		r.keys("enter")
		wantOn(t, strings.Split(r.screen(t), "\n")[0], want)
	}
}

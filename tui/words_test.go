package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

func TestSpanAndLife(t *testing.T) {
	tests := []struct {
		d          time.Duration
		span, life string
	}{
		{0, "0.0 s", "0 s"},
		{9900 * time.Millisecond, "9.9 s", "10 s"},
		{10 * time.Second, "10 s", "10 s"},
		{65 * time.Second, "1m 05s", "1 min 5 s"},
		{90 * time.Minute, "1h 30m", "1 h 30 min"},
		{24 * time.Hour, "24h 00m", "24 h"},
	}
	for _, test := range tests {
		if got := span(test.d); got != test.span {
			t.Errorf("span(%v) = %q, want %q", test.d, got, test.span)
		}
		if got := life(test.d); got != test.life {
			t.Errorf("life(%v) = %q, want %q", test.d, got, test.life)
		}
	}
}

// TestLeft: what is shown is never further off than its own unit, never negative, and changes only when the clock's second changes, its
// tenth in the last ten seconds, or its minute beyond an hour.
func TestLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(int64(-time.Minute), int64(30*time.Hour)).Draw(t, "left"))
		now := noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "now")))
		shown, unit := left(now.Add(d), now), time.Second
		switch {
		case d < soon:
			unit = soonStep
		case d > far:
			unit = time.Minute
		}
		if shown < 0 || shown%unit != 0 {
			t.Fatalf("%v is shown as %v", d, shown)
		}
		if off := (shown - max(d, 0)).Abs(); off > unit+unit/2 {
			t.Fatalf("%v is shown as %v", d, shown)
		}
		start := now.Truncate(unit)
		deadline := now.Add(d)
		sameUnit := deadline.Sub(start) < soon == (d < soon) && deadline.Sub(start) > far == (d > far)
		if sameUnit && left(deadline, start) != shown {
			t.Fatalf("%v is shown as %v, at the beginning of the unit as %v", d, shown, left(deadline, start))
		}
	})
}

func TestSituation(t *testing.T) {
	with := func(s session.Snapshot, change func(*session.Snapshot)) session.Snapshot {
		change(&s)
		return s
	}
	tests := []struct {
		name string
		snap session.Snapshot
		want string
	}{
		{"logged out", loggedOut(), "Nobody is logged in: ^L logs in."},
		{"logged out by a person", with(loggedOut(), func(s *session.Snapshot) { s.Reason = session.AskedFor }), "Logged out, as asked. ^L logs in."},
		{"logged out for another reason", with(loggedOut(), func(s *session.Snapshot) { s.Reason = "the scenario is over" }),
			"Logged out. The scenario is over. ^L logs in."},
		{"fetching", session.Snapshot{State: session.Fetching}, "Asking the token server for a token…"},
		{"fetching again", session.Snapshot{State: session.Fetching, Attempt: 2}, "Asking the token server for a token, attempt 3…"},
		{"logging in", session.Snapshot{State: session.LoggingIn}, "Logging in…"},
		{"online", online(), "Next: onTokenWillExpire. The app will renew."},
		{"online and idle", with(online(), func(s *session.Snapshot) { s.Policy.OnWillExpire = session.WillExpireIgnore }),
			"Next: onTokenWillExpire. The app will ignore it."},
		{"online, renewing by interval", with(online(), func(s *session.Snapshot) { s.Policy.RenewEvery, s.RenewAt = time.Minute, noon.Add(4*time.Second) }),
			"Next: the app renews in 4.0 s, as it does every 1 min."},
		{"online, renewing by a rule of its own", with(online(), func(s *session.Snapshot) { s.RenewAt = noon.Add(4 * time.Second) }),
			"Next: the app renews in 4.0 s, well ahead of the expiry."},
		{"online, will-expire before the interval", with(online(), func(s *session.Snapshot) { s.RenewAt = s.Token.WillExpireAt.Add(time.Second) }),
			"Next: onTokenWillExpire. The app will renew."},
		{"online, a renewal has failed", with(online(), func(s *session.Snapshot) {
			s.Reason, s.RetryAt, s.RenewAt = "the token server does not answer", noon.Add(2*time.Second), noon.Add(time.Second)
		}), "The renewal failed: the token server does not answer. Next try in 2.0 s."},
		{"online, too short for a warning", with(online(), func(s *session.Snapshot) { s.Profile, s.Token.WillExpireAt = chat.RTC, time.Time{} }),
			"Next: onTokenPrivilegeDidExpire. The app will log in again. No onTokenPrivilegeWillExpire comes: the life is no longer than the 30 s lead."},
		{"online, too short for a warning, renewing by interval", with(online(), func(s *session.Snapshot) {
			s.Profile, s.Token.WillExpireAt, s.RenewAt, s.Policy.RenewEvery = chat.RTC, time.Time{}, noon.Add(4*time.Second), 10*time.Second
		}), "Next: the app renews in 4.0 s, as it does every 10 s."},
		{"online, renewed", with(online(), func(s *session.Snapshot) { s.Reason = "renewed" }), "Next: onTokenWillExpire. The app will renew."},
		{"online without an end", with(online(), func(s *session.Snapshot) { s.Token.ExpiresAt = time.Time{} }),
			"The service names no expiry for this token, so no token event will come."},
		{"online without a token", with(online(), func(s *session.Snapshot) { s.Token = nil }), "Online."},
		{"will expire", lastFifth(), "The token server does not answer. Next try in 2.0 s."},
		{"will expire, its own code", with(lastFifth(), func(s *session.Snapshot) { s.Code = chat.TokenWillExpire }),
			"The token server does not answer. Next try in 2.0 s."},
		{"will expire, nothing", snapshot(session.WillExpire, 25*time.Second), "No renewal is under way; ^R renews."},
		{"will expire, ask", with(snapshot(session.WillExpire, 25*time.Second), func(s *session.Snapshot) { s.Policy.OnWillExpire = session.WillExpireAsk }),
			"The token expires in 5.0 s — ^R renews."},
		{"will expire, ask, as it has just been said", with(snapshot(session.WillExpire, 25*time.Second), func(s *session.Snapshot) {
			s.Policy.OnWillExpire, s.Reason = session.WillExpireAsk, "the token will expire"
		}), "The token expires in 5.0 s — ^R renews."},
		{"will expire, ignore", with(snapshot(session.WillExpire, 25*time.Second), func(s *session.Snapshot) { s.Policy.OnWillExpire = session.WillExpireIgnore }),
			"The app ignores onTokenWillExpire; ^R renews."},
		{"renewing", snapshot(session.Renewing, 25*time.Second), "Renewing…"},
		{"reconnecting", with(snapshot(session.Reconnecting, 5*time.Second), func(s *session.Snapshot) { s.Reason = "connection reset." }),
			"The link is down, reconnecting… Connection reset."},
		{"expired", expired(), "The token expired: onTokenExpired, 108 TOKEN_EXPIRED. The app will log in again."},
		{"expired, nothing more to say", with(expired(), func(s *session.Snapshot) { s.Reason = "the token expired" }),
			"The token expired: onTokenExpired, 108 TOKEN_EXPIRED. The app will log in again."},
		{"expired, and a renewal has failed since", with(expired(), func(s *session.Snapshot) {
			s.Policy.OnExpired, s.Code, s.Reason = session.ExpiredIgnore, chat.NotLoggedIn, "nobody is logged in"
		}), "The token expired: onTokenExpired. Nobody is logged in (201 USER_NOT_LOGIN). The app does nothing about it; ^L logs in again."},
		{"expired, ignore", with(expired(), func(s *session.Snapshot) { s.Policy.OnExpired, s.Code = session.ExpiredIgnore, 0 }),
			"The token expired: onTokenExpired. The app does nothing about it; ^L logs in again."},
		{"expired, renew", with(expired(), func(s *session.Snapshot) { s.Policy.OnExpired = session.ExpiredRenew }),
			"The token expired: onTokenExpired, 108 TOKEN_EXPIRED. The app will try to renew."},
		{"expired, renewing", with(expired(), func(s *session.Snapshot) { s.Policy.OnExpired, s.Trying, s.Attempt = session.ExpiredRenew, true, 1 }),
			"The token expired: onTokenExpired, 108 TOKEN_EXPIRED. The app tries to renew."},
		{"expired, renewed in vain", with(expired(), func(s *session.Snapshot) {
			s.Policy.OnExpired, s.Reason, s.Attempt = session.ExpiredRenew, "renewal refused", 1
		}), "The token expired: onTokenExpired, 108 TOKEN_EXPIRED. Renewal refused. The app tried to renew and failed, and does no more; ^L logs in again."},
		{"expired, to be renewed once more", with(expired(), func(s *session.Snapshot) {
			s.Policy.OnExpired, s.Reason, s.Attempt, s.RetryAt = session.ExpiredRenew, "no answer", 1, noon.Add(2*time.Second)
		}), "The token expired: onTokenExpired, 108 TOKEN_EXPIRED. No answer. The app will try to renew. Next try in 2.0 s."},
		{"waiting", waiting(), "The token server answered 503, it is not ready. Next try in 4.2 s."},
		{"stopped", stopped(), "The service refused the token: its signature does not fit (104 INVALID_TOKEN). The token server must sign for " +
			"this user, with this service's App ID and certificate. ^L tries again, Esc changes the login."},
		{"stopped by a code", session.Snapshot{State: session.Stopped, Code: chat.LoggedInElsewhere},
			"206 USER_LOGIN_ANOTHER_DEVICE. Log out there, or take the session back here. ^L tries again, Esc changes the login."},
		{"removed", session.Snapshot{State: session.Stopped, Code: chat.UserRemoved}, "207 USER_REMOVED. Register the user first. " +
			"^L tries again, Esc changes the login."},
		{"hostile", with(stopped(), func(s *session.Snapshot) { s.Reason, s.Code = "\x1b[2Jgone\nnow", 0 }),
			"Gone now. ^L tries again, Esc changes the login."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := situation(test.snap, noon).String(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestTell(t *testing.T) {
	p := pen{zone: time.UTC}
	renew, ask := online().Policy, online().Policy
	ask.OnWillExpire = session.WillExpireAsk
	tests := []struct {
		event  session.Event
		policy session.Policy
		again  bool
		want   string // "" when it is not told of
		note   bool
	}{
		{session.Event{Name: session.TokenRequested, Attempt: 1}, renew, false, "token requested", false},
		{session.Event{Name: session.TokenRequested, Attempt: 2}, renew, false, "token requested, attempt 2", false},
		{session.Event{Name: session.LoginStarted, Attempt: 1}, renew, false, "logging in", false},
		{session.Event{Name: session.LoginStarted, Attempt: 1}, renew, true, "logging in again", true},
		{session.Event{Name: session.LoginSucceeded, ExpiresAt: noon, Token: "007…"}, renew, false, "logged in: 007…, expires 12:04:31", true},
		{session.Event{Name: session.LoginSucceeded, ExpiresAt: noon, At: noon.Add(-24 * time.Hour)}, renew, false, "logged in: expires Sun 12:04:31", true},
		{session.Event{Name: session.TokenRejected, Attempt: 1}, renew, false, "no new token", true},
		{session.Event{Name: session.TokenRejected, Attempt: 2}, renew, false, "no new token, attempt 2", false},
		{session.Event{Name: session.TokenWillExpire, Callback: "onTokenWillExpire"}, renew, false, "will-expire: onTokenWillExpire", false},
		{session.Event{Name: session.TokenWillExpire}, ask, false, "the token will expire — ^R renews", true},
		{session.Event{Name: session.TokenExpired, Code: chat.TokenExpired, ExpiresAt: noon}, renew, false, "the token expired: 108 TOKEN_EXPIRED", true},
		{session.Event{Name: session.RenewFailed, Reason: "no", RetryAt: noon}, renew, false, "renewal failed: next try 12:04:31, no", true},
		{session.Event{Name: session.RenewFailed, Token: "007…", ExpiresAt: noon.Add(-time.Second)}, renew, false, "renewal failed: 007…, expired 12:04:30", true},
		{session.Event{Name: session.StateChanged, New: session.Stopped, Reason: "kicked"}, renew, false, "stopped: kicked", true},
		{session.Event{Name: session.StateChanged, New: session.Stopped, Why: session.KickedOut, Reason: "kicked"}, renew, false, "stopped: kicked", false},
		{session.Event{Name: session.StateChanged, New: session.Online}, renew, false, "", false},
		{session.Event{Name: session.ClockSkewed, ClockAhead: -time.Hour, Reason: "too late", ExpiresAt: noon}, renew, false, "the clocks differ: too late", true},
		{session.Event{Name: session.ClockSkewed, ClockAhead: time.Second, Reason: "as it should be"}, renew, false, "the clocks agree: as it should be", true},
		{session.Event{Name: session.MessageSent}, renew, false, "", false},
		{session.Event{Name: "a name of tomorrow"}, renew, false, "", false},
	}
	for _, test := range tests {
		if test.event.At.IsZero() {
			test.event.At = noon
		}
		got, ok := p.tell(test.event, test.policy, test.again)
		if ok != (test.want != "") || got.words != test.want || got.note != test.note {
			t.Errorf("%s: %q, note %v, want %q, %v", test.event.Name, got.words, got.note, test.want, test.note)
		}
	}
}

// TestEveryStateHasWords: nobody may meet a state or an event that the screen is silent about.
func TestEveryStateHasWords(t *testing.T) {
	for _, state := range session.States() {
		if strings.Contains(stateWord(state), "_") || situation(session.Snapshot{State: state}, noon).String() == "" {
			t.Errorf("%s has no words", state)
		}
	}
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th"} {
		if got := ordinal(n); got != want {
			t.Errorf("ordinal(%d) = %q", n, got)
		}
	}
}

// TestFateInWords: what became of a message stands in words where there is room, and a message that nothing can send is not being sent.
func TestFateInWords(t *testing.T) {
	for _, size := range sizes {
		for _, state := range session.States() {
			snap := snapshot(state, 5*time.Second)
			r := conversation(t, size, snap)
			screen, word := r.screen(t), "waiting"
			if snap.Linked {
				word = "sending"
			}
			if size.Width == 40 {
				if strings.Contains(screen, "delivered") {
					t.Errorf("there is no room for words:\n%s", screen)
				}
				continue
			}
			wantOn(t, screen, "✓✓ delivered", "✓  sent", "✗  failed", "…  "+word)
		}
	}
	r := conversation(t, sizes[1], online())
	r.fake.snap.Linked = false
	r.send(tickMsg(0))
	wantOn(t, r.screen(t), "…  waiting")
}

// TestMarkTakesNoColumn: a mark takes room from the last line of a message only, and has one of its own when that is full.
func TestMarkTakesNoColumn(t *testing.T) {
	l := look{pen: pen{styles: newStyles(true), cells: ansi.WcWidth, zone: time.UTC}, width: 40, names: 4, words: true} // 34 for the text
	tests := map[string]struct {
		text string
		want []string
	}{
		"short":        {"hello", []string{"you   hello                 ✓  sent     "}},
		"just fits":    {strings.Repeat("x", 21), []string{"you   xxxxxxxxxxxxxxxxxxxxx ✓  sent     "}},
		"does not fit": {strings.Repeat("x", 22), []string{"you   xxxxxxxxxxxxxxxxxxxxxx", "                            ✓  sent     "}},
		"long":         {strings.Repeat("x", 34) + " end", []string{"you   " + strings.Repeat("x", 34), "      end                   ✓  sent     "}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := &message{from: "you", raw: test.text, fate: sent, mine: &mine{}}
			got := m.render(l)
			for i := range got {
				got[i] = ansi.Strip(got[i])
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the message looks otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWrapKeepsDashes: no line ends with the dash of a flag or of a negative number.
func TestWrapKeepsDashes(t *testing.T) {
	p := pen{cells: ansi.WcWidth, zone: time.UTC}
	const text = "start ttlchat without --rest-url, or with (-2ms) left of a well-known life"
	for width := 12; width < 80; width++ {
		lines := p.wrap(text, width, 20)
		for _, line := range lines {
			if strings.HasSuffix(line, " -") || strings.HasSuffix(line, "--") || strings.HasSuffix(line, "(-") || p.cells.StringWidth(line) > width {
				t.Fatalf("%d cells: %q", width, lines)
			}
		}
		if got := strings.ReplaceAll(strings.Join(lines, ""), " ", ""); got != strings.ReplaceAll(text, " ", "") {
			t.Fatalf("%d cells: %q", width, lines)
		}
	}
}

package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// stateWord is a state as a person says it.
func stateWord(s session.State) string {
	if s == session.Fetching {
		return "fetching a token"
	}
	return strings.ReplaceAll(string(s), "_", " ")
}

var stateTones = map[session.State]tone{
	session.Online: alive, session.WillExpire: late, session.Renewing: late, session.Reconnecting: late, session.Waiting: late,
	session.Expired: dead, session.Stopped: dead,
}

// left is how long it is until the deadline, as shown. Deadlines are rounded, so that all the numbers on the screen change together
// with the clock: in whole seconds, in tenths for the last ten, and in minutes beyond an hour.
func left(deadline, now time.Time) time.Duration {
	switch d := deadline.Sub(now); {
	case d > far:
		return deadline.Round(time.Second).Sub(now.Truncate(time.Minute)).Truncate(time.Minute)
	case d >= soon:
		return deadline.Round(time.Second).Sub(now.Truncate(time.Second))
	}
	return max(deadline.Round(soonStep).Sub(now.Truncate(soonStep)), 0)
}

// span writes a duration the way left rounds it.
func span(d time.Duration) string {
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case d < soon:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", s)
	case d < far:
		return fmt.Sprintf("%dm %02ds", m, s)
	default:
		return fmt.Sprintf("%dh %02dm", h, m)
	}
}

// life writes the length of a token's life, without parts that are zero.
func life(d time.Duration) string { return agoratoken.Span(int64(d.Round(time.Second) / time.Second)) }

// afterWillExpire and afterExpired say what the app does once the callback has fired.
func afterWillExpire(p session.Policy) string {
	switch p.OnWillExpire {
	case session.WillExpireRenew:
		return "renew"
	case session.WillExpireAsk:
		return "ask"
	default:
		return "ignore it"
	}
}

func afterExpired(p session.Policy) string {
	switch p.OnExpired {
	case session.ExpiredRelogin:
		return "log in again"
	case session.ExpiredRenew:
		return "try to renew"
	default:
		return "ignore it"
	}
}

// account is what is going on: what is or has happened, why, and what comes next or would help.
type account struct{ what, why, next string }

// String says all of it in the order in which it is understood.
func (a account) String() string { return sentences(a.what, a.why, a.next) }

// urgent begins with what matters most, where the reasons may be cut.
func (a account) urgent() string {
	if a.next == "" {
		return sentences(a.what, a.why)
	}
	return sentences(a.next, a.what, a.why)
}

// situation says what is going on and what comes next.
func situation(s session.Snapshot, now time.Time) account {
	next := ""
	if s.RetryAt.After(now) {
		next = "Next try in " + span(left(s.RetryAt, now)) + "."
	}
	why := reasonOf(s)
	switch s.State {
	case session.LoggedOut:
		switch why {
		case "":
			return account{next: "Nobody is logged in: ^L logs in."}
		case session.AskedFor:
			return account{what: "Logged out, as asked", next: "^L logs in."}
		default:
			return account{what: "Logged out", why: why, next: "^L logs in."}
		}
	case session.Fetching:
		return account{what: attempt("Asking the token server for a token", s.Attempt)}
	case session.LoggingIn:
		return account{what: attempt("Logging in", s.Attempt)}
	case session.Online:
		return ahead(s, now, why, next)
	case session.WillExpire:
		if why == "the token will expire" { // which the state says
			why = ""
		}
		switch {
		case s.Policy.OnWillExpire == session.WillExpireAsk && s.Token != nil:
			return account{why: why, next: sentences(next, "The token expires in "+span(left(s.Token.ExpiresAt, now))+" — ^R renews")}
		case s.Policy.OnWillExpire == session.WillExpireIgnore:
			return account{why: why, next: sentences(next, "The app ignores "+s.Profile.WillExpireCallback+"; ^R renews")}
		default:
			return account{why: cmp.Or(why, "No renewal is under way; ^R renews"), next: next}
		}
	case session.Renewing:
		return account{what: attempt("Renewing", s.Attempt)}
	case session.Reconnecting:
		return account{attempt("The link is down, reconnecting", s.Attempt), why, next}
	case session.Expired:
		what := "The token expired: " + s.Profile.ExpiredCallback
		if s.Code == stateCode(s) {
			what += ", " + s.Code.String()
		}
		if why == "the token expired" { // which has just been said
			why = ""
		}
		return account{what, why, sentences(upTo(s), next)}
	case session.Waiting:
		return account{why: cmp.Or(why, "The last try failed"), next: next}
	default:
		return account{why: sentences(why, mend(s.Code)), next: "^L tries again, Esc changes the login."}
	}
}

// ahead is the account of who is online: what comes next in the token's life, or that a renewal has failed.
func ahead(s session.Snapshot, now time.Time, why, next string) account {
	switch {
	case s.Token == nil:
		return account{what: "Online."}
	case s.Token.ExpiresAt.IsZero():
		return account{what: "The service names no expiry for this token, so no token event will come."}
	case next != "":
		return account{why: strings.TrimSuffix("the renewal failed: "+why, ": "), next: next}
	case s.RenewAt.After(now) && s.RenewAt.Before(firstEvent(s.Token)):
		how := "well ahead of the expiry"
		if s.Policy.RenewEvery > 0 {
			how = "as it does every " + life(s.Policy.RenewEvery)
		}
		return account{what: "Next: the app renews in " + span(left(s.RenewAt, now)) + ", " + how + "."}
	case s.Token.WillExpireAt.IsZero():
		return account{
			what: fmt.Sprintf("Next: %s. The app will %s.", s.Profile.ExpiredCallback, afterExpired(s.Policy)),
			why:  "No " + s.Profile.WillExpireCallback + " comes: " + tooShort(s.Profile),
		}
	default:
		return account{what: fmt.Sprintf("Next: %s. The app will %s.", s.Profile.WillExpireCallback, afterWillExpire(s.Policy))}
	}
}

// reasonOf is the reason of the state, with a code that is not the state's own.
func reasonOf(s session.Snapshot) string {
	reason, code := printable.Line(s.Reason, 300), ""
	if s.Code != chat.OK && s.Code != stateCode(s) {
		code = s.Code.String()
	}
	if reason != "" && code != "" {
		return strings.TrimSuffix(reason, ".") + " (" + code + ")"
	}
	return cmp.Or(reason, code)
}

// upTo says what the app is up to once the token has expired: what it does, what it will do, or that it has done all that it does.
func upTo(s session.Snapshot) string {
	switch {
	case s.Trying:
		return "The app tries to renew"
	case !atRest(s):
		return "The app will " + afterExpired(s.Policy)
	case s.Policy.OnExpired == session.ExpiredIgnore:
		return "The app does nothing about it; ^L logs in again"
	default:
		return "The app tried to renew and failed, and does no more; ^L logs in again"
	}
}

// atRest tells whether the token has expired and the app does no more about it.
func atRest(s session.Snapshot) bool {
	return s.State == session.Expired && !s.Trying && s.RetryAt.IsZero() && (s.Policy.OnExpired == session.ExpiredIgnore || s.Attempt > 0)
}

// firstEvent is when the first event of a token's life comes.
func firstEvent(t *session.TokenFacts) time.Time {
	if t.WillExpireAt.IsZero() {
		return t.ExpiresAt
	}
	return t.WillExpireAt
}

// tooShort says why no will-expire comes.
func tooShort(p chat.Profile) string {
	return "the life is no longer than the " + life(p.Lead) + " lead"
}

// deed says in few words what becomes of a token that will expire, and who sees to it.
func deed(s session.Snapshot) string {
	switch {
	case s.State == session.Renewing || s.State == session.Reconnecting && s.Policy.OnWillExpire == session.WillExpireRenew:
		return "the app renews"
	case s.Policy.OnWillExpire == session.WillExpireIgnore:
		return "the app ignores it"
	default:
		return "^R renews"
	}
}

// stateCode is the code that came with the callback of a state, and not with what has gone wrong in it since.
func stateCode(s session.Snapshot) chat.Code {
	switch s.State {
	case session.WillExpire:
		return s.Profile.WillExpireCode
	case session.Expired:
		return s.Profile.ExpiredCode
	default:
		return chat.OK
	}
}

// mend says what would help against a refusal, where the code alone tells.
func mend(c chat.Code) string {
	switch c {
	case chat.InvalidToken, chat.WebTokenNotAssigned:
		return "The token server must sign for this user, with this service's App ID and certificate."
	case chat.LoggedInElsewhere, chat.KickedByOtherDevice:
		return "Log out there, or take the session back here."
	case chat.UserNotFound, chat.UserRemoved:
		return "Register the user first."
	default:
		return ""
	}
}

// sentences makes a sentence of each part that says anything, and joins them.
func sentences(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		first, size := utf8.DecodeRuneInString(part)
		b.WriteRune(unicode.ToUpper(first))
		b.WriteString(part[size:])
		if last, _ := utf8.DecodeLastRuneInString(part); !strings.ContainsRune(".!?…", last) {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func attempt(what string, failed int) string {
	if failed == 0 {
		return what + "…"
	}
	return fmt.Sprintf("%s, attempt %d…", what, failed+1)
}

// telling says how the screen tells of an event: in words, in a tone, and whether it is worth a line between the messages too.
type telling struct {
	words string
	tone  tone
	note  bool
	// line is for the timeline, which cuts what is too long: what differs comes first, and of the code only the number.
	line string
}

var tellings = map[session.EventName]telling{
	session.TokenRequested:  {words: "token requested", tone: calm, note: false},
	session.TokenReceived:   {words: "token received", tone: calm, note: false},
	session.TokenRejected:   {words: "no new token", tone: late, note: true},
	session.LoginStarted:    {words: "logging in", tone: calm, note: false},
	session.LoginSucceeded:  {words: "logged in", tone: alive, note: true},
	session.LoginFailed:     {words: "login failed", tone: dead, note: true},
	session.Connected:       {words: "connected", tone: calm, note: false},
	session.Disconnected:    {words: "disconnected", tone: late, note: false},
	session.ReconnectingNow: {words: "reconnecting", tone: late, note: false},
	session.TokenWillExpire: {words: "will-expire", tone: late, note: false},
	session.TokenExpired:    {words: "the token expired", tone: dead, note: true},
	session.RenewStarted:    {words: "renewing", tone: late, note: false},
	session.RenewSucceeded:  {words: "renewed", tone: alive, note: false},
	session.RenewFailed:     {words: "renewal failed", tone: dead, note: true},
	session.Kicked:          {words: "kicked", tone: dead, note: true},
	session.LoggedOutNow:    {words: "logged out", tone: calm, note: true},
	session.ClockSkewed:     {words: "the clocks differ", tone: late, note: true},
}

// tell says what the screen tells of an event; again is true once there has been a login. Messages, and most changes of state, are not
// told of: they show by themselves.
func (p pen) tell(e session.Event, policy session.Policy, again bool) (telling, bool) {
	t, ok := tellings[e.Name]
	switch {
	case e.Name == session.StateChanged && e.New == session.Stopped:
		t = telling{words: "stopped", tone: dead, note: e.Why != session.KickedOut} // that has been told
	case !ok:
		return telling{}, false
	case e.Name == session.ClockSkewed && e.ClockAhead.Abs() < time.Minute:
		words := "the clocks agree: " + e.Reason
		return telling{words, calm, true, words}, true
	case e.Name == session.ClockSkewed:
		words := t.words + ": " + e.Reason
		return telling{words, t.tone, t.note, words}, true
	case e.Name == session.TokenWillExpire && policy.OnWillExpire == session.WillExpireAsk:
		t.line, t.words, t.note = t.words, "the token will expire — ^R renews", true
	case e.Name == session.LoginStarted && again:
		t.words, t.note = "logging in again", true
	}
	t.line = cmp.Or(t.line, strings.TrimPrefix(t.words, "the token "))
	if e.Attempt > 1 {
		t.line += fmt.Sprintf(", attempt %d", e.Attempt)
		t.words += fmt.Sprintf(", attempt %d", e.Attempt)
	}
	t.note = t.note && e.Attempt <= 1 // the rest of the tries would bury the messages
	var details []string
	add := func(detail string) {
		if detail != "" {
			details = append(details, detail)
		}
	}
	add(e.Callback)
	code := len(details)
	if e.Code != chat.OK {
		add(e.Code.String())
		t.line += " " + strconv.Itoa(int(e.Code))
	}
	if e.Name != session.TokenExpired && e.Name != session.LoginStarted {
		add(e.Token)
	}
	switch {
	case e.ExpiresAt.IsZero(), e.Name == session.TokenExpired:
	case !e.ExpiresAt.Before(e.At):
		add("expires " + p.when(e.ExpiresAt, e.At))
	default:
		add("expired " + p.when(e.ExpiresAt, e.At))
	}
	if !e.RetryAt.IsZero() {
		add("next try " + p.when(e.RetryAt, e.At))
	}
	if !strings.HasPrefix(t.words, e.Reason) {
		add(e.Reason)
	}
	if len(details) > 0 {
		t.words += ": " + strings.Join(details, ", ")
	}
	if e.Code != chat.OK {
		details = slices.Delete(details, code, code+1)
	}
	if len(details) > 0 {
		t.line += ": " + strings.Join(details, ", ")
	}
	return t, true
}

package session

import (
	"fmt"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// This file is the app's answer to what the SDK says of its own accord.

func (t *turn) callback(e chat.Event) {
	said := Event{Callback: e.Callback, Code: e.Code, Reason: e.Reason}
	switch e.Name {
	case chat.Connected:
		said.Name = Connected
		t.emit(said)
		if t.live {
			t.linked = true
			t.settle("the link is back")
		}
	case chat.Reconnecting:
		t.linked = false
		said.Name = Disconnected
		t.emit(said)
		t.emit(Event{Name: ReconnectingNow, Reason: e.Reason})
		t.settle(e.Reason)
	case chat.Failed: // a reconnect was refused, and the SDK goes on trying
		said.Name, said.Why = LoginFailed, reasonOfSDK(e.Kind)
		t.emit(said)
	case chat.Kicked:
		said.Name = Kicked
		t.emit(said)
		t.lost()
		t.stop(KickedOut, "kicked: "+e.Reason, e.Code)
	case chat.Disconnected:
		said.Name = Disconnected
		t.emit(said)
		t.disconnected(e)
	case chat.WillExpire:
		again := t.warned
		t.warned = true
		said.Name = TokenWillExpire
		t.emit(said.of(t.life, t.held))
		t.willExpire(e, again)
	case chat.TokenHasExpired:
		t.expired = true
		said.Name = TokenExpired
		t.emit(said.of(t.life, t.held))
		if t.profile.StaysOnline {
			t.settle(e.Reason)
			t.answerExpiry()
		}
		// Other SDKs close the session next; the Disconnected that says so is where the app acts.
	}
}

// willExpire renews when that is the app's answer and it is not being done already.
func (t *turn) willExpire(e chat.Event, again bool) {
	switch {
	case t.onWillExpire() != WillExpireRenew || !t.retryAt.IsZero() || again && !t.renewable:
	case t.task == idle && t.spread > 0 && t.renewable:
		t.retryAt = t.now.Add(time.Duration(t.draw() * t.spread * float64(max(t.life.ExpiresAt.Sub(t.now), 0))))
	case t.task == idle:
		t.startRenew(e.Callback)
		return
	case t.task == fetchForRenew && t.app.NoSingleFlight:
		t.emit(Event{Name: TokenRequested, Reason: e.Callback, Attempt: t.attempts + 1})
		t.do(doFetch{gen: t.gen})
	}
	t.settle(e.Reason)
}

// disconnected is the end of the SDK's session.
func (t *turn) disconnected(e chat.Event) {
	doing, fetched := t.task, t.fetched
	t.lost()
	switch {
	case t.expired || e.Kind == chat.KindExpired:
		t.expired = true
		switch {
		case t.onExpired() != ExpiredRelogin || doing == idle:
		case doing == fetchForRenew: // the token that is on its way will do for the login
			t.task = fetchForLogin
			t.enter(Fetching, "the token expired while a new one was being fetched", e.Code)
			return
		case doing == sdkRenew:
			t.handToLogin(fetched, "the token expired during its renewal")
			return
		}
		t.abandon()
		t.enter(Expired, e.Reason, e.Code)
		t.answerExpiry()
	case e.Kind == chat.KindInvalid && t.renewable && t.onExpired() == ExpiredRelogin:
		// The token was good before: it was made void, or the service forgot it in a restart. A new one tells; when that is refused, too, the
		// login fails for good.
		t.held = tokenclient.Token{}
		t.loginAgain(e)
	case e.Kind == chat.KindInvalid || e.Kind == chat.KindUnknownUser || e.Kind == chat.KindRefused || e.Kind == chat.KindAbsurd:
		t.abandon()
		t.stop(reasonOfSDK(e.Kind), e.Reason, e.Code)
	default: // the SDK gave up on the link; the token may still be good
		t.loginAgain(e)
	}
}

// loginAgain plans a login after the SDK's session has ended.
func (t *turn) loginAgain(e chat.Event) {
	t.abandon()
	t.attempts = 1
	t.retryAt = t.now.Add(t.pause(0))
	t.enter(Waiting, e.Reason, e.Code)
}

// answerExpiry does what the policy says about an expired token, unless something is under way already.
func (t *turn) answerExpiry() {
	if t.task != idle {
		return
	}
	switch t.onExpired() {
	case ExpiredRelogin:
		if t.live {
			t.endSDK()
		}
		if t.endedAtOnce() {
			return
		}
		t.startLogin("the token expired") // the pauses of a renewal that failed go on growing
	case ExpiredRenew:
		t.startRenew("the token expired")
	case ExpiredIgnore:
	}
}

// tooShort is a life that helps nobody: a login for it is one more failure.
const tooShort = 500 * time.Millisecond

// endedAtOnce pauses, and in the end gives up, when one new token after the other ends as soon as it is accepted: logging in without a pause
// would be a storm.
func (t *turn) endedAtOnce() bool {
	if t.life.AcceptedAt.IsZero() || t.now.Sub(t.life.AcceptedAt).Abs() >= tooShort {
		t.brief = 0
		return false
	}
	if t.brief++; t.brief == 1 {
		return false
	}
	t.attempts = t.brief - 2
	t.loginTrouble(Event{
		Name: LoginFailed, Why: ClocksDisagree, Reason: "the service ended the new token as soon as it was accepted; the clocks may disagree",
	}, t.brief <= expiredPatience, 0)
	return true
}

// skewWarning is the difference between the clocks from which on a person is told.
const skewWarning = time.Minute

// clockIs takes in what the SDK has learned of the service's clock: the life in use, if that is what it tells of, ends at another instant of
// the own one.
func (t *turn) clockIs(e chat.Event, own bool) {
	before := t.clockAhead
	t.clockAhead = e.Ahead
	if own && t.live {
		t.life = e.Life
		if !t.retryAt.IsZero() && !t.life.ExpiresAt.IsZero() && !t.retryAt.Before(t.life.ExpiresAt) {
			t.retryAt = t.now
		}
	}
	warned, warns := before.Abs() >= skewWarning, t.clockAhead.Abs() >= skewWarning
	if warned != warns || warns && (t.clockAhead-before).Abs() >= skewWarning {
		t.emit(Event{Name: ClockSkewed, ClockAhead: t.clockAhead, Reason: skewText(t.clockAhead)}.of(t.life, t.held))
	}
}

// skewText says what is wrong with the clocks.
func skewText(ahead time.Duration) string {
	off, where := agoratoken.Span(int64(ahead.Abs().Round(time.Second)/time.Second)), "behind"
	switch {
	case ahead.Abs() < skewWarning:
		return "this device's clock and the service's agree again"
	case ahead < 0:
		where = "ahead of"
	}
	return fmt.Sprintf("this device's clock is %s %s the service's; set it right. Until then the service's clock counts", off, where)
}

package session

import (
	"fmt"
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// This file is how a token is got, and what is done when none comes.

const (
	// firstPause and longestPause bound the wait after a failure; each one doubles it.
	firstPause, longestPause = time.Second, 30 * time.Second
	// patience is how many failures in a row a first login may have before it is given up.
	patience = 6
	// expiredPatience is how many times in a row a fresh token may turn out to have expired: by the token server's answer or for the
	// service.
	expiredPatience = 3
	// notRenewable is why a pasted token is not renewed.
	notRenewable = "the pasted token cannot be renewed: there is no server to renew it; start again with a new one or with a token server"
)

func (t *turn) startLogin(reason string) {
	t.retryAt = time.Time{}
	if t.reusable() {
		t.handToLogin(t.held, reason)
		return
	}
	if !t.app.IgnoresFetchErrors {
		t.held = tokenclient.Token{}
	}
	t.enter(Fetching, reason, chat.OK)
	t.fetch(fetchForLogin, reason)
}

// reusable reports whether the token of the last session would still log in, so that nobody needs to be asked for another.
func (t *turn) reusable() bool {
	return t.held.Text != "" && !t.expired && t.now.Before(t.life.ExpiresAt)
}

func (t *turn) startRenew(reason string) {
	t.retryAt = time.Time{}
	if !t.renewable {
		t.renewTrouble(Event{Name: RenewFailed, Why: TokenUsedUp, Reason: notRenewable}.of(t.life, t.held), false, 0)
		return
	}
	t.task = fetchForRenew
	t.settle(reason)
	t.fetch(fetchForRenew, reason)
}

// fetch asks for a token, past caches once an answer was a token of the past.
func (t *turn) fetch(purpose task, reason string) {
	t.begin(purpose)
	t.emit(Event{Name: TokenRequested, Reason: reason, Attempt: t.attempts + 1})
	t.do(doFetch{t.gen, t.cached > 0})
}

func (t *turn) fetchedToken(token tokenclient.Token) {
	switch t.task {
	case fetchForLogin:
		t.received(token)
		t.handToLogin(token, "token received")
	case fetchForRenew:
		if token.SameAs(t.held) {
			t.noToken(Event{
				Name: TokenRejected, Why: TokenIdentical, Attempt: t.attempts + 1,
				Reason: "the token server answered with the token that is in use already; it must build a new one for each call",
			}, false, 0)
			return
		}
		t.received(token)
		t.handToRenewal(token)
	}
}

func (t *turn) received(token tokenclient.Token) {
	t.cached = 0
	t.emit(Event{Name: TokenReceived}.of(t.lifeOf(token), token))
}

// lifeOf is the life that a token would have if it was accepted now.
func (t *turn) lifeOf(token tokenclient.Token) chat.Life {
	ends := t.own(token.ExpiresAt)
	return chat.Life{ExpiresAt: ends, WillExpireAt: chat.WillExpireAt(t.profile, t.now, ends)}
}

func (t *turn) handToLogin(token tokenclient.Token, reason string) {
	t.begin(sdkLogin)
	t.sdk++
	t.fetched = token
	t.enter(LoggingIn, reason, chat.OK)
	t.emit(Event{Name: LoginStarted, Token: token.Text.String(), Attempt: t.attempts + 1})
	t.do(doLogin{t.gen, t.sdk, token})
}

func (t *turn) handToRenewal(token tokenclient.Token) {
	t.begin(sdkRenew)
	t.fetched = token
	t.emit(Event{Name: RenewStarted, Token: token.Text.String()})
	t.do(doRenew{t.gen, token})
}

func (t *turn) fetchFailed(err *tokenclient.Error) {
	rejected := Event{Name: TokenRejected, Why: reasonOfFetch(err), Reason: err.Error(), Attempt: t.attempts + 1}
	temporary := err.Temporary()
	switch {
	case t.app.IgnoresFetchErrors:
		t.emit(rejected)
		t.goOn()
		return
	case err.Kind == tokenclient.KindExpired && t.renewable:
		if t.cached++; t.cached == 1 {
			t.emit(rejected)
			t.fetch(t.task, "once more, past any cache")
			return
		}
		if temporary = t.cached <= expiredPatience; !temporary {
			t.cached = 0
		}
	}
	t.noToken(rejected, temporary, err.RetryAfter)
}

// goOn is what an app does that ignores a failed fetch: it uses the token that it has.
func (t *turn) goOn() {
	if t.task == fetchForLogin {
		t.handToLogin(t.held, "the fetch failed, and the app goes on")
		return
	}
	t.handToRenewal(t.held)
}

// noToken ends a fetch that gave nothing of use.
func (t *turn) noToken(e Event, temporary bool, retryAfter time.Duration) {
	if t.task == fetchForLogin {
		t.loginTrouble(e, temporary, retryAfter)
		return
	}
	t.renewTrouble(e, temporary, retryAfter)
}

// loginTrouble waits and tries again, or stops when that mends nothing or has been tried often enough.
func (t *turn) loginTrouble(e Event, temporary bool, retryAfter time.Duration) {
	t.task = idle
	t.attempts++
	switch {
	case !temporary && !t.app.RetriesForever:
		t.emit(e)
		t.stop(e.Why, e.Reason, e.Code)
	case !t.wasOnline && t.attempts >= patience && !t.app.RetriesForever:
		t.emit(e)
		t.stop(e.Why, fmt.Sprintf("given up after %d attempts: %s", t.attempts, e.Reason), e.Code)
	default:
		t.retryAt = t.now.Add(t.pause(retryAfter))
		e.RetryAt = t.retryAt
		t.emit(e)
		t.enter(Waiting, e.Reason, e.Code)
	}
}

// renewTrouble tries again while the token lives. A pause that would outlast the token means that the renewal has failed.
func (t *turn) renewTrouble(e Event, temporary bool, retryAfter time.Duration) {
	t.task = idle
	t.attempts++
	temporary = temporary || t.app.RetriesForever && t.renewable
	left := t.life.ExpiresAt.Sub(t.now)
	pause := t.pause(retryAfter)
	wait := min(pause, max(left*3/4, 2*firstPause))
	switch {
	case temporary && t.live && t.life.ExpiresAt.IsZero():
		t.retryAt = t.now.Add(pause)
	case temporary && t.live && !t.expired && max(wait, retryAfter) < left:
		t.retryAt = t.now.Add(max(wait, retryAfter))
	}
	e.RetryAt = t.retryAt
	t.emit(e)
	if e.Name != RenewFailed && t.retryAt.IsZero() {
		why := e.Why
		if temporary {
			why = RenewalTooLate
		}
		t.emit(Event{Name: RenewFailed, Code: e.Code, Why: why, Reason: e.Reason}.of(t.life, t.held))
	}
	if t.live {
		t.settle(e.Reason)
	} else {
		t.enter(Expired, e.Reason, e.Code)
	}
	if t.expired && t.onExpired() == ExpiredRelogin {
		t.answerExpiry()
	}
}

// pause is the wait after a failure: doubled with each one, spread by chance, and never shorter than the server asked for.
func (t *turn) pause(retryAfter time.Duration) time.Duration {
	if t.app.RetriesForever {
		return firstPause
	}
	wait := min(firstPause<<min(max(t.attempts-1, 0), 10), longestPause)
	wait += time.Duration(t.draw() * float64(wait) / 4)
	return max(wait, retryAfter)
}

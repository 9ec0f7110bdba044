package session

import (
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// This file is what comes of a login and of a renewal.

func (t *turn) loggedIn(life chat.Life) {
	t.task, t.attempts, t.stale = idle, 0, 0
	t.live, t.linked, t.wasOnline = true, true, true
	t.accept(life)
	t.emit(Event{Name: LoginSucceeded}.of(life, t.held))
	t.settle("logged in")
}

func (t *turn) renewed(life chat.Life) {
	t.task, t.attempts = idle, 0
	t.accept(life)
	t.emit(Event{Name: RenewSucceeded}.of(life, t.held))
	t.settle("renewed")
}

func (t *turn) accept(life chat.Life) {
	t.held, t.fetched, t.life = t.fetched, tokenclient.Token{}, life
	t.warned, t.expired = false, false
	t.ordinal++
	t.planRenewal()
}

// planRenewal sets when the clock alone asks for a renewal: at the policy's interval, or where the app has a lead of its own.
func (t *turn) planRenewal() {
	t.renewAt = time.Time{}
	if !t.live {
		return
	}
	if t.policy.RenewEvery > 0 {
		t.renewAt = t.now.Add(t.policy.RenewEvery)
	}
	if t.app.FixedLead > 0 && !t.life.ExpiresAt.IsZero() {
		at, look := t.life.ExpiresAt.Add(-t.app.FixedLead), t.now.Add(lookInterval)
		if at.Before(look) {
			at = look
		}
		t.renewAt = earlier(t.renewAt, at)
	}
}

func (t *turn) loginFailed(err *chat.Error) {
	// A token that was not refused is kept: fetching another would mend nothing.
	t.held, t.fetched = t.fetched, tokenclient.Token{}
	t.life, t.expired = chat.Life{ExpiresAt: t.own(t.held.ExpiresAt)}, false
	if !err.Temporary() {
		t.held = tokenclient.Token{}
	}
	e := Event{Name: LoginFailed, Code: err.Code, Why: reasonOfSDK(err.Kind), Reason: err.Reason, Attempt: t.attempts + 1}
	switch {
	case err.Kind == chat.KindExpired && t.renewable:
		if t.stale++; t.stale < expiredPatience {
			t.loginTrouble(e, true, 0)
			return
		}
		e.Why = ClocksDisagree
		e.Reason += "; the token server's clock and the service's may disagree"
		t.loginTrouble(e, false, 0)
	default:
		t.loginTrouble(e, err.Temporary(), 0)
	}
}

func (t *turn) renewFailed(err *chat.Error) {
	if err.Kind == chat.KindCanceled {
		return // the SDK's session ended first; its next event says why, and there the app acts
	}
	refused := t.fetched
	t.fetched = tokenclient.Token{}
	t.renewTrouble(Event{
		Name: RenewFailed, Code: err.Code, Why: reasonOfSDK(err.Kind), Reason: err.Reason, Attempt: t.attempts + 1,
	}.of(t.lifeOf(refused), refused), err.Temporary(), 0)
}

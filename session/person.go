package session

import (
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// This file is what a person asks the app for.

func (t *turn) login() {
	switch t.State {
	case LoggedOut, Stopped, Waiting, Expired:
		t.abandon() // a renewal that came too late may still be trying
		if t.live { // the classic profile, online past its token's end
			t.endSDK()
		}
		t.attempts, t.stale, t.cached, t.brief = 0, 0, 0, 0
		t.startLogin(AskedFor)
	case Online, WillExpire, Renewing, Reconnecting:
		t.emit(Event{Name: LoginSucceeded, Code: chat.AlreadyLoggedIn, Reason: "already logged in"}.of(t.life, t.held))
	case Fetching, LoggingIn: // it is what is being done
	}
}

func (t *turn) askedToRenew() {
	switch {
	case t.renewing():
	case t.live || t.State == Expired && t.task == idle:
		t.startRenew(AskedFor)
	default:
		t.emit(Event{Name: RenewFailed, Code: chat.NotLoggedIn, Why: NoSession, Reason: "nobody is logged in; log in first"})
	}
}

func (t *turn) logout(reason string) {
	t.abandon()
	was := t.live || t.task == sdkLogin
	t.endSDK()
	t.task, t.attempts, t.held = idle, 0, tokenclient.Token{}
	if was || t.State != LoggedOut {
		t.emit(Event{Name: LoggedOutNow, Reason: reason})
	}
	t.enter(LoggedOut, reason, chat.OK)
}

// setPolicy takes effect at once when the new answer fits where the session already is.
func (t *turn) setPolicy(p Policy) {
	every := t.policy.RenewEvery
	t.policy = p
	if p.RenewEvery != every {
		t.planRenewal()
	}
	switch {
	case t.task != idle:
	case t.live && t.warned && !t.expired && t.onWillExpire() == WillExpireRenew:
		t.startRenew("the policy is to renew now")
	case t.State == Expired || t.live && t.expired: // the link may be down meanwhile
		t.answerExpiry()
	}
}

package session

import (
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// This file is the small moves that the others are made of.

// begin starts a task under a number of its own.
func (t *turn) begin(what task) {
	t.gen++
	t.task = what
}

// renewing reports whether a renewal is under way, the fetch for it included.
func (t *turn) renewing() bool { return t.task == fetchForRenew || t.task == sdkRenew }

// own turns an instant by the service's clock into one by the own clock.
func (t *turn) own(at time.Time) time.Time { return at.Add(-t.clockAhead) }

// abandon gives up the task under way; its result will be late.
func (t *turn) abandon() {
	if t.task == fetchForLogin || t.task == fetchForRenew {
		t.do(doCancel{})
	}
	t.gen++
	t.task, t.fetched, t.retryAt = idle, tokenclient.Token{}, time.Time{}
}

// endSDK ends the SDK's session, if there is one or one is being made.
func (t *turn) endSDK() {
	t.do(doLogout{})
	t.sdk++
	t.lost()
}

// lost notes that the SDK's session is over.
func (t *turn) lost() { t.live, t.linked, t.renewAt = false, false, time.Time{} }

// stop gives the session up.
func (t *turn) stop(why Reason, reason string, code chat.Code) {
	t.abandon()
	t.held = tokenclient.Token{}
	t.why = why
	t.enter(Stopped, reason, code)
}

// settle names the state of a live session by its facts.
func (t *turn) settle(reason string) {
	switch {
	case !t.live && t.renewing():
		t.enter(Expired, reason, t.code) // a renewal that comes too late, as some samples try
	case !t.live:
	case !t.linked:
		t.enter(Reconnecting, reason, chat.OK)
	case t.renewing():
		t.enter(Renewing, reason, chat.OK)
	case t.expired:
		t.enter(Expired, reason, t.profile.ExpiredCode)
	case t.warned:
		t.enter(WillExpire, reason, t.profile.WillExpireCode)
	default:
		t.enter(Online, reason, chat.OK)
	}
}

// enter changes the state, and says so when it is another one.
func (t *turn) enter(s State, reason string, code chat.Code) {
	old := t.State
	t.State, t.reason, t.code = s, reason, code
	if s != Stopped {
		t.why = NotGivenUp
	}
	if old != s {
		t.emit(Event{Name: StateChanged, Old: old, New: s, Why: t.why, Reason: reason, Code: code})
	}
}

func (t *turn) emit(e Event)  { t.do(doEmit{e}) }
func (t *turn) do(effect any) { t.effects = append(t.effects, effect) }

// of adds a token and its life to an event.
func (e Event) of(life chat.Life, token tokenclient.Token) Event {
	e.ExpiresAt, e.WillExpireAt = life.ExpiresAt, life.WillExpireAt
	if token.Text != "" {
		e.Token = token.Text.String()
	}
	return e
}

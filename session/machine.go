package session

import (
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// rules are what the machine decides by and never changes itself.
type rules struct {
	profile chat.Profile
	// renewable is false for a pasted token.
	renewable bool
	// app is how the app behaves beyond its policy.
	app Behaviour
	// spread is the part of the time between will-expire and the end over which many clients spread their renewals; 0 renews at once.
	spread float64
	// luck is the nth of the session's draws, from 0 to below 1: it spreads the waits of many clients.
	luck func(n uint64) float64
}

// task is the one thing that may be under way.
type task string

const (
	idle          task = "nothing"
	fetchForLogin task = "fetching for a login"
	fetchForRenew task = "fetching for a renewal"
	sdkLogin      task = "logging in"
	sdkRenew      task = "renewing"
)

// machine is everything that the app layer decides by. It is a value: step makes the next one.
type machine struct {
	State State
	// reason and code say why the session is in its state.
	reason string
	code   chat.Code
	why    Reason
	policy Policy

	// task is under way under the number gen; what comes back with another number is late and changes nothing.
	task task
	gen  uint64
	// sdk numbers the SDK's sessions; an event of another one is late.
	sdk uint64

	// live is true from a successful login until the SDK's session ends, linked while its link is up.
	live, linked bool
	// held is the token that the SDK lives on, fetched the one that is being handed to it.
	held, fetched   tokenclient.Token
	life            chat.Life
	ordinal         int
	warned, expired bool

	// attempts counts failures in a row, retryAt is when to try again, renewAt when the fixed interval asks for a renewal.
	attempts         int
	retryAt, renewAt time.Time
	// stale counts in a row how often the service called a new token expired.
	stale int
	// cached counts in a row how often the token server's answer had expired already.
	cached int
	// brief counts in a row how often a token ended as soon as it was accepted.
	brief int
	// clockAhead is how far the service's clock is ahead of the own one.
	clockAhead time.Duration
	// seen is the latest tick; a clock that is before it was set back.
	seen time.Time
	// drawn counts the draws, so that a session with the same seed and the same story waits the same.
	drawn uint64
	// wasOnline: there has been a login before, so a failing one is worth waiting for.
	wasOnline bool
}

// What can happen to the app layer. The last four come from a person.
type (
	inFetched struct {
		gen   uint64
		token tokenclient.Token
	}
	inFetchFailed struct {
		gen uint64
		err *tokenclient.Error
	}
	inLoggedIn struct {
		gen  uint64
		life chat.Life
	}
	inLoginFailed struct {
		gen uint64
		err *chat.Error
	}
	inRenewed struct {
		gen  uint64
		life chat.Life
	}
	inRenewFailed struct {
		gen uint64
		err *chat.Error
	}
	inSDK    struct{ event chat.Event }
	inTick   struct{}
	inPolicy struct{ policy Policy }
	inLogin  struct{}
	inRenew  struct{}
	inLogout struct{ reason string }
)

// What the app layer wants done.
type (
	// doFetch gets a token; fresh asks past caches. Those of one number may be under way together.
	doFetch struct {
		gen   uint64
		fresh bool
	}
	doCancel struct{} // what is fetched
	doLogin  struct {
		gen, sdk uint64
		token    tokenclient.Token
	}
	doRenew struct {
		gen   uint64
		token tokenclient.Token
	}
	doLogout struct{}
	doEmit   struct{ event Event }
)

// turn is one step under way: the state as it changes, and what has to be done so far.
type turn struct {
	rules
	machine
	now     time.Time
	effects []any
}

// step is the app's whole behaviour around a token: what happened at now, in which state, leads to which state and which actions. It reads
// no clock, no chance and no network.
func step(r rules, m machine, now time.Time, in any) (machine, []any) {
	t := &turn{rules: r, machine: m, now: now}
	switch in := in.(type) {
	case inLogin:
		t.login()
	case inRenew:
		t.askedToRenew()
	case inLogout:
		t.logout(in.reason)
	case inPolicy:
		t.setPolicy(in.policy)
	case inFetched:
		if in.gen == m.gen {
			t.fetchedToken(in.token)
		}
	case inFetchFailed:
		if in.gen == m.gen {
			t.fetchFailed(in.err)
		}
	case inLoggedIn:
		if in.gen == m.gen && m.task == sdkLogin {
			t.loggedIn(in.life)
		}
	case inLoginFailed:
		if in.gen == m.gen && m.task == sdkLogin {
			t.loginFailed(in.err)
		}
	case inRenewed:
		if in.gen == m.gen && m.task == sdkRenew {
			t.renewed(in.life)
		}
	case inRenewFailed:
		if in.gen == m.gen && m.task == sdkRenew {
			t.renewFailed(in.err)
		}
	case inSDK:
		switch own := in.event.Session == m.sdk; {
		case in.event.Name == chat.ClockSkew: // clocks outlive sessions, and it is told only once
			t.clockIs(in.event, own)
		case own:
			t.callback(in.event)
		}
	case inTick:
		t.tick()
	}
	return t.machine, t.effects
}

// draw is the next draw.
func (t *turn) draw() float64 {
	t.drawn++
	return t.luck(t.drawn)
}

// deadline is the next instant at which a tick changes something, zero when there is none. The SDK watches the token's own instants.
func (m machine) deadline() time.Time { return earlier(m.retryAt, m.renewAt) }

// earlier is the earlier of two instants, of which each may be none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tick does what has come due.
func (t *turn) tick() {
	t.keepPauses()
	if !t.retryAt.IsZero() && !t.now.Before(t.retryAt) {
		t.retryAt = time.Time{}
		if t.State == Waiting {
			t.startLogin("trying again")
		} else if t.live && t.task == idle {
			t.startRenew("trying again")
		}
	}
	if !t.renewAt.IsZero() && !t.now.Before(t.renewAt) {
		t.planRenewal()
		if t.live && t.task == idle && t.retryAt.IsZero() {
			t.startRenew("the app's own interval")
		}
	}
}

// keepPauses moves what is planned along with a clock that was set back: a pause is a length of time, not a date.
func (t *turn) keepPauses() {
	if back := t.seen.Sub(t.now); back > 0 {
		for _, at := range []*time.Time{&t.retryAt, &t.renewAt} {
			if !at.IsZero() {
				*at = at.Add(-back)
			}
		}
	}
	t.seen = t.now
}

package chat

import (
	"math"
	"time"
)

// phase is where the SDK stands.
type phase string

const (
	loggedOut    phase = "logged out"
	loggingIn    phase = "logging in"
	online       phase = "online"
	reconnecting phase = "reconnecting"
)

// state is everything that the SDK layer decides by. It is a value: step makes the next one.
type state struct {
	phase phase
	user  string
	// credential is what provisions a link: the 007 token or the Chat token it was traded for.
	credential string
	// gen numbers the attempts to get a link, and the link they lead to. What carries another number is late and changes nothing.
	gen uint64
	// attempts counts failed reconnects in a row.
	attempts int
	// The life of the token in use, by the service's clock as far as that is known; expiresAt is zero when the service named none.
	acceptedAt, expiresAt time.Time
	// warned and expired tell which callbacks have fired for this life.
	warned, expired bool
	// renewGen numbers renewals; renewing says that the newest one is under way.
	renewGen uint64
	renewing bool
}

// What can happen to the SDK layer.
type (
	inLogin     struct{ user, token string }
	inLogout    struct{}
	inRenew     struct{ token string }
	inConnected struct {
		gen        uint64
		credential string
		expiresAt  time.Time
	}
	inConnectFailed struct {
		gen uint64
		err *Error
	}
	inLinkDown struct {
		gen    uint64
		reason string
	}
	inKicked struct {
		gen    uint64
		code   Code
		reason string
	}
	// inServerClock is the service's time from an UNREAD answer (protocol.md d.3).
	inServerClock struct {
		gen uint64
		at  time.Time
	}
	inRenewed struct {
		gen        uint64
		credential string
		expiresAt  time.Time
	}
	inRenewFailed struct {
		gen uint64
		err *Error
	}
	inTick struct{}
)

// What the SDK layer wants done.
type (
	// doConnect gets a link, after a pause; token is the 007 token of a login or the credential of a reconnect.
	doConnect struct {
		gen         uint64
		user, token string
		exchange    bool
		after       time.Duration
	}
	doRenew struct {
		gen         uint64
		user, token string
	}
	// doCloseLink ends the link, and the attempt to get one.
	doCloseLink struct{}
	// doCancelRenew ends a renewal under way.
	doCancelRenew struct{}
	// doEmit fires a callback.
	doEmit struct{ event Event }
	// doAnswerLogin and doAnswerRenew end the app's call.
	doAnswerLogin struct{ err *Error }
	doAnswerRenew struct{ err *Error }
)

// step is the SDK's whole behaviour around a token: what happened at now, in which state, leads to which state and which actions.
func step(p Profile, s state, now time.Time, in any) (state, []any) {
	switch in := in.(type) {
	case inLogin:
		return login(p, s, in)
	case inLogout:
		return end(s)
	case inRenew:
		return renew(p, s, in)
	case inConnected:
		return connected(p, s, now, in)
	case inConnectFailed:
		return connectFailed(p, s, in)
	case inLinkDown:
		return linkDown(p, s, in)
	case inKicked:
		if in.gen != s.gen || s.phase != online {
			return s, nil
		}
		s, effects := end(s)
		return s, append(effects, doEmit{Event{Name: Kicked, Callback: p.LogoutCallback, Code: in.code, Reason: in.reason}})
	case inServerClock:
		if in.gen != s.gen || s.phase != online {
			return s, nil
		}
		return passed(p, s, in.at, p.RepeatsWillExpire)
	case inRenewed:
		if in.gen != s.renewGen || !s.renewing {
			return s, nil
		}
		s.renewing, s.credential = false, in.credential
		s = s.arm(now, in.expiresAt)
		if s.phase != reconnecting {
			return s, []any{doAnswerRenew{}}
		}
		// The attempt under way has the old token, whose refusal would end the session; and where a renewal came through, a link may too.
		s.gen++
		return s, []any{doAnswerRenew{}, doCloseLink{}, doConnect{gen: s.gen, user: s.user, token: s.credential}}
	case inRenewFailed:
		if in.gen != s.renewGen || !s.renewing {
			return s, nil
		}
		s.renewing = false
		return s, []any{doAnswerRenew{in.err}}
	case inTick:
		return passed(p, s, now, false)
	}
	return s, nil
}

func login(p Profile, s state, in inLogin) (state, []any) {
	if s.phase != loggedOut {
		err := &Error{Phase: PhaseLogin, Kind: KindAlreadyLoggedIn, Code: AlreadyLoggedIn, Reason: "already logged in as " + s.user}
		if in.user != s.user {
			err.Code = OtherUserLoggedIn
		}
		return s, []any{doAnswerLogin{err}}
	}
	s = state{phase: loggingIn, user: in.user, gen: s.gen + 1, renewGen: s.renewGen}
	return s, []any{doConnect{gen: s.gen, user: in.user, token: in.token, exchange: p.Exchange}}
}

// end forgets the session, whatever it was doing, and gives pending calls their answers.
func end(s state) (state, []any) {
	effects := []any{doCloseLink{}}
	gone := &Error{Phase: PhaseLogin, Kind: KindCanceled, Code: NotLoggedIn, Reason: "the session ended first"}
	if s.phase == loggingIn {
		effects = append(effects, doAnswerLogin{gone})
	}
	if s.renewing {
		late := *gone
		late.Phase = PhaseRenew
		effects = append(effects, doCancelRenew{}, doAnswerRenew{&late})
	}
	return state{phase: loggedOut, gen: s.gen + 1, renewGen: s.renewGen + 1}, effects
}

func renew(p Profile, s state, in inRenew) (state, []any) {
	refuse := func(reason string) (state, []any) {
		code := NotLoggedIn
		if p.RenewNeedsLink {
			code = WebConnectionClosed
		}
		return s, []any{doAnswerRenew{&Error{Phase: PhaseRenew, Kind: KindNotLoggedIn, Code: code, Reason: reason}}}
	}
	switch {
	case s.phase == loggedOut || s.phase == loggingIn:
		return refuse("renewToken needs a session, and this one is over; log in with the new token instead")
	case s.phase == reconnecting && p.RenewNeedsLink:
		return refuse("renewToken needs an open connection, and it is down")
	case s.renewing:
		return s, []any{doAnswerRenew{&Error{Phase: PhaseRenew, Kind: KindRefused, Reason: "a renewal is under way already"}}}
	}
	s.renewing = true
	s.renewGen++
	return s, []any{doRenew{gen: s.renewGen, user: s.user, token: in.token}}
}

func connected(p Profile, s state, now time.Time, in inConnected) (state, []any) {
	if in.gen != s.gen || s.phase != loggingIn && s.phase != reconnecting {
		return s, nil
	}
	effects := []any{doEmit{Event{Name: Connected, Callback: p.ConnectedCallback}}}
	if s.phase == loggingIn {
		s = s.arm(now, in.expiresAt)
		s.credential = in.credential
		effects = append(effects, doAnswerLogin{})
	}
	s.phase, s.attempts = online, 0
	return s, effects
}

func connectFailed(p Profile, s state, in inConnectFailed) (state, []any) {
	if in.gen != s.gen {
		return s, nil
	}
	switch s.phase {
	case loggingIn:
		return state{phase: loggedOut, gen: s.gen + 1, renewGen: s.renewGen}, []any{doAnswerLogin{in.err}}
	case reconnecting:
	default:
		return s, nil
	}
	var effects []any
	if !in.err.Temporary() {
		if !p.RetriesRefused {
			s, effects := end(s)
			return s, append(effects, disconnected(p, in.err.Code, in.err.Reason, in.err.Kind))
		}
		effects = append(effects, doEmit{Event{Name: Failed, Callback: errorCallback, Code: in.err.Code, Reason: in.err.Reason, Kind: in.err.Kind}})
	}
	s.attempts++
	if p.MaxReconnects > 0 && s.attempts >= p.MaxReconnects {
		s, ending := end(s)
		effects = append(effects, ending...)
		return s, append(effects, disconnected(p, WebDisconnected, "reconnection failed: "+in.err.Reason, in.err.Kind))
	}
	return reconnect(s, effects)
}

func linkDown(p Profile, s state, in inLinkDown) (state, []any) {
	if in.gen != s.gen || s.phase != online {
		return s, nil
	}
	s.phase = reconnecting
	return reconnect(s, []any{
		doCloseLink{},
		doEmit{Event{Name: Reconnecting, Callback: p.DisconnectedCallback, Code: ServerNotReachable, Reason: in.reason}},
	})
}

func reconnect(s state, effects []any) (state, []any) {
	s.gen++
	return s, append(effects, doConnect{gen: s.gen, user: s.user, token: s.credential, after: pause(s.attempts)})
}

// pause is how long to wait before the next reconnect: 1 s, doubled with each failure up to 16 s. The loop adds jitter.
func pause(failures int) time.Duration { return time.Second << min(failures, 4) }

func disconnected(p Profile, code Code, reason string, kind Kind) doEmit {
	return doEmit{Event{Name: Disconnected, Callback: p.DisconnectedCallback, Code: code, Reason: reason, Kind: kind}}
}

// arm starts a token's life at now.
func (s state) arm(now, expiresAt time.Time) state {
	s.acceptedAt, s.expiresAt, s.warned, s.expired = now, expiresAt, false, false
	return s
}

// willExpireAt is the instant of the first warning, zero where none comes.
func (s state) willExpireAt(p Profile) time.Time { return WillExpireAt(p, s.acceptedAt, s.expiresAt) }

// WillExpireAt is where OnTokenWillExpire falls in a life from accepted to expires: the profile's fraction of it, or its fixed lead before the
// end. It is expires itself when the life is over before it began, and zero where OnTokenWillExpire never comes: when expires is zero, and in
// a life that is no longer than the profile's lead.
func WillExpireAt(p Profile, accepted, expires time.Time) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	life := max(expires.Sub(accepted), 0)
	switch {
	case p.Lead >= life && p.Lead > 0:
		return time.Time{}
	case p.Lead > 0:
		return expires.Add(-p.Lead)
	}
	return expires.Add(-time.Duration(math.Round(float64(life) * (1 - p.WillExpire))))
}

// passed fires what is due at the given instant of the service's clock, as it is reckoned here or as the service has just said. When both are
// due, as after a sleep, the warning has lost its sense and only the expiry fires. Repeat asks for one more warning after the first.
func passed(p Profile, s state, at time.Time, repeat bool) (state, []any) {
	if s.expiresAt.IsZero() || s.expired || s.phase != online && s.phase != reconnecting {
		return s, nil
	}
	facts := Event{ExpiresAt: s.expiresAt, WillExpireAt: s.willExpireAt(p)}
	switch {
	case !at.Before(s.expiresAt):
		return expire(p, s, facts)
	case !facts.WillExpireAt.IsZero() && !at.Before(facts.WillExpireAt) && (!s.warned || repeat):
		s.warned = true
		facts.Name, facts.Callback, facts.Code = WillExpire, p.WillExpireCallback, p.WillExpireCode
		facts.Reason = "the token will expire"
		return s, []any{doEmit{facts}}
	}
	return s, nil
}

func expire(p Profile, s state, e Event) (state, []any) {
	s.expired = true
	e.Name, e.Callback, e.Code, e.Reason = TokenHasExpired, p.ExpiredCallback, p.ExpiredCode, "the token expired"
	if p.StaysOnline {
		if s.phase != online {
			return s, nil // the callback fires only while connected; the next reconnect will be refused
		}
		return s, []any{doEmit{e}}
	}
	s, effects := end(s)
	effects = append([]any{doEmit{e}}, effects...)
	return s, append(effects, disconnected(p, p.ExpiredCode, "the SDK closed the session because the token expired", KindExpired))
}

// nextDeadline is the next instant at which a callback is due, zero when there is none.
func (s state) nextDeadline(p Profile) time.Time {
	switch {
	case s.phase != online && s.phase != reconnecting || s.expired:
		return time.Time{}
	case !s.warned && !s.willExpireAt(p).IsZero():
		return s.willExpireAt(p)
	default:
		return s.expiresAt
	}
}

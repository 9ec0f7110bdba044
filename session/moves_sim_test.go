package session

import (
	"slices"
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// These are the moves of a sim: whatever can happen next. Who draws among them is rapid or a seeded walk.

// chooser draws a number from 0 to n-1.
type chooser func(what string, n int) int

func pick[T any](c chooser, what string, from []T) T { return from[c(what, len(from))] }

func (c chooser) flip(what string) bool { return c(what, 2) == 1 }

// fetchErrors, loginErrors and renewErrors are what can go wrong.
var (
	fetchErrors = []*tokenclient.Error{
		unreachable, wrongUser, {Kind: tokenclient.KindHTTPStatus, Status: 429, RetryAfter: 90 * time.Second},
		{Kind: tokenclient.KindNotRenewable}, {Kind: tokenclient.KindExpired},
	}
	loginErrors = []*chat.Error{lostLink, invalid, expired, {Kind: chat.KindUnknownUser}, {Kind: chat.KindProtocol}, {Kind: chat.KindAbsurd}}
	renewErrors = []*chat.Error{lostLink, invalid, expired, {Kind: chat.KindNotLoggedIn}, {Kind: chat.KindAbsurd}}
	policies    = []Policy{
		{WillExpireRenew, ExpiredRelogin, 0}, {WillExpireIgnore, ExpiredRenew, 0}, {WillExpireAsk, ExpiredIgnore, 0},
		{WillExpireIgnore, ExpiredRelogin, time.Minute}, {WillExpireRenew, ExpiredIgnore, time.Minute}, {WillExpireRenew, ExpiredRenew, 0},
	}
	lives = []time.Duration{time.Second, 10 * time.Second, time.Hour, 24 * time.Hour}
	leaps = []time.Duration{time.Millisecond, time.Second, 30 * time.Second, time.Hour, 10 * time.Hour}
)

// move is one thing that can happen; it returns false when it cannot happen now.
type move struct {
	name string
	// weight makes a walk live a life in which things get done more often than people interfere.
	weight int
	do     func(s *sim, c chooser) bool
}

// GoString names the move where rapid tells what it drew.
func (m move) GoString() string { return m.name }

// always is a move that is possible in every state.
func always(do func(s *sim, c chooser)) func(*sim, chooser) bool {
	return func(s *sim, c chooser) bool {
		do(s, c)
		return true
	}
}

var simMoves = []move{
	{"login", 4, always(func(s *sim, _ chooser) { s.apply(inLogin{}) })},
	{"renew", 2, always(func(s *sim, _ chooser) { s.apply(inRenew{}) })},
	{"logout", 1, always(func(s *sim, _ chooser) { s.apply(inLogout{"the user asked"}) })},
	{"policy", 2, always(func(s *sim, c chooser) { s.apply(inPolicy{pick(c, "policy", policies)}) })},
	{"time passes", 6, always(func(s *sim, c chooser) {
		s.now = s.now.Add(pick(c, "by", leaps))
		s.apply(inTick{})
	})},
	{"the clock is set back", 1, always(func(s *sim, _ chooser) { s.now = s.now.Add(-time.Hour) })},
	{"fetch ends", 14, func(s *sim, c chooser) bool {
		if s.fetch == 0 {
			return false
		}
		gen := s.fetch
		s.fetch = 0
		switch {
		case c.flip("ok"):
			s.apply(inFetched{gen, s.newToken(pick(c, "life", lives))})
		case c.flip("the same"):
			s.apply(inFetched{gen, s.m.held})
		default:
			s.apply(inFetchFailed{gen, pick(c, "error", fetchErrors)})
		}
		return true
	}},
	{"late fetch ends", 1, func(s *sim, _ chooser) bool {
		if len(s.late) == 0 {
			return false
		}
		s.apply(s.late[0])
		s.late = s.late[1:]
		return true
	}},
	{"the SDK takes a call", 16, func(s *sim, _ chooser) bool {
		if len(s.calls) == 0 {
			return false
		}
		s.callSDK()
		return true
	}},
	{"the app hears the SDK", 24, func(s *sim, _ chooser) bool {
		if len(s.events) == 0 {
			return false
		}
		in := s.events[0]
		s.events = s.events[1:]
		s.apply(in)
		return true
	}},
	{"SDK login ends", 16, func(s *sim, c chooser) bool {
		k := &s.sdk
		if k.login == 0 {
			return false
		}
		gen := k.login
		k.login = 0
		if c.flip("ok") {
			k.loggedIn, k.linked = true, true
			s.say(chat.Event{Name: chat.Connected})
			s.events = append(s.events, inLoggedIn{gen, s.life(k.token)})
			return true
		}
		s.events = append(s.events, inLoginFailed{gen, pick(c, "error", loginErrors)})
		return true
	}},
	{"SDK renewal ends", 6, func(s *sim, c chooser) bool {
		k := &s.sdk
		if k.renew == 0 {
			return false
		}
		gen := k.renew
		k.renew = 0
		if c.flip("ok") {
			k.fired = false
			s.events = append(s.events, inRenewed{gen, s.life(k.token)})
			return true
		}
		s.events = append(s.events, inRenewFailed{gen, pick(c, "error", renewErrors)})
		return true
	}},
	{"SDK learns the time", 2, func(s *sim, c chooser) bool {
		if s.sdk.session == 0 || !s.sdk.loggedIn && s.sdk.login == 0 {
			return false
		}
		ends := s.now.Add(pick(c, "left", lives))
		s.say(chat.Event{
			Name: chat.ClockSkew, Ahead: pick(c, "ahead", []time.Duration{0, time.Second, time.Hour, -time.Hour}),
			Life: chat.Life{AcceptedAt: s.now, ExpiresAt: ends, WillExpireAt: chat.WillExpireAt(s.r.profile, s.now, ends)},
		})
		return true
	}},
	{"SDK says something", 10, func(s *sim, c chooser) bool { return s.sdk.loggedIn && s.speak(c) }},
}

// speak lets the SDK's session do something of its own accord.
func (s *sim) speak(c chooser) bool {
	k := &s.sdk
	switch pick(c, "what", []chat.EventName{
		chat.Reconnecting, chat.WillExpire, chat.TokenHasExpired, chat.Kicked, chat.Disconnected, chat.Failed,
	}) {
	case chat.Reconnecting:
		k.linked = !k.linked
		if k.linked {
			s.say(chat.Event{Name: chat.Connected})
		} else {
			s.say(chat.Event{Name: chat.Reconnecting, Reason: "lost"})
		}
	case chat.WillExpire:
		s.say(chat.Event{Name: chat.WillExpire})
	case chat.TokenHasExpired:
		if k.fired {
			return false
		}
		k.fired = true
		s.say(chat.Event{Name: chat.TokenHasExpired})
		if !s.r.profile.StaysOnline {
			s.endSDK()
			s.say(chat.Event{Name: chat.Disconnected, Kind: chat.KindExpired})
		}
	case chat.Kicked:
		s.endSDK()
		s.say(chat.Event{Name: chat.Kicked, Code: chat.UserRemoved})
	case chat.Disconnected:
		if k.linked { // only a link that is down is given up
			return false
		}
		s.endSDK()
		s.say(chat.Event{Name: chat.Disconnected, Kind: pick(c, "kind", []chat.Kind{chat.KindExpired, chat.KindInvalid, chat.KindUnreachable})})
	case chat.Failed:
		if k.linked || !s.r.profile.RetriesRefused {
			return false
		}
		s.say(chat.Event{Name: chat.Failed, Kind: chat.KindExpired})
	}
	return true
}

// inputName is how the documents call an input.
func inputName(in any) string {
	switch in := in.(type) {
	case inLogin:
		return "login"
	case inRenew:
		return "renew"
	case inLogout:
		return "logout"
	case inPolicy:
		return "policy"
	case inTick:
		return "time passes"
	case inFetched:
		return "token fetched"
	case inFetchFailed:
		return "fetch failed"
	case inLoggedIn:
		return "SDK logged in"
	case inLoginFailed:
		return "SDK login failed"
	case inRenewed:
		return "SDK renewed"
	case inRenewFailed:
		return "SDK renewal failed"
	case inSDK:
		return "SDK: " + string(in.event.Name)
	}
	panic(in)
}

// inputNames lists them in the order of the documents.
func inputNames() []string {
	names := []string{
		"login", "renew", "logout", "policy", "time passes", "token fetched", "fetch failed",
		"SDK logged in", "SDK login failed", "SDK renewed", "SDK renewal failed",
	}
	for _, e := range []chat.EventName{
		chat.Connected, chat.Reconnecting, chat.Failed, chat.Disconnected, chat.Kicked, chat.WillExpire, chat.TokenHasExpired, chat.ClockSkew,
	} {
		names = append(names, "SDK: "+string(e))
	}
	return slices.Clip(names)
}

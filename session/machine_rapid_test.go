package session

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// sim is the machine in a world of its own: a token server that takes its time, and an SDK on the other end of two queues, because calls
// and callbacks cross each other in real life.
type sim struct {
	t    *rapid.T // nil outside of property tests
	r    rules
	m    machine
	now  time.Time
	luck float64

	fetch  uint64 // the fetch in flight, 0 when there is none
	late   []any  // results of canceled fetches
	calls  []any  // app to SDK
	events []any  // SDK to app
	serial int    // numbers tokens
	sdk    simSDK
}

// simSDK is a plausible SDK: it knows a session only from login to its end.
type simSDK struct {
	session      uint64
	loggedIn     bool
	linked       bool
	login, renew uint64 // calls without an answer yet, by their number
	token        tokenclient.Token
	fired        bool
}

func newSim(r rules, luck float64) *sim {
	return &sim{r: r, now: noon, luck: luck, m: machine{State: LoggedOut, task: idle, policy: Policy{OnWillExpire: WillExpireRenew, OnExpired: ExpiredRelogin}}}
}

func (s *sim) fatal(format string, args ...any) {
	if s.t == nil {
		return
	}
	s.t.Helper()
	s.t.Fatalf(format+" (state %s, task %s)", append(args, s.m.State, s.m.task)...)
}

// apply lets the machine take one input and carries out what it wants.
func (s *sim) apply(in any) {
	before := s.m
	next, effects := step(s.r, s.m, s.now, s.luck, in)
	if isLate(before, in) && (len(effects) > 0 || !reflect.DeepEqual(before, next)) {
		s.fatal("a late %T changed something: %s", in, short(effects))
	}
	kicked := false
	if e, ok := in.(inSDK); ok && e.event.Session == before.sdk && e.event.Name == chat.Kicked {
		kicked = true
	}
	s.m = next
	for _, e := range effects {
		switch e := e.(type) {
		case doFetch:
			if s.fetch != 0 {
				s.fatal("a fetch begins while another one is in flight")
			}
			if kicked {
				s.fatal("a kick is answered with a fetch")
			}
			s.fetch = e.gen
		case doCancel:
			if s.fetch == 0 {
				s.fatal("nothing to cancel")
			}
			s.late = append(s.late, inFetched{s.fetch, s.newToken(time.Hour)}, inFetchFailed{s.fetch, &tokenclient.Error{Kind: tokenclient.KindCanceled}})
			s.fetch = 0
		case doLogin, doRenew, doLogout:
			if _, logout := e.(doLogout); kicked && !logout {
				s.fatal("a kick is answered with a call of the SDK")
			}
			s.calls = append(s.calls, e)
		}
	}
	s.check()
}

func isLate(m machine, in any) bool {
	switch in := in.(type) {
	case inFetched:
		return in.gen != m.gen
	case inFetchFailed:
		return in.gen != m.gen
	case inLoggedIn:
		return in.gen != m.gen
	case inLoginFailed:
		return in.gen != m.gen
	case inRenewed:
		return in.gen != m.gen
	case inRenewFailed:
		return in.gen != m.gen
	case inSDK:
		return in.event.Session != m.sdk
	}
	return false
}

// check holds in every state that can be reached.
func (s *sim) check() {
	if s.t == nil {
		return
	}
	m := s.m
	fetching := m.task == fetchForLogin || m.task == fetchForRenew
	switch {
	case fetching != (s.fetch != 0) || fetching && s.fetch != m.gen:
		s.fatal("fetch %d is in flight, and the number is %d", s.fetch, m.gen)
	case (m.State == Fetching) != (m.task == fetchForLogin), (m.State == LoggingIn) != (m.task == sdkLogin):
		s.fatal("the state does not fit what is under way")
	case m.State == Renewing && m.task != fetchForRenew && m.task != sdkRenew:
		s.fatal("renewing, but nothing is under way")
	case m.State == Waiting && m.retryAt.IsZero():
		s.fatal("waiting for nothing")
	case m.live && (m.State == LoggedOut || m.State == Stopped || m.State == Waiting || m.State == Fetching || m.State == LoggingIn):
		s.fatal("a session is alive")
	case !m.live && (m.State == Online || m.State == WillExpire || m.State == Renewing || m.State == Reconnecting):
		s.fatal("no session is alive")
	case m.linked && !m.live:
		s.fatal("linked without a session")
	case m.live && !m.retryAt.IsZero() && !m.life.ExpiresAt.IsZero() && !m.retryAt.Before(m.life.ExpiresAt):
		s.fatal("the renewal is tried again at %v, and the token ends at %v", m.retryAt, m.life.ExpiresAt)
	case !m.retryAt.IsZero() && m.task != idle:
		s.fatal("something is under way, and a retry is planned")
	case m.State != Waiting && !m.live && !m.retryAt.IsZero():
		s.fatal("a retry is planned that nobody waits for")
	}
	// Every state can be left, and a login always starts an attempt where nobody is logged in.
	leave := any(inLogout{})
	if m.State == LoggedOut {
		leave = inLogin{}
	}
	if next, _ := step(s.r, m, s.now, s.luck, leave); next.State == m.State {
		s.fatal("%T leaves everything as it is", leave)
	}
	switch m.State {
	case LoggedOut, Stopped, Expired, Waiting:
		next, effects := step(s.r, m, s.now, s.luck, inLogin{})
		started := 0
		for _, e := range effects {
			switch e.(type) {
			case doFetch, doLogin:
				started++
			}
		}
		if started != 1 || next.State != Fetching && next.State != LoggingIn {
			s.fatal("a login leads to %s with %q", next.State, short(effects))
		}
	}
}

func (s *sim) newToken(life time.Duration) tokenclient.Token {
	s.serial++
	return tokenclient.Token{Text: tokenclient.Secret(fmt.Sprint("token ", s.serial)), User: "alice", ExpiresAt: s.now.Add(life)}
}

func (s *sim) life(t tokenclient.Token) chat.Life {
	return chat.Life{AcceptedAt: s.now, ExpiresAt: t.ExpiresAt, WillExpireAt: chat.WillExpireAt(s.r.profile, s.now, t.ExpiresAt)}
}

// callSDK lets the SDK take the oldest call.
func (s *sim) callSDK() {
	call := s.calls[0]
	s.calls = s.calls[1:]
	k := &s.sdk
	switch c := call.(type) {
	case doLogin:
		if k.loggedIn || k.login != 0 {
			s.fatal("a login while the SDK is logged in or logging in")
		}
		*k = simSDK{session: c.sdk, login: c.gen, token: c.token}
	case doRenew:
		switch {
		case k.renew != 0:
			s.fatal("two renewals in flight")
		case !k.loggedIn:
			s.events = append(s.events, inRenewFailed{c.gen, &chat.Error{Kind: chat.KindNotLoggedIn, Code: chat.NotLoggedIn}})
		default:
			k.renew, k.token = c.gen, c.token
		}
	case doLogout:
		s.endSDK()
	}
}

// endSDK ends the SDK's session and answers what is pending, as the SDK does.
func (s *sim) endSDK() {
	gone := &chat.Error{Kind: chat.KindCanceled, Code: chat.NotLoggedIn}
	if s.sdk.login != 0 {
		s.events = append(s.events, inLoginFailed{s.sdk.login, gone})
	}
	if s.sdk.renew != 0 {
		s.events = append(s.events, inRenewFailed{s.sdk.renew, gone})
	}
	s.sdk = simSDK{session: s.sdk.session}
}

func (s *sim) say(e chat.Event) {
	e.Session = s.sdk.session
	s.events = append(s.events, inSDK{e})
}

// fetchErrors, loginErrors and renewErrors are what can go wrong.
var (
	fetchErrors = []*tokenclient.Error{
		unreachable, wrongUser, {Kind: tokenclient.KindHTTPStatus, Status: 429, RetryAfter: 90 * time.Second}, {Kind: tokenclient.KindNotRenewable},
	}
	loginErrors = []*chat.Error{lostLink, invalid, expired, {Kind: chat.KindUnknownUser}, {Kind: chat.KindProtocol}}
	renewErrors = []*chat.Error{lostLink, invalid, expired, {Kind: chat.KindNotLoggedIn}}
	policies    = []Policy{
		{WillExpireRenew, ExpiredRelogin, 0}, {WillExpireIgnore, ExpiredRenew, 0}, {WillExpireAsk, ExpiredIgnore, 0},
		{WillExpireIgnore, ExpiredRelogin, time.Minute},
	}
	lives = []time.Duration{time.Second, 10 * time.Second, time.Hour, 24 * time.Hour}
)

func TestMachineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom(chat.Profiles()).Draw(t, "profile")
		s := newSim(rules{profile, rapid.Bool().Draw(t, "renewable")}, rapid.Float64Range(0, 1).Draw(t, "luck"))
		s.t = t
		s.m.policy = rapid.SampledFrom(policies).Draw(t, "policy")
		t.Repeat(map[string]func(*rapid.T){
			"":       func(*rapid.T) { s.check() },
			"login":  func(*rapid.T) { s.apply(inLogin{}) },
			"renew":  func(*rapid.T) { s.apply(inRenew{}) },
			"logout": func(*rapid.T) { s.apply(inLogout{"asked to"}) },
			"policy": func(t *rapid.T) { s.apply(inPolicy{rapid.SampledFrom(policies).Draw(t, "policy")}) },
			"time passes": func(t *rapid.T) {
				s.now = s.now.Add(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 30 * time.Second, time.Hour, 10 * time.Hour}).Draw(t, "by"))
				s.apply(inTick{})
			},
			"the clock is set back": func(*rapid.T) { s.now = s.now.Add(-time.Hour) },
			"fetch ends": func(t *rapid.T) {
				if s.fetch == 0 {
					t.Skip()
				}
				gen := s.fetch
				s.fetch = 0
				switch {
				case rapid.Bool().Draw(t, "ok"):
					s.apply(inFetched{gen, s.newToken(rapid.SampledFrom(lives).Draw(t, "life"))})
				case rapid.Bool().Draw(t, "the same"):
					s.apply(inFetched{gen, s.m.held})
				default:
					s.apply(inFetchFailed{gen, rapid.SampledFrom(fetchErrors).Draw(t, "error")})
				}
			},
			"late fetch ends": func(t *rapid.T) {
				if len(s.late) == 0 {
					t.Skip()
				}
				s.apply(s.late[0])
				s.late = s.late[1:]
			},
			"the SDK takes a call": func(t *rapid.T) {
				if len(s.calls) == 0 {
					t.Skip()
				}
				s.callSDK()
			},
			"the app hears the SDK": func(t *rapid.T) {
				if len(s.events) == 0 {
					t.Skip()
				}
				in := s.events[0]
				s.events = s.events[1:]
				s.apply(in)
			},
			"SDK login ends": func(t *rapid.T) {
				k := &s.sdk
				if k.login == 0 {
					t.Skip()
				}
				gen := k.login
				k.login = 0
				if rapid.Bool().Draw(t, "ok") {
					k.loggedIn, k.linked = true, true
					s.say(chat.Event{Name: chat.Connected})
					s.events = append(s.events, inLoggedIn{gen, s.life(k.token)})
					return
				}
				s.events = append(s.events, inLoginFailed{gen, rapid.SampledFrom(loginErrors).Draw(t, "error")})
			},
			"SDK renewal ends": func(t *rapid.T) {
				k := &s.sdk
				if k.renew == 0 {
					t.Skip()
				}
				gen := k.renew
				k.renew = 0
				if rapid.Bool().Draw(t, "ok") {
					k.fired = false
					s.events = append(s.events, inRenewed{gen, s.life(k.token)})
					return
				}
				s.events = append(s.events, inRenewFailed{gen, rapid.SampledFrom(renewErrors).Draw(t, "error")})
			},
			"SDK says something": func(t *rapid.T) {
				k := &s.sdk
				if !k.loggedIn {
					t.Skip()
				}
				switch what := rapid.SampledFrom([]chat.EventName{
					chat.Reconnecting, chat.WillExpire, chat.TokenHasExpired, chat.Kicked, chat.Disconnected,
				}).Draw(t, "what"); what {
				case chat.Reconnecting:
					if k.linked {
						k.linked = false
						s.say(chat.Event{Name: chat.Reconnecting, Reason: "lost"})
					} else {
						k.linked = true
						s.say(chat.Event{Name: chat.Connected})
					}
				case chat.WillExpire:
					s.say(chat.Event{Name: chat.WillExpire})
				case chat.TokenHasExpired:
					if k.fired {
						t.Skip()
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
					kind := rapid.SampledFrom([]chat.Kind{chat.KindExpired, chat.KindInvalid, chat.KindUnreachable}).Draw(t, "kind")
					s.endSDK()
					s.say(chat.Event{Name: chat.Disconnected, Kind: kind})
				}
			},
		})
	})
}

// The deadline that the loop sleeps until is exactly the instant from which a tick does something.
func TestTheDeadlineIsWhenATickDoesSomething(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{
			"logged out", "fetching", "logging in", "online", "will expire", "fetching anew", "renewing", "retrying", "reconnecting", "expired", "waiting", "stopped",
		}).Draw(t, "stand")
		m := stand(name)
		m.policy = rapid.SampledFrom(policies).Draw(t, "policy")
		now := noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "now")))
		_, effects := step(rules{chat.Native, true}, m, now, 0, inTick{})
		due := !m.deadline().IsZero() && !now.Before(m.deadline())
		if due != (len(effects) > 0) {
			t.Fatalf("%s at %v with deadline %v does %q", name, now, m.deadline(), short(effects))
		}
	})
}

package session

import (
	"fmt"
	"reflect"
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// sim is the machine in a world of its own: a token server that takes its time, and an SDK on the other end of two queues, because calls
// and callbacks cross each other in real life.
type sim struct {
	t interface { // nil outside of property tests
		Helper()
		Fatalf(format string, args ...any)
	}
	r   rules
	m   machine
	now time.Time

	fetch  uint64 // the fetch in flight, 0 when there is none
	late   []any  // results of canceled fetches
	calls  []any  // app to SDK
	events []any  // SDK to app
	serial int    // numbers tokens
	sdk    simSDK

	// saw, when set, is told of every input that is not late: the state before and after it.
	saw func(from State, in string, to State)
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

// evenRules are rules of a correct app by which nothing is stretched.
func evenRules(p chat.Profile) rules {
	return rules{profile: p, renewable: true, luck: func(uint64) float64 { return 0 }}
}

func newSim(r rules, luck float64) *sim {
	r.luck = func(uint64) float64 { return luck }
	return &sim{r: r, now: noon, m: machine{State: LoggedOut, task: idle, policy: Policy{OnWillExpire: WillExpireRenew, OnExpired: ExpiredRelogin}}}
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
	next, effects := step(s.r, s.m, s.now, in)
	if isLate(before, in) && (len(effects) > 0 || !reflect.DeepEqual(before, next)) {
		s.fatal("a late %T changed something: %s", in, short(effects))
	}
	if s.saw != nil && !isLate(before, in) {
		s.saw(before.State, inputName(in), next.State)
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
		return in.event.Session != m.sdk && in.event.Name != chat.ClockSkew
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
	if next, _ := step(s.r, m, s.now, leave); next.State == m.State {
		s.fatal("%T leaves everything as it is", leave)
	}
	switch m.State {
	case LoggedOut, Stopped, Expired, Waiting:
		next, effects := step(s.r, m, s.now, inLogin{})
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

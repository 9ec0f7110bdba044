package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// hour is a token that lives from noon to one o'clock, fresh one that lives an hour longer.
var (
	hour  = tokenclient.Token{Text: "hour", User: "alice", ExpiresAt: noon.Add(time.Hour)}
	fresh = tokenclient.Token{Text: "fresh", User: "alice", ExpiresAt: noon.Add(2 * time.Hour)}
)

// stand is a machine in a state that it comes to in practice, at ten past twelve; the task under way has number 5, the SDK's session 3.
func stand(name string) machine {
	m := machine{
		State: Online, policy: Policy{OnWillExpire: WillExpireRenew, OnExpired: ExpiredRelogin}, task: idle, gen: 5, sdk: 3,
		live: true, linked: true, wasOnline: true, held: hour, ordinal: 1,
		life: chat.Life{AcceptedAt: noon, WillExpireAt: noon.Add(48 * time.Minute), ExpiresAt: noon.Add(time.Hour)},
	}
	offline := func(s State) {
		m.State, m.live, m.linked = s, false, false
	}
	switch name {
	case "online":
	case "logged out":
		offline(LoggedOut)
		m.held = tokenclient.Token{}
	case "first fetch":
		m = machine{State: Fetching, policy: m.policy, task: fetchForLogin, gen: 5, sdk: 3}
	case "fetching":
		offline(Fetching)
		m.task, m.held = fetchForLogin, tokenclient.Token{}
	case "logging in":
		offline(LoggingIn)
		m.task, m.fetched = sdkLogin, hour
	case "will expire":
		m.State, m.warned = WillExpire, true
	case "ignoring":
		m.State, m.warned, m.policy = WillExpire, true, Policy{OnWillExpire: WillExpireIgnore, OnExpired: ExpiredIgnore}
	case "fetching anew":
		m.State, m.warned, m.task = Renewing, true, fetchForRenew
	case "renewing":
		m.State, m.warned, m.task, m.fetched = Renewing, true, sdkRenew, fresh
	case "renewing past the end":
		m.State, m.warned, m.expired, m.task, m.fetched = Renewing, true, true, sdkRenew, fresh
	case "retrying":
		m.State, m.warned, m.attempts, m.retryAt = WillExpire, true, 1, noon.Add(15*time.Minute)
	case "reconnecting":
		m.State, m.linked = Reconnecting, false
	case "expired":
		offline(Expired)
		m.warned, m.expired, m.policy.OnExpired = true, true, ExpiredIgnore
	case "waiting":
		offline(Waiting)
		m.attempts, m.retryAt, m.held = 2, noon.Add(15*time.Minute), tokenclient.Token{}
	case "stopped":
		offline(Stopped)
		m.held = tokenclient.Token{}
	default:
		panic(name)
	}
	return m
}

func sdk(name chat.EventName, kind chat.Kind, code chat.Code) inSDK {
	return inSDK{chat.Event{Name: name, Kind: kind, Code: code, Session: 3, Reason: string(name)}}
}

var (
	unreachable = &tokenclient.Error{Kind: tokenclient.KindUnreachable, Detail: "down"}
	wrongUser   = &tokenclient.Error{Kind: tokenclient.KindWrongUser, Detail: "for bob"}
	lostLink    = &chat.Error{Kind: chat.KindUnreachable, Code: chat.ServerNotReachable, Reason: "lost"}
	invalid     = &chat.Error{Kind: chat.KindInvalid, Code: chat.InvalidToken, Reason: "invalid"}
	expired     = &chat.Error{Kind: chat.KindExpired, Code: chat.TokenExpired, Reason: "expired"}
	canceled    = &chat.Error{Kind: chat.KindCanceled, Code: chat.NotLoggedIn, Reason: "canceled"}
	nextLife    = chat.Life{AcceptedAt: noon.Add(10 * time.Minute), WillExpireAt: noon.Add(98 * time.Minute), ExpiresAt: fresh.ExpiresAt}
)

// effects are written in one line: what is done and told, in order; "state" events are left out, because the new state is beside them.
func short(effects []any) string {
	var words []string
	for _, e := range effects {
		switch e := e.(type) {
		case doFetch:
			words = append(words, fmt.Sprintf("FETCH%d", e.gen))
		case doCancel:
			words = append(words, "CANCEL")
		case doLogin:
			words = append(words, fmt.Sprintf("LOGIN%d/%d", e.gen, e.sdk))
		case doRenew:
			words = append(words, fmt.Sprintf("RENEW%d", e.gen))
		case doLogout:
			words = append(words, "LOGOUT")
		case doEmit:
			if e.event.Name != StateChanged {
				words = append(words, string(e.event.Name))
			}
		}
	}
	return strings.Join(words, " ")
}

func TestTransitions(t *testing.T) {
	at := 10 * time.Minute
	for _, tc := range []struct {
		from    string
		in      any
		state   State
		effects string
	}{
		// A person asks.
		{"logged out", inLogin{}, Fetching, "token.requested FETCH7"},
		{"first fetch", inLogin{}, Fetching, ""},
		{"logging in", inLogin{}, LoggingIn, ""},
		{"online", inLogin{}, Online, "login.succeeded"},
		{"renewing", inLogin{}, Renewing, "login.succeeded"},
		{"reconnecting", inLogin{}, Reconnecting, "login.succeeded"},
		{"expired", inLogin{}, Fetching, "token.requested FETCH7"},
		{"waiting", inLogin{}, Fetching, "token.requested FETCH7"},
		{"stopped", inLogin{}, Fetching, "token.requested FETCH7"},
		{"logged out", inRenew{}, LoggedOut, "renew.failed"},
		{"waiting", inRenew{}, Waiting, "renew.failed"},
		{"stopped", inRenew{}, Stopped, "renew.failed"},
		{"logging in", inRenew{}, LoggingIn, "renew.failed"},
		{"online", inRenew{}, Renewing, "token.requested FETCH6"},
		{"fetching anew", inRenew{}, Renewing, ""},
		{"renewing", inRenew{}, Renewing, ""},
		{"retrying", inRenew{}, Renewing, "token.requested FETCH6"},
		{"reconnecting", inRenew{}, Reconnecting, "token.requested FETCH6"},
		{"expired", inRenew{}, Expired, "token.requested FETCH6"},
		{"logged out", inLogout{}, LoggedOut, "LOGOUT"},
		{"first fetch", inLogout{}, LoggedOut, "CANCEL LOGOUT logged_out"},
		{"logging in", inLogout{}, LoggedOut, "LOGOUT logged_out"},
		{"online", inLogout{}, LoggedOut, "LOGOUT logged_out"},
		{"fetching anew", inLogout{}, LoggedOut, "CANCEL LOGOUT logged_out"},
		{"renewing", inLogout{}, LoggedOut, "LOGOUT logged_out"},
		{"waiting", inLogout{}, LoggedOut, "LOGOUT logged_out"},
		{"stopped", inLogout{}, LoggedOut, "LOGOUT logged_out"},
		{"ignoring", inPolicy{Policy{WillExpireRenew, ExpiredIgnore, 0}}, Renewing, "token.requested FETCH6"},
		{"expired", inPolicy{Policy{WillExpireIgnore, ExpiredRelogin, 0}}, Fetching, "token.requested FETCH6"},
		{"expired", inPolicy{Policy{WillExpireIgnore, ExpiredRenew, 0}}, Expired, "token.requested FETCH6"},
		{"renewing", inPolicy{Policy{WillExpireIgnore, ExpiredIgnore, 0}}, Renewing, ""},

		// The token server answers.
		{"first fetch", inFetched{5, hour}, LoggingIn, "token.received login.started LOGIN6/4"},
		{"first fetch", inFetchFailed{5, unreachable}, Waiting, "token.rejected"},
		{"first fetch", inFetchFailed{5, wrongUser}, Stopped, "token.rejected"},
		{"fetching anew", inFetched{5, fresh}, Renewing, "token.received renew.started RENEW6"},
		{"fetching anew", inFetched{5, hour}, WillExpire, "token.rejected renew.failed"},
		{"fetching anew", inFetchFailed{5, unreachable}, WillExpire, "token.rejected"},
		{"fetching anew", inFetchFailed{5, wrongUser}, WillExpire, "token.rejected renew.failed"},

		// The SDK answers.
		{"logging in", inLoggedIn{5, nextLife}, Online, "login.succeeded"},
		{"logging in", inLoginFailed{5, lostLink}, Waiting, "login.failed"},
		{"logging in", inLoginFailed{5, expired}, Waiting, "login.failed"},
		{"logging in", inLoginFailed{5, invalid}, Stopped, "login.failed"},
		{"renewing", inRenewed{5, nextLife}, Online, "renew.succeeded"},
		{"renewing", inRenewFailed{5, lostLink}, WillExpire, "renew.failed"},
		{"renewing", inRenewFailed{5, invalid}, WillExpire, "renew.failed"},
		{"renewing", inRenewFailed{5, canceled}, Renewing, ""},
		{"renewing past the end", inRenewed{5, nextLife}, Online, "renew.succeeded"},
		{"renewing past the end", inRenewFailed{5, invalid}, Fetching, "renew.failed LOGOUT token.requested FETCH6"},

		// The SDK talks.
		{"online", sdk(chat.Reconnecting, "", 0), Reconnecting, "disconnected reconnecting"},
		{"reconnecting", sdk(chat.Connected, "", 0), Online, "connected"},
		{"reconnecting", sdk(chat.Failed, chat.KindExpired, chat.WebTokenExpired), Reconnecting, "login.failed"},
		{"reconnecting", sdk(chat.Disconnected, chat.KindExpired, chat.TokenExpired), Fetching, "disconnected token.requested FETCH7"},
		{"reconnecting", sdk(chat.Disconnected, chat.KindInvalid, chat.InvalidToken), Waiting, "disconnected"},
		{"ignoring", sdk(chat.Disconnected, chat.KindInvalid, chat.InvalidToken), Stopped, "disconnected"},
		{"reconnecting", sdk(chat.Disconnected, chat.KindRefused, chat.InvalidToken), Stopped, "disconnected"},
		{"reconnecting", sdk(chat.Disconnected, chat.KindUnreachable, chat.WebDisconnected), Waiting, "disconnected"},
		{"online", sdk(chat.WillExpire, "", 0), Renewing, "token.will_expire token.requested FETCH6"},
		{"will expire", sdk(chat.WillExpire, "", 0), Renewing, "token.will_expire token.requested FETCH6"},
		{"retrying", sdk(chat.WillExpire, "", 0), WillExpire, "token.will_expire"},
		{"ignoring", sdk(chat.WillExpire, "", 0), WillExpire, "token.will_expire"},
		{"fetching anew", sdk(chat.WillExpire, "", 0), Renewing, "token.will_expire"},
		{"renewing", sdk(chat.WillExpire, "", 0), Renewing, "token.will_expire"},
		{"will expire", sdk(chat.TokenHasExpired, "", 0), WillExpire, "token.expired"},
		{"renewing", sdk(chat.TokenHasExpired, "", 0), Renewing, "token.expired"},
		{"will expire", sdk(chat.Disconnected, chat.KindExpired, chat.TokenExpired), Fetching, "disconnected token.requested FETCH7"},
		{"ignoring", sdk(chat.Disconnected, chat.KindExpired, chat.TokenExpired), Expired, "disconnected"},
		{"fetching anew", sdk(chat.Disconnected, chat.KindExpired, chat.TokenExpired), Fetching, "disconnected"},
		{"renewing", sdk(chat.Disconnected, chat.KindExpired, chat.TokenExpired), LoggingIn, "disconnected login.started LOGIN6/4"},
		{"online", sdk(chat.Kicked, "", chat.LoggedInElsewhere), Stopped, "kicked"},
		{"fetching anew", sdk(chat.Kicked, "", chat.UserRemoved), Stopped, "kicked CANCEL"},
		{"renewing", sdk(chat.Kicked, "", chat.UserRemoved), Stopped, "kicked"},

		// Time passes: it is ten past, and a retry is due at a quarter past.
		{"retrying", inTick{}, WillExpire, ""},
		{"waiting", inTick{}, Waiting, ""},
	} {
		t.Run(fmt.Sprintf("%s/%T", tc.from, tc.in), func(t *testing.T) {
			m, effects := step(evenRules(chat.Native), stand(tc.from), noon.Add(at), tc.in)
			if diff := cmp.Diff([]string{string(tc.state), tc.effects}, []string{string(m.State), short(effects)}); diff != "" {
				t.Errorf("%s on %+v (-want +got):\n%s", tc.from, tc.in, diff)
			}
		})
	}
}

func TestTransitionsOfClassic(t *testing.T) {
	online := stand("ignoring")
	online.policy.OnExpired = ExpiredRelogin
	pastEnd := stand("ignoring")
	pastEnd.State, pastEnd.expired = Expired, true
	apart := pastEnd
	apart.State, apart.linked = Reconnecting, false
	late := stand("expired")
	late.task, late.policy.OnExpired = sdkRenew, ExpiredRelogin
	for _, tc := range []struct {
		name    string
		from    machine
		in      any
		state   State
		effects string
	}{
		{"expiry, nothing to be done", stand("ignoring"), sdk(chat.TokenHasExpired, "", 0), Expired, "token.expired"},
		{"expiry, log in again", online, sdk(chat.TokenHasExpired, "", 0), Fetching, "token.expired LOGOUT token.requested FETCH6"},
		{"expiry during a fetch", stand("fetching anew"), sdk(chat.TokenHasExpired, "", 0), Renewing, "token.expired"},
		{"renewal past the end", pastEnd, inRenew{}, Renewing, "token.requested FETCH6"},
		{"policy past the end, link down", apart, inPolicy{Policy{WillExpireIgnore, ExpiredRelogin, 0}}, Fetching, "LOGOUT token.requested FETCH6"},
		{"late renewal fails, and the policy is another one by now", late, inRenewFailed{5, invalid}, Fetching, "renew.failed token.requested FETCH6"},
		{"login past the end", pastEnd, inLogin{}, Fetching, "LOGOUT token.requested FETCH7"},
	} {
		m, effects := step(evenRules(chat.Classic), tc.from, noon.Add(10*time.Minute), tc.in)
		if diff := cmp.Diff([]string{string(tc.state), tc.effects}, []string{string(m.State), short(effects)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestTicksThatAreDue(t *testing.T) {
	interval := stand("online")
	interval.policy.RenewEvery, interval.renewAt = time.Minute, noon.Add(15*time.Minute)
	for _, tc := range []struct {
		name    string
		from    machine
		state   State
		effects string
	}{
		{"retrying", stand("retrying"), Renewing, "token.requested FETCH6"},
		{"waiting", stand("waiting"), Fetching, "token.requested FETCH6"},
		{"interval", interval, Renewing, "token.requested FETCH6"},
		{"online", stand("online"), Online, ""},
	} {
		early, effects := step(evenRules(chat.Native), tc.from, noon.Add(15*time.Minute-1), inTick{})
		if len(effects) != 0 || early.State != tc.from.State {
			t.Errorf("%s: a nanosecond early it goes to %s with %q", tc.name, early.State, short(effects))
		}
		m, effects := step(evenRules(chat.Native), tc.from, noon.Add(15*time.Minute), inTick{})
		if diff := cmp.Diff([]string{string(tc.state), tc.effects}, []string{string(m.State), short(effects)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// With a token server that always fails there are few requests, however long the token lives: at most 8 in any minute (baselines.md R6).
func TestNoStormOfFetches(t *testing.T) {
	for _, luck := range []float64{0, 0.5, 0.999} {
		for _, life := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
			s := newSim(rules{profile: chat.Native, renewable: true}, luck)
			s.now = noon.Add(life * 8 / 10)
			s.m = stand("online")
			s.m.life = chat.Life{AcceptedAt: noon, ExpiresAt: noon.Add(life), WillExpireAt: s.now}
			s.apply(sdk(chat.WillExpire, "", 0))
			var fetched []time.Time
			for end := noon.Add(life + 10*time.Minute); s.now.Before(end); {
				if s.fetch != 0 {
					fetched = append(fetched, s.now)
					gen := s.fetch
					s.fetch = 0
					s.apply(inFetchFailed{gen, unreachable})
				}
				next := s.m.deadline()
				if e := s.m.life.ExpiresAt; s.m.live && (next.IsZero() || e.Before(next)) {
					s.now = e
					s.apply(sdk(chat.TokenHasExpired, "", 0))
					s.apply(sdk(chat.Disconnected, chat.KindExpired, chat.TokenExpired))
					continue
				}
				if next.IsZero() {
					t.Fatalf("life %v: nothing is planned in %s", life, s.m.State)
				}
				s.now = next
				s.apply(inTick{})
			}
			most := 0
			for i, from := range fetched {
				n := 0
				for _, f := range fetched[i:] {
					if f.Before(from.Add(time.Minute)) {
						n++
					}
				}
				most = max(most, n)
			}
			if most > 8 {
				t.Errorf("luck %v, life %v: %d fetches within one minute, want at most 8", luck, life, most)
			}
		}
	}
}

func TestPolicyValidate(t *testing.T) {
	good := Policy{OnWillExpire: WillExpireAsk, OnExpired: ExpiredRenew, RenewEvery: time.Second}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Policy{
		{}, {OnWillExpire: WillExpireAsk}, {OnWillExpire: "?", OnExpired: ExpiredRenew},
		{OnWillExpire: WillExpireAsk, OnExpired: ExpiredRenew, RenewEvery: time.Second - 1},
		{OnWillExpire: WillExpireAsk, OnExpired: ExpiredRenew, RenewEvery: -time.Second},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	r, online, now := evenRules(chat.Native), stand("online"), noon.Add(10*time.Minute)
	b.Run("tick", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			step(r, online, now, inTick{})
		}
	})
	b.Run("renewal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m, _ := step(r, online, now, inSDK{chat.Event{Name: chat.WillExpire, Session: 3}})
			m, _ = step(r, m, now, inFetched{6, fresh})
			step(r, m, now, inRenewed{7, nextLife})
		}
	})
}

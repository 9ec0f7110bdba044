package chat

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// stand is a state that the SDK comes to in practice: a token from noon to one o'clock, link number 4, renewal number 2.
func stand(name string) state {
	s := state{
		phase: online, user: "alice", credential: "old", gen: 4, renewGen: 2, acceptedAt: noon, expiresAt: noon.Add(time.Hour),
	}
	switch name {
	case "online":
	case "logged out":
		s = state{phase: loggedOut, gen: 4, renewGen: 2}
	case "logging in":
		s = state{phase: loggingIn, user: "alice", gen: 4, renewGen: 2}
	case "reconnecting":
		s.phase = reconnecting
	case "last attempt":
		s.phase, s.attempts = reconnecting, 4
	case "renewing while reconnecting":
		s.phase, s.renewing = reconnecting, true
	case "renewing":
		s.renewing = true
	case "warned":
		s.warned = true
	case "lapsed":
		s.warned, s.expired = true, true
	case "endless":
		s.acceptedAt, s.expiresAt = noon, time.Time{}
	default:
		panic(name)
	}
	return s
}

// short writes effects in one line.
func short(effects []any) string {
	var words []string
	for _, e := range effects {
		switch e := e.(type) {
		case doConnect:
			words = append(words, fmt.Sprintf("CONNECT%d(%s,%v,%v)", e.gen, e.token, e.exchange, e.after))
		case doRenew:
			words = append(words, fmt.Sprintf("RENEW%d(%s)", e.gen, e.token))
		case doCloseLink:
			words = append(words, "CLOSE")
		case doCancelRenew:
			words = append(words, "CANCEL")
		case doEmit:
			words = append(words, strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%s:%d:%s", e.event.Name, int(e.event.Code), e.event.Kind), ":"), ":0"))
		case doAnswerLogin:
			words = append(words, "login="+kindOf(e.err))
		case doAnswerRenew:
			words = append(words, "renew="+kindOf(e.err))
		}
	}
	return strings.Join(words, " ")
}

func kindOf(err *Error) string {
	if err == nil {
		return "ok"
	}
	return string(err.Kind)
}

var (
	lost    = &Error{Kind: KindUnreachable, Code: ServerNotReachable, Reason: "lost"}
	overdue = &Error{Kind: KindExpired, Code: TokenExpired, Reason: "expired"}
	twoPM   = noon.Add(2 * time.Hour)
)

func TestTransitions(t *testing.T) {
	for _, tc := range []struct {
		profile Profile
		from    string
		in      any
		at      time.Duration // after noon
		phase   phase
		effects string
	}{
		// Calls of the app.
		{Native, "logged out", inLogin{"alice", "new"}, 0, loggingIn, "CONNECT5(new,true,0s)"},
		{Web, "logged out", inLogin{"alice", "new"}, 0, loggingIn, "CONNECT5(new,false,0s)"},
		{Native, "online", inLogin{"alice", "new"}, 0, online, "login=already_logged_in"},
		{Native, "reconnecting", inLogin{"bob", "new"}, 0, reconnecting, "login=already_logged_in"},
		{Native, "logged out", inLogout{}, 0, loggedOut, "CLOSE"},
		{Native, "logging in", inLogout{}, 0, loggedOut, "CLOSE login=canceled"},
		{Native, "online", inLogout{}, 0, loggedOut, "CLOSE"},
		{Native, "renewing", inLogout{}, 0, loggedOut, "CLOSE CANCEL renew=canceled"},
		{Native, "logged out", inRenew{"new"}, 0, loggedOut, "renew=not_logged_in"},
		{Native, "logging in", inRenew{"new"}, 0, loggingIn, "renew=not_logged_in"},
		{Native, "online", inRenew{"new"}, 0, online, "RENEW3(new)"},
		{Native, "reconnecting", inRenew{"new"}, 0, reconnecting, "RENEW3(new)"},
		{Web, "reconnecting", inRenew{"new"}, 0, reconnecting, "renew=not_logged_in"},
		{Native, "renewing", inRenew{"new"}, 0, online, "renew=refused"},
		{Classic, "lapsed", inRenew{"new"}, 0, online, "RENEW3(new)"},

		// Links.
		{Native, "logging in", inConnected{4, "new", twoPM}, 0, online, "connected login=ok"},
		{Native, "reconnecting", inConnected{4, "old", twoPM}, 0, online, "connected"},
		{Native, "logging in", inConnectFailed{4, lost}, 0, loggedOut, "login=unreachable"},
		{Native, "reconnecting", inConnectFailed{4, lost}, 0, reconnecting, "CONNECT5(old,false,2s)"},
		{Native, "last attempt", inConnectFailed{4, lost}, 0, reconnecting, "CONNECT5(old,false,16s)"},
		{Web, "last attempt", inConnectFailed{4, lost}, 0, loggedOut, "CLOSE disconnected:16:unreachable"},
		{Native, "reconnecting", inConnectFailed{4, overdue}, 0, loggedOut, "CLOSE disconnected:108:expired"},
		{Native, "renewing while reconnecting", inRenewed{2, "new", twoPM}, 0, reconnecting, "renew=ok CLOSE CONNECT5(new,false,0s)"},
		{Web, "reconnecting", inConnectFailed{4, overdue}, 0, reconnecting, "error:108:expired CONNECT5(old,false,2s)"},
		{Web, "last attempt", inConnectFailed{4, overdue}, 0, loggedOut, "error:108:expired CLOSE disconnected:16:expired"},
		{Native, "online", inLinkDown{4, "lost"}, 0, reconnecting, "CLOSE reconnecting:300 CONNECT5(old,false,1s)"},
		{Native, "renewing", inLinkDown{4, "lost"}, 0, reconnecting, "CLOSE reconnecting:300 CONNECT5(old,false,1s)"},
		{Native, "online", inKicked{4, UserRemoved, ""}, 0, loggedOut, "CLOSE kicked:207"},
		{Native, "renewing", inKicked{4, UserRemoved, ""}, 0, loggedOut, "CLOSE CANCEL renew=canceled kicked:207"},

		// Time: the client's own, and the service's.
		{Native, "online", inTick{}, 48*time.Minute - 1, online, ""},
		{Native, "online", inTick{}, 48 * time.Minute, online, "will_expire:109"},
		{Classic, "online", inTick{}, 30 * time.Minute, online, "will_expire:109"},
		{Native, "warned", inTick{}, 59 * time.Minute, online, ""},
		{Native, "warned", inTick{}, time.Hour, loggedOut, "expired:108 CLOSE disconnected:108:expired"},
		{Native, "online", inTick{}, time.Hour, loggedOut, "expired:108 CLOSE disconnected:108:expired"},
		{Web, "renewing", inTick{}, time.Hour, loggedOut, "expired:56 CLOSE CANCEL renew=canceled disconnected:56:expired"},
		{Native, "reconnecting", inTick{}, time.Hour, loggedOut, "expired:108 CLOSE disconnected:108:expired"},
		{Classic, "warned", inTick{}, time.Hour, online, "expired:108"},
		{Classic, "lapsed", inTick{}, 2 * time.Hour, online, ""},
		{Classic, "reconnecting", inTick{}, time.Hour, reconnecting, ""},
		{Native, "endless", inTick{}, 1e6 * time.Hour, online, ""},
		{Native, "logged out", inTick{}, time.Hour, loggedOut, ""},
		{Native, "online", inServerClock{4, noon.Add(50 * time.Minute)}, 0, online, "will_expire:109"},
		{Native, "warned", inServerClock{4, noon.Add(50 * time.Minute)}, 0, online, ""},
		{Web, "warned", inServerClock{4, noon.Add(50 * time.Minute)}, 0, online, "will_expire:109"},
		{Web, "warned", inServerClock{4, noon.Add(10 * time.Minute)}, 0, online, ""},
		{Native, "online", inServerClock{4, noon.Add(61 * time.Minute)}, 0, loggedOut, "expired:108 CLOSE disconnected:108:expired"},
		{Native, "reconnecting", inServerClock{4, noon.Add(61 * time.Minute)}, 0, reconnecting, ""},

		// Renewals.
		{Native, "renewing", inRenewed{2, "new", twoPM}, 0, online, "renew=ok"},
		{Native, "renewing", inRenewFailed{2, lost}, 0, online, "renew=unreachable"},

		// What is late changes nothing.
		{Native, "online", inConnected{3, "new", twoPM}, 0, online, ""},
		{Native, "online", inConnected{4, "new", twoPM}, 0, online, ""},
		{Native, "reconnecting", inConnectFailed{3, lost}, 0, reconnecting, ""},
		{Native, "online", inConnectFailed{4, lost}, 0, online, ""},
		{Native, "online", inLinkDown{3, "lost"}, 0, online, ""},
		{Native, "reconnecting", inLinkDown{4, "lost"}, 0, reconnecting, ""},
		{Native, "online", inKicked{3, UserRemoved, ""}, 0, online, ""},
		{Native, "online", inServerClock{3, twoPM}, 0, online, ""},
		{Native, "renewing", inRenewed{1, "new", twoPM}, 0, online, ""},
		{Native, "renewing", inRenewFailed{1, lost}, 0, online, ""},
		{Native, "online", inRenewed{2, "new", twoPM}, 0, online, ""},
	} {
		t.Run(fmt.Sprintf("%s/%s/%T", tc.profile.Name, tc.from, tc.in), func(t *testing.T) {
			s, effects := step(tc.profile, stand(tc.from), noon.Add(tc.at), tc.in)
			if diff := cmp.Diff([]string{string(tc.phase), tc.effects}, []string{string(s.phase), short(effects)}); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", tc.in, diff)
			}
		})
	}
}

func TestWillExpireAt(t *testing.T) {
	for _, tc := range []struct {
		profile Profile
		expires time.Time
		want    time.Time
	}{
		{Native, noon.Add(time.Hour), noon.Add(48 * time.Minute)},
		{Web, noon.Add(10 * time.Second), noon.Add(8 * time.Second)},
		{Classic, noon.Add(24 * time.Hour), noon.Add(12 * time.Hour)},
		{Native, time.Time{}, time.Time{}},
		{Native, noon, noon},
		{Native, noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{Native, noon.Add(60 * 24 * time.Hour), noon.Add(48 * 24 * time.Hour)},
		{RTC, noon.Add(time.Minute), noon.Add(30 * time.Second)},
		{RTC, noon.Add(31 * time.Second), noon.Add(time.Second)},
		{RTC, noon.Add(30 * time.Second), time.Time{}},
		{RTC, noon.Add(-time.Second), time.Time{}},
	} {
		if got := WillExpireAt(tc.profile, noon, tc.expires); !got.Equal(tc.want) {
			t.Errorf("%s, end %v: %v, want %v", tc.profile.Name, tc.expires, got, tc.want)
		}
	}
}

// TestMachineProperties lets the SDK live through anything and counts callbacks and answers.
func TestMachineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(Profiles()).Draw(t, "profile")
		s, now := state{phase: loggedOut}, noon
		var connecting, renewing uint64 // in flight, by number; 0 is none
		var loginAsked, renewAsked bool
		var warnings, expiries int // of the present life
		var seenInLastPart bool    // the SDK looked at a clock between will-expire and expiry
		var lateInputs []any

		apply := func(t *rapid.T, in any, late bool) {
			before := s
			if at, looked := looksAt(in, now); looked && s.phase != loggedOut && s.phase != loggingIn && !s.expiresAt.IsZero() &&
				!at.Before(s.willExpireAt(p)) && at.Before(s.expiresAt) {
				seenInLastPart = true
			}
			next, effects := step(p, s, now, in)
			if late && (next != before || len(effects) > 0) {
				t.Fatalf("a late %+v changed something: %s", in, short(effects))
			}
			s = next
			for _, e := range effects {
				switch e := e.(type) {
				case doConnect:
					if connecting != 0 {
						t.Fatalf("two attempts to get a link")
					}
					connecting = e.gen
				case doCloseLink:
					if connecting != 0 {
						lateInputs = append(lateInputs, inConnected{connecting, "late", now.Add(time.Hour)}, inConnectFailed{connecting, lost})
						connecting = 0
					}
					lateInputs = append(lateInputs, inLinkDown{before.gen, "late"}, inKicked{before.gen, UserRemoved, ""}, inServerClock{before.gen, now.Add(1e6 * time.Hour)})
				case doRenew:
					if renewing != 0 {
						t.Fatalf("two renewals in flight")
					}
					renewing = e.gen
				case doCancelRenew:
					if renewing == 0 {
						t.Fatalf("no renewal to cancel")
					}
					lateInputs = append(lateInputs, inRenewed{renewing, "late", now.Add(time.Hour)}, inRenewFailed{renewing, lost})
					renewing = 0
				case doAnswerLogin:
					if !loginAsked {
						t.Fatalf("a login is answered that nobody waits for")
					}
					loginAsked = false
					if e.err == nil {
						warnings, expiries, seenInLastPart = 0, 0, false
					}
				case doAnswerRenew:
					if !renewAsked {
						t.Fatalf("a renewal is answered that nobody waits for")
					}
					renewAsked = false
					if e.err == nil {
						warnings, expiries, seenInLastPart = 0, 0, false
					}
				case doEmit:
					switch e.event.Name {
					case WillExpire:
						if warnings++; warnings > 1 && !p.RepeatsWillExpire {
							t.Fatalf("%s warns %d times in one life", p.Name, warnings)
						}
						if expiries > 0 {
							t.Fatalf("a warning after the expiry")
						}
					case TokenHasExpired:
						if expiries++; expiries > 1 {
							t.Fatalf("expired %d times in one life", expiries)
						}
						if warnings == 0 && seenInLastPart {
							t.Fatalf("expired without a warning, though there was an occasion")
						}
						if !p.StaysOnline && s.phase != loggedOut {
							t.Fatalf("%s goes on past the end", p.Name)
						}
					}
				}
			}
			if s.phase == loggedOut && (connecting != 0 || renewing != 0 || loginAsked || renewAsked || s.credential != "") {
				t.Fatalf("logged out, and something is left: %+v", s)
			}
			if (s.phase == loggingIn || s.phase == reconnecting) != (connecting != 0) || connecting != 0 && connecting != s.gen {
				t.Fatalf("%s, and attempt %d is in flight", s.phase, connecting)
			}
			if (s.phase == loggingIn) != loginAsked || s.renewing != renewAsked || s.renewing != (renewing != 0) {
				t.Fatalf("a call has no answer, or the other way round: %+v", s)
			}
		}
		expiry := func(t *rapid.T) time.Time {
			life := rapid.SampledFrom([]time.Duration{-time.Hour, 0, time.Second, time.Minute, time.Hour}).Draw(t, "life")
			if rapid.IntRange(0, 9).Draw(t, "no expiry") == 0 {
				return time.Time{}
			}
			return now.Add(life)
		}
		moves := map[string]func(*rapid.T){
			"login": func(t *rapid.T) {
				loginAsked = true
				apply(t, inLogin{"alice", "token"}, false)
			},
			"logout": func(t *rapid.T) { apply(t, inLogout{}, false) },
			"renew": func(t *rapid.T) {
				renewAsked = true
				apply(t, inRenew{"token"}, false)
			},
			"attempt ends": func(t *rapid.T) {
				gen := connecting
				connecting = 0
				if rapid.Bool().Draw(t, "ok") {
					apply(t, inConnected{gen, "credential", expiry(t)}, false)
					return
				}
				apply(t, inConnectFailed{gen, rapid.SampledFrom([]*Error{lost, overdue, {Kind: KindInvalid}}).Draw(t, "error")}, false)
			},
			"renewal ends": func(t *rapid.T) {
				gen := renewing
				renewing = 0
				if rapid.Bool().Draw(t, "ok") {
					apply(t, inRenewed{gen, "credential", expiry(t)}, false)
					return
				}
				apply(t, inRenewFailed{gen, lost}, false)
			},
			"link breaks":  func(t *rapid.T) { apply(t, inLinkDown{s.gen, "lost"}, s.phase != online) },
			"kick":         func(t *rapid.T) { apply(t, inKicked{s.gen, UserRemoved, ""}, s.phase != online) },
			"server clock": func(t *rapid.T) { apply(t, inServerClock{s.gen, now}, s.phase != online) },
			"server clock ahead": func(t *rapid.T) {
				apply(t, inServerClock{s.gen, now.Add(time.Hour)}, s.phase != online)
			},
			"something late": func(t *rapid.T) {
				i := rapid.IntRange(0, len(lateInputs)-1).Draw(t, "which")
				apply(t, lateInputs[i], true)
			},
			"time passes": func(t *rapid.T) {
				by := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 10 * time.Second, 10 * time.Minute, -time.Hour}).Draw(t, "by")
				now = now.Add(by)
				if d := s.nextDeadline(p); !d.IsZero() && now.Before(d) {
					if _, effects := step(p, s, now, inTick{}); len(effects) > 0 {
						t.Fatalf("something is due before the deadline: %s", short(effects))
					}
				}
				if rapid.Bool().Draw(t, "awake") {
					apply(t, inTick{}, false)
				}
			},
		}
		impossible := func(move string) bool {
			switch move {
			case "login":
				return loginAsked // the loop answers a second call itself
			case "renew":
				return renewAsked // this one too
			case "attempt ends":
				return connecting == 0
			case "renewal ends":
				return renewing == 0
			case "something late":
				return len(lateInputs) == 0
			}
			return false
		}
		names := slices.Sorted(maps.Keys(moves))
		t.Repeat(map[string]func(*rapid.T){
			"move": func(t *rapid.T) {
				moves[rapid.SampledFrom(slices.DeleteFunc(slices.Clone(names), impossible)).Draw(t, "move")](t)
			},
		})
	})
}

// looksAt is the instant by which an input makes the SDK judge the token.
func looksAt(in any, now time.Time) (time.Time, bool) {
	switch in := in.(type) {
	case inTick:
		return now, true
	case inServerClock:
		return in.at, true
	}
	return time.Time{}, false
}

func BenchmarkStep(b *testing.B) {
	s, now := stand("online"), noon.Add(time.Minute)
	b.Run("tick", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			step(Native, s, now, inTick{})
		}
	})
	b.Run("server clock", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			step(Native, s, now, inServerClock{4, now})
		}
	})
}

package session_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// S07 to S11, S24, S25, S28 and S29: tokens that are of no use, and answers that are no tokens.

// A token that is of no use is never shown to the service. At the login that ends the session with a reason; a renewal with it fails with that
// reason, the session goes on, and nobody spins.
func TestS07S10UselessTokens(t *testing.T) {
	for _, tc := range []struct {
		name, fault string
		why         session.Reason
		words       []string
	}{
		{"S07 token-for-someone-else", "other-user", session.TokenForeign, []string{`for "mallory", not "alice"`, "check"}},
		{"another app's", "other-app", session.TokenForeign, []string{"App ID", "use the App ID of the token server's project"}},
		{"S10 zero-second-token", "zero-life", session.TokenAbsurdLife, []string{"lives 0 seconds", "choose the shape"}},
		{"S28 milliseconds", "milliseconds", session.TokenAbsurdLife, []string{"milliseconds"}},
		{"empty", "empty-token", session.TokenUnusable, []string{"token is empty", "check the App ID"}},
	} {
		t.Run(tc.name+"/login", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				w.fault(tokenServer, tc.fault, 0)
				p := w.person("alice", time.Hour, nil)
				p.Login()
				time.Sleep(time.Hour)
				p.told(`
					> fetching
					token.requested
					token.rejected
					> stopped
				`)
				p.is(session.Stopped, tc.words...)
				p.why(tc.why)
				w.saw(requests{Fetches: 1})
			})
		})
		t.Run(tc.name+"/renewal", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, nil)
				w.fault(tokenServer, tc.fault, 0)
				time.Sleep(59 * time.Minute)
				p.told(uselessStory)
				p.is(session.WillExpire, tc.words...)
				if failed := p.last(session.RenewFailed); failed.Why != tc.why {
					t.Errorf("the renewal failed for %q, want %q", failed.Why, tc.why)
				}
				if snap := p.Snapshot(); snap.User != "alice" || snap.Token.User != "alice" {
					t.Errorf("the session is %s's with a token of %s", snap.User, snap.Token.User)
				}
				p.send("echo", "the session goes on")
				p.skip()
				time.Sleep(time.Hour)
				p.told(`
					token.expired onTokenExpired 108
					disconnected onDisconnected 108
					> expired
					> fetching
					token.requested
					token.rejected
					> stopped
				`)
				p.why(tc.why)
				w.saw(requests{Fetches: 3, Exchanges: 1, Sessions: 1})
			})
		})
	}
}

// why checks the reason by its name.
func (p *person) why(want session.Reason) {
	p.w.t.Helper()
	if got := p.Snapshot().Why; got != want {
		p.w.t.Errorf("given up for %q, want %q", got, want)
	}
}

func TestS08CachedExpiredToken(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		asked := 0
		var addresses []string
		cached := func(rw http.ResponseWriter, r *http.Request, good func()) {
			addresses = append(addresses, r.URL.RawQuery)
			if r.URL.RawQuery != "" { // no cache knows this address
				good()
				return
			}
			gives(w.token("alice", time.Hour, 2*time.Hour))(rw, nil)
		}
		p := w.person("alice", time.Hour, withTokens(w.tokensOf(&asked, cached)))
		p.Login()
		p.told(`
			> fetching
			token.requested
			token.rejected
			token.requested
			token.received
			> logging_in
			login.started
			connected onConnected
			login.succeeded
			> online
		`)
		if e := p.last(session.TokenRejected); e.Why != session.TokenExpiredAlready {
			t.Errorf("rejected for %q", e.Why)
		}
		if asked != 2 || addresses[0] != "" || !strings.HasPrefix(addresses[1], "_=") {
			t.Errorf("asked %d times, with %q", asked, addresses)
		}
		w.saw(requests{Exchanges: 1, Sessions: 1})
	})
}

func TestS08NothingButExpiredTokens(t *testing.T) {
	const again = `
		> fetching
		token.requested
		token.rejected
	`
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(tokenServer, "expired-token", 0)
		p := w.person("alice", time.Hour, nil)
		p.Login()
		time.Sleep(time.Hour)
		p.told(again + `
			token.requested
			token.rejected
			> waiting` + again + `
			> waiting` + again + `
			> stopped
		`)
		p.is(session.Stopped, "expired 1 min ago", "caching")
		p.why(session.TokenExpiredAlready)
		w.saw(requests{Fetches: 4})
	})
}

func TestS09SameTokenBack(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		w.fault(tokenServer, "same-token", 0)
		time.Sleep(time.Hour - time.Second)
		p.told(uselessStory)
		failed := p.last(session.RenewFailed)
		contains(t, failed.Reason, "in use already", "must build a new one")
		if failed.Why != session.TokenIdentical {
			t.Errorf("failed for %q", failed.Why)
		}
		w.saw(requests{Fetches: 2, Exchanges: 1, Sessions: 1})
		time.Sleep(time.Hour)
		p.is(session.Stopped, "expired", "caching")
		p.why(session.TokenExpiredAlready)
		w.saw(requests{Fetches: 6, Exchanges: 1, Sessions: 1}) // the same one past any cache, and twice more after a pause
	})
}

func TestS11Over24hToken(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(tokenServer, "seven-days", 1)
		p := w.online("alice", day, nil)
		if got := p.Snapshot().Token; got.ExpiresAt.Sub(w.start) != day || len(got.Warnings) == 0 {
			t.Errorf("the token ends at %v with warnings %q, want 24h as the service says, and one warning", got.ExpiresAt.Sub(w.start), got.Warnings)
		}
		w.sleepFor(20*time.Hour, p)
		p.told(renewStory)
		w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 1})
	})
}

func TestS11RefusedOver24h(t *testing.T) {
	inWorld(t, fakeserver.Config{Over24h: fakeserver.Over24hRefuse}, func(w *world) {
		w.fault(tokenServer, "seven-days", 0)
		p := w.person("alice", day, nil)
		p.Login()
		time.Sleep(time.Hour)
		p.is(session.Stopped, "the service")
		p.why(session.TokenRefused)
		w.saw(requests{Fetches: 1, Exchanges: 1})
	})
}

func TestS24RejectedToken(t *testing.T) { inWorld(t, fakeserver.Config{}, s24) }

func s24(w *world) {
	w.fault(tokenServer, "wrong-certificate", 0)
	var want requests
	for _, profile := range chat.Profiles() {
		p := w.person("alice", time.Hour, withProfile(profile))
		p.Login()
		time.Sleep(time.Minute)
		p.told(attemptStory + `
			login.failed ` + code(profile.InvalidCode) + `
			> stopped
		`)
		p.is(session.Stopped, "the service", "check that the token is for this user", "App Certificate")
		p.why(session.TokenRefused)
		want.Fetches++
		if profile.Exchange {
			want.Exchanges++
		} else {
			want.Refused++
		}
		w.saw(want)
		p.close()
	}
}

func TestS25BadTokenServerReply(t *testing.T) { inWorld(t, fakeserver.Config{}, s25) }

// Each of these answers is given once, and then the right one.
func s25(w *world) {
	const (
		down    = session.TokenServerUnreachable
		refuses = session.TokenServerRefuses
		answers = session.TokenServerAnswer
	)
	for i, tc := range []struct {
		fault     string // with its parameters
		temporary bool
		why       session.Reason
		words     []string
	}{
		{"status status=500 body=oops", true, down, []string{"500 Internal Server Error", "oops", "try again later"}},
		{"html status=503", true, down, []string{"503", "try again later"}},
		{"refuse", true, down, []string{"cannot be reached"}},
		{"hang", true, down, []string{"no complete answer in time", "check that it runs"}},
		{"status status=429 retry-after=90s", true, down, []string{"429", "try again in 1m30s"}},
		{"truncated-json", false, answers, []string{"not JSON", "check the address"}},
		{"html", false, answers, []string{"web page (HTML)", "check the address"}},
		{"status status=200 body={\"token\":\"\",\"error\":\"none\"}", false, answers, []string{"reports an error: none", "correct its configuration"}},
		{"status status=401", false, refuses, []string{"401 Unauthorized", "check"}},
		{"status status=404", false, refuses, []string{"404 Not Found", "check the address"}},
		{"huge-body", false, answers, []string{"more than 64 KiB", "check the address"}},
		{"empty-token", false, session.TokenUnusable, []string{"empty"}},
	} {
		before := w.requests()
		words := strings.Fields(tc.fault)
		w.fault(tokenServer, words[0], 1, words[1:]...)
		p := w.person(fmt.Sprintf("user-%d", i), time.Hour, nil)
		p.Login()
		time.Sleep(11 * time.Second)
		rejected := p.last(session.TokenRejected)
		contains(w.t, rejected.Reason, tc.words...)
		if rejected.Why != tc.why {
			w.t.Errorf("%s: rejected for %q, want %q", tc.fault, rejected.Why, tc.why)
		}
		time.Sleep(2 * time.Minute)
		fetches := 1
		if !tc.temporary {
			p.told(`
				> fetching
				token.requested
				token.rejected
				> stopped
			`)
			p.why(tc.why)
		} else {
			fetches = 2
			p.told(`
				> fetching
				token.requested
				token.rejected
				> waiting
			` + loginStory)
			pause := p.last(session.TokenRequested).At.Sub(rejected.At)
			if strings.Contains(tc.fault, "retry-after") && pause != 90*time.Second {
				w.t.Errorf("%s: asked again after %v, want the 90 s that the server asked for", tc.fault, pause)
			} else if !strings.Contains(tc.fault, "retry-after") && (pause < time.Second || pause > 1250*time.Millisecond) {
				w.t.Errorf("%s: asked again after %v, want 1 s and up to a quarter more", tc.fault, pause)
			}
		}
		if got := w.requests().Fetches - before.Fetches; got != fetches {
			w.t.Errorf("%s: %d fetches, want %d", tc.fault, got, fetches)
		}
		p.close()
	}
}

// The service mixes up the units of the token's end.
func TestS28AbsurdExpiry(t *testing.T) {
	for _, tc := range []struct {
		profile chat.Profile
		target  fakeserver.FaultTarget
		fault   string
		seen    requests
	}{
		{chat.Native, rest, "seconds", requests{Fetches: 1, Exchanges: 1, Sessions: 1}},
		{chat.Web, provision, "relative-expiry", requests{Fetches: 1, Sessions: 1}},
	} {
		t.Run(tc.fault+"/login", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				w.fault(tc.target, tc.fault, 0)
				p := w.person("alice", time.Hour, withProfile(tc.profile))
				p.Login()
				time.Sleep(time.Hour)
				p.told(attemptStory + `
					login.failed 303
					> stopped
				`)
				p.is(session.Stopped, "ends on 1970-01-", "mixed up")
				p.why(session.ServiceAbsurdExpiry)
				w.saw(tc.seen)
			})
		})
	}
	t.Run("seconds/renewal", func(t *testing.T) {
		inWorld(t, fakeserver.Config{}, func(w *world) {
			p := w.online("alice", time.Hour, nil)
			w.fault(rest, "seconds", 1)
			time.Sleep(59 * time.Minute)
			p.told(`
				token.will_expire onTokenWillExpire 109
				> renewing
				token.requested
				token.received
				renew.started
				renew.failed 303
				> will_expire
			`)
			if e := p.last(session.RenewFailed); e.Why != session.ServiceAbsurdExpiry {
				t.Errorf("failed for %q", e.Why)
			}
			time.Sleep(2 * time.Minute)
			p.is(session.Online)
			w.saw(requests{Fetches: 3, Exchanges: 3, Sessions: 2})
		})
	})
}

func TestS29LongLife(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(provision, "expiry", 0, "in=1440h") // 60 days, which is more milliseconds than 32 bits hold
		p := w.online("alice", day, withProfile(chat.Web))
		if got := p.Snapshot().Token.ExpiresAt.Sub(w.start); got != 60*day {
			t.Errorf("the token ends after %v, want 60 days", got)
		}
		time.Sleep(10 * time.Minute)
		w.sleepFor(40*day, p)
		p.told("")
		w.sleepFor(9*day, p) // W is at day 48
		p.told(renewStory)
		w.saw(requests{Fetches: 2, Checks: 1, Sessions: 1})
	})
}

func TestS29NoExpiryAtAll(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(provision, "no-auth-token", 0)
		p := w.online("alice", day, withProfile(chat.Web))
		w.sleepFor(400*day, p)
		p.told("")
		p.is(session.Online)
		p.Renew()
		time.Sleep(time.Second)
		p.is(session.Online)
		w.saw(requests{Fetches: 2, Checks: 1, Sessions: 1})
	})
}

// A service that ends each new token as soon as it has accepted it is no reason for a storm.
func TestTokensThatEndAtOnce(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(provision, "expiry", 0, "in=0s")
		p := w.person("alice", time.Hour, withProfile(chat.Web))
		p.Login()
		time.Sleep(time.Hour)
		p.is(session.Stopped, "as soon as it was accepted")
		p.why(session.ClocksDisagree)
		if got := p.most(session.LoginStarted, time.Second); got > 2 {
			t.Errorf("%d logins within a second", got)
		}
		w.saw(requests{Fetches: 4, Sessions: 4})
	})
}

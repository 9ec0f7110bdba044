package session_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// TestLateRenewal is fault test R5: the token, or the service's answer to it, comes after the connection has been lost and made anew, or after
// the user has logged out and in again. There is one chain of renewals afterwards, one in each life, and never two requests close together.
func TestLateRenewal(t *testing.T) {
	for _, profile := range chat.Profiles() {
		for _, slow := range []fakeserver.FaultTarget{tokenServer, rest} {
			for name, meanwhile := range map[string]func(w *world, p *person){
				"reconnect": func(w *world, _ *person) { w.server.CutUser("alice") },
				"new login": func(_ *world, p *person) { p.Logout(); p.Login() },
			} {
				t.Run(fmt.Sprintf("%s/%s/%s", profile.Name, slow, name), func(t *testing.T) {
					inWorld(t, fakeserver.Config{}, func(w *world) {
						p := w.online("alice", time.Hour, withProfile(profile))
						time.Sleep(10 * time.Minute)
						w.fault(slow, "delay", 1, "delay=8s")
						p.Renew()
						time.Sleep(time.Second)
						meanwhile(w, p)
						time.Sleep(time.Minute)
						p.is(session.Online)
						before := w.requests().Fetches
						if before > 3 {
							t.Errorf("%d tokens were fetched up to here", before)
						}
						renewed := p.count(session.RenewSucceeded)
						const renewals = 12
						each := chat.WillExpireAt(profile, w.start, w.start.Add(time.Hour)).Sub(w.start)
						time.Sleep(p.Snapshot().Token.WillExpireAt.Sub(p.Now()) + (renewals-1)*each + time.Second)
						if got := w.requests().Fetches - before; got != renewals {
							t.Errorf("%d fetches in %d lives", got, renewals)
						}
						if got := p.count(session.RenewSucceeded) - renewed; got != renewals {
							t.Errorf("%d renewals in %d lives", got, renewals)
						}
						if got := p.count(session.TokenExpired); got != 0 {
							t.Errorf("%d tokens expired", got)
						}
					})
				})
			}
		}
	}
}

// TestOddLifetimes is fault test R9: tokens whose life makes no sense, or leaves no room for what the app plans, have one outcome each, and it
// is no storm of requests.
func TestOddLifetimes(t *testing.T) {
	for _, tc := range []struct {
		name       string
		life       time.Duration
		renewEvery time.Duration
		state      session.State
		words      string
		fetches    int // at most, in a minute
	}{
		{"no time", 0, 0, session.Stopped, "lives 0 seconds", 1},
		{"a second", time.Second, 0, session.Stopped, "ended the new token as soon as it was accepted", 80},
		{"two seconds", 2 * time.Second, 0, session.Online, "", 60},
		{"136 years", (1<<32 - 1) * time.Second, 0, session.Stopped, "which nobody asks for", 1},
		{"an interval longer than the life", 10 * time.Second, time.Minute, session.Online, "", 8},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				asked := 0
				p := w.person("alice", time.Hour, func(cfg *session.Config) {
					cfg.Policy.RenewEvery = tc.renewEvery
					cfg.Tokens = w.badTokens(&asked, func(rw http.ResponseWriter, _ func()) { gives(w.token("alice", tc.life, 0))(rw, nil) })
				})
				p.Login()
				time.Sleep(3 * time.Minute)
				p.is(tc.state, tc.words)
				if most := p.most(session.TokenRequested, time.Minute); most > tc.fetches {
					t.Errorf("%d fetches within a minute, want at most %d", most, tc.fetches)
				}
			})
		})
	}
}

package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// S26, S27 and S30: many clients, a change of mind, and a second device.

func TestS26Herd(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		const clients = 200
		var herd []*person
		tokens := w.tokens("tokens")
		for i := range clients {
			herd = append(herd, w.online(fmt.Sprintf("user-%d", i), time.Hour, func(cfg *session.Config) {
				cfg.Spread, cfg.Tokens = 0.5, tokens
			}))
		}
		w.saw(requests{Fetches: clients, Exchanges: clients, Sessions: clients})
		time.Sleep(47*time.Minute + 59*time.Second)
		for _, p := range herd {
			p.told("")
		}
		time.Sleep(6*time.Minute + 2*time.Second) // W is at 48 minutes; half of what is left is 6
		var fetched []time.Time
		for _, e := range w.entries() {
			if e.Name == fakeserver.RESTRequest && e.Path == "/generate-user-token" && e.At.Sub(w.start) > time.Minute {
				fetched = append(fetched, e.At)
			}
		}
		// 200 fetches in 360 s are 5.6 in 10 s; more than 25 there would be no chance.
		if most := crowd(fetched, 10*time.Second); len(fetched) != clients || most > 25 {
			t.Errorf("%d fetches, up to %d of them within 10 s; want %d, and at most 25", len(fetched), most, clients)
		}
		for _, p := range herd {
			if r, e := p.count(session.RenewSucceeded), p.count(session.TokenExpired); r != 1 || e != 0 {
				t.Errorf("%d renewals and %d expiries, want 1 and 0", r, e)
			}
		}
		w.saw(requests{Fetches: 2 * clients, Exchanges: 2 * clients, Sessions: clients})
	})
}

// Without a spread, as for a single client, the renewal comes at once; a spread out of range is refused.
func TestSpreadIsChecked(t *testing.T) {
	for _, spread := range []float64{-0.1, 1.1} {
		s, err := session.Start(session.Config{User: "alice", Tokens: (&world{t: t}).tokens("tokens"), RESTURL: "http://chat", WSURL: "ws://chat", Spread: spread})
		if err == nil {
			s.Close()
			t.Errorf("a spread of %v is taken", spread)
		}
	}
}

func TestS27LogoutDuringAFetch(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(tokenServer, "delay", 1, "delay=5s")
		p := w.person("alice", time.Hour, nil)
		p.Login()
		time.Sleep(time.Second)
		p.Logout()
		time.Sleep(time.Hour)
		p.told(`
			> fetching
			token.requested
			logged_out
			> logged_out
		`)
		w.saw(requests{}) // the fetch was called off
	})
}

func TestS27LogoutDuringRenew(t *testing.T) {
	for _, where := range []fakeserver.FaultTarget{tokenServer, rest} {
		t.Run(string(where), func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, nil)
				time.Sleep(10 * time.Minute)
				w.fault(where, "delay", 1, "delay=5s")
				p.Renew()
				time.Sleep(time.Second)
				p.is(session.Renewing)
				p.skip()
				p.Logout()
				time.Sleep(3 * time.Hour)
				p.told(`
					logged_out
					> logged_out
				`)
				if snap := p.Snapshot(); snap.Token != nil || snap.Linked {
					t.Errorf("token %v, linked %v after the logout", snap.Token, snap.Linked)
				}
				want := requests{Fetches: 1, Exchanges: 1, Sessions: 1}
				if where == rest {
					want.Fetches++
				}
				w.saw(want)
			})
		})
	}
}

// Another account takes the place of one that is renewing: nothing logs the old user in again.
func TestS27AccountSwitch(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		alice := w.online("alice", time.Hour, nil)
		time.Sleep(10 * time.Minute)
		w.fault(tokenServer, "delay", 1, "delay=5s")
		alice.Renew()
		time.Sleep(time.Second)
		alice.close()
		bob := w.online("bob", time.Hour, nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		bob.told("")
		w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 2})
		for _, u := range w.server.State().Users {
			online := false
			for _, d := range u.Devices {
				online = online || d.Session != nil
			}
			if online != (u.Name == "bob") {
				t.Errorf("%s online: %v", u.Name, online)
			}
		}
	})
}

func TestS30SecondDevice(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		first := w.online("alice", time.Hour, nil)
		second := w.online("alice", time.Hour, nil)
		time.Sleep(10 * time.Minute)
		second.Renew()
		synctest.Wait()
		first.told("")
		time.Sleep(3 * time.Hour)
		for _, p := range []*person{first, second} {
			p.is(session.Online)
			if d, l := p.count(session.Disconnected), p.count(session.LoginStarted); d != 0 || l != 1 {
				t.Errorf("%d disconnects and %d logins, want 0 and 1", d, l)
			}
		}
		w.saw(requests{Fetches: 2 + 3 + 4, Exchanges: 2 + 3 + 4, Sessions: 2})
	})
}

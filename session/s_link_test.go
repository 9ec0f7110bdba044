package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// S18 to S23: the link breaks, and the service says no.

func TestS18OfflineAcrossE(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 10*time.Minute, nil) // W at 8 minutes
		time.Sleep(7 * time.Minute)
		w.setWeather(down())
		w.net.Cut()
		time.Sleep(10 * time.Minute)
		for _, n := range []struct {
			name session.EventName
			want int
		}{{session.TokenWillExpire, 1}, {session.TokenExpired, 1}, {session.Disconnected, 2}, {session.RenewStarted, 0}, {session.LoginStarted, 1}} {
			if got := p.count(n.name); got != n.want {
				t.Errorf("%d times %s, want %d", got, n.name, n.want)
			}
		}
		if got := p.count(session.TokenRequested); got > 40 {
			t.Errorf("%d fetches in 9 minutes without a network", got)
		}
		p.is(session.Waiting, "cannot be reached")
		w.saw(requests{Fetches: 1, Exchanges: 1, Sessions: 1})
		p.skip()
		w.setWeather(nil)
		time.Sleep(38 * time.Second)
		p.told(loginStory)
		w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 2})
	})
}

func TestS19FlapNoRefetch(t *testing.T) {
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, withProfile(profile))
				for range 20 {
					w.server.CutUser("alice")
					synctest.Wait()
					p.is(session.Reconnecting, "the connection was lost")
					time.Sleep(5 * time.Second)
					p.told(`
						disconnected onDisconnected 300
						reconnecting
						> reconnecting
						connected onConnected
						> online
					`)
				}
				exchanges := 0
				if profile.Exchange {
					exchanges = 1
				}
				w.saw(requests{Fetches: 1, Exchanges: exchanges, Sessions: 21})
			})
		})
	}
}

func TestS20OrphanTimer(t *testing.T) {
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, withProfile(profile))
				time.Sleep(10 * time.Minute)
				w.net.Cut()
				time.Sleep(time.Minute)
				p.Renew()
				synctest.Wait()
				p.skip()
				time.Sleep(17 * time.Minute) // less than half of the new life
				p.told("")
				p.policy(session.WillExpireIgnore, session.ExpiredIgnore)
				time.Sleep(32*time.Minute - time.Second) // the old end, one hour after the start, has passed
				if got := p.count(session.TokenExpired); got != 0 {
					t.Errorf("expired %d times before the new token's end", got)
				}
				w.net.Cut() // and what reconnects is the new credential
				time.Sleep(5 * time.Second)
				p.is(session.WillExpire)
				p.send("echo", "still here")
				synctest.Wait()
				if got := p.count(session.MessageReceived); got != 1 {
					t.Error("no echo after the old token's end")
				}
				want := requests{Fetches: 2, Exchanges: 2, Sessions: 3}
				if !profile.Exchange {
					want.Exchanges, want.Checks = 0, 1
				}
				w.saw(want)
			})
		})
	}
}

// The token ends while what was missed is being fetched, and the rest of it never comes on that link.
func TestS21ExpireInOfflineSync(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		alice, bob := w.online("alice", 10*time.Second, nil), w.online("bob", time.Hour, nil)
		alice.policy(session.WillExpireIgnore, session.ExpiredIgnore)
		time.Sleep(time.Minute)
		alice.is(session.Expired)
		alice.skip()
		var texts []string
		for i := range 300 { // several batches
			texts = append(texts, fmt.Sprint(i))
			bob.send("alice", texts[i])
		}
		synctest.Wait()
		alice.policy(session.WillExpireIgnore, session.ExpiredRelogin) // which logs in, with a token of 10 s
		w.fault(linkFault, "delay", 0, "delay=4s", "direction=out", "command=sync")
		time.Sleep(2 * time.Minute)
		w.server.ClearFaults()
		time.Sleep(time.Minute)
		if got := alice.count(session.TokenExpired); got < 2 {
			t.Errorf("%d expiries, which proves little", got)
		}
		var received []string
		for _, e := range alice.all() {
			if e.Name == session.MessageReceived {
				received = append(received, e.Text)
			}
		}
		same(t, "received", received, texts)
	})
}

func TestS22SendAtE(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		alice := w.online("alice", 10*time.Second, nil)
		alice.policy(session.WillExpireIgnore, session.ExpiredRelogin)
		bob := w.online("bob", day, nil)
		for range 200 { // 20 s, with two ends of a token in them
			alice.send("bob", "hello")
			time.Sleep(100 * time.Millisecond)
		}
		if got := alice.count(session.TokenExpired); got != 2 {
			t.Errorf("%d expiries, want 2", got)
		}
		for _, n := range []int{alice.count(session.MessageSent), alice.count(session.MessageDelivered), bob.count(session.MessageReceived)} {
			if n != 200 {
				t.Errorf("%d messages, want 200", n)
			}
		}
	})
}

// The answer to a message of the last moment is lost, whether the message was stored or not.
func TestS22AckLostAtE(t *testing.T) {
	for _, stored := range []string{"true", "false"} {
		t.Run("stored="+stored, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				alice, bob := w.online("alice", 10*time.Second, nil), w.online("bob", day, nil)
				alice.policy(session.WillExpireIgnore, session.ExpiredRelogin)
				time.Sleep(9800 * time.Millisecond)
				alice.skip()
				w.fault(message, "no-answer", 1, "stored="+stored)
				id := alice.send("bob", "in the last moment")
				time.Sleep(time.Second)
				alice.told(`
					token.expired onTokenExpired 108
					disconnected onDisconnected 108
					> expired
				` + loginStory + `
					message.sent alice>bob "in the last moment"
					message.delivered alice>bob "in the last moment"
				`)
				if got := alice.last(session.MessageSent).MessageID; got != id {
					t.Errorf("message %s was sent, want %s", got, id)
				}
				if got := bob.count(session.MessageReceived); got != 1 {
					t.Errorf("bob got it %d times, want once", got)
				}
				w.saw(requests{Fetches: 3, Exchanges: 3, Sessions: 3})
			})
		})
	}
}

func TestS23KickedNotExpired(t *testing.T) {
	for _, kick := range []struct {
		code  int
		words string
	}{
		{206, "another device"}, {207, "account was deleted"}, {216, "password was changed"}, {217, "disconnected by another device or an admin"},
	} {
		for _, profile := range chat.Profiles() {
			t.Run(fmt.Sprintf("%d/%s", kick.code, profile.Name), func(t *testing.T) {
				inWorld(t, fakeserver.Config{}, func(w *world) {
					p := w.online("alice", time.Hour, func(cfg *session.Config) {
						cfg.Profile, cfg.Policy.OnWillExpire = profile, session.WillExpireAsk
					})
					time.Sleep(time.Hour - time.Second)
					before := w.requests()
					p.skip()
					w.server.Kick("alice", kick.code, "")
					time.Sleep(time.Hour)
					p.told(fmt.Sprintf(`
						kicked %s %d
						> stopped
					`, profile.LogoutCallback, kick.code))
					p.is(session.Stopped, "kicked: ", kick.words)
					p.why(session.KickedOut)
					if got := p.Snapshot().Code; int(got) != kick.code {
						t.Errorf("code %v, want %d", got, kick.code)
					}
					w.saw(before)
				})
			})
		}
	}
}

// Too many devices (214) and a service that is restricted (305) come as refused logins of the gateway: at a reconnect they end the session, and
// no other token is fetched.
func TestS23RefusedForAnotherReason(t *testing.T) {
	for _, status := range []string{"TOO_MANY_DEVICES", "IM_FORBIDDEN", "BIND_ANOTHER_DEVICE"} {
		t.Run(status, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, nil)
				time.Sleep(time.Minute)
				w.fault(provision, "status", 0, "status="+status, "reason=no")
				w.server.CutUser("alice")
				time.Sleep(time.Hour)
				p.is(session.Stopped, "refused the login")
				p.why(session.ServiceRefuses)
				if got := p.count(session.TokenRequested); got != 1 {
					t.Errorf("%d fetches, want only the first", got)
				}
			})
		})
	}
}

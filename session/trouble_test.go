package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// These tests are about trouble with the network, the service and the clock.

// sleepFor plays a suspended machine: both clocks jump, and no timer runs meanwhile.
func (w *world) sleepFor(d time.Duration, people ...*person) {
	w.server.JumpClock(d)
	for _, p := range people {
		p.JumpClock(d)
	}
	synctest.Wait()
}

func TestSleepAcrossWillExpire(t *testing.T) { // S16
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", day, nil)
		w.sleepFor(20*time.Hour, p)
		p.toldAt(`
			20h0m0s token.will_expire onTokenWillExpire 109
			20h0m0s > renewing
			20h0m0s token.requested
			20h0m0s token.received
			20h0m0s renew.started
			20h0m0s renew.succeeded
			20h0m0s > online
		`)
	})
}

func TestSleepAcrossExpiry(t *testing.T) { // S17
	for _, profile := range []chat.Profile{chat.Native, chat.Web} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", day, withProfile(profile))
				w.sleepFor(30*time.Hour, p)
				end := code(profile.ExpiredCode)
				p.told(`
					token.expired onTokenExpired ` + end + `
					disconnected onDisconnected ` + end + `
					> expired
				` + loginStory)
				if got := w.fetches(); got != 2 {
					t.Errorf("%d fetches, want 2", got)
				}
			})
		})
	}
}

func TestOfflineAcrossExpiry(t *testing.T) { // S18
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
		p.skip()
		w.setWeather(nil)
		time.Sleep(38 * time.Second)
		p.told(loginStory)
	})
}

func TestDropsNeedNoToken(t *testing.T) { // S19
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, withProfile(profile))
				for range 20 {
					w.net.Cut()
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
				if got := w.fetches(); got != 1 {
					t.Errorf("%d fetches, want 1", got)
				}
				if got := w.journal(fakeserver.SessionOpened, ""); got != 21 {
					t.Errorf("%d sessions opened, want 21", got)
				}
			})
		})
	}
}

func TestNoOrphanTimer(t *testing.T) { // S20
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
			})
		})
	}
}

func TestLinkLostDuringARenewal(t *testing.T) { // R5
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		time.Sleep(10 * time.Minute)
		w.setWeather(slow("tokens:80", 5*time.Second))
		p.Renew()
		time.Sleep(time.Second)
		w.net.Cut()
		time.Sleep(time.Minute)
		p.told(`
			> renewing
			token.requested
			disconnected onDisconnected 300
			reconnecting
			> reconnecting
			connected onConnected
			> renewing
			token.received
			renew.started
			renew.succeeded
			> online
		`)
		time.Sleep(40 * time.Minute)
		p.told("")
	})
}

func TestKicks(t *testing.T) { // S23
	for _, tc := range []struct {
		code  int
		kick  func(w *world)
		words string
	}{
		{206, func(w *world) { w.online("alice", time.Hour, nil) }, "another device"},
		{207, func(w *world) { w.admin("DELETE", "/users/alice") }, "account was deleted"},
		{217, func(w *world) { w.admin("POST", "/users/alice/disconnect") }, "disconnected by another device or an admin"},
	} {
		for _, profile := range chat.Profiles() {
			t.Run(fmt.Sprintf("%d/%s", tc.code, profile.Name), func(t *testing.T) {
				inWorld(t, fakeserver.Config{MaxDevices: 1}, func(w *world) {
					p := w.online("alice", time.Hour, func(cfg *session.Config) {
						cfg.Profile, cfg.Policy.OnWillExpire = profile, session.WillExpireAsk
					})
					time.Sleep(time.Hour - time.Second)
					p.skip()
					tc.kick(w)
					time.Sleep(time.Hour)
					p.told(fmt.Sprintf(`
						kicked %s %d
						> stopped
					`, profile.LogoutCallback, tc.code))
					p.is(session.Stopped, "kicked: ", tc.words)
					if got := p.Snapshot().Code; int(got) != tc.code {
						t.Errorf("code %v, want %d", got, tc.code)
					}
				})
			})
		}
	}
}

func TestSecondDeviceRenews(t *testing.T) { // S30
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
	})
}

func TestLogoutDuringAFetch(t *testing.T) { // S27
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.setWeather(slow("tokens:80", 5*time.Second))
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
	})
}

func TestLogoutDuringALogin(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.setWeather(slow("chat:80", 5*time.Second))
		p := w.person("alice", time.Hour, nil)
		p.Login()
		time.Sleep(time.Second)
		p.is(session.LoggingIn)
		p.Logout()
		synctest.Wait()
		p.skip()
		time.Sleep(time.Minute)
		p.told("")
		p.Login()
		p.told(loginStory)
	})
}

func TestLogoutDuringARenewal(t *testing.T) { // S27
	for _, where := range []string{"tokens:80", "chat:80"} {
		t.Run(where, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, nil)
				time.Sleep(10 * time.Minute)
				w.setWeather(slow(where, 5*time.Second))
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
			})
		})
	}
}

func TestLoginAgain(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		p.Login()
		p.told("login.succeeded 200")
		p.Logout()
		p.told(`
			logged_out
			> logged_out
		`)
		p.Renew()
		p.told("renew.failed 201")
		contains(t, p.last(session.RenewFailed).Reason, "nobody is logged in", "log in first")
		p.Login()
		p.told(loginStory)
		if got := w.fetches(); got != 2 {
			t.Errorf("%d fetches, want 2: a logout forgets the token", got)
		}
	})
}

func TestServiceDownAtLogin(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.setWeather(down("chat:80"))
		p := w.person("alice", time.Hour, nil)
		p.Login()
		time.Sleep(time.Minute)
		p.is(session.Stopped, "given up after 6 attempts", "http://chat cannot be reached")
		if got := w.fetches(); got != 1 {
			t.Errorf("%d fetches, want 1: a token that was not refused is kept", got)
		}
	})
}

func TestServerShutdownAndReturn(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		time.Sleep(time.Minute)
		w.setWeather(down("chat:80"))
		w.net.Cut()
		p.skip()
		time.Sleep(10 * time.Minute)
		p.is(session.Reconnecting)
		p.told("")
		w.setWeather(nil)
		time.Sleep(25 * time.Second)
		p.told(`
			connected onConnected
			> online
		`)
	})
}

// The Web SDK goes on with an expired token for five attempts and never fires onTokenExpired on this path (protocol.md d.7).
func TestWebReconnectRefused(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, withProfile(chat.Web))
		time.Sleep(time.Minute)
		p.skip()
		w.setWeather(down())
		w.net.Cut()
		w.server.JumpClock(2 * time.Hour)
		w.setWeather(nil)
		time.Sleep(time.Minute)
		p.told(`
			disconnected onDisconnected 300
			reconnecting
			> reconnecting
		` + strings.Repeat("login.failed onError 56\n", 5) + `
			disconnected onDisconnected 16
			> expired
		` + loginStory)
		if got := w.fetches(); got != 2 {
			t.Errorf("%d fetches, want 2", got)
		}
	})
}

func TestNativeReconnectRefused(t *testing.T) {
	for _, form := range []fakeserver.ExpiredStatus{fakeserver.ExpiredAsReason, fakeserver.ExpiredAsEnum} {
		t.Run(string(form), func(t *testing.T) {
			inWorld(t, fakeserver.Config{ExpiredStatus: form}, func(w *world) {
				p := w.online("alice", time.Hour, nil)
				w.net.Cut()
				w.server.JumpClock(2 * time.Hour)
				time.Sleep(time.Minute)
				p.told(`
					disconnected onDisconnected 300
					reconnecting
					> reconnecting
					disconnected onDisconnected 108
					> expired
				` + loginStory)
			})
		})
	}
}

func TestTriggers(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", day, nil)
		time.Sleep(time.Hour)
		w.server.TriggerWillExpire("alice")
		p.told(renewStory)
		w.server.TriggerExpire("alice")
		p.told(`
			token.expired onTokenExpired 108
			disconnected onDisconnected 108
			> expired
		` + loginStory)
	})
}

// A dead peer takes everything and answers nothing.
func TestDeadPeerIsNoticed(t *testing.T) {
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				var newest atomic.Pointer[swallower]
				p := w.online("alice", time.Hour, func(cfg *session.Config) {
					cfg.Profile = profile
					w.swallowing(&newest)(cfg)
				})
				time.Sleep(12*time.Minute + time.Second) // the service was last heard a second ago
				p.told("")
				newest.Load().dead.Store(true)
				died := p.Now()
				time.Sleep(4 * time.Minute)
				p.told(`
					disconnected onDisconnected 300
					reconnecting
					> reconnecting
					connected onConnected
					> online
				`)
				if took := p.last(session.ReconnectingNow).At.Sub(died); took < profile.Heartbeat || took > profile.Heartbeat+35*time.Second {
					t.Errorf("noticed after %v, want half a minute after a heartbeat, which comes after %v", took, profile.Heartbeat)
				}
			})
		})
	}
}

func TestCloseAtAnyMoment(t *testing.T) {
	for i, after := range []time.Duration{
		0, time.Nanosecond, time.Millisecond, time.Second, 2 * time.Second, 2500 * time.Millisecond, 4 * time.Second, 24 * time.Second, 25 * time.Second, 31 * time.Second,
	} {
		for _, profile := range chat.Profiles() {
			t.Run(fmt.Sprintf("%s/%d", profile.Name, i), func(t *testing.T) {
				inWorld(t, fakeserver.Config{}, func(w *world) {
					w.setWeather(func(ctx context.Context, _ string) error {
						select {
						case <-time.After(700 * time.Millisecond):
							return nil
						case <-ctx.Done():
							return ctx.Err()
						}
					})
					p := w.person("alice", 30*time.Second, withProfile(profile))
					p.Login()
					p.send("echo", "hello")
					time.Sleep(after)
					p.close() // the bubble fails when a goroutine is left
					for {
						if _, err := p.reader.Next(w.t.Context()); err != nil {
							break
						}
					}
					left := p.Snapshot()
					if left.State != session.LoggedOut || left.Linked {
						w.t.Errorf("state %s, linked %v after Close", left.State, left.Linked)
					}
				})
			})
		}
	}
}

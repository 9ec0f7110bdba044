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
		` + loginStory + `
			clock.skewed
		`)
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
				` + strings.Replace(loginStory, "connected", "clock.skewed\nconnected", 1))
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

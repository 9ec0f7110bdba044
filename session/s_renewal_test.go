package session_test

import (
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// S01 to S06 and S12: renewals in time, late and too late.

func TestS01HappyRenew(t *testing.T) {
	for _, profile := range []chat.Profile{chat.Native, chat.Web} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", 3700*time.Second, withProfile(profile))
				time.Sleep(50 * time.Minute) // W is at 49m20s, between two heartbeats
				p.toldAt(at("49m20s", renewStory))
				if got := p.Snapshot().Token.ExpiresAt.Sub(w.start); got != 111*time.Minute {
					t.Errorf("the countdown ends at %v, want 1h51m, the new token's end", got)
				}
				time.Sleep(15 * time.Minute) // past the old end
				p.send("echo", "still here")
				p.told(`
					message.sent alice>echo "still here"
					message.delivered alice>echo "still here"
					message.received echo>alice "still here"
				`)
				if profile.Exchange {
					w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 1})
				} else {
					w.saw(requests{Fetches: 2, Checks: 1, Sessions: 1})
				}
			})
		})
	}
}

func TestS02ServerDownAtW(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		time.Sleep(40 * time.Minute)
		w.fault(tokenServer, "status", 0)
		time.Sleep(16*time.Minute + 50*time.Second) // W is at 48 minutes, 0.95 of the life at 57
		news := p.news()
		for i, want := range []string{
			"token.will_expire onTokenWillExpire 109", "> renewing", "token.requested", "token.rejected", "> will_expire", "> renewing",
		} {
			if got := line(news[i]); got != want {
				t.Errorf("event %d: %s, want %s", i, got, want)
			}
		}
		p.is(session.WillExpire, "503 Service Unavailable", "try again later")
		snap := p.Snapshot()
		if snap.Attempt < 6 || !snap.RetryAt.After(p.Now()) || !snap.RetryAt.Before(snap.Token.ExpiresAt) {
			t.Errorf("%d attempts, next at %v, end at %v", snap.Attempt, snap.RetryAt, snap.Token.ExpiresAt)
		}
		if got := p.most(session.TokenRequested, time.Minute); got > 7 {
			t.Errorf("%d fetches within a minute", got)
		}
		failed := p.count(session.TokenRejected)
		if failed < 14 || failed > 22 { // 1, 2, 4, 8, 16 and then 30 s, and up to a quarter more
			t.Errorf("%d failed fetches in 9 minutes", failed)
		}
		w.server.ClearFaults()
		time.Sleep(38 * time.Second) // longer than the longest pause
		p.told(renewedStory)
		w.saw(requests{Fetches: failed + 2, Exchanges: 2, Sessions: 1})
	})
}

func TestS03ServerDownPastE(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		w.fault(tokenServer, "refuse", 0)
		time.Sleep(time.Hour + 30*time.Second)
		p.is(session.Waiting, "cannot be reached")
		id := p.send("echo", "written while waiting")
		if got := p.count(session.TokenExpired); got != 1 {
			t.Errorf("%d expired callbacks, want 1", got)
		}
		p.skip()
		w.server.ClearFaults()
		time.Sleep(38 * time.Second)
		p.told(loginStory + `
			message.sent alice>echo "written while waiting"
			message.delivered alice>echo "written while waiting"
			message.received echo>alice "written while waiting"
		`)
		if got := p.last(session.MessageSent).MessageID; got != id {
			t.Errorf("message %s sent, want %s", got, id)
		}
		if got := p.count(session.RenewStarted); got != 0 {
			t.Errorf("%d renewals reached the SDK, want none", got)
		}
		if got := p.most(session.TokenRequested, time.Minute); got > 8 {
			t.Errorf("%d fetches within a minute", got)
		}
		w.saw(requests{Fetches: p.count(session.TokenRequested), Exchanges: 2, Sessions: 2})
	})
}

func TestS04RenewAfterExpiry(t *testing.T) { inWorld(t, fakeserver.Config{}, s04) }

func s04(w *world) {
	p := w.online("alice", 30*time.Second, nil) // W at 24 s
	time.Sleep(23 * time.Second)
	w.fault(tokenServer, "delay", 1, "delay=8s")
	time.Sleep(10 * time.Second)
	p.toldAt(`
		24s token.will_expire onTokenWillExpire 109
		24s > renewing
		24s token.requested
		30s token.expired onTokenExpired 108
		30s disconnected onDisconnected 108
		30s > fetching
		32s token.received
		32s > logging_in
		32s login.started
		32s connected onConnected
		32s login.succeeded
		32s > online
	`)
	w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 2})
}

func TestS05RenewInFlightAtE(t *testing.T) {
	for _, profile := range []chat.Profile{chat.Native, chat.Web} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", 100*time.Second, withProfile(profile))
				p.policy(session.WillExpireIgnore, session.ExpiredRelogin)
				w.fault(rest, "delay", 1, "delay=2s")
				time.Sleep(99 * time.Second)
				p.skip()
				p.Renew()
				time.Sleep(time.Minute)
				p.toldAt(`
					1m39s > renewing
					1m39s token.requested
					1m39s token.received
					1m39s renew.started
					1m40s token.expired onTokenExpired ` + code(profile.ExpiredCode) + `
					1m40s disconnected onDisconnected ` + code(profile.ExpiredCode) + `
					1m40s > logging_in
					1m40s login.started
					1m40s connected onConnected
					1m40s login.succeeded
					1m40s > online
				`)
				if profile.Exchange { // the renewal was called off before it was handled
					w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 2})
				} else {
					w.saw(requests{Fetches: 2, Sessions: 2})
				}
				if got := w.journal(fakeserver.FaultApplied, ""); got != 1 {
					t.Errorf("%d renewals reached the service, want 1", got)
				}
			})
		})
	}
}

func TestS06WillExpireTwice(t *testing.T) { inWorld(t, fakeserver.Config{}, s06) }

func s06(w *world) {
	p := w.online("alice", 24*time.Hour, withProfile(chat.Web))
	time.Sleep(time.Hour)
	p.skip()
	w.fault(tokenServer, "delay", 2, "delay=5s")
	w.server.TriggerWillExpire("alice")
	time.Sleep(time.Second)
	w.server.TriggerWillExpire("alice")
	time.Sleep(10 * time.Second)
	p.toldAt(`
		1h0m0s token.will_expire onTokenWillExpire 109
		1h0m0s > renewing
		1h0m0s token.requested
		1h0m1s token.will_expire onTokenWillExpire 109
		1h0m5s token.received
		1h0m5s renew.started
		1h0m5s renew.succeeded
		1h0m5s > online
	`)
	w.saw(requests{Fetches: 2, Checks: 1, Sessions: 1})
}

func TestS12ShortToken(t *testing.T) { inWorld(t, fakeserver.Config{}, s12) }

func s12(w *world) {
	for user, life := range map[string]time.Duration{"alice": 10 * time.Second, "bob": time.Minute} {
		p := w.online(user, life, nil)
		before := w.requests()
		time.Sleep(4*time.Minute + time.Second)
		renewals := int(4 * time.Minute / (life * 8 / 10))
		if got := w.requests().Fetches - before.Fetches; got != renewals {
			w.t.Errorf("life %v: %d fetches in 4m0s, want %d, one at each 80 %%", life, got, renewals)
		}
		for _, n := range []struct {
			name session.EventName
			want int
		}{
			{session.TokenWillExpire, renewals}, {session.RenewSucceeded, renewals}, {session.TokenExpired, 0}, {session.Disconnected, 0}, {session.LoginStarted, 1},
		} {
			if got := p.count(n.name); got != n.want {
				w.t.Errorf("life %v: %d times %s, want %d", life, got, n.name, n.want)
			}
		}
		p.close()
	}
}

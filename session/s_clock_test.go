package session_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// S13 to S17: clocks that are wrong, and machines that sleep.

// sleepFor plays a suspended machine: both clocks jump, and no timer runs meanwhile.
func (w *world) sleepFor(d time.Duration, people ...*person) {
	w.server.JumpClock(d)
	for _, p := range people {
		p.JumpClock(d)
	}
	synctest.Wait()
}

func aheadBy(d time.Duration) func(*session.Config) {
	return func(cfg *session.Config) { cfg.ClockOffset = d }
}

func TestS13ClockFast10m(t *testing.T) { inWorld(t, fakeserver.Config{}, s13) }

func s13(w *world) {
	p := w.person("alice", time.Hour, aheadBy(10*time.Minute))
	p.Login()
	time.Sleep(59 * time.Minute)
	p.toldAbout(at("0s", attemptStory) + `
		0s clock.skewed
		0s connected onConnected
		0s login.succeeded
		0s > online
	` + at("48m0s", renewStory))
	snap := p.Snapshot()
	contains(w.t, snap.ClockWarning, "10 min ahead of the service's", "set it right")
	if snap.ClockAhead < -10*time.Minute-time.Second || snap.ClockAhead > -10*time.Minute+time.Second {
		w.t.Errorf("the service's clock is taken to be %v ahead, want -10m", snap.ClockAhead)
	}
	if left := snap.Token.ExpiresAt.Sub(p.Now()).Round(time.Second); left != 49*time.Minute {
		w.t.Errorf("the countdown shows %v, want 49m", left)
	}
	w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 1})
}

// A token that lives for less than the clock is ahead is no expired one.
func TestS13ShortTokenOnAFastClock(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 5*time.Minute, aheadBy(10*time.Minute))
		time.Sleep(13 * time.Minute)
		if e, r := p.count(session.TokenExpired), p.count(session.RenewSucceeded); e != 0 || r != 3 {
			t.Errorf("%d expiries and %d renewals, want 0 and 3", e, r)
		}
		w.saw(requests{Fetches: 4, Exchanges: 4, Sessions: 1})
	})
}

func TestS14ClockSlow10m(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 5*time.Minute, aheadBy(-10*time.Minute))
		contains(t, p.Snapshot().ClockWarning, "10 min behind the service's")
		time.Sleep(4*time.Minute + time.Second)
		p.toldAbout(at("4m0s", renewStory))
		w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 1})
	})
}

// The service's clock is ahead of the token server's by more than a token lives: each fresh token has expired for the service.
func TestS14TokenServerSlow(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		asked := 0
		w.server.JumpClock(2 * time.Hour)
		stale := func(rw http.ResponseWriter, _ func()) { gives(w.token("alice", time.Hour, 2*time.Hour))(rw, nil) }
		p := w.person("alice", time.Hour, withTokens(w.badTokens(&asked, stale)))
		p.Login()
		time.Sleep(time.Hour)
		p.told(attemptStory + `
			clock.skewed
			login.failed 108
			> waiting
		` + attemptStory + `
			login.failed 108
			> waiting
		` + attemptStory + `
			login.failed 108
			> stopped
		`)
		p.is(session.Stopped, "clock", "disagree")
		p.why(session.ClocksDisagree)
		if asked != 3 {
			t.Errorf("%d fetches, want 3", asked)
		}
		w.saw(requests{Exchanges: 3})
	})
}

func TestS15ClockStep(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		time.Sleep(20 * time.Minute)
		p.JumpClock(time.Hour)
		p.told(`clock.skewed`)
		contains(t, p.Snapshot().ClockWarning, "1 h ahead of")
		time.Sleep(10 * time.Minute)
		p.JumpClock(-2 * time.Hour)
		p.told(`clock.skewed`)
		contains(t, p.Snapshot().ClockWarning, "1 h behind")
		time.Sleep(10 * time.Minute)
		p.JumpClock(time.Hour)
		p.told(`clock.skewed`)
		contains(t, p.last(session.ClockSkewed).Reason, "agree again")
		if got := p.Snapshot().ClockWarning; got != "" {
			t.Errorf("the warning stays: %s", got)
		}
		time.Sleep(10 * time.Minute)
		p.toldAbout(at("48m0s", renewStory))
		w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 1})
	})
}

// A clock that is set back does not make a pause longer.
func TestS15ClockSetBackWhileWaiting(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.fault(tokenServer, "status", 1)
		p := w.person("alice", time.Hour, nil)
		p.Login()
		synctest.Wait()
		p.is(session.Waiting)
		p.JumpClock(-time.Hour)
		time.Sleep(2 * time.Second)
		p.is(session.Online)
		w.saw(requests{Fetches: 2, Exchanges: 1, Sessions: 1})
	})
}

// After a sleep the service may be gone; then the own clock counts.
func TestS17ServiceGoneAfterTheSleep(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", day, nil)
		w.fault(linkFault, "freeze", 0)
		w.sleepFor(30*time.Hour, p)
		p.told("")
		time.Sleep(5 * time.Second)
		p.told(`
			token.expired onTokenExpired 108
			disconnected onDisconnected 108
			> expired
		` + attemptStory)
		w.server.ClearFaults()
		time.Sleep(time.Minute)
		p.is(session.Online)
	})
}

func TestS16SleepAcrossW(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", day, nil)
		w.sleepFor(20*time.Hour, p)
		p.toldAt(at("20h0m0s", renewStory))
		w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 1})
	})
}

func TestS17SleepAcrossE(t *testing.T) {
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
				if profile.Exchange {
					w.saw(requests{Fetches: 2, Exchanges: 2, Sessions: 2})
				} else {
					w.saw(requests{Fetches: 2, Sessions: 2})
				}
			})
		})
	}
}

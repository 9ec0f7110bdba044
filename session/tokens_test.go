package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// These tests are about trouble with the token server and with what it gives. The names S01 to S30 are those of token-lifecycle.md section 6.

func TestTokenServerDownAtFirstLogin(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		w.setWeather(down("tokens:80"))
		p := w.person("alice", time.Hour, nil)
		p.Login()
		time.Sleep(time.Hour)
		p.told(`
			> fetching
			token.requested
			token.rejected
			> waiting
		` + strings.Repeat(`
			> fetching
			token.requested
			token.rejected
			> waiting
		`, 4) + `
			> fetching
			token.requested
			token.rejected
			> stopped
		`)
		p.is(session.Stopped, "given up after 6 attempts", "tokens cannot be reached", "check the address and that the server runs")
		if took := p.last(session.StateChanged).At.Sub(w.start); took < 31*time.Second || took > 40*time.Second {
			t.Errorf("given up after %v, want 31 s of doubled pauses and up to a quarter more", took)
		}
		w.setWeather(nil)
		p.Login()
		p.told(loginStory)
	})
}

func TestRetryAfterBeyondTheEndFailsTheRenewal(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		asked := 0
		busy := func(rw http.ResponseWriter, _ func()) {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		}
		p := w.online("alice", time.Hour, withTokens(w.badTokens(&asked, sound, busy, sound)))
		time.Sleep(59 * time.Minute)
		p.told(uselessStory)
		contains(t, p.last(session.RenewFailed).Reason, "try again in 1h0m0s")
	})
}

func TestPastedToken(t *testing.T) {
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				source := tokenclient.Pasted(w.token("alice", time.Hour, 0), tokenclient.Config{AppID: fakeserver.DemoAppID})
				p := w.online("alice", time.Hour, func(cfg *session.Config) { cfg.Profile, cfg.Tokens = profile, source })
				if p.Snapshot().Token.Renewable {
					t.Error("a pasted token counts as renewable")
				}
				time.Sleep(59 * time.Minute)
				contains(t, p.last(session.RenewFailed).Reason, "pasted token", "no server to renew it")
				time.Sleep(time.Hour)
				p.is(session.Stopped, "pasted token has expired", "start again with a new one or with a token server")
				quiet := len(p.all())
				time.Sleep(time.Hour)
				if got := len(p.all()); got != quiet {
					t.Errorf("%d events after the end", got-quiet)
				}
				if fetches, failures := p.count(session.TokenRequested), p.count(session.RenewFailed); fetches != 2 || failures != 1 {
					t.Errorf("%d fetches and %d failed renewals, want 2 and 1", fetches, failures)
				}
			})
		})
	}
}

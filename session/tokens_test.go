package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
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

func TestTokenServerDownAtWillExpire(t *testing.T) { // S02
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		w.setWeather(down("tokens:80"))
		time.Sleep(50 * time.Minute) // W is at 48 minutes
		news := p.news()
		for i, want := range []string{
			"token.will_expire onTokenWillExpire 109", "> renewing", "token.requested", "token.rejected", "> will_expire", "> renewing",
		} {
			if got := line(news[i]); got != want {
				t.Errorf("event %d: %s, want %s", i, got, want)
			}
		}
		p.is(session.WillExpire, "cannot be reached", "check the address")
		snap := p.Snapshot()
		if snap.Attempt < 6 || snap.RetryAt.Before(p.Now()) || snap.RetryAt.After(snap.Token.ExpiresAt) {
			t.Errorf("%d attempts, next at %v, end at %v", snap.Attempt, snap.RetryAt, snap.Token.ExpiresAt)
		}
		w.setWeather(nil)
		time.Sleep(38 * time.Second) // longer than the longest pause
		p.told(`
			> renewing
			token.requested
			token.received
			renew.started
			renew.succeeded
			> online
		`)
		if got := p.count(session.LoginStarted); got != 1 {
			t.Errorf("%d logins, want only the first", got)
		}
	})
}

func TestTokenServerDownPastTheEnd(t *testing.T) { // S03
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		w.setWeather(down("tokens:80"))
		time.Sleep(time.Hour + 30*time.Second)
		p.is(session.Waiting, "cannot be reached")
		id := p.send("echo", "written while waiting")
		if got := p.count(session.TokenExpired); got != 1 {
			t.Errorf("%d expired callbacks, want 1", got)
		}
		p.skip()
		w.setWeather(nil)
		time.Sleep(38 * time.Second)
		p.told(`
			> fetching
			token.requested
			token.received
			> logging_in
			login.started
			connected onConnected
			login.succeeded
			> online
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
	})
}

func TestSlowTokenPastTheEnd(t *testing.T) { // S04
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 30*time.Second, nil) // W at 24 s
		time.Sleep(20 * time.Second)
		w.net.Cut() // the token server's kept connection, too
		time.Sleep(3 * time.Second)
		p.skip()
		w.setWeather(slow("tokens:80", 8*time.Second))
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
		if got := w.fetches(); got != 2 {
			t.Errorf("%d fetches, want 2", got)
		}
	})
}

func TestRenewalInFlightAtTheEnd(t *testing.T) { // S05
	for _, profile := range []chat.Profile{chat.Native, chat.Web} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", 100*time.Second, withProfile(profile)) // W at 80 s, and idle connections are gone by then
				time.Sleep(70 * time.Second)
				w.setWeather(slow("chat:80", 30*time.Second))
				p.policy(session.WillExpireIgnore, session.ExpiredRelogin)
				time.Sleep(25 * time.Second)
				p.skip()
				p.Renew()
				time.Sleep(4 * time.Second)
				p.is(session.Renewing)
				time.Sleep(time.Minute)
				p.told(`
					> renewing
					token.requested
					token.received
					renew.started
					token.expired onTokenExpired ` + code(profile.ExpiredCode) + `
					disconnected onDisconnected ` + code(profile.ExpiredCode) + `
					> logging_in
					login.started
					connected onConnected
					login.succeeded
					> online
				`)
				if got := w.fetches(); got != 2 {
					t.Errorf("%d fetches, want 2: the token of the renewal logs in", got)
				}
			})
		})
	}
}

func TestWillExpireTwice(t *testing.T) { // S06
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 24*time.Hour, withProfile(chat.Web))
		time.Sleep(time.Hour)
		p.skip()
		w.setWeather(slow("tokens:80", 5*time.Second))
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
	})
}

// A renewal that gets a useless answer fails with a reason, the session goes on, and nobody spins.
func TestUselessTokens(t *testing.T) {
	foreign := agoratoken.Credentials{AppID: strings.Repeat("ab", 16), Certificate: demo.Certificate}
	for _, tc := range []struct {
		name  string
		token func(w *world) string
		// renewal and login are words of the reason given.
		words []string
	}{
		{"S07 somebody else's", func(w *world) string { return w.token("bob", time.Hour, 0) }, []string{`for "bob", not "alice"`, "check"}},
		{"S08 expired", func(w *world) string { return w.token("alice", time.Hour, 2*time.Hour) }, []string{"expired 1h", "caching"}},
		{"S10 zero seconds", func(w *world) string { return w.token("alice", 0, 0) }, []string{"lives 0 seconds", "choose the shape"}},
		{"another app's", func(w *world) string {
			text, err := agoratoken.BuildUser(foreign, "alice", 3600, w.server.Now())
			if err != nil {
				w.t.Fatal(err)
			}
			return text
		}, []string{"App ID", "use the App ID of the token server's project"}},
		{"empty", func(*world) string { return "" }, []string{"token is empty", "check the App ID"}},
		{"for nobody", func(w *world) string { return w.token("", time.Hour, 0) }, []string{"for no user", "choose the shape"}},
	} {
		t.Run(tc.name+"/login", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				asked := 0
				p := w.person("alice", time.Hour, withTokens(w.badTokens(&asked, gives(tc.token(w)))))
				p.Login()
				time.Sleep(time.Hour)
				p.told(`
					> fetching
					token.requested
					token.rejected
					> stopped
				`)
				p.is(session.Stopped, tc.words...)
				if asked != 1 {
					t.Errorf("%d requests, want 1", asked)
				}
			})
		})
		t.Run(tc.name+"/renewal", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				asked := 0
				useless := func(rw http.ResponseWriter, _ func()) { gives(tc.token(w))(rw, nil) }
				p := w.online("alice", time.Hour, withTokens(w.badTokens(&asked, sound, useless)))
				time.Sleep(59 * time.Minute)
				p.told(`
					token.will_expire onTokenWillExpire 109
					> renewing
					token.requested
					token.rejected
					renew.failed
					> will_expire
				`)
				p.is(session.WillExpire, tc.words...)
				contains(t, p.last(session.RenewFailed).Reason, tc.words...)
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
				if asked != 3 || p.count(session.MessageSent) != 1 {
					t.Errorf("%d requests and %d messages sent, want 3 and 1", asked, p.count(session.MessageSent))
				}
			})
		})
	}
}

func TestSameTokenBack(t *testing.T) { // S09
	inWorld(t, fakeserver.Config{}, func(w *world) {
		asked := 0
		p := w.online("alice", time.Hour, withTokens(w.badTokens(&asked, gives(w.token("alice", time.Hour, 0)))))
		time.Sleep(time.Hour)
		p.told(`
			token.will_expire onTokenWillExpire 109
			> renewing
			token.requested
			token.rejected
			renew.failed
			> will_expire
			token.expired onTokenExpired 108
			disconnected onDisconnected 108
			> expired
			> fetching
			token.requested
			token.rejected
			> stopped
		`)
		contains(t, p.last(session.RenewFailed).Reason, "in use already", "must build a new one")
		p.is(session.Stopped, "expired 0s ago", "caching")
		if asked != 3 {
			t.Errorf("%d requests, want 3", asked)
		}
	})
}

func TestWrongCertificate(t *testing.T) { // S24
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{AppID: demo.AppID, AppCertificate: strings.Repeat("cd", 16)}, func(w *world) {
				asked := 0
				p := w.person("alice", time.Hour, func(cfg *session.Config) {
					cfg.Profile, cfg.Tokens = profile, w.badTokens(&asked, sound)
				})
				p.Login()
				time.Sleep(time.Hour)
				p.told(`
					> fetching
					token.requested
					token.received
					> logging_in
					login.started
					login.failed ` + code(profile.InvalidCode) + `
					> stopped
				`)
				p.is(session.Stopped, "the service", "check that the token is for this user", "App Certificate")
				if asked != 1 {
					t.Errorf("%d fetches, want 1", asked)
				}
			})
		})
	}
}

func TestTokenServerAnswers(t *testing.T) { // S25
	hang := func(http.ResponseWriter, func()) { time.Sleep(25 * time.Second) }
	wait := func(rw http.ResponseWriter, _ func()) {
		rw.Header().Set("Retry-After", "90")
		rw.WriteHeader(http.StatusTooManyRequests)
	}
	for _, tc := range []struct {
		name      string
		answer    answer
		temporary bool
		words     []string
	}{
		{"500", says(500, "oops"), true, []string{"500 Internal Server Error", "oops", "try again later"}},
		{"503 in HTML", says(503, "<html>sorry</html>"), true, []string{"503", "try again later"}},
		{"hangs", hang, true, []string{"no complete answer in time", "check that it runs"}},
		{"429", wait, true, []string{"429", "try again in 1m30s"}},
		{"HTML", says(200, "<!doctype html><title>portal</title>"), false, []string{"web page (HTML)", "check the address"}},
		{"empty", says(200, ""), false, []string{"not JSON", "check the address"}},
		{"error with 200", says(200, `{"token":"","error":"no certificate"}`), false, []string{"reports an error: no certificate", "correct its configuration"}},
		{"401", says(401, `{"error":"who are you"}`), false, []string{"401 Unauthorized", "who are you", "check"}},
		{"404", says(404, "404 page not found"), false, []string{"404 Not Found", "check the address"}},
		{"huge", says(200, `{"token":"`+strings.Repeat("x", 1<<17)+`"}`), false, []string{"more than 64 KiB", "check the address"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				asked := 0
				p := w.person("alice", time.Hour, withTokens(w.badTokens(&asked, tc.answer, sound)))
				p.Login()
				if !tc.temporary {
					time.Sleep(time.Hour)
					p.is(session.Stopped, tc.words...)
					if asked != 1 {
						t.Errorf("%d requests, want 1", asked)
					}
					return
				}
				time.Sleep(10 * time.Second)
				contains(t, p.last(session.TokenRejected).Reason, tc.words...)
				time.Sleep(2 * time.Minute)
				p.told(`
					> fetching
					token.requested
					token.rejected
					> waiting
				` + loginStory)
				rejected := p.last(session.TokenRejected)
				if pause := p.last(session.TokenRequested).At.Sub(rejected.At); tc.name == "429" && pause != 90*time.Second {
					t.Errorf("asked again after %v, want the 90 s that the server asked for", pause)
				} else if tc.name != "429" && (pause < time.Second || pause > 1250*time.Millisecond) {
					t.Errorf("asked again after %v, want 1 s and up to a quarter more", pause)
				}
			})
		})
	}
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
		p.told(`
			token.will_expire onTokenWillExpire 109
			> renewing
			token.requested
			token.rejected
			renew.failed
			> will_expire
		`)
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

func TestFreshTokensThatTheServiceCallsExpired(t *testing.T) { // S14: the service's clock is ahead of the token server's
	inWorld(t, fakeserver.Config{ClockOffset: 2 * time.Hour}, func(w *world) {
		asked := 0
		stale := func(rw http.ResponseWriter, _ func()) { gives(w.token("alice", time.Hour, 2*time.Hour))(rw, nil) }
		p := w.person("alice", time.Hour, withTokens(w.badTokens(&asked, stale)))
		p.Login()
		time.Sleep(time.Hour)
		p.is(session.Stopped, "clock", "disagree")
		if asked != 3 || p.count(session.LoginFailed) != 3 {
			t.Errorf("%d fetches and %d logins, want 3 and 3", asked, p.count(session.LoginFailed))
		}
		if got := p.Snapshot().Code; got != chat.TokenExpired {
			t.Errorf("code %v, want 108", got)
		}
	})
}

func TestTokenOverADay(t *testing.T) { // S11
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 7*day, nil)
		if got := p.Snapshot().Token; got.ExpiresAt.Sub(w.start) != day || len(got.Warnings) == 0 {
			t.Errorf("the token ends at %v with warnings %q, want 24h as the service says, and one warning", got.ExpiresAt.Sub(w.start), got.Warnings)
		}
		w.sleepFor(20*time.Hour, p)
		p.told(renewStory)
	})
}

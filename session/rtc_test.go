package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// media starts a session of the rtc profile, whose tokens are real ones of the emulator's token server.
func (w *world) media(user string, lifetime time.Duration) *person {
	w.t.Helper()
	tokens, err := tokenclient.New(tokenclient.Config{
		URL: "http://tokens", Shape: tokenclient.RTCPreset(), AppID: fakeserver.DemoAppID, Service: tokenclient.ServiceRTC, DialContext: w.dial,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(tokens.Close)
	return w.person(user, lifetime, func(cfg *session.Config) {
		cfg.Profile, cfg.Tokens, cfg.RESTURL, cfg.WSURL = chat.RTC, tokens, "", ""
	})
}

const joinStory = `
	0s > fetching
	0s token.requested
	0s token.received
	0s > logging_in
	0s login.started
	0s connected onJoinChannelSuccess
	0s login.succeeded
	0s > online
`

func TestRTCRenewsThirtySecondsBeforeTheEnd(t *testing.T) {
	for _, user := range []string{"alice", "4711"} { // a name becomes uid 0, which stands for anybody
		t.Run(user, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.media(user, 40*time.Second)
				p.Login()
				time.Sleep(15 * time.Second)
				p.toldAt(joinStory + `
					10s token.will_expire onTokenPrivilegeWillExpire
				` + at("10s", renewedStory))
				if got := p.Snapshot().Token.ExpiresAt.Sub(w.start); got != 50*time.Second {
					t.Errorf("the new countdown ends at %v, want 50s", got)
				}
				if got := w.journal(fakeserver.RESTRequest, "/fetch_rtc_token"); got != 2 {
					t.Errorf("%d fetches, want 2", got)
				}
				w.saw(requests{}) // of the chat service
				if _, err := p.Send("bob", "hello"); err == nil {
					t.Error("a message is taken that nobody can send")
				}
			})
		})
	}
}

// A life that is no longer than the lead: there is no warning, and the app learns of the end when it has come.
func TestRTCShortLifeBug(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.media("alice", 30*time.Second)
		p.Login()
		time.Sleep(31 * time.Second)
		p.toldAt(joinStory + `
			30s token.expired onTokenPrivilegeDidExpire 9
			30s > expired
		` + strings.ReplaceAll(joinStory, "0s ", "30s "))
		if at := p.Snapshot().Token.WillExpireAt; !at.IsZero() {
			t.Errorf("a warning is promised for %v", at)
		}
	})
}

// The documents renew in both callbacks, and here the second one works, too.
func TestRTCRenewsAfterTheEnd(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.media("alice", 20*time.Second)
		p.policy(session.WillExpireRenew, session.ExpiredRenew)
		p.Login()
		time.Sleep(21 * time.Second)
		p.toldAt(joinStory + `
			20s token.expired onTokenPrivilegeDidExpire 9
			20s > expired
		` + at("20s", renewedStory))
	})
}

func TestRTCRefusesOtherTokens(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		source := tokenclient.Pasted(w.token("alice", time.Hour, 0), tokenclient.Config{AppID: fakeserver.DemoAppID, Service: tokenclient.ServiceRTC})
		p := w.person("alice", time.Hour, func(cfg *session.Config) { cfg.Profile, cfg.Tokens = chat.RTC, source })
		p.Login()
		time.Sleep(time.Minute)
		p.is(session.Stopped, "is for chat and has no rtc service")
		p.why(session.TokenUnusable)
	})
}

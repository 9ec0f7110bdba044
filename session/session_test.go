package session_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

func TestStartSaysWhatIsMissing(t *testing.T) {
	source := tokenclient.Pasted("", tokenclient.Config{})
	whole := session.Config{User: "alice", Tokens: source, RESTURL: "http://chat", WSURL: "ws://chat"}
	for name, change := range map[string]func(*session.Config){
		"user":   func(c *session.Config) { c.User = "" },
		"tokens": func(c *session.Config) { c.Tokens = nil },
		"REST":   func(c *session.Config) { c.RESTURL = "" },
		"WS":     func(c *session.Config) { c.WSURL = "" },
		"policy": func(c *session.Config) { c.Policy.OnExpired = "panic" },
	} {
		cfg := whole
		change(&cfg)
		if s, err := session.Start(cfg); err == nil {
			s.Close()
			t.Errorf("a session without a proper %s starts", name)
		}
	}
}

func TestSnapshot(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", time.Hour, nil)
		if snap := p.Snapshot(); snap.State != session.LoggedOut || snap.Token != nil || snap.User != "alice" || snap.Profile != chat.Native {
			t.Errorf("before the login: %+v", snap)
		}
		p.Login()
		time.Sleep(10 * time.Minute)
		snap := p.Snapshot()
		if snap.State != session.Online || !snap.Linked || !snap.Since.Equal(w.start) || snap.WillExpireFired {
			t.Errorf("online: %+v", snap)
		}
		facts := snap.Token
		if facts == nil {
			t.Fatal("no token")
		}
		for _, at := range []struct {
			name string
			got  time.Time
			want time.Duration
		}{{"issued", facts.IssuedAt, 0}, {"accepted", facts.AcceptedAt, 0}, {"will expire", facts.WillExpireAt, 48 * time.Minute}, {"expires", facts.ExpiresAt, time.Hour}} {
			if got := at.got.Sub(w.start); got != at.want {
				t.Errorf("%s at %v, want %v", at.name, got, at.want)
			}
		}
		if facts.User != "alice" || facts.AppID != fakeserver.DemoAppID || facts.Ordinal != 1 || !facts.Renewable || len(facts.Short) > 40 {
			t.Errorf("the token's facts: %+v", facts)
		}
		time.Sleep(40 * time.Minute)
		if got := p.Snapshot().Token.Ordinal; got != 2 {
			t.Errorf("after the renewal it is token %d, want 2", got)
		}
		if e := p.last(session.TokenWillExpire); e.Remaining() != 12*time.Minute {
			t.Errorf("%v were left at the warning, want 12m", e.Remaining())
		}
	})
}

func TestSlowReaderIsTold(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", time.Hour, func(cfg *session.Config) { cfg.History = 5 })
		late := p.Follow()
		p.Login()
		synctest.Wait()
		events, err := late.Next(t.Context())
		if err != nil || len(events) != 5 || late.Missed() != 3 || events[0].Seq != 4 {
			t.Errorf("%d events, %d missed, %v; want 5 and 3", len(events), late.Missed(), err)
		}
	})
}

// Whole tokens and the certificate stand in no event, no log line and no snapshot.
func TestNoSecretIsTold(t *testing.T) {
	whole := regexp.MustCompile(`(007eJx|YWMt)[A-Za-z0-9+/_=-]{30}`)
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				var log bytes.Buffer
				asked := 0
				p := w.online("alice", time.Hour, func(cfg *session.Config) {
					cfg.Profile, cfg.Log = profile, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					cfg.Tokens = w.badTokens(&asked, sound, sound, gives(w.token("bob", time.Hour, 0)), says(500, w.token("alice", time.Hour, 0)))
				})
				time.Sleep(110 * time.Minute) // a renewal, a refused one, the end, and failing fetches
				snap := p.Snapshot()
				told := fmt.Sprintf("%+v %+v %+v", p.all(), snap, snap.Token)
				p.close()
				told += log.String()
				if found := whole.FindString(told); found != "" {
					w.t.Errorf("a whole token is told: %s", found)
				}
				if strings.Contains(told, fakeserver.DemoAppCertificate) {
					w.t.Error("the certificate is told")
				}
				if !strings.Contains(told, "007eJx") {
					w.t.Error("no token is told at all, so this proves nothing")
				}
			})
		})
	}
}

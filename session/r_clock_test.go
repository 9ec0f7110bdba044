package session_test

import (
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// TestClocksThatDisagree is fault test R8: the service's clock or the client's is five minutes off, either is set back while a token lives, or
// the machine sleeps for an hour. By the service's clock, which is the one that counts, will-expire never comes early, the token is never used
// past its end, and there is one callback of each kind.
func TestClocksThatDisagree(t *testing.T) {
	const life = time.Hour
	service := func(d time.Duration) func(*world, *person) {
		return func(w *world, _ *person) { w.server.JumpClock(d) }
	}
	client := func(d time.Duration) func(*world, *person) {
		return func(_ *world, p *person) { p.JumpClock(d) }
	}
	for name, tc := range map[string]struct {
		before, during      func(*world, *person)
		lateWarned, lateEnd time.Duration // nothing happens while the machine sleeps
		warnings            int
	}{
		"the service is 5m ahead":         {before: service(5 * time.Minute), warnings: 1},
		"the service is 5m behind":        {before: service(-5 * time.Minute), warnings: 1},
		"the client is 5m ahead":          {before: client(5 * time.Minute), warnings: 1},
		"the client is 5m behind":         {before: client(-5 * time.Minute), warnings: 1},
		"the client is set back by 5m":    {during: client(-5 * time.Minute), warnings: 1},
		"the client is set forward by 5m": {during: client(5 * time.Minute), warnings: 1},
		"the service is set back by 5m":   {during: service(-5 * time.Minute), warnings: 1},
		"a suspend of 1h":                 {during: func(w *world, p *person) { w.sleepFor(time.Hour, p) }, lateEnd: 20 * time.Minute}, // past both instants
		"a suspend of 30m":                {during: func(w *world, p *person) { w.sleepFor(30*time.Minute, p) }, lateWarned: 2 * time.Minute, warnings: 1},
	} {
		for _, profile := range []chat.Profile{chat.Native, chat.Web} {
			t.Run(profile.Name+"/"+name, func(t *testing.T) {
				inWorld(t, fakeserver.Config{}, func(w *world) {
					p := w.person("alice", life, withProfile(profile))
					p.policy(session.WillExpireIgnore, session.ExpiredIgnore)
					if tc.before != nil {
						tc.before(w, p)
					}
					issued := w.server.Now()
					p.Login()
					time.Sleep(20 * time.Minute)
					if tc.during != nil {
						tc.during(w, p)
					}
					var warnedAt, endedAt time.Duration // since the token was issued, by the service's clock
					for endedAt == 0 && w.server.Now().Sub(issued) < 3*life {
						now := w.server.Now().Sub(issued)
						if warnedAt == 0 && p.count(session.TokenWillExpire) > 0 {
							warnedAt = now
						}
						if p.count(session.TokenExpired) > 0 {
							endedAt = now
						}
						time.Sleep(time.Second)
					}
					const early, late = -time.Second, 2 * time.Second
					if off := warnedAt - life*4/5; tc.warnings > 0 && (off < early || off > late+tc.lateWarned) {
						t.Errorf("will-expire came %v after 80 %% of the life", off)
					}
					if off := endedAt - life; off < early || off > late+tc.lateEnd {
						t.Errorf("expired came %v after the token's end", off)
					}
					time.Sleep(2 * life)
					if warned := p.count(session.TokenWillExpire); warned != tc.warnings && profile.Name == chat.Native.Name { // the Web SDK repeats it
						t.Errorf("%d will-expire callbacks, want %d", warned, tc.warnings)
					}
					if ended := p.count(session.TokenExpired); ended != 1 {
						t.Errorf("%d expired callbacks, want 1", ended)
					}
					w.saw(map[bool]requests{true: {Fetches: 1, Exchanges: 1, Sessions: 1}, false: {Fetches: 1, Sessions: 1}}[profile.Exchange])
				})
			})
		}
	}
}

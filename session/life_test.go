package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

const day = 24 * time.Hour

// attemptStory is the way to a login, up to the service's answer.
const attemptStory = `
	> fetching
	token.requested
	token.received
	> logging_in
	login.started
`

// loginStory is a first login that goes well.
const loginStory = attemptStory + `
	connected onConnected
	login.succeeded
	> online
`

// renewedStory is a renewal that goes well, without what led to it.
const renewedStory = `
	> renewing
	token.requested
	token.received
	renew.started
	renew.succeeded
	> online
`

// renewStory is a renewal that goes well, from the callback on.
const renewStory = `
	token.will_expire onTokenWillExpire 109
` + renewedStory

// uselessStory is a renewal for which the token server has nothing better than the token in use.
const uselessStory = `
	token.will_expire onTokenWillExpire 109
	> renewing
	token.requested
	token.rejected
	renew.failed
	> will_expire
`

// at is a story of which all happens at one instant, for toldAt and toldAbout.
func at(instant, story string) string {
	var b strings.Builder
	for l := range strings.Lines(story) {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(instant + " " + l + "\n")
		}
	}
	return b.String()
}

func TestWholeLifeOfADayNative(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", day, nil)
		p.Login()
		time.Sleep(7 * time.Second)
		p.send("echo", "hello")
		time.Sleep(20 * time.Hour)
		p.toldAt(at("0s", loginStory) + `
			7s message.sent alice>echo "hello"
			7s message.delivered alice>echo "hello"
			7s message.received echo>alice "hello"
		` + at("19h12m0s", renewStory))
		p.policy(session.WillExpireIgnore, session.ExpiredRelogin)
		time.Sleep(24 * time.Hour)
		p.toldAt(`
			38h24m0s token.will_expire onTokenWillExpire 109
			38h24m0s > will_expire
			43h12m0s token.expired onTokenExpired 108
			43h12m0s disconnected onDisconnected 108
			43h12m0s > expired
		` + at("43h12m0s", loginStory))
		if got := w.fetches(); got != 3 {
			t.Errorf("%d tokens fetched, want one for each life, 3", got)
		}
		if got := w.journal(fakeserver.RESTRequest, "/token"); got != 3 {
			t.Errorf("%d exchanges, want 3", got)
		}
	})
}

func TestWholeLifeOfADayWeb(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", day, withProfile(chat.Web))
		p.Login()
		time.Sleep(7 * time.Second) // so that no heartbeat falls on an instant of the token's life
		p.send("echo", "hello")
		time.Sleep(20 * time.Hour)
		p.toldAt(at("0s", loginStory) + `
			7s message.sent alice>echo "hello"
			7s message.delivered alice>echo "hello"
			7s message.received echo>alice "hello"
		` + at("19h12m0s", renewStory))
		if renewals, exchanges := w.journal(fakeserver.RESTRequest, "/sdk/users/alice/token/expires"), w.journal(fakeserver.RESTRequest, "/token"); renewals != 1 || exchanges != 0 {
			t.Errorf("%d calls of token/expires and %d exchanges, want 1 and 0", renewals, exchanges)
		}
		p.policy(session.WillExpireIgnore, session.ExpiredRenew)
		time.Sleep(24 * time.Hour)
		// In the last fifth, 17,280 s, each heartbeat repeats the callback: 288 of them a minute apart, and the timer before them.
		isWarning := func(e session.Event) bool { return e.Name == session.TokenWillExpire }
		warnings := 0
		for _, e := range p.all()[p.shown:] {
			if isWarning(e) {
				warnings++
			}
		}
		if warnings != 289 {
			t.Errorf("%d will-expire callbacks in the last fifth of the life, want 289", warnings)
		}
		first := slices.IndexFunc(p.events, isWarning) + 1
		second := first + slices.IndexFunc(p.events[first:], isWarning) + 1
		p.events = append(p.events[:second:second], slices.DeleteFunc(slices.Clone(p.events[second:]), isWarning)...)
		p.toldAt(`
			38h24m0s token.will_expire onTokenWillExpire 109
			38h24m0s > will_expire
			43h12m0s token.expired onTokenExpired 56
			43h12m0s disconnected onDisconnected 56
			43h12m0s > expired
			43h12m0s token.requested
			43h12m0s token.received
			43h12m0s renew.started
			43h12m0s renew.failed 39
		`)
		p.is(session.Expired, "log in with the new token instead")
		p.policy(session.WillExpireRenew, session.ExpiredRelogin)
		p.told(loginStory)
	})
}

func TestWholeLifeOfADayClassic(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", day, withProfile(chat.Classic))
		p.Login()
		time.Sleep(13 * time.Hour)
		p.policy(session.WillExpireIgnore, session.ExpiredIgnore)
		time.Sleep(24 * time.Hour)
		p.send("echo", "still here")
		p.toldAt(at("0s", loginStory) + at("12h0m0s", renewStory) + `
			24h0m0s token.will_expire onTokenWillExpire 109
			24h0m0s > will_expire
			36h0m0s token.expired onTokenExpired 108
			36h0m0s > expired
			37h0m0s message.sent alice>echo "still here"
			37h0m0s message.delivered alice>echo "still here"
			37h0m0s message.received echo>alice "still here"
		`)
		if snap := p.Snapshot(); !snap.Linked || !snap.ExpiredFired {
			t.Errorf("linked %v, expired fired %v; want both", snap.Linked, snap.ExpiredFired)
		}
		p.Renew()
		p.told(renewedStory)
		if got := p.Snapshot().Token.ExpiresAt.Sub(w.start); got != 61*time.Hour {
			t.Errorf("the new life ends at %v, want 61h", got)
		}
	})
}

func TestClassicAnswersToExpiry(t *testing.T) {
	for _, tc := range []struct {
		answer session.OnExpired
		story  string
	}{
		{session.ExpiredRenew, `
			> will_expire
			token.expired onTokenExpired 108
			> expired
		` + renewedStory},
		{session.ExpiredRelogin, `
			> will_expire
			token.expired onTokenExpired 108
			> expired
		` + loginStory},
	} {
		t.Run(string(tc.answer), func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, withProfile(chat.Classic))
				p.policy(session.WillExpireIgnore, tc.answer)
				time.Sleep(time.Hour)
				p.told("token.will_expire onTokenWillExpire 109" + tc.story)
			})
		})
	}
}

func TestNativeRenewalAfterExpiryFails(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		p.policy(session.WillExpireIgnore, session.ExpiredRenew)
		time.Sleep(24 * time.Hour)
		p.told(`
			token.will_expire onTokenWillExpire 109
			> will_expire
			token.expired onTokenExpired 108
			disconnected onDisconnected 108
			> expired
			token.requested
			token.received
			renew.started
			renew.failed 201
		`)
		p.is(session.Expired, "renewToken needs a session", "log in with the new token instead")
		if handed, refused := p.last(session.RenewStarted), p.last(session.RenewFailed); refused.Token != handed.Token || !refused.ExpiresAt.After(refused.At) {
			t.Errorf("%s was handed over, and %s refused, which ends at %v", handed.Token, refused.Token, refused.ExpiresAt)
		}
		if snap := p.Snapshot(); snap.Trying || snap.Attempt != 1 || !snap.RetryAt.IsZero() {
			t.Errorf("trying %v, %d attempts, the next at %v: want one, and no more", snap.Trying, snap.Attempt, snap.RetryAt)
		}
		if snap := p.Snapshot(); snap.WarnedAt.Sub(w.start) != 48*time.Minute || snap.ExpiredAt.Sub(w.start) != time.Hour {
			t.Errorf("will-expire fired at %v and the expiry at %v", snap.WarnedAt.Sub(w.start), snap.ExpiredAt.Sub(w.start))
		}
		w.setWeather(slow("tokens:80", 5*time.Second))
		p.Renew()
		time.Sleep(time.Second)
		if snap := p.Snapshot(); snap.State != session.Expired || !snap.Trying {
			t.Errorf("%s, trying %v while a renewal is under way", snap.State, snap.Trying)
		}
		time.Sleep(time.Minute)
		p.skip()
		p.Login()
		time.Sleep(time.Minute)
		p.told(loginStory)
		if snap := p.Snapshot(); !snap.WarnedAt.IsZero() || !snap.ExpiredAt.IsZero() {
			t.Error("what has fired for the old token is said of the new one")
		}
	})
}

func TestAskLeavesTheRenewalToAPerson(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		p.policy(session.WillExpireAsk, session.ExpiredIgnore)
		time.Sleep(50 * time.Minute)
		p.told(`
			token.will_expire onTokenWillExpire 109
			> will_expire
		`)
		p.Renew()
		p.told(renewedStory)
		time.Sleep(24 * time.Hour)
		p.told(`
			token.will_expire onTokenWillExpire 109
			> will_expire
			token.expired onTokenExpired 108
			disconnected onDisconnected 108
			> expired
		`)
	})
}

func TestPolicyTakesEffectAtOnce(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		p.policy(session.WillExpireIgnore, session.ExpiredIgnore)
		time.Sleep(50 * time.Minute)
		p.skip()
		p.policy(session.WillExpireRenew, session.ExpiredIgnore)
		p.told(renewedStory)
		if err := p.SetPolicy(session.Policy{OnWillExpire: "later", OnExpired: session.ExpiredIgnore}); err == nil {
			t.Error("an unknown answer was taken")
		}
	})
}

func TestRenewEvery(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, func(cfg *session.Config) { cfg.Policy.RenewEvery = 10 * time.Minute })
		time.Sleep(2*time.Hour + time.Second)
		if got := p.count(session.RenewSucceeded); got != 12 {
			t.Errorf("%d renewals in 2 hours, want one every 10 minutes", got)
		}
		if got := p.count(session.TokenWillExpire); got != 0 {
			t.Errorf("%d will-expire callbacks, want none: each token is renewed long before", got)
		}
	})
}

func TestFiftyRenewalsOfAShortToken(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", 10*time.Second, nil)
		time.Sleep(8*50*time.Second + time.Second)
		for _, n := range []struct {
			name session.EventName
			want int
		}{
			{session.TokenWillExpire, 50}, {session.RenewSucceeded, 50}, {session.TokenRequested, 51},
			{session.TokenExpired, 0}, {session.Disconnected, 0},
		} {
			if got := p.count(n.name); got != n.want {
				t.Errorf("%d times %s, want %d", got, n.name, n.want)
			}
		}
	})
}

package fakeserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// beat lets time pass while the clients send their heartbeats, whose answers are dropped.
func beat(d time.Duration, clients ...*client) {
	const gap = 100 * time.Second
	for ; d > 0; d -= gap {
		time.Sleep(min(d, gap))
		for _, c := range clients {
			c.send(msync.MSync_UNREAD, nil)
			c.take()
		}
	}
}

// TestExpiryIsTold: 80 % and the end of a token's life, each once, to the instant; nothing is cut.
func TestExpiryIsTold(t *testing.T) {
	inWorld(t, Config{ClockOffset: -time.Hour}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		time.Sleep(100 * time.Second)
		bob := w.login("bob", "phone")
		beat(2000*time.Second, alice, bob)
		want := []string{
			"13m20s session.will_expire alice web", "15m0s session.will_expire bob phone",
			"16m40s session.expired alice web", "18m20s session.expired bob phone",
		}
		if diff := cmp.Diff(want, w.told(SessionWillExpire, SessionExpired, SessionClosed)); diff != "" {
			t.Errorf("the journal (-want +got):\n%s", diff)
		}
		bob.say(1, "alice", "still here")
		if diff := cmp.Diff([]string{"bob"}, alice.noticed()); diff != "" {
			t.Errorf("a session whose token has expired (-want +got):\n%s", diff)
		}
		e := w.srv.entries(SessionWillExpire)[0]
		if e.Session == "" || !e.WillExpireAt.Equal(w.start.Add(800*time.Second)) || !e.ExpiresAt.Equal(w.start.Add(1000*time.Second)) {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// TestShortLife: a life shorter than the schedule's own rhythm is told in time too.
func TestShortLife(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.dial().provision(login{user: "bob", resource: "web", token: w.srv.userToken(t, "bob", 10)})
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"8s session.will_expire bob web", "10s session.expired bob web"}, w.told(SessionWillExpire, SessionExpired)); diff != "" {
			t.Errorf("the journal (-want +got):\n%s", diff)
		}
	})
}

// TestExpiryFollowsTheClock: a jump makes due at once what it makes due, and a jump back takes nothing back but gives time again.
func TestExpiryFollowsTheClock(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		told := func(want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, w.told(SessionWillExpire, SessionExpired)); diff != "" {
				t.Errorf("the journal (-want +got):\n%s", diff)
			}
		}
		w.srv.JumpClock(800*time.Second - 1)
		told()
		w.srv.JumpClock(1)
		told("13m20s session.will_expire alice web")
		w.srv.JumpClock(-300 * time.Second)
		beat(499*time.Second, alice) // 999 s by the emulator's clock
		told("13m20s session.will_expire alice web")
		time.Sleep(time.Second)
		told("13m20s session.will_expire alice web", "16m40s session.expired alice web")
		w.srv.JumpClock(time.Hour)
		told("13m20s session.will_expire alice web", "16m40s session.expired alice web")
	})
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.srv.JumpClock(time.Hour) // past both
		if diff := cmp.Diff([]string{"1h0m0s session.will_expire alice web", "1h0m0s session.expired alice web"}, w.told(SessionWillExpire, SessionExpired)); diff != "" {
			t.Errorf("the journal (-want +got):\n%s", diff)
		}
	})
}

// TestExpiryBeforeTheCall: a client that asks for a new token in the instant at which its own will expire meets the fault that waits for
// that, whichever goroutine is faster. Here the schedule's does not run at all.
func TestExpiryBeforeTheCall(t *testing.T) {
	s := newServer(t, Config{})
	l := s.attached(t, "alice", "web")
	if _, err := s.AddFault(Fault{Target: FaultTokenServer, Kind: "status", On: SessionWillExpire}); err != nil {
		t.Fatal(err)
	}
	now := s.Now()
	s.schedule.arm(l, grant{identity: "alice", acceptedAt: now, expiresAt: now.Add(time.Hour)})
	fetch := func() int {
		w := httptest.NewRecorder()
		body := strings.NewReader(`{"user_uuid": "alice", "expire": 3600}`)
		s.token.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/generate-user-token", body))
		return w.Code
	}
	if status := fetch(); status != http.StatusOK {
		t.Errorf("before the instant: status %d", status)
	}
	s.JumpClock(48 * time.Minute)
	if status := fetch(); status != http.StatusServiceUnavailable {
		t.Errorf("in the instant: status %d", status)
	}
}

// TestExpiryEndsWithTheSession: a closed session has nothing to expire, not even when a renewal comes while it closes.
func TestExpiryEndsWithTheSession(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web").leave()
		w.srv.JumpClock(time.Hour)
		if got := w.told(SessionWillExpire, SessionExpired); got != nil {
			t.Errorf("the journal has %v", got)
		}
	})
	s := newServer(t, Config{})
	l := s.attached(t, "alice", "web")
	g := s.schedule.grantOf(l)
	l.ended("test")
	s.schedule.arm(l, g)
	if n := len(s.schedule.pending); n != 0 {
		t.Errorf("%d ended sessions wait for their expiry", n)
	}
}

// TestRenewal: both signals (protocol.md d.4; protocol-versions.md, "must do" 4) give every session of the user, and of nobody else, the
// new token's life.
func TestRenewal(t *testing.T) {
	for name, tt := range map[string]struct{ method, path, body string }{
		"token/expires":  {http.MethodGet, "/ttlchat/demo/sdk/users/alice/token/expires", ""},
		"token exchange": {http.MethodPost, "/ttlchat/demo/token", `{"grant_type":"agora"}`},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "web")
				beat(900*time.Second, web, phone, bob)
				if status, body := w.rest(tt.method, tt.path, w.srv.userToken(t, "alice", 2000), tt.body); status != http.StatusOK {
					t.Fatalf("%d %s", status, body)
				}
				w.srv.JumpClock(time.Hour)
				synctest.Wait()
				renewed := w.srv.entries(SessionRenewed)
				for _, e := range renewed {
					if !e.ExpiresAt.Equal(w.start.Add(2900*time.Second)) || !e.WillExpireAt.Equal(w.start.Add(2500*time.Second)) || e.Session == "" {
						t.Errorf("renewed to %+v", e)
					}
				}
				got := map[string]int{}
				for _, line := range w.told(SessionWillExpire, SessionExpired, SessionRenewed) {
					_, event, _ := strings.Cut(line, " ")
					got[event]++
				}
				want := map[string]int{
					"session.will_expire alice web": 2, "session.renewed alice web": 1, "session.expired alice web": 1,
					"session.will_expire alice phone": 2, "session.renewed alice phone": 1, "session.expired alice phone": 1,
					"session.will_expire bob web": 1, "session.expired bob web": 1,
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the journal (-want +got):\n%s", diff)
				}
				web.quiet() // the socket is not told
			})
		})
	}
}

// TestNoRenewal: an app's exchange and a refused token renew nobody.
func TestNoRenewal(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.rest(http.MethodPost, "/ttlchat/demo/token", w.srv.appToken(t, 2000), `{"grant_type":"agora"}`)
		w.rest(http.MethodGet, "/ttlchat/demo/sdk/users/alice/token/expires", w.srv.userToken(t, "bob", 2000), "")
		// A name that becomes alice's once it is made fit to be shown is not alice's.
		w.rest(http.MethodGet, "/ttlchat/demo/sdk/users/alice/token/expires", w.srv.userToken(t, "\x01alice", 2000), "")
		w.rest(http.MethodPost, "/ttlchat/demo/token", w.srv.userToken(t, "ali\u200bce", 2000), `{"grant_type":"agora"}`)
		if got := w.srv.entries(SessionRenewed); got != nil {
			t.Errorf("renewed: %+v", got)
		}
	})
}

// TestTriggers: a pushed clock makes SDKs fire their callbacks now (protocol.md d.3), for one user or for all, however long the token lives.
func TestTriggers(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "web")
		w.dial() // not logged in: nobody to tell
		told := func(c *client, after time.Duration) {
			t.Helper()
			got := new(msync.CommUnreadDL)
			c.one(msync.MSync_UNREAD, got)
			want := &msync.CommUnreadDL{Status: okStatus(), Timestamp: new(millis(w.start.Add(after)))}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("the push (-want +got):\n%s", diff)
			}
		}
		if n := w.srv.TriggerExpire("alice"); n != 2 {
			t.Errorf("reached %d connections, want 2", n)
		}
		told(web, 1001*time.Second)
		told(phone, 1001*time.Second)
		bob.quiet()
		if n := w.srv.TriggerWillExpire(""); n != 3 {
			t.Errorf("reached %d connections, want 3", n)
		}
		for _, c := range []*client{web, phone, bob} {
			told(c, 900*time.Second)
		}
		if n := w.srv.TriggerExpire("nobody"); n != 0 {
			t.Errorf("reached %d connections of nobody", n)
		}
		// After a renewal the new token's life counts.
		time.Sleep(100 * time.Second)
		w.rest(http.MethodGet, "/ttlchat/demo/sdk/users/bob/token/expires", w.srv.userToken(t, "bob", 5000), "")
		w.srv.TriggerWillExpire("bob")
		told(bob, 4600*time.Second)
		if got := w.told(SessionWillExpire, SessionExpired); got != nil {
			t.Errorf("a trigger only pretends, but the journal has %v", got)
		}
	})
}

// rest makes a REST call; no Authorization is sent for an empty token. The emulator has settled when it returns.
func (w *world) rest(method, path, token, body string) (status int, answer string) {
	w.t.Helper()
	header := map[string]string{}
	if token != "" {
		header["Authorization"] = "Bearer " + token
	}
	a := w.whole(method, "http://chat"+path, header, body)
	synctest.Wait()
	return a.status, a.body
}

package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// TestTokenServerInTrouble is fault test R6: whatever a token server does wrong, at a login and at a renewal, each client asks at most 8 times
// in the first minute, clients do not ask in step, and once the trouble is over, a client is well again after one more pause: or, where
// asking again mends nothing, after a new login or at the old token's end, for which it waits in peace.
func TestTokenServerInTrouble(t *testing.T) {
	const clients, longest = 10, 38*time.Second + 10*time.Second // the longest pause, and an answer that hangs until the client gives it up
	for _, tc := range []struct {
		fault     string
		params    []string
		temporary bool
	}{
		{"refuse", nil, true},
		{"status", []string{"status=500"}, true},
		{"status", []string{"status=429"}, true},
		{"hang", nil, true},
		{"expired-token", nil, false},
		{"truncated-json", nil, false},
		{"html", nil, false},
		{"other-user", nil, false},
		{"empty-token", nil, false},
	} {
		name := fmt.Sprint(tc.fault, tc.params)
		t.Run(name+"/login", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				w.fault(tokenServer, tc.fault, 0, tc.params...)
				people := w.loggingIn(clients)
				time.Sleep(25 * time.Second)
				inStep(t, people, tc.temporary)
				w.server.ClearFaults()
				time.Sleep(longest)
				for _, p := range people {
					if !tc.temporary {
						p.is(session.Stopped)
						p.Login()
					}
					p.is(session.Online)
				}
			})
		})
		t.Run(name+"/login, and never well again", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				w.fault(tokenServer, tc.fault, 0, tc.params...)
				people := w.loggingIn(clients)
				time.Sleep(5 * time.Minute)
				inStep(t, people, tc.temporary)
				for _, p := range people {
					p.is(session.Stopped)
				}
			})
		})
		t.Run(name+"/renewal", func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				var people []*person
				for i := range clients {
					people = append(people, w.online(fmt.Sprintf("user%d", i), time.Hour, nil))
				}
				time.Sleep(47 * time.Minute) // will-expire is at 48 minutes
				w.fault(tokenServer, tc.fault, 0, tc.params...)
				time.Sleep(2 * time.Minute)
				inStep(t, people, tc.temporary)
				w.server.ClearFaults()
				time.Sleep(longest)
				for _, p := range people {
					if tc.temporary {
						p.is(session.Online)
						continue
					}
					p.is(session.WillExpire)
				}
				time.Sleep(10*time.Minute + 30*time.Second)
				for _, p := range people {
					p.is(session.Online)
				}
			})
		})
	}
}

// loggingIn are so many people who have just asked for a login.
func (w *world) loggingIn(n int) []*person {
	people := make([]*person, n)
	for i := range people {
		people[i] = w.person(fmt.Sprintf("user%d", i), time.Hour, nil)
		people[i].Login()
	}
	return people
}

// inStep checks how often clients have asked for tokens, and where they ask again, that they do not do it at the same instants.
func inStep(t *testing.T, people []*person, again bool) {
	t.Helper()
	instants := make(map[time.Time]bool)
	for _, p := range people {
		if most := p.most(session.TokenRequested, time.Minute); most > 8 {
			t.Errorf("%d requests within a minute", most)
		}
		synctest.Wait()
		instants[p.last(session.TokenRequested).At] = true
	}
	if again && len(instants) < len(people)-1 {
		t.Errorf("%d clients ask at %d instants", len(people), len(instants))
	}
}

package fakeserver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// TestCloseLosesNothing: what was acknowledged before the emulator closes is still fetched by a client that is connected; what comes later gets
// no answer, and a client that never fetches is waited for no longer than the bound.
func TestCloseLosesNothing(t *testing.T) {
	for name, pulls := range map[string]bool{"fetches": true, "does not fetch": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, served := serving(t, Config{})
				alice, bob := w.login("alice", "web"), w.login("bob", "web")
				for n := range 120 {
					alice.say(uint64(n)+1, "bob", "hello")
				}
				bob.take()
				began := time.Now()
				closed := make(chan error, 1)
				go func() { closed <- w.srv.Close(context.Background()) }()
				synctest.Wait()
				alice.post(1000, "bob", msync.TextBody("", "bob", "too late"), nil)
				alice.quiet()
				if pulls {
					if got := bob.drain("alice"); len(got) != 120 {
						t.Errorf("%d of 120 messages were fetched", len(got))
					}
				}
				time.Sleep(drainTime)
				bob.wantClosed(closeGoingAway)
				if err := <-closed; err != nil {
					t.Errorf("Close = %v", err)
				}
				if err := <-served; err != nil {
					t.Errorf("Serve = %v", err)
				}
				var lost []string
				for _, e := range w.srv.entries(MessageDropped) {
					lost = append(lost, e.User+": "+e.Reason)
				}
				want := []string{"bob: the emulator ended before a device fetched 120 of them"}
				if pulls {
					want = nil
				}
				if diff := cmp.Diff(want, lost); diff != "" {
					t.Errorf("what the journal says of lost messages (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took > drainTime+goodbyePause+lingerTimeout {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

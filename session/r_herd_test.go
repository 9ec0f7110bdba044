package session_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// herdSize is how many clients TestRenewalStorm has.
var herdSize = flag.Int("herd", herdUsual, "clients in TestRenewalStorm")

// TestRenewalStorm is fault test R7: all clients' tokens end at one instant. With a spread, all have renewed before that, nobody was
// disconnected, and the token server's busiest half minute has at most twice the mean. `make storms` has 10,000 clients.
func TestRenewalStorm(t *testing.T) {
	inWorld(t, fakeserver.Config{JournalSize: 40 * *herdSize}, func(w *world) {
		const window, bucket = 6 * time.Minute, 30 * time.Second // half of what is left after will-expire, at 48 minutes
		var herd []*person
		tokens := w.tokens("tokens")
		for i := range *herdSize {
			herd = append(herd, w.person(fmt.Sprintf("user%d", i), time.Hour, func(cfg *session.Config) {
				cfg.Spread, cfg.Tokens, cfg.History = 0.5, tokens, 100
			}))
		}
		for _, p := range herd {
			p.Login()
		}
		time.Sleep(48*time.Minute + window + time.Second)
		var busy [window/bucket + 1]int
		for _, e := range w.entries() {
			if since := e.At.Sub(w.start) - 48*time.Minute; e.Name == fakeserver.RESTRequest && e.Path == "/generate-user-token" && since >= 0 {
				busy[since/bucket]++
			}
		}
		peak, sum := 0, 0
		for _, n := range busy {
			peak, sum = max(peak, n), sum+n
		}
		mean := float64(*herdSize) * float64(bucket) / float64(window)
		if float64(peak) > 2*mean || sum != *herdSize {
			t.Errorf("%d fetches, up to %d in %v; want %d, and at most twice the mean of %.0f", sum, peak, bucket, *herdSize, mean)
		}
		for _, p := range herd {
			if r, e, d := p.count(session.RenewSucceeded), p.count(session.TokenExpired), p.count(session.Disconnected); r != 1 || e+d != 0 {
				t.Fatalf("%d renewals, %d expiries and %d disconnects, want 1, 0 and 0", r, e, d)
			}
		}
		t.Logf("%d clients, up to %d fetches in %v, %.2f times the mean", *herdSize, peak, bucket, float64(peak)/mean)
	})
}

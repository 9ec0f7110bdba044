package fakeserver

import (
	"fmt"
	"testing"
)

// BenchmarkMessageAmong is a message's whole way, as in BenchmarkMessage, among ever more users who are all logged in and all write to each
// other in turn: its cost must not grow with their number. Every conversation exists before the clock starts.
// Ours is not quite flat, by the processor's caches: the allocations are.
func BenchmarkMessageAmong(b *testing.B) {
	for _, users := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			s := newServer(b, Config{MaxDevices: 1, JournalSize: 1000})
			s.hub.past.max = 10_000 // reached at once, so that all runs let go of old messages
			links := make([]sender, users)
			for i := range links {
				links[i] = s.attached(b, fmt.Sprintf("user%d", i), "web").sender(b, fmt.Sprintf("user%d", (i+1)%users))
			}
			say := func(n int) { links[n%users].say(n, links[(n+1)%users].link) }
			said := 0
			for ; said < max(20_000, 5*users); said++ {
				say(said)
			}
			b.ReportAllocs()
			for b.Loop() {
				say(said)
				said++
			}
			for _, l := range links {
				for peer, q := range l.user.queues {
					if len(q.entries) != 0 {
						b.Fatalf("%s keeps %d messages of %s", l.user.name, len(q.entries), peer)
					}
				}
			}
		})
	}
}

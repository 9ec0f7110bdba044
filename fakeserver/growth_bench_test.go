package fakeserver

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// BenchmarkMessageAmong is a message's whole way, as in BenchmarkMessage, among ever more users who are all logged in and all write to each
// other in turn: its cost must not grow with their number. Every conversation exists before the clock starts. What it does grows little, by
// the conversations that are forgotten; that it takes longer is the processor's caches, which hold ten users and not ten thousand.
func BenchmarkMessageAmong(b *testing.B) {
	for _, users := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			s := newServer(b, Config{MaxDevices: 1, JournalSize: 1000})
			links := make([]sender, users)
			for i := range links {
				links[i] = s.attached(b, fmt.Sprintf("user%d", i), "web").sender(b, fmt.Sprintf("user%d", (i+1)%users))
			}
			say := func(n int) { links[n%users].say(n, links[(n+1)%users].link) }
			said := 0
			for ; said < maxHistory+20_000; said++ { // all runs let go of old messages then
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

// BenchmarkTalkerStack is the stack that a goroutine needs which takes a message through. An idle connection's is 4 KB, and while that is
// enough, the first message of each of many clients waits for no stack to be grown, and a collection shrinks none that the next message needs.
func BenchmarkTalkerStack(b *testing.B) {
	const users = 1_000
	s := newServer(b, Config{MaxDevices: 1, JournalSize: 1000})
	links := make([]sender, users)
	for i := range links {
		links[i] = s.attached(b, fmt.Sprintf("user%d", i), "web").sender(b, fmt.Sprintf("user%d", (i+1)%users))
	}
	stacks := func() float64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.StackInuse)
	}
	for b.Loop() {
		before, said, end := stacks(), new(sync.WaitGroup), make(chan struct{})
		ended, turn := new(sync.WaitGroup), new(sync.Mutex) // each writes to the next one's tape, too
		said.Add(users)
		for i := range links {
			ended.Go(func() {
				turn.Lock()
				links[i].say(i, links[(i+1)%users].link)
				turn.Unlock()
				said.Done()
				<-end
			})
		}
		said.Wait()
		b.ReportMetric((stacks()-before)/users, "B/goroutine")
		close(end)
		ended.Wait()
	}
}

package fakeserver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// fickle is a framing that takes a part of what it is offered, all of it, or nothing, and keeps what was written.
type fickle struct {
	framing
	writing sync.Mutex

	mu      sync.Mutex
	luck    *rand.Rand
	written [][]byte
}

func (f *fickle) write(frames [][]byte) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.keep(frames)
	return nil
}

func (f *fickle) begin(frames [][]byte) (rest func() error, err error) {
	if !f.writing.TryLock() {
		return func() error { return f.write(frames) }, nil
	}
	f.mu.Lock()
	n := f.luck.IntN(2 * (len(frames) + 1))
	f.mu.Unlock()
	if n > len(frames) {
		f.keep(frames)
		f.writing.Unlock()
		return nil, nil
	}
	f.keep(frames[:n])
	return func() error {
		defer f.writing.Unlock()
		f.keep(frames[n:])
		return nil
	}, nil
}

func (f *fickle) keep(frames [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, frame := range frames {
		f.written = append(f.written, slices.Clone(frame))
	}
}

func (f *fickle) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.written)
}

// TestWriters lets several goroutines send over one socket in both ways, while what they offer is taken in parts. Everything arrives once, and
// what one of them sent in its order; afterwards nothing waits and nobody writes.
func TestWriters(t *testing.T) {
	t.Parallel()
	const senders, each = 4, 500
	for seed := range uint64(5) {
		srv := newServer(t, Config{})
		out := &fickle{luck: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // it shall be the same again
		s := &socket{srv: srv, frames: srv.faultyFrames(out, "c1")}
		srv.sockets.Add(1) // as for a connection that is read
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for n := range each {
					frame := fmt.Appendf(nil, "%d %d", i, n)
					pass := s.Send
					if n%2 == 0 {
						pass = s.Queue
					}
					for !pass(frame) { // full
						s.Flush()
						time.Sleep(time.Millisecond)
					}
					if n%2 == 0 {
						s.Flush()
					}
				}
			})
		}
		all.Wait()
		srv.sockets.Done()
		srv.sockets.Wait()
		if s.queue != nil || s.writing || s.waiting != (load{}) || out.count() != senders*each {
			t.Fatalf("seed %d: %d frames were written, and %+v waits", seed, out.count(), s.waiting)
		}
		next := [senders]int{}
		for _, frame := range out.written {
			var i, n int
			if _, err := fmt.Sscan(string(frame), &i, &n); err != nil || n != next[i] {
				t.Fatalf("seed %d: %q came instead of %d of sender %d: %v", seed, frame, next[i], i, err)
			}
			next[i]++
		}
	}
}

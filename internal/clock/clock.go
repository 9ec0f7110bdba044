// Package clock is the wall clock of one party.
//
// The client and the emulator each own a Clock, so that their clocks can disagree, as real ones do. A Clock is the machine's wall
// clock plus an offset that can be set and jumped at any moment. Token life is wall time: it goes on while a laptop sleeps, and Go's
// timers do not. A deadline is therefore a wall instant that its owner looks at again after every Wait, never a counter.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// recheck bounds every Wait: after a system sleep, or a step of the machine's own clock, a deadline is seen at most this much late.
const recheck = 10 * time.Second

// idle is the wait of somebody who waits for nothing; only what wakes it otherwise matters.
const idle = 24 * time.Hour

// Clock tells the wall time of one party. It is safe for concurrent use; the zero value is not usable, call New.
type Clock struct {
	hand atomic.Pointer[hand] // never nil; looking at it takes no lock

	mu      sync.Mutex // to change it
	changed chan struct{}
}

// hand is where a clock points to. It is never changed, only replaced.
type hand struct {
	offset  time.Duration
	stopped time.Time // by the machine's wall clock; zero while the clock runs
}

// New returns a clock that is offset ahead of the machine's wall clock (behind it when offset is negative).
func New(offset time.Duration) *Clock {
	c := &Clock{changed: make(chan struct{})}
	c.hand.Store(&hand{offset: offset})
	return c
}

// Now returns the party's wall time, without a monotonic reading: differences of two such times count system sleep.
func (c *Clock) Now() time.Time {
	h := c.hand.Load()
	if !h.stopped.IsZero() {
		return h.stopped.Add(h.offset)
	}
	return time.Now().Round(0).Add(h.offset)
}

// Offset returns how far the clock is ahead of the machine's wall clock, or was when it was frozen.
func (c *Clock) Offset() time.Duration { return c.hand.Load().offset }

// Frozen reports whether the clock stands still.
func (c *Clock) Frozen() bool { return !c.hand.Load().stopped.IsZero() }

// Freeze stops the clock, or lets it go on from where it stopped; everyone who waits on Changed is woken. A frozen clock can be jumped.
func (c *Clock) Freeze(frozen bool) {
	c.set(func(h *hand) {
		now := time.Now().Round(0)
		switch {
		case frozen == !h.stopped.IsZero():
		case frozen:
			h.stopped = now
		default:
			h.offset -= now.Sub(h.stopped)
			h.stopped = time.Time{}
		}
	})
}

// SetOffset puts the clock offset ahead of the machine's wall clock, whether it is frozen or not, and wakes everyone who waits on Changed.
func (c *Clock) SetOffset(offset time.Duration) {
	c.set(func(h *hand) {
		if !h.stopped.IsZero() {
			h.stopped = time.Now().Round(0)
		}
		h.offset = offset
	})
}

// Jump moves the clock by d at once and wakes everyone who waits on Changed.
func (c *Clock) Jump(d time.Duration) {
	c.set(func(h *hand) { h.offset += d })
}

// set moves the hand, and tells everybody.
func (c *Clock) set(move func(*hand)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := *c.hand.Load()
	move(&h)
	c.hand.Store(&h)
	close(c.changed)
	c.changed = make(chan struct{})
}

// Changed returns a channel that is closed at the next jump, or when the clock is frozen or let go. Take it before reading Now, or a jump in between goes unseen.
func (c *Clock) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Wait returns how long to sleep before looking at the deadline again: never negative, and never longer than ten seconds, because
// the machine may sleep in between. A frozen clock comes no nearer to a deadline. A zero deadline means that there is none, and nothing to look at again for a long time.
func (c *Clock) Wait(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return idle
	}
	left := deadline.Sub(c.Now())
	if left > 0 && c.Frozen() {
		return recheck
	}
	return min(max(left, 0), recheck)
}

// Package clock is the wall clock of one party.
//
// The client and the emulator each own a Clock, so that their clocks can disagree, as real ones do. A Clock is the machine's wall
// clock plus an offset that can be set and jumped at any moment. Token life is wall time: it goes on while a laptop sleeps, and Go's
// timers do not. A deadline is therefore a wall instant that its owner looks at again after every Wait, never a counter.
package clock

import (
	"sync"
	"time"
)

// recheck bounds every Wait: after a system sleep, or a step of the machine's own clock, a deadline is seen at most this much late.
const recheck = 30 * time.Second

// Clock tells the wall time of one party. It is safe for concurrent use; the zero value is not usable, call New.
type Clock struct {
	mu      sync.Mutex
	offset  time.Duration
	changed chan struct{}
}

// New returns a clock that is offset ahead of the machine's wall clock (behind it when offset is negative).
func New(offset time.Duration) *Clock {
	return &Clock{offset: offset, changed: make(chan struct{})}
}

// Now returns the party's wall time, without a monotonic reading: differences of two such times count system sleep.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Round(0).Add(c.offset)
}

// Offset returns how far the clock is ahead of the machine's wall clock.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// Jump moves the clock by d at once and wakes everyone who waits on Changed.
func (c *Clock) Jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
	close(c.changed)
	c.changed = make(chan struct{})
}

// Changed returns a channel that is closed at the next jump. Take it before reading Now, or a jump in between goes unseen.
func (c *Clock) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Wait returns how long to sleep before looking at the deadline again: never negative, and never longer than half a minute, because
// the machine may sleep in between. A zero deadline means that there is none; its owner still wakes now and then, which is cheap.
func (c *Clock) Wait(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return recheck
	}
	return min(max(deadline.Sub(c.Now()), 0), recheck)
}

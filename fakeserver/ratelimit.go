package fakeserver

import (
	"sync"
	"time"
)

// Rates that the documents name, in calls a second (token-lifecycle.md section 3). Calls without one are unlimited.
const (
	unlimited  = 0
	ratePlain  = 100
	rateStatus = 50
)

// maxReceiversPerMinute is how many users the messages of one minute may go to.
const maxReceiversPerMinute = 6000

var errReachLimit = restError{
	status: 429, Error: "reach_limit", Exception: "ReachLimitException", Description: "This request has reached api limit",
}

// bucket lets a number of units a period through. It begins full.
type bucket struct {
	size float64
	per  time.Duration

	mu   sync.Mutex
	left float64
	at   time.Time
}

func newBucket(size int, per time.Duration) *bucket {
	return &bucket{size: float64(size), per: per, left: float64(size)}
}

// take reports whether n units are there, and takes them if so. A clock that went back counts as one that stood still.
func (b *bucket) take(n int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	passed := max(now.Sub(b.at), 0)
	b.left = min(b.size, b.left+b.size*float64(passed)/float64(b.per))
	b.at = now
	if b.left < float64(n) {
		return false
	}
	b.left -= float64(n)
	return true
}

// limit answers and returns false when a bucket is empty and limits are on.
func (c *call) limit(b *bucket, n int) bool {
	if !c.srv.cfg.RateLimits || b == nil || b.take(n, c.srv.clock.Now()) {
		return true
	}
	c.fail(errReachLimit)
	return false
}

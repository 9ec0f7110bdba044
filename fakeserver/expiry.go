package fakeserver

import (
	"container/heap"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/internal/clock"
)

// schedule knows when the token of every session will expire and expires, and tells the journal when it does. One goroutine and one heap
// serve all sessions: a timer for each would be ten times bigger and, when thousands end in one second, ten times later.
//
// It only observes. The emulator does not cut a live socket at its token's end unless it is told to, because nothing shows that the
// service does (token-lifecycle.md section 0, fact 10): the SDK's own timers log the user out.
type schedule struct {
	clock   *clock.Clock
	journal *journal

	mu      sync.Mutex
	pending dueHeap
	wake    chan struct{}
}

// due is a link's place in the schedule: what happens next, and when.
type due struct {
	at     time.Time
	name   EntryName
	index  int // in the heap, while queued
	queued bool
}

func newSchedule(clk *clock.Clock, j *journal) *schedule {
	return &schedule{clock: clk, journal: j, wake: make(chan struct{}, 1)}
}

// arm starts or restarts a session's countdown for a newly accepted token. A renewal may come while the connection ends; what has been
// dropped stays so.
func (s *schedule) arm(l *link, g grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.grant = g
	if l.closing.Load() {
		return
	}
	s.put(l, g.willExpireAt(), SessionWillExpire)
	if l.due.index == 0 {
		s.nudge()
	}
}

// drop forgets a link.
func (s *schedule) drop(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.due.queued {
		heap.Remove(&s.pending, l.due.index)
	}
}

// grantOf returns the grant that a link's session lives on.
func (s *schedule) grantOf(l *link) grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.grant
}

func (s *schedule) put(l *link, at time.Time, name EntryName) {
	l.due.at, l.due.name = at, name
	if l.due.queued {
		heap.Fix(&s.pending, l.due.index)
		return
	}
	heap.Push(&s.pending, l)
}

func (s *schedule) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run works the schedule until done is closed.
func (s *schedule) run(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := s.clock.Changed()
		timer.Reset(s.clock.Wait(s.fire(s.clock.Now())))
		select {
		case <-timer.C:
		case <-changed:
		case <-s.wake:
		case <-done:
			return
		}
	}
}

// fire journals everything that is due at now and returns when to come again, zero when nothing is left.
func (s *schedule) fire(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) > 0 {
		l := s.pending[0]
		if now.Before(l.due.at) {
			return l.due.at
		}
		e := Entry{
			Name: l.due.name, User: l.userName(), Device: l.resource(), Session: l.id,
			Token: l.grant.short, ExpiresAt: l.grant.expiresAt,
		}
		if l.due.name == SessionWillExpire {
			e.WillExpireAt = l.due.at
			s.put(l, l.grant.expiresAt, SessionExpired)
		} else {
			heap.Pop(&s.pending)
		}
		s.journal.add(e)
		if e.Name == SessionExpired {
			l.expired()
		}
	}
	return time.Time{}
}

// dueHeap orders links by what is due first; the links know their places.
type dueHeap []*link

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.at.Before(h[j].due.at) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].due.index, h[j].due.index = i, j
}

// Push adds a link (heap.Interface).
func (h *dueHeap) Push(x any) {
	l := x.(*link)
	l.due.index, l.due.queued = len(*h), true
	*h = append(*h, l)
}

// Pop takes the last link off (heap.Interface).
func (h *dueHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.due.queued = false
	return l
}

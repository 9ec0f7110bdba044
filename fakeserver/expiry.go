package fakeserver

import (
	"container/heap"
	"slices"
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
	l.grant = &g
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
	return *l.grant
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

// manyDue is from how many on what is due at once is taken out together: one by one, each would cost a way through the heap.
const manyDue = 64

// fire journals everything that is due at now and returns when to come again, zero when nothing is left.
func (s *schedule) fire(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 0; len(s.pending) > 0; n++ {
		l := s.pending[0]
		switch {
		case now.Before(l.due.at):
			return l.due.at
		case n%manyDue == manyDue-1:
			for _, l := range s.takeDue(now) {
				s.happen(l, now)
			}
		default:
			heap.Pop(&s.pending)
			s.happen(l, now)
		}
	}
	return time.Time{}
}

// takeDue takes everything that is due at now out of the heap, in its order. mu is held.
func (s *schedule) takeDue(now time.Time) (due []*link) {
	rest, sorted := s.pending[:0], true
	due = make([]*link, 0, len(s.pending))
	var before time.Time
	for _, l := range s.pending {
		if now.Before(l.due.at) {
			l.due.index = len(rest)
			rest = append(rest, l)
		} else {
			l.due.queued = false
			due = append(due, l)
			sorted = sorted && !l.due.at.Before(before)
			before = l.due.at
		}
	}
	clear(s.pending[len(rest):])
	s.pending = rest
	heap.Init(&s.pending)
	if !sorted { // a storm mostly ends in one instant
		slices.SortFunc(due, func(a, b *link) int { return a.due.at.Compare(b.due.at) })
	}
	return due
}

// happen journals what is due on a link that has left the heap, and puts it back for what comes next. mu is held.
func (s *schedule) happen(l *link, now time.Time) {
	name := l.due.name
	if name == SessionWillExpire {
		s.put(l, l.grant.expiresAt, SessionExpired)
	}
	s.journal.ending(name, l, now)
	if name == SessionExpired {
		l.expired()
	}
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

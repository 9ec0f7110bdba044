// Package eventlog keeps the last entries of an endless stream and lets any number of readers follow it at their own speed.
//
// Writers never wait for readers: a reader holds a position, not a queue, so a slow one costs nothing and loses only what the ring no
// longer holds, which it is told. The emulator's journal and the session's events are both such logs.
package eventlog

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrClosed is what Next returns once the log is closed and the reader has seen everything that is left.
var ErrClosed = errors.New("eventlog: closed")

// Log is a bounded stream of entries, numbered from 1. It is safe for concurrent use.
type Log[T any] struct {
	mu     sync.Mutex
	size   uint64
	pages  [][]T  // the ring; page by page it grows up to size, for most logs never fill up. Entry n stands at (n-1) % size
	last   uint64 // the number of the newest entry; 0 when there is none yet
	head   uint64 // where the next one goes: last % size, without a division
	closed bool
	grown  chan struct{} // made by a reader that waits, closed by the next writer
}

// page is how many entries are kept together. A ring that grew as one piece would be copied again and again while writers wait for it, and the
// first messages of an emulator would wait for milliseconds.
const page = 64

// New returns a log that holds the newest size entries.
func New[T any](size int) *Log[T] {
	return &Log[T]{size: uint64(max(size, 1))}
}

// Append adds an entry and returns its number. It is written in its place by write, which learns its number, must set all of it, and may
// neither block nor panic: an emulator under load appends a million entries a second. Entries after Close are dropped.
func (l *Log[T]) Append(write func(entry *T, seq uint64)) uint64 {
	l.mu.Lock()
	if l.closed {
		last := l.last
		l.mu.Unlock()
		return last
	}
	l.last++
	seq, place := l.last, l.head
	if l.head++; l.head == l.size {
		l.head = 0
	}
	write(l.room(place), seq)
	l.wake()
	l.mu.Unlock()
	return seq
}

// room is where the entry at a place of the ring stands. mu is held.
func (l *Log[T]) room(place uint64) *T {
	at, in := place/page, place%page
	if at == uint64(len(l.pages)) {
		l.pages = append(l.pages, nil)
		if at > 0 { // a log that is short has no more than it needs
			l.pages[at] = make([]T, 0, min(page, l.size-place))
		}
	}
	p := &l.pages[at]
	if in == uint64(len(*p)) {
		*p = slices.Grow(*p, 1)[:in+1]
	}
	return &(*p)[in]
}

// Last returns the number of the newest entry.
func (l *Log[T]) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Since returns the entries after number seq, oldest first, and how many of them the ring no longer holds.
func (l *Log[T]) Since(seq uint64) (entries []T, missed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.since(seq)
}

// Close ends the log: waiting readers get what is left and then ErrClosed.
func (l *Log[T]) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake()
}

// Follow returns a reader that starts after entry number seq: 0 for all that is held, Last for only what comes.
func (l *Log[T]) Follow(seq uint64) *Reader[T] {
	return &Reader[T]{log: l, seq: seq}
}

func (l *Log[T]) place(seq uint64) uint64 { return (seq - 1) % l.size }

func (l *Log[T]) wake() {
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
}

func (l *Log[T]) since(seq uint64) ([]T, uint64) {
	if seq >= l.last {
		return nil, 0
	}
	first, missed := seq+1, uint64(0)
	if oldest := l.last - min(l.last, l.size) + 1; first < oldest {
		first, missed = oldest, oldest-first
	}
	entries := make([]T, 0, l.last-first+1)
	for n := first; n <= l.last; n++ {
		entries = append(entries, *l.room(l.place(n)))
	}
	return entries, missed
}

// Reader is one reader's position in a log. It is for one goroutine.
type Reader[T any] struct {
	log    *Log[T]
	seq    uint64
	missed uint64
}

// Next waits for entries after the reader's position and returns all of them, oldest first. It fails with ErrClosed at the end of a
// closed log and with the context's error when that ends first.
func (r *Reader[T]) Next(ctx context.Context) ([]T, error) {
	for {
		r.log.mu.Lock()
		entries, missed := r.log.since(r.seq)
		if len(entries) > 0 {
			r.seq = r.log.last
			r.missed += missed
			r.log.mu.Unlock()
			return entries, nil
		}
		if r.log.closed {
			r.log.mu.Unlock()
			return nil, ErrClosed
		}
		if r.log.grown == nil {
			r.log.grown = make(chan struct{})
		}
		grown := r.log.grown
		r.log.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Missed returns how many entries this reader was too slow to see.
func (r *Reader[T]) Missed() uint64 { return r.missed }

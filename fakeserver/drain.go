package fakeserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Bounds of the wait for what was acknowledged and has not been fetched, when the emulator closes.
const (
	drainTime = time.Second
	drainStep = 10 * time.Millisecond
)

// errClosing means that nothing is taken any more. A client gets no answer then, and sends again where it is heard.
var errClosing = errors.New("the emulator is shutting down")

// drain takes no more messages and gives connected clients a moment to fetch those that were acknowledged: what is in memory afterwards is
// lost, and the journal says so.
func (s *Server) drain(ctx context.Context) {
	s.hub.stopTaking()
	defer s.hub.giveUp()
	step := time.NewTicker(drainStep)
	defer step.Stop()
	for end := time.Now().Add(drainTime); s.hub.awaited() && time.Now().Before(end); {
		select {
		case <-step.C:
		case <-ctx.Done():
			return
		}
	}
}

// stopTaking makes every later store fail.
func (h *hub) stopTaking() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing = true
}

// awaited reports whether a connected client has not been sent something that waits for it.
func (h *hub) awaited() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range h.users {
		for _, l := range u.online() {
			for _, q := range u.queues {
				if slices.ContainsFunc(l.pending(q), func(s stored) bool { return !l.owns(s) }) {
					return true
				}
			}
		}
	}
	return false
}

// giveUp tells for each user how many acknowledged messages no device has been sent.
func (h *hub) giveUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.users)) {
		u, lost := h.users[name], 0
		for _, q := range u.queues {
			had := q.acked
			for _, l := range u.online() {
				had = max(had, q.placeOf(l).sent)
			}
			for _, s := range q.entries {
				if s.id > had && s.origin == "" {
					lost++
				}
			}
		}
		if lost > 0 {
			h.journal.add(&Entry{Name: MessageDropped, User: name, Reason: fmt.Sprintf("the emulator ended before a device fetched %d of them", lost)})
		}
	}
}

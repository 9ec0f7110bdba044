package fakeserver

import (
	"context"
	"errors"
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
// lost.
func (s *Server) drain(ctx context.Context) {
	s.hub.stopTaking()
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
				if len(l.pending(q, 1)) > 0 {
					return true
				}
			}
		}
	}
	return false
}

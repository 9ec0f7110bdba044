package fakeserver

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// tape is a wire that records, for tests and benchmarks without sockets.
type tape struct {
	frames [][]byte
	code   int // of the first Close, 0 while open
	reason string
}

// Send implements wire.
func (w *tape) Send(frame []byte) bool {
	w.frames = append(w.frames, frame)
	return true
}

// Queue implements wire.
func (w *tape) Queue(frame []byte) bool { return w.Send(frame) }

// Flush implements wire.
func (w *tape) Flush() {}

// Close implements wire.
func (w *tape) Close(code int, reason string) {
	if w.code == 0 {
		w.code, w.reason = code, reason
	}
}

// last decodes the newest frame.
func (w *tape) last(t testing.TB) *msync.MSync {
	t.Helper()
	if len(w.frames) == 0 {
		t.Fatal("no frame was sent")
	}
	m, err := msync.Decode(w.frames[len(w.frames)-1])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newServer is an emulator without listeners; it has no goroutine that would have to end.
func newServer(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// attached is a link on a tape that is logged in; the tape is empty again.
func (s *Server) attached(t testing.TB, user, resource string) *link {
	t.Helper()
	w := new(tape)
	l := s.newLink(w)
	token := s.chatTokens.issue(grant{identity: user, expiresAt: s.Now().Add(time.Hour)}) // can be made in any year
	l.receive(login{user: user, resource: resource, token: token}.frame(t))
	if l.user == nil {
		t.Fatalf("%s could not log in: %s", user, w.reason)
	}
	w.frames = nil
	return l
}

// sorted returns the keys of a table, for drawing one of them.
func sorted[V any](table map[string]V) []string { return slices.Sorted(maps.Keys(table)) }

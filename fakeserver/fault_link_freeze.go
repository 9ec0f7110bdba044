package fakeserver

import (
	"slices"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// freezeFault is a network that has stopped without saying so. Nothing is lost: what waited goes on afterwards.
func freezeFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "freeze", "nothing comes through in either direction, and the connection stays open", []FaultParam{
			durationParam("for", 0, "how long, from when the fault is there; 0s lasts until it is cleared"),
		}},
		lasts: func(f *fault) time.Duration { return f.values.duration("for") },
		takes: func(w *faultyFrames, f *fault, _ msync.Direction, _ []byte) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return !slices.ContainsFunc(w.remembered().frozen, func(i ice) bool { return i.fault == f })
		},
		frame: func(w *faultyFrames, f *fault, _ []byte) passage {
			w.marked.Store(true)
			w.mu.Lock()
			t := w.remembered()
			t.frozen = append(t.frozen, ice{f, f.end()})
			w.mu.Unlock()
			w.thaw()
			return passOn
		},
	}
}

// thaw waits while the connection is frozen.
func (w *faultyFrames) thaw() {
	w.mu.Lock()
	frozen := w.remembered().frozen
	w.mu.Unlock()
	for _, i := range frozen {
		left := endless
		if !i.until.IsZero() {
			left = time.Until(i.until)
		}
		i.fault.wait(w.ended(), left)
	}
}

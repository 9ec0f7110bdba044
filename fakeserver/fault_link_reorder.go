package fakeserver

import (
	"time"

	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// reorderFault makes two answers to sends change places. The protocol allows any order (protocol.md c, "Send").
func reorderFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "reorder-acks", "the answer to a send waits until the answer to the next one has gone out", []FaultParam{
			durationParam("hold", time.Second, "how long it waits when there is no next one"),
		}},
		takes: func(_ *faultyFrames, _ *fault, dir msync.Direction, frame []byte) bool {
			return dir == msync.Out && isSendAnswer(frame)
		},
		frame: func(w *faultyFrames, f *fault, frame []byte) passage {
			w.marked.Store(true)
			w.mu.Lock()
			t := w.remembered()
			first := t.held == nil
			if first {
				t.held = frame
				t.thaws = time.AfterFunc(f.values.duration("hold"), func() {
					defer guard.Catch()
					w.release()
				})
			}
			w.mu.Unlock()
			if first {
				return passNowhere
			}
			if err := w.writeNow(frame); err != nil {
				return passCut
			}
			w.release()
			return passNowhere
		},
	}
}

func isSendAnswer(frame []byte) bool {
	m, err := msync.Decode(frame)
	if err != nil || m.GetCommand() != msync.MSync_SYNC {
		return false
	}
	var down msync.CommSyncDL
	return msync.Payload(m, &down) == nil && down.GetMetaId() > 0
}

// release writes the answer that is held, if there is one.
func (w *faultyFrames) release() {
	w.mu.Lock()
	t := w.remembered()
	frame := t.held
	t.held = nil
	t.thaws.Stop()
	w.mu.Unlock()
	if frame != nil {
		_ = w.writeNow(frame) // a connection that has ended needs no answer
	}
}

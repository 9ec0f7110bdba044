package fakeserver

import "github.com/ttlchat/ttlchat/internal/msync"

// cutFault cuts what is open at once, and what comes later at its first frame.
func cutFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "cut", "the connection is cut without a word: what is open at once, what comes later at its first frame", nil},
		start: func(s *Server, f *fault) {
			for _, l := range s.hub.links(f.User) {
				if s.faults.ask(question{
					target: FaultLink, user: l.userName(), session: l.id, fits: func(o *fault) bool { return o == f },
				}) != nil {
					s.cut(l)
				}
			}
		},
		frame: func(*faultyFrames, *fault, []byte) passage { return passCut },
	}
}

// cutAfterFault counts the frames of each connection.
func cutAfterFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "cut-after", "the connection is cut after a number of frames", append([]FaultParam{
			numberParam("frames", 10, 1, 1_000_000, "how many frames come through first, counted from when the fault is there"),
		}, frameParams()...)},
		takes: func(w *faultyFrames, f *fault, _ msync.Direction, _ []byte) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			t := w.remembered()
			if t.seen == nil {
				t.seen = make(map[*fault]int)
			}
			t.seen[f]++
			return t.seen[f] == f.values.number("frames")
		},
		frame: func(*faultyFrames, *fault, []byte) passage { return passLast },
	}
}

// cut ends a connection at once, without a close frame. Nothing that is still on its way reaches it.
func (s *Server) cut(l *link) {
	l.closing.Store(true)
	s.mu.Lock()
	sock := s.open[l]
	s.mu.Unlock()
	if sock != nil {
		sock.frames.cut()
	}
}

package fakeserver

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// linkFaults are the faults of a connection, below everything that is said on it.
func linkFaults() []*faultKind {
	return []*faultKind{
		linkRefuseFault(), cutFault(), cutAfterFault(), freezeFault(), frameDelayFault(), slowReaderFault(), dropFault(), duplicateFault(), reorderFault(),
	}
}

// frameParams narrow a fault to frames.
func frameParams() []FaultParam {
	return []FaultParam{
		choiceParam("direction", "only frames to the emulator (in) or from it (out)", "both", "in", "out"),
		choiceParam("command", "only frames with this command", "any", "sync", "unread", "notice", "provision", "logout"),
	}
}

// passage is what becomes of a frame.
type passage int

const (
	passOn      passage = iota
	passTwice           // it comes through twice
	passLast            // it comes through, and then the connection is cut
	passNowhere         // it is lost, or somebody else takes care of it
	passCut             // the connection is cut instead
)

var errCut = errors.New("a fault cut the connection")

// faultyFrames is a connection's framing with the faults in front of it. Its waits end with the connection. What only some connections need
// is made when it is needed.
type faultyFrames struct {
	framing
	srv   *Server
	id    string // of the link
	letGo func() // called where a fault may take its time with reading: what was held back meanwhile has to go out before
	user  atomic.Pointer[string]

	again []byte // what read returns next; for the goroutine that reads

	marked atomic.Bool // a fault has frozen it or held something back, once and for all

	mu      sync.Mutex
	isCut   bool
	over    chan struct{} // see ended; nil until somebody waits
	trouble *trouble      // nil until there is some
}

// trouble is what faults remember of a connection.
type trouble struct {
	seen   map[*fault]int // frames
	frozen []ice
	held   []byte // an acknowledgement
	thaws  *time.Timer
}

// ice is a freeze of this connection.
type ice struct {
	fault *fault
	until time.Time // zero without an end
}

func (s *Server) faultyFrames(frames framing, id string, letGo func()) *faultyFrames {
	return &faultyFrames{framing: frames, srv: s, id: id, letGo: letGo}
}

// ended is closed by cut.
func (w *faultyFrames) ended() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over == nil {
		w.over = make(chan struct{})
		if w.isCut {
			close(w.over)
		}
	}
	return w.over
}

// remembered is the connection's trouble. mu is held.
func (w *faultyFrames) remembered() *trouble {
	if w.trouble == nil {
		w.trouble = new(trouble)
	}
	return w.trouble
}

// userName is whom the connection's provision named, which need not be true.
func (w *faultyFrames) userName() string {
	if name := w.user.Load(); name != nil {
		return *name
	}
	return ""
}

func (w *faultyFrames) read() ([]byte, error) {
	if frame := w.again; frame != nil {
		w.again = nil
		return frame, nil
	}
	for {
		if w.troubled() {
			w.letGo()
			if f := w.ask(0, func(f *fault) bool { return f.kind.beforeRead != nil }); f != nil {
				f.kind.beforeRead(w, f)
			}
		}
		frame, err := w.framing.read()
		if err != nil {
			return nil, err
		}
		if !w.troubled() {
			return frame, nil
		}
		w.letGo()
		w.meet(frame)
		switch w.pass(msync.In, frame) {
		case passOn:
			return frame, nil
		case passTwice:
			w.again = frame
			return frame, nil
		case passLast:
			w.cut()
			return frame, nil
		case passNowhere:
		case passCut:
			w.cut()
			return nil, errCut
		}
	}
}

// know tells whose connection this is, where no fault had to know it sooner.
func (w *faultyFrames) know(u *user) {
	if u != nil && w.user.Load() == nil {
		w.user.Store(&u.name)
	}
}

// meet learns from the first frame whose connection this is.
func (w *faultyFrames) meet(frame []byte) {
	if w.user.Load() != nil {
		return
	}
	name := ""
	if m, err := msync.Decode(frame); err == nil {
		name = printable.Line(m.GetGuid().GetName(), 64)
	}
	w.user.Store(&name)
}

// troubled reports whether a fault may have something to say, or may not have done with this connection. Where none has, the way is short.
func (w *faultyFrames) troubled() bool { return w.srv.faults.asking.Load() || w.marked.Load() }

func (w *faultyFrames) ready() bool { return w.again != nil || w.framing.ready() }

func (w *faultyFrames) write(frames [][]byte) error {
	if !w.troubled() {
		return w.framing.write(frames)
	}
	for _, frame := range frames {
		if err := w.writeOne(frame); err != nil {
			return err
		}
	}
	return nil
}

// begin implements framing. A fault may take its time.
func (w *faultyFrames) begin(frames [][]byte) (rest func() error, err error) {
	if w.troubled() {
		return func() error { return w.write(frames) }, nil
	}
	return w.framing.begin(frames)
}

func (w *faultyFrames) writeOne(frame []byte) error {
	switch w.pass(msync.Out, frame) {
	case passOn:
		return w.writeNow(frame)
	case passTwice:
		if err := w.writeNow(frame); err != nil {
			return err
		}
		return w.writeNow(frame)
	case passLast:
		if err := w.writeNow(frame); err != nil {
			return err
		}
		return errCut // whoever writes cuts then
	case passNowhere:
		return nil
	default:
		return errCut
	}
}

func (w *faultyFrames) writeNow(frame []byte) error { return w.framing.write([][]byte{frame}) }

func (w *faultyFrames) cut() {
	w.mu.Lock()
	if !w.isCut && w.over != nil {
		close(w.over)
	}
	w.isCut = true
	w.mu.Unlock()
	w.framing.cut()
}

// pass asks what becomes of a frame. All faults have their say until one takes it away.
func (w *faultyFrames) pass(dir msync.Direction, frame []byte) passage {
	w.thaw()
	result := passOn
	for after := 0; ; {
		f := w.ask(after, func(f *fault) bool {
			return f.kind.frame != nil && concerns(f, dir, frame) && (f.kind.takes == nil || f.kind.takes(w, f, dir, frame))
		})
		if f == nil {
			return result
		}
		result = max(result, f.kind.frame(w, f, frame))
		if result >= passNowhere {
			return result
		}
		after = f.serial
	}
}

func (w *faultyFrames) ask(after int, fits func(*fault) bool) *fault {
	return w.srv.faults.ask(question{target: FaultLink, user: w.userName(), session: w.id, after: after, fits: fits})
}

// concerns reports whether a frame is of the direction and the command that a fault is limited to.
func concerns(f *fault, dir msync.Direction, frame []byte) bool {
	if d := f.values["direction"]; d == "in" && dir != msync.In || d == "out" && dir != msync.Out {
		return false
	}
	want := f.values["command"]
	if want == "" || want == "any" {
		return true
	}
	m, err := msync.Decode(frame)
	return err == nil && m.GetCommand() == commands[want]
}

var commands = map[string]msync.MSync_Command{
	"sync": msync.MSync_SYNC, "unread": msync.MSync_UNREAD, "notice": msync.MSync_NOTICE, "provision": msync.MSync_PROVISION, "logout": msync.MSync_LOGOUT,
}

// linkRefuseFault closes connections before they are there.
func linkRefuseFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "refuse", "new connections are closed without an answer to the WebSocket handshake", nil},
		anonymous: true,
	}
}

// refuseLinks puts that fault in front of a handler of WebSockets.
func (s *Server) refuseLinks(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.faults.ask(question{target: FaultLink, fits: func(f *fault) bool { return f.kind.anonymous }}) != nil {
			panic(http.ErrAbortHandler) // the one way to tell net/http to close the connection
		}
		next(w, r)
	}
}

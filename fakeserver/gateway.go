package fakeserver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Times and bounds of one connection.
const (
	// provisionTimeout is how long a connection may stay without a login.
	provisionTimeout = 10 * time.Second
	// silenceTimeout is how long a logged-in client may say nothing; SDKs beat at least once a minute (protocol.md a.4).
	silenceTimeout = 5 * time.Minute
	writeTimeout   = 10 * time.Second
	// goodbyePause lets a client work through the last frames before the close reaches it: SDKs handle frames asynchronously, and a close in
	// the same breath can overtake a kick in them.
	goodbyePause = 100 * time.Millisecond
	// lingerTimeout is how long a closing connection waits for the client's own close, so that the last frames are not lost.
	lingerTimeout = 2 * time.Second
	// maxLogin and maxFrame are how many bytes a frame may have before and after the login. SDKs send far smaller ones; one that is larger
	// ends the connection with 1009.
	maxLogin = 16 << 10
	maxFrame = 64 << 10
	// queuedFrames is how many frames may wait for a client that reads slowly.
	queuedFrames = 256
)

// framing carries MSync frames in one of two ways: binary WebSocket messages, or SockJS. One goroutine reads, another writes.
type framing interface {
	// read returns the next frame; errNotBinary can be got over, other errors cannot.
	read() ([]byte, error)
	write(frame []byte) error
	// bye tells the client the end; it may be gone.
	bye(code int, reason string)
	// allow sets how long the next frame may be and how long it may take to come.
	allow(size int, patience time.Duration)
	// cut ends the connection at once.
	cut()
}

var (
	errNotBinary = errors.New("the frame is not binary")
	errTooLarge  = errors.New("a frame was too large")
	errSilent    = errors.New("the client was silent for too long")
	errClosed    = errors.New("the client closed")
)

// socket carries a link's frames: one goroutine reads, another writes. It knows nothing of what is in them.
type socket struct {
	frames framing
	out    chan []byte
	gone   chan struct{} // closed when reading has ended

	mu      sync.Mutex
	ending  bool // Close was called: nothing more goes into out
	endCode int
	endText string
}

// serveSocket runs a link over a new connection, on two goroutines of its own, and returns at once. The channel is closed when both have
// ended.
func (s *Server) serveSocket(frames framing) <-chan struct{} {
	over := make(chan struct{})
	sock := &socket{frames: frames, out: make(chan []byte, queuedFrames), gone: make(chan struct{})}
	l := s.newLink(sock)
	sock.frames = s.faultyFrames(frames, l.id)
	if !s.track(l, sock) {
		frames.cut()
		close(over)
		return over
	}
	var both sync.WaitGroup
	both.Go(func() {
		defer s.sockets.Done()
		sock.write()
	})
	both.Go(func() {
		defer s.sockets.Done()
		defer s.untrack(l)
		l.ended(sock.read(l))
	})
	go func() {
		both.Wait()
		close(over)
	}()
	return over
}

// read hands every frame to the link until the connection ends, and says why it did.
func (s *socket) read(l *link) (reason string) {
	defer close(s.gone)
	s.allow(maxLogin, provisionTimeout)
	for {
		frame, err := s.frames.read()
		switch {
		case errors.Is(err, errNotBinary):
			l.closeWith(closeUnsupported, "frames are binary here")
			continue
		case errors.Is(err, errTooLarge), errors.Is(err, errSilent), errors.Is(err, errClosed):
			return err.Error()
		case err != nil:
			return "the connection was cut"
		}
		if l.closing.Load() {
			continue // only waiting for the client's close
		}
		l.receive(frame)
		if l.user != nil || l.waiting {
			s.allow(maxFrame, silenceTimeout)
		}
	}
}

// allow passes on what the next frame may cost; a closing socket keeps its own deadline.
func (s *socket) allow(size int, patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		s.frames.allow(size, patience)
	}
}

// write sends queued frames until the socket is closed or gone.
func (s *socket) write() {
	defer s.frames.cut()
	for {
		select {
		case frame, more := <-s.out:
			if !more {
				s.sayGoodbye()
				return
			}
			if err := s.frames.write(frame); err != nil {
				return
			}
		case <-s.gone:
			return
		}
	}
}

// sayGoodbye ends the connection politely: closing at once could destroy frames on their way.
func (s *socket) sayGoodbye() {
	if !s.wait(goodbyePause) {
		return
	}
	s.frames.bye(s.endCode, s.endText)
	s.wait(lingerTimeout)
}

// wait reports whether the client is still there after d.
func (s *socket) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.gone:
		return false
	case <-timer.C:
		return true
	}
}

// Send implements wire.
func (s *socket) Send(frame []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return true // a goodbye is on its way; what comes after it is nobody's loss
	}
	select {
	case s.out <- frame:
		return true
	default:
		return false
	}
}

// Close implements wire.
func (s *socket) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	s.ending, s.endCode, s.endText = true, code, reason
	close(s.out)
}

var upgrader = websocket.Upgrader{
	HandshakeTimeout:  writeTimeout,
	ReadBufferSize:    1 << 10,
	WriteBufferPool:   new(sync.Pool),
	EnableCompression: true,                                     // browsers offer it; a client that does not gets plain frames
	CheckOrigin:       func(*http.Request) bool { return true }, // apps connect from any page; the token is the key, not a cookie
}

// serveGateway takes over the connection and returns: the handler's goroutine and buffers are not kept for a socket's whole life.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	conn.EnableWriteCompression(false) // frames are small; compressing them costs more than it saves
	s.serveSocket(&binaryFrames{conn: conn})
}

// unpacked holds frames while they are read, so that an idle connection has no buffer for them.
var unpacked = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// binaryFrames is one frame a binary WebSocket message.
type binaryFrames struct {
	conn *websocket.Conn
	most int // bytes of a frame, unpacked
}

func (f *binaryFrames) read() ([]byte, error) {
	kind, message, err := f.conn.NextReader()
	if err != nil {
		return nil, meaning(err)
	}
	// The connection's own limit counts compressed bytes, so what they unpack to needs another.
	frame := unpacked.Get().(*bytes.Buffer)
	defer unpacked.Put(frame)
	frame.Reset()
	if _, err := io.Copy(frame, io.LimitReader(message, int64(f.most)+1)); err != nil {
		return nil, meaning(err)
	}
	switch {
	case frame.Len() > f.most:
		f.bye(websocket.CloseMessageTooBig, "")
		return nil, errTooLarge
	case kind != websocket.BinaryMessage:
		return nil, errNotBinary
	}
	return bytes.Clone(frame.Bytes()), nil // exactly its size: the journal keeps it
}

// meaning turns a library's error into one of ours where that says more.
func meaning(err error) error {
	var closed *websocket.CloseError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		return errClosed
	case errors.Is(err, websocket.ErrReadLimit):
		return errTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		return errSilent
	default:
		return err
	}
}

func (f *binaryFrames) write(frame []byte) error {
	_ = f.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // a dead connection says so at the write
	return f.conn.WriteMessage(websocket.BinaryMessage, frame)
}

func (f *binaryFrames) bye(code int, reason string) {
	if code == closeRefused {
		code = closeNormal
	}
	message := websocket.FormatCloseMessage(code, closeText(reason))
	_ = f.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(lingerTimeout)) // the client may be gone, which is fine
}

func (f *binaryFrames) allow(size int, patience time.Duration) {
	f.most = size
	f.conn.SetReadLimit(int64(size))
	_ = f.conn.SetReadDeadline(time.Now().Add(patience)) // a dead connection says so at the next read
}

func (f *binaryFrames) cut() { _ = f.conn.Close() }

// closeText fits a reason into a close frame, which holds 123 bytes of it (RFC 6455 section 5.5).
func closeText(reason string) string {
	const most = 123
	if len(reason) <= most {
		return reason
	}
	cut := most
	for cut > 0 && reason[cut]&0xc0 == 0x80 { // not inside a rune
		cut--
	}
	return reason[:cut]
}

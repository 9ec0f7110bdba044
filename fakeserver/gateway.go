package fakeserver

import (
	"errors"
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
	// lingerTimeout is how long a closing connection waits for the client's own close, so that the last frames are not lost.
	lingerTimeout = 2 * time.Second
	// maxLogin and maxFrame are how many bytes a frame may have before and after the login. SDKs send far smaller ones; one that is larger
	// ends the connection with 1009.
	maxLogin = 16 << 10
	maxFrame = 64 << 10
	// queuedFrames is how many frames may wait for a client that reads slowly.
	queuedFrames = 256
)

var upgrader = websocket.Upgrader{
	HandshakeTimeout: writeTimeout,
	ReadBufferSize:   1 << 10,
	WriteBufferPool:  new(sync.Pool),
	CheckOrigin:      func(*http.Request) bool { return true }, // apps connect from any page; the token is the key, not a cookie
}

// socket carries a link's frames over one WebSocket: one goroutine reads, another writes. It knows nothing of what is in them.
type socket struct {
	conn *websocket.Conn
	out  chan []byte
	gone chan struct{} // closed when reading has ended

	mu      sync.Mutex
	ending  bool // Close was called: nothing more goes into out
	endCode int
	endText string
}

// serveGateway takes over the connection and returns: the handler's goroutine and buffers are not kept for a socket's whole life.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	sock := &socket{conn: conn, out: make(chan []byte, queuedFrames), gone: make(chan struct{})}
	l := s.newLink(sock)
	if !s.track(l, sock) {
		_ = conn.Close()
		return
	}
	go func() {
		defer s.sockets.Done()
		sock.write()
	}()
	go func() {
		defer s.sockets.Done()
		defer s.untrack(l)
		l.ended(sock.read(l))
	}()
}

// read hands every frame to the link until the connection ends, and says why it did.
func (s *socket) read(l *link) (reason string) {
	defer close(s.gone)
	s.conn.SetReadLimit(maxLogin)
	s.patience(provisionTimeout)
	for {
		kind, frame, err := s.conn.ReadMessage()
		if err != nil {
			return reasonOf(err)
		}
		if kind != websocket.BinaryMessage {
			l.closeWith(closeUnsupported, "frames are binary here")
			continue
		}
		if l.closing.Load() {
			continue // only waiting for the client's close
		}
		l.receive(frame)
		if l.user != nil {
			s.conn.SetReadLimit(maxFrame)
			s.patience(silenceTimeout)
		}
	}
}

// patience sets how long the next frame may take; a closing socket keeps its own deadline.
func (s *socket) patience(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		_ = s.conn.SetReadDeadline(time.Now().Add(d)) // a dead connection says so at the next read
	}
}

func reasonOf(err error) string {
	var closed *websocket.CloseError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &closed) && closed.Code == websocket.CloseAbnormalClosure:
		return "the connection was cut"
	case errors.As(err, &closed):
		return "the client closed"
	case errors.Is(err, websocket.ErrReadLimit):
		return "a frame was too large"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the client was silent for too long"
	default:
		return "the connection was cut"
	}
}

// write sends queued frames until the socket is closed or gone.
func (s *socket) write() {
	defer s.conn.Close()
	for {
		select {
		case frame, more := <-s.out:
			if !more {
				s.sayGoodbye()
				return
			}
			_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // as above
			if err := s.conn.WriteMessage(websocket.BinaryMessage, frame); err != nil {
				return
			}
		case <-s.gone:
			return
		}
	}
}

// sayGoodbye sends the close frame and gives the client a moment to answer it: closing at once could destroy frames on their way.
func (s *socket) sayGoodbye() {
	message := websocket.FormatCloseMessage(s.endCode, s.endText)
	_ = s.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(lingerTimeout)) // the client may be gone, which is fine
	linger := time.NewTimer(lingerTimeout)
	defer linger.Stop()
	select {
	case <-s.gone:
	case <-linger.C:
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
	s.ending, s.endCode, s.endText = true, code, closeText(reason)
	close(s.out)
}

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

package fakeserver

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/igm/sockjs-go/v3/sockjs"
)

// sockjsPath is where SDKs before agora-chat 1.4.0 connect: MSync as base64 text inside SockJS (protocol-versions.md).
const sockjsPath = "/ws"

// sockjsHandler carries the same gateway over SockJS, its WebSocket transport only; the SDKs try the others when that fails.
func (s *Server) sockjsHandler() http.Handler {
	h := sockjs.NewHandler(sockjsPath, sockjs.Options{
		Websocket: true, WebsocketWriteTimeout: writeTimeout,
		WebsocketUpgrader: &websocket.Upgrader{
			HandshakeTimeout: writeTimeout, ReadBufferSize: 1 << 10, WriteBufferPool: new(sync.Pool), CheckOrigin: upgrader.CheckOrigin,
		},
		HeartbeatDelay: 25 * time.Second, DisconnectDelay: 5 * time.Second,
		DisableXHR: true, DisableXHRStreaming: true, DisableEventSource: true, DisableHtmlFile: true, DisableJSONP: true,
	}, func(session sockjs.Session) {
		conn, _ := session.Request().Context().Value(meterKey{}).(*meter)
		s.serveSocket(&sockjsFrames{session: session, meter: conn}, func(rest func()) { rest() })
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := new(meter)
		h.ServeHTTP(meteredWriter{w, m}, r.WithContext(context.WithValue(r.Context(), meterKey{}, m)))
	})
}

// sockjsFrames is one frame a SockJS text message in base64.
type sockjsFrames struct {
	session  sockjs.Session
	meter    *meter
	deadline time.Time
}

func (f *sockjsFrames) read() ([]byte, error) {
	ctx, cancel := context.WithDeadline(context.Background(), f.deadline)
	defer cancel()
	text, err := f.session.RecvCtx(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errSilent
	case f.meter.empty():
		return nil, errTooLarge
	case err != nil:
		return nil, errClosed
	}
	frame, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errNotBinary
	}
	return frame, nil
}

// ready implements framing; nobody can look into a session.
func (f *sockjsFrames) ready() bool { return false }

func (f *sockjsFrames) write(frames [][]byte) error {
	for _, frame := range frames {
		if err := f.session.Send(base64.StdEncoding.EncodeToString(frame)); err != nil {
			return err
		}
	}
	return nil
}

// begin implements framing; a session may wait at any write.
func (f *sockjsFrames) begin(frames [][]byte) (rest func() error, err error) {
	return func() error { return f.write(frames) }, nil
}

// bye closes with the code that makes the SDKs stop trying when a login was refused (protocol-versions.md, "must do" 7).
func (f *sockjsFrames) bye(code int, reason string) {
	if code == closeRefused {
		reason = "normal closed"
	}
	_ = f.session.Close(uint32(code), reason) //nolint:gosec // our own codes; the session may be closed already
}

func (f *sockjsFrames) allow(size int, patience time.Duration) {
	f.meter.left.Store(int64(base64.StdEncoding.EncodedLen(size)) + 1<<10) // and room for the SockJS and WebSocket framing
	f.deadline = time.Now().Add(patience)
}

func (f *sockjsFrames) cut() {
	_ = f.session.Close(closeNormal, "") // it may be closed already
	f.meter.cut()
}

// meter counts what a SockJS client sends ahead of what has been handled. The library reads without a limit of its own; when the meter is
// empty, reading fails.
type meter struct {
	left atomic.Int64
	mu   sync.Mutex
	conn net.Conn
}

type meterKey struct{}

func (m *meter) empty() bool { return m.left.Load() <= 0 }

func (m *meter) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		_ = m.conn.Close()
	}
}

// meteredWriter puts the meter into the connection that an upgrade takes over.
type meteredWriter struct {
	http.ResponseWriter
	meter *meter
}

// Hijack implements http.Hijacker.
func (w meteredWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.meter.left.Store(maxLogin)
	w.meter.mu.Lock()
	w.meter.conn = conn
	w.meter.mu.Unlock()
	return meteredConn{conn, w.meter}, rw, nil
}

type meteredConn struct {
	net.Conn
	meter *meter
}

// Read implements net.Conn.
func (c meteredConn) Read(p []byte) (int, error) {
	left := c.meter.left.Load()
	if left <= 0 {
		return 0, errTooLarge
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), left)])
	c.meter.left.Add(-int64(n))
	return n, err
}

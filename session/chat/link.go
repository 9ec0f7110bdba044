package chat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// Times of one link. They are link liveness, so they run on Go's monotonic clock.
const (
	// connectTimeout bounds dialing and upgrading, provisionTimeout the answer to the login (protocol.md a.3).
	connectTimeout   = 10 * time.Second
	provisionTimeout = 10 * time.Second
	// answerTimeout is how long a heartbeat may stay unanswered before the link counts as dead. The Web SDK has no such watchdog
	// (protocol.md a.4); a client that must not hang needs one.
	answerTimeout = 30 * time.Second
	writeTimeout  = 10 * time.Second
	// queuedFrames bounds what waits to be written; the session keeps fewer messages than that in flight, but each message of a batch from the
	// service is confirmed with a frame of its own.
	queuedFrames = 512
)

// sdkVersion is the version whose conduct this client follows; the service is told so in the provision.
const sdkVersion = "1.4.0"

// link is one provisioned WebSocket: a goroutine that reads, one that writes and beats. It knows frames and nothing of tokens.
type link struct {
	gen  uint64
	conn *websocket.Conn
	out  chan []byte
	// heartbeat is the silence, of either side, after which an UNREAD is sent.
	heartbeat time.Duration
	// heard is when the last frame came in, on the monotonic clock since born; frames counts them.
	heard  atomic.Int64
	frames atomic.Uint64
	born   time.Time
	// now is the client's clock; asked holds when the UNREADs went out that have no answer yet.
	now   func() time.Time
	mu    sync.Mutex
	asked []time.Time
	// ending is closed to end the link from this side.
	ending   chan struct{}
	endOnce  sync.Once
	routines sync.WaitGroup
}

// target is where and as whom a link logs in.
type target struct {
	url, appKey, user, resource, credential string
	dial                                    func(ctx context.Context, network, addr string) (net.Conn, error)
	proxy                                   func(*http.Request) (*url.URL, error) // nil for none
}

// connect dials, upgrades and logs in. The expiry is what the service answered, zero when it named none.
func connect(ctx context.Context, t target, p Profile) (*link, time.Time, *Error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout+provisionTimeout)
	defer cancel()
	dialer := websocket.Dialer{Proxy: t.proxy, NetDialContext: t.dial, HandshakeTimeout: connectTimeout, ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10}
	conn, resp, err := dialer.DialContext(ctx, t.url, nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, time.Time{}, dialError(t.url, resp != nil, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	reply, err := provision(conn, t)
	if err != nil {
		stop()
		_ = conn.Close()
		return nil, time.Time{}, provisionError(err)
	}
	if refusal := refused(p, reply.GetStatus()); refusal != nil {
		stop()
		_ = conn.Close()
		return nil, time.Time{}, refusal
	}
	if !stop() {
		return nil, time.Time{}, &Error{Phase: PhaseLogin, Kind: KindCanceled, Code: NotLoggedIn, Reason: "the login was canceled"}
	}
	var expires time.Time
	if auth, err := msync.DecodeAuthToken(reply.GetAuthToken()); err == nil && auth.ExpiresIn > 0 {
		expires = time.UnixMilli(auth.ExpiresIn)
	}
	return &link{
		conn: conn, out: make(chan []byte, queuedFrames), heartbeat: p.Heartbeat, ending: make(chan struct{}), born: time.Now(),
	}, expires, nil
}

// provision sends the login and reads its answer (protocol.md b.2). Frames of other commands may come before it and mean nothing yet.
func provision(conn *websocket.Conn, t target) (*msync.Provision, error) {
	presented := "$t$" + t.credential
	authToken, err := msync.EncodeAuthToken(msync.AuthToken{Token: presented})
	if err != nil {
		return nil, err
	}
	m, err := msync.Pack(msync.MSync_PROVISION, &msync.Provision{
		OsType: msync.Provision_OS_OTHER.Enum(), Version: new(sdkVersion), CompressType: []msync.Provision_CompressType{msync.Provision_COMPRESS_NONE},
		EncryptType: []msync.MSync_EncryptType{msync.MSync_ENCRYPT_NONE}, DeviceUuid: &t.resource, DeviceName: new("ttlchat"),
		Resource: &t.resource, ActionVersion: new("v5.1"), AuthToken: authToken,
	})
	if err != nil {
		return nil, err
	}
	m.Guid, m.Auth = msync.NewJID(t.appKey, t.user, t.resource), &presented
	raw, err := msync.Encode(m)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(msync.MaxFrame)
	deadline := time.Now().Add(provisionTimeout)
	_ = conn.SetWriteDeadline(deadline) // a dead connection says so at the write
	_ = conn.SetReadDeadline(deadline)
	if err := conn.WriteMessage(websocket.BinaryMessage, raw); err != nil {
		return nil, err
	}
	for {
		m, err := readFrame(conn)
		if err != nil {
			return nil, err
		}
		if m.GetCommand() != msync.MSync_PROVISION {
			continue
		}
		reply := new(msync.Provision)
		if err := msync.Payload(m, reply); err != nil {
			return nil, err
		}
		if reply.Status == nil {
			return nil, fmt.Errorf("%w provision: no status", msync.ErrMalformed)
		}
		return reply, nil
	}
}

var errNotBinary = fmt.Errorf("%w frame: text where binary was expected", msync.ErrMalformed)

func readFrame(conn *websocket.Conn) (*msync.MSync, error) {
	kind, raw, err := conn.ReadMessage()
	if err != nil {
		return nil, err
	}
	if kind != websocket.BinaryMessage {
		return nil, errNotBinary
	}
	return msync.Decode(raw)
}

// refused turns a status other than OK into the profile's error (protocol.md d.5).
func refused(p Profile, s *msync.Status) *Error {
	reason := printable.Discreet(s.GetReason(), 200)
	e := &Error{Phase: PhaseLogin, Kind: KindRefused, Code: WebAuthError, Reason: "the service refused the login: " + reason}
	switch code := s.GetErrorCode(); {
	case code == msync.Status_OK:
		return nil
	case code == msync.Status_TOKEN_EXPIRED || s.GetReason() == "Sorry, token expired":
		e.Kind, e.Code = KindExpired, p.ExpiredCode
	case s.GetReason() == "Sorry, token or password does not match login info" || code == msync.Status_UNAUTHORIZED:
		e.Kind, e.Code = KindInvalid, p.InvalidCode
		e.Reason += checkToken
	case s.GetReason() == "Sorry, user not found":
		e.Kind, e.Code = KindUnknownUser, UserNotFound
	case code == msync.Status_IM_FORBIDDEN:
		e.Code = WebForbidden
	default:
		e.Reason = fmt.Sprintf("the service refused the login with %s: %s", code, reason)
	}
	return e
}

// shown is an address as it may be shown.
func shown(address string) string { return printable.Discreet(printable.Address(address), 200) }

func dialError(url string, answered bool, err error) *Error {
	e := &Error{Phase: PhaseTransport, Kind: KindUnreachable, Code: ServerNotReachable, Err: err}
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind, e.Code, e.Reason = KindCanceled, NotLoggedIn, "the login was canceled"
	case isTimeout(err):
		e.Kind, e.Code, e.Reason = KindTimeout, ServerTimeout, "the chat service at "+shown(url)+" does not answer"
	case answered:
		e.Kind, e.Code = KindProtocol, ServerUnknownError
		e.Reason = "there is no chat gateway at " + shown(url) + ": it answers, but not with a WebSocket"
	default:
		e.Reason = "the chat service at " + shown(url) + " cannot be reached: " + printable.Cause(err)
	}
	return e
}

func provisionError(err error) *Error {
	e := &Error{Phase: PhaseLogin, Kind: KindUnreachable, Code: ServerNotReachable, Err: err, Reason: "the connection was lost during the login"}
	switch {
	case isTimeout(err):
		e.Kind, e.Code, e.Reason = KindTimeout, ServerTimeout, "the chat service did not answer the login"
	case errors.Is(err, msync.ErrMalformed) || errors.Is(err, msync.ErrTooLarge):
		e.Phase, e.Kind, e.Code, e.Reason = PhaseProtocol, KindProtocol, ServerUnknownError, "the chat service answered the login with something else than MSync"
	}
	return e
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// run starts the link's goroutines. frame and down are called one after the other, from the reading goroutine; down exactly once, last.
func (l *link) run(frame func(*msync.MSync), down func(reason string)) {
	l.heard.Store(int64(time.Since(l.born)))
	_ = l.conn.SetReadDeadline(time.Time{}) // the writer watches for silence
	l.routines.Go(func() {
		defer guard.Catch()
		l.write()
	})
	l.routines.Go(func() {
		defer guard.Catch()
		reason := l.read(frame)
		l.end()
		_ = l.conn.Close()
		down(reason)
	})
}

func (l *link) read(frame func(*msync.MSync)) (reason string) {
	for {
		m, err := readFrame(l.conn)
		switch {
		case errors.Is(err, msync.ErrMalformed) || errors.Is(err, msync.ErrTooLarge):
			return "the service sent something that is not MSync"
		case err != nil:
			var closed *websocket.CloseError
			if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
				return "the service closed the connection: " + printable.Discreet(closed.Text, 120)
			}
			select {
			case <-l.ending:
				return "the link was closed on this side"
			default:
				return "the connection was lost"
			}
		}
		l.heard.Store(int64(time.Since(l.born)))
		l.frames.Add(1)
		frame(m)
	}
}

// write sends what is queued, and an UNREAD after a silence. It ends the link when a frame cannot be written or nothing answers.
func (l *link) write() {
	defer l.conn.Close()
	beat := time.NewTimer(l.heartbeat)
	defer beat.Stop()
	asked, before := false, uint64(0)
	spoke := time.Since(l.born) // when the last frame went out
	for {
		var raw []byte
		select {
		case <-l.ending:
			l.flush()
			return
		case raw = <-l.out:
		case <-beat.C:
			if asked && l.frames.Load() == before {
				return // nobody is there any more
			}
			asked = false
			// A service that is only listened to takes the link for dead, too.
			last := min(time.Duration(l.heard.Load()), spoke)
			if silence := time.Since(l.born) - last; silence < l.heartbeat {
				beat.Reset(l.heartbeat - silence)
				continue
			}
			asked, before = true, l.frames.Load()
			beat.Reset(answerTimeout)
			l.noteAsked()
			raw = unreadFrame()
		}
		if l.put(raw) != nil {
			return
		}
		spoke = time.Since(l.born)
	}
}

// flush writes what is still queued and says goodbye.
func (l *link) flush() {
	for {
		select {
		case raw := <-l.out:
			if l.put(raw) != nil {
				return
			}
		default:
			bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			_ = l.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // the service may be gone
			return
		}
	}
}

func (l *link) put(raw []byte) error {
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // as above
	return l.conn.WriteMessage(websocket.BinaryMessage, raw)
}

// send queues a frame. A queue that stays full for as long as a write may take means that the link is dead, and ends it.
func (l *link) send(cmd msync.MSync_Command, payload proto.Message) {
	m, err := msync.Pack(cmd, payload)
	if err != nil {
		l.end()
		return
	}
	raw, err := msync.Encode(m)
	if err != nil {
		l.end()
		return
	}
	select {
	case l.out <- raw:
		return
	default:
	}
	patience := time.NewTimer(writeTimeout)
	defer patience.Stop()
	select {
	case l.out <- raw:
	case <-l.ending:
	case <-patience.C:
		l.end()
	}
}

// ask asks for the service's time and for what waits there.
func (l *link) ask() {
	l.noteAsked()
	l.send(msync.MSync_UNREAD, &msync.CommUnreadUL{})
}

func (l *link) noteAsked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) < maxAsked {
		l.asked = append(l.asked, l.now())
	}
}

// answered returns when the question went out whose answer has come; false means that nobody asked.
func (l *link) answered() (asked time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) == 0 {
		return time.Time{}, false
	}
	asked = l.asked[0]
	l.asked = l.asked[1:]
	return asked, true
}

// end closes the link from this side; it does not wait.
func (l *link) end() { l.endOnce.Do(func() { close(l.ending) }) }

func unreadFrame() []byte {
	m, err := msync.Pack(msync.MSync_UNREAD, &msync.CommUnreadUL{})
	if err != nil {
		return nil // cannot happen: the message is empty
	}
	raw, err := msync.Encode(m)
	if err != nil {
		return nil
	}
	return raw
}

package fakeserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/guard"
)

// lookAhead is how many bytes of a connection are read ahead of what is handled: a login, or a few messages. Idle connections have it, too.
// One that has more to say borrows wideLookAhead for as long as it does.
const (
	lookAhead     = 512
	wideLookAhead = 8 << 10
)

var upgrader = websocket.Upgrader{
	HandshakeTimeout:  writeTimeout,
	WriteBufferPool:   new(sync.Pool),
	EnableCompression: true,                                     // browsers offer it; a client that does not gets plain frames
	CheckOrigin:       func(*http.Request) bool { return true }, // apps connect from any page; the token is the key, not a cookie
}

// serveGateway takes over the connection and returns after the login: the handler's goroutine and buffers, which a login can use, are not
// kept for a socket's whole life.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	own := &ownReader{ResponseWriter: w}
	conn, err := upgrader.Upgrade(own, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	f := newBinaryFrames(conn, own.in)
	conn.SetPingHandler(f.pong)
	s.serveSocket(f, func(rest func()) {
		go func() {
			defer guard.Catch()
			rest()
		}()
	})
}

// ownReader gives an upgrade a reader of ours: smaller than net/http's, and one can look into it.
type ownReader struct {
	http.ResponseWriter
	in *bufio.Reader
}

// Hijack implements http.Hijacker.
func (w *ownReader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil || rw.Reader.Buffered() > 0 { // frames before the handshake, which the upgrade refuses
		return conn, rw, err
	}
	w.in = bufio.NewReaderSize(conn, lookAhead)
	return conn, bufio.NewReadWriter(w.in, rw.Writer), nil
}

// binaryFrames is one frame a binary WebSocket message.
type binaryFrames struct {
	conn *websocket.Conn
	raw  syscall.RawConn // nil where a connection cannot be written to without waiting, such as one with TLS
	in   *bufio.Reader   // what conn reads from
	most int             // bytes of a frame, unpacked

	crowd  int           // the most bytes that were read ahead since fit looked
	narrow *bufio.Reader // what in was before it borrowed a wide one; nil while it has not

	// The deadlines that are set are counted from began: to look at the monotonic clock alone costs half.
	began  time.Time
	readBy time.Duration

	writing sync.Mutex
	writeBy time.Duration
}

func newBinaryFrames(conn *websocket.Conn, in *bufio.Reader) *binaryFrames {
	f := &binaryFrames{conn: conn, in: in, began: time.Now()}
	if c, ok := conn.NetConn().(syscall.Conn); ok {
		f.raw, _ = c.SyscallConn() // fails for a connection that is gone, which the next read says, too
	}
	return f
}

func (f *binaryFrames) read() ([]byte, error) {
	f.fit()
	if _, err := f.in.Peek(1); err != nil {
		return nil, meaning(err)
	}
	head, size := f.usual(f.in.Peek)
	if size < 0 {
		return f.readAny()
	}
	whole, err := f.in.Peek(head + size)
	if err != nil {
		return f.readAny() // which says what it means
	}
	f.crowd = max(f.crowd, f.in.Buffered())
	frame := make([]byte, size) // exactly its size: the journal keeps it
	unmask(frame, whole[head:], whole[head-maskSize:head])
	_, err = f.in.Discard(head + size)
	return frame, err
}

// wide are readers between two connections that have much to say.
var wide = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, wideLookAhead) }}

// fit borrows a wide reader when the narrow one was full, and gives it back when it was not worth it any more and what it has read fits into
// the narrow one. The library knows the reader by its address, so it is what stands there that changes.
func (f *binaryFrames) fit() {
	if f.ready() {
		return
	}
	busy := max(f.crowd, f.in.Buffered()) >= lookAhead // frames that are not usual do not count for the crowd
	f.crowd = 0
	if busy == (f.narrow != nil) {
		return
	}
	other := f.narrow
	if busy {
		other, _ = wide.Get().(*bufio.Reader)
	}
	begun, _ := f.in.Peek(f.in.Buffered()) // cannot fail: it is there
	other.Reset(&begunReader{begun, f.conn.NetConn()})
	_, _ = other.Peek(len(begun)) // cannot fail: it fits
	*f.in, *other = *other, *f.in
	f.narrow = nil
	if busy {
		f.narrow = other
	} else {
		other.Reset(nil)
		wide.Put(other)
	}
}

// begunReader reads what another reader had read of a frame, and then what follows.
type begunReader struct {
	begun []byte
	rest  io.Reader
}

func (r *begunReader) Read(p []byte) (int, error) {
	if len(r.begun) > 0 {
		n := copy(p, r.begun)
		if r.begun = r.begun[n:]; len(r.begun) == 0 {
			r.begun = nil // it is another's soon
		}
		return n, nil
	}
	return r.rest.Read(p)
}

// maskSize is how long a frame's mask is.
const maskSize = 4

// usual looks at what comes next and tells the size of a frame's head and of what it holds, when it is of the usual kind: a whole binary
// message, masked, not compressed, and not longer than what is read ahead (RFC 6455 section 5.2). Otherwise the size is -1.
func (f *binaryFrames) usual(peek func(int) ([]byte, error)) (head, size int) {
	b, err := peek(2)
	if err != nil || b[0] != 0x80|websocket.BinaryMessage || b[1] < 0x80 {
		return 0, -1
	}
	head, size = 2+maskSize, int(b[1]&0x7f)
	switch size {
	case 126:
		if b, err = peek(4); err != nil {
			return 0, -1
		}
		head, size = 4+maskSize, int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		return 0, -1
	}
	if head+size > f.in.Size() || size > f.most {
		return 0, -1
	}
	return head, size
}

// unmask writes what is behind a mask (RFC 6455 section 5.3), as much of it as there is room for.
func unmask(plain, masked, mask []byte) {
	key := uint64(binary.LittleEndian.Uint32(mask))
	key |= key << 32
	for ; len(plain) >= 8; plain, masked = plain[8:], masked[8:] {
		binary.LittleEndian.PutUint64(plain, binary.LittleEndian.Uint64(masked)^key)
	}
	for i := range plain {
		plain[i] = masked[i] ^ mask[i%maskSize]
	}
}

// pieces hold what comes of a frame while it is read, so that an idle connection has no buffer for it. A single buffer that grows by doubling
// would take several times what it holds in the end, and one that is large enough at once would be there for a client that sends a byte a second.
var pieces = sync.Pool{New: func() any { return new(piece) }}

type piece [4 << 10]byte

// readAny reads a message of any kind, and answers the control frames before it.
func (f *binaryFrames) readAny() ([]byte, error) {
	kind, message, err := f.conn.NextReader()
	if errors.Is(err, websocket.ErrReadLimit) {
		f.bye(websocket.CloseMessageTooBig, "") // the library does so only for lengths that make sense
	}
	if err != nil {
		return nil, meaning(err)
	}
	frame, err := f.collect(message)
	switch {
	case errors.Is(err, errTooLarge):
		f.bye(websocket.CloseMessageTooBig, "")
		return nil, err
	case err != nil:
		return nil, meaning(err)
	case kind != websocket.BinaryMessage:
		return nil, errNotBinary
	}
	return frame, nil
}

// collect reads all that there is of a message. The connection's own limit counts compressed bytes, so what they unpack to needs another.
func (f *binaryFrames) collect(message io.Reader) (frame []byte, err error) {
	var read [maxFrame / len(piece{})]*piece
	used, size, beyond := 0, 0, make([]byte, 1)
	defer func() {
		for _, p := range read[:used] {
			pieces.Put(p)
		}
	}()
	for err == nil {
		room := beyond
		if size < f.most {
			if size == used*len(piece{}) {
				read[used], _ = pieces.Get().(*piece)
				used++
			}
			begin := (used - 1) * len(piece{})
			room = read[used-1][size-begin : min(len(piece{}), f.most-begin)]
		}
		var n int
		n, err = message.Read(room)
		if size += n; size > f.most {
			return nil, errTooLarge
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	frame = make([]byte, 0, size) // exactly its size: the journal keeps it
	for _, p := range read[:used] {
		frame = append(frame, p[:min(len(piece{}), size-len(frame))]...)
	}
	return frame, nil
}

// ready looks for a whole frame of the usual kind behind the last one.
func (f *binaryFrames) ready() bool {
	head, size := f.usual(f.peekReady)
	return size >= 0 && f.in.Buffered() >= head+size
}

var errNotThere = errors.New("it is not there yet")

// peekReady peeks without waiting.
func (f *binaryFrames) peekReady(n int) ([]byte, error) {
	if f.in.Buffered() < n {
		return nil, errNotThere
	}
	return f.in.Peek(n)
}

// meaning turns a library's error into one of ours where that says more.
func meaning(err error) error {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok && closed.Code != websocket.CloseAbnormalClosure {
		return errClosed
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		return errTooLarge
	}
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return errSilent
	}
	return err
}

// outbound is frames that are written together. It is written by itself, and not by functions made for the purpose, because of their garbage.
type outbound struct {
	bytes []byte
	some  func(fd uintptr) bool // writeSome
	n     int                   // how much of it some has written
	err   error
}

var outbounds = sync.Pool{New: func() any {
	o := &outbound{bytes: make([]byte, 0, 1<<10)}
	o.some = o.writeSome
	return o
}}

// maxOutbound is how many bytes of it are kept for the next time.
const maxOutbound = 64 << 10

// write sends all frames in one write, uncompressed: they are small, and compressing them costs more than it saves.
func (f *binaryFrames) write(frames [][]byte) error {
	out := packed(frames)
	defer out.giveBack()
	f.writing.Lock()
	defer f.writing.Unlock()
	f.hurry()
	_, err := f.conn.NetConn().Write(out.bytes)
	return err
}

// begin implements framing. Where nothing can be written without waiting, everything is left.
func (f *binaryFrames) begin(frames [][]byte) (rest func() error, err error) {
	if f.raw == nil || !f.writing.TryLock() {
		return func() error { return f.write(frames) }, nil
	}
	f.hurry()
	out := packed(frames)
	if err = f.raw.Write(out.some); err == nil {
		err = out.err
	}
	if err != nil || out.n == len(out.bytes) {
		out.giveBack()
		f.writing.Unlock()
		return nil, err
	}
	return func() error { // nothing else may stand in between
		defer f.writing.Unlock()
		defer out.giveBack()
		_, err := f.conn.NetConn().Write(out.bytes[out.n:])
		return err
	}, nil
}

// hurry gives the next write a deadline. A dead connection says so at the write; moving the deadline costs more than looking at the clock.
func (f *binaryFrames) hurry() {
	if now := time.Since(f.began); f.writeBy-now < writeTimeout/2 {
		f.writeBy = now + writeTimeout
		_ = f.conn.NetConn().SetWriteDeadline(f.began.Add(f.writeBy))
	}
}

// packed are frames as they are written.
func packed(frames [][]byte) *outbound {
	out := outbounds.Get().(*outbound)
	out.bytes, out.n, out.err = out.bytes[:0], 0, nil
	for _, frame := range frames {
		out.bytes = append(appendHeader(out.bytes, len(frame)), frame...)
	}
	return out
}

func (o *outbound) giveBack() {
	if cap(o.bytes) <= maxOutbound {
		outbounds.Put(o)
	}
}

// appendHeader writes the head of a server's binary message of that size (RFC 6455 section 5.2).
func appendHeader(b []byte, size int) []byte {
	b = append(b, 0x80|websocket.BinaryMessage)
	switch {
	case size < 126:
		return append(b, byte(size)) //nolint:gosec // below 126
	case size <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
	}
}

func (f *binaryFrames) bye(code int, reason string) {
	if code == closeRefused {
		code = closeNormal
	}
	f.control(websocket.CloseMessage, websocket.FormatCloseMessage(code, closeText(reason)))
}

// pong answers a ping. One that comes while something is being written goes without: what is written shows as well that we are there.
func (f *binaryFrames) pong(data string) error {
	f.control(websocket.PongMessage, []byte(data))
	return nil
}

// control sends a control frame unless something is being written: it must not stand inside that, and nobody can wait here.
func (f *binaryFrames) control(kind int, data []byte) {
	if !f.writing.TryLock() {
		return
	}
	defer f.writing.Unlock()
	f.writeBy = 0                                                      // the library sets its own
	_ = f.conn.WriteControl(kind, data, time.Now().Add(lingerTimeout)) // the client may be gone, which is fine
}

func (f *binaryFrames) allow(size int, patience time.Duration) {
	if f.most != size {
		f.most = size
		f.conn.SetReadLimit(int64(size))
	}
	// A dead connection says so at the next read. Moving the deadline costs more than looking at the clock.
	if by := time.Since(f.began) + patience; (by - f.readBy).Abs() > patience/100 {
		f.readBy = by
		_ = f.conn.SetReadDeadline(f.began.Add(by))
	}
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

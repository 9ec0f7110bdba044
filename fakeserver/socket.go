package fakeserver

import (
	"errors"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/internal/guard"
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
	// queuedFrames and queuedBytes are how much may wait for a client that reads slowly; a single frame may be longer.
	queuedFrames = 256
	queuedBytes  = 512 << 10
)

// framing carries MSync frames in one of two ways: binary WebSocket messages, or SockJS. One goroutine reads, others may write.
type framing interface {
	// read returns the next frame; errNotBinary can be got over, other errors cannot.
	read() ([]byte, error)
	// ready reports whether read would return without waiting.
	ready() bool
	write(frames [][]byte) error
	// begin writes what can be written without waiting, and returns what does the rest, nil when nothing is left.
	begin(frames [][]byte) (rest func() error, err error)
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

// socket carries a link's frames; it knows nothing of what is in them. One goroutine reads, and an idle connection has no other.
//
// Frames that wait are written together, by one writer at a time. The goroutine that reads is it for what it caused itself: the answers
// to frames that came together leave together, and a client that does not read its answers is not heard. Who tells another client of
// something writes it as far as that takes no waiting, after the own answers, which somebody waits for. For everything else a goroutine is
// started that ends with the last frame, so that nobody ever waits for another's connection.
type socket struct {
	srv    *Server
	frames *faultyFrames

	mu       sync.Mutex
	queue    *[][]byte     // waits for the writer; nil when nothing does
	waiting  load          // in queue or with the writer
	writing  bool          // there is a writer, or the connection is past writing
	handling bool          // the goroutine that reads will be the writer when it is done
	over     bool          // reading has ended, or writing has failed
	drained  chan struct{} // closed when the writer is done with what it has; nil while nobody waits for that
	ending   bool          // Close was called: nothing more goes into the queue
	endCode  int
	endText  string
}

// load is how much there is to write.
type load struct{ frames, bytes int }

// queues are lists of frames between two uses.
var queues = sync.Pool{New: func() any { return new(make([][]byte, 0, 8)) }}

// serveSocket runs a link over a new connection until its end. The goroutine's stack has grown with the login, and most connections need
// little of it later: with next, such as by starting a new one, what follows the login has another.
func (s *Server) serveSocket(frames framing, next func(rest func())) {
	defer guard.Catch()
	sock := &socket{srv: s}
	l := s.newLink(sock)
	sock.frames = s.faultyFrames(frames, l.id, func() { sock.letGo(l) })
	sock.allow(maxLogin, provisionTimeout) // nobody else knows it yet
	if !s.track(l, sock) {
		frames.cut()
		return
	}
	if !sock.serve(l, func() bool { return l.user != nil }) {
		return
	}
	next(func() { sock.serve(l, func() bool { return false }) })
}

// serve hands frames to the link until enough says so; it is false when reading has ended, even by a panic.
func (s *socket) serve(l *link, enough func() bool) (goesOn bool) {
	reason := ""
	defer func() {
		if !goesOn {
			s.end(l, reason)
		}
	}()
	for !enough() {
		if reason = s.step(l); reason != "" {
			return false
		}
	}
	return true
}

// step hands the next frame to the link. It says why reading ended when it did.
func (s *socket) step(l *link) (ended string) {
	frame, err := s.frames.read()
	switch {
	case errors.Is(err, errNotBinary):
		l.closeWith(closeUnsupported, "frames are binary here")
	case errors.Is(err, errTooLarge), errors.Is(err, errSilent), errors.Is(err, errClosed):
		return err.Error()
	case err != nil:
		return "the connection was cut"
	case !l.closing.Load(): // otherwise only waiting for the client's close
		s.hold()
		l.receive(frame)
		s.frames.know(l.user)
	}
	if s.frames.ready() && !s.crowded() {
		return "" // the answers to what is there already go out with this one
	}
	s.release(l)
	s.keepUp()
	return ""
}

// end is the end of reading. A writer that is at it fails or has said goodbye.
func (s *socket) end(l *link, reason string) {
	defer s.srv.sockets.Done()
	defer s.srv.untrack(l)
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	l.tellOthers()
	s.frames.cut()
	l.ended(reason)
}

// hold keeps what is sent until release. A fault may take its time with a frame, which must not keep others from being read.
func (s *socket) hold() {
	calm := !s.frames.troubled()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handling = calm
}

// release writes what was held, and what others are told; if the own client does not read, they do not wait for it. A client that is let in may
// then say more, and be silent for longer, than one that is not.
func (s *socket) release(l *link) {
	s.mu.Lock()
	if l.user != nil || l.waiting {
		s.allow(maxFrame, silenceTimeout)
	}
	held := s.handling
	s.handling = false
	if !held {
		s.wake()
	}
	mine := held && s.claim()
	s.mu.Unlock()
	var rest func()
	if mine {
		rest = s.begin()
	}
	l.tellOthers()
	if rest != nil {
		rest()
	}
}

// letGo is release for a goroutine that reads and may have to wait for something else than the client: others do the writing.
func (s *socket) letGo(l *link) {
	s.mu.Lock()
	s.handling = false
	s.wake()
	s.mu.Unlock()
	l.tellOthers()
}

// crowded reports whether so much waits that it should go out before the next frame is handled.
func (s *socket) crowded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full()
}

// full reports whether half of what may wait does. mu is held.
func (s *socket) full() bool {
	return s.waiting.frames >= queuedFrames/2 || s.waiting.bytes >= queuedBytes/2
}

// keepUp waits for another writer where too much is left for it: a client is heard as fast as it reads, and not closed for having said much.
func (s *socket) keepUp() {
	s.mu.Lock()
	if !s.full() || !s.writing || s.over || s.ending {
		s.mu.Unlock()
		return
	}
	if s.drained == nil {
		s.drained = make(chan struct{})
	}
	drained := s.drained
	s.mu.Unlock()
	<-drained
}

// tellDrained lets go who waits in keepUp. mu is held.
func (s *socket) tellDrained() {
	if s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// allow passes on what the next frame may cost; a closing socket keeps its own deadline. mu is held.
func (s *socket) allow(size int, patience time.Duration) {
	if !s.ending {
		s.frames.allow(size, patience)
	}
}

// claim makes the caller the writer, if there is something to do and nobody else does it. mu is held.
func (s *socket) claim() bool {
	if s.writing || s.handling || s.over || s.queue == nil && !s.ending {
		return false
	}
	s.writing = true
	return true
}

// wake starts a writer where one is needed. mu is held; the connection is being read, so it counts for Server.Close already.
func (s *socket) wake() {
	if s.claim() {
		s.srv.sockets.Go(func() { s.write(load{}) })
	}
}

// write sends what waits, until nothing is left. It is for the writer, who has written done already.
func (s *socket) write(done load) {
	defer guard.Catch()
	for {
		queue, size := s.next(done)
		if queue == nil {
			return
		}
		err := s.frames.write(*queue)
		if !s.wrote(queue, err) {
			return
		}
		done = size
	}
}

// Flush implements wire.
func (s *socket) Flush() {
	s.mu.Lock()
	mine := s.claim()
	if mine {
		s.srv.sockets.Add(1) // while the connection is being read, so that Server.Close waits
	}
	s.mu.Unlock()
	if !mine {
		return
	}
	rest := s.begin()
	if rest == nil {
		s.srv.sockets.Done()
		return
	}
	go func() {
		defer s.srv.sockets.Done()
		rest()
	}()
}

// begin is write for a writer who has no time: it returns what does the part that has to wait, nil when nothing is left.
func (s *socket) begin() (rest func()) {
	var done load
	for {
		queue, size := s.next(done)
		if queue == nil {
			return nil
		}
		slow, err := s.frames.begin(*queue)
		if slow != nil {
			return func() {
				defer guard.Catch()
				if s.wrote(queue, slow()) {
					s.write(size)
				}
			}
		}
		if !s.wrote(queue, err) {
			return nil
		}
		done = size
	}
}

// next gives the writer what waits, and its size, after he has written done. It is nil when nothing does, and then there is no writer any more.
func (s *socket) next(done load) (queue *[][]byte, size load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting.frames -= done.frames
	s.waiting.bytes -= done.bytes
	s.tellDrained()
	queue, s.queue = s.queue, nil
	if queue == nil {
		s.writing = s.ending
		if s.ending && !s.over {
			s.srv.sockets.Go(s.sayGoodbye)
		}
	}
	return queue, s.waiting
}

// wrote takes a queue back from the writer. It is false when the connection can take no more.
func (s *socket) wrote(queue *[][]byte, err error) bool {
	clear(*queue)
	*queue = (*queue)[:0]
	queues.Put(queue)
	if err != nil {
		s.frames.cut()
		s.mu.Lock()
		s.over = true
		s.tellDrained()
		s.mu.Unlock()
	}
	return err == nil
}

// sayGoodbye ends the connection politely: closing at once could destroy frames on their way.
func (s *socket) sayGoodbye() {
	defer guard.Catch()
	defer s.frames.cut()
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
	case <-s.frames.ended():
		return false
	case <-timer.C:
		return true
	}
}

// Send implements wire.
func (s *socket) Send(frame []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	return s.put(frame)
}

// Queue implements wire.
func (s *socket) Queue(frame []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(frame)
}

// put adds a frame to the queue. mu is held.
func (s *socket) put(frame []byte) bool {
	if s.ending {
		return true // a goodbye is on its way; what comes after it is nobody's loss
	}
	if s.waiting.frames == queuedFrames || s.waiting.frames > 0 && s.waiting.bytes+len(frame) > queuedBytes {
		return false
	}
	if s.queue == nil {
		s.queue = queues.Get().(*[][]byte)
	}
	*s.queue = append(*s.queue, frame)
	s.waiting.frames++
	s.waiting.bytes += len(frame)
	return true
}

// Close implements wire.
func (s *socket) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	s.ending, s.endCode, s.endText = true, code, reason
	s.wake()
}

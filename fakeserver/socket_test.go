package fakeserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// fickle is a framing that takes a part of what it is offered, all of it, or nothing, and keeps what was written.
type fickle struct {
	framing
	writing sync.Mutex

	mu      sync.Mutex
	luck    *rand.Rand
	written [][]byte
}

func (f *fickle) write(frames [][]byte) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.keep(frames)
	return nil
}

func (f *fickle) begin(frames [][]byte) (rest func() error, err error) {
	if !f.writing.TryLock() {
		return func() error { return f.write(frames) }, nil
	}
	f.mu.Lock()
	n := f.luck.IntN(2 * (len(frames) + 1))
	f.mu.Unlock()
	if n > len(frames) {
		f.keep(frames)
		f.writing.Unlock()
		return nil, nil
	}
	f.keep(frames[:n])
	return func() error {
		defer f.writing.Unlock()
		f.keep(frames[n:])
		return nil
	}, nil
}

func (f *fickle) keep(frames [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, frame := range frames {
		f.written = append(f.written, slices.Clone(frame))
	}
}

func (f *fickle) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.written)
}

// TestWriters lets several goroutines send over one socket in both ways, while what they offer is taken in parts. Everything arrives once, and
// what one of them sent in its order; afterwards nothing waits and nobody writes.
func TestWriters(t *testing.T) {
	t.Parallel()
	const senders, each = 4, 500
	for seed := range uint64(5) {
		srv := newServer(t, Config{})
		out := &fickle{luck: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // it shall be the same again
		s := &socket{srv: srv, frames: srv.faultyFrames(out, "c1", func() {})}
		srv.sockets.Add(1) // as for a connection that is read
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for n := range each {
					frame := fmt.Appendf(nil, "%d %d", i, n)
					pass := s.Send
					if n%2 == 0 {
						pass = s.Queue
					}
					for !pass(frame) { // full
						s.Flush()
						time.Sleep(time.Millisecond)
					}
					if n%2 == 0 {
						s.Flush()
					}
				}
			})
		}
		all.Wait()
		srv.sockets.Done()
		srv.sockets.Wait()
		if s.queue != nil || s.writing || s.waiting != (load{}) || out.count() != senders*each {
			t.Fatalf("seed %d: %d frames were written, and %+v waits", seed, out.count(), s.waiting)
		}
		next := [senders]int{}
		for _, frame := range out.written {
			var i, n int
			if _, err := fmt.Sscan(string(frame), &i, &n); err != nil || n != next[i] {
				t.Fatalf("seed %d: %q came instead of %d of sender %d: %v", seed, frame, next[i], i, err)
			}
			next[i]++
		}
	}
}

// scripted is a framing whose client has said everything already. It notes what is written, and when.
type scripted struct {
	said    [][]byte
	heard   int
	reading func(n int)   // called before frame n is read
	pause   time.Duration // how long the first write takes, which nobody can begin without waiting
	gone    chan struct{}
	end     sync.Once

	mu      sync.Mutex
	written []time.Duration // after began
	began   time.Time
}

func (f *scripted) read() ([]byte, error) {
	if f.reading != nil {
		f.reading(f.heard)
	}
	f.heard++
	if len(f.said) == 0 {
		<-f.gone
		return nil, errClosed
	}
	frame := f.said[0]
	f.said = f.said[1:]
	return frame, nil
}

func (f *scripted) ready() bool { return f.heard > 1 && len(f.said) > 0 } // the login comes alone

func (f *scripted) begin(frames [][]byte) (rest func() error, err error) {
	return func() error { return f.write(frames) }, nil
}

func (f *scripted) write(frames [][]byte) error {
	time.Sleep(f.pause)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pause = 0
	for range frames {
		f.written = append(f.written, time.Since(f.began))
	}
	return nil
}

func (f *scripted) allow(int, time.Duration) {}
func (f *scripted) bye(int, string)          {}
func (f *scripted) cut()                     { f.end.Do(func() { close(f.gone) }) }

// talk serves a client that logs in and then says that many heartbeats at once, and returns when each answer was written.
func (f *scripted) talk(t *testing.T, srv *Server, beats int, meanwhile func(*socket)) []time.Duration {
	t.Helper()
	f.gone, f.began = make(chan struct{}), time.Now()
	f.said = [][]byte{login{user: "alice", resource: "web", token: srv.userToken(t, "alice", 600)}.frame(t)}
	for range beats {
		f.said = append(f.said, pack(t, msync.MSync_UNREAD, nil))
	}
	srv.serveSocket(f, func(rest func()) {
		for l := range srv.open {
			meanwhile(srv.open[l])
		}
		go rest()
	})
	time.Sleep(time.Minute)
	f.cut()
	srv.sockets.Wait()
	return f.written
}

// TestReaderKeepsUp: while another goroutine takes its time with writing, a client that says much is not heard further instead of being closed.
func TestReaderKeepsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const beats = 3 * queuedFrames
		f := new(scripted)
		written := f.talk(t, newServer(t, Config{}), beats, func(s *socket) {
			f.pause = time.Second
			s.Queue([]byte("a notice"))
			s.Flush()
		})
		if len(written) != 1+1+beats {
			t.Errorf("%d frames were written, want the answers to the login and %d beats and one more", len(written), beats)
		}
	})
}

// TestQueueIsBounded: what waits for a client that does not read is bounded in frames and in bytes, and one frame always has room.
func TestQueueIsBounded(t *testing.T) {
	for _, tt := range []struct{ size, fit int }{
		{1, queuedFrames}, {queuedBytes / queuedFrames, queuedFrames}, {queuedBytes/queuedFrames + 1, queuedFrames - 1},
		{maxFrame, queuedBytes / maxFrame}, {queuedBytes + 1, 1},
	} {
		s, n := new(socket), 0
		for frame := make([]byte, tt.size); n <= queuedFrames && s.Queue(frame); {
			n++
		}
		if n != tt.fit {
			t.Errorf("%d frames of %d bytes wait, want %d", n, tt.size, tt.fit)
		}
	}
	if queuedBytes+maxFrame > 1<<20 {
		t.Error("more than 1 MiB may wait")
	}
}

// TestFaultLetsAnswersGo: a fault that comes between two frames which arrived together, and takes the second one, does not keep back the answer
// to the first until the client speaks again.
func TestFaultLetsAnswersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, f := newServer(t, Config{}), new(scripted)
		f.reading = func(n int) {
			if n == 2 {
				if _, err := srv.AddFault(Fault{Target: FaultLink, Kind: "drop", Params: FaultParams{"direction": "in", "command": "any"}}); err != nil {
					t.Error(err)
				}
			}
		}
		if written := f.talk(t, srv, 2, func(*socket) {}); len(written) != 2 || written[1] != 0 {
			t.Errorf("answers were written after %v, want those to the login and to the first beat at once", written)
		}
	})
}

// TestCollect: a message of any length is read whole, however it comes, up to what it may have; what breaks off is no message.
func TestCollect(t *testing.T) {
	const most = maxFrame
	text := make([]byte, most+1)
	for i := range text {
		text[i] = byte(i * 7 >> 3)
	}
	for _, f := range []*binaryFrames{{most: most}, {most: maxLogin}} {
		for _, size := range []int{0, 1, len(piece{}) - 1, len(piece{}), len(piece{}) + 1, f.most - 1, f.most, f.most + 1} {
			for name, how := range map[string]func(io.Reader) io.Reader{
				"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "in halves": iotest.HalfReader, "its end with the last byte": iotest.DataErrReader,
			} {
				frame, err := f.collect(how(bytes.NewReader(text[:size])))
				switch {
				case size > f.most:
					if !errors.Is(err, errTooLarge) {
						t.Errorf("%d bytes of %d, %s: %v", size, f.most, name, err)
					}
				case err != nil || !bytes.Equal(frame, text[:size]) || cap(frame) != size:
					t.Errorf("%d bytes of %d, %s: %d, %v", size, f.most, name, len(frame), err)
				}
			}
			broken := io.MultiReader(bytes.NewReader(text[:min(size, f.most)]), iotest.ErrReader(io.ErrUnexpectedEOF))
			if _, err := f.collect(broken); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d bytes that break off: %v", size, err)
			}
		}
	}
}

package fakeserver

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// Connections in memory are written to by whoever waits for them; only real ones take a part of a write and refuse the rest.

// tight gives connections a small buffer, so that writes are taken in parts.
type tight struct{ net.Listener }

func (l tight) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		_ = conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
	}
	return conn, err
}

// overTCP is an emulator that listens, and its address.
func overTCP(t *testing.T, cfg Config) (*Server, string) {
	t.Helper()
	s := newServer(t, cfg)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(tight{l}, nil) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

// loggedIn is a WebSocket of a user, whose frames nobody reads yet.
func loggedIn(t *testing.T, s *Server, address, user string) *websocket.Conn {
	t.Helper()
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+address+"/websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_ = conn.NetConn().(*net.TCPConn).SetReadBuffer(16 << 10)
	_, _ = conn.NetConn().Write(masked(login{user: user, resource: "web", token: s.userToken(t, user, 3600)}.frame(t)))
	if _, _, err := conn.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	return conn
}

// masked is a client's binary frame, as a client of few scruples masks it: with zeros.
func masked(payload []byte) []byte {
	b := []byte{0x80 | websocket.BinaryMessage}
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload))) //nolint:gosec // below 126
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload))) //nolint:gosec // the tests' own
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// TestEveryByte: a user comes back to more than the connection holds, asks for all of it at once and hears the clock meanwhile. Whatever is
// written in parts, and by whom, each frame arrives whole, once, and in its order; who reads is not closed for having asked for much.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	const peers, each, pushes = 150, 40, 100
	s, address := overTCP(t, Config{})
	text := func(peer, n int) string { return fmt.Sprintf("%d of %d %s", n, peer, strings.Repeat("x", 37*n)) }
	var pulls []byte
	for p := range peers {
		name := fmt.Sprintf("peer%d", p)
		l := s.attached(t, name, "web")
		for n := range each {
			meta := chatMeta(t, uint64(n)+1, "bob", msync.TextBody("", "bob", text(p, n)), nil)
			l.receive(pack(t, msync.MSync_SYNC, &msync.CommSyncUL{Meta: meta}))
		}
		pulls = append(pulls, masked(pack(t, msync.MSync_SYNC, &msync.CommSyncUL{Queue: &msync.JID{Name: &name}}))...)
	}
	bob := loggedIn(t, s, address, "bob")
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { _, _ = bob.NetConn().Write(pulls) })
	others.Go(func() {
		for range pushes {
			s.TriggerWillExpire("bob")
			time.Sleep(time.Millisecond) // so that they come in between
		}
	})
	batches, pushed := 0, 0
	for batches < peers || pushed < pushes {
		_, raw, err := bob.ReadMessage()
		if err != nil {
			t.Fatalf("after %d batches and %d pushes: %v", batches, pushed, err)
		}
		m, err := msync.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if m.GetCommand() != msync.MSync_SYNC {
			pushed++
			continue
		}
		batch := new(msync.CommSyncDL)
		unpack(t, m, batch)
		got := texts(t, batch)
		for n := range got {
			if got[n] != text(batches, n) {
				t.Fatalf("message %d of %s reads %.40q", n, batch.GetQueue().GetName(), got[n])
			}
		}
		if len(got) != each {
			t.Fatalf("%d messages of %s", len(got), batch.GetQueue().GetName())
		}
		batches++
	}
	if pushed != pushes {
		t.Errorf("%d pushes, want %d", pushed, pushes)
	}
}

// TestManySmallFrames: who says much at once and reads the answers gets all of them.
func TestManySmallFrames(t *testing.T) {
	t.Parallel()
	s, address := overTCP(t, Config{})
	alice := loggedIn(t, s, address, "alice")
	const beats = 5 * queuedFrames
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		_, _ = alice.NetConn().Write(bytes.Repeat(masked(pack(t, msync.MSync_UNREAD, nil)), beats))
	})
	for i := range beats {
		if _, _, err := alice.ReadMessage(); err != nil {
			t.Fatalf("after %d of %d answers: %v", i, beats, err)
		}
	}
}

// TestUnusualFramesBehindUsual: a connection that has borrowed a wide reader gives it back only without anything in it. Frames of a kind that
// is read in another way were left behind in it, and read from it when it was another connection's.
func TestUnusualFramesBehindUsual(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		beat := masked(pack(t, msync.MSync_UNREAD, nil))
		burst := bytes.Repeat(beat, 2*lookAhead/len(beat))
		say := func(c *client, parts ...[]byte) {
			_, _ = c.conn.NetConn().Write(bytes.Join(parts, nil))
			c.take()
		}
		var want []string
		long := func(n uint64) []byte { // its length has 64 bits, where 16 would do
			want = append(want, strings.Repeat(fmt.Sprint(n), 1500))
			p := pack(t, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(t, n, "bob", msync.TextBody("", "bob", want[n-1]), nil)})
			b := binary.BigEndian.AppendUint64([]byte{0x80 | websocket.BinaryMessage, 0x80 | 127}, uint64(len(p)))
			return append(append(b, 0, 0, 0, 0), p...)
		}
		alice := w.login("alice", "web")
		say(alice, burst)
		say(alice, burst)                     // read with a wide reader
		alice.hold <- struct{}{}              // she reads one more answer
		say(alice, long(1), long(2), long(3)) // the third stays where it is while the answer to the second waits
		for i := range 8 {                    // who borrows wide readers and fills them
			say(w.login(fmt.Sprintf("other%d", i), "web"), burst, burst, bytes.Repeat(masked(frameOfSize(t, 400)), 19))
		}
		<-alice.hold
		alice.take()
		alice.wantOpen()
		bob := w.login("bob", "web")
		if diff := cmp.Diff(want, bob.drain("alice")); diff != "" {
			t.Errorf("what arrived is not what was written (-want +got):\n%.300s", diff)
		}
	})
}

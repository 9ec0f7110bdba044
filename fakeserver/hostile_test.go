package fakeserver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// TestSlowReaderHarmsNobody is fault test R11: one client of a hundred reads nothing. It is closed with a reason once half a megabyte or 256
// frames wait for it, and in all that time nobody else waits: their messages come through while the fake clock stands still. It costs at most
// 1 MiB more than a client that reads.
func TestSlowReaderHarmsNobody(t *testing.T) {
	costs := make(map[bool]int)
	for _, reads := range []bool{true, false} {
		inWorld(t, Config{JournalSize: 100}, func(t *testing.T, w *world) { costs[reads] = amongReaders(t, w, reads) })
	}
	more := costs[false] - costs[true]
	if more > 1<<20 {
		t.Errorf("a client that does not read costs %d bytes more", more)
	}
	t.Logf("a client that does not read costs %d KiB more", more>>10)
}

// amongReaders lets 99 clients talk beside one that may not read, and returns the bytes that this took.
func amongReaders(t *testing.T, w *world, reads bool) int {
	slow := w.login("slow", "web")
	if !reads {
		slow.hold <- struct{}{}
	}
	var others []*client
	for i := range 99 {
		others = append(others, w.login(fmt.Sprintf("user%d", i), "web"))
	}
	began, before := time.Now(), held()
	for n := range 4 * queuedFrames {
		from := n % len(others)
		to := (from + 1) % len(others)
		others[from].say(uint64(n)+1, fmt.Sprintf("user%d", to), "hello")
		others[to].take() // the notice
		if got := others[to].drain(fmt.Sprintf("user%d", from)); len(got) != 1 {
			t.Fatalf("%d messages came through in round %d", len(got), n)
		}
		w.srv.TriggerWillExpire("slow")
		others[from].post(uint64(n)+1<<32, "slow", msync.TextBody("", "slow", "hello"), nil)
		others[from].take()
	}
	if waited := time.Since(began); waited != 0 {
		t.Errorf("the others waited %v", waited)
	}
	took := held() - before
	if !reads {
		<-slow.hold
		slow.wantClosed(closeTryAgainSoon)
	}
	return took
}

// held is how many bytes are in use.
func held() int {
	runtime.GC()
	runtime.GC() // what pools keep goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse) //nolint:gosec // far below
}

// TestSlowLoris is fault test R12: 5,000 sockets that trickle a byte a second before their login are all gone after ten seconds, logins work
// meanwhile, and nothing stays behind. BenchmarkSlowLoris has real sockets.
func TestSlowLoris(t *testing.T) {
	inWorld(t, Config{JournalSize: 100}, func(t *testing.T, w *world) {
		trickle(t, w) // goroutines that have ended leave something of theirs to the next ones, so the second time counts
		used, goroutines := held(), runtime.NumGoroutine()
		trickle(t, w)
		after := held() // it stops the world, and a goroutine that is just being put away is counted until then
		if n := runtime.NumGoroutine(); n > goroutines+5 {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if after > used*11/10+1<<20 {
			t.Errorf("%d bytes are in use, %d before", after, used)
		}
		t.Logf("%d KiB are in use, %d before", after>>10, used>>10)
	})
}

// trickle opens lorisSockets connections that write a byte a second, half of them not even a whole request, and waits for their end.
func trickle(t *testing.T, w *world) {
	var open atomic.Int64
	for i := range lorisSockets {
		conn, err := w.net.DialContext(t.Context(), "tcp", "chat:80")
		if err != nil {
			t.Fatal(err)
		}
		open.Add(1)
		text := "GET /websocket HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		if i%2 == 0 {
			text = strings.Repeat("GET / HTTP/1.1\r\nX: ", 10)
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		go func() {
			defer open.Add(-1)
			defer conn.Close()
			if i%2 == 1 {
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
				text = string([]byte{0x82, 0xfe, 0x01, 0x00}) + strings.Repeat("x", 100)
			}
			for _, b := range []byte(text) {
				time.Sleep(time.Second)
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
			}
		}()
	}
	time.Sleep(5 * time.Second)
	began := time.Now()
	w.login("alice", "web").leave()
	if waited := time.Since(began); waited != 0 {
		t.Errorf("a login waited %v", waited)
	}
	time.Sleep(6 * time.Second)
	synctest.Wait()
	if n := open.Load(); n != 0 {
		t.Errorf("%d of %d sockets are open after 11 s", n, lorisSockets)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
}

// wsFrame is a client's frame with every part as it is given; the mask is zero.
func wsFrame(first byte, length []byte, masked bool, payload []byte) []byte {
	b := []byte{first}
	if masked {
		length[0] |= 0x80
	}
	b = append(b, length...)
	if masked {
		b = append(b, 0, 0, 0, 0)
	}
	return append(b, payload...)
}

// allocated is how many bytes have been allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestHostileFrames is fault test R13: what breaks RFC 6455 ends the connection with the code that is due, and costs at most 64 KiB, those of
// the test's own client included.
func TestHostileFrames(t *testing.T) {
	long := func(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{127}, n) }
	for name, tt := range map[string]struct {
		frame []byte
		code  int
	}{
		"2^31 bytes":               {wsFrame(0x82, long(1<<31), true, nil), websocket.CloseMessageTooBig},
		"2^63-1 bytes":             {wsFrame(0x82, long(1<<63-1), true, nil), websocket.CloseMessageTooBig},
		"2^63 bytes":               {wsFrame(0x82, long(1<<63), true, nil), websocket.CloseMessageTooBig},
		"reserved bit 1":           {wsFrame(0xc2, []byte{1}, true, []byte{0}), websocket.CloseProtocolError},
		"reserved bits 2 and 3":    {wsFrame(0xb2, []byte{1}, true, []byte{0}), websocket.CloseProtocolError},
		"unknown opcode":           {wsFrame(0x83, []byte{1}, true, []byte{0}), websocket.CloseProtocolError},
		"unmasked":                 {wsFrame(0x82, []byte{1}, false, []byte{0}), websocket.CloseProtocolError},
		"long control frame":       {wsFrame(0x89, []byte{126, 0, 126}, true, make([]byte, 126)), websocket.CloseProtocolError},
		"fragmented control":       {wsFrame(0x09, []byte{0}, true, nil), websocket.CloseProtocolError},
		"continuation of nothing":  {wsFrame(0x80, []byte{0}, true, nil), websocket.CloseProtocolError},
		"a close with bad UTF-8":   {wsFrame(0x88, []byte{3}, true, []byte{3, 0xe8, 0xff}), websocket.CloseProtocolError},
		"a new message inside one": {append(wsFrame(0x02, []byte{0}, true, nil), wsFrame(0x02, []byte{0}, true, nil)...), websocket.CloseProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				c := w.login("alice", "web")
				before := allocated()
				if _, err := c.conn.UnderlyingConn().Write(tt.frame); err != nil && !errors.Is(err, io.ErrClosedPipe) {
					t.Fatal(err)
				}
				c.wantClosed(tt.code)
				if cost := allocated() - before; cost > 64<<10 {
					t.Errorf("it costs %d bytes", cost)
				}
				if n := len(w.srv.hub.links("")); n != 0 {
					t.Errorf("%d links are left", n)
				}
			})
		})
	}
}

// TestEndlessFragments: a message in ever more fragments is ended at the limit of a frame. It costs what a frame may have, and little more.
func TestEndlessFragments(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		frame := wsFrame(0x02, []byte{126, 0x04, 0x00}, true, make([]byte, 1<<10))
		sent, before := 0, allocated()
		for ; ; frame[0] = 0 {
			n, err := c.conn.UnderlyingConn().Write(frame)
			sent += n
			if err != nil || sent > 10*maxFrame {
				break
			}
		}
		if sent > 2*maxFrame {
			t.Errorf("%d bytes of one message were taken", sent)
		}
		c.wantClosed(websocket.CloseMessageTooBig)
		if cost := allocated() - before; cost > maxFrame+8<<10 {
			t.Errorf("it costs %d bytes", cost)
		}
	})
}

// TestPingFlood: pings are answered as long as somebody reads the answers, and keep no memory when nobody does.
func TestPingFlood(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		pongs := 0
		c.conn.SetPongHandler(func(string) error { pongs++; return nil })
		ping := wsFrame(0x89, []byte{4}, true, []byte("ping"))
		for range 1000 {
			if _, err := c.conn.UnderlyingConn().Write(ping); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if pongs != 1000 {
			t.Errorf("%d of 1000 pings were answered", pongs)
		}
		c.send(msync.MSync_UNREAD, nil)
		c.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))

		c.hold <- struct{}{}
		w.srv.TriggerWillExpire("alice") // the client's read ends with it
		synctest.Wait()
		var before int
		for n := range 21_000 {
			if n == 1000 { // what the first ones need is there
				synctest.Wait()
				before = held()
			}
			if _, err := c.conn.UnderlyingConn().Write(ping); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if more := held() - before; more > 64<<10 {
			t.Errorf("%d bytes are kept for answers that nobody reads", more)
		}
		<-c.hold
		synctest.Wait()
		if pongs != 1000 {
			t.Errorf("%d pings of a client that did not read were answered", pongs-1000)
		}
	})
}

// TestMalformedProtobuf is fault test R14: 100,000 damaged frames, and ones nested or stretched on purpose, before and after the login.
// None does harm.
func TestMalformedProtobuf(t *testing.T) {
	s := newServer(t, Config{JournalSize: 100})
	token := s.userToken(t, "alice", 3600)
	nested := []byte{}
	for range 10_000 { // an extension inside an extension
		nested = msyncField(0x0a, nested)
		if len(nested) > maxFrame {
			break
		}
	}
	seeds := [][]byte{
		login{user: "alice", resource: "web", token: token}.frame(t),
		pack(t, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(t, 1, "bob", msync.TextBody("", "bob", "hello"), nil)}),
		pack(t, msync.MSync_SYNC, &msync.CommSyncUL{Queue: &msync.JID{Name: new("bob")}, Key: new(uint64(7))}),
		pack(t, msync.MSync_UNREAD, nil),
		append([]byte{0x40, 0x00}, msyncField(0x4a, msyncField(0x0a, nested))...),
		{0x40, 0x00, 0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00},
	}
	luck := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // must be repeatable
	l := s.attached(t, "alice", "web")
	for n := range 100_000 {
		frame := bytes.Clone(seeds[n%len(seeds)])
		if len(frame) > 1000 && n%600 != 4 {
			frame = frame[:luck.IntN(1000)]
		}
		for range 1 + luck.IntN(3) {
			switch at := luck.IntN(len(frame) + 1); luck.IntN(3) {
			case 0:
				frame = frame[:at]
			case 1:
				frame = append(frame[:at:at], append([]byte{byte(luck.IntN(256)), 0xff}, frame[at:]...)...) //nolint:gosec // any byte will do
			default:
				if at < len(frame) {
					frame[at] = byte(luck.IntN(256)) //nolint:gosec // as above
				}
			}
		}
		if n%2 == 0 {
			s.newLink(new(tape)).receive(frame)
			continue
		}
		if l.closing.Load() {
			l.ended("test")
			l = s.attached(t, "alice", "web")
		}
		l.receive(frame)
		l.wire.(*tape).frames = nil
	}
}

// msyncField is a field with a length.
func msyncField(tag byte, content []byte) []byte {
	return append(binary.AppendUvarint([]byte{tag}, uint64(len(content))), content...)
}

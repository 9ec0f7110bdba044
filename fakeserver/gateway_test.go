package fakeserver

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// garbage is no protobuf message: a field that is cut off.
var garbage = []byte{0x0a, 0xff}

// frameOfSize is an UNREAD frame of exactly that many bytes.
func frameOfSize(t testing.TB, size int) []byte {
	t.Helper()
	m := &msync.MSync{Command: msync.MSync_UNREAD.Enum(), UserAgent: new("")}
	for agent := size; agent >= 0; agent-- {
		m.UserAgent = new(strings.Repeat("a", agent))
		if raw := marshal(t, m); len(raw) <= size {
			if len(raw) < size {
				t.Fatalf("no frame has %d bytes", size)
			}
			return raw
		}
	}
	return nil
}

// TestBadFrames says with which close code the gateway ends a connection that does not speak as it should.
func TestBadFrames(t *testing.T) {
	badProvision := &msync.MSync{Command: msync.MSync_PROVISION.Enum(), Payload: garbage}
	badSync := &msync.MSync{Command: msync.MSync_SYNC.Enum(), Payload: garbage}
	for name, tt := range map[string]struct {
		loggedIn bool
		kind     int
		frame    func(t testing.TB, w *world) []byte
		code     int
	}{
		"sync before login":              {false, 2, func(t testing.TB, _ *world) []byte { return pack(t, msync.MSync_SYNC, nil) }, closePolicy},
		"unread before login":            {false, 2, func(t testing.TB, _ *world) []byte { return pack(t, msync.MSync_UNREAD, nil) }, closePolicy},
		"logout before login":            {false, 2, func(t testing.TB, _ *world) []byte { return pack(t, msync.MSync_LOGOUT, nil) }, closePolicy},
		"unknown command before login":   {false, 2, func(t testing.TB, _ *world) []byte { return pack(t, 99, nil) }, closePolicy},
		"an empty frame before login":    {false, 2, func(testing.TB, *world) []byte { return nil }, closePolicy},
		"garbage before login":           {false, 2, func(testing.TB, *world) []byte { return garbage }, closeInvalid},
		"garbage":                        {true, 2, func(testing.TB, *world) []byte { return garbage }, closeInvalid},
		"a provision of garbage":         {false, 2, func(t testing.TB, _ *world) []byte { return marshal(t, badProvision) }, closeInvalid},
		"a sync of garbage":              {true, 2, func(t testing.TB, _ *world) []byte { return marshal(t, badSync) }, closeInvalid},
		"text before login":              {false, 1, func(testing.TB, *world) []byte { return []byte("hello") }, closeUnsupported},
		"text":                           {true, 1, func(testing.TB, *world) []byte { return []byte("hello") }, closeUnsupported},
		"a large frame before login":     {false, 2, func(t testing.TB, _ *world) []byte { return frameOfSize(t, 16<<10) }, closePolicy},
		"too large a frame before login": {false, 2, func(t testing.TB, _ *world) []byte { return frameOfSize(t, 16<<10+1) }, websocket.CloseMessageTooBig},
		"too large a frame":              {true, 2, func(t testing.TB, _ *world) []byte { return frameOfSize(t, 64<<10+1) }, websocket.CloseMessageTooBig},
		"a second provision": {true, 2, func(t testing.TB, w *world) []byte {
			return login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)}.frame(t)
		}, closePolicy},
		"logout": {true, 2, func(t testing.TB, _ *world) []byte { return pack(t, msync.MSync_LOGOUT, &msync.Logout{}) }, closeNormal},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				c := w.dial()
				if tt.loggedIn {
					c = w.login("alice", "web")
				}
				c.write(tt.kind, tt.frame(t, w))
				c.quiet()
				c.wantClosed(tt.code)
				if n := len(w.srv.hub.links("")); n != 0 {
					t.Errorf("%d links are left", n)
				}
				if tt.loggedIn {
					if e := w.only(SessionClosed); e.Reason == "" || e.User != "alice" {
						t.Errorf("the journal has %+v", e)
					}
				}
			})
		})
	}
}

// TestLargestFrame: a frame of exactly the limit is read.
func TestLargestFrame(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		c.write(websocket.BinaryMessage, frameOfSize(t, 64<<10))
		c.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))
		c.wantOpen()
	})
}

// TestUnsimulated: what the emulator does not play gets a clear status, and the connection lives on.
func TestUnsimulated(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		for _, tt := range []struct {
			cmd     msync.MSync_Command
			payload *msync.CommSyncUL
			want    *msync.CommSyncDL
		}{
			{msync.MSync_NOTICE, nil, &msync.CommSyncDL{Status: status(msync.Status_UNKNOWN_COMMAND, "this command is not simulated")}},
			{99, nil, &msync.CommSyncDL{Status: status(msync.Status_UNKNOWN_COMMAND, "this command is not simulated")}},
			{msync.MSync_SYNC, nil, &msync.CommSyncDL{Status: status(msync.Status_MISSING_PARAMETER, "neither a message nor a queue")}},
			{
				msync.MSync_SYNC, &msync.CommSyncUL{Meta: &msync.Meta{Id: new(uint64(7)), Ns: msync.Meta_MUC.Enum()}},
				&msync.CommSyncDL{Status: status(msync.Status_FAIL, "MUC is not simulated"), MetaId: new(uint64(7))},
			},
		} {
			if tt.payload == nil {
				tt.payload = &msync.CommSyncUL{}
			}
			c.send(tt.cmd, tt.payload)
			got := new(msync.CommSyncDL)
			c.one(msync.MSync_SYNC, got)
			if diff := cmp.Diff(tt.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("%v (-want +got):\n%s", tt.cmd, diff)
			}
		}
		c.wantOpen()
	})
}

// TestNoLogin: a connection has ten seconds to log in, however much it trickles in.
func TestNoLogin(t *testing.T) {
	for name, trickle := range map[string]bool{"silent": false, "slow": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				c := w.dial()
				if trickle { // the header of a frame that never comes, a byte at a time
					go func() {
						for _, b := range []byte{0x82, 0xfe, 0x03, 0xe8} {
							time.Sleep(3 * time.Second)
							if _, err := c.conn.UnderlyingConn().Write([]byte{b}); err != nil {
								return
							}
						}
					}()
				}
				time.Sleep(provisionTimeout - time.Nanosecond)
				c.wantOpen()
				time.Sleep(time.Nanosecond)
				c.wantClosed(websocket.CloseAbnormalClosure)
				time.Sleep(3 * time.Second) // the trickle ends
			})
		})
	}
}

// TestSilence: a logged-in client may be silent for five minutes; any frame gives it five more.
func TestSilence(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		time.Sleep(silenceTimeout - time.Second)
		c.send(msync.MSync_UNREAD, nil)
		time.Sleep(silenceTimeout - time.Second)
		c.wantOpen()
		time.Sleep(time.Second)
		c.wantClosed(websocket.CloseAbnormalClosure)
		if e := w.only(SessionClosed); e.Reason != "the client was silent for too long" {
			t.Errorf("the journal has %+v", e)
		}
	})
}

// TestClientEnds: what the journal says when the emulator did not end the connection.
func TestClientEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(c *client)
		want string
	}{
		"close frame": {func(c *client) {
			message := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			_ = c.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
		}, "the client closed"},
		"cut": {func(c *client) { _ = c.conn.Close() }, "the connection was cut"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				tt.end(w.login("alice", "web"))
				if e := w.only(SessionClosed); e.Reason != tt.want || e.Device != "web" || e.Session == "" {
					t.Errorf("the journal has %+v, want the reason %q", e, tt.want)
				}
				if _, online, _ := w.srv.hub.find("alice"); online {
					t.Error("still online")
				}
			})
		})
	}
}

// TestDeafClient: a client that does not answer the close frame is not waited for.
func TestDeafClient(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		c.conn.SetCloseHandler(func(int, string) error { return nil })
		c.send(msync.MSync_LOGOUT, nil)
		c.wantClosed(closeNormal) // what the client saw
		if got := w.srv.entries(SessionClosed); got != nil {
			t.Errorf("the session ended before its time: %+v", got)
		}
		time.Sleep(lingerTimeout)
		w.only(SessionClosed)
	})
}

// TestSlowReader: a client that does not read is closed once its queue is full, and nobody waits for it.
func TestSlowReader(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.dial()
		c.provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
		c.hold <- struct{}{}
		for range 4 * queuedFrames { // some of them fit into the client's own buffer
			w.srv.TriggerExpire("alice")
		}
		synctest.Wait()
		if n := w.srv.TriggerExpire("alice"); n != 0 {
			t.Errorf("%d connections are open", n)
		}
		<-c.hold
		c.wantClosed(closeTryAgainSoon)
		if e := w.only(SessionClosed); e.Reason != "the client does not read" {
			t.Errorf("the journal has %+v", e)
		}
		if n := len(c.take()); n < queuedFrames {
			t.Errorf("only %d frames arrived", n)
		}
	})
}

// TestDeafSender: who sends and does not read the answers keeps nobody from hearing of the messages.
func TestDeafSender(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		alice.hold <- struct{}{}
		for n, name := range []string{"bob", "carol"} {
			c := w.login(name, "web")
			alice.post(uint64(n+1), name, msync.TextBody("", name, "hello"), nil)
			synctest.Wait()
			if got := c.noticed(); len(got) != 1 {
				t.Errorf("%s is told of %d queues", name, len(got))
			}
		}
		if n := len(alice.take()); n != 1 { // the one that it was waiting for already
			t.Errorf("alice has read %d answers", n)
		}
		<-alice.hold
		synctest.Wait()
		if n := len(alice.take()); n != 1 {
			t.Errorf("the other answer came %d times", n)
		}
	})
}

func TestCloseText(t *testing.T) {
	long := strings.Repeat("a", 122)
	for in, want := range map[string]string{"": "", "bye": "bye", long + "éé": long, long + "bc": long + "b", long[1:] + "éé": long[1:] + "é"} {
		if got := closeText(in); got != want {
			t.Errorf("closeText(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestBegin offers a connection over TCP more than it takes without waiting. What is left is written later, nothing gets in between, and all of
// it arrives as it was.
func TestBegin(t *testing.T) {
	t.Parallel()
	whole := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	const most = 1000
	sent, closed := make(chan int, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		f := newBinaryFrames(conn, bufio.NewReader(conn.NetConn()))
		for n := 1; n <= most; n++ {
			rest, err := f.begin([][]byte{whole, []byte("end")})
			if err != nil {
				t.Error(err)
				break
			}
			if rest == nil {
				continue
			}
			_ = f.pong("not in between")
			sent <- n // and now the client reads
			if err := rest(); err != nil {
				t.Error(err)
			}
			if err := f.write([][]byte{[]byte("last")}); err != nil {
				t.Error(err)
			}
			<-closed
			return
		}
		close(sent)
	}))
	defer server.Close()
	conn, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	defer conn.Close()
	defer close(closed)
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	n := <-sent
	if n == 0 {
		t.Fatalf("%d times 64 KiB went into a connection that nobody reads", most)
	}
	want := []string{}
	for range n {
		want = append(want, string(whole), "end")
	}
	for i, want := range append(want, "last") {
		if _, got, err := conn.ReadMessage(); err != nil || string(got) != want {
			t.Fatalf("message %d of %d has %d bytes: %v", i, 2*n+1, len(got), err)
		}
	}
}

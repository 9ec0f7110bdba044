package fakeserver

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// client speaks MSync frame by frame over a WebSocket; it has no opinion on what should come next.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	done chan struct{} // closed when reading has ended
	hold chan struct{} // filled by a test that wants the client to stop reading

	mu    sync.Mutex
	inbox []*msync.MSync
	end   error
}

// dial opens a connection that has said nothing yet.
func (w *world) dial() *client {
	w.t.Helper()
	dialer := websocket.Dialer{NetDialContext: w.net.DialContext}
	conn, resp, err := dialer.DialContext(w.t.Context(), "ws://chat/websocket", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	c := &client{t: w.t, conn: conn, done: make(chan struct{}), hold: make(chan struct{}, 1)}
	go c.read()
	w.t.Cleanup(func() {
		_ = conn.Close()
		<-c.done
	})
	return c
}

func (c *client) read() {
	defer close(c.done)
	for {
		c.hold <- struct{}{}
		<-c.hold
		_, raw, err := c.conn.ReadMessage()
		m := new(msync.MSync)
		if err == nil {
			m, err = msync.Decode(raw)
		}
		c.mu.Lock()
		if err != nil {
			c.end = err
			c.mu.Unlock()
			return
		}
		c.inbox = append(c.inbox, m)
		c.mu.Unlock()
	}
}

// write sends a WebSocket message. That it fails is no error here: the emulator may have closed already.
func (c *client) write(kind int, raw []byte) { _ = c.conn.WriteMessage(kind, raw) }

func (c *client) send(cmd msync.MSync_Command, payload proto.Message) {
	c.t.Helper()
	c.write(websocket.BinaryMessage, pack(c.t, cmd, payload))
}

// take waits until nothing moves and returns the frames that have arrived since the last take.
func (c *client) take() []*msync.MSync {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.inbox
	c.inbox = nil
	return frames
}

// quiet fails the test when a frame has arrived.
func (c *client) quiet() {
	c.t.Helper()
	for _, m := range c.take() {
		c.t.Errorf("unexpected frame: %s", msync.Line(msync.Out, m))
	}
}

// one reads the payload of the single frame that has arrived.
func (c *client) one(cmd msync.MSync_Command, into proto.Message) {
	c.t.Helper()
	frames := c.take()
	if len(frames) != 1 || frames[0].GetCommand() != cmd {
		c.t.Fatalf("got %v, want one %v", lines(frames), cmd)
	}
	unpack(c.t, frames[0], into)
}

// closed returns the close code and text that ended the connection.
func (c *client) closed() (int, string) {
	c.t.Helper()
	time.Sleep(goodbyePause)
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := errors.AsType[*websocket.CloseError](c.end); ok {
		return e.Code, e.Text
	}
	c.t.Fatalf("not closed: %v", c.end)
	return 0, ""
}

func (c *client) wantClosed(code int) {
	c.t.Helper()
	if got, text := c.closed(); got != code {
		c.t.Errorf("closed with %d %q, want %d", got, text, code)
	}
}

func (c *client) wantOpen() {
	c.t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.t.Errorf("the connection has ended: %v", c.end)
	}
}

// leave cuts the connection as a lost network does, and waits until the emulator has noticed.
func (c *client) leave() {
	_ = c.conn.Close()
	synctest.Wait()
}

// login is a provision request; its zero fields are filled in.
type login struct {
	user, resource, token string
	change                func(m *msync.MSync, p *msync.Provision)
}

// frame is the request as the Web SDK 1.4.0 writes it (protocol.md b.2).
func (l login) frame(t testing.TB) []byte {
	t.Helper()
	presented := "$t$" + l.token
	authToken, err := msync.EncodeAuthToken(msync.AuthToken{Token: presented})
	if err != nil {
		t.Fatal(err)
	}
	p := &msync.Provision{
		OsType: msync.Provision_OS_OTHER.Enum(), Version: new("1.4.0"), DeviceUuid: new("uuid of " + l.resource), DeviceName: new("webim"),
		Resource: &l.resource, ActionVersion: new("v5.1"), AuthToken: authToken, SessionId: new("1700000000000:"),
	}
	m := &msync.MSync{
		Command: msync.MSync_PROVISION.Enum(), Guid: msync.NewJID(DemoOrg+"#"+DemoApp, l.user, l.resource), Auth: &presented,
	}
	if l.change != nil {
		l.change(m, p)
	}
	if m.Payload == nil {
		m.Payload = marshal(t, p)
	}
	return marshal(t, m)
}

// provision logs in and returns the answer.
func (c *client) provision(l login) *msync.Provision {
	c.t.Helper()
	c.write(websocket.BinaryMessage, l.frame(c.t))
	reply := new(msync.Provision)
	c.one(msync.MSync_PROVISION, reply)
	return reply
}

// login connects a device with a token of 1,000 seconds.
func (w *world) login(user, resource string) *client {
	w.t.Helper()
	c := w.dial()
	reply := c.provision(login{user: user, resource: resource, token: w.srv.userToken(w.t, user, 1000)})
	if reply.GetStatus().GetErrorCode() != msync.Status_OK {
		w.t.Fatalf("%s on %s: %v", user, resource, reply.GetStatus())
	}
	return c
}

// post sends a message without looking at the answer.
func (c *client) post(id uint64, to string, body *msync.MessageBody, change func(*msync.Meta)) {
	c.t.Helper()
	c.send(msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(c.t, id, to, body, change)})
}

// say sends a text and returns the answer, which must be the only frame.
func (c *client) say(id uint64, to, text string) *msync.CommSyncDL {
	c.t.Helper()
	c.post(id, to, msync.TextBody("", to, text), nil)
	answer := new(msync.CommSyncDL)
	c.one(msync.MSync_SYNC, answer)
	return answer
}

// noticed returns the queues of the notices that have arrived; any other frame fails the test.
func (c *client) noticed() []string {
	c.t.Helper()
	var peers []string
	for _, m := range c.take() {
		if m.GetCommand() != msync.MSync_NOTICE {
			c.t.Errorf("unexpected frame: %s", msync.Line(msync.Out, m))
			continue
		}
		notice := new(msync.CommNotice)
		unpack(c.t, m, notice)
		peers = append(peers, notice.GetQueue().GetName())
	}
	return peers
}

// pull asks for a queue, confirming up to key when it is above 0.
func (c *client) pull(peer string, key uint64) *msync.CommSyncDL {
	c.t.Helper()
	up := &msync.CommSyncUL{Queue: &msync.JID{Name: &peer}}
	if key > 0 {
		up.Key = &key
	}
	c.send(msync.MSync_SYNC, up)
	batch := new(msync.CommSyncDL)
	c.one(msync.MSync_SYNC, batch)
	checkBatch(c.t, batch, peer)
	return batch
}

// drain pulls a queue to its end, confirming everything, and returns the texts.
func (c *client) drain(peer string) []string {
	c.t.Helper()
	var got []string
	for key := uint64(0); ; {
		batch := c.pull(peer, key)
		if batch.GetIsLast() {
			return got
		}
		if batch.GetNextKey() == key {
			c.t.Fatalf("the key %d came twice", key)
		}
		key = batch.GetNextKey()
		got = append(got, texts(c.t, batch)...)
	}
}

// checkBatch holds every batch to the rules of protocol.md c.
func checkBatch(t testing.TB, b *msync.CommSyncDL, peer string) {
	t.Helper()
	if b.Status == nil || b.GetStatus().GetErrorCode() != msync.Status_OK {
		t.Errorf("a batch with the status %v", b.Status)
	}
	want := msync.NewJID(DemoOrg+"#"+DemoApp, peer, "")
	if diff := cmp.Diff(want, b.GetQueue(), protocmp.Transform()); diff != "" {
		t.Errorf("the queue of a batch (-want +got):\n%s", diff)
	}
	if b.IsLast == nil || b.GetIsLast() != (len(b.GetMetas()) == 0) || len(b.GetMetas()) > batchSize {
		t.Errorf("is_last %v with %d metas", b.IsLast, len(b.GetMetas()))
	}
	if (b.NextKey != nil) != (len(b.GetMetas()) > 0) || b.MetaId != nil {
		t.Errorf("next_key %v, meta_id %v with %d metas", b.NextKey, b.MetaId, len(b.GetMetas()))
	}
}

func chatMeta(t testing.TB, id uint64, to string, body *msync.MessageBody, change func(*msync.Meta)) *msync.Meta {
	t.Helper()
	m := &msync.Meta{Id: &id, To: &msync.JID{Name: &to}, Ns: msync.Meta_CHAT.Enum(), Payload: marshal(t, body)}
	if change != nil {
		change(m)
	}
	return m
}

// texts returns the texts of a batch's messages, or what else they are.
func texts(t testing.TB, b *msync.CommSyncDL) []string {
	t.Helper()
	var got []string
	for _, m := range b.GetMetas() {
		body := bodyOf(t, m)
		text, ok := msync.Text(body)
		if !ok {
			text = body.GetType().String()
		}
		got = append(got, text)
	}
	return got
}

func bodyOf(t testing.TB, m *msync.Meta) *msync.MessageBody {
	t.Helper()
	body := new(msync.MessageBody)
	if err := proto.Unmarshal(m.GetPayload(), body); err != nil {
		t.Fatal(err)
	}
	return body
}

func pack(t testing.TB, cmd msync.MSync_Command, payload proto.Message) []byte {
	t.Helper()
	m, err := msync.Pack(cmd, payload)
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, m)
}

func unpack(t testing.TB, m *msync.MSync, into proto.Message) {
	t.Helper()
	if err := msync.Payload(m, into); err != nil {
		t.Fatal(err)
	}
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lines(frames []*msync.MSync) []string {
	var got []string
	for _, m := range frames {
		got = append(got, msync.Line(msync.Out, m))
	}
	return got
}

// numbered makes the texts "0" to "n-1".
func numbered(from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

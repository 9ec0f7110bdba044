package fakeserver

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// TestSend: the answer repeats the local id, and the receiver gets the same server id and time (protocol.md c, "Send").
func TestSend(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "phone")
		time.Sleep(90 * time.Second)
		got := alice.say(7, "bob", "hello")
		want := &msync.CommSyncDL{
			Status: okStatus(), MetaId: new(uint64(7)), ServerId: got.ServerId, Timestamp: new(millis(w.start.Add(90 * time.Second))),
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || got.GetServerId() == 0 {
			t.Errorf("the answer (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"alice"}, bob.noticed()); diff != "" {
			t.Errorf("bob's notices (-want +got):\n%s", diff)
		}
		batch := bob.pull("alice", 0)
		if len(batch.GetMetas()) != 1 {
			t.Fatalf("got %v", batch)
		}
		key := DemoOrg + "#" + DemoApp
		body := msync.TextBody("alice", "bob", "hello")
		body.From, body.To = msync.NewJID(key, "alice", ""), msync.NewJID(key, "bob", "")
		meta := &msync.Meta{
			Id: got.ServerId, Timestamp: got.Timestamp, From: msync.NewJID(key, "alice", "web"), To: msync.NewJID(key, "bob", ""),
			Ns: msync.Meta_CHAT.Enum(), Payload: batch.GetMetas()[0].GetPayload(),
		}
		if diff := cmp.Diff(meta, batch.GetMetas()[0], protocmp.Transform()); diff != "" {
			t.Errorf("the meta (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(body, bodyOf(t, batch.GetMetas()[0]), protocmp.Transform()); diff != "" {
			t.Errorf("the body (-want +got):\n%s", diff)
		}
		alice.quiet()
	})
}

// TestSenderIsProven: whoever a client says it is, receivers learn who it logged in as; what the schema does not know survives.
func TestSenderIsProven(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "phone")
		body := msync.TextBody("mallory", "carol", "trust me")
		unknown := protowire.AppendString(protowire.AppendTag(nil, 18, protowire.BytesType), "from a newer SDK")
		body.ProtoReflect().SetUnknown(unknown)
		ext := &msync.KeyValue{Key: new("k"), Type: msync.KeyValue_STRING.Enum(), StringValue: new("v")}
		body.Ext = []*msync.KeyValue{ext}
		alice.post(1, "bob", body, func(m *msync.Meta) {
			m.From, m.Timestamp = &msync.JID{Name: new("mallory")}, new(uint64(1))
			m.Ext, m.Meta = []*msync.KeyValue{ext}, []byte(`{"is_online":1}`)
		})
		bob.take()
		meta := bob.pull("alice", 0).GetMetas()[0]
		got := bodyOf(t, meta)
		if meta.GetFrom().GetName() != "alice" || got.GetFrom().GetName() != "alice" || got.GetTo().GetName() != "bob" {
			t.Errorf("from %v, body from %v to %v", meta.GetFrom(), got.GetFrom(), got.GetTo())
		}
		if meta.GetTimestamp() != millis(w.start) || meta.GetId() == 1 {
			t.Errorf("the sender chose id %d or time %d", meta.GetId(), meta.GetTimestamp())
		}
		if !slices.Equal(got.ProtoReflect().GetUnknown(), unknown) {
			t.Errorf("unknown fields became %x", got.ProtoReflect().GetUnknown())
		}
		if got.GetContents()[0].SubType != nil {
			t.Error("a sub_type makes a combined message of a text")
		}
		if len(meta.GetExt()) != 1 || len(got.GetExt()) != 1 || string(meta.GetMeta()) != `{"is_online":1}` {
			t.Errorf("extensions were lost: %v", meta)
		}
	})
}

// TestSendRefused has the statuses of protocol.md d.5 for sends; nothing of it is stored, and the connection lives on.
func TestSendRefused(t *testing.T) {
	group := &msync.MessageBody{Type: msync.MessageBody_GROUPCHAT.Enum()}
	room := &msync.MessageBody{Type: msync.MessageBody_CHATROOM.Enum()}
	text := msync.TextBody("", "bob", "hello")
	large := msync.TextBody("", "bob", strings.Repeat("a", 5<<10+512))
	for name, tt := range map[string]struct {
		cfg    Config
		to     string
		body   *msync.MessageBody
		change func(*msync.Meta)
		code   msync.Status_ErrorCode
		reason string
	}{
		"group":            {to: "123456789", body: group, code: msync.Status_FAIL, reason: "group not found"},
		"chat room":        {to: "123456789", body: room, code: msync.Status_FAIL, reason: "group not found"},
		"too large":        {to: "bob", body: large, code: msync.Status_PERMISSION_DENIED, reason: "Sorry, data is too large"},
		"unknown user":     {cfg: Config{ClosedRegistration: true, Users: []User{{Name: "alice"}}}, to: "bob", body: text, code: msync.Status_FAIL, reason: "user not found"},
		"no receiver":      {to: "", body: text, code: msync.Status_WRONG_PARAMETER, reason: "the receiver is no user id"},
		"hostile receiver": {to: "bob\x1b[2J", body: text, code: msync.Status_WRONG_PARAMETER, reason: "the receiver is no user id"},
		"unreadable body": {
			to: "bob", body: text, change: func(m *msync.Meta) { m.Payload = garbage },
			code: msync.Status_PB_PARSER_ERROR, reason: "the message body cannot be read",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tt.cfg, func(t *testing.T, w *world) {
				alice := w.login("alice", "web")
				alice.post(7, tt.to, tt.body, tt.change)
				got := new(msync.CommSyncDL)
				alice.one(msync.MSync_SYNC, got)
				want := &msync.CommSyncDL{Status: status(tt.code, tt.reason), MetaId: new(uint64(7))}
				if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
					t.Errorf("the answer (-want +got):\n%s", diff)
				}
				if got := w.srv.entries(MessageStored); got != nil {
					t.Errorf("it was stored: %+v", got)
				}
				alice.wantOpen()
			})
		})
	}
}

// TestLargestMessage: the documented 5 KB of text go through.
func TestLargestMessage(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		if got := alice.say(1, "bob", strings.Repeat("a", 5<<10)); got.GetStatus().GetErrorCode() != msync.Status_OK {
			t.Errorf("got %v", got)
		}
	})
}

// TestStatistics: a report of the client gets no answer (protocol.md c, "Login").
func TestStatistics(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		report := marshal(t, &msync.StatisticsBody{Operation: msync.StatisticsBody_INFORMATION.Enum()})
		alice.send(msync.MSync_SYNC, &msync.CommSyncUL{Meta: &msync.Meta{Id: new(uint64(1)), Ns: msync.Meta_STATISTIC.Enum(), Payload: report}})
		alice.quiet()
		alice.wantOpen()
	})
}

// TestUnread: the answer has the emulator's clock, and what waits for a user who was offline, once per connection.
func TestUnread(t *testing.T) {
	inWorld(t, Config{ClockOffset: time.Hour}, func(t *testing.T, w *world) {
		alice, carol := w.login("alice", "web"), w.login("carol", "web")
		for i, text := range numbered(0, 3) {
			alice.say(uint64(i)+1, "bob", text)
		}
		carol.say(1, "bob", "hi")
		bob := w.login("bob", "phone")
		ask := func() *msync.CommUnreadDL {
			bob.send(msync.MSync_UNREAD, nil)
			got := new(msync.CommUnreadDL)
			bob.one(msync.MSync_UNREAD, got)
			return got
		}
		key := DemoOrg + "#" + DemoApp
		queue := func(peer string, n uint32) *msync.MetaQueue {
			return &msync.MetaQueue{Queue: msync.NewJID(key, peer, ""), N: &n}
		}
		want := &msync.CommUnreadDL{
			Status: okStatus(), Timestamp: new(millis(time.Now().Add(time.Hour))),
			Unread: []*msync.MetaQueue{queue("alice", 3), queue("carol", 1)},
		}
		if diff := cmp.Diff(want, ask(), protocmp.Transform()); diff != "" {
			t.Errorf("after login (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(numbered(0, 3), bob.drain("alice")); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		w.srv.JumpClock(-30 * time.Minute)
		want.Timestamp, want.Unread = new(millis(time.Now().Add(30*time.Minute))), want.Unread[1:]
		if diff := cmp.Diff(want, ask(), protocmp.Transform()); diff != "" {
			t.Errorf("later (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"hi"}, bob.drain("carol")); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		want.Unread = nil
		if diff := cmp.Diff(want, ask(), protocmp.Transform()); diff != "" {
			t.Errorf("at the end (-want +got):\n%s", diff)
		}
	})
}

// TestBatches: at most fifty messages a batch, in order, each batch with a fresh key, then the empty one (checkBatch has the rest).
func TestBatches(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		all := numbered(0, 120)
		for i, text := range all {
			alice.say(uint64(i)+1, "bob", text)
		}
		bob := w.login("bob", "phone")
		var keys []uint64
		var got []string
		for key := uint64(0); ; {
			batch := bob.pull("alice", key)
			if batch.GetIsLast() {
				break
			}
			key = batch.GetNextKey()
			keys = append(keys, key)
			got = append(got, texts(t, batch)...)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		if len(keys) != 3 || !slices.IsSorted(keys) || len(slices.Compact(keys)) != 3 {
			t.Errorf("the keys are %d", keys)
		}
		if n := len(w.srv.entries(MessageDelivered)); n != 120 {
			t.Errorf("%d entries message.delivered", n)
		}
	})
}

// TestNotices: one notice, after the message is stored, until the queue is drained; then one for the next message.
func TestNotices(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, carol, bob := w.login("alice", "web"), w.login("carol", "web"), w.login("bob", "phone")
		steps := func(want []string, do func()) {
			t.Helper()
			do()
			if diff := cmp.Diff(want, bob.noticed()); diff != "" {
				t.Errorf("bob's notices (-want +got):\n%s", diff)
			}
		}
		steps([]string{"alice"}, func() { alice.say(1, "bob", "1") })
		steps(nil, func() { alice.say(2, "bob", "2") })
		steps([]string{"carol"}, func() { carol.say(1, "bob", "hi") })
		first := bob.pull("alice", 0)
		steps(nil, func() { alice.say(3, "bob", "3") }) // the client will pull again anyway, to acknowledge
		second := bob.pull("alice", first.GetNextKey())
		if diff := cmp.Diff([]string{"1", "2", "3"}, append(texts(t, first), texts(t, second)...)); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		if last := bob.pull("alice", second.GetNextKey()); !last.GetIsLast() {
			t.Errorf("not drained: %v", last)
		}
		steps([]string{"alice"}, func() { alice.say(4, "bob", "4") })
		steps(nil, func() { // told by UNREAD is told
			bob.leave()
			bob = w.login("bob", "phone")
			bob.send(msync.MSync_UNREAD, nil)
			bob.take()
			alice.say(5, "bob", "5")
		})
	})
}

// TestAcknowledgement: what a device has not confirmed by its key comes again after a reconnect, what it has confirmed does not. A key that
// was never given confirms nothing.
func TestAcknowledgement(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "phone")
		for i, text := range numbered(0, 60) {
			alice.say(uint64(i)+1, "bob", text)
		}
		bob.take()
		first := bob.pull("alice", 0)
		second := bob.pull("alice", first.GetNextKey())
		if got := texts(t, second); len(got) != 10 || got[0] != "50" {
			t.Errorf("the second batch has %v", got)
		}
		bob.leave()
		bob = w.login("bob", "phone")
		if batch := bob.pull("alice", second.GetNextKey()+1000); len(batch.GetMetas()) != 10 {
			t.Errorf("a key of the old connection confirmed what the new one had not sent: %v", texts(t, batch))
		}
		bob.leave()
		bob = w.login("bob", "phone")
		if diff := cmp.Diff(numbered(50, 60), bob.drain("alice")); diff != "" {
			t.Errorf("after the reconnect (-want +got):\n%s", diff)
		}
		bob.leave()
		if got := w.login("bob", "phone").drain("alice"); got != nil {
			t.Errorf("confirmed messages came again: %v", got)
		}
	})
}

// TestPullWithoutKey: SDKs of family E pull without a key after every answer; they get newer messages only (protocol-versions.md, "must
// do" 8).
func TestPullWithoutKey(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "phone")
		pull := func(want ...string) *msync.CommSyncDL {
			t.Helper()
			bob.take()
			batch := bob.pull("alice", 0)
			if diff := cmp.Diff(want, texts(t, batch)); diff != "" {
				t.Errorf("a pull without a key (-want +got):\n%s", diff)
			}
			return batch
		}
		alice.say(1, "bob", "1")
		pull("1")
		pull()
		alice.say(2, "bob", "2")
		last := pull("2")
		pull()
		bob.pull("alice", last.GetNextKey())
		pull()
		bob.leave()
		bob = w.login("bob", "phone")
		pull()
	})
}

// TestResend: a message sent twice, even over two connections, is stored once and answered with its first id and time.
func TestResend(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "phone")
		first := alice.say(7, "bob", "hello")
		time.Sleep(time.Second)
		again := alice.say(7, "bob", "hello")
		alice.leave()
		alice = w.login("alice", "web")
		third := alice.say(7, "bob", "hello")
		for _, got := range []*msync.CommSyncDL{again, third} {
			if diff := cmp.Diff(first, got, protocmp.Transform()); diff != "" {
				t.Errorf("the answer to a resend (-want +got):\n%s", diff)
			}
		}
		other := w.login("alice", "tablet").say(7, "bob", "from another device")
		if other.GetServerId() == first.GetServerId() {
			t.Error("another device's message is not the same")
		}
		bob.take()
		if diff := cmp.Diff([]string{"hello", "from another device"}, bob.drain("alice")); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		if n := len(w.srv.entries(MessageStored)); n != 2 {
			t.Errorf("%d messages were stored", n)
		}
	})
}

// TestCollidingIDs: the Web SDK can give a receipt and a text the same id; both are messages of their own, and each one sent again is not.
func TestCollidingIDs(t *testing.T) {
	text := once(7, "", []byte("text"))
	if text == once(7, "", []byte("ack")) || text == once(7, "bob", []byte("text")) || text == once(8, "", []byte("text")) {
		t.Error("different messages of one id are taken for the same")
	}
	if text != once(7, "", []byte("text")) {
		t.Error("a message sent again is not recognised")
	}
	if once(0, "", []byte("text")) != (sentOnce{}) {
		t.Error("a message without an id has an identity")
	}
}

// TestResendWindow: the receipts that are kept are bounded, and the newest are the ones kept.
func TestResendWindow(t *testing.T) {
	var r resends
	for id := uint64(1); id <= resendWindow+10; id++ {
		r.add(sentOnce{id: id}, receipt{id: id})
	}
	if len(r.sent) != resendWindow {
		t.Errorf("%d receipts are kept", len(r.sent))
	}
	if _, ok := r.find(sentOnce{id: 10}); ok {
		t.Error("the oldest receipt is still there")
	}
	for _, id := range []uint64{11, resendWindow, resendWindow + 10} {
		if rec, ok := r.find(sentOnce{id: id}); !ok || rec.id != id {
			t.Errorf("the receipt of %d, inside the window, is %v, %v", id, rec, ok)
		}
	}
	if _, ok := r.find(sentOnce{id: 11, content: 1}); ok {
		t.Error("another message of the same id is taken for it")
	}
}

// TestRouteOnline: a ROUTE_ONLINE message reaches whoever is there and does not wait for who is not.
func TestRouteOnline(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "phone")
		live := func(m *msync.Meta) { m.Routetype = msync.Meta_ROUTE_ONLINE.Enum() }
		alice.post(1, "bob", msync.TextBody("", "bob", "now"), live)
		alice.post(2, "carol", msync.TextBody("", "carol", "now"), live)
		bob.take()
		if diff := cmp.Diff([]string{"now"}, bob.drain("alice")); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		if got := w.login("carol", "web").drain("alice"); got != nil {
			t.Errorf("carol was offline and got %v", got)
		}
		for _, m := range alice.take() {
			answer := new(msync.CommSyncDL)
			unpack(t, m, answer)
			if answer.GetStatus().GetErrorCode() != msync.Status_OK || answer.GetServerId() == 0 {
				t.Errorf("the sender got %v", answer)
			}
		}
	})
}

// TestEcho: the emulator's own user confirms and repeats a text; acknowledgements and resends get no echo, and a real login takes over.
func TestEcho(t *testing.T) {
	inWorld(t, Config{EchoUser: "parrot"}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		say := func(id uint64, text string) {
			alice.post(id, "parrot", msync.TextBody("", "parrot", text), nil)
			alice.take()
		}
		say(1, "hello")
		say(1, "hello")
		batch := alice.pull("parrot", 0)
		if diff := cmp.Diff([]string{"DELIVER_ACK", "hello"}, texts(t, batch)); diff != "" {
			t.Errorf("alice got (-want +got):\n%s", diff)
		}
		stored := w.srv.entries(MessageStored)[0]
		if got := messageID(bodyOf(t, batch.GetMetas()[0]).GetAckMessageId()); got != stored.MessageID {
			t.Errorf("%s was acknowledged, not %s", got, stored.MessageID)
		}
		alice.pull("parrot", batch.GetNextKey())
		alice.post(2, "parrot", msync.DeliveryAck("alice", "parrot", 1), nil)
		alice.take()
		if got := alice.drain("parrot"); got != nil {
			t.Errorf("an acknowledgement was answered with %v", got)
		}
		parrot := w.login("parrot", "cage")
		say(3, "anybody there?")
		parrot.take()
		if diff := cmp.Diff([]string{"anybody there?"}, parrot.drain("alice")); diff != "" {
			t.Errorf("the parrot got (-want +got):\n%s", diff)
		}
		if got := alice.drain("parrot"); got != nil {
			t.Errorf("the emulator spoke for a user who is there: %v", got)
		}
	})
}

// TestIDsGrow: server ids, those of kicks included, grow whatever the clock does.
func TestIDsGrow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t, Config{JournalSize: 1})
		alice, last := s.attached(t, "alice", "web"), uint64(0)
		for id := range rapid.Uint64Range(1, 50).Draw(rt, "messages") {
			s.JumpClock(time.Duration(rapid.Int64().Draw(rt, "jump")))
			alice.receive(pack(t, msync.MSync_SYNC, &msync.CommSyncUL{
				Meta: chatMeta(t, id+1, "bob", msync.TextBody("", "bob", "x"), nil),
			}))
			answer := new(msync.CommSyncDL)
			unpack(t, alice.wire.(*tape).last(t), answer)
			if answer.GetServerId() <= last {
				rt.Fatalf("message %d has the id %d, after %d", id, answer.GetServerId(), last)
			}
			last = answer.GetServerId()
		}
		s.hub.links("alice")[0].kick(msync.StatisticsBody_USER_REMOVED, "test")
		kick := new(msync.CommSyncDL)
		unpack(t, alice.wire.(*tape).last(t), kick)
		if got := kick.GetMetas()[0].GetId(); got <= last {
			rt.Fatalf("the kick has the id %d, after %d", got, last)
		}
	})
}

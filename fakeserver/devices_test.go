package fakeserver

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// kicked reads a kick and returns its operation (protocol.md c, "Kick").
func (c *client) kicked() msync.StatisticsBody_Operation {
	c.t.Helper()
	got := new(msync.CommSyncDL)
	c.one(msync.MSync_SYNC, got)
	if len(got.GetMetas()) != 1 {
		c.t.Fatalf("a kick with %d metas", len(got.GetMetas()))
	}
	meta := got.GetMetas()[0]
	want := &msync.CommSyncDL{
		Status: okStatus(), Queue: &msync.JID{Domain: new(msync.Domain)}, IsLast: new(true),
		Metas: []*msync.Meta{{
			Id: meta.Id, From: &msync.JID{Domain: new(msync.Domain)}, To: meta.To, Timestamp: meta.Timestamp,
			Ns: msync.Meta_STATISTIC.Enum(), Payload: meta.Payload,
		}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || meta.GetId() == 0 || meta.GetTimestamp() == 0 {
		c.t.Errorf("the kick (-want +got):\n%s", diff)
	}
	body := new(msync.StatisticsBody)
	if err := proto.Unmarshal(meta.GetPayload(), body); err != nil {
		c.t.Fatal(err)
	}
	c.wantClosed(closeNormal)
	return body.GetOperation()
}

// TestOwnDevices: what one device sends reaches the user's others, in the queue of the peer, and not the one that sent it.
func TestOwnDevices(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "web")
		sent := web.say(1, "bob", "hello")
		if diff := cmp.Diff([]string{"bob"}, phone.noticed()); diff != "" {
			t.Errorf("the phone's notices (-want +got):\n%s", diff)
		}
		batch := phone.pull("bob", 0)
		meta := batch.GetMetas()[0]
		if meta.GetId() != sent.GetServerId() || meta.GetFrom().GetName() != "alice" || meta.GetTo().GetName() != "bob" {
			t.Errorf("the phone got %v", meta)
		}
		phone.pull("bob", batch.GetNextKey())
		bob.take()
		bob.say(1, "alice", "hi")
		web.take()
		phone.take()
		for _, c := range []*client{web, phone} {
			if diff := cmp.Diff([]string{"hi"}, c.drain("bob")); diff != "" {
				t.Errorf("a device got (-want +got):\n%s", diff)
			}
		}
	})
}

// TestOwnDeviceOffline: a known device that is away gets later what the user said and heard meanwhile.
func TestOwnDeviceOffline(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "web")
		phone.leave()
		web.say(1, "bob", "one")
		bob.take()
		bob.say(1, "alice", "two")
		web.take()
		if diff := cmp.Diff([]string{"two"}, web.drain("bob")); diff != "" {
			t.Errorf("the device that said one got (-want +got):\n%s", diff)
		}
		web.say(2, "bob", "three")
		if diff := cmp.Diff([]string{"one", "two", "three"}, w.login("alice", "phone").drain("bob")); diff != "" {
			t.Errorf("the phone got (-want +got):\n%s", diff)
		}
	})
}

// TestNewDevice: a device that logs in for the first time starts where the user's devices are.
func TestNewDevice(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, web := w.login("alice", "web"), w.login("bob", "web")
		w.login("bob", "phone").leave() // keeps the queue from being let go
		alice.say(1, "bob", "read")
		web.take()
		web.drain("alice")
		alice.say(2, "bob", "unread")
		if diff := cmp.Diff([]string{"unread"}, w.login("bob", "tablet").drain("alice")); diff != "" {
			t.Errorf("the tablet got (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"read", "unread"}, w.login("bob", "phone").drain("alice")); diff != "" {
			t.Errorf("the phone got (-want +got):\n%s", diff)
		}
	})
}

// TestOneDeviceTooMany: the device that has been online for longest is kicked with 206, whatever the clock did between the logins.
func TestOneDeviceTooMany(t *testing.T) {
	for name, jump := range map[string]time.Duration{"at one instant": 0, "clock forward": time.Hour, "clock back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				var devices []*client
				for i := range 6 {
					devices = append(devices, w.login("alice", fmt.Sprint("web", i)))
					w.srv.JumpClock(jump)
				}
				for _, c := range devices[:2] {
					if op := c.kicked(); op != msync.StatisticsBody_USER_LOGIN_ANOTHER_DEVICE {
						t.Errorf("kicked with %v", op)
					}
				}
				for _, c := range devices[2:] {
					c.wantOpen()
					c.quiet()
				}
				var got []string
				for _, e := range w.srv.entries(SessionClosed) {
					got = append(got, e.Device+": "+e.Reason)
				}
				slices.Sort(got) // both ends fall on one instant
				want := []string{"web0: kicked with 206: one device too many logged in", "web1: kicked with 206: one device too many logged in"}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the journal (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestKickID: SDKs drop a meta whose id they have seen, so a kick in the same millisecond as a message must not share its id.
func TestKickID(t *testing.T) {
	inWorld(t, Config{MaxDevices: 1}, func(t *testing.T, w *world) {
		sent := w.login("alice", "web").say(1, "bob", "hello")
		bob := w.login("bob", "web")
		w.login("bob", "phone")
		kick := new(msync.CommSyncDL)
		bob.one(msync.MSync_SYNC, kick)
		if id := kick.GetMetas()[0].GetId(); id == sent.GetServerId() {
			t.Errorf("the kick and the message are both %d", id)
		}
	})
}

// TestSameDeviceAgain: a newer connection of a device takes the older one's place.
func TestSameDeviceAgain(t *testing.T) {
	inWorld(t, Config{MaxDevices: 1}, func(t *testing.T, w *world) {
		first := w.login("alice", "web")
		second := w.login("alice", "web")
		first.quiet()
		if code, text := first.closed(); code != closeNormal || text != "replaced by a newer connection of the same device" {
			t.Errorf("closed with %d %q", code, text)
		}
		w.login("bob", "web").say(1, "alice", "hello")
		if diff := cmp.Diff([]string{"bob"}, second.noticed()); diff != "" {
			t.Errorf("notices (-want +got):\n%s", diff)
		}
		if n := len(w.srv.hub.links("alice")); n != 1 {
			t.Errorf("%d links", n)
		}
	})
}

// TestKnownDevices: the devices that are remembered are bounded; the one that has been away for longest goes first.
func TestKnownDevices(t *testing.T) {
	s := newServer(t, Config{JournalSize: 1})
	for i := range maxKnownDevices + 3 {
		s.attached(t, "alice", fmt.Sprint("web", i)).ended("test")
		s.JumpClock(-time.Minute)
	}
	alice := s.hub.users["alice"]
	if len(alice.devices) != maxKnownDevices || alice.device("web2") != nil || alice.device("web3") == nil {
		t.Errorf("%d devices are known, web2: %v, web3: %v", len(alice.devices), alice.device("web2") != nil, alice.device("web3") != nil)
	}
}

// TestTrim: nothing is kept once every known device has it.
func TestTrim(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		kept := func(user, peer string) int {
			w.srv.hub.mu.Lock()
			defer w.srv.hub.mu.Unlock()
			return len(w.srv.hub.users[user].queues[peer].entries)
		}
		web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "web")
		web.say(1, "bob", "one")
		bob.take()
		bob.say(1, "alice", "two")
		phone.take()
		phone.drain("bob")
		if n := kept("alice", "bob"); n != 1 {
			t.Errorf("%d kept while the web device lacks one", n)
		}
		web.take()
		web.drain("bob")
		bob.drain("alice")
		if a, b := kept("alice", "bob"), kept("bob", "alice"); a != 0 || b != 0 {
			t.Errorf("alice's queue keeps %d, bob's %d", a, b)
		}
	})
}

// TestQueueBound: a queue that nobody empties loses its oldest message, and the journal says so.
func TestQueueBound(t *testing.T) {
	s := newServer(t, Config{JournalSize: 10})
	from := s.hub.users["echo"]
	var first []uint64
	for range maxQueue + 2 {
		out := outgoing{from: from, to: "bob", sender: msync.EncodeJID(s.hub.appKey, from.name, ""), body: msync.TextBody("", "bob", "x")}
		if err := s.hub.address(&out, nil, &msync.Meta{}); err != nil {
			t.Fatal(err)
		}
		rec, err := s.hub.store(&out)
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, rec.id)
	}
	q := s.hub.users["bob"].queues["echo"]
	if len(q.entries) != maxQueue || q.entries[0].id != first[2] {
		t.Errorf("%d entries from %d, want %d from %d", len(q.entries), q.entries[0].id, maxQueue, first[2])
	}
	var dropped []string
	for _, e := range s.entries(MessageDropped) {
		dropped = append(dropped, e.User+" "+e.MessageID+" "+e.Reason)
	}
	if diff := cmp.Diff([]string{"bob " + messageID(first[0]) + " queue full", "bob " + messageID(first[1]) + " queue full"}, dropped); diff != "" {
		t.Errorf("the journal (-want +got):\n%s", diff)
	}
}

// receiver is the model of a device that receives: it believes nothing but what it has pulled.
type receiver struct {
	resource string
	link     *link
	key      uint64            // of the last batch, 0 when there is nothing to confirm
	last     uint64            // the highest id on this connection
	got      map[uint64]string // over all connections
}

func (r *receiver) pull(t testing.TB, rt *rapid.T, confirm bool) (more bool) {
	up := &msync.CommSyncUL{Queue: &msync.JID{Name: new("alice")}}
	if confirm && r.key > 0 {
		up.Key = new(r.key)
	}
	r.link.receive(pack(t, msync.MSync_SYNC, up))
	batch := new(msync.CommSyncDL)
	unpack(t, r.link.wire.(*tape).last(t), batch)
	checkBatch(t, batch, "alice")
	for i, m := range batch.GetMetas() {
		if m.GetId() <= r.last {
			rt.Fatalf("%s got %d after %d", r.resource, m.GetId(), r.last)
		}
		r.last = m.GetId()
		r.got[r.last] = texts(t, batch)[i]
	}
	if batch.GetNextKey() > 0 {
		r.key = batch.GetNextKey()
	}
	return len(batch.GetMetas()) > 0
}

// TestNothingLost: whatever order of sending, pulling, confirming, cutting and clock jumps, every device gets everything, in order, on each
// connection once; and then nothing is kept.
func TestNothingLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t, Config{JournalSize: 1})
		alice := s.attached(t, "alice", "web")
		var receivers []*receiver
		for _, name := range []string{"web", "phone"} {
			receivers = append(receivers, &receiver{resource: name, link: s.attached(t, "bob", name), got: make(map[uint64]string)})
		}
		var sent []string
		reconnect := func(r *receiver) {
			if rapid.Bool().Draw(rt, "noticed first") {
				r.link.ended("cut")
			}
			r.link, r.key, r.last = s.attached(t, "bob", r.resource), 0, 0
		}
		one := func() *receiver { return rapid.SampledFrom(receivers).Draw(rt, "device") }
		rt.Repeat(map[string]func(*rapid.T){
			"send": func(*rapid.T) {
				text := fmt.Sprint(len(sent))
				sent = append(sent, text)
				alice.receive(pack(t, msync.MSync_SYNC, &msync.CommSyncUL{
					Meta: chatMeta(t, uint64(len(sent)), "bob", msync.TextBody("", "bob", text), nil),
				}))
			},
			"pull":      func(rt *rapid.T) { one().pull(t, rt, false) },
			"confirm":   func(rt *rapid.T) { one().pull(t, rt, true) },
			"reconnect": func(*rapid.T) { reconnect(one()) },
			"jump":      func(rt *rapid.T) { s.JumpClock(time.Duration(rapid.Int64().Draw(rt, "jump"))) },
		})
		for _, r := range receivers {
			reconnect(r)
			for r.pull(t, rt, true) {
			}
			ids := make([]uint64, 0, len(r.got))
			for id := range r.got {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			var got []string
			for _, id := range ids {
				got = append(got, r.got[id])
			}
			if diff := cmp.Diff(sent, got); diff != "" {
				rt.Fatalf("%s got (-want +got):\n%s", r.resource, diff)
			}
		}
		if q := s.hub.users["bob"].queues["alice"]; q != nil && len(q.entries) > 0 {
			rt.Fatalf("%d messages are kept", len(q.entries))
		}
	})
}

// TestReplacedConnectionKeepsOut: what a connection still asks for when a newer one of its device has taken over does not disturb that one.
func TestReplacedConnectionKeepsOut(t *testing.T) {
	s := newServer(t, Config{})
	alice, old := s.attached(t, "alice", "web").sender(t, "bob"), s.attached(t, "bob", "phone")
	bob := s.attached(t, "bob", "phone")
	alice.receive(alice.frame)
	s.hub.pull(bob, []byte("alice"), 0)
	q := bob.user.queues["alice"]
	sent := q.placeOf(bob).sent
	s.hub.pull(old, []byte("alice"), 0)
	if got := s.hub.unread(old); got != nil {
		t.Errorf("the old connection is told of %v", got)
	}
	s.hub.pull(bob, []byte("alice"), sent)
	if sent == 0 || len(q.entries) != 0 {
		t.Errorf("%d messages are unconfirmed, after key %d", len(q.entries), sent)
	}
}

// TestWaitingBound: all queues together have a bound, which what was fetched, dropped or deleted makes room below. Beyond it the sender is told.
func TestWaitingBound(t *testing.T) {
	s := newServer(t, Config{MaxDevices: 1})
	alice := s.attached(t, "alice", "web")
	counted := func() int {
		n := 0
		for _, u := range s.hub.users {
			for _, q := range u.queues {
				for _, e := range q.entries {
					n += e.cost()
				}
			}
		}
		return n
	}
	say := func(n uint64, to string) bool {
		alice.send(chatMeta(t, n, to, msync.TextBody("", to, "hello"), nil))
		answer := new(msync.CommSyncDL)
		unpack(t, alice.wire.(*tape).last(t), answer)
		if counted() != s.hub.waiting {
			t.Fatalf("%d bytes wait, counted as %d", counted(), s.hub.waiting)
		}
		return answer.GetStatus().GetErrorCode() == msync.Status_OK
	}
	if !say(1, "bob") || !say(2, "carol") {
		t.Fatal("the first messages are refused")
	}
	s.hub.most = s.hub.waiting + 1
	if !say(3, "dave") || say(4, "dave") {
		t.Error("want one more message to be taken, and the next to be refused")
	}
	s.hub.remove("carol")
	s.hub.remove("dave")
	if !say(5, "dave") || counted() != s.hub.waiting {
		t.Error("what was deleted still takes room")
	}
	bob := s.attached(t, "bob", "phone")
	s.hub.pull(bob, []byte("alice"), 0)
	s.hub.pull(bob, []byte("alice"), bob.user.queues["alice"].placeOf(bob).sent)
	if got := counted(); got != s.hub.waiting || len(bob.user.queues["alice"].entries) != 0 {
		t.Errorf("%d bytes wait, counted as %d", got, s.hub.waiting)
	}
	s.Reset()
	if s.hub.waiting != 0 {
		t.Errorf("%d bytes wait after the reset", s.hub.waiting)
	}
}

// TestDeletedDuringLogin: a user who is deleted between the look at the token and the place among the connections is not online behind
// everybody's back.
func TestDeletedDuringLogin(t *testing.T) {
	s := newServer(t, Config{})
	s.hub.mu.Lock()
	u, err := s.hub.ensure("alice")
	s.hub.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	s.hub.remove("alice")
	l := s.newLink(new(tape))
	if s.hub.attach(l, u, "web", "", "") || l.user != nil {
		t.Error("a connection of a deleted user is attached")
	}
}

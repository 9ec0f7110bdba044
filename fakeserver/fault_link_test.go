package fakeserver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/msync"
)

func TestFaultLinkRefuse(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultLink, Kind: "refuse", Count: 1})
		dialer := websocket.Dialer{NetDialContext: w.net.DialContext}
		conn, resp, err := dialer.DialContext(t.Context(), "ws://chat/websocket", nil)
		if err == nil {
			_ = resp.Body.Close()
			_ = conn.Close()
			t.Error("the connection was not refused")
		}
		w.login("alice", "web")
	})
}

func TestFaultLinkCut(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "web")
		w.fault(Fault{Target: FaultLink, Kind: "cut", User: "alice", On: SessionWillExpire, Count: 2})
		alice.wantOpen()
		w.srv.JumpClock(800 * time.Second) // nobody says anything
		if !alice.ended() {
			t.Error("alice is still connected")
		}
		bob.wantOpen()
		if e := w.only(SessionClosed); e.User != "alice" {
			t.Errorf("the journal has %+v", e)
		}
	})
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "web")
		w.fault(Fault{Target: FaultLink, Kind: "cut", User: "alice", Count: 2})
		if !alice.ended() {
			t.Error("alice is still connected")
		}
		bob.wantOpen()
		again := w.dial()
		again.write(2, login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)}.frame(t))
		if !again.ended() {
			t.Error("a new connection is not cut at its first frame")
		}
		w.login("alice", "web")
		if e := w.srv.entries(SessionClosed); len(e) != 1 || e[0].Reason != "the connection was cut" {
			t.Errorf("the journal has %+v", e)
		}
	})
}

func TestFaultLinkCutAfter(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		w.login("bob", "web")
		w.fault(Fault{Target: FaultLink, Kind: "cut-after", User: "alice", Params: FaultParams{"frames": "3", "direction": "out"}})
		c.say(1, "bob", "one")
		c.say(2, "bob", "two")
		c.wantOpen()
		c.post(3, "bob", text("bob", "three"), nil)
		if diff := cmp.Diff([]uint64{3}, c.answers()); diff != "" {
			t.Errorf("the last answer (-want +got):\n%s", diff)
		}
		if !c.ended() {
			t.Error("not cut")
		}
	})
}

func TestFaultLinkFreeze(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "web")
		id := w.fault(Fault{Target: FaultLink, Kind: "freeze", User: "alice"})
		bob.say(1, "alice", "hello")
		alice.post(1, "bob", text("bob", "frozen"), nil)
		time.Sleep(time.Minute)
		alice.quiet()
		bob.quiet()
		alice.wantOpen()
		w.srv.ClearFault(id)
		if got := lines(alice.take()); len(got) != 2 {
			t.Errorf("after the thaw alice got %v", got)
		}
		if diff := cmp.Diff([]string{"alice"}, bob.noticed()); diff != "" {
			t.Error(diff)
		}
		w.fault(Fault{Target: FaultLink, Kind: "freeze", User: "alice", Params: FaultParams{"for": "20s"}})
		time.Sleep(5 * time.Second)
		alice.send(msync.MSync_UNREAD, nil)
		time.Sleep(15*time.Second - 1)
		alice.quiet()
		time.Sleep(time.Nanosecond)
		alice.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))
		alice.send(msync.MSync_UNREAD, nil)
		alice.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))
	})
	inWorld(t, Config{}, func(t *testing.T, w *world) { // what is frozen can be cut, and can be closed with the emulator
		alice, bob := w.login("alice", "web"), w.login("bob", "web")
		w.fault(Fault{Target: FaultLink, Kind: "freeze"})
		for _, c := range []*client{alice, bob} {
			c.send(msync.MSync_UNREAD, nil)
		}
		synctest.Wait()
		if n := w.srv.CutUser("alice"); n != 1 || !alice.ended() {
			t.Errorf("CutUser = %d, ended %v", n, alice.ended())
		}
		if err := w.srv.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestFaultLinkDelay(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		w.fault(Fault{Target: FaultLink, Kind: "delay", Params: FaultParams{"delay": "3s", "direction": "out", "command": "unread"}})
		c.send(msync.MSync_UNREAD, nil)
		time.Sleep(3*time.Second - 1)
		c.quiet()
		time.Sleep(time.Nanosecond)
		c.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))
		w.login("bob", "web")
		c.say(1, "bob", "not delayed")
	})
}

func TestFaultLinkSlowReader(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		w.fault(Fault{Target: FaultLink, Kind: "slow-reader", Params: FaultParams{"pause": "10s"}})
		c.send(msync.MSync_UNREAD, nil) // it was being read already
		c.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))
		start := time.Now()
		c.send(msync.MSync_UNREAD, nil) // blocks until it is read
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("writing took %v, want 10s", took)
		}
	})
}

func TestFaultLinkLoss(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		bob := w.login("bob", "web")
		w.fault(Fault{Target: FaultLink, Kind: "drop", User: "alice", Count: 1, Params: FaultParams{"direction": "in"}})
		c.post(1, "bob", text("bob", "lost"), nil)
		c.quiet()
		bob.quiet()
		w.fault(Fault{Target: FaultLink, Kind: "drop", User: "bob", Count: 1, Params: FaultParams{"command": "notice"}})
		c.say(2, "bob", "unnoticed")
		bob.quiet()
		w.fault(Fault{Target: FaultLink, Kind: "duplicate", User: "alice", Count: 2})
		c.post(3, "bob", text("bob", "twice"), nil)
		got := c.answers() // the frame comes in twice; its first answer goes out twice
		if diff := cmp.Diff([]uint64{3, 3, 3}, got); diff != "" {
			t.Errorf("the answers (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"unnoticed", "twice"}, bob.drain("alice")); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
	})
}

func TestFaultLinkReorder(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.login("alice", "web")
		w.login("bob", "web")
		w.fault(Fault{Target: FaultLink, Kind: "reorder-acks", User: "alice"})
		c.post(1, "bob", text("bob", "one"), nil)
		c.quiet()
		c.send(msync.MSync_UNREAD, nil)
		c.one(msync.MSync_UNREAD, new(msync.CommUnreadDL))
		c.post(2, "bob", text("bob", "two"), nil)
		if diff := cmp.Diff([]uint64{2, 1}, c.answers()); diff != "" {
			t.Errorf("the answers (-want +got):\n%s", diff)
		}
		c.post(3, "bob", text("bob", "three"), nil)
		c.quiet()
		time.Sleep(time.Second)
		if diff := cmp.Diff([]uint64{3}, c.answers()); diff != "" {
			t.Errorf("without a next one (-want +got):\n%s", diff)
		}
	})
}

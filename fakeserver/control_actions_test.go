package fakeserver

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

func TestKick(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, code := range KickCodes() {
			alice, bob := w.login("alice", "web"), w.login("bob", "web")
			if n := w.srv.Kick("alice", code, "because"); n != 1 {
				t.Errorf("%d: reached %d", code, n)
			}
			batch := new(msync.CommSyncDL)
			alice.one(msync.MSync_SYNC, batch)
			body := new(msync.StatisticsBody)
			if err := msync.Payload(&msync.MSync{Payload: batch.GetMetas()[0].GetPayload()}, body); err != nil {
				t.Fatal(err)
			}
			if kickCode(body.GetOperation()) != code || body.GetReason() != "because" {
				t.Errorf("%d: %v", code, body)
			}
			alice.wantClosed(closeNormal)
			bob.wantOpen()
			bob.leave()
		}
		alice := w.login("alice", "web")
		w.srv.Kick("alice", 206, "had 007eJxTYPj3p2Tnb4tznzx9f2a")
		alice.take()
		alice.wantClosed(closeNormal)
		synctest.Wait()
		if closed := w.srv.entries(SessionClosed); closed[len(closed)-1].Reason != "kicked with 206: had 007e…" {
			t.Errorf("the journal says %q", closed[len(closed)-1].Reason)
		}
		w.login("alice", "web")
		if n := w.srv.Kick("alice", 42, ""); n != 0 {
			t.Errorf("an unknown code reached %d", n)
		}
		if n := w.srv.Kick("nobody", 206, ""); n != 0 {
			t.Errorf("nobody: reached %d", n)
		}
	})
}

// TestRevoke: what was issued until now is void, what comes in the same second is not, and connections stay.
func TestRevoke(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		_, old := w.token().claims(t)
		chat := w.srv.chatTokens.issue(grant{identity: "alice", expiresAt: w.start.Add(time.Hour)})
		c := w.dial()
		c.provision(login{user: "alice", resource: "web", token: old})
		bob := w.srv.userToken(t, "bob", 600)
		if n := w.srv.Revoke("alice"); n != 1 {
			t.Errorf("Revoke = %d", n)
		}
		w.only(TokenRevoked)
		c.wantOpen()
		status := func(token string) int {
			code, _ := w.rest(http.MethodGet, "/ttlchat/demo/users/alice/contacts/users", token, "")
			return code
		}
		_, fresh := w.token().claims(t)
		got := map[string]int{"old": status(old), "Chat token": status(chat), "fresh": status(fresh)}
		if diff := cmp.Diff(map[string]int{"old": 401, "Chat token": 401, "fresh": 200}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if code, _ := w.rest(http.MethodGet, "/ttlchat/demo/users/bob/contacts/users", bob, ""); code != 200 {
			t.Errorf("bob's token: %d", code)
		}
		if no := w.dial().provision(login{user: "alice", resource: "web", token: old}); no.GetStatus().GetReason() != reasonMismatch {
			t.Errorf("a login with it: %v", no.GetStatus())
		}
		made := w.srv.userToken(t, "dave", 600) // in this second, and not by the emulator's token server
		w.dial().provision(login{user: "dave", resource: "web", token: made})
		w.srv.Revoke("dave")
		if no := w.dial().provision(login{user: "dave", resource: "phone", token: made}); no.GetStatus().GetReason() != reasonMismatch {
			t.Errorf("the token of an open session: %v", no.GetStatus())
		}
		time.Sleep(2 * time.Second)
		w.srv.Revoke("")
		if status(fresh) != 401 {
			t.Error("a revocation of everybody's tokens leaves alice's")
		}
	})
}

func TestReset(t *testing.T) {
	inWorld(t, Config{Users: []User{{"carol", ""}}, ClockOffset: time.Hour}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		alice.say(1, "bob", "hello")
		token := w.srv.userToken(t, "alice", 6000)
		chatToken := w.srv.chatTokens.issue(grant{identity: "alice", expiresAt: w.start.Add(24 * time.Hour)})
		w.srv.files.put(&file{uuid: "f1"})
		w.srv.Revoke("alice")
		w.srv.JumpClock(time.Minute)
		w.srv.FreezeClock(true)
		w.fault(Fault{Target: FaultLink, Kind: "freeze"})
		w.srv.Reset()
		if !alice.ended() {
			t.Error("alice is still connected")
		}
		state := w.srv.State()
		var names []string
		for _, u := range state.Users {
			names = append(names, u.Name)
		}
		if diff := cmp.Diff([]string{"carol", "echo"}, names); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
		if state.Clock.Frozen || state.Clock.Offset != time.Hour || len(state.Faults) != 0 {
			t.Errorf("the state is %+v", state)
		}
		w.only(EmulatorReset)
		if w.srv.files.get("f1") != nil || w.srv.files.size != 0 {
			t.Error("a file outlives the reset")
		}
		if _, bad := w.srv.chatTokens.open(chatToken, w.start); bad == nil {
			t.Error("a Chat token outlives the reset")
		}
		if w.srv.hub.waiting != 0 {
			t.Errorf("%d bytes are said to wait for nobody", w.srv.hub.waiting)
		}
		if s := w.dial().provision(login{user: "alice", resource: "web", token: token}).GetStatus(); s.GetErrorCode() != msync.Status_OK {
			t.Errorf("a revocation outlives the reset: %v", s)
		}
		if got := w.login("bob", "web").drain("alice"); got != nil {
			t.Errorf("messages outlive the reset: %v", got)
		}
	})
}

func TestState(t *testing.T) {
	inWorld(t, Config{Users: []User{{"bob", ""}}}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultREST, Kind: "refuse", User: "carol"})
		alice := w.login("alice", "web")
		alice.say(1, "bob", "one")
		alice.say(2, "bob", "two")
		w.login("alice", "phone").leave()
		w.srv.JumpClock(1000 * time.Second)
		state := w.srv.State()
		if len(state.Users) != 3 || state.Users[0].Name != "alice" || state.Users[1].Name != "bob" {
			t.Fatalf("the users are %+v", state.Users)
		}
		devices := state.Users[0].Devices
		if len(devices) != 2 || devices[0].Resource != "phone" || devices[0].Session != nil || devices[1].Session == nil {
			t.Fatalf("alice's devices are %+v", devices)
		}
		s := devices[1].Session
		if s.ID != "c1" || !s.Expired || !s.ExpiresAt.Equal(w.start.Add(1000*time.Second)) || !s.WillExpireAt.Equal(w.start.Add(800*time.Second)) || len(s.Token) > 20 {
			t.Errorf("alice's session is %+v", s)
		}
		if diff := cmp.Diff([]QueueState{{"alice", 2}}, state.Users[1].Queues); diff != "" {
			t.Errorf("bob's queues (-want +got):\n%s", diff)
		}
		if len(state.Faults) != 1 || state.App != "ttlchat#demo" || state.LastEntry == 0 {
			t.Errorf("the state is %+v", state)
		}
	})
}

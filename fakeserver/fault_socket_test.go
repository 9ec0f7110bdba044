package fakeserver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// answers returns the local ids of the send answers that have arrived; all must be good ones.
func (c *client) answers() []uint64 {
	c.t.Helper()
	var got []uint64
	for _, m := range c.take() {
		down := new(msync.CommSyncDL)
		unpack(c.t, m, down)
		got = append(got, down.GetMetaId())
		if s := down.GetStatus(); s.GetErrorCode() != msync.Status_OK {
			c.t.Errorf("%d was refused: %v", down.GetMetaId(), s)
		}
	}
	return got
}

// ended reports whether the connection is over.
func (c *client) ended() bool {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil
}

func text(to, words string) *msync.MessageBody { return msync.TextBody("", to, words) }

func TestFaultProvisionStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		params    FaultParams
		status    msync.Status_ErrorCode
		reason    string
		code      int
		staysOpen bool
	}{
		"usual":      {nil, msync.Status_FAIL, reasonExpired, 56, false},
		"forbidden":  {FaultParams{"status": "IM_FORBIDDEN", "reason": "no"}, msync.Status_IM_FORBIDDEN, "no", 57, false},
		"limit":      {FaultParams{"status": "PERMISSION_DENIED", "reason": "Sorry, the app online count limit"}, msync.Status_PERMISSION_DENIED, "Sorry, the app online count limit", 50, false},
		"keeps open": {FaultParams{"status": "WRONG_PARAMETER", "keep-open": "true"}, msync.Status_WRONG_PARAMETER, reasonExpired, -3, true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				w.fault(Fault{Target: FaultProvision, Kind: "status", Params: tt.params, User: "alice", Count: 1})
				w.login("bob", "web")
				c := w.dial()
				reply := c.provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
				if s := reply.GetStatus(); s.GetErrorCode() != tt.status || s.GetReason() != tt.reason {
					t.Errorf("the answer is %v", s)
				}
				if e := w.only(SessionRefused); e.Code != tt.code || e.User != "alice" {
					t.Errorf("the journal has %+v", e)
				}
				time.Sleep(5 * time.Second)
				if c.ended() == tt.staysOpen {
					t.Errorf("stays open: %v", !c.ended())
				}
				w.login("alice", "web") // the fault is used up
			})
		})
	}
}

func TestFaultProvisionSilence(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultProvision, Kind: "silence", Count: 1})
		c := w.dial()
		c.write(2, login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)}.frame(t))
		time.Sleep(time.Minute)
		c.quiet()
		c.wantOpen()
	})
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultProvision, Kind: "close", Count: 1})
		c := w.dial()
		c.write(2, login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)}.frame(t))
		c.wantClosed(closeNormal)
		c.quiet()
	})
}

func TestFaultWelcome(t *testing.T) {
	for kind, check := range map[string]func(t *testing.T, w *world, reply *msync.Provision, at int64){
		"no-status": func(t *testing.T, _ *world, reply *msync.Provision, at int64) {
			if reply.Status != nil || at == 0 {
				t.Errorf("the answer is %v", reply)
			}
		},
		"no-auth-token": func(t *testing.T, _ *world, reply *msync.Provision, _ int64) {
			if reply.AuthToken != nil || reply.GetStatus().GetErrorCode() != msync.Status_OK {
				t.Errorf("the answer is %v", reply)
			}
		},
		"relative-expiry": func(t *testing.T, _ *world, _ *msync.Provision, at int64) {
			if at != 600 {
				t.Errorf("expires_in is %d, want 600", at)
			}
		},
		"expiry": func(t *testing.T, w *world, _ *msync.Provision, at int64) {
			if want := w.start.Add(time.Minute); at != want.UnixMilli() || !w.only(SessionOpened).ExpiresAt.Equal(want) {
				t.Errorf("expires_in is %d, want %d", at, want.UnixMilli())
			}
			time.Sleep(time.Minute)
			w.only(SessionExpired)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				w.fault(Fault{Target: FaultProvision, Kind: kind, User: "alice"})
				reply := w.dial().provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
				token, _ := msync.DecodeAuthToken(reply.GetAuthToken())
				check(t, w, reply, token.ExpiresIn)
			})
		})
	}
	inWorld(t, Config{}, func(t *testing.T, w *world) { // together they do not trip over each other
		w.fault(Fault{Target: FaultProvision, Kind: "no-auth-token"})
		w.fault(Fault{Target: FaultProvision, Kind: "expiry"})
		w.fault(Fault{Target: FaultProvision, Kind: "relative-expiry"})
		reply := w.dial().provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
		if reply.AuthToken != nil || !w.only(SessionOpened).ExpiresAt.Equal(w.start.Add(time.Minute)) {
			t.Errorf("the answer is %v", reply)
		}
	})
}

func TestFaultMessageStatus(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "web")
		w.fault(Fault{Target: FaultMessage, Kind: "status", Count: 1, Params: FaultParams{"status": "USER_MUTED", "reason": "hush"}})
		if s := alice.say(1, "bob", "x").GetStatus(); s.GetErrorCode() != msync.Status_USER_MUTED || s.GetReason() != "hush" {
			t.Errorf("the answer is %v", s)
		}
		bob.quiet()
		w.fault(Fault{Target: FaultMessage, Kind: "status"})
		alice.post(2, "bob", msync.DeliveryAck("alice", "bob", 7), nil)
		if diff := cmp.Diff([]uint64{2}, alice.answers()); diff != "" {
			t.Errorf("a receipt is no message (-want +got):\n%s", diff)
		}
	})
}

func TestFaultMessageNoAnswer(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "web")
		w.fault(Fault{Target: FaultMessage, Kind: "no-answer", Count: 1})
		alice.post(1, "bob", text("bob", "once"), nil)
		alice.quiet()
		rec := alice.say(1, "bob", "once") // sent again, as SDKs do
		if rec.GetServerId() == 0 {
			t.Errorf("the answer is %v", rec)
		}
		if diff := cmp.Diff([]string{"alice"}, bob.noticed()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"once"}, bob.drain("alice")); diff != "" {
			t.Errorf("bob got (-want +got):\n%s", diff)
		}
		w.fault(Fault{Target: FaultMessage, Kind: "no-answer", Count: 1, Params: FaultParams{"stored": "false"}})
		alice.post(2, "bob", text("bob", "lost"), nil)
		alice.quiet()
		bob.quiet()
	})
}

func TestFaultExpiry(t *testing.T) {
	for name, cfg := range map[string]Config{"configured": {EnforceExpiry: EnforceClose}, "as a fault": {}} {
		t.Run("close "+name, func(t *testing.T) {
			inWorld(t, cfg, func(t *testing.T, w *world) {
				if w.srv.cfg.EnforceExpiry == EnforceNothing {
					w.fault(Fault{Target: FaultExpiry, Kind: "close", User: "alice"})
				}
				c := w.login("alice", "web")
				w.srv.JumpClock(999 * time.Second)
				c.wantOpen()
				w.srv.JumpClock(time.Second)
				c.wantClosed(closePolicy)
			})
		})
	}
	for name, cfg := range map[string]Config{"configured": {EnforceExpiry: EnforceRefuseSends}, "as a fault": {}} {
		t.Run("refuse sends "+name, func(t *testing.T) {
			inWorld(t, cfg, func(t *testing.T, w *world) {
				if w.srv.cfg.EnforceExpiry == EnforceNothing {
					w.fault(Fault{Target: FaultExpiry, Kind: "refuse-sends"})
				}
				c := w.login("alice", "web")
				w.login("bob", "web")
				if s := c.say(1, "bob", "in time").GetStatus(); s.GetErrorCode() != msync.Status_OK {
					t.Errorf("in time: %v", s)
				}
				w.srv.JumpClock(1000 * time.Second)
				if s := c.say(2, "bob", "late").GetStatus(); s.GetErrorCode() != msync.Status_TOKEN_EXPIRED {
					t.Errorf("late: %v", s)
				}
				c.wantOpen()
			})
		})
	}
}

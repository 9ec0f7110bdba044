package fakeserver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// try calls, at the chat service as alice, without an opinion on what comes.
func (w *world) try(method, url, body string) answer {
	w.t.Helper()
	header := map[string]string{}
	if strings.HasPrefix(url, "http://chat") {
		header["Authorization"] = "Bearer " + w.srv.userToken(w.t, "alice", 600)
	}
	return w.request(method, url, header, body)
}

const (
	goToken  = "http://tokens/generate-user-token"
	forAlice = `{"user_uuid":"alice","expire":600}`
	forBob   = `{"user_uuid":"bob","expire":600}`
)

// token asks the token server of the Go sample for alice.
func (w *world) token() answer {
	w.t.Helper()
	return w.try(http.MethodPost, goToken, forAlice)
}

// claims reads the token of an answer of the Go sample.
func (a answer) claims(t *testing.T) (agoratoken.Claims, string) {
	t.Helper()
	var got struct{ Token string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatalf("%q: %v", a.body, err)
	}
	read, err := agoratoken.Read(got.Token)
	if err != nil {
		t.Fatal(err)
	}
	return read.Claims(), got.Token
}

func TestFaultRefuse(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultTokenServer, Kind: "refuse", Count: 1})
		if a := w.token(); a.err == nil {
			t.Errorf("answered with %d", a.status)
		}
		if e := w.only(RESTRequest); e.Status != 0 || e.Reason != "fault f1: token-server refuse" {
			t.Errorf("the journal has %+v", e)
		}
		if a := w.token(); a.status != http.StatusOK {
			t.Errorf("after the fault: %+v", a)
		}
	})
}

func TestFaultStatus(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultTokenServer, Kind: "status", Count: 1, Params: FaultParams{"status": "429", "retry-after": "1500ms", "body": `{"error":"slow down"}`}})
		a := w.token()
		if a.status != 429 || a.header.Get("Retry-After") != "2" || a.body != `{"error":"slow down"}` || a.header.Get("Content-Type") != "application/json;charset=UTF-8" {
			t.Errorf("got %+v", a)
		}
		w.fault(Fault{Target: FaultTokenServer, Kind: "status", Count: 1})
		if a := w.token(); a.status != 503 || a.body != "Service Unavailable\n" || a.header.Get("Retry-After") != "" {
			t.Errorf("got %+v", a)
		}
		// The exchange of tokens is one call among the REST calls.
		w.fault(Fault{Target: FaultREST, Kind: "status", Params: FaultParams{"path": "token", "status": "500"}})
		if a := w.try(http.MethodPost, "http://chat/ttlchat/demo/token", `{"grant_type":"agora"}`); a.status != 500 || !strings.Contains(a.body, `"error":"internal_server_error"`) ||
			a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("the exchange: %+v", a)
		}
		if a := w.try(http.MethodGet, "http://chat/ttlchat/demo/sdk/users/alice/token/expires", ""); a.status != 200 {
			t.Errorf("another call: %+v", a)
		}
		if a := w.try(http.MethodOptions, "http://chat/ttlchat/demo/token", ""); a.status != 200 {
			t.Errorf("a preflight: %+v", a)
		}
		entries := w.srv.entries(RESTRequest)
		if e := entries[2]; e.Status != 500 || e.Path != "/ttlchat/demo/token" || e.Reason != "fault f3: rest status" {
			t.Errorf("the journal has %+v", e)
		}
	})
}

// TestFaultCallFilters: a fault for one user strikes nobody else, wherever a shape has the name; path and method narrow it further.
func TestFaultCallFilters(t *testing.T) {
	inWorld(t, Config{Users: []User{{"alice", "secret"}}}, func(t *testing.T, w *world) {
		e, _, _ := w.srv.hub.find("alice")
		for name, tt := range map[string]struct {
			fault             Fault
			method, url, body string
			strikes           bool
		}{
			"JSON":          {Fault{User: "alice"}, http.MethodPost, goToken, forAlice, true},
			"JSON, other":   {Fault{User: "alice"}, http.MethodPost, goToken, forBob, false},
			"UUID":          {Fault{User: "alice"}, http.MethodPost, goToken, `{"user_uuid":"` + e.UUID + `","expire":600}`, true},
			"query":         {Fault{User: "alice"}, http.MethodGet, "http://tokens/api/token/generateUserToken?account=alice", "", true},
			"query, other":  {Fault{User: "alice"}, http.MethodGet, "http://tokens/api/token/generateUserToken?account=bob", "", false},
			"path":          {Fault{User: "alice"}, http.MethodGet, "http://tokens/chat/user/alice/token", "", true},
			"form":          {Fault{User: "alice"}, http.MethodPost, "http://tokens/token/generate", "userId=alice&expireSeconds=60", true},
			"login":         {Fault{User: "alice"}, http.MethodPost, "http://tokens/token", `{"userAccount":"alice","userPassword":"secret"}`, true},
			"right path":    {Fault{Params: FaultParams{"path": "generate-user-token"}}, http.MethodPost, goToken, forAlice, true},
			"pattern":       {Fault{Params: FaultParams{"path": "/chat/user/*/token"}}, http.MethodGet, "http://tokens/chat/user/bob/token", "", true},
			"other path":    {Fault{Params: FaultParams{"path": "token"}}, http.MethodPost, goToken, forAlice, false},
			"right method":  {Fault{Params: FaultParams{"method": "post"}}, http.MethodPost, goToken, forAlice, true},
			"other method":  {Fault{Params: FaultParams{"method": "GET"}}, http.MethodPost, goToken, forAlice, false},
			"REST, by path": {Fault{Target: FaultREST, User: "bob"}, http.MethodGet, "http://chat/ttlchat/demo/users/bob", "", true},
			"REST, bearer":  {Fault{Target: FaultREST, User: "alice"}, http.MethodPost, "http://chat/ttlchat/demo/token", `{"grant_type":"agora"}`, true},
			"REST, other":   {Fault{Target: FaultREST, User: "bob"}, http.MethodPost, "http://chat/ttlchat/demo/token", `{"grant_type":"agora"}`, false},
		} {
			if tt.fault.Target == "" {
				tt.fault.Target = FaultTokenServer
			}
			tt.fault.Kind = "status"
			id := w.fault(tt.fault)
			if a := w.try(tt.method, tt.url, tt.body); (a.status == 503) != tt.strikes {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
			w.srv.ClearFault(id)
		}
	})
}

func TestFaultDelay(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultTokenServer, Kind: "delay", Count: 1, Params: FaultParams{"delay": "50s"}}) // longer than the server's own limits
		w.fault(Fault{Target: FaultTokenServer, Kind: "status", Count: 1})
		if a := w.token(); a.took != 50*time.Second || a.status != 503 {
			t.Errorf("two faults, one after the other: %+v", a)
		}
		if a := w.token(); a.took != 0 || a.status != 200 {
			t.Errorf("after the faults: %+v", a)
		}
		w.fault(Fault{Target: FaultTokenServer, Kind: "delay", Count: 1})
		w.http.Timeout = time.Second
		if a := w.token(); a.err == nil || a.took != time.Second {
			t.Errorf("a client with less patience: %+v", a)
		}
		time.Sleep(time.Minute)
		if n := len(w.srv.entries(TokenIssued)); n != 1 {
			t.Errorf("%d tokens issued: one went to nobody", n)
		}
	})
}

// TestFaultHang: a call that hangs ends with the fault, with its own limit, and with the emulator.
func TestFaultHang(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		id := w.fault(Fault{Target: FaultTokenServer, Kind: "hang", Count: 1})
		got := make(chan answer, 1)
		go func() { got <- w.token() }()
		time.Sleep(time.Hour)
		w.srv.ClearFault(id)
		if a := <-got; a.err == nil || a.took != time.Hour {
			t.Errorf("cleared after an hour: %+v", a)
		}
		w.fault(Fault{Target: FaultTokenServer, Kind: "hang", Count: 1, Params: FaultParams{"for": "7s"}})
		if a := w.token(); a.err == nil || a.took != 7*time.Second {
			t.Errorf("for 7 s: %+v", a)
		}
		w.fault(Fault{Target: FaultREST, Kind: "hang"})
		go func() { got <- w.try(http.MethodGet, "http://chat/ttlchat/demo/users/alice", "") }()
		synctest.Wait()
		if len(w.srv.entries(FaultApplied)) != 3 {
			t.Errorf("the journal has %+v", w.srv.entries(FaultApplied))
		}
		if err := w.srv.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
		if a := <-got; a.err == nil {
			t.Errorf("at the end: %+v", a)
		}
	})
}

// TestFaultHangClientLeaves: whoever gives up leaves no goroutine behind; the bubble would not end otherwise.
func TestFaultHangClientLeaves(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultTokenServer, Kind: "hang"})
		w.http.Timeout = 5 * time.Second
		if a := w.token(); a.err == nil || a.took != 5*time.Second {
			t.Errorf("got %+v", a)
		}
		if e := w.only(RESTRequest); e.Reason != "fault f1: token-server hang" {
			t.Errorf("the journal has %+v", e)
		}
	})
}

func TestFaultTokenBodies(t *testing.T) {
	for kind, check := range map[string]func(t *testing.T, a answer){
		"html": func(t *testing.T, a answer) {
			if a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(a.body, "<h1>") {
				t.Errorf("%+v", a)
			}
		},
		"content-type": func(t *testing.T, a answer) {
			if c, _ := a.claims(t); a.header.Get("Content-Type") != "text/html" || c.Expire != 600 {
				t.Errorf("%+v", a)
			}
		},
		"empty-token": func(t *testing.T, a answer) {
			if a.status != 200 || a.body != `{"token":""}`+"\n" {
				t.Errorf("%+v", a)
			}
		},
		"huge-body": func(t *testing.T, a answer) {
			if len(a.body) != 64<<20 || !strings.HasPrefix(a.body, `{"token":"007e`) {
				t.Errorf("%d bytes", len(a.body))
			}
		},
		"truncated-json": func(t *testing.T, a answer) {
			if a.status != 200 || a.err != nil || json.Valid([]byte(a.body)) || !strings.HasPrefix(a.body, `{"token":"007eJ`) {
				t.Errorf("%+v", a)
			}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				w.fault(Fault{Target: FaultTokenServer, Kind: kind, Count: 1})
				check(t, w.token())
			})
		})
	}
}

// TestFaultForgeries: each forged token is wrong in one way, and the emulator's own door sees it.
func TestFaultForgeries(t *testing.T) {
	type facts struct {
		User, AppID string
		Issued      time.Duration // from the start
		Expire      uint32
		Refused     string // by the gateway, "" for accepted
	}
	usual := facts{"alice", DemoAppID, 0, 600, ""}
	for kind, change := range map[string]func(*facts){
		"expired-token":     func(f *facts) { f.Issued, f.Refused = -660*time.Second, reasonExpired },
		"other-user":        func(f *facts) { f.User, f.Refused = "mallory", reasonMismatch },
		"other-app":         func(f *facts) { f.AppID, f.Refused = otherAppID, reasonMismatch },
		"wrong-certificate": func(f *facts) { f.Refused = reasonMismatch },
		"zero-life":         func(f *facts) { f.Expire, f.Refused = 0, reasonExpired },
		"seven-days":        func(f *facts) { f.Expire = 7 * 86400 },
		"milliseconds":      func(f *facts) { f.Expire = 600_000 },
	} {
		t.Run(kind, func(t *testing.T) {
			want := usual
			change(&want)
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				w.fault(Fault{Target: FaultTokenServer, Kind: kind, Count: 1})
				c, token := w.token().claims(t)
				chat, err := c.Chat()
				if err != nil {
					t.Fatal(err)
				}
				reply := w.dial().provision(login{user: "alice", resource: "web", token: token})
				got := facts{chat.User, c.AppID, time.Unix(int64(c.IssuedAt), 0).Sub(w.start), c.Expire, reply.GetStatus().GetReason()}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

// TestFaultForgeryOfAppToken: an app token stays one.
func TestFaultForgeryOfAppToken(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultTokenServer, Kind: "zero-life"})
		c, _ := w.try(http.MethodPost, "http://tokens/generate-app-token", `{"expire":600}`).claims(t)
		if chat, err := c.Chat(); err != nil || !chat.AppPrivilege || c.Expire != 0 {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestFaultSameToken(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		_, first := w.token().claims(t)
		time.Sleep(time.Minute)
		id := w.fault(Fault{Target: FaultTokenServer, Kind: "same-token"})
		if _, again := w.token().claims(t); again != first {
			t.Error("alice got another token than before")
		}
		_, bob := w.try(http.MethodPost, goToken, forBob).claims(t)
		if bob == first {
			t.Error("bob got alice's token")
		}
		time.Sleep(time.Minute)
		if _, again := w.try(http.MethodPost, goToken, forBob).claims(t); again != bob {
			t.Error("bob's token is not the same")
		}
		w.srv.ClearFault(id)
		if _, fresh := w.token().claims(t); fresh == first {
			t.Error("the fault is cleared, and alice still gets the old token")
		}
	})
}

func TestFaultRESTSeconds(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		expire := func() int64 {
			var got struct {
				At int64 `json:"expire_timestamp"`
			}
			a := w.try(http.MethodGet, "http://chat/ttlchat/demo/sdk/users/alice/token/expires", "")
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				t.Fatalf("%s: %v", a.body, err)
			}
			return got.At
		}
		want := expire()
		w.fault(Fault{Target: FaultREST, Kind: "seconds"})
		if got := expire(); got != want/1000 {
			t.Errorf("expire_timestamp %d, want %d", got, want/1000)
		}
	})
}

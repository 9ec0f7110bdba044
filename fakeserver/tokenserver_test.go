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

// ask makes a call to the token server.
func (w *world) ask(method, path, body string) (status int, contentType, answer string) {
	w.t.Helper()
	a := w.whole(method, "http://tokens"+path, nil, body)
	return a.status, a.header.Get("Content-Type"), a.body
}

// fetch returns the token of a successful answer.
func (w *world) fetch(path, body string) agoratoken.Claims {
	w.t.Helper()
	status, kind, answer := w.ask(http.MethodPost, path, body)
	var got map[string]string
	if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK || len(got) != 1 {
		w.t.Fatalf("%d %q", status, answer)
	}
	if kind != "text/plain; charset=utf-8" || !strings.HasSuffix(answer, "}\n") {
		w.t.Errorf("content type %q, body %q", kind, answer)
	}
	token, err := agoratoken.Read(got["token"])
	if err != nil {
		w.t.Fatal(err)
	}
	return token.Claims()
}

// TestTokenServer: the token server does what the official Go sample does, quirks included (sources/000).
func TestTokenServer(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path, body string
		user               string
		app                bool
		life               uint32
	}{
		"user":                      {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":3600}`, "alice", false, 3600},
		"app":                       {http.MethodPost, "/generate-app-token", `{"expire":3600}`, "", true, 3600},
		"missing expire is 0":       {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice"}`, "alice", false, 0},
		"missing user is nobody":    {http.MethodPost, "/generate-user-token", `{"expire":60}`, "", false, 60},
		"the Flutter sample's body": {http.MethodPost, "/generate-user-token", `{"userId":"alice"}`, "", false, 0},
		"largest expire":            {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":4294967295}`, "alice", false, 1<<32 - 1},
		"only the first JSON value": {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":60} {"expire":`, "alice", false, 60},
		"a name that is none":       {http.MethodPost, "/generate-user-token", `{"user_uuid":"\u001b[2J Alice","expire":60}`, "\x1b[2J Alice", false, 60},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				claims := w.fetch(tt.path, tt.body)
				chat, err := claims.Chat()
				want := agoratoken.Chat{User: tt.user, UserPrivilege: !tt.app, AppPrivilege: tt.app, Lifetime: time.Duration(tt.life) * time.Second}
				if diff := cmp.Diff(want, chat); diff != "" || err != nil {
					t.Errorf("%v, the token (-want +got):\n%s", err, diff)
				}
				if claims.AppID != DemoAppID || int64(claims.IssuedAt) != w.start.Unix() {
					t.Errorf("the token is %+v", claims)
				}
				issued := w.only(TokenIssued)
				if !issued.ExpiresAt.Equal(w.start.Add(time.Duration(tt.life)*time.Second)) || strings.ContainsRune(issued.User, '\x1b') {
					t.Errorf("the journal has %+v", issued)
				}
				if e := w.only(RESTRequest); e.Path != tt.path || e.Status != http.StatusOK || e.Reason != "token server" {
					t.Errorf("the journal has %+v", e)
				}
			})
		})
	}
}

// TestTokenServerRefuses: what is no request gets 400 as text; methods are not looked at.
func TestTokenServerRefuses(t *testing.T) {
	const invalid = "Invalid request payload\n"
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"bad JSON":                {http.MethodPost, "/generate-user-token", `{"user_uuid":`, 400, invalid},
		"no body":                 {http.MethodPost, "/generate-user-token", ``, 400, invalid},
		"GET without a body":      {http.MethodGet, "/generate-app-token", ``, 400, invalid},
		"negative expire":         {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":-1}`, 400, invalid},
		"fractional expire":       {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":1.5}`, 400, invalid},
		"expire over 32 bits":     {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":4294967296}`, 400, invalid},
		"expire as text":          {http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":"60"}`, 400, invalid},
		"a user who is a number":  {http.MethodPost, "/generate-user-token", `{"user_uuid":7,"expire":60}`, 400, invalid},
		"larger than the limit":   {http.MethodPost, "/generate-user-token", `{"user_uuid":"` + strings.Repeat("a", maxBody) + `"}`, 400, invalid},
		"unknown path":            {http.MethodPost, "/tokens", `{}`, 404, "404 page not found\n"},
		"unknown path below":      {http.MethodPost, "/generate-user-token/x", `{}`, 404, "404 page not found\n"},
		"the root":                {http.MethodGet, "/", ``, 404, "404 page not found\n"},
		"a path of the chat side": {http.MethodPost, "/ttlchat/demo/token", `{"grant_type":"agora"}`, 404, "404 page not found\n"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				status, kind, answer := w.ask(tt.method, tt.path, tt.body)
				if status != tt.status || answer != tt.want || kind != "text/plain; charset=utf-8" {
					t.Errorf("%d %q of %s", status, answer, kind)
				}
				if e := w.only(RESTRequest); e.Status != tt.status || e.Reason != "token server" {
					t.Errorf("the journal has %+v", e)
				}
			})
		})
	}
}

// TestTokenServerAnyMethod: the sample never looks at the method.
func TestTokenServerAnyMethod(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch, "BREW"} {
			if status, _, answer := w.ask(method, "/generate-app-token", `{"expire":60}`); status != http.StatusOK || !strings.Contains(answer, `{"token":"007`) {
				t.Errorf("%s: %d %s", method, status, answer)
			}
		}
	})
}

// TestTokenServerBuilderError comes with 200, an empty token and the error.
func TestTokenServerBuilderError(t *testing.T) {
	inWorld(t, Config{ClockOffset: 150 * 365 * 24 * time.Hour}, func(t *testing.T, w *world) { // the builder's time has 32 bits
		status, kind, answer := w.ask(http.MethodPost, "/generate-user-token", `{"user_uuid":"alice","expire":60}`)
		var got struct{ Token, Error string }
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK || kind != "text/plain; charset=utf-8" {
			t.Fatalf("%d %q of %s: %v", status, answer, kind, err)
		}
		if !strings.HasPrefix(answer, `{"token":"","error":"`) || !strings.Contains(got.Error, "a token cannot be issued at") {
			t.Errorf("got %q", answer)
		}
		if got := w.srv.entries(TokenIssued); got != nil {
			t.Errorf("the journal has %+v", got)
		}
	})
}

// TestTokenServerClock: tokens are issued by the emulator's clock, also after it has jumped.
func TestTokenServerClock(t *testing.T) {
	inWorld(t, Config{ClockOffset: 10 * time.Minute}, func(t *testing.T, w *world) {
		issued := func(want time.Duration) {
			t.Helper()
			claims := w.fetch("/generate-user-token", `{"user_uuid":"alice","expire":60}`)
			if got := time.Until(time.Unix(int64(claims.IssuedAt), 0)); got != want {
				t.Errorf("issued %v ahead of the machine's clock, want %v", got, want)
			}
		}
		issued(10 * time.Minute)
		w.srv.JumpClock(-time.Hour)
		issued(-50 * time.Minute)
		time.Sleep(24 * time.Hour)
		issued(-50 * time.Minute)
	})
}

// TestTokenIssuedInItsSecond: the journal has a token at the instant in which it was made, though that took until the next second.
func TestTokenIssuedInItsSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, Config{})
		_, expires, err := s.issue("alice", 10, func(time.Time) (string, error) {
			time.Sleep(time.Second)
			return "a token", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.entries(TokenIssued); len(got) != 1 || expires.Sub(got[0].At.Truncate(time.Second)) != 10*time.Second {
			t.Errorf("it ends at %v, and the journal has %+v", expires, got)
		}
	})
}

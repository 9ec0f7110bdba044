package fakeserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestLogin: the page of the older documents gets a token for a password, from anywhere (sources/002).
func TestLogin(t *testing.T) {
	account := func(name, password, more string) string {
		return fmt.Sprintf(`{"userAccount":%q,"userPassword":%q%s}`, name, password, more)
	}
	for name, tt := range map[string]struct {
		method, body string
		status       int
		code         string
		life         time.Duration
	}{
		"right":           {http.MethodPost, account("alice", "secret", ""), 200, "RES_OK", time.Hour},
		"a life of 30 s":  {http.MethodPost, account("alice", "secret", `,"expire":30`), 200, "RES_OK", 30 * time.Second},
		"wrong password":  {http.MethodPost, account("alice", "guess", ""), 401, "RES_UNAUTHORIZED_ERROR", 0},
		"no password set": {http.MethodPost, account("bob", "x", ""), 401, "RES_UNAUTHORIZED_ERROR", 0},
		"unknown user":    {http.MethodPost, account("zoe", "x", ""), 404, "RES_USER_NOT_FOUND", 0},
		"no password":     {http.MethodPost, account("alice", "", ""), 400, "RES_REQUEST_PARAM_ERROR", 0},
		"bad JSON":        {http.MethodPost, `{"userAccount":`, 400, "RES_REQUEST_PARAM_ERROR", 0},
		"over the limit":  {http.MethodPost, account("alice", strings.Repeat("x", maxBody), ""), 400, "RES_REQUEST_PARAM_ERROR", 0},
		"GET":             {http.MethodGet, "", 405, "RES_REQUEST_PARAM_ERROR", 0},
		"preflight":       {http.MethodOptions, "", 200, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{ClosedRegistration: true, Users: []User{{Name: "alice", Password: "secret"}, {Name: "bob"}}}, func(t *testing.T, w *world) {
				resp, body := w.do(tt.method, "http://tokens/token", map[string]string{"Origin": "http://localhost:3000"}, []byte(tt.body))
				h := resp.header
				if resp.status != tt.status || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Headers") != "content-type" {
					t.Errorf("%d %v", resp.status, h)
				}
				for _, e := range w.srv.entries() {
					if strings.Contains(fmt.Sprintf("%+v", e), "secret") {
						t.Errorf("the journal tells the password: %+v", e)
					}
				}
				if tt.code == "" {
					return
				}
				var got pageAnswer
				if err := json.Unmarshal(body, &got); err != nil || got.Code != tt.code || got.StatusCode != tt.status || (got.ErrorInfo == "") != (tt.life > 0) {
					t.Fatalf("%s: %v", body, err)
				}
				if tt.life == 0 {
					if got.AccessToken != "" {
						t.Errorf("%s", body)
					}
					return
				}
				g, bad := w.srv.authenticate(got.AccessToken)
				if bad != nil || g.identity != "alice" || got.ChatUserName != "alice" || g.expiresAt.Sub(w.start) != tt.life || got.ExpireTimestamp != g.expiresAt.UnixMilli() {
					t.Errorf("%s: %+v, %v", body, g, bad)
				}
				w.only(TokenIssued)
			})
		})
	}
}

// TestFirstLogin: where registration is open, a user appears with the first password given, and it holds from then on.
func TestFirstLogin(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			account, password string
			status            int
		}{{"zoe", "first", 200}, {"zoe", "first", 200}, {"zoe", "other", 401}, {"Not a name", "x", 404}} {
			body := fmt.Sprintf(`{"userAccount":%q,"userPassword":%q}`, tt.account, tt.password)
			if resp, answer := w.do(http.MethodPost, "http://tokens/token", nil, []byte(body)); resp.status != tt.status {
				t.Errorf("%s with %s: %d %s, want %d", tt.account, tt.password, resp.status, answer, tt.status)
			}
		}
	})
}

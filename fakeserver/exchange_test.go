package fakeserver

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// callOf makes a call and returns what the emulator remembers of it.
func callOf(t *testing.T, s *Server, h http.Handler, method, path, body string, headers ...string) Exchange {
	t.Helper()
	hit(t, h, method, path, body, headers...)
	entries, _ := s.journal.log.Since(0)
	last := entries[len(entries)-1].Entry()
	if last.Name != RESTRequest {
		t.Fatalf("the last entry is %+v", last)
	}
	x, ok := s.Exchange(last.Session)
	if !ok {
		t.Fatalf("nothing is known of %q", last.Session)
	}
	return x
}

func hit(t *testing.T, h http.Handler, method, path, body string, headers ...string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://emulator.test"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	h.ServeHTTP(discard{http.Header{}}, r)
}

// discard is a response that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d discard) WriteHeader(int)             {}

func TestExchange(t *testing.T) {
	s, err := New(Config{Exchanges: 3, Users: []User{{Name: "alice", Password: "let me in"}}})
	if err != nil {
		t.Fatal(err)
	}
	x := callOf(t, s, s.token.Handler, http.MethodPost, "/generate-user-token?why=test", `{"userId":"alice","expirationInSeconds":60}`)
	if x.Request != `{"userId":"alice","expirationInSeconds":60}` || x.Query != "why=test" || !strings.Contains(x.Response, "007e…") {
		t.Errorf("a token server's call is remembered as %+v", x)
	}
	x = callOf(t, s, s.chat.Handler, http.MethodPost, "/ttlchat/demo/token", `{"grant_type":"password","username":"alice","password":"let \"me\" in"}`,
		"Authorization", "Bearer YWMtAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	for header, want := range map[string]string{
		"": "", "Basic YWxpY2U6aHVudGVyMg==": "Basic …", "Bearer opaque": "Bearer …", "key-of-my-own": "…",
		"Bearer 007eJxTYPj3p2Tnb4tznzx and more": "Bearer …", "a scheme that is far too long to be one": "a …",
	} {
		if got := credential(header); got != want {
			t.Errorf("credential(%q) = %q, want %q", header, got, want)
		}
	}
	if x.Authorization != "Bearer YWMt…" || x.Request != `{"grant_type":"password","username":"alice","password":…}` || x.Response == "" {
		t.Errorf("a login is remembered as %+v", x)
	}
	if _, err := s.AddFault(Fault{Target: FaultREST, Kind: "status", Params: FaultParams{"status": "503"}}); err != nil {
		t.Fatal(err)
	}
	if x = callOf(t, s, s.chat.Handler, http.MethodGet, "/ttlchat/demo/users/alice", ""); x.Response == "" {
		t.Errorf("a call that a fault answered is remembered as %+v", x)
	}
	hit(t, s.chat.Handler, http.MethodGet, "/ttlchat/demo/users/alice", "")
	for name, want := range map[string]bool{"r1": false, "r2": true, "r4": true, "r5": false, "r0": false, "c2": false, "": false, "r": false} {
		if _, ok := s.Exchange(name); ok != want {
			t.Errorf("Exchange(%q) knows something: %v", name, ok)
		}
	}
}

// Without being told to, the emulator remembers nothing, and its journal names no calls.
func TestNoExchange(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	hit(t, s.chat.Handler, http.MethodGet, "/ttlchat/demo/users/alice", "")
	entries, _ := s.journal.log.Since(0)
	if last := entries[len(entries)-1].Entry(); last.Session != "" {
		t.Errorf("the call is called %q", last.Session)
	}
	if _, ok := s.Exchange("r1"); ok {
		t.Error("there is an exchange")
	}
}

// Whatever bodies hold, no secret and no control character is kept of them, and no more than the limit.
func FuzzExchange(f *testing.F) {
	const secret = "swordfish"
	f.Add(`{"password":"%s"}`, 0)
	f.Add(`username=a&newpassword=%s&x=1`, 0)
	f.Add(`{"appCertificate" : "%s\"%s`, maxExchangeBody-40)
	f.Add("\x1b]0;%s\x07\"PASSWORD\":\"%s", 7)
	f.Fuzz(func(t *testing.T, form string, padding int) {
		if strings.Contains(form, secret) {
			return
		}
		var e excerpt
		_, _ = fmt.Fprint(&e, strings.Repeat("x ", min(max(padding, 0), maxExchangeBody)/2), form, `{"password":"`+secret+`"}`, "&secret="+secret)
		text := e.text()
		if len(text) > 4*maxExchangeBody {
			t.Errorf("%d bytes are kept", len(text))
		}
		if strings.Contains(text, secret) {
			t.Errorf("a password is kept in %q", text)
		}
		for _, r := range text {
			if unicode.IsControl(r) {
				t.Errorf("%U is kept in %q", r, text)
			}
		}
	})
}

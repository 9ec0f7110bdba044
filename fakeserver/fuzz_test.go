package fakeserver

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// silent reports whether a frame needs no answer: only a report in the name space STATISTIC does not (protocol.md c, "Login").
func silent(raw []byte) bool {
	m, err := msync.Decode(raw)
	if err != nil || m.GetCommand() != msync.MSync_SYNC {
		return false
	}
	var up msync.CommSyncUL
	return msync.Payload(m, &up) == nil && up.Meta != nil && up.GetMeta().GetNs() == msync.Meta_STATISTIC
}

// FuzzReceive: whatever frames come, before login and after, each is answered or ends the connection, what is answered can be decoded, and
// the journal stays fit to be shown.
func FuzzReceive(f *testing.F) {
	// The tokens that the seeds carry must be the same in every run.
	tokens := new(chatTokens)
	token := tokens.issue(grant{identity: "alice", expiresAt: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})
	alice := login{user: "alice", resource: "web", token: token}.frame(f)
	text := pack(f, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(f, 1, "echo", msync.TextBody("", "echo", "hi"), nil)})
	report := pack(f, msync.MSync_SYNC, &msync.CommSyncUL{Meta: &msync.Meta{Id: new(uint64(1))}})
	group := pack(f, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(f, 1, "1", &msync.MessageBody{Type: msync.MessageBody_GROUPCHAT.Enum()}, nil)})
	pull := pack(f, msync.MSync_SYNC, &msync.CommSyncUL{Queue: &msync.JID{Name: new("echo")}, Key: new(uint64(1 << 63))})
	unread, logout := pack(f, msync.MSync_UNREAD, nil), pack(f, msync.MSync_LOGOUT, nil)
	f.Add(false, alice, unread)
	f.Add(false, text, alice)
	f.Add(false, login{user: "alice", resource: "a\x1b[2J", token: "007eJx"}.frame(f), unread)
	f.Add(true, text, pull)
	f.Add(true, report, group)
	f.Add(true, alice, unread)
	f.Add(true, unread, logout)
	f.Add(true, garbage, []byte{})
	f.Fuzz(func(t *testing.T, loggedIn bool, first, second []byte) {
		s := newServer(t, Config{JournalSize: 16})
		s.chatTokens = tokens
		l := s.newLink(new(tape))
		if loggedIn {
			l.receive(alice)
		}
		out := l.wire.(*tape)
		for _, raw := range [][]byte{first, second} {
			if out.code != 0 {
				break
			}
			before := len(out.frames)
			l.receive(raw)
			if len(out.frames) == before && out.code == 0 && !silent(raw) {
				t.Errorf("no answer to %x", raw)
			}
		}
		for _, raw := range out.frames {
			if m, err := msync.Decode(raw); err != nil || m.Command == nil || m.Payload == nil {
				t.Errorf("sent %x: %v", raw, err)
			}
		}
		if len(closeText(out.reason)) > 123 {
			t.Errorf("a close text of %d bytes", len(out.reason))
		}
		for _, e := range s.entries() {
			for _, shown := range []string{e.User, e.Device, e.Reason, e.Frame, e.From, e.To, out.reason} {
				if printable.Line(shown, 0) != shown || strings.Contains(shown, token) {
					t.Errorf("not fit to be shown: %q in %+v", shown, e)
				}
			}
		}
		l.ended("test")
		if links := s.hub.links(""); len(links) != 0 || len(s.schedule.pending) != 0 {
			t.Errorf("%d links and %d deadlines are left", len(links), len(s.schedule.pending))
		}
	})
}

// FuzzREST: whatever is called on either listener, the answer is whole: a known status, JSON from the chat service, and an error that says
// what is wrong.
func FuzzREST(f *testing.F) {
	tokens := new(chatTokens)
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	app := "Bearer " + tokens.issue(grant{app: true, expiresAt: end})
	alice := "Bearer " + tokens.issue(grant{identity: "alice", expiresAt: end})
	controls := regexp.MustCompile(`\p{Cc}`) // net/http refuses a request line with one, so they come escaped
	f.Add(false, "POST", "/ttlchat/demo/token", "", alice, []byte(`{"grant_type":"agora"}`))
	f.Add(false, "POST", "/ttlchat/demo/token", "", "", []byte(`{"grant_type":"password","username":"alice","password":"secret","ttl":0}`))
	f.Add(false, "GET", "///sdk/users/alice/token/expires", "", alice, []byte{})
	f.Add(false, "POST", "/ttlchat/demo/users", "", app, []byte(`[{"username":"a","password":"b"},{"username":"A"}]`))
	f.Add(false, "POST", "/ttlchat/demo/users", "", "", []byte(`{"username":"a","password":"b","nickname":"\u001b[2J"}`))
	f.Add(false, "GET", "/ttlchat/demo/users", "limit=1&cursor=a", app, []byte{})
	f.Add(false, "DELETE", "/ttlchat/demo/users/alice", "", app, []byte{})
	f.Add(false, "GET", "/ttlchat/demo/users/alice/status", "", "bearer 007eJx", []byte{})
	f.Add(false, "OPTIONS", "/", "", "", []byte{})
	f.Add(true, "POST", "/generate-user-token", "", "", []byte(`{"user_uuid":"alice","expire":60}`))
	f.Add(true, "GET", "/generate-app-token", "", "", []byte(`{"expire":-1}`))
	f.Fuzz(func(t *testing.T, tokenServer bool, method, path, query, authorization string, body []byte) {
		s := newServer(t, Config{JournalSize: 16, Users: []User{{Name: "alice", Password: "secret"}}})
		s.chatTokens = tokens
		handler := s.chat.Handler
		if tokenServer {
			handler = s.token.Handler
		}
		query = controls.ReplaceAllStringFunc(query, url.QueryEscape)
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Authorization": {authorization}},
			Host: "chat", Body: io.NopCloser(bytes.NewReader(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(t.Context()))
		if tokenServer {
			if !slices.Contains([]int{200, 301, 307, 400, 401, 404, 405, 415, 500}, w.Code) {
				t.Errorf("status %d", w.Code)
			}
		} else {
			if !slices.Contains([]int{200, 400, 401, 404, 409, 413}, w.Code) {
				t.Errorf("status %d", w.Code)
			}
			var answer map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil && method != http.MethodOptions {
				t.Errorf("answered %q: %v", w.Body, err)
			}
			if w.Code != http.StatusOK && (answer["error"] == "" || answer["error_description"] == "" || answer["error"] == nil || answer["error_description"] == nil) {
				t.Errorf("status %d without a reason: %s", w.Code, w.Body)
			}
		}
		if bytes.ContainsAny(w.Body.Bytes(), "\x1b\x07\x00") {
			t.Errorf("a control in %q", w.Body)
		}
		entries := s.entries(RESTRequest)
		if len(entries) != 1 {
			t.Fatalf("%d entries", len(entries))
		}
		for _, shown := range []string{entries[0].Method, entries[0].Path, entries[0].User, entries[0].Reason} {
			if printable.Line(shown, 0) != shown {
				t.Errorf("not fit to be shown: %q", shown)
			}
		}
	})
}

// FuzzChatToken: only what was issued opens, in the one spelling that it was issued in.
func FuzzChatToken(f *testing.F) {
	tokens := new(chatTokens) // its key is known, so the fuzzer starts from tokens that open
	f.Add(tokens.issue(grant{identity: "alice", expiresAt: time.UnixMilli(1 << 50)}), int64(0))
	f.Add(tokens.issue(grant{app: true, expiresAt: time.UnixMilli(1)}), int64(2))
	f.Add("YWMt", int64(0))
	f.Add(chatTokenPrefix+strings.Repeat("A", chatTokenMax), int64(0))
	f.Fuzz(func(t *testing.T, token string, ms int64) {
		now := time.UnixMilli(ms)
		g, bad := tokens.open(token, now)
		if bad != nil {
			if g != (grant{}) || bad.detail == "" || strings.Contains(bad.detail, token) && token != "" && len(token) > 8 {
				t.Errorf("refused with %+v, %+v", g, bad)
			}
			return
		}
		raw, err := base64.URLEncoding.DecodeString(token)
		if err != nil || base64.URLEncoding.EncodeToString(raw) != token {
			t.Errorf("another spelling of a token: %q", token)
		}
		if !now.Before(g.expiresAt) || g.acceptedAt != now {
			t.Errorf("open at %v: %+v", now, g)
		}
		again, bad := tokens.open(tokens.issue(g), now)
		g.short, again.short = "", ""
		g.serial, again.serial = 0, 0 // each token has its own
		if bad != nil || again != g {
			t.Errorf("issued %+v, opened %+v, %+v", g, again, bad)
		}
	})
}

// TestChatTokenAltered: no bit of a Chat token can be changed.
func TestChatTokenAltered(t *testing.T) {
	tokens, now := newChatTokens(), time.Now()
	token := tokens.issue(grant{identity: "alice", expiresAt: now.Add(time.Hour)})
	raw, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		raw[i/8] ^= 1 << (i % 8)
		if g, bad := tokens.open(base64.URLEncoding.EncodeToString(raw), now); bad == nil {
			t.Errorf("with bit %d changed it is good for %+v", i, g)
		}
		raw[i/8] ^= 1 << (i % 8)
	}
	// The last character has two bits that mean nothing.
	at := strings.IndexByte(token, '=') - 1
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		if altered := token[:at] + string(c) + token[at+1:]; altered != token {
			if _, bad := tokens.open(altered, now); bad == nil {
				t.Errorf("%q opens as well as %q", altered, token)
			}
		}
	}
	for _, altered := range []string{token[:len(token)-4], token + "AAAA", token + "\n", token + "=", " " + token, strings.ToLower(token), ""} {
		if _, bad := tokens.open(altered, now); bad == nil {
			t.Errorf("%q opens", altered)
		}
	}
	if g, bad := tokens.open(token, now); bad != nil || g.identity != "alice" {
		t.Errorf("the token itself: %+v, %+v", g, bad)
	}
}

// TestTruncatedFrames cuts a login and a message at every byte (baselines.md R14).
func TestTruncatedFrames(t *testing.T) {
	s := newServer(t, Config{JournalSize: 16})
	text := pack(t, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(t, 1, "bob", msync.TextBody("", "bob", "hi"), nil)})
	provision := login{user: "alice", resource: "web", token: s.userToken(t, "alice", 600)}.frame(t)
	for n := range provision {
		out := new(tape)
		s.newLink(out).receive(provision[:n])
		if len(out.frames) == 0 && out.code == 0 {
			t.Errorf("a login cut at %d is not answered", n)
		}
	}
	for n := range text {
		l := s.attached(t, "alice", "web")
		l.receive(text[:n])
		if out := l.wire.(*tape); len(out.frames) == 0 && out.code == 0 && !silent(text[:n]) {
			t.Errorf("a message cut at %d is not answered", n)
		}
	}
	// Ten thousand groups within each other, which nobody knows.
	nested := append(bytes.Repeat([]byte{0x0b}, 10_000), bytes.Repeat([]byte{0x0c}, 10_000)...)
	l := s.attached(t, "alice", "web")
	l.receive(append(nested, pack(t, msync.MSync_UNREAD, nil)...))
	if out := l.wire.(*tape); len(out.frames) == 0 && out.code == 0 {
		t.Error("a nested frame is not answered")
	}
}

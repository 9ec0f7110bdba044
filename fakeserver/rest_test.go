package fakeserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// bearer makes the token that a test names; "" is none.
func (w *world) bearer(name string) string {
	w.t.Helper()
	demo, past := w.srv.cfg.credentials(), w.start.Add(-time.Minute)
	other := agoratoken.Credentials{AppID: DemoAppID, Certificate: otherHex}
	must := func(token string, err error) string {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
		return token
	}
	switch name {
	case "":
		return ""
	case "app":
		return w.srv.appToken(w.t, 600)
	case "alice", "bob", "zoe":
		return w.srv.userToken(w.t, name, 600)
	case "alice's UUID":
		e, _, _ := w.srv.hub.find("alice")
		return w.srv.userToken(w.t, e.UUID, 600)
	case "alice's Chat token":
		return w.srv.chatTokens.issue(grant{identity: "alice", expiresAt: w.start.Add(600 * time.Second)})
	case "app's Chat token":
		return w.srv.chatTokens.issue(grant{app: true, expiresAt: w.start.Add(600 * time.Second)})
	case "Chat token of another emulator":
		return newChatTokens().issue(grant{app: true, expiresAt: w.start.Add(time.Hour)})
	case "expired alice":
		return must(agoratoken.BuildUser(demo, "alice", 60, past))
	case "expired app":
		return must(agoratoken.BuildApp(demo, 60, past))
	case "forged alice":
		return must(agoratoken.BuildUser(other, "alice", 600, w.start))
	case "forged app":
		return must(agoratoken.BuildApp(other, 600, w.start))
	case "corrupt":
		return "007eJxTYPj3p2Tnb4t"
	case "not 007":
		return "hello"
	}
	w.t.Fatalf("no token is called %q", name)
	return ""
}

// random is what differs from run to run in an answer.
var random = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`YWMt[\w-]+=*`), "YWMt"},
}

func stable(answer string) string {
	for _, r := range random {
		answer = r.form.ReplaceAllString(answer, r.name)
	}
	return answer
}

// refusalBody is an error body of the service (token-lifecycle.md section 3).
func refusalBody(kind, exception, description string, code int) string {
	tail := ""
	if code != 0 {
		tail = fmt.Sprintf(`,"error_code":%d`, code)
	}
	return fmt.Sprintf(`{"error":%q,"exception":%q,"timestamp":946684800000,"duration":0,"error_description":%q%s}`, kind, exception, description, tail)
}

// envelopeBody is a success; inner holds what comes between uri and timestamp.
func envelopeBody(action, path, uri, inner string) string {
	return fmt.Sprintf(`{"action":%q,"application":"UUID","path":%q,"uri":"http://chat/ttlchat/demo/%s",%s,"timestamp":946684800000,"duration":0,"organization":"ttlchat","applicationName":"demo"}`,
		action, path, uri, inner)
}

func entity(name string) string {
	return fmt.Sprintf(`{"uuid":"UUID","type":"user","created":946684800000,"modified":946684800000,"username":%q,"activated":true}`, name)
}

// TestREST is the REST surface: one line a call, with the whole answer.
func TestREST(t *testing.T) {
	const (
		get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
		security       = "EasemobSecurityException"
		notFound       = "ServiceResourceNotFoundException"
		illegal        = "IllegalArgumentException"
	)
	var (
		oauth     = refusalBody("unauthorized", security, "Unable to authenticate (OAuth)", 40001)
		expired   = refusalBody("unauthorized", security, "Unable to authenticate due to expired access token", 40001)
		corrupt   = refusalBody("auth_bad_access_token", security, "Unable to authenticate due to corrupt access token", 40001)
		foreign   = refusalBody("auth_bad_access_token", security, "Unable to authenticate", 40001)
		notOpen   = refusalBody("unauthorized", security, "Registration is not open, please contact the app admin", 0)
		noSuch    = refusalBody("service_resource_not_found", notFound, "Service resource not found", 0)
		badJSON   = refusalBody("json_parse", "JsonParseException", "The request body is not the JSON that this call takes", 0)
		tooLarge  = refusalBody("request_entity_too_large", "RequestEntityTooLargeException", "The request body is too large", 0)
		badTTL    = refusalBody("illegal_argument", illegal, "ttl must be 0 or more seconds", 0)
		badGrant  = refusalBody("illegal_argument", illegal, "grant_type must be agora, password or inherit here", 0)
		badLimit  = refusalBody("illegal_argument", illegal, "limit must be 1 to 100", 0)
		exists    = refusalBody("duplicate_unique_property_exists", "DuplicateUniquePropertyExistsException", "Application UUID Entity user requires that property named username be unique, value of alice exists", 0)
		badLength = refusalBody("illegal_argument", illegal, "password must have 1 to 64 bytes", 0)
	)
	noApp := func(name string) string {
		return refusalBody("organization_application_not_found", "OrganizationApplicationNotFoundException",
			"Could not find application for "+name+" from URI: "+name, 0)
	}
	illegalName := func(name string) string {
		return refusalBody("illegal_argument", illegal, "username "+name+" is not legal: 1 to 64 of a-z, 0-9, _ - .", 0)
	}
	token := func(seconds int, user string) string {
		if user != "" {
			user = `,"user":` + entity(user)
		}
		return fmt.Sprintf(`{"access_token":"YWMt","expires_in":%d,"expire_timestamp":%d,"application":"UUID"%s}`, seconds, 946684800000+int64(seconds)*1000, user)
	}
	password := func(name, secret, more string) string {
		return fmt.Sprintf(`{"grant_type":"password","username":%q,"password":%q,"timestamp":946684800000%s}`, name, secret, more)
	}
	inherit := func(name, more string) string {
		return fmt.Sprintf(`{"grant_type":"inherit","username":%q%s}`, name, more)
	}
	const agora = `{"grant_type":"agora"}`
	expires := "/ttlchat/demo/sdk/users/alice/token/expires"
	type calls []struct {
		name, method, path, token, body string
		status                          int
		want                            string
	}
	run := func(cfg Config, tests calls) {
		cfg.Users = []User{{Name: "alice", Password: "secret"}, {Name: "bob"}}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				inWorld(t, cfg, func(t *testing.T, w *world) {
					path := tt.path
					if rest, ok := strings.CutPrefix(path, "./"); ok {
						path = "/ttlchat/demo/" + rest
					}
					status, answer := w.rest(tt.method, path, w.bearer(tt.token), tt.body)
					if diff := cmp.Diff(tt.want, stable(answer)); status != tt.status || diff != "" {
						t.Errorf("status %d, want %d; the answer (-want +got):\n%s", status, tt.status, diff)
					}
					if e := w.only(RESTRequest); e.Method != tt.method || e.Path == "" || e.Status != tt.status {
						t.Errorf("the journal has %+v", e)
					}
				})
			})
		}
	}

	run(Config{}, calls{
		{"exchange", post, "./token", "alice", agora, 200, token(600, "alice")},
		{"exchange by UUID", post, "./token", "alice's UUID", agora, 200, token(600, "alice")},
		{"exchange for a user to be", post, "./token", "zoe", agora, 200, token(600, "")},
		{"exchange of an app token", post, "./token", "app", agora, 200, token(600, "")},
		{"exchange without a token", post, "./token", "", agora, 401, expired},
		{"exchange, expired", post, "./token", "expired alice", agora, 401, expired},
		{"exchange, expired app token", post, "./token", "expired app", agora, 401, expired},
		{"exchange, forged", post, "./token", "forged alice", agora, 401, foreign},
		{"exchange, corrupt", post, "./token", "corrupt", agora, 401, corrupt},
		{"exchange, not a token", post, "./token", "not 007", agora, 401, corrupt},
		{"password", post, "./token", "", password("alice", "secret", ""), 200, token(86_400, "alice")},
		{"password, ttl", post, "./token", "", password("alice", "secret", `,"ttl":60`), 200, token(60, "alice")},
		{"password, ttl 0", post, "./token", "", password("alice", "secret", `,"ttl":0`), 200, token(60*86_400, "alice")},
		{"password, huge ttl", post, "./token", "", password("alice", "secret", `,"ttl":9223372036854775807`), 200, token(60*86_400, "alice")},
		{"password, negative ttl", post, "./token", "", password("alice", "secret", `,"ttl":-1`), 400, badTTL},
		{"password, wrong", post, "./token", "", password("alice", "guess", ""), 400, refusalBody("invalid_grant", security, "invalid password", 0)},
		{"password, none set", post, "./token", "", password("bob", "", ""), 400, refusalBody("invalid_grant", security, "invalid password", 0)},
		{"password, unknown user", post, "./token", "", password("carol", "x", ""), 404, refusalBody("invalid_grant", notFound, "user not found", 0)},
		{"inherit", post, "./token", "app", inherit("bob", ""), 200, token(60*86_400, "bob")},
		{"inherit, ttl", post, "./token", "app", inherit("bob", `,"ttl":60`), 200, token(60, "bob")},
		{"inherit, negative ttl", post, "./token", "app", inherit("bob", `,"ttl":-1`), 400, badTTL},
		{"inherit, unknown user", post, "./token", "app", inherit("dora", ""), 404, refusalBody("invalid_grant", notFound, "user not found", 0)},
		{"inherit, created", post, "./token", "app", inherit("dora", `,"autoCreateUser":true`), 200, token(60*86_400, "dora")},
		{"inherit, illegal name", post, "./token", "app", inherit("E", ""), 400, illegalName("E")},
		{"inherit with a user token", post, "./token", "alice", inherit("bob", ""), 401, foreign},
		{"inherit, expired app token", post, "./token", "expired app", inherit("bob", ""), 401, expired},
		{"unknown grant", post, "./token", "app", `{"grant_type":"client_credentials"}`, 400, badGrant},
		{"no grant", post, "./token", "app", `{}`, 400, badGrant},
		{"bad JSON", post, "./token", "app", `{"grant_type":`, 400, badJSON},
		{"empty body", post, "./token", "app", ``, 400, badJSON},
		{"JSON of another form", post, "./token", "app", `{"grant_type":7}`, 400, badJSON},
		{"body at the limit", post, "./token", "app", `{"grant_type":"agora"}` + strings.Repeat(" ", maxBody-22), 200, token(600, "")},
		{"body over the limit", post, "./token", "app", `{"grant_type":"agora"}` + strings.Repeat(" ", maxBody-21), 413, tooLarge},

		{"expires", get, expires, "alice", "", 200, `{"expire_timestamp":946685400000}`},
		{"expires by UUID", get, expires, "alice's UUID", "", 200, `{"expire_timestamp":946685400000}`},
		{"expires, Chat token", get, expires, "alice's Chat token", "", 200, `{"expire_timestamp":946685400000}`},
		{"expires, without org and app", get, "///sdk/users/alice/token/expires", "alice", "", 200, `{"expire_timestamp":946685400000}`},
		{"expires, missing", get, expires, "", "", 401, oauth},
		{"expires, expired", get, expires, "expired alice", "", 401, oauth},
		{"expires, forged", get, expires, "forged alice", "", 401, oauth},
		{"expires, corrupt", get, expires, "corrupt", "", 401, oauth},
		{"expires, other user's", get, expires, "bob", "", 401, oauth},
		{"expires, app token", get, expires, "app", "", 401, oauth},

		{"register", post, "./users", "", `{"username":"carol","password":"x"}`, 200, envelopeBody("post", "/users", "users", `"entities":[`+entity("carol")+`]`)},
		{"register as app", post, "./users", "app", `{"username":"carol","password":"x"}`, 200, envelopeBody("post", "/users", "users", `"entities":[`+entity("carol")+`]`)},
		{"register, nickname", post, "./users", "", `{"username":"carol","password":"x","nickname":"Ca\u001b[2Jrol"}`, 200, envelopeBody("post", "/users", "users", `"entities":[`+strings.TrimSuffix(entity("carol"), "}")+`,"nickname":"Carol"}]`)},
		{"register, duplicate", post, "./users", "", `{"username":"alice","password":"x"}`, 400, exists},
		{"register, upper case", post, "./users", "", `{"username":"Carol","password":"x"}`, 400, illegalName("Carol")},
		{"register, long", post, "./users", "", `{"username":"` + strings.Repeat("a", 65) + `","password":"x"}`, 400, illegalName(strings.Repeat("a", 63) + "…")},
		{"register, hostile", post, "./users", "", `{"username":"a\u001b[2Jb","password":"x"}`, 400, illegalName("ab")},
		{"register, no name", post, "./users", "", `{"password":"x"}`, 400, illegalName("")},
		{"register, no password", post, "./users", "", `{"username":"carol"}`, 400, badLength},
		{"register, long password", post, "./users", "", `{"username":"carol","password":"` + strings.Repeat("x", 65) + `"}`, 400, badLength},
		{"register, bad JSON", post, "./users", "", `{`, 400, badJSON},
		{"register, user's token", post, "./users", "alice", `{"username":"carol","password":"x"}`, 401, foreign},
		{"register, expired token", post, "./users", "expired app", `{"username":"carol","password":"x"}`, 401, expired},
		{"register many", post, "./users", "app", `[{"username":"carol","password":"x"},{"username":"alice","password":"x"},{"username":"dave","password":"x"},{"username":"E","password":"x"}]`, 200, envelopeBody("post", "/users", "users", `"entities":[`+entity("carol")+`,`+entity("dave")+`],"data":[`+
			`{"username":"alice","registerUserFailReason":"Application UUID Entity user requires that property named username be unique, value of alice exists"},`+
			`{"username":"E","registerUserFailReason":"username E is not legal: 1 to 64 of a-z, 0-9, _ - ."}]`)},
		{"register many, all refused", post, "./users", "app", `[{"username":"E","password":"x"}]`, 200, envelopeBody("post", "/users", "users", `"entities":[],"data":[`+
			`{"username":"E","registerUserFailReason":"username E is not legal: 1 to 64 of a-z, 0-9, _ - ."}]`)},
		{"register many, openly", post, "./users", "", `[{"username":"carol","password":"x"}]`, 401, expired},
		{"register none", post, "./users", "app", `[]`, 400, refusalBody("illegal_argument", illegal, "want 1 to 60 users", 0)},
		{"register too many", post, "./users", "app", `[` + strings.Repeat(`{},`, 60) + `{}]`, 400, refusalBody("illegal_argument", illegal, "want 1 to 60 users", 0)},

		{"list", get, "./users", "app", "", 200, envelopeBody("get", "/users", "users", `"entities":[`+entity("alice")+`,`+entity("bob")+`,`+entity("echo")+`],"count":3`)},
		{"list, first page", get, "./users?limit=2", "app", "", 200, envelopeBody("get", "/users", "users", `"entities":[`+entity("alice")+`,`+entity("bob")+`],"cursor":"bob","count":2`)},
		{"list, last page", get, "./users?limit=2&cursor=bob", "app's Chat token", "", 200, envelopeBody("get", "/users", "users", `"entities":[`+entity("echo")+`],"count":1`)},
		{"list, beyond", get, "./users?cursor=zoe", "app", "", 200, envelopeBody("get", "/users", "users", `"entities":[]`)},
		{"list, limit 0", get, "./users?limit=0", "app", "", 400, badLimit},
		{"list, limit 101", get, "./users?limit=101", "app", "", 400, badLimit},
		{"list, limit x", get, "./users?limit=x", "app", "", 400, badLimit},
		{"get", get, "./users/alice", "app", "", 200, envelopeBody("get", "/users", "users/alice", `"entities":[`+entity("alice")+`]`)},
		{"get nobody", get, "./users/carol", "app", "", 404, noSuch},
		{"status", get, "./users/alice/status", "app", "", 200, envelopeBody("get", "/users", "users/alice/status", `"entities":[],"data":{"alice":"offline"}`)},
		{"status of nobody", get, "./users/carol/status", "app", "", 404, noSuch},
		{"delete", del, "./users/alice", "app", "", 200, envelopeBody("delete", "/users", "users/alice", `"entities":[`+entity("alice")+`]`)},
		{"delete nobody", del, "./users/carol", "app", "", 404, noSuch},
		{"disconnect", get, "./users/alice/disconnect", "app", "", 200, envelopeBody("get", "/users", "users/alice/disconnect", `"entities":[],"data":{"result":true}`)},
		{"disconnect nobody", post, "./users/carol/disconnect", "app", "", 404, noSuch},

		{"as a user", get, "./users/alice", "alice", "", 401, foreign},
		{"without a token", get, "./users/alice", "", "", 401, expired},
		{"expired", get, "./users/alice", "expired app", "", 401, expired},
		{"forged", get, "./users/alice", "forged app", "", 401, foreign},
		{"corrupt", get, "./users/alice", "corrupt", "", 401, corrupt},
		{"foreign Chat token", get, "./users/alice", "Chat token of another emulator", "", 401, foreign},
		{"list as a user", get, "./users", "alice", "", 401, foreign},
		{"status as a user", get, "./users/alice/status", "alice", "", 401, foreign},
		{"delete as a user", del, "./users/alice", "alice", "", 401, foreign},
		{"disconnect as a user", post, "./users/alice/disconnect", "alice", "", 401, foreign},

		{"unknown path", get, "./nonsense", "app", "", 404, noSuch},
		{"unknown method", http.MethodPatch, "./users/alice", "app", "", 404, noSuch},
		{"no user in the path", get, "./users//status", "app", "", 404, noSuch},
		{"no path", get, "/ttlchat/demo", "app", "", 404, noSuch},
		{"root", get, "/", "app", "", 404, noSuch},
		{"unknown app", get, "/ttlchat/other/users", "app", "", 404, noApp("ttlchat/other")},
		{"unknown org", post, "/other/demo/token", "app", agora, 404, noApp("other/demo")},
		{"hostile app", get, "/ttlchat/d%1b[2Jemo/users", "app", "", 404, noApp("ttlchat/demo")},
		{"WebSocket path without an upgrade", get, "/websocket", "", "", 404, noApp("websocket/")},
	})
	run(Config{ClosedRegistration: true}, calls{
		{"closed registration", post, "./users", "", `{"username":"carol","password":"x"}`, 401, notOpen},
		{"closed registration, as app", post, "./users", "app", `{"username":"carol","password":"x"}`, 200, envelopeBody("post", "/users", "users", `"entities":[`+entity("carol")+`]`)},
	})
}

// TestExchangeCarriesTheRestOver: an exchange does not lengthen a life, and what it buys works where the 007 token did.
func TestExchangeCarriesTheRestOver(t *testing.T) {
	access := regexp.MustCompile(`"access_token":"([^"]+)","expires_in":9900,"expire_timestamp":946694800000,`)
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, app := w.srv.userToken(t, "alice", 10_000), w.srv.appToken(t, 10_000)
		time.Sleep(100 * time.Second)
		exchange := func(token string) string {
			t.Helper()
			status, answer := w.rest(http.MethodPost, "/ttlchat/demo/token", token, `{"grant_type":"agora"}`)
			m := access.FindStringSubmatch(answer)
			if status != http.StatusOK || m == nil {
				t.Fatalf("%d %s", status, answer)
			}
			return m[1]
		}
		alice, app = exchange(alice), exchange(app)
		c := w.dial()
		reply := c.provision(login{user: "alice", resource: "web", token: alice})
		if given, err := msync.DecodeAuthToken(reply.GetAuthToken()); err != nil || given.ExpiresIn != 946694800000 {
			t.Errorf("logged in until %d, %v", given.ExpiresIn, err)
		}
		if status, answer := w.rest(http.MethodGet, "/ttlchat/demo/users/alice/status", app, ""); status != http.StatusOK || !strings.Contains(answer, `{"alice":"online"}`) {
			t.Errorf("%d %s", status, answer)
		}
		issued := w.srv.entries(TokenIssued)
		if len(issued) != 2 || issued[0].User != "alice" || issued[1].User != "" || !issued[0].ExpiresAt.Equal(w.start.Add(10_000*time.Second)) {
			t.Errorf("the journal has %+v", issued)
		}
		w.srv.JumpClock(9900 * time.Second)
		if status, answer := w.rest(http.MethodGet, "/ttlchat/demo/users/alice", app, ""); status != http.StatusUnauthorized {
			t.Errorf("after its end: %d %s", status, answer)
		}
	})
}

// TestPasswordLife: the seconds in the answer are those asked for, although time goes by while it is written.
func TestPasswordLife(t *testing.T) {
	s := newServer(t, Config{Users: []User{{Name: "alice", Password: "secret"}}})
	for range 20 {
		w := httptest.NewRecorder()
		body := strings.NewReader(`{"grant_type":"password","username":"alice","password":"secret","ttl":60}`)
		s.chat.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/ttlchat/demo/token", body))
		if got := w.Body.String(); !strings.Contains(got, `"expires_in":60,`) {
			t.Fatal(got)
		}
	}
}

// TestKicksOverREST: a deleted user's devices go with 207, a disconnected one's with 217; both methods work (token-lifecycle.md section 3).
func TestKicksOverREST(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path string
		op           msync.StatisticsBody_Operation
		reason       string
	}{
		"delete":          {http.MethodDelete, "users/alice", msync.StatisticsBody_USER_REMOVED, "kicked with 207: the user was deleted"},
		"disconnect":      {http.MethodGet, "users/alice/disconnect", msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE, "kicked with 217: disconnected over REST"},
		"disconnect POST": {http.MethodPost, "users/alice/disconnect", msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE, "kicked with 217: disconnected over REST"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "web")
				if status, answer := w.rest(tt.method, "/ttlchat/demo/"+tt.path, w.srv.appToken(t, 600), ""); status != http.StatusOK {
					t.Fatalf("%d %s", status, answer)
				}
				for _, c := range []*client{web, phone} {
					if op := c.kicked(); op != tt.op {
						t.Errorf("kicked with %v", op)
					}
				}
				bob.wantOpen()
				for _, e := range w.srv.entries(SessionClosed) {
					if e.User != "alice" || e.Reason != tt.reason {
						t.Errorf("the journal has %+v", e)
					}
				}
				w.login("alice", "web").wantOpen()
			})
		})
	}
}

// TestCORS: a web app's page comes from another origin than the service (protocol.md a.1).
func TestCORS(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://chat/ttlchat/demo/token", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", "http://localhost:3000")
			req.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
			resp, err := w.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			h := resp.Header
			if h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "authorization, content-type") {
				t.Errorf("%s: headers %v", method, h)
			}
			if method == http.MethodOptions && resp.StatusCode != http.StatusOK {
				t.Errorf("preflight: %s", resp.Status)
			}
		}
	})
}

// TestUpgradeAnyPath: the gateway is wherever a WebSocket is asked for, from any page.
func TestUpgradeAnyPath(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		dialer := websocket.Dialer{NetDialContext: w.net.DialContext}
		for _, path := range []string{"", "/websocket", "/any/path"} {
			conn, resp, err := dialer.DialContext(t.Context(), "ws://chat"+path, http.Header{"Origin": {"http://localhost:3000"}})
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			_ = conn.Close()
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://chat/websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket") // and no key
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("a broken upgrade: %s", resp.Status)
		}
		synctest.Wait()
	})
}

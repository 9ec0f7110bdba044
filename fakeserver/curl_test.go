package fakeserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// documentedCurl is a command line of the official documents, as printed but for the line numbers and the indentation of the page.
type documentedCurl struct {
	source, line string
	// org and app are the printed names of the project; where the page has <…> or {…} for them, they are filled in.
	org, app string
	check    func(t *testing.T, w *world, answer answer, body []byte)
}

// usersBody is the body of the call that three of the documents print, with other addresses.
const usersBody = ` -d '[
   {
     "username": "user1",
     "password": "123",
     "nickname": "testuser"
   }
 ]'`

// documentedCurls are all of them: sources/000 has three, sources/001 four and sources/002 one. sources/003 has none.
var documentedCurls = []documentedCurl{
	{
		"sources/000", `curl -X POST http://localhost:8080/generate-user-token \
      -H "Content-Type: application/json" \
      -d '{"user_uuid": "test_user", "expire": 3600}'`, DemoOrg, DemoApp,
		func(t *testing.T, w *world, answer answer, body []byte) {
			if chat := documentedToken(t, body); chat.User != "test_user" || !chat.UserPrivilege || chat.Lifetime != time.Hour {
				t.Errorf("the token is %+v", chat)
			}
		},
	},
	{
		"sources/000", `curl -X POST http://localhost:8080/generate-app-token \
      -H "Content-Type: application/json" \
      -d '{"expire": 3600}'`, DemoOrg, DemoApp,
		func(t *testing.T, w *world, answer answer, body []byte) {
			if chat := documentedToken(t, body); chat.User != "" || !chat.AppPrivilege || chat.Lifetime != time.Hour {
				t.Errorf("the token is %+v", chat)
			}
		},
	},
	{
		"sources/000", `curl -X POST -H "Authorization: Bearer <YourAgoraAppToken>" -i "https://XXXX/XXXX/XXXX/users"` + usersBody, "XXXX", "XXXX",
		checkDocumentedUser,
	},
	{
		"sources/001", `curl http://localhost:8090/chat/app/token`, DemoOrg, DemoApp,
		func(t *testing.T, w *world, answer answer, body []byte) {
			token, err := agoratoken.Read(string(body))
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			if chat, err := token.Claims().Chat(); err != nil || !chat.AppPrivilege {
				t.Errorf("%+v, %v", chat, err)
			}
		},
	},
	{
		"sources/001", `curl -X POST -H 'Content-Type: application/json' -H 'Authorization: Bearer 007eJxTYPj3p2Tnb4tznzxfO/0LK5cu/GZmI71PnWPVkbVhP/aniEspMBhbJJqnGKclmVsYJ5kYWBhbJqcapqRZpJmbm5ikGRsnnT12OrGhN5pB97zpVEYGVgZGBiYGEJ+BAQBN0CGG' -d '{"grant_type":"agora"}' 'http://a41.chat.agora.io/41434878/504205/token'`,
		"41434878", "504205", checkDocumentedExchange,
	},
	{
		"sources/001", `curl -X POST -H "Authorization: Bearer <YourAppToken>" -i "https://XXXX/XXXX/XXXX/users"` + usersBody, "XXXX", "XXXX",
		checkDocumentedUser,
	},
	{
		"sources/001", `curl -X POST -H 'Content-Type: application/json' http://<domain>/<org_name>/<app_name>/token -H 'Authorization: Bearer <agora_app_token>' -d '{"grant_type" : "agora"}'`,
		DemoOrg, DemoApp, checkDocumentedExchange,
	},
	{
		"sources/002", `curl -X POST -H "Authorization: Bearer <YourAppToken>" -i "https://a1.agora.com/{org-name}/{app-name}/users"` + usersBody, DemoOrg, DemoApp,
		checkDocumentedUser,
	},
}

// TestDocumentedCurls runs the command lines of the four documents; only the host and the credentials are others.
func TestDocumentedCurls(t *testing.T) {
	for _, tt := range documentedCurls {
		t.Run(tt.source, func(t *testing.T) {
			inWorld(t, Config{Org: tt.org, App: tt.app}, func(t *testing.T, w *world) {
				line := printedBearer.ReplaceAllString(tt.line, "Bearer "+w.srv.appToken(t, 3600))
				line = strings.NewReplacer("<domain>", "chat", "<org_name>", tt.org, "<app_name>", tt.app, "{org-name}", tt.org, "{app-name}", tt.app).Replace(line)
				method, address, header, body := parseCurl(t, line)
				u, err := url.Parse(address)
				if err != nil {
					t.Fatal(err)
				}
				u.Scheme = "http"
				if u.Hostname() == "localhost" {
					u.Host = "tokens"
				} else {
					u.Host = "chat"
				}
				answer, got := w.do(method, u.String(), header, []byte(body))
				if answer.status != http.StatusOK {
					t.Fatalf("%d %s", answer.status, got)
				}
				tt.check(t, w, answer, got)
			})
		})
	}
}

var printedBearer = regexp.MustCompile(`Bearer (<\w+>|007[\w+/=]+)`)

// documentedToken reads the token of an answer of the Go server, which has nothing else in it.
func documentedToken(t *testing.T, body []byte) agoratoken.Chat {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal(body, &got); err != nil || len(got) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	token, err := agoratoken.Read(got["token"])
	if err != nil {
		t.Fatal(err)
	}
	chat, err := token.Claims().Chat()
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

// checkDocumentedExchange: the answer has what both examples of sources/001 show.
func checkDocumentedExchange(t *testing.T, w *world, _ answer, body []byte) {
	t.Helper()
	var got struct {
		AccessToken     string `json:"access_token"`
		ExpiresIn       int64  `json:"expires_in"`
		ExpireTimestamp int64  `json:"expire_timestamp"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if g, bad := w.srv.authenticate(got.AccessToken); bad != nil || !g.app || !strings.HasPrefix(got.AccessToken, "YWMt") {
		t.Errorf("%s: %v", got.AccessToken, bad)
	}
	if got.ExpiresIn != 3600 || got.ExpireTimestamp != w.start.Add(time.Hour).UnixMilli() {
		t.Errorf("%s", body)
	}
}

// checkDocumentedUser: the answer has every field that the documents show, with the printed value where it is not an id or a time.
func checkDocumentedUser(t *testing.T, w *world, _ answer, body []byte) {
	t.Helper()
	type entity struct {
		UUID      string `json:"uuid"`
		Type      string `json:"type"`
		Created   int64  `json:"created"`
		Modified  int64  `json:"modified"`
		Username  string `json:"username"`
		Activated bool   `json:"activated"`
		Nickname  string `json:"nickname"`
	}
	var got struct {
		Action          string   `json:"action"`
		Application     string   `json:"application"`
		Path            string   `json:"path"`
		URI             string   `json:"uri"`
		Entities        []entity `json:"entities"`
		Timestamp       int64    `json:"timestamp"`
		Duration        *int64   `json:"duration"`
		Organization    string   `json:"organization"`
		ApplicationName string   `json:"applicationName"`
	}
	if err := json.Unmarshal(body, &got); err != nil || len(got.Entities) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	e, at := got.Entities[0], w.start.UnixMilli()
	if e != (entity{e.UUID, "user", at, at, "user1", true, "testuser"}) || len(e.UUID) != 36 {
		t.Errorf("the user is %+v", e)
	}
	org, app := w.srv.cfg.Org, w.srv.cfg.App
	if got.Action != "post" || got.Path != "/users" || got.URI != "http://chat/"+org+"/"+app+"/users" || got.Organization != org || got.ApplicationName != app {
		t.Errorf("%s", body)
	}
	if len(got.Application) != 36 || got.Timestamp != at || got.Duration == nil {
		t.Errorf("%s", body)
	}
	if _, right := w.srv.hub.checkPassword("user1", "123"); !right {
		t.Error("the password is another")
	}
}

// TestExchangeKeepsTheEnd: an app token of 10,000 s that is exchanged after 100 s gives a Chat token of 9,900 s (sources/001).
func TestExchangeKeepsTheEnd(t *testing.T) {
	inWorld(t, Config{Properties: withProperties(t, properties("10000"))}, func(t *testing.T, w *world) {
		_, _, token := w.ask(http.MethodGet, "/chat/app/token", "")
		end := w.start.Add(10_000 * time.Second)
		for _, tt := range []struct{ jump, left time.Duration }{
			{100 * time.Second, 9900 * time.Second}, {0, 9900 * time.Second}, {9899 * time.Second, time.Second}, {500 * time.Millisecond, 0},
		} {
			w.srv.JumpClock(tt.jump)
			status, answer := w.rest(http.MethodPost, "/ttlchat/demo/token", token, `{"grant_type":"agora"}`)
			var got struct {
				ExpiresIn       int64 `json:"expires_in"`
				ExpireTimestamp int64 `json:"expire_timestamp"`
			}
			if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
			if got.ExpiresIn != int64(tt.left/time.Second) || got.ExpireTimestamp != end.UnixMilli() {
				t.Errorf("after another %v: %s", tt.jump, answer)
			}
		}
		w.srv.JumpClock(500 * time.Millisecond)
		if status, answer := w.rest(http.MethodPost, "/ttlchat/demo/token", token, `{"grant_type":"agora"}`); status != http.StatusUnauthorized {
			t.Errorf("at its end the token gives %d %s", status, answer)
		}
	})
}

// parseCurl reads a curl command line with -X, -H, -d and -i as a shell and curl would.
func parseCurl(t *testing.T, line string) (method, address string, header map[string]string, body string) {
	t.Helper()
	words := shellWords(t, line)
	if len(words) == 0 || words[0] != "curl" {
		t.Fatalf("%q is no curl", line)
	}
	header = make(map[string]string)
	method = http.MethodGet
	for i := 1; i < len(words); i++ {
		word := words[i]
		if word == "-i" {
			continue
		}
		if !strings.HasPrefix(word, "-") {
			address = word
			continue
		}
		if i++; i == len(words) {
			t.Fatalf("%s has no value", word)
		}
		switch word {
		case "-X":
			method = words[i]
		case "-H":
			name, value, _ := strings.Cut(words[i], ": ")
			header[name] = value
		case "-d":
			body = words[i]
		default:
			t.Fatalf("curl's %s is not known here", word)
		}
	}
	if body != "" && header["Content-Type"] == "" {
		header["Content-Type"] = "application/x-www-form-urlencoded" // curl's own
	}
	return method, address, header, body
}

// shellWords splits a line at white space outside of quotes; a backslash at the end of a line joins it with the next.
func shellWords(t *testing.T, line string) (words []string) {
	t.Helper()
	var word strings.Builder
	var quote rune
	open := false
	for _, c := range strings.ReplaceAll(line, "\\\n", " ") {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ' || c == '\n':
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if quote != 0 {
		t.Fatalf("%q has an open quote", line)
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

package fakeserver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

var tokenIn = regexp.MustCompile(`007[A-Za-z0-9+/=]{40,}`)

// shapeCall is a call for a token with a lifetime, in the way of one shape; "" is a call that names none.
type shapeCall func(lifetime string) (method, path, contentType, body string)

func queryCall(method, path, key, more string) shapeCall {
	return func(lifetime string) (string, string, string, string) {
		q := more
		if lifetime != "" {
			q += "&" + key + "=" + lifetime
		}
		return method, path + "?" + q, "", ""
	}
}

func jsonCall(path, key, fields string) shapeCall {
	return func(lifetime string) (string, string, string, string) {
		body := "{" + fields + "}"
		if lifetime != "" {
			body = "{" + fields + `,"` + key + `":` + lifetime + "}"
		}
		return http.MethodPost, path, "application/json", body
	}
}

func plainCall(path string) shapeCall {
	return func(string) (string, string, string, string) { return http.MethodGet, path, "", "" }
}

const alicesAccount = `"userAccount":"alice","userPassword":"secret"`

// shapeCalls has one way to ask for every shape in the table.
var shapeCalls = map[string]shapeCall{
	"go":         jsonCall("/generate-user-token", "expire", `"user_uuid":"alice"`),
	"java":       plainCall("/chat/app/token"),
	"older-java": plainCall("/chat/user/uuid/alice/token"),
	"java-form":  queryCall(http.MethodPost, "/token/generate", "expireSeconds", "userId=alice"),
	"node":       queryCall(http.MethodGet, "/api/token/generateUserToken", "expireTimeInSeconds", "account=alice"),
	"python":     queryCall(http.MethodGet, "/api/token/generateUserToken", "expireTimeInSeconds", "account=alice"),
	"web":        jsonCall("/token", "expire", alicesAccount),
	"flutter":    jsonCall("/flutter/token", "expire", `"userId":"alice"`),
	"quickstart": jsonCall("/app/chat/user/login", "expire", alicesAccount),
	"rtc":        jsonCall("/fetch_rtc_token", "expire", `"uid":7,"channelName":"room","role":1`),
}

// properties is a file of the Java servers for the emulator's own project.
func properties(expire string) string {
	text := "appid=" + DemoAppID + "\nappcert=" + DemoAppCertificate + "\nappkey=ttlchat#demo\ndomain=localhost\n"
	if expire != "" {
		text += "expire.second=" + expire + "\n"
	}
	return text
}

// withProperties reads a file of properties that must be fine.
func withProperties(t testing.TB, text string) *Properties {
	t.Helper()
	p, err := ReadProperties(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

// outcome is what becomes of a call with that lifetime, in the words of the table.
func outcome(t *testing.T, name, prefix, lifetime string) (result string) {
	cfg := Config{Users: []User{{Name: "alice", Password: "secret"}}}
	if name == "java" || name == "older-java" {
		p, err := ReadProperties(strings.NewReader(properties(lifetime)))
		if err != nil {
			return "does not start"
		}
		cfg.Properties = &p
	}
	inWorld(t, cfg, func(t *testing.T, w *world) {
		method, path, contentType, body := shapeCalls[name](lifetime)
		answer, text := w.do(method, "http://tokens"+prefix+path, map[string]string{"Content-Type": contentType}, []byte(body))
		if answer.status != http.StatusOK {
			result = fmt.Sprint(answer.status)
			return
		}
		token, err := agoratoken.Read(string(tokenIn.Find(text)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		claims := token.Claims()
		result = fmt.Sprintf("lives %d s", claims.Expire)
		if p := claims.Services[0].Privileges; p[0].Expire != claims.Expire {
			t.Errorf("the privileges are %+v", p)
		}
		w.only(TokenIssued)
		if e := w.only(RESTRequest); e.Reason != "token server" || !strings.HasPrefix(path, strings.TrimPrefix(e.Path, prefix)) {
			t.Errorf("the journal has %+v", e)
		}
	})
	return result
}

// TestShapeLifetimes: the table of shapes says of odd lifetimes what the shapes really do, at their own paths and below /shape.
func TestShapeLifetimes(t *testing.T) {
	for _, sh := range TokenShapes() {
		t.Run(sh.Name, func(t *testing.T) {
			prefixes := []string{"", "/shape/" + sh.Name}
			if sh.Name == "python" { // Node has the path
				prefixes = prefixes[1:]
			}
			for _, prefix := range prefixes {
				got := Lifetimes{Given: sh.Lifetimes.Given}
				for lifetime, field := range map[string]*string{
					"": &got.Missing, "0": &got.Zero, "-1": &got.Negative, "1.5": &got.Fractional, "4294967296": &got.Oversized,
				} {
					*field = outcome(t, sh.Name, prefix, lifetime)
				}
				if diff := cmp.Diff(sh.Lifetimes, got); diff != "" {
					t.Errorf("at %q (-table +got):\n%s", prefix, diff)
				}
			}
		})
	}
}

// TestTokenShapes: the table is complete, and every route of it answers below /shape.
func TestTokenShapes(t *testing.T) {
	var names []string
	for _, sh := range TokenShapes() {
		names = append(names, sh.Name)
		if sh.Source == "" || len(sh.Routes) == 0 {
			t.Errorf("%+v is not described", sh)
		}
	}
	want := []string{"go", "java", "older-java", "java-form", "node", "python", "web", "flutter", "quickstart", "rtc"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("the shapes (-want +got):\n%s", diff)
	}
	if got := TokenShapes()[1].Routes; !slices.Contains(got, "GET /chat/user/{name}/token") {
		t.Errorf("the Java routes are %q", got)
	}
	if got := TokenShapes()[0].Routes; !slices.Contains(got, "/generate-user-token") {
		t.Errorf("the Go routes are %q", got)
	}
	s := newServer(t, Config{})
	for _, sh := range TokenShapes() {
		for _, route := range sh.Routes {
			method, path, found := strings.Cut(route, " ")
			if !found {
				method, path = http.MethodPost, route
			}
			for _, at := range []string{path, "/shape/" + sh.Name + path} {
				answer := httptest.NewRecorder()
				s.token.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, at, strings.NewReader("{}")))
				if answer.Code == http.StatusNotFound && !strings.Contains(answer.Body.String(), "userId") {
					t.Errorf("%s %s: %d %s", method, at, answer.Code, answer.Body)
				}
			}
		}
	}
}

// TestShapesDoNotMix: below /shape a shape has its own routes alone.
func TestShapesDoNotMix(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, path := range []string{"/shape/go/token/generate", "/shape/nope/generate-user-token", "/shape/java/generate-user-token", "/shape/", "/shape/go"} {
			if status, _, answer := w.ask(http.MethodPost, path, `{"expire":60}`); status != http.StatusNotFound {
				t.Errorf("%s: %d %s", path, status, answer)
			}
		}
	})
}

// TestShapeBrowsers: pages may call the shapes that are for them, and no other.
func TestShapeBrowsers(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, sh := range TokenShapes() {
			for _, method := range []string{http.MethodOptions, ""} {
				calls, path, contentType, body := shapeCalls[sh.Name]("")
				if method != "" {
					calls = method
				}
				answer, _ := w.do(calls, "http://tokens/shape/"+sh.Name+path, map[string]string{"Origin": "http://localhost:3000", "Content-Type": contentType}, []byte(body))
				want := ""
				if sh.Browsers {
					want = "*"
				}
				if got := answer.header.Get("Access-Control-Allow-Origin"); got != want {
					t.Errorf("%s for %s: allowed %q, want %q", calls, sh.Name, got, want)
				}
				if allowed := answer.header.Get("Access-Control-Allow-Methods"); sh.Browsers && !strings.Contains(allowed, "OPTIONS") {
					t.Errorf("%s for %s: methods %q", calls, sh.Name, allowed)
				}
			}
		}
	})
}

// shapeAnswer is one call and all of its answer; TOKEN stands for a token and TIME for Spring's time.
type shapeAnswer struct {
	name, method, path, body string
	status                   int
	kind, want               string
}

var springTime = regexp.MustCompile(`"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"`)

// check makes the calls, each in a world of its own. A body that is no JSON is sent as a form.
func checkShape(t *testing.T, cfg Config, calls []shapeAnswer) {
	t.Helper()
	for _, tt := range calls {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, cfg, func(t *testing.T, w *world) {
				contentType := "application/x-www-form-urlencoded"
				if json.Valid([]byte(tt.body)) {
					contentType = "application/json"
				}
				answer, body := w.do(tt.method, "http://tokens"+tt.path, map[string]string{"Content-Type": contentType}, []byte(tt.body))
				got := springTime.ReplaceAllString(tokenIn.ReplaceAllString(string(body), "TOKEN"), `"timestamp":"TIME"`)
				if answer.status != tt.status || answer.header.Get("Content-Type") != tt.kind || got != tt.want {
					t.Errorf("%d %s %q", answer.status, answer.header.Get("Content-Type"), got)
				}
				if e := w.only(RESTRequest); e.Status != tt.status {
					t.Errorf("the journal has %+v", e)
				}
			})
		})
	}
}

const (
	springKind = "application/json"
	nodeKind   = "application/json; charset=utf-8"
	textKind   = "text/plain;charset=UTF-8"
	htmlKind   = "text/html; charset=utf-8"
)

func springBody(status int, path string) string {
	return fmt.Sprintf(`{"timestamp":"TIME","status":%d,"error":%q,"message":"","path":%q}`, status, http.StatusText(status), path)
}

func TestNodeShape(t *testing.T) {
	const user, app = "/api/token/generateUserToken", "/api/token/generateAppToken"
	checkShape(t, Config{}, []shapeAnswer{
		{"user", "GET", user + "?account=alice&expireTimeInSeconds=60", "", 200, nodeKind, `{"status":"success","token":"TOKEN"}`},
		{"app", "GET", app + "?expireTimeInSeconds=60", "", 200, nodeKind, `{"status":"success","token":"TOKEN"}`},
		{"no account", "GET", user + "?expireTimeInSeconds=60", "", 400, nodeKind, `{"error":"Account parameter is required"}`},
		{"out of range", "GET", user + "?account=a&expireTimeInSeconds=-1", "", 500, nodeKind, `{"error":"The value of \"value\" is out of range. It must be >= 0 and <= 4294967295. Received -1"}`},
		{"POST", "POST", user, "", 404, htmlKind, "<pre>Cannot POST /api/token/generateUserToken</pre>\n"},
	})
}

// TestParseInt has what Node.js 20 said of each text.
func TestParseInt(t *testing.T) {
	for text, want := range map[string]float64{
		"": 0, "0": 0, "-0": 0, "7": 7, "+7": 7, "-7": -7, "1.5": 1, "1e3": 1, " 42": 42, "60abc": 60, "abc": 0, "0x10": 16, "0X1fg": 31, "-0x10": -16,
		"0x": 0, "4294967296": 4294967296, "99999999999999999999": 1e20, "--1": 0, "- 1": 0, "1_000": 1, "٣": 0, "0x0x5": 0,
	} {
		if got := jsParseInt(text); got != want {
			t.Errorf("parseInt(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestPythonShape(t *testing.T) {
	const user, app = "/shape/python/api/token/generateUserToken", "/shape/python/api/token/generateAppToken"
	broken := "<!doctype html>\n<title>500 Internal Server Error</title>\n"
	checkShape(t, Config{}, []shapeAnswer{
		{"user", "GET", user + "?account=alice&expireTimeInSeconds=60", "", 200, "application/json", `{"token":"TOKEN"}` + "\n"},
		{"app", "GET", app, "", 200, "application/json", `{"token":"TOKEN"}` + "\n"},
		{"no account", "GET", user, "", 400, "application/json", `{"error":"Missing 'account' parameter"}` + "\n"},
		{"empty lifetime", "GET", user + "?account=alice&expireTimeInSeconds=", "", 500, htmlKind, broken},
		{"the lifetime is read first", "GET", user + "?expireTimeInSeconds=x", "", 500, htmlKind, broken},
		{"app with 2^32 s", "GET", app + "?expireTimeInSeconds=4294967296", "", 500, htmlKind, broken},
		{"app with no number", "GET", app + "?expireTimeInSeconds=x", "", 500, htmlKind, broken},
		{"POST", "POST", user, "", 405, htmlKind, "<!doctype html>\n<title>405 Method Not Allowed</title>\n"},
	})
}

// TestPythonInt has what Python 3.11 said of each text; refused is none.
func TestPythonInt(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "+7": 7, "-7": -7, "1_000": 1000, "-1_0": -10, "007": 7, "99999999999999999999": 1<<63 - 1,
	} {
		if got, ok := pythonInt(text); !ok || got != want {
			t.Errorf("int(%q) = %d, %v, want %d", text, got, ok, want)
		}
	}
	if got, ok := pythonInt(" 60\n"); !ok || got != 60 {
		t.Errorf("with white space around it is %d, %v", got, ok)
	}
	for _, text := range []string{"", " ", "-", "+-1", "--1", "- 1", "1.5", "1e3", "0x10", "_1", "1_", "1__0", "+_1", "abc"} {
		if got, ok := pythonInt(text); ok {
			t.Errorf("int(%q) = %d, want a refusal", text, got)
		}
	}
}

func TestJavaFormShape(t *testing.T) {
	const path = "/token/generate"
	refused, failed := springBody(400, path), springBody(500, path)
	checkShape(t, Config{}, []shapeAnswer{
		{"user", "POST", path, "userId=alice&expireSeconds=60&tokenType=user", 200, textKind, "TOKEN"},
		{"app", "POST", path, "userId=alice&expireSeconds=60&tokenType=APP", 200, textKind, "TOKEN"},
		{"user by default", "POST", path, "userId=alice&expireSeconds=60", 200, textKind, "TOKEN"},
		{"in the address, as Android does", "POST", path + "?userId=alice&expireSeconds=60&tokenType=user", "", 200, textKind, "TOKEN"},
		{"an empty user", "POST", path, "userId=&expireSeconds=60", 200, textKind, "TOKEN"},
		{"white space and hexadecimal", "POST", path, "userId=alice&expireSeconds=+0x+3c", 200, textKind, "TOKEN"},
		{"no user", "POST", path, "expireSeconds=60&tokenType=app", 400, springKind, refused},
		{"no lifetime", "POST", path, "userId=alice", 400, springKind, refused},
		{"over 31 bits", "POST", path, "userId=alice&expireSeconds=2147483648", 400, springKind, refused},
		{"another kind", "POST", path, "userId=alice&expireSeconds=60&tokenType=admin", 500, springKind, failed},
		{"JSON is no form", "POST", path, `{"userId":"alice","expireSeconds":60}`, 400, springKind, refused},
		{"GET", "GET", path + "?userId=alice&expireSeconds=60", "", 405, springKind, springBody(405, path)},
		{"a broken form", "POST", path, "userId=alice&expireSeconds=60&x=%zz", 400, springKind, refused},
	})
}

func TestSpringInt(t *testing.T) {
	for text, want := range map[string]int32{
		"0": 0, "60": 60, "+60": 60, "-1": -1, "0x10": 16, "-0X10": -16, "#ff": 255, "2147483647": 1<<31 - 1, "-2147483648": -1 << 31,
	} {
		if got, ok := springInt(text); !ok || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, ok, want)
		}
	}
	if got, ok := springInt(" 6 0\t"); !ok || got != 60 {
		t.Errorf("with white space it is %d, %v", got, ok)
	}
	for _, text := range []string{"", " ", "1.5", "2147483648", "-2147483649", "abc", "0x", "0x-5", "#+1", "1_0", `"60"`, "60s"} {
		if got, ok := springInt(text); ok {
			t.Errorf("%q is %d, want a refusal", text, got)
		}
	}
}

func TestFlutterShape(t *testing.T) {
	const path, refused = "/flutter/token", `{"error":"userId is needed, and expire is in whole seconds; as JSON"}`
	checkShape(t, Config{}, []shapeAnswer{
		{"as the client asks", "POST", path, `{"userId":"alice"}`, 200, "application/json", `{"token":"TOKEN"}`},
		{"the Go server's body", "POST", path, `{"user_uuid":"alice","expire":60}`, 400, "application/json", refused},
		{"no JSON", "POST", path, `userId=alice`, 400, "application/json", refused},
		{"GET", "GET", path, ``, 405, "application/json", `{"error":"use POST"}`},
	})
}

func TestQuickstartShape(t *testing.T) {
	const register, login = "/app/chat/user/register", "/app/chat/user/login"
	checkShape(t, Config{Users: []User{{Name: "alice", Password: "secret"}, {Name: "bob"}}, ClosedRegistration: true}, []shapeAnswer{
		{"register", "POST", register, `{"userAccount":"zoe","userPassword":"x"}`, 200, springKind, `{"code":200}`},
		{"register again", "POST", register, "{" + alicesAccount + "}", 400, springKind, `{"code":400,"errorInfo":"userAccount alice already exists."}`},
		{"no name", "POST", register, `{"userAccount":"Zoe X","userPassword":"x"}`, 400, springKind, `{"code":400,"errorInfo":"userAccount: want 1 to 64 of a-z, 0-9, . _ -"}`},
		{"no account", "POST", register, `{"userPassword":"x"}`, 400, springKind, `{"code":400,"errorInfo":"userAccount cannot be empty"}`},
		{"no password", "POST", login, `{"userAccount":"alice"}`, 400, springKind, `{"code":400,"errorInfo":"userPassword cannot be empty"}`},
		{
			"long password", "POST", register, `{"userAccount":"zoe2","userPassword":"` + strings.Repeat("x", 65) + `"}`, 400, springKind,
			`{"code":400,"errorInfo":"userPassword has more than 64 bytes"}`,
		},
		{"wrong password", "POST", login, `{"userAccount":"alice","userPassword":"guess"}`, 400, springKind, `{"code":400,"errorInfo":"User password error."}`},
		{"no password set", "POST", login, `{"userAccount":"bob","userPassword":"x"}`, 400, springKind, `{"code":400,"errorInfo":"User password error."}`},
		{"unknown", "POST", login, `{"userAccount":"zoe","userPassword":"x"}`, 404, springKind, `{"code":404,"errorInfo":"zoe does not exists"}`},
		{"a form", "POST", login, "userAccount=alice", 415, "", ""},
		{"no object", "POST", login, "[]", 400, "", ""},
		{"GET", "GET", login, "", 405, "", ""},
	})
}

// TestQuickstartFlow: register, log in, and the token opens the chat service until the instant that the answer names.
func TestQuickstartFlow(t *testing.T) {
	inWorld(t, Config{ClosedRegistration: true}, func(t *testing.T, w *world) {
		header := map[string]string{"Content-Type": "application/json; charset=UTF-8"}
		for _, path := range []string{"register", "login"} {
			answer, body := w.do(http.MethodPost, "http://tokens/app/chat/user/"+path, header, []byte(`{"userAccount":"zoe","userPassword":"x"}`))
			if answer.status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, answer.status, body)
			}
			if path == "register" {
				continue
			}
			var got quickstartAnswer
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			g, bad := w.srv.authenticate(got.AccessToken)
			if bad != nil || g.identity != "zoe" || got.ChatUserName != "zoe" || got.Code != 200 || got.ExpireTimestamp != g.expiresAt.UnixMilli() {
				t.Errorf("%s: %+v, %v", body, g, bad)
			}
		}
	})
}

func TestRTCShape(t *testing.T) {
	const path = "/fetch_rtc_token"
	checkShape(t, Config{}, []shapeAnswer{
		{"as the sample asks", "POST", path, `{"uid":1234,"channelName":"ChannelA","role":1}`, 200, springKind, `{"code":"200","token":"TOKEN"}`},
		{"any case, as Go reads names", "POST", path, `{"uid":0,"ChannelName":"ChannelA","role":2}`, 200, springKind, `{"code":"200","token":"TOKEN"}`},
		{"a negative uid", "POST", path, `{"uid":-1,"channelName":"a"}`, 400, springKind, `{"code":"400","token":"Bad request. Wrong type provided for field uid"}`},
		{"no JSON", "POST", path, `uid=1`, 400, springKind, `{"code":"400","token":"Bad request."}`},
		{"GET", "GET", path, ``, 404, "text/plain; charset=utf-8", "Unsupported method. Please check.\n"},
	})
}

// TestRTCToken: the token is for the channel, the uid and the role.
func TestRTCToken(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for role, privileges := range map[string]int{"1": 4, "2": 1, "7": 1} {
			_, _, answer := w.ask(http.MethodPost, "/fetch_rtc_token", `{"uid":7,"channelName":"room one","role":`+role+`,"expire":50}`)
			token, err := agoratoken.Read(tokenIn.FindString(answer))
			if err != nil {
				t.Fatalf("%s: %v", answer, err)
			}
			claims := token.Claims()
			if service := claims.Services[0]; service.Channel != "room one" || service.User != "7" || len(service.Privileges) != privileges || claims.Expire != 50 {
				t.Errorf("role %s: %+v", role, claims)
			}
		}
		if status, _, answer := w.ask(http.MethodPost, "/fetch_rtc_token", `{"uid":7,"channelName":"café"}`); status != 400 || !strings.Contains(answer, "channel name") {
			t.Errorf("%d %s", status, answer)
		}
	})
}

// TestShapesPastTheirTime: when the clock is where no token can be issued, each shape says so as its original does.
func TestShapesPastTheirTime(t *testing.T) {
	want := map[string]int{
		"go": 200, "java": 200, "older-java": 200, "java-form": 200, "node": 500, "python": 500, "web": 500, "flutter": 500, "quickstart": 500, "rtc": 400,
	}
	inWorld(t, Config{ClockOffset: 150 * 365 * 24 * 3600e9, Users: []User{{Name: "alice", Password: "secret"}}}, func(t *testing.T, w *world) {
		for name, call := range shapeCalls {
			method, path, contentType, body := call("60")
			answer, text := w.do(method, "http://tokens/shape/"+name+path, map[string]string{"Content-Type": contentType}, []byte(body))
			if answer.status != want[name] || tokenIn.Match(text) {
				t.Errorf("%s: %d %s", name, answer.status, text)
			}
		}
	})
}

// FuzzTokenServer: whatever is asked, the token server answers, tells the journal nothing that could act on a terminal, and a token that it
// gives can be read.
func FuzzTokenServer(f *testing.F) {
	for name, call := range shapeCalls {
		for _, lifetime := range []string{"", "60", "-1", "1e3"} {
			method, path, contentType, body := call(lifetime)
			f.Add(method, "/shape/"+name+path, contentType, body)
		}
	}
	f.Add("POST", "/token/generate", "application/x-www-form-urlencoded", "userId=a&expireSeconds=#-1")
	f.Add("GET", "/chat/user/%1b%5b2J/token", "", "")
	f.Add("GET", "//chat/user//token", "", "")
	f.Add("GET", "no path at all", "", "")
	f.Fuzz(func(t *testing.T, method, path, contentType, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" {
			u = &url.URL{Path: path} // what is no target of a request stands for the path as the server decoded it
		}
		s := newServer(t, Config{JournalSize: 16})
		r := (&http.Request{Method: method, URL: u, Header: http.Header{"Content-Type": {contentType}}}).WithContext(t.Context())
		r.Body = io.NopCloser(strings.NewReader(body))
		answer := httptest.NewRecorder()
		s.token.Handler.ServeHTTP(answer, r)
		if answer.Code < 200 || answer.Code > 599 {
			t.Errorf("status %d", answer.Code)
		}
		for _, e := range s.entries(RESTRequest, TokenIssued) {
			if text := e.Method + e.Path + e.User + e.Token; strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("the journal has %q", text)
			}
		}
		if token := tokenIn.Find(answer.Body.Bytes()); answer.Code == http.StatusOK && token != nil {
			if _, err := agoratoken.Read(string(token)); err != nil {
				t.Errorf("%s: %v", answer.Body, err)
			}
		}
	})
}

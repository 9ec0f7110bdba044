package tokenclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shapeOf returns a preset that exists.
func shapeOf(t testing.TB, name string) Shape {
	t.Helper()
	s, ok := Preset(name)
	if !ok {
		t.Fatalf("no preset %q", name)
	}
	return s
}

// answer is a handler that always says the same.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestFetch(t *testing.T) {
	valid := userToken(t, "alice", 600, noon)
	ok := func(body string) http.HandlerFunc { return answer(200, "application/json", body) }
	text := func(body string) http.HandlerFunc { return answer(200, "text/plain", body) }
	tests := map[string]struct {
		shape     string
		handler   http.HandlerFunc
		want      Kind
		says      string
		temporary bool
	}{
		"json":                    {"go", ok(`{"token":"` + valid + `"}` + "\n"), "", "", false},
		"json, called html":       {"go", answer(200, "text/html", `{"token":"`+valid+`"}`), "", "", false},
		"text":                    {"text", text(valid + "\n"), "", "", false},
		"text, called html":       {"text", answer(200, "text/html; charset=UTF-8", valid), "", "", false},
		"token and error":         {"go", ok(`{"token":"` + valid + `","error":"deprecated"}`), "", "", false},
		"error text":              {"go", ok(`{"token":"","error":"check appId or appCertificate"}`), KindServerError, "check appId", false},
		"error object":            {"go", ok(`{"error":{"code":7}}`), KindServerError, `{"code":7}`, false},
		"error with a token":      {"go", ok(`{"token":"","error":"\u001b[31mbad ` + valid + `"}`), KindServerError, "bad 007e…", false},
		"error sentence":          {"text", text("appid or appcert is not empty"), KindServerError, "appid or appcert", false},
		"empty json token":        {"go", ok(`{"token":""}`), KindEmptyToken, "", false},
		"empty text":              {"text", text("\n"), KindEmptyToken, "", false},
		"other field":             {"go", ok(`{"data":{"token":"x"},"code":0}`), KindBadAnswer, "it has code, data", false},
		"no object":               {"go", ok(`["x"]`), KindBadAnswer, "no fields", false},
		"token is a number":       {"go", ok(`{"token":7}`), KindBadAnswer, "no text", false},
		"no json":                 {"go", ok(`hello`), KindBadAnswer, "not JSON", false},
		"empty answer":            {"go", ok(``), KindBadAnswer, "not JSON", false},
		"text to json":            {"go", text(valid), KindBadAnswer, "plain text", false},
		"json to text":            {"text", ok(`{"token":"` + valid + `"}`), KindBadAnswer, "JSON", false},
		"html":                    {"go", answer(200, "text/html", "Please log in"), KindBadAnswer, "HTML", false},
		"html by its first byte":  {"text", text("<!doctype html>"), KindBadAnswer, "HTML", false},
		"other user":              {"go", ok(`{"token":"` + userToken(t, "bob", 600, noon) + `"}`), KindWrongUser, "bob", false},
		"expired":                 {"go", ok(`{"token":"` + userToken(t, "alice", 600, noon.Add(-time.Hour)) + `"}`), KindExpired, "caching", false},
		"huge":                    {"go", ok(strings.Repeat(" ", maxBody+1)), KindTooLarge, "64 KiB", false},
		"huge refusal":            {"go", answer(500, "text/plain", strings.Repeat("x", maxBody+1)), KindTooLarge, "64 KiB", false},
		"400 text":                {"go", answer(400, "text/plain", "Invalid request payload\n"), KindHTTPStatus, "says: Invalid request payload", false},
		"400 json":                {"go", answer(400, "application/json", `{"error":"no user"}`), KindHTTPStatus, "says: no user", false},
		"401":                     {"go", answer(401, "application/json", ""), KindHTTPStatus, "401 Unauthorized; check", false},
		"404 html":                {"go", answer(404, "text/html", "<h1>not found</h1>"), KindHTTPStatus, "404 Not Found; check", false},
		"408":                     {"go", answer(408, "text/plain", ""), KindHTTPStatus, "later", true},
		"425":                     {"go", answer(425, "text/plain", ""), KindHTTPStatus, "later", true},
		"429":                     {"go", answer(429, "text/plain", ""), KindHTTPStatus, "later", true},
		"500 with a secret":       {"go", answer(500, "text/plain", "signed with "+string(project.Certificate)), KindHTTPStatus, "signed with 5cfd…", true},
		"503":                     {"go", answer(503, "text/plain", ""), KindHTTPStatus, "later", true},
		"hangs":                   {"go", func(_ http.ResponseWriter, r *http.Request) { hang(r) }, KindTimeout, "in time", true},
		"hangs in the body":       {"go", hangInBody, KindTimeout, "in time", true},
		"breaks off in the body":  {"go", breakOff, KindUnreachable, "cannot be reached", true},
		"breaks off at once":      {"go", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, KindUnreachable, "cannot be reached", true},
		"redirect to another":     {"go", redirect("http://evil.example/token", 307), KindHTTPStatus, "(at evil.example)", false},
		"redirect turns into GET": {"go", redirect("/token", 302), KindHTTPStatus, "302", false},
		"redirect in a circle":    {"go", redirect("/token", 307), KindHTTPStatus, "307", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := serve(t, tt.handler)
				c, err := New(Config{URL: "http://tokens.example/token?key=secret", Shape: shapeOf(t, tt.shape), AppID: project.AppID,
					Now: func() time.Time { return noon }, DialContext: network.DialContext})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				start := time.Now()
				token, err := c.Fetch(t.Context(), Request{User: "alice", Lifetime: 10 * time.Minute})
				if e := checkError(t, err, tt.want, valid); e.Kind != "" {
					if !strings.Contains(e.Detail, tt.says) || strings.Contains(e.Detail, "key=secret") {
						t.Errorf("%q does not say %q, or shows the address", e.Detail, tt.says)
					}
					if e.Temporary() != tt.temporary {
						t.Errorf("%v is temporary: %v", err, e.Temporary())
					}
					if tt.want == KindTimeout && time.Since(start) != defaultTimeout {
						t.Errorf("gave up after %v", time.Since(start))
					}
					return
				}
				if token.Text.Reveal() != valid {
					t.Errorf("got %v", token)
				}
			})
		})
	}
}

func hangInBody(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, `{"token":`)
	_ = http.NewResponseController(w).Flush()
	hang(r)
}

// hang waits until the client is gone, which the server notices only once the request is read.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func breakOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"token":`)
}

func redirect(to string, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, status) }
}

func TestFetchCanceledAndUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := serve(t, hangInBody)
		c, err := New(Config{URL: "http://tokens.example/", Shape: shapeOf(t, "go"), DialContext: network.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = c.Fetch(ctx, Request{User: "alice"})
		if e := checkError(t, err, KindCanceled, ""); e.Temporary() || !errors.Is(err, context.Canceled) {
			t.Errorf("%v must wrap the cancellation and be no reason to try again", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Fetch(ctx, Request{User: "alice"})
		checkError(t, err, KindTimeout, "")
		_ = network.Close()
		_, err = c.Fetch(t.Context(), Request{User: "alice"})
		if e := checkError(t, err, KindUnreachable, ""); !e.Temporary() || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v must wrap the cause and be temporary", err)
		}
	})
}

func TestFetchFollowsRedirectsWithinTheServer(t *testing.T) {
	valid := userToken(t, "alice", 600, noon)
	synctest.Test(t, func(t *testing.T) {
		network := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path != "/new" || len(body) == 0 {
				redirect("/new", http.StatusPermanentRedirect)(w, r)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"token": valid})
		})
		c, err := New(Config{URL: "http://tokens.example/old", Shape: shapeOf(t, "go"), Now: func() time.Time { return noon }, DialContext: network.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Fetch(t.Context(), Request{User: "alice"})
		checkError(t, err, "", valid)
	})
}

func TestRetryAfter(t *testing.T) {
	tests := map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		" 30 ":                          30 * time.Second,
		"-5":                            0,
		"1.5":                           0,
		"soon":                          0,
		"2147483647":                    maxRetryAfter,
		"99999999999999999999":          0,
		"Tue, 14 Nov 2023 22:15:20 GMT": 2 * time.Minute,
		"Tue, 14 Nov 2023 22:11:20 GMT": 0,
	}
	for header, want := range tests {
		synctest.Test(t, func(t *testing.T) {
			network := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", header)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			c, err := New(Config{URL: "http://tokens.example/", Shape: shapeOf(t, "go"), DialContext: network.DialContext})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Fetch(t.Context(), Request{User: "alice", Now: func() time.Time { return noon }})
			if e := checkError(t, err, KindHTTPStatus, ""); e.RetryAfter != want || e.Status != http.StatusTooManyRequests {
				t.Errorf("Retry-After %q gives %v and status %d, want %v", header, e.RetryAfter, e.Status, want)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	form := Shape{Name: "form", Method: "POST", URL: "{{.URL}}/token/generate", Body: "userId={{query .User}}&expireSeconds={{.Expire}}&tokenType=user",
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Accept: AcceptText}
	query := Shape{Name: "query", Method: "GET", URL: "{{.URL}}/{{path .User}}?account={{query .User}}", Accept: AcceptJSON, TokenField: "data.token"}
	tests := map[string]struct {
		address string
		shape   Shape
		want    string
	}{
		"go":    {"http://h/generate-user-token", shapeOf(t, "go"), `POST http://h/generate-user-token application/json {"user_uuid":"a/b \"?\u0026","expire":600}`},
		"text":  {"http://h:8090/chat/user/{user}/token", shapeOf(t, "text"), `GET http://h:8090/chat/user/a%2Fb%20%22%3F&/token `},
		"query": {"http://h/?user={user}&expire={expire}", shapeOf(t, "text"), `GET http://h/?user=a%2Fb+%22%3F%26&expire=600 `},
		"form":  {"http://h", form, `POST http://h/token/generate application/x-www-form-urlencoded userId=a%2Fb+%22%3F%26&expireSeconds=600&tokenType=user`},
		"path":  {"http://h", query, `GET http://h/a%2Fb%20%22%3F&?account=a%2Fb+%22%3F%26 `},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := New(Config{URL: tt.address, Shape: tt.shape})
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.request(t.Context(), Request{User: `a/b "?&`, Lifetime: 10*time.Minute + time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(strings.Fields(fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("Content-Type"))), " ") + " " + string(body)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if !c.Renewable() {
				t.Error("a token server is called not renewable")
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	shape := func(change func(*Shape)) Shape {
		s := shapeOf(t, "go")
		change(&s)
		return s
	}
	good := "http://localhost:8080/"
	tests := map[string]struct {
		address string
		shape   Shape
	}{
		"no address":         {"", shapeOf(t, "go")},
		"no scheme":          {"localhost:8080/token", shapeOf(t, "go")},
		"other scheme":       {"file:///etc/passwd", shapeOf(t, "go")},
		"no host":            {"http:///token", shapeOf(t, "go")},
		"user in the host":   {"http://{user}.example/", shapeOf(t, "text")},
		"no shape":           {good, Shape{}},
		"unknown accept":     {good, shape(func(s *Shape) { s.Accept = "xml" })},
		"no token field":     {good, shape(func(s *Shape) { s.TokenField = "" })},
		"bad method":         {good, shape(func(s *Shape) { s.Method = "NO GO" })},
		"bad URL template":   {good, shape(func(s *Shape) { s.URL = "{{" })},
		"bad body template":  {good, shape(func(s *Shape) { s.Body = "{{nope}}" })},
		"unknown value":      {good, shape(func(s *Shape) { s.Body = "{{.Nope}}" })},
		"body is not quoted": {good, shape(func(s *Shape) { s.Body = `{"user":"{{.User}}"}` })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := New(Config{URL: tt.address, Shape: tt.shape})
			if e := checkError(t, err, KindBadConfig, ""); c != nil || e.Temporary() {
				t.Errorf("New = %v, %v", c, err)
			}
		})
	}
}

// FuzzAnswer feeds the parser of answers and everything behind it.
func FuzzAnswer(f *testing.F) {
	valid := userToken(f, "alice", 600, noon)
	for _, body := range []string{
		"", valid, valid + "\n", `{"token":"` + valid + `"}`, `{"token":"","error":"\u001b[31mx"}`, `{"data":{"token":"` + valid + `"}}`, `{"token":7}`,
		"<html>", "[", `{"error":{"a":[1,null]}}`, "a\x1b]0;t\a b", `{"` + valid + `":1}`, `"` + valid + `"`,
	} {
		for kind := range uint8(3) {
			f.Add(kind, "text/html", body)
			f.Add(kind, "application/json", body)
		}
	}
	for _, number := range []string{"600", "-1", "1e300", `"NaN"`, `"600"`, "{}", "1700000600000"} {
		f.Add(uint8(2), "application/json", `{"data":{"token":"`+valid+`","end":`+number+`}}`)
	}
	shapes := []Shape{shapeOf(f, "go"), shapeOf(f, "text"), {
		Name: "nested", Accept: AcceptJSON, TokenField: "data.token", ErrorField: "error.message", ExpiryField: "data.end", ExpiryUnit: ExpiryMillis,
	}}
	f.Fuzz(func(t *testing.T, kind uint8, contentType, body string) {
		s := shapes[int(kind)%len(shapes)]
		if end := s.statedExpiry([]byte(body), noon); !end.IsZero() && (end.Before(noon) || end.After(noon.Add(140*365*24*time.Hour))) {
			t.Fatalf("%q states the end %v", body, end)
		}
		text, err := s.read(contentType, []byte(body), new(hider))
		var token Token
		if err == nil {
			token, err = Check(text, Expectation{AppID: project.AppID, User: "alice", Now: noon})
		}
		if err == nil {
			if token.AppID != project.AppID || token.User != "alice" && len(token.Warnings) == 0 || !token.ExpiresAt.After(noon) {
				t.Fatalf("%q gives the token %+v", body, token)
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("%v is no *Error", err)
		}
		checkError(t, err, e.Kind, text)
		if said := s.complaint(contentType, []byte(body), new(hider)); len([]rune(said)) > 200 || strings.ContainsAny(said, "\x1b\n") {
			t.Fatalf("complaint %q", said)
		}
	})
}

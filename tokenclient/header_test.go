package tokenclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestMain lets the test binary be the command that prints a secret.
func TestMain(m *testing.M) {
	switch os.Getenv("TTLCHAT_TEST_COMMAND") {
	case "print":
		fmt.Println("  s3cret/with\"quote  ")
		os.Exit(0)
	case "fail":
		fmt.Fprintln(os.Stderr, "s3cret")
		os.Exit(3)
	case "flood":
		fmt.Print(strings.Repeat("x", 1<<20))
		os.Exit(0)
	case "lines":
		fmt.Print("one\r\nInjected: two")
		os.Exit(0)
	case "nothing":
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestSecretHeaders: what a header refers to reaches the server, and stands nowhere in what may be shown, even when the server sends it back.
func TestSecretHeaders(t *testing.T) {
	t.Setenv("TTLCHAT_TEST_COMMAND", "print")
	t.Setenv("TTLCHAT_TEST_KEY", "k3y&value/long")
	const printed = `s3cret/with"quote`
	valid := userToken(t, "alice", 600, noon)
	s := shapeOf(t, "web")
	s.Header["Authorization"] = "Bearer cmd:" + os.Args[0]
	s.Header["X-Api-Key"] = "env:TTLCHAT_TEST_KEY"
	s.Header["X-Plain"] = "seen"
	for _, status := range []int{200, 401} {
		var got http.Header
		network := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header
			w.Header().Set("Set-Cookie", "session=abc")
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{
				"accessToken": valid, "errorInfo": r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Key") + " pass:word",
				"url": url.QueryEscape(r.Header.Get("X-Api-Key")),
			})
		})
		c, err := New(Config{
			URL: "http://user:pass@tokens.example/token?api_key=12345&tenant=7", Shape: s, Password: "pass:word",
			Now: func() time.Time { return noon }, DialContext: network.DialContext,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		x, err := c.Exchange(t.Context(), Request{User: "alice"})
		if want := "Bearer " + printed; got.Get("Authorization") != want || got.Get("X-Api-Key") != "k3y&value/long" {
			t.Errorf("the server got %v", got)
		}
		if status == 200 && (err != nil || x.Token.Reveal() != valid) || status == 401 && err == nil {
			t.Errorf("%d: %v, %+v", status, err, x)
		}
		shown := fmt.Sprintf("%+v %v", x, err)
		for _, secret := range []string{printed, `s3cret/with\"quote`, "k3y", "pass:word", "pass@", "12345", "session=abc", valid[:24]} {
			if strings.Contains(shown, secret) {
				t.Errorf("%d: %q is shown in %s", status, secret, shown)
			}
		}
		if !strings.Contains(x.URL, "tenant=7") || x.RequestHeader.Get("X-Plain") != "seen" || x.Status != status || x.Size == 0 {
			t.Errorf("%+v", x)
		}
	}
}

// TestSecretsSentBack: no way of a server to write an answer shows what it was sent.
func TestSecretsSentBack(t *testing.T) {
	const key, password = "k9/Zb+1/QmFzZTY0", "pa/55wörd<x>"
	t.Setenv("TTLCHAT_TEST_KEY", key)
	s := shapeOf(t, "web")
	s.Header["X-Api-Key"] = "env:TTLCHAT_TEST_KEY"
	for name, echo := range echoes {
		said := echo("invalid key " + key + " or password " + password)
		for kind, body := range map[string]string{
			"application/json": `{"errorInfo":"` + said + `"}`, "text/plain": said, "text/html": "<p>" + said, "application/problem+json": `{"` + said + `":1}`,
		} {
			for _, status := range []int{200, 401} {
				network := serve(t, answer(status, kind, body))
				c, err := New(Config{URL: "http://tokens.example/", Shape: s, Password: password, DialContext: network.DialContext})
				if err != nil {
					t.Fatal(err)
				}
				x, err := c.Exchange(t.Context(), Request{User: "alice"})
				c.Close()
				shown := fmt.Sprint(x.Body, " ", err)
				for _, part := range []string{key, password, echo(key), echo(password), "QmFz", "55w"} {
					if err == nil || strings.Contains(shown, part) {
						t.Errorf("%s as %s with %d: %q is shown in %s", name, kind, status, part, shown)
					}
				}
				if !strings.Contains(x.Body, hidden) && !strings.Contains(x.Body, `\u0069…`) { // which looks like a token
					t.Errorf("%s as %s with %d: nothing is hidden in %s", name, kind, status, shown)
				}
			}
		}
	}
}

// TestSecretsInAddresses: the key in an address is neither shown there nor when the server sends it back.
func TestSecretsInAddresses(t *testing.T) {
	const key = "Zm9vYmFy/K9+QmFz=="
	for name, address := range map[string]string{
		"Azure Functions":  "http://tokens.example/api/token?code=" + url.QueryEscape(key) + "&tenant=7",
		"in capitals":      "http://tokens.example/?tenant=7&Code=" + key,
		"an escaped name":  "http://tokens.example/?tenant=7&api%5Fkey=" + url.QueryEscape(key),
		"before the host":  "http://me:" + url.PathEscape(key) + "@tokens.example/?tenant=7",
		"a field like one": "http://tokens.example/?tenant=7&code_challenge=plain&sig=" + url.QueryEscape(key),
	} {
		network := serve(t, answer(403, "application/json", `{"error":"no function has the key `+strings.ReplaceAll(key, "/", `\/`)+`"}`))
		c, err := New(Config{URL: address, Shape: shapeOf(t, "go"), DialContext: network.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		x, err := c.Exchange(t.Context(), Request{User: "alice"})
		c.Close()
		if shown := fmt.Sprintf("%+v %v", x, err); strings.Contains(shown, "Zm9vYmFy") || strings.Count(shown, hidden) < 2 {
			t.Errorf("%s: %s", name, shown)
		}
		if !strings.Contains(x.URL, "tenant=7") || strings.Contains(address, "challenge") && !strings.Contains(x.URL, "code_challenge=plain") {
			t.Errorf("%s: too much is hidden in %s", name, x.URL)
		}
	}
}

// A secret that an error would cut, or that something invisible splits, is hidden all the same.
func TestSecretsCutAndSplit(t *testing.T) {
	const key = "k9/Zb+1/QmFzZTY0"
	h := new(hider)
	h.add(key)
	for name, said := range map[string]string{
		"cut":   strings.Repeat("x", 185) + " " + key,
		"split": "k9/Zb\u200b+1/Qm\u001b[31mFzZTY0",
	} {
		text := shapeOf(t, "go").complaint("application/json", []byte(`{"error":"`+said+`"}`), h)
		if strings.Contains(text, "k9/Z") || !strings.Contains(text, "[hid") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestHeadersThatCannotWork(t *testing.T) {
	t.Setenv("TTLCHAT_TEST_EMPTY", " ")
	t.Setenv("TTLCHAT_TEST_LINES", "a\nb")
	for name, header := range map[string]map[string]string{
		"a secret that is written down": {"Authorization": "Bearer 12345678"},
		"a key that is written down":    {"X-Api-Key": "12345678"},
		"a cookie":                      {"Cookie": "a=b"},
		"a variable that is not set":    {"Authorization": "env:TTLCHAT_TEST_EMPTY"},
		"a variable of two lines":       {"Authorization": "env:TTLCHAT_TEST_LINES"},
		"no command":                    {"Authorization": "cmd: "},
		"no name":                       {"": "x"},
		"a name with a line break":      {"X-A\r\nX-B": "x"},
		"a value with a line break":     {"X-A": "x\r\nX-B: y"},
	} {
		s := shapeOf(t, "go")
		s.Header = header
		_, err := New(Config{URL: "http://h", Shape: s})
		e := checkError(t, err, KindBadConfig, "")
		if strings.Contains(e.Detail, "12345678") {
			t.Errorf("%s: %q tells the secret", name, e.Detail)
		}
	}
}

func TestCommandsThatFail(t *testing.T) {
	for _, mode := range []string{"fail", "flood", "lines", "nothing"} {
		t.Run(mode, func(t *testing.T) {
			t.Setenv("TTLCHAT_TEST_COMMAND", mode)
			s := shapeOf(t, "go")
			s.Header["Authorization"] = "cmd:" + os.Args[0]
			c, err := New(Config{URL: "http://h", Shape: s})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Fetch(t.Context(), Request{User: "alice"})
			if e := checkError(t, err, KindBadConfig, ""); strings.Contains(e.Detail, "s3cret") || strings.Contains(e.Detail, "xxx") {
				t.Errorf("%q tells what the command printed", e.Detail)
			}
		})
	}
	s := shapeOf(t, "go")
	s.Header["Authorization"] = "cmd:/no/such/program"
	c, err := New(Config{URL: "http://h", Shape: s})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Fetch(t.Context(), Request{User: "alice"})
	checkError(t, err, KindBadConfig, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run(ctx, "sleep 60"); err == nil {
		t.Error("a command went on after the cancellation")
	}
}

// TestStatedExpiry: a server's own statement is read in its unit; one that differs from the token is warned about.
func TestStatedExpiry(t *testing.T) {
	valid := userToken(t, "alice", 600, noon)
	end := noon.Add(10 * time.Minute)
	for name, tt := range map[string]struct {
		unit   ExpiryUnit
		value  string
		want   time.Time
		warned bool
	}{
		"left seconds":      {ExpirySeconds, "600", end, false},
		"left milliseconds": {ExpiryMillis, "600000", end, false},
		"instant":           {ExpiryUnixSeconds, "1700000600", end, false},
		"instant in ms":     {ExpiryUnixMillis, "1700000600000", end, false},
		"as text":           {ExpirySeconds, `"600"`, end, false},
		"ms for seconds":    {ExpirySeconds, "600000", noon.Add(600000 * time.Second), true},
		"seconds for ms":    {ExpiryUnixMillis, "1700000600", time.UnixMilli(1700000600), true},
		"nothing":           {ExpirySeconds, "null", time.Time{}, false},
		"an object":         {ExpirySeconds, "{}", time.Time{}, false},
		"negative":          {ExpirySeconds, "-1", time.Time{}, false},
		"beyond all time":   {ExpiryUnixSeconds, "1e300", time.Time{}, false},
		"not a number":      {ExpirySeconds, `"NaN"`, time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := serve(t, answer(200, "application/json", `{"token":"`+valid+`","life":{"left":`+tt.value+`}}`))
				s := shapeOf(t, "go")
				s.ExpiryField, s.ExpiryUnit = "life.left", tt.unit
				c, err := New(Config{URL: "http://h", Shape: s, Now: func() time.Time { return noon }, DialContext: network.DialContext})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				x, err := c.Exchange(t.Context(), Request{User: "alice"})
				if err != nil || !x.StatedExpiry.Equal(tt.want) {
					t.Errorf("%v, %v, want %v", err, x.StatedExpiry, tt.want)
				}
				token, err := c.Fetch(t.Context(), Request{User: "alice"})
				if err != nil || (len(token.Warnings) > 0) != tt.warned {
					t.Errorf("%v, warnings %q", err, token.Warnings)
				}
			})
		})
	}
}

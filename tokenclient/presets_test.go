package tokenclient

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPresetRequests: what every preset sends to a server of which only the host is given (token-lifecycle.md section 4).
func TestPresetRequests(t *testing.T) {
	const account = `{"userAccount":"a/b \"?\u0026","userPassword":"p\"w"}`
	user := map[string]string{
		"go":             `POST /generate-user-token application/json {"user_uuid":"a/b \"?\u0026","expire":600}`,
		"text":           `GET /chat/user/a%2Fb%20%22%3F&/token`,
		"node":           `GET /api/token/generateUserToken?account=a%2Fb+%22%3F%26&expireTimeInSeconds=600`,
		"python":         `GET /api/token/generateUserToken?account=a%2Fb+%22%3F%26&expireTimeInSeconds=600`,
		"java":           `POST /token/generate application/x-www-form-urlencoded userId=a%2Fb+%22%3F%26&expireSeconds=600&tokenType=user`,
		"java-text":      `GET /chat/user/a%2Fb%20%22%3F&/token`,
		"java-uuid":      `GET /chat/user/uuid/a%2Fb%20%22%3F&/token`,
		"web":            `POST /token application/json ` + account,
		"flutter":        `POST /flutter/token application/json {"userId":"a/b \"?\u0026"}`,
		"rn":             `GET /api/token/generateUserToken?account=a%2Fb+%22%3F%26&expireTimeInSeconds=600`,
		"quickstart":     `POST /app/chat/user/login application/json ` + account,
		"android":        `POST /token/generate?userId=a%2Fb+%22%3F%26&expireSeconds=600&tokenType=user application/x-www-form-urlencoded`,
		"windows":        `GET ?userId=a%2Fb+%22%3F%26`,
		"community":      `GET /chat/account/a%2Fb%20%22%3F&/?expiry=600`,
		"community-post": `POST /getToken application/json {"tokenType":"chat","uid":"a/b \"?\u0026","expire":600}`,
		"tools-docker":   `POST /token/generate application/json {"tokenExpireTs":600,"privilegeExpireTs":600,"serviceChat":{"enableUser":true,"userUuid":"a/b \"?\u0026"}}`,
	}
	app := map[string]string{
		"go":           `POST /generate-app-token application/json {"expire":600}`,
		"text":         `GET /chat/app/token`,
		"node":         `GET /api/token/generateAppToken?expireTimeInSeconds=600`,
		"python":       `GET /api/token/generateAppToken?expireTimeInSeconds=600`,
		"java":         `POST /token/generate application/x-www-form-urlencoded userId=&expireSeconds=600&tokenType=app`,
		"java-text":    `GET /chat/app/token`,
		"community":    `GET /chat/app/?expiry=600`,
		"tools-docker": `POST /token/generate application/json {"tokenExpireTs":600,"privilegeExpireTs":600,"serviceChat":{"enableApp":true}}`,
	}
	for _, set := range []struct {
		want  map[string]string
		names []string
		find  func(string) (Shape, bool)
	}{{user, Presets(), Preset}, {app, AppPresets(), AppPreset}} {
		if len(set.want) != len(set.names) {
			t.Errorf("the presets are %v", set.names)
		}
		for name, want := range set.want {
			shape, ok := set.find(name)
			if !ok || shape.Name != name {
				t.Fatalf("no preset %q", name)
			}
			c, err := New(Config{URL: "http://h:8080", Shape: shape, Password: `p"w`})
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.request(t.Context(), Request{User: `a/b "?&`, Lifetime: 10 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			got := r.Method + " " + strings.TrimPrefix(r.URL.String(), "http://h:8080")
			if kind := r.Header.Get("Content-Type"); kind != "" {
				got += " " + kind
			}
			if len(body) > 0 {
				got += " " + string(body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if strings.Contains(fmt.Sprintf("%+v", r.shown), `p"w`) || strings.Contains(fmt.Sprintf("%+v", r.shown), `p\"w`) {
				t.Errorf("%s shows the password: %+v", name, r.shown)
			}
		}
	}
}

// TestAddress: a host alone gets the preset's path, any other address stays as it is.
func TestAddress(t *testing.T) {
	s := Shape{Path: "/usual"}
	for address, want := range map[string]string{
		"http://h":         "http://h/usual",
		"http://h:1/":      "http://h:1/usual",
		"https://[::1]:1":  "https://[::1]:1/usual",
		"http://h/x":       "http://h/x",
		"http://h/x/":      "http://h/x/",
		"http://h//":       "http://h//",
		"http://h?a=b":     "http://h?a=b",
		"http://h/?a=b":    "http://h/?a=b",
		"h:8080":           "h:8080",
		"":                 "",
		"http://h/{user}":  "http://h/{user}",
		"http://h#fragile": "http://h#fragile",
	} {
		if got := s.Address(address); got != want {
			t.Errorf("%q becomes %q, want %q", address, got, want)
		}
	}
	if got := (Shape{}).Address("http://h/"); got != "http://h/" {
		t.Errorf("without a path the address becomes %q", got)
	}
}

// TestAddressThatIsComplete: an address that names the user takes nothing of the preset's query; another one keeps its own fields.
func TestAddressThatIsComplete(t *testing.T) {
	for address, want := range map[string]string{
		"http://h/t?u={user}&life={expire}": "http://h/t?u=alice&life=60",
		"http://h/t?tenant=7":               "http://h/t?tenant=7&account=alice&expireTimeInSeconds=60",
		"http://h/t":                        "http://h/t?account=alice&expireTimeInSeconds=60",
	} {
		c, err := New(Config{URL: address, Shape: shapeOf(t, "node")})
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.request(t.Context(), Request{User: "alice", Lifetime: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if r.URL.String() != want {
			t.Errorf("%s becomes %s, want %s", address, r.URL, want)
		}
	}
}

// TestLifetimeUnits: a shape may want the lifetime in seconds, in milliseconds, or as the second of its end.
func TestLifetimeUnits(t *testing.T) {
	s := Shape{Name: "units", Method: "GET", Query: "s={{.Expire}}&ms={{.ExpireMillis}}&at={{.ExpireAt}}", Accept: AcceptText}
	c, err := New(Config{URL: "http://h/", Shape: s, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.request(t.Context(), Request{User: "alice", Lifetime: 90*time.Second + time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.URL.RawQuery, "s=90&ms=90000&at=1700000090"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPasswordIsNeeded(t *testing.T) {
	for _, name := range []string{"web", "quickstart"} {
		_, err := New(Config{URL: "http://h", Shape: shapeOf(t, name)})
		if e := checkError(t, err, KindBadConfig, ""); !strings.Contains(e.Detail, "password") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

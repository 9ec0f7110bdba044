package tokenclient

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseShape(t *testing.T) {
	got, err := ParseShape([]byte(`{
		"name": "acme", "url": "{{.URL}}/tokens", "path": "/v1", "query": "t={{.Expire}}",
		"headers": {"Authorization": "Bearer env:ACME_KEY"}, "body": "{\"user\":{{json .User}}}",
		"token": "data.token", "error": "error.message", "expiry": {"field": "data.left", "unit": "milliseconds"}
	}`))
	want := Shape{
		Name: "acme", Method: "POST", URL: "{{.URL}}/tokens", Path: "/v1", Query: "t={{.Expire}}",
		Header: map[string]string{"Authorization": "Bearer env:ACME_KEY"}, Body: `{"user":{{json .User}}}`, Accept: AcceptJSON,
		TokenField: "data.token", ErrorField: "error.message", ExpiryField: "data.left", ExpiryUnit: ExpiryMillis,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = ParseShape([]byte(`{"accept":"text"}`))
	if diff := cmp.Diff(Shape{Name: "custom", Method: "GET", Accept: AcceptText}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestParseShapeRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ text, says string }{
		"empty":          {"", "line 1 (it is empty)"},
		"no object":      {"\n[]", "line 2"},
		"unknown key":    {"{\n\"metod\":\"GET\"\n}", `line 2 (there is no key "metod")`},
		"unknown inside": {`{"expiry":{"filed":"x"}}`, "filed"},
		"broken":         {"{\n\n\"url\":}", "line 3"},
		"cut off":        {`{"url":"x"`, "unexpected EOF"},
		"wrong type":     {`{"headers":{"a":1}}`, "headers"},
		"goes on":        {"{}\n{}", "line 2"},
		"too large":      {`{"body":"` + strings.Repeat("x", maxShapeFile) + `"}`, "64 KiB"},
	} {
		_, err := ParseShape([]byte(tt.text))
		if e := checkError(t, err, KindBadConfig, ""); !strings.Contains(e.Detail, tt.says) {
			t.Errorf("%s: %q does not say %q", name, e.Detail, tt.says)
		}
	}
	for name, text := range map[string]string{
		"no way to read":       `{}`,
		"expiry without unit":  `{"token":"t","expiry":{"field":"x"}}`,
		"expiry without field": `{"token":"t","expiry":{"unit":"seconds"}}`,
		"unknown unit":         `{"token":"t","expiry":{"field":"x","unit":"days"}}`,
		"bad query template":   `{"token":"t","query":"{{.Nope}}"}`,
	} {
		s, err := ParseShape([]byte(text))
		if err == nil {
			_, err = New(Config{URL: "http://h", Shape: s})
		}
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzShape: whatever a file holds, reading it and making a client of it ends in a client or in an error fit for a person.
func FuzzShape(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"accept":"text"}`, `{"token":"a.b","expiry":{"field":"x","unit":"seconds"}}`, `{"url":"{{.URL}}{{json .User}}","accept":"text"}`,
		`{"accept":"text","body":"{{range .User}}{{end}}"}`, `{"accept":"text","headers":{"X":"a\u0000b"}}`, `{"accept":"text","method":"É"}`,
		`{"accept":"text","query":"{{printf \"%s\" .Password}}"}`, "{\n\"name\":\"\\u001b[31m\",\"accept\":\"x\"}", `{"accept":"text"} x`,
	} {
		f.Add([]byte(seed), "http://h")
		f.Add([]byte(seed), "{user}")
	}
	f.Fuzz(func(t *testing.T, text []byte, address string) {
		s, err := ParseShape(text)
		if err == nil {
			for name, value := range s.Header {
				if strings.Contains(value, ":") {
					delete(s.Header, name) // no look into this machine's environment
				}
			}
			_, err = New(Config{URL: address, Shape: s})
		}
		if err != nil {
			checkError(t, err, KindBadConfig, "")
		}
	})
}

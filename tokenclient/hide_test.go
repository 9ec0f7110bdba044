package tokenclient

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A secret that stands within a token by chance hides neither less of the token, nor is it shown elsewhere.
func TestHiderKeepsTokensWhole(t *testing.T) {
	const token = "007eJxTYOjcVbp1XxTfgxJRoxKhxSYNqhKBYgYGBkYGY7NkYxOjJEMjC5NkiyRLS0NL4yRzUwuzFAODtE0GXKXBDYyMzEwMTIxQCAC3LRXu"
	check := func(t interface{ Errorf(string, ...any) }, secret string) {
		h := new(hider)
		h.add(secret)
		u, err := url.Parse("http://host/path?t=" + url.QueryEscape(token))
		if err != nil {
			panic(err)
		}
		for _, shown := range []string{
			h.body([]byte(`{"accessToken":"` + token + `"}`)), h.body([]byte(strings.Join(strings.Split(token, ""), "\x00"))),
			h.header(map[string][]string{"X-Echo": {token}}).Get("X-Echo"), h.url(u), h.hide(token),
		} {
			for i := 8; i+8 <= len(token); i++ {
				if strings.Contains(shown, token[i:i+8]) {
					t.Errorf("the secret %q leaves %q of the token in %q", secret, token[i:i+8], shown)
					return
				}
			}
		}
		if shown := h.body([]byte("it is <" + secret + ">")); strings.Contains(shown, "<"+secret+">") {
			t.Errorf("%q is shown: %q", secret, shown)
		}
	}
	for _, secret := range []string{"0", "7", "J", "Jx", "007", "007e", "eJxT", "YOjcVbp1XxTfgxJ", "007eJxTYOjcVbp1X"} {
		check(t, secret)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(token)-1).Draw(t, "from")
		check(t, token[from:min(from+rapid.IntRange(1, 40).Draw(t, "length"), len(token))])
	})
}

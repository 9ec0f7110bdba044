package tokenclient

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

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

// echoes are the ways in which servers write a text into an answer.
var echoes = map[string]func(s string) string{
	"as it is":    func(s string) string { return s },
	"Go":          jsonText,
	"PHP":         php,
	"all escaped": func(s string) string { return eachUnit(s, `\u%04x`) },
	"upper case":  func(s string) string { return eachUnit(s, `\u%04X`) },
	"query":       url.QueryEscape,
	"path":        url.PathEscape,
	"lower query": func(s string) string {
		return regexp.MustCompile("%..").ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower)
	},
	"HTML":         html.EscapeString,
	"HTML numbers": func(s string) string { return eachRune(s, "&#%d;") },
	"HTML hex":     func(s string) string { return eachRune(s, "&#x%x;") },
	"HTML in JSON": func(s string) string { return jsonText(html.EscapeString(s)) },
	"JSON in JSON": func(s string) string { return jsonText(php(s)) },
	"all at once":  func(s string) string { return php(html.EscapeString(url.PathEscape(s))) },
}

func jsonText(s string) string {
	quoted, _ := json.Marshal(s) // cannot fail for a string
	return string(quoted[1 : len(quoted)-1])
}

func php(s string) string {
	var b strings.Builder
	for _, r := range jsonText(s) {
		switch {
		case r == '/':
			b.WriteString(`\/`)
		case r > unicode.MaxASCII:
			b.WriteString(eachUnit(string(r), `\u%04x`))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func eachUnit(s, format string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, format, unit)
	}
	return b.String()
}

func eachRune(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

// A secret is found in whatever way a server escapes it, and nothing else is hidden with it.
func TestHiderSeesThroughEscapes(t *testing.T) {
	secrets := []string{
		"k9/Zb+1/QmFz", `pa/55wörd<x>`, `a"b\c'd`, "emoji 👩 and & more", "100%25 sure&lt;", `C:\new\table`, "plus+and space", `\u00e4\/`, "%2Fetc",
	}
	for _, secret := range secrets {
		h := new(hider)
		h.add(secret)
		for name, echo := range echoes {
			if shown := h.hide("the key (" + echo(secret) + ") is wrong"); shown != "the key ("+hidden+") is wrong" {
				t.Errorf("%s of %q: %q", name, secret, shown)
			}
		}
	}
	h := new(hider)
	h.add("k9/Zb+1")
	for _, text := range []string{`\`, `\u`, `\u12`, `\ud83d\u`, `\x`, "%", "%2", "&", "&;", "&#;", "&#x110000;", "& k9 / Zb", `"\\\"`, "50 % of k9%2"} {
		if shown := h.hide(text); shown != text {
			t.Errorf("%q becomes %q", text, shown)
		}
	}
}

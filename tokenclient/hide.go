package tokenclient

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// hidden stands in place of a secret.
const hidden = "[hidden]"

// maxShown is how many characters of a body are shown.
const maxShown = 4096

// hider takes the secrets of one request out of texts, in every form in which a server may send them back.
type hider struct{ forms []string }

// add hides a secret, and each longer word of one that has several, such as "Bearer 12345678".
func (h *hider) add(secret string) {
	for _, part := range append([]string{secret}, strings.Fields(secret)...) {
		if part == "" || part != secret && len(part) < 8 {
			continue
		}
		quoted, _ := json.Marshal(part) // cannot fail for a string
		for _, form := range []string{part, strings.Trim(string(quoted), `"`), url.QueryEscape(part), url.PathEscape(part), printable.Line(part, 0)} {
			if form != "" {
				h.forms = append(h.forms, form)
			}
		}
	}
}

// What a byte of a text belongs to.
const (
	tokenByte  = 1
	secretByte = 2
)

// hide takes the secrets out of a text and shortens the tokens in it. Both are looked for in the text as it came: a secret that stands within
// a token by chance must not leave the pieces of it.
func (h *hider) hide(s string) string {
	marks := make([]byte, len(s))
	mark := func(from, to int, what byte) {
		for i := from; i < to; i++ {
			marks[i] |= what
		}
	}
	for _, span := range printable.Secrets(s) {
		mark(span[0], span[1], tokenByte)
	}
	for _, form := range h.forms {
		for from := 0; ; {
			at := strings.Index(s[from:], form)
			if at < 0 {
				break
			}
			mark(from+at, from+at+len(form), secretByte)
			from += at + 1
		}
	}
	var b strings.Builder
	for from, to := 0, 0; from < len(s); from = to {
		for to = from; to < len(s) && (marks[to] != 0) == (marks[from] != 0); to++ {
		}
		head := min(to, from+len("007e"))
		switch {
		case marks[from] == 0:
			b.WriteString(s[from:to])
		case slices.ContainsFunc(marks[from:head], func(m byte) bool { return m&secretByte != 0 }):
			b.WriteString(hidden)
		default:
			b.WriteString(printable.Stub(s[from:to]))
		}
	}
	return b.String()
}

// body returns a body as it may be shown: without secrets, bounded, safe on a terminal, tokens shortened. It is made safe first, so that no
// control character can split a secret.
func (h *hider) body(b []byte) string {
	return strings.TrimSpace(printable.Block(h.hide(printable.Block(string(b), 0)), maxShown))
}

// header returns headers as they may be shown.
func (h *hider) header(header http.Header) http.Header {
	shown := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			if secretName().MatchString(name) {
				value = hidden
			}
			name := printable.Line(name, 64)
			shown[name] = append(shown[name], printable.Line(h.hide(printable.Line(value, 0)), 512))
		}
	}
	return shown
}

// url returns an address as it may be shown: fields of its query that carry secrets are hidden by their names.
func (h *hider) url(u *url.URL) string {
	shown := *u
	shown.User = nil
	fields := strings.Split(shown.RawQuery, "&")
	for i, f := range fields {
		if name, _, found := strings.Cut(f, "="); found && secretName().MatchString(name) {
			fields[i] = name + "=" + hidden
		}
	}
	shown.RawQuery = strings.Join(fields, "&")
	return printable.Line(h.hide(printable.Line(shown.String(), 0)), 1024)
}

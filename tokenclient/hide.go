package tokenclient

import (
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

// maxDepth is how many escapes around each other are seen through: of JSON within a string of JSON within a web page, say.
const maxDepth = 3

// shortestWord is how many bytes a part of a secret has at least that is hidden by itself.
const shortestWord = 8

// hider takes the secrets of one request out of texts, however a server may have escaped what it sends back.
type hider struct{ secrets []string }

// add hides a secret, and each longer word of one that has several, such as "Bearer 12345678".
func (h *hider) add(secret string) {
	for _, part := range append([]string{secret}, strings.Fields(secret)...) {
		if part != secret && len(part) < shortestWord {
			continue
		}
		// A text that was made safe to show has lost what cannot be seen.
		for _, form := range []string{part, printable.Line(part, 0), printable.Block(part, 0)} {
			if form = spaced(form); form != "" && !slices.Contains(h.secrets, form) {
				h.secrets = append(h.secrets, form)
			}
		}
	}
}

// spaced takes a plus for a space, which it is in the query of an address alone. What a text is, is not known here.
func spaced(s string) string { return strings.ReplaceAll(s, "+", " ") }

// find calls mark with every place in a text where a secret stands, as it is or escaped, up to some depth of escapes.
func (h *hider) find(t unescaped, depth int, mark func(from, to int)) {
	text := spaced(t.text)
	for _, secret := range h.secrets {
		for from := 0; ; {
			at := strings.Index(text[from:], secret)
			if at < 0 {
				break
			}
			from += at + 1
			mark(t.from(from-1), t.to(from+len(secret)-2))
		}
	}
	if depth == 0 {
		return
	}
	for _, escape := range escapes {
		if inner, changed := t.unescape(escape); changed {
			h.find(inner, depth-1, mark)
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
	if len(h.secrets) > 0 {
		h.find(unescaped{text: s}, maxDepth, func(from, to int) { mark(from, to, secretByte) })
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

// quote is [quote] for what a server says, after all unescaping. The secrets go before the text is cut: what is left of one would be shown.
func (h *hider) quote(s string) string { return quote(h.hide(printable.Line(s, 0))) }

// header returns headers as they may be shown, whole: what a list of words ends in counts as well.
func (h *hider) header(header http.Header) http.Header {
	shown := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			if secretName().MatchString(name) {
				value = hidden
			}
			name := printable.Line(name, 64)
			shown[name] = append(shown[name], h.hide(printable.Line(value, 0)))
		}
	}
	return shown
}

// addURL hides what an address says in its secret fields and before its host, when it is long enough not to stand elsewhere by chance.
func (h *hider) addURL(u *url.URL) {
	password, _ := u.User.Password()
	values := []string{password}
	for field := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(field, "=")
		if plain, err := url.QueryUnescape(value); err == nil && namesSecret(name) {
			values = append(values, plain)
		}
	}
	for _, value := range values {
		if len(value) >= shortestWord {
			h.add(value)
		}
	}
}

// namesSecret reports whether a field of a query carries a secret, by its name as the query has it.
func namesSecret(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return secretName().MatchString(name) || secretField().MatchString(name)
}

// url returns an address as it may be shown: fields of its query that carry secrets are hidden by their names.
func (h *hider) url(u *url.URL) string {
	shown := *u
	shown.User = nil
	fields := strings.Split(shown.RawQuery, "&")
	for i, f := range fields {
		if name, _, found := strings.Cut(f, "="); found && namesSecret(name) {
			fields[i] = name + "=" + hidden
		}
	}
	shown.RawQuery = strings.Join(fields, "&")
	return printable.Line(h.hide(printable.Line(shown.String(), 0)), 1024)
}

package tokenclient

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// hidden stands in place of a secret.
const hidden = "[hidden]"

// maxShown is how many characters of a body are shown.
const maxShown = 4096

// hider takes the secrets of one request out of texts, in every form in which a server may send them back.
type hider struct {
	pairs    []string // every form and its replacement, as strings.NewReplacer takes them
	replacer *strings.Replacer
}

// add hides a secret, and each longer word of one that has several, such as "Bearer 12345678".
func (h *hider) add(secret string) {
	for _, part := range append([]string{secret}, strings.Fields(secret)...) {
		if part == "" || part != secret && len(part) < 8 {
			continue
		}
		quoted, _ := json.Marshal(part) // cannot fail for a string
		for _, form := range []string{part, strings.Trim(string(quoted), `"`), url.QueryEscape(part), url.PathEscape(part)} {
			h.pairs = append(h.pairs, form, hidden)
		}
	}
	h.replacer = strings.NewReplacer(h.pairs...)
}

func (h *hider) hide(s string) string {
	if h.replacer == nil {
		return s
	}
	return h.replacer.Replace(s)
}

// body returns a body as it may be shown: without secrets, bounded, safe on a terminal, tokens shortened.
func (h *hider) body(b []byte) string {
	return strings.TrimSpace(printable.Scrub(printable.Block(h.hide(string(b)), maxShown)))
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
			shown[name] = append(shown[name], printable.Scrub(printable.Line(h.hide(value), 512)))
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
	return printable.Scrub(printable.Line(h.hide(shown.String()), 1024))
}

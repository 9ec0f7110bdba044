package tokenclient

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// read takes the token out of a successful answer. The token is not checked yet. What an error quotes goes through the hider.
func (s Shape) read(contentType string, body []byte, h *hider) (string, error) {
	body = bytes.TrimSpace(body)
	switch {
	case isHTML(contentType, body):
		return "", fail(KindBadAnswer, nil, "the token server answers with a web page (HTML); check the address, and whether a proxy or a login page is in between")
	case s.Accept == AcceptText:
		return readText(body, h)
	default:
		return s.readJSON(body, h)
	}
}

// isHTML recognises web pages. Some servers call every answer HTML, so that what begins like a token or like JSON is taken at its word.
func isHTML(contentType string, body []byte) bool {
	if bytes.HasPrefix(body, []byte("<")) {
		return true
	}
	return strings.Contains(strings.ToLower(contentType), "html") && !bytes.HasPrefix(body, []byte("007")) && !bytes.HasPrefix(body, []byte("{"))
}

func readText(body []byte, h *hider) (string, error) {
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		return "", fail(KindBadAnswer, nil, "the token server answers with JSON, not with plain text; choose a shape that reads JSON")
	case bytes.ContainsAny(body, " \t\r\n"):
		// Some servers report a wrong configuration as a sentence with status 200.
		return "", serverError(h.quote(string(body)))
	}
	return string(body), nil
}

func (s Shape) readJSON(body []byte, h *hider) (string, error) {
	var root any
	if err := json.Unmarshal(body, &root); err != nil {
		if bytes.HasPrefix(body, []byte("007")) {
			return "", fail(KindBadAnswer, err, "the token server answers with plain text, not with JSON; choose the shape text")
		}
		return "", fail(KindBadAnswer, err, "the token server's answer is not JSON (it begins %q); check the address and the shape", printable.Line(h.quote(string(body)), 60))
	}
	found := field(root, s.TokenField)
	token, isText := found.(string)
	if token != "" {
		return token, nil
	}
	if text := words(field(root, s.ErrorField)); text != "" {
		return "", serverError(h.quote(text))
	}
	switch {
	case found == nil:
		return "", fail(KindBadAnswer, nil, "the token server's answer has no field %q (%s); check the address and the shape", s.TokenField, h.quote(fields(root)))
	case !isText:
		return "", fail(KindBadAnswer, nil, "the field %q of the token server's answer is no text; check the shape", s.TokenField)
	}
	return "", nil
}

func serverError(quoted string) error {
	return fail(KindServerError, nil, "the token server reports an error: %s; correct its configuration", quoted)
}

// field follows a dotted path into nested objects and returns nil where it leads nowhere.
func field(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// words returns a JSON value as text; null is the empty text.
func words(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}

// fields lists what an object has instead of the wanted field.
func fields(v any) string {
	object, ok := v.(map[string]any)
	if !ok || len(object) == 0 {
		return "it has no fields at all"
	}
	return "it has " + strings.Join(slices.Sorted(maps.Keys(object)), ", ")
}

// errorFields are where servers of other kinds than the expected one say what is wrong.
var errorFields = []string{"error", "errorInfo", "error_description", "message", "msg"}

// complaint returns what a refusing server says in words, or "".
func (s Shape) complaint(contentType string, body []byte, h *hider) string {
	body = bytes.TrimSpace(body)
	if isHTML(contentType, body) {
		return ""
	}
	var root any
	if json.Unmarshal(body, &root) == nil {
		for _, name := range append([]string{s.ErrorField}, errorFields...) {
			if text := words(field(root, name)); text != "" {
				return h.quote(text)
			}
		}
	}
	return h.quote(string(body))
}

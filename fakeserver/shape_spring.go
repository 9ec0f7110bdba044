package fakeserver

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What the Java shapes have from Spring Boot 2.4. The documents name the version and show none of this; it is inferred.

// springText answers as a controller that returns a string does.
func springText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
	_, _ = w.Write([]byte(text)) //nolint:gosec // it is served as plain text; the client may be gone
}

// springError answers as Spring Boot does for what its application does not handle.
func (s *Server) springError(w http.ResponseWriter, r *http.Request, status int) {
	answerJSON(w, "application/json", status, struct {
		Timestamp string `json:"timestamp"`
		Status    int    `json:"status"`
		Error     string `json:"error"`
		Message   string `json:"message"`
		Path      string `json:"path"`
	}{s.clock.Now().UTC().Format("2006-01-02T15:04:05.000-07:00"), status, http.StatusText(status), "", r.URL.Path})
}

func (s *Server) springWrongMethod(w http.ResponseWriter, r *http.Request) {
	s.springError(w, r, http.StatusMethodNotAllowed)
}

// springInt reads a Java int as Spring converts text: white space anywhere is dropped, and 0x or # begins a hexadecimal number.
func springInt(text string) (n int32, ok bool) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	base := 10
	rest, negative := strings.CutPrefix(text, "-")
	for _, prefix := range []string{"0x", "0X", "#"} {
		if digits, found := strings.CutPrefix(rest, prefix); found {
			if first, _ := utf8.DecodeRuneInString(digits); first == '+' || first == '-' {
				return 0, false
			}
			base, text = 16, digits
			if negative {
				text = "-" + digits
			}
			break
		}
	}
	v, err := strconv.ParseInt(text, base, 32)
	return int32(v), err == nil
}

package fakeserver

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// callParams narrow a fault to calls. Every fault of an HTTP target has them.
func callParams() []FaultParam {
	return []FaultParam{
		textParam("path", "", "only calls of this path: below /org/app, or of the token server; * stands for one part, as in users/*"),
		textParam("method", "", "only calls with this method"),
	}
}

// withFaults puts the faults of a target in front of a handler. Each one that applies may answer, or spoil what comes behind it.
func (s *Server) withFaults(target FaultTarget, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.faults.asking.Load() || r.Method == http.MethodOptions { // a browser's preflight is no call of the app's
			next.ServeHTTP(w, r)
			return
		}
		c := &faultyCall{srv: s, target: target, next: next, body: readAhead(r)}
		c.words, c.user = s.mentioned(target, r, c.body)
		c.step(w, r, 0)
	})
}

// faultyCall is one HTTP call on its way through the faults.
type faultyCall struct {
	srv    *Server
	target FaultTarget
	next   http.Handler
	body   []byte   // what of it has been read ahead
	words  []string // everything in the call that could be a user
	user   string   // the only one of them that is a user, "" when that is not clear
}

// step asks for the fault behind the one with serial after, and calls the real handler when there is none.
func (c *faultyCall) step(w http.ResponseWriter, r *http.Request, after int) {
	f := c.srv.faults.ask(question{
		target: c.target, user: c.user, after: after,
		about: func(user string) bool { return slices.Contains(c.words, user) },
		fits:  func(f *fault) bool { return c.fits(f, r) },
	})
	if f == nil {
		c.next.ServeHTTP(w, r)
		return
	}
	behind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.step(w, r, f.serial) })
	if f.kind.answer != nil {
		c.srv.answerInstead(f, w, r, c.user)
		return
	}
	f.kind.spoil(c.srv, f, w, r, behind)
}

func (c *faultyCall) fits(f *fault, r *http.Request) bool {
	p := strings.Trim(r.URL.Path, "/")
	if c.target == FaultREST {
		_, _, p = splitPath(r.URL.Path)
	}
	if want := strings.Trim(f.values["path"], "/"); want != "" {
		if ok, err := path.Match(want, p); err != nil || !ok {
			return false
		}
	}
	method := f.values["method"]
	return method == "" || strings.EqualFold(method, r.Method)
}

// answerInstead answers with the fault alone, and notes the call in the journal as the real handler would have.
func (s *Server) answerInstead(f *fault, w http.ResponseWriter, r *http.Request, user string) {
	status := &statusWriter{ResponseWriter: w}
	defer func() {
		s.journal.add(&Entry{
			Name: RESTRequest, Method: printable.Line(r.Method, 16), Path: printable.Discreet(r.URL.Path, 200), Status: status.status,
			User: user, Reason: "fault " + f.ID + ": " + string(f.Target) + " " + f.Kind, Session: s.exchanged(r),
		})
	}()
	w.Header().Set("Access-Control-Allow-Origin", "*") // a web app is to see the fault, not a refusal of its browser
	f.kind.answer(f, status, r)
}

// readAhead reads a request's body up to maxBody, so that it can be looked at, and so that a client that goes away is noticed. Nothing
// is lost for the handler.
func readAhead(r *http.Request) []byte {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody)) // the handler meets the same error
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return body
}

// mentioned returns all words of a call that could name a user, wherever this token server or that REST call has it: in the path, the
// query, the body or the bearer token. When exactly one of them is a user, that is who the call is about.
func (s *Server) mentioned(target FaultTarget, r *http.Request, body []byte) (words []string, who string) {
	users := 0
	if target == FaultREST {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if g, bad := s.authenticate(strings.TrimSpace(token)); strings.EqualFold(scheme, "Bearer") && bad == nil && !g.app {
			words = append(words, s.hub.nameOf(g.identity))
		}
	}
	words = append(words, strings.Split(r.URL.Path, "/")...)
	words = append(words, formTexts(r.URL.Query())...)
	var parsed any
	if json.Unmarshal(body, &parsed) == nil {
		words = append(words, jsonTexts(parsed)...)
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		words = append(words, formTexts(form)...)
	}
	for i, word := range words {
		words[i] = s.hub.nameOf(word)
		if name := words[i]; name != who && s.hub.with(name, func(*user) {}) {
			users++
			who = name
		}
	}
	if users > 1 {
		who = ""
	}
	return words, who
}

func formTexts(v url.Values) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		list = append(list, v[name]...)
	}
	return list
}

// jsonTexts lists the strings of a JSON value, but not the names of fields.
func jsonTexts(v any) []string {
	var list []string
	switch v := v.(type) {
	case string:
		list = append(list, v)
	case []any:
		for _, each := range v {
			list = append(list, jsonTexts(each)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			list = append(list, jsonTexts(v[name])...)
		}
	}
	return list
}

// stay takes the server's own time limit off an answer that comes late.
func stay(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // it is a real connection, which can
}

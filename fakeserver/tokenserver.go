package fakeserver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// tokenHandler is the token server: every shape at its own paths, and again below /shape/NAME. Where two shapes share a path, the first
// in the table has it.
func (s *Server) tokenHandler() http.Handler {
	mux := http.NewServeMux()
	taken := make(map[string]bool)
	for _, sh := range shapes() {
		own := http.NewServeMux()
		for _, route := range sh.routes {
			h := s.routeHandler(sh, route)
			own.HandleFunc(route.path, h)
			if !taken[route.path] {
				mux.HandleFunc(route.path, h)
			}
			taken[route.path] = true
		}
		prefix := "/shape/" + sh.Name
		mux.Handle(prefix+"/", http.StripPrefix(prefix, own))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(status, r)
		s.journal.add(&Entry{
			Name: RESTRequest, Method: printable.Line(r.Method, 16), Path: printable.Discreet(r.URL.Path, 200),
			Status: status.status, Reason: tokenServerReason, Session: s.exchanged(r),
		})
	})
}

// routeHandler lets the shape answer calls with the right method, and in its own way those with a wrong one.
func (s *Server) routeHandler(sh shape, route shapeRoute) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if sh.Browsers {
			allowPages(w.Header(), route.method)
		}
		switch {
		case route.method == "" || r.Method == route.method || r.Method == http.MethodHead && route.method == http.MethodGet:
			route.handle(s, w, r)
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", route.method+", OPTIONS")
		default:
			w.Header().Set("Allow", route.method+", OPTIONS")
			sh.wrongMethod(s, w, r)
		}
	}
}

// allowPages lets a page from anywhere call the token server.
func allowPages(h http.Header, method string) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", method+", OPTIONS")
	h.Set("Access-Control-Allow-Headers", "content-type")
	h.Set("Access-Control-Max-Age", "600")
	h.Set("Cache-Control", "no-store")
}

// issueUser builds a token for the user that lives the given seconds, and notes it. The expiry is what the token says; the service may cut
// it to 24 h.
func (s *Server) issueUser(c agoratoken.Credentials, user string, life uint32) (token string, expires time.Time, err error) {
	return s.issue(user, life, func(at time.Time) (string, error) { return agoratoken.BuildUser(c, user, life, at) })
}

// issueApp is issueUser for an app token.
func (s *Server) issueApp(c agoratoken.Credentials, life uint32) (token string, expires time.Time, err error) {
	return s.issue("", life, func(at time.Time) (string, error) { return agoratoken.BuildApp(c, life, at) })
}

func (s *Server) issue(user string, life uint32, build func(at time.Time) (string, error)) (token string, expires time.Time, err error) {
	now := s.clock.Now()
	if token, err = build(now); err != nil {
		return "", time.Time{}, err
	}
	expires = now.Truncate(time.Second).Add(time.Duration(life) * time.Second)
	s.issued(now, user, token, expires)
	return token, expires, nil
}

// issued notes a new token in the journal, at the instant in which it was made and not a moment later: its life counts from the whole second.
func (s *Server) issued(at time.Time, user, token string, expires time.Time) {
	e := &Entry{Name: TokenIssued, User: printable.Line(user, 64), Token: printable.Token(token), ExpiresAt: expires}
	s.journal.append(at, &Record{name: e.Name, entry: e}, e.User)
}

// configuredLife is the lifetime in seconds of the shapes that have it configured: expire.second of Config.Properties, or the shape's own.
func (s *Server) configuredLife(ofShape uint32) uint32 {
	if p := s.cfg.Properties; p != nil {
		return uint32(p.Expire) //nolint:gosec // Java packs its signed number into an unsigned field as it is: -1 becomes 4,294,967,295
	}
	return ofShape
}

// lifeOf is the lifetime in seconds that a call asked for, or else the configured one.
func (s *Server) lifeOf(asked *uint32, ofShape uint32) uint32 {
	if asked != nil {
		return *asked
	}
	return s.configuredLife(ofShape)
}

// answerJSON writes a body as the libraries of other languages do: no escapes for HTML, no line end. The client may be gone.
func answerJSON(w http.ResponseWriter, contentType string, status int, body any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // what the shapes answer can always be encoded
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// statusWriter remembers the status for the journal.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

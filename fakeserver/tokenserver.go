package fakeserver

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// tokenHandler is the token server of the official Go sample, quirks included (sources/000): any method will do, a missing expire is 0,
// a builder's error comes with 200, and the answer carries the content type that Go guesses. Beside it stands the login of the older
// documents.
func (s *Server) tokenHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/generate-user-token", s.sampleToken(func(user string, expire uint32, at time.Time) (string, error) {
		return agoratoken.BuildUser(s.cfg.credentials(), user, expire, at)
	}))
	mux.HandleFunc("/generate-app-token", s.sampleToken(func(_ string, expire uint32, at time.Time) (string, error) {
		return agoratoken.BuildApp(s.cfg.credentials(), expire, at)
	}))
	mux.HandleFunc("/token", s.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		mux.ServeHTTP(status, r)
		s.journal.add(Entry{
			Name: RESTRequest, Method: printable.Line(r.Method, 16), Path: printable.Line(printable.Scrub(r.URL.Path), 200),
			Status: status.status, Reason: "token server",
		})
	})
}

type tokenBuilder func(user string, expire uint32, at time.Time) (string, error)

func (s *Server) sampleToken(build tokenBuilder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			User   string `json:"user_uuid"`
			Expire uint32 `json:"expire"` // seconds
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req); err != nil {
			http.Error(w, "Invalid request payload", http.StatusBadRequest)
			return
		}
		var answer struct {
			Token string `json:"token"`
			Error string `json:"error,omitempty"`
		}
		now := s.clock.Now()
		token, err := build(req.User, req.Expire, now)
		if err != nil {
			answer.Error = err.Error()
		} else {
			answer.Token = token
			s.issued(req.User, token, now.Truncate(time.Second).Add(time.Duration(req.Expire)*time.Second))
		}
		_ = json.NewEncoder(w).Encode(answer) // the client may be gone
	}
}

// issued notes a new token in the journal. The expiry is what the token says; the service may cut it to 24 h.
func (s *Server) issued(user, token string, expires time.Time) {
	s.journal.add(Entry{Name: TokenIssued, User: printable.Line(user, 64), Token: printable.Token(token), ExpiresAt: expires})
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

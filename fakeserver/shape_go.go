package fakeserver

import (
	"encoding/json"
	"net/http"
	"time"
)

// goShape is the Go sample of the current documents (sources/000): any method will do, a missing expire is 0, a builder's error comes with
// 200, and the answer carries the content type that Go guesses.
func goShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "go", Source: "the Go sample of the current documents (sources/000)",
			Lifetimes: Lifetimes{
				Given:   "expire in the JSON body",
				Missing: "lives 0 s", Zero: "lives 0 s", Negative: "400", Fractional: "400", Oversized: "400",
			},
		},
		routes: []shapeRoute{
			{"", "/generate-user-token", func(s *Server, w http.ResponseWriter, r *http.Request) {
				s.answerGo(w, r, func(q goRequest) (string, time.Time, error) {
					return s.issueUser(s.cfg.credentials(), q.User, q.Expire)
				})
			}},
			{"", "/generate-app-token", func(s *Server, w http.ResponseWriter, r *http.Request) {
				s.answerGo(w, r, func(q goRequest) (string, time.Time, error) { return s.issueApp(s.cfg.credentials(), q.Expire) })
			}},
		},
	}
}

type goRequest struct {
	User   string `json:"user_uuid"`
	Expire uint32 `json:"expire"` // seconds
}

func (s *Server) answerGo(w http.ResponseWriter, r *http.Request, issue func(goRequest) (string, time.Time, error)) {
	var req goRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, "Invalid request payload", http.StatusBadRequest)
		return
	}
	var answer struct {
		Token string `json:"token"`
		Error string `json:"error,omitempty"`
	}
	token, _, err := issue(req)
	answer.Token = token
	if err != nil {
		answer.Error = err.Error()
	}
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

package fakeserver

import (
	"encoding/json"
	"net/http"
)

// flutterLife is how many seconds a token lives for the Flutter client, unless the call or the configuration says otherwise.
const flutterLife = 3600

// flutterShape is the server that the Flutter client of the current documents expects (sources/000): the document shows the client alone,
// so the path and the refusals are ours, and so is expire.
func flutterShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "flutter", Source: "inferred from the Flutter client of the current documents (sources/000)", Browsers: true,
			Lifetimes: Lifetimes{
				Given:   "expire in the JSON body, which is ours; or expire.second in application.properties",
				Missing: "lives 3600 s", Zero: "lives 0 s", Negative: "400", Fractional: "400", Oversized: "400",
			},
		},
		routes: []shapeRoute{{http.MethodPost, "/flutter/token", (*Server).flutterToken}},
		wrongMethod: func(_ *Server, w http.ResponseWriter, _ *http.Request) {
			flutterRefuse(w, http.StatusMethodNotAllowed, "use POST")
		},
	}
}

func (s *Server) flutterToken(w http.ResponseWriter, r *http.Request) {
	var req struct {
		User   string  `json:"userId"`
		Expire *uint32 `json:"expire"` // seconds
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.User == "" {
		flutterRefuse(w, http.StatusBadRequest, "userId is needed, and expire is in whole seconds; as JSON")
		return
	}
	token, _, err := s.issueUser(s.cfg.credentials(), req.User, s.lifeOf(req.Expire, flutterLife))
	if err != nil {
		flutterRefuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answerJSON(w, "application/json", http.StatusOK, map[string]string{"token": token})
}

func flutterRefuse(w http.ResponseWriter, status int, reason string) {
	answerJSON(w, "application/json", status, map[string]string{"error": reason})
}

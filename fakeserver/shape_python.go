package fakeserver

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pythonDefaultLife is how many seconds a token of the Python sample lives that nobody gave a lifetime.
const pythonDefaultLife = 3600

// pythonShape is the Python sample of the current documents (token-lifecycle.md section 4): the same calls as Node's, with other answers.
func pythonShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "python", Source: "the Python sample of the current documents; Flask's own errors are inferred",
			Lifetimes: Lifetimes{
				Given:   "expireTimeInSeconds in the query",
				Missing: "lives 3600 s", Zero: "lives 0 s", Negative: "500", Fractional: "500", Oversized: "500",
			},
		},
		routes: []shapeRoute{
			{http.MethodGet, "/api/token/generateUserToken", (*Server).pythonUserToken},
			{http.MethodGet, "/api/token/generateAppToken", (*Server).pythonAppToken},
		},
		wrongMethod: func(_ *Server, w http.ResponseWriter, _ *http.Request) { flaskError(w, http.StatusMethodNotAllowed) },
	}
}

type pythonAnswer struct {
	Token string `json:"token,omitempty"`
	Error string `json:"error,omitempty"`
}

func (s *Server) pythonUserToken(w http.ResponseWriter, r *http.Request) {
	life, ok := pythonLife(r)
	account := r.URL.Query().Get("account")
	switch {
	case !ok: // the sample converts the lifetime before it looks at the account
		flaskError(w, http.StatusInternalServerError)
	case account == "":
		flaskJSON(w, http.StatusBadRequest, pythonAnswer{Error: "Missing 'account' parameter"})
	default:
		pythonToken(w, life, func(life uint32) (string, time.Time, error) { return s.issueUser(s.cfg.credentials(), account, life) })
	}
}

func (s *Server) pythonAppToken(w http.ResponseWriter, r *http.Request) {
	life, ok := pythonLife(r)
	if !ok {
		flaskError(w, http.StatusInternalServerError)
		return
	}
	pythonToken(w, life, func(life uint32) (string, time.Time, error) { return s.issueApp(s.cfg.credentials(), life) })
}

// pythonToken fails where Python's struct cannot pack the lifetime into 32 bits.
func pythonToken(w http.ResponseWriter, life int64, issue func(life uint32) (string, time.Time, error)) {
	if life < 0 || life > math.MaxUint32 {
		flaskError(w, http.StatusInternalServerError)
		return
	}
	token, _, err := issue(uint32(life))
	if err != nil {
		flaskError(w, http.StatusInternalServerError)
		return
	}
	flaskJSON(w, http.StatusOK, pythonAnswer{Token: token})
}

func flaskJSON(w http.ResponseWriter, status int, answer pythonAnswer) {
	answerJSON(w, "application/json", status, answer)
	_, _ = w.Write([]byte("\n")) // the client may be gone
}

// flaskError answers for an exception that nobody caught, or for a wrong method.
func flaskError(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html>\n<title>" + strconv.Itoa(status) + " " + http.StatusText(status) + "</title>\n"))
}

func pythonLife(r *http.Request) (life int64, ok bool) {
	query := r.URL.Query()
	if !query.Has("expireTimeInSeconds") {
		return pythonDefaultLife, true
	}
	return pythonInt(query.Get("expireTimeInSeconds"))
}

// pythonInt is Python's int() for ASCII digits: white space around the number and a sign are fine, and so is a single underscore between
// two digits. A number that 64 bits cannot hold becomes the largest.
func pythonInt(text string) (n int64, ok bool) {
	text = strings.TrimSpace(text)
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil && n != math.MaxInt64 && n != math.MinInt64 { // out of range keeps the nearest number
		return 0, false
	}
	return n, true
}

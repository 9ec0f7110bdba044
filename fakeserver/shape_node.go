package fakeserver

import (
	"fmt"
	"html"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// nodeDefaultLife is what the Node sample takes for a lifetime that it cannot use, in seconds.
const nodeDefaultLife = 3600

// nodeShape is the Node sample of the current documents (token-lifecycle.md section 4). The original has no CORS; pages were told to call it
// all the same, so here they can.
func nodeShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "node", Source: "the Node.js sample of the current documents; refusals as npm agora-token 2.0.5 gives them, CORS is ours", Browsers: true,
			Lifetimes: Lifetimes{
				Given:   "expireTimeInSeconds in the query",
				Missing: "lives 3600 s", Zero: "lives 3600 s", Negative: "500", Fractional: "lives 1 s", Oversized: "500",
			},
		},
		routes: []shapeRoute{
			{http.MethodGet, "/api/token/generateUserToken", (*Server).nodeUserToken},
			{http.MethodGet, "/api/token/generateAppToken", (*Server).nodeAppToken},
		},
		wrongMethod: expressNoRoute,
	}
}

type nodeAnswer struct {
	Status string `json:"status,omitempty"`
	Token  string `json:"token,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (s *Server) nodeUserToken(w http.ResponseWriter, r *http.Request) {
	account := r.URL.Query().Get("account")
	if account == "" {
		nodeJSON(w, http.StatusBadRequest, nodeAnswer{Error: "Account parameter is required"})
		return
	}
	nodeToken(w, r, func(life uint32) (string, time.Time, error) { return s.issueUser(s.cfg.credentials(), account, life) })
}

func (s *Server) nodeAppToken(w http.ResponseWriter, r *http.Request) {
	nodeToken(w, r, func(life uint32) (string, time.Time, error) { return s.issueApp(s.cfg.credentials(), life) })
}

func nodeToken(w http.ResponseWriter, r *http.Request, issue func(life uint32) (string, time.Time, error)) {
	life := jsParseInt(r.URL.Query().Get("expireTimeInSeconds"))
	if life == 0 { // 0 and NaN are both false
		life = nodeDefaultLife
	}
	if life < 0 || life > math.MaxUint32 {
		nodeJSON(w, http.StatusInternalServerError, nodeAnswer{
			Error: fmt.Sprintf(`The value of "value" is out of range. It must be >= 0 and <= %d. Received %s`,
				uint32(math.MaxUint32), strconv.FormatFloat(life, 'f', -1, 64)),
		})
		return
	}
	token, _, err := issue(uint32(life))
	if err != nil {
		nodeJSON(w, http.StatusInternalServerError, nodeAnswer{Error: err.Error()})
		return
	}
	nodeJSON(w, http.StatusOK, nodeAnswer{Status: "success", Token: token})
}

func nodeJSON(w http.ResponseWriter, status int, answer nodeAnswer) {
	answerJSON(w, "application/json; charset=utf-8", status, answer)
}

// expressNoRoute answers what Express has no route for.
func expressNoRoute(_ *Server, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprintf(w, "<pre>Cannot %s %s</pre>\n", html.EscapeString(r.Method), html.EscapeString(r.URL.EscapedPath()))
}

// jsParseInt is JavaScript's parseInt, with 0 for NaN: it takes the digits at the beginning, those of a hexadecimal number after 0x, and
// ignores what follows.
func jsParseInt(text string) float64 {
	text = strings.TrimSpace(text)
	text, negative := strings.CutPrefix(text, "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	isDigit := func(c rune) bool { return c >= '0' && c <= '9' }
	hex := len(text) > 1 && strings.EqualFold(text[:2], "0x")
	if hex {
		text, isDigit = text[2:], func(c rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", c) }
	}
	if end := strings.IndexFunc(text, func(c rune) bool { return !isDigit(c) }); end >= 0 {
		text = text[:end]
	}
	if hex {
		text = "0x" + text + "p0"
	}
	n, _ := strconv.ParseFloat(text, 64) // no digits are 0
	if negative {
		return -n
	}
	return n
}

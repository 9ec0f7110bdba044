package fakeserver

import (
	"net/http"
	"strings"
)

// javaFormShape is the Java tab of the current documents (token-lifecycle.md section 4): parameters in the query or in a form, the token as
// plain text. A JSON body has no parameters for it.
func javaFormShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "java-form", Source: "the Java sample of the current documents; Spring's conversions and errors are inferred",
			Lifetimes: Lifetimes{
				Given:   "expireSeconds in the form or the query",
				Missing: "400", Zero: "lives 0 s", Negative: "lives 4294967295 s", Fractional: "400", Oversized: "400",
			},
		},
		routes:      []shapeRoute{{http.MethodPost, "/token/generate", (*Server).javaFormToken}},
		wrongMethod: (*Server).springWrongMethod,
	}
}

func (s *Server) javaFormToken(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	expire, ok := springInt(r.Form.Get("expireSeconds"))
	if err != nil || !ok || !r.Form.Has("userId") {
		s.springError(w, r, http.StatusBadRequest)
		return
	}
	life := uint32(expire) //nolint:gosec // Java packs its signed number into an unsigned field as it is: -1 becomes 4,294,967,295
	var token string
	switch kind := r.Form.Get("tokenType"); {
	case kind == "" || strings.EqualFold(kind, "user"):
		token, _, err = s.issueUser(s.cfg.credentials(), r.Form.Get("userId"), life)
	case strings.EqualFold(kind, "app"):
		token, _, err = s.issueApp(s.cfg.credentials(), life)
	default:
		s.springError(w, r, http.StatusInternalServerError)
		return
	}
	if err != nil {
		token = "" // what the Java builder returns when it fails
	}
	springText(w, token)
}

package fakeserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
)

// quickstartLife is how many seconds a token lives, unless the call or the configuration says otherwise: the sample's configuration has a
// day.
const quickstartLife = 24 * 60 * 60

// quickstartShape is the app server of the quickstart samples (token-lifecycle.md section 4): accounts are registered, then they log in.
// What its framework answers by itself is inferred; expire and CORS are ours.
func quickstartShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "quickstart", Source: "chat-app-server of the official API examples; Spring's own errors are inferred", Browsers: true,
			Lifetimes: Lifetimes{
				Given:   "expire in the JSON body of login, which is ours; or expire.second in application.properties",
				Missing: "lives 86400 s", Zero: "lives 0 s", Negative: "400", Fractional: "400", Oversized: "400",
			},
		},
		routes: []shapeRoute{
			{http.MethodPost, "/app/chat/user/register", (*Server).quickstartRegister},
			{http.MethodPost, "/app/chat/user/login", (*Server).quickstartLogin},
		},
		wrongMethod: func(_ *Server, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) },
	}
}

// quickstartAnswer has the number in code that the page's answer has as a word.
type quickstartAnswer struct {
	Code            int    `json:"code"`
	AccessToken     string `json:"accessToken,omitempty"`
	ErrorInfo       string `json:"errorInfo,omitempty"`
	ExpireTimestamp int64  `json:"expireTimestamp,omitempty"` // Unix ms
	ChatUserName    string `json:"chatUserName,omitempty"`
}

func answerQuickstart(w http.ResponseWriter, answer quickstartAnswer) {
	answerJSON(w, "application/json", answer.Code, answer)
}

func (s *Server) quickstartRegister(w http.ResponseWriter, r *http.Request) {
	req, ok := quickstartAccount(w, r)
	if !ok {
		return
	}
	if !userName.MatchString(req.Account) {
		answerQuickstart(w, quickstartAnswer{Code: http.StatusBadRequest, ErrorInfo: "userAccount: want 1 to 64 of a-z, 0-9, . _ -"})
		return
	}
	_, err := s.hub.register(req.Account, req.Password, "")
	switch {
	case err == nil:
		answerQuickstart(w, quickstartAnswer{Code: http.StatusOK})
	case errors.Is(err, errUserExists):
		answerQuickstart(w, quickstartAnswer{Code: http.StatusBadRequest, ErrorInfo: "userAccount " + req.Account + " already exists."})
	default:
		answerQuickstart(w, quickstartAnswer{Code: http.StatusTooManyRequests, ErrorInfo: err.Error()})
	}
}

func (s *Server) quickstartLogin(w http.ResponseWriter, r *http.Request) {
	req, ok := quickstartAccount(w, r)
	if !ok {
		return
	}
	exists, right := s.hub.checkPassword(req.Account, req.Password)
	if !exists {
		answerQuickstart(w, quickstartAnswer{Code: http.StatusNotFound, ErrorInfo: req.Account + " does not exists"})
		return
	}
	if !right {
		answerQuickstart(w, quickstartAnswer{Code: http.StatusBadRequest, ErrorInfo: "User password error."})
		return
	}
	token, expires, err := s.issueUser(s.cfg.credentials(), req.Account, s.lifeOf(req.Expire, quickstartLife))
	if err != nil {
		answerQuickstart(w, quickstartAnswer{Code: http.StatusInternalServerError, ErrorInfo: err.Error()})
		return
	}
	answerQuickstart(w, quickstartAnswer{
		Code: http.StatusOK, AccessToken: token, ExpireTimestamp: expires.UnixMilli(), ChatUserName: req.Account,
	})
}

// quickstartAccount reads the account. It has answered when it returns false: Spring refuses what is no JSON without a word.
func quickstartAccount(w http.ResponseWriter, r *http.Request) (req accountRequest, ok bool) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return req, false
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return req, false
	}
	for _, field := range []struct{ name, value string }{{"userAccount", req.Account}, {"userPassword", req.Password}} {
		if field.value == "" {
			answerQuickstart(w, quickstartAnswer{Code: http.StatusBadRequest, ErrorInfo: field.name + " cannot be empty"})
			return req, false
		}
	}
	if len(req.Password) > maxPassword {
		answerQuickstart(w, quickstartAnswer{Code: http.StatusBadRequest, ErrorInfo: fmt.Sprintf("userPassword has more than %d bytes", maxPassword)})
		return req, false
	}
	return req, true
}

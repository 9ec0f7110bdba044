package fakeserver

import (
	"encoding/json"
	"net/http"
)

// pageLife is how many seconds a token lives that a login buys, unless the call or the configuration says otherwise.
const pageLife = 3600

// pageShape is the app server that the web page of the older documents expects (sources/002): it trades an account's password for a 007
// token. The document shows the page alone; the answer has the fields of the sample app server (token-lifecycle.md section 4).
func pageShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "web", Source: "the server that the web page of 2021 calls (sources/002), answering as the public demo server does", Browsers: true,
			Lifetimes: Lifetimes{
				Given:   "expire in the JSON body, which is ours; or expire.second in application.properties",
				Missing: "lives 3600 s", Zero: "lives 0 s", Negative: "400", Fractional: "400", Oversized: "400",
			},
		},
		routes: []shapeRoute{{http.MethodPost, "/token", func(s *Server, w http.ResponseWriter, r *http.Request) {
			answerPage(w, s.pageLogin(r))
		}}},
		wrongMethod: func(_ *Server, w http.ResponseWriter, _ *http.Request) {
			answerPage(w, pageAnswer{Code: "RES_REQUEST_PARAM_ERROR", StatusCode: http.StatusMethodNotAllowed, ErrorInfo: "use POST"})
		},
	}
}

// accountRequest is what clients of the app servers post. Expire is ours: seconds, for whoever wants to see the end.
type accountRequest struct {
	Account  string  `json:"userAccount"`
	Password string  `json:"userPassword"`
	Expire   *uint32 `json:"expire"`
}

// pageAnswer: the page reads accessToken and chatUserName.
type pageAnswer struct {
	Code            string `json:"code"`
	StatusCode      int    `json:"statusCode"`
	ErrorInfo       string `json:"errorInfo,omitempty"`
	AccessToken     string `json:"accessToken,omitempty"`
	ExpireTimestamp int64  `json:"expireTimestamp,omitempty"` // Unix ms
	ChatUserName    string `json:"chatUserName,omitempty"`
}

func answerPage(w http.ResponseWriter, answer pageAnswer) {
	answerJSON(w, "application/json;charset=UTF-8", answer.StatusCode, answer)
}

func (s *Server) pageLogin(r *http.Request) pageAnswer {
	var req accountRequest
	err := json.NewDecoder(r.Body).Decode(&req)
	if err != nil || req.Account == "" || req.Password == "" || len(req.Password) > maxPassword {
		return pageAnswer{
			Code: "RES_REQUEST_PARAM_ERROR", StatusCode: http.StatusBadRequest, ErrorInfo: "userAccount and userPassword are needed, as JSON, of at most 64 bytes each",
		}
	}
	exists, right := s.hub.signIn(req.Account, req.Password)
	if !exists {
		return pageAnswer{Code: "RES_USER_NOT_FOUND", StatusCode: http.StatusNotFound, ErrorInfo: "the user does not exist"}
	}
	if !right {
		return pageAnswer{Code: "RES_UNAUTHORIZED_ERROR", StatusCode: http.StatusUnauthorized, ErrorInfo: "the password is wrong"}
	}
	token, expires, err := s.issueUser(s.cfg.credentials(), req.Account, s.lifeOf(req.Expire, pageLife))
	if err != nil {
		return pageAnswer{Code: "RES_UNKNOWN", StatusCode: http.StatusInternalServerError, ErrorInfo: err.Error()}
	}
	return pageAnswer{
		Code: "RES_OK", StatusCode: http.StatusOK, AccessToken: token, ExpireTimestamp: expires.UnixMilli(), ChatUserName: req.Account,
	}
}

// signIn is checkPassword, but where registration is open a user appears with the first password that is given, as users do with their first
// token.
func (h *hub) signIn(name, password string) (exists, right bool) {
	if !h.cfg.ClosedRegistration && userName.MatchString(name) {
		h.mu.Lock()
		if u, err := h.ensure(name); err == nil && u.password == "" {
			u.password = password
		}
		h.mu.Unlock()
	}
	return h.checkPassword(name, password)
}

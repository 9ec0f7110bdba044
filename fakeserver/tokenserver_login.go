package fakeserver

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// loginTokenLife is how long a token lives that a login on the token server buys, unless the call names another time.
const loginTokenLife = time.Hour

// loginRequest is what the page of the older documents posts (sources/002). Expire is ours: seconds, for a page that wants to see the end.
type loginRequest struct {
	Account  string  `json:"userAccount"`
	Password string  `json:"userPassword"`
	Expire   *uint32 `json:"expire"`
}

// loginAnswer has the fields of the sample app server; the page reads accessToken and chatUserName (token-lifecycle.md section 4).
type loginAnswer struct {
	Code            string `json:"code"`
	StatusCode      int    `json:"statusCode"`
	ErrorInfo       string `json:"errorInfo,omitempty"`
	AccessToken     string `json:"accessToken,omitempty"`
	ExpireTimestamp int64  `json:"expireTimestamp,omitempty"` // Unix ms
	ChatUserName    string `json:"chatUserName,omitempty"`
}

// login is the app server that the page of the older documents expects: it trades an account's password for a 007 token. The page comes
// from anywhere.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "content-type")
	h.Set("Access-Control-Max-Age", "600")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodOptions {
		return
	}
	answer := s.loginAnswer(w, r)
	h.Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(answer.StatusCode)
	_ = json.NewEncoder(w).Encode(answer) //nolint:gosec // the token is what was asked for; the client may be gone
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

func (s *Server) loginAnswer(w http.ResponseWriter, r *http.Request) loginAnswer {
	var req loginRequest
	if r.Method != http.MethodPost {
		return loginAnswer{Code: "RES_REQUEST_PARAM_ERROR", StatusCode: http.StatusMethodNotAllowed, ErrorInfo: "use POST"}
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req)
	if err != nil || req.Account == "" || req.Password == "" {
		return loginAnswer{
			Code: "RES_REQUEST_PARAM_ERROR", StatusCode: http.StatusBadRequest, ErrorInfo: "userAccount and userPassword are needed, as JSON",
		}
	}
	exists, right := s.hub.signIn(req.Account, req.Password)
	if !exists {
		return loginAnswer{Code: "RES_USER_NOT_FOUND", StatusCode: http.StatusNotFound, ErrorInfo: "the user does not exist"}
	}
	if !right {
		return loginAnswer{Code: "RES_UNAUTHORIZED_ERROR", StatusCode: http.StatusUnauthorized, ErrorInfo: "the password is wrong"}
	}
	life := uint32(loginTokenLife / time.Second)
	if req.Expire != nil {
		life = *req.Expire
	}
	now := s.clock.Now()
	token, err := agoratoken.BuildUser(s.cfg.credentials(), req.Account, life, now)
	if err != nil {
		return loginAnswer{Code: "RES_UNKNOWN", StatusCode: http.StatusInternalServerError, ErrorInfo: err.Error()}
	}
	expires := now.Truncate(time.Second).Add(time.Duration(life) * time.Second)
	s.issued(req.Account, token, expires)
	return loginAnswer{
		Code: "RES_OK", StatusCode: http.StatusOK, AccessToken: token, ExpireTimestamp: expires.UnixMilli(), ChatUserName: req.Account,
	}
}

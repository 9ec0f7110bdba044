package fakeserver

import (
	"net/http"
	"sync"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// sameTokenFault hands out again what the user had last; a user without a token gets one, and then always that.
func sameTokenFault() *faultKind {
	return spoilBody(FaultKind{FaultTokenServer, "same-token", "the answer holds the same token as the last one for that user", nil},
		func(s *Server, _ *fault, _ http.Header, body []byte) []byte {
			return tokenText().ReplaceAllFunc(body, func(token []byte) []byte { return []byte(s.handedOut.lastOr(string(token))) })
		})
}

// maxHandedOut is for how many users the last token is kept; when there are more, all are forgotten.
const maxHandedOut = 10_000

// handedOut remembers each user's last token, as the token server's clients got it.
type handedOut struct {
	mu   sync.Mutex
	last map[string]string
}

// lastOr returns the last token of the user that the given one is for, or the given one.
func (h *handedOut) lastOr(token string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if owner, ok := tokenOwner(token); ok && h.last[owner] != "" {
		return h.last[owner]
	}
	return token
}

func (h *handedOut) note(token string) {
	owner, ok := tokenOwner(token)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil || len(h.last) >= maxHandedOut {
		h.last = make(map[string]string)
	}
	h.last[owner] = token
}

func (h *handedOut) lastOf(user string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last[user]
}

func (h *handedOut) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = nil
}

// tokenOwner is the user of a chat token, empty for an app token; it is not ok for tokens of other services.
func tokenOwner(token string) (user string, ok bool) {
	read, err := agoratoken.Read(token)
	if err != nil {
		return "", false
	}
	chat, err := read.Claims().Chat()
	return chat.User, err == nil
}

// remembering notes every token that a handler gives away.
func (h *handedOut) remembering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&overhearing{w, h}, r)
	})
}

// overhearing is an answer whose tokens are noted. A token is always written in one piece.
type overhearing struct {
	http.ResponseWriter
	to *handedOut
}

// Write implements http.ResponseWriter.
func (o *overhearing) Write(b []byte) (int, error) {
	if len(b) <= maxBody {
		if token := tokenText().Find(b); token != nil {
			o.to.note(string(token))
		}
	}
	return o.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (o *overhearing) Unwrap() http.ResponseWriter { return o.ResponseWriter }

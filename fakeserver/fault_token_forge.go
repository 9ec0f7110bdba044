package fakeserver

import (
	"math"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/pattern"
)

// tokenText finds 007 tokens in an answer of any shape.
var tokenText = pattern.New(`007eJ[A-Za-z0-9+/]{40,}={0,2}`)

// forged is what a token is built anew from.
type forged struct {
	credentials agoratoken.Credentials
	user        string
	life        uint32 // seconds
	issued      time.Time
}

// What a forged token may be signed for or with instead.
const (
	otherAppID       = "6f746865722d6170706c69636174696f"
	otherCertificate = "6f746865722d63657274696669636174"
)

// tokenForgeries replace the token in an answer by one that is genuine but for one thing.
func tokenForgeries() []*faultKind {
	forgery := func(name, meaning string, change func(f *fault, t *forged), params ...FaultParam) *faultKind {
		return spoilBody(FaultKind{FaultTokenServer, name, meaning, params}, func(s *Server, f *fault, _ http.Header, body []byte) []byte {
			return tokenText().ReplaceAllFunc(body, func(token []byte) []byte {
				return []byte(s.forge(string(token), func(t *forged) { change(f, t) }))
			})
		})
	}
	return []*faultKind{
		forgery("expired-token", "the token is over already", func(f *fault, t *forged) {
			t.issued = t.issued.Add(-time.Duration(t.life)*time.Second - f.values.duration("ago"))
		}, durationParam("ago", time.Minute, "how long ago it ended, in whole seconds")),
		forgery("other-user", "the token is for somebody else", func(f *fault, t *forged) { t.user = f.values["as"] },
			textParam("as", "mallory", "for whom")),
		forgery("other-app", "the token is for another App ID", func(_ *fault, t *forged) { t.credentials.AppID = otherAppID }),
		forgery("wrong-certificate", "the token is signed with another App Certificate",
			func(_ *fault, t *forged) { t.credentials.Certificate = otherCertificate }),
		forgery("zero-life", "the token lives for 0 seconds", func(_ *fault, t *forged) { t.life = 0 }),
		forgery("seven-days", "the token asks for 7 days, which is more than the service allows",
			func(_ *fault, t *forged) { t.life = uint32(7 * 24 * time.Hour / time.Second) }),
		forgery("milliseconds", "the token lives a thousand times longer, because milliseconds were taken for seconds",
			func(_ *fault, t *forged) { t.life = uint32(min(uint64(t.life)*1000, math.MaxUint32)) }),
	}
}

// forge builds a chat token anew with one thing changed. Whatever else looks like a token stays as it is.
func (s *Server) forge(token string, change func(*forged)) string {
	read, err := agoratoken.Read(token)
	if err != nil {
		return token
	}
	claims := read.Claims()
	chat, err := claims.Chat()
	if err != nil {
		return token
	}
	t := forged{credentials: s.cfg.credentials(), user: chat.User, life: claims.Expire, issued: time.Unix(int64(claims.IssuedAt), 0)}
	change(&t)
	build := agoratoken.BuildApp
	if !chat.AppPrivilege {
		build = func(c agoratoken.Credentials, expire uint32, at time.Time) (string, error) {
			return agoratoken.BuildUser(c, t.user, expire, at)
		}
	}
	made, err := build(t.credentials, t.life, t.issued)
	if err != nil {
		s.cfg.Log.Error("a token could not be forged", "error", err)
		return token
	}
	return made
}

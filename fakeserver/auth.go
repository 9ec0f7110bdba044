package fakeserver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// A grant is what a verified token allows. It is the only form in which the rest of the emulator sees a token.
type grant struct {
	// identity is the user name or UUID that the token names; empty in an app token.
	identity string
	app      bool
	// acceptedAt is when the emulator took the token, expiresAt when it ends, both by the emulator's clock.
	acceptedAt, expiresAt time.Time
	// serial is the number of a Chat token among all that the emulator issued; 0 in other tokens.
	serial uint64
	// id is what identifies a 007 token; zero in other tokens.
	id [32]byte
	// short is the token as it may be shown.
	short string
}

// willExpireAt is where the SDK's first warning falls: 80 % of the life that was left when the token was taken (protocol.md d.2).
func (g grant) willExpireAt() time.Time {
	return g.acceptedAt.Add(g.expiresAt.Sub(g.acceptedAt) * 8 / 10)
}

// authError says why a token is refused. The detail is for the journal; the client gets the service's own sentence.
type authError struct {
	kind   authErrorKind
	detail string
}

type authErrorKind int

const (
	authMissing authErrorKind = iota
	authCorrupt               // not a token at all
	authForeign               // a token, but not for this app or not signed with its certificate
	authExpired
)

func (e *authError) Error() string { return e.detail }

// authenticate is the one door: every token that reaches the emulator, on whatever way, is judged here.
func (s *Server) authenticate(token string) (grant, *authError) {
	now := s.clock.Now()
	switch {
	case token == "":
		return grant{}, &authError{authMissing, "no token"}
	case strings.HasPrefix(token, chatTokenPrefix):
		g, bad := s.chatTokens.open(token, now)
		if bad == nil && s.hub.voided(g) {
			return grant{}, &authError{authForeign, "the Chat token is older than the user's password"}
		}
		return g, bad
	}
	a, err := agoratoken.Admit(token, s.cfg.credentials(), now, agoratoken.Over24h(s.cfg.Over24h))
	if err != nil {
		return grant{}, &authError{kindOf(err), err.Error()}
	}
	if s.revoked.some.Load() && s.revoked.covers(s.hub.nameOf(a.User), a) {
		return grant{}, &authError{authForeign, "the token was revoked"}
	}
	return grant{identity: a.User, app: a.App, acceptedAt: now, expiresAt: a.ExpiresAt, id: a.ID, short: printable.Token(token)}, nil
}

func kindOf(err error) authErrorKind {
	if e, ok := errors.AsType[*agoratoken.Error](err); ok {
		switch e.Kind {
		case agoratoken.KindExpired:
			return authExpired
		case agoratoken.KindTooLong, agoratoken.KindVersion, agoratoken.KindMalformed:
			return authCorrupt
		}
	}
	return authForeign
}

// chatTokenPrefix is how every Chat token of the service begins: the base64 of "ac-".
const chatTokenPrefix = "YWMt"

// chatTokens makes and opens the emulator's own Chat tokens. They are opaque to clients and carry what they grant, signed with a key
// that lives as long as the emulator, so that nothing has to be remembered for each one.
type chatTokens struct {
	key    [32]byte
	serial atomic.Uint64 // of the newest
	voided atomic.Uint64 // the newest that was forgotten
}

// forget makes everything void that was issued until now.
func (c *chatTokens) forget() { c.voided.Store(c.serial.Load()) }

func newChatTokens() *chatTokens {
	c := new(chatTokens)
	_, _ = rand.Read(c.key[:]) // never fails since Go 1.24
	return c
}

const (
	chatTokenHead = 3 + 16 + 1 + 8 + 8 // "ac-", a random id, kind, expiry in ms, serial
	chatTokenMax  = 2 << 10
)

// issue returns a Chat token with the same rights and the same end as the grant.
func (c *chatTokens) issue(g grant) string {
	b := make([]byte, chatTokenHead, chatTokenHead+len(g.identity)+sha256.Size)
	copy(b, "ac-")
	_, _ = rand.Read(b[3:19])
	if g.app {
		b[19] = 1
	}
	binary.BigEndian.PutUint64(b[20:], millis(g.expiresAt))
	binary.BigEndian.PutUint64(b[28:], c.serial.Add(1))
	b = append(b, g.identity...)
	return base64.URLEncoding.EncodeToString(append(b, c.sign(b)...))
}

func (c *chatTokens) open(token string, now time.Time) (grant, *authError) {
	if len(token) > chatTokenMax || strings.ContainsAny(token, "\r\n") {
		return grant{}, &authError{authCorrupt, "the Chat token cannot be read"}
	}
	raw, err := base64.URLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < chatTokenHead+sha256.Size {
		return grant{}, &authError{authCorrupt, "the Chat token cannot be read"}
	}
	b, signature := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if !hmac.Equal(signature, c.sign(b)) {
		return grant{}, &authError{authForeign, "the Chat token was not issued by this emulator; it may be older than its last start"}
	}
	expires := time.UnixMilli(int64(binary.BigEndian.Uint64(b[20:28]))) //nolint:gosec // issue wrote it from an int64
	g := grant{
		identity: string(b[chatTokenHead:]), app: b[19] == 1, acceptedAt: now, expiresAt: expires,
		serial: binary.BigEndian.Uint64(b[28:]), short: printable.Token(token),
	}
	if g.serial <= c.voided.Load() {
		return grant{}, &authError{authForeign, "the Chat token is older than the emulator's last reset"}
	}
	if !now.Before(expires) {
		return grant{}, &authError{authExpired, fmt.Sprintf("the Chat token expired at %s", expires.UTC().Format(time.RFC3339))}
	}
	return g, nil
}

func (c *chatTokens) sign(b []byte) []byte {
	m := hmac.New(sha256.New, c.key[:])
	m.Write(b)
	return m.Sum(nil)
}

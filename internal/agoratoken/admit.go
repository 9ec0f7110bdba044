package agoratoken

import (
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// maxAhead is how far in the future a token may be issued, for builders whose clock is ahead.
const maxAhead = time.Hour

// Over24h says what a server does with a token that lives longer than [MaxLife]. The zero value caps.
type Over24h string

// What the real service does is not documented, so both can be played (reference/token-lifecycle.md 7).
const (
	Cap    Over24h = "cap"    // admit it for 24 hours from its issue
	Refuse Over24h = "refuse" // refuse it with kind over_24h
)

// Admission is a token that a server accepted.
type Admission struct {
	Claims    Claims
	User      string // empty for a token that has only the app privilege
	App       bool   // has the app privilege
	IssuedAt  time.Time
	ExpiresAt time.Time
	Capped    bool     // ExpiresAt is MaxLife after IssuedAt, and the token said more
	ID        [32]byte // the signature: the only thing fit as a key, since one token can be written in many ways
}

// Admit is the one door of a server that verifies tokens. It returns an *[Error] unless the text is a token of this App ID, signed with
// this certificate, for exactly one chat service with the user or the app privilege, and alive at now. Nothing behind the signature
// is looked at before the signature is right.
func Admit(text string, c Credentials, now time.Time, over Over24h) (Admission, error) {
	if err := c.Validate(); err != nil {
		return Admission{}, err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	e, err := open(text, s)
	if err != nil {
		return Admission{}, err
	}
	if string(e.appID) != c.AppID {
		return Admission{}, fail(KindWrongApp, "the token is for the App ID %s, not %s; let the token server use the same App ID",
			printable.Token(string(e.appID)), printable.Token(c.AppID))
	}
	if err := e.verify(c.Certificate, &s.signer); err != nil {
		return Admission{}, err
	}
	claims, err := e.claims()
	if err != nil {
		return Admission{}, err
	}
	chat, err := claims.Chat()
	if err != nil {
		return Admission{}, err
	}
	if err := chat.grants(); err != nil {
		return Admission{}, err
	}
	if err := claims.alive(now, over); err != nil {
		return Admission{}, err
	}
	return Admission{
		Claims:    claims,
		User:      chat.User,
		App:       chat.AppPrivilege,
		IssuedAt:  time.Unix(int64(claims.IssuedAt), 0),
		ExpiresAt: time.Unix(claims.Expiry(), 0),
		Capped:    chat.Lifetime > MaxLife,
		ID:        [signatureSize]byte(e.signature),
	}, nil
}

// Verify returns nil when the token carries the signature that this certificate gives it, whatever it says and however old it is. The
// error is of kind signature when it does not, of kind bad_credentials when the certificate cannot be one, or one of those of [Read].
func Verify(text string, certificate Certificate) error {
	if err := certificate.validate(); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	e, err := open(text, s)
	if err != nil {
		return err
	}
	return e.verify(certificate, &s.signer)
}

func (e envelope) verify(certificate Certificate, s *signer) error {
	want := s.sign(certificate, e.issuedAt, e.salt, e.signed)
	if !same(e.signature, want[:]) {
		return errSignature
	}
	return nil
}

var errSignature = fail(KindSignature, "the token's signature is wrong: it was altered or signed with another App Certificate; compare the certificates")

// grants refuses a chat service without a privilege, or with the user privilege for nobody.
func (c Chat) grants() error {
	if !c.UserPrivilege && !c.AppPrivilege {
		return fail(KindNoPrivilege, "the token has neither the chat user nor the chat app privilege; build it with the chat token builder")
	}
	if c.UserPrivilege && c.User == "" {
		return fail(KindNoPrivilege, "the token names no user; check which field the token server reads the user from")
	}
	return nil
}

// alive refuses a token that is from the future, over, or too long-lived.
func (c Claims) alive(now time.Time, over Over24h) error {
	second := now.Unix()
	switch {
	case int64(c.IssuedAt) > second+int64(maxAhead/time.Second):
		return fail(KindNotYetValid, "the token is issued at %s; compare the clocks of the token server and of this server", Moment(int64(c.IssuedAt), now))
	case over == Refuse && c.Life(ServiceChat) > int64(MaxLife/time.Second):
		return fail(KindOver24h, "the token lives %s, longer than 24 hours; ask the token server for a shorter life", Span(c.Life(ServiceChat)))
	case second >= c.Expiry():
		return fail(KindExpired, "the token expired at %s; fetch a new one", Moment(c.Expiry(), now))
	}
	return nil
}

package agoratoken

import "fmt"

// Kind names what is wrong with a token, or with the wish to build one.
type Kind string

// The kinds of [Error].
const (
	KindTooLong        Kind = "too_long"        // the text or what it unpacks to is over 2 KiB
	KindVersion        Kind = "version"         // it does not begin with 007
	KindMalformed      Kind = "malformed"       // it begins with 007 but is damaged, or carries an unknown service
	KindWrongApp       Kind = "wrong_app"       // it was built for another App ID
	KindSignature      Kind = "signature"       // it was built with another certificate, or altered
	KindNoChatService  Kind = "no_chat_service" // it has no chat service, or several
	KindNoPrivilege    Kind = "no_privilege"    // its chat service grants nothing, or grants it to nobody
	KindExpired        Kind = "expired"         // its life is over
	KindNotYetValid    Kind = "not_yet_valid"   // it was issued more than an hour in the future
	KindOver24h        Kind = "over_24h"        // it lives longer than the service allows
	KindBadCredentials Kind = "bad_credentials" // the App ID or the App Certificate cannot be one
	KindBadRequest     Kind = "bad_request"     // no token can say what was asked for
)

// Error is the one error type of this package. Its text tells a person what is wrong and what to do next; it never contains the token
// or the certificate.
type Error struct {
	Kind   Kind
	Detail string
	Cut    bool // the text is malformed because its end is missing
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// cut is the error of a text that ends too early.
func cut(format string, args ...any) *Error {
	e := fail(KindMalformed, format, args...)
	e.Cut = true
	return e
}

func fail(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

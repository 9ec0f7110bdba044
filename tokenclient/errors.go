package tokenclient

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Kind names why there is no usable token.
type Kind string

// The kinds of [Error].
const (
	KindUnreachable  Kind = "unreachable"   // no connection, or it broke
	KindTimeout      Kind = "timeout"       // no complete answer in time
	KindCanceled     Kind = "canceled"      // the caller gave up
	KindHTTPStatus   Kind = "http_status"   // an answer other than 2xx
	KindTooLarge     Kind = "too_large"     // an answer over 64 KiB
	KindBadAnswer    Kind = "bad_answer"    // HTML, no JSON, or JSON without the token's field
	KindServerError  Kind = "server_error"  // the server's own error text in an answer with status 200
	KindEmptyToken   Kind = "empty_token"   // the token is empty
	KindNotAToken    Kind = "not_a_token"   // the text is no Agora Chat user token
	KindWrongApp     Kind = "wrong_app"     // a token for another App ID
	KindWrongUser    Kind = "wrong_user"    // a token for another user, or for nobody
	KindExpired      Kind = "expired"       // a token whose life is over already
	KindBadLifetime  Kind = "bad_lifetime"  // a token that lives 0 seconds or absurdly long
	KindNotRenewable Kind = "not_renewable" // the pasted token is used up
	KindBadConfig    Kind = "bad_config"    // the configuration cannot work
)

// Error says why there is no usable token. Its text is for a person, names the next step, and is safe to show.
type Error struct {
	Kind       Kind
	Status     int           // the HTTP status, with kind http_status
	RetryAfter time.Duration // how long the server asks to wait; 0 means that it did not say
	Detail     string        // what happened and what to do next
	Err        error         // the cause, if there is one
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same request may succeed later without anybody changing anything.
func (e *Error) Temporary() bool {
	switch e.Kind {
	case KindUnreachable, KindTimeout:
		return true
	case KindHTTPStatus:
		switch e.Status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return true
		}
		return e.Status >= http.StatusInternalServerError
	}
	return false
}

func fail(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...), Err: err}
}

// quote makes text from outside short and safe to stand in a detail.
func quote(s string) string { return printable.Discreet(s, 200) }

package chat

import "fmt"

// Phase is the part of a client's work in which an error happened.
type Phase string

// The phases.
const (
	PhaseLogin     Phase = "login"
	PhaseRenew     Phase = "renew"
	PhaseTransport Phase = "transport"
	PhaseProtocol  Phase = "protocol"
	PhaseSend      Phase = "send"
)

// Kind says what an app has to do about an error, whatever code the profile gives it.
type Kind string

// The kinds.
const (
	// KindUnreachable: the service could not be reached, or the link broke. Trying again later may help.
	KindUnreachable Kind = "unreachable"
	// KindTimeout: the service took too long. Trying again later may help.
	KindTimeout Kind = "timeout"
	// KindBusy: the service asks to try later (429 or 5xx).
	KindBusy Kind = "busy"
	// KindExpired: the token is past its end for the service. A new one helps.
	KindExpired Kind = "expired"
	// KindInvalid: the token is not good for this user or this app. The same one never will be.
	KindInvalid Kind = "invalid"
	// KindUnknownUser: the service has no such user.
	KindUnknownUser Kind = "unknown_user"
	// KindRefused: the service said no for another reason.
	KindRefused Kind = "refused"
	// KindProtocol: the answer could not be understood.
	KindProtocol Kind = "protocol"
	// KindAbsurd: the service accepted the token and named an end of its life that mixed-up units must have made.
	KindAbsurd Kind = "absurd_expiry"
	// KindNotLoggedIn: the call needs a session, and there is none any more.
	KindNotLoggedIn Kind = "not_logged_in"
	// KindAlreadyLoggedIn: somebody is logged in on this client already.
	KindAlreadyLoggedIn Kind = "already_logged_in"
	// KindCanceled: a logout came first.
	KindCanceled Kind = "canceled"
)

// Error is what every call of this package fails with.
type Error struct {
	Phase Phase
	Kind  Kind
	// Code is the number that the profile's SDK gives.
	Code Code
	// Reason is a sentence for a person; text of the service in it is cleaned and shortened.
	Reason string
	// Err is the cause, when there is one.
	Err error
}

// checkToken is what to do about KindInvalid: the service does not say what is wrong with a token.
const checkToken = "; check that the token is for this user, and that its App ID and App Certificate are this project's"

// Error implements error.
func (e *Error) Error() string {
	if e.Code == OK {
		return fmt.Sprintf("%s: %s", e.Phase, e.Reason)
	}
	return fmt.Sprintf("%s: %s (code %s)", e.Phase, e.Reason, e.Code)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same call may succeed later without anything else being changed.
func (e *Error) Temporary() bool {
	return e.Kind == KindUnreachable || e.Kind == KindTimeout || e.Kind == KindBusy || e.Kind == KindProtocol
}

package chat

import "fmt"

// Code is an SDK's own number for what went wrong (token-lifecycle.md section 2). The native and the web SDK number differently; a
// Profile says which one speaks.
type Code int

// Codes that this client uses.
const (
	OK                   Code = 0
	WebAuthError         Code = 2
	WebDisconnected      Code = 16
	WebTokenNotAssigned  Code = 28
	WebConnectionClosed  Code = 39
	MaxLimit             Code = 50
	WebRenewUnauthorized Code = 52
	WebTokenExpired      Code = 56
	WebForbidden         Code = 57
	RTCInvalidToken      Code = 8
	RTCTokenExpired      Code = 9
	InvalidToken         Code = 104
	TokenExpired         Code = 108
	TokenWillExpire      Code = 109
	AlreadyLoggedIn      Code = 200
	NotLoggedIn          Code = 201
	AuthFailed           Code = 202
	UserNotFound         Code = 204
	LoggedInElsewhere    Code = 206
	UserRemoved          Code = 207
	PasswordChanged      Code = 216
	KickedByOtherDevice  Code = 217
	OtherUserLoggedIn    Code = 218
	ServerNotReachable   Code = 300
	ServerTimeout        Code = 301
	ServerUnknownError   Code = 303
	MessageTooLarge      Code = 511
	SendTimeout          Code = 512
)

var codeNames = map[Code]string{ //nolint:gosec // names of codes, none of them a credential
	OK:                   "OK",
	WebAuthError:         "WEBIM_CONNCTION_AUTH_ERROR",
	WebDisconnected:      "WEBIM_CONNCTION_DISCONNECTED",
	WebTokenNotAssigned:  "WEBIM_CONNCTION_TOKEN_NOT_ASSIGN_ERROR",
	WebConnectionClosed:  "WEBIM_CONNECTION_CLOSED",
	MaxLimit:             "MAX_LIMIT",
	WebRenewUnauthorized: "WEBIM_TOKEN_REFUSED",
	WebTokenExpired:      "WEBIM_TOKEN_EXPIRED",
	WebForbidden:         "IM_FORBIDDEN",
	RTCInvalidToken:      "CONNECTION_CHANGED_INVALID_TOKEN",
	RTCTokenExpired:      "CONNECTION_CHANGED_TOKEN_EXPIRED",
	InvalidToken:         "INVALID_TOKEN",
	TokenExpired:         "TOKEN_EXPIRED",
	TokenWillExpire:      "TOKEN_WILL_EXPIRE",
	AlreadyLoggedIn:      "USER_ALREADY_LOGIN",
	NotLoggedIn:          "USER_NOT_LOGIN",
	AuthFailed:           "USER_AUTHENTICATION_FAILED",
	UserNotFound:         "USER_NOT_FOUND",
	LoggedInElsewhere:    "USER_LOGIN_ANOTHER_DEVICE",
	UserRemoved:          "USER_REMOVED",
	PasswordChanged:      "USER_KICKED_BY_CHANGE_PASSWORD",
	KickedByOtherDevice:  "USER_KICKED_BY_OTHER_DEVICE",
	OtherUserLoggedIn:    "USER_ALREADY_LOGIN_ANOTHER",
	ServerNotReachable:   "SERVER_NOT_REACHABLE",
	ServerTimeout:        "SERVER_TIMEOUT",
	ServerUnknownError:   "SERVER_UNKNOWN_ERROR",
	MessageTooLarge:      "MESSAGE_SIZE_LIMIT",
	SendTimeout:          "MESSAGE_SEND_TIMEOUT",
}

// String returns the number with the SDK's name for it, such as "108 TOKEN_EXPIRED".
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return fmt.Sprintf("%d %s", int(c), name)
	}
	return fmt.Sprintf("%d", int(c))
}

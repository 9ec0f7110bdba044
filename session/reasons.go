package session

import (
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// Reason names why the session, or a renewal, was given up. The names are a contract; what happened in detail stands beside them in words.
type Reason string

// The reasons.
//
//nolint:gosec // names, none of them a credential
const (
	// NotGivenUp is the absence of a reason.
	NotGivenUp             Reason = ""
	TokenServerUnreachable Reason = "token_server_unreachable"
	TokenServerRefuses     Reason = "token_server_refuses"
	TokenServerAnswer      Reason = "token_server_answer"
	TokenExpiredAlready    Reason = "token_expired"
	TokenForeign           Reason = "token_foreign"
	TokenIdentical         Reason = "token_identical"
	TokenAbsurdLife        Reason = "token_absurd"
	TokenUnusable          Reason = "token_unusable"
	TokenUsedUp            Reason = "token_used_up"
	TokenRefused           Reason = "token_refused"
	RenewalTooLate         Reason = "renewal_too_late"
	Misconfigured          Reason = "misconfigured"
	ServiceUnreachable     Reason = "service_unreachable"
	ServiceRefuses         Reason = "service_refuses"
	ServiceAbsurdExpiry    Reason = "service_absurd_expiry"
	ClocksDisagree         Reason = "clocks_disagree"
	UserUnknown            Reason = "user_unknown"
	NoSession              Reason = "no_session"
	KickedOut              Reason = "kicked"
)

// AskedFor is the reason of what a person asked for, in words.
const AskedFor = "the user asked"

// ReasonFacts explains a reason to a person.
type ReasonFacts struct {
	Reason Reason
	// Meaning is what happened, Remedy what to do about it.
	Meaning, Remedy string
}

// Reasons lists all reasons.
func Reasons() []ReasonFacts {
	return []ReasonFacts{
		{TokenServerUnreachable, "the token server did not answer, again and again", "check its address and that it runs"},
		{TokenServerRefuses, "the token server answers with an error that another try does not mend, such as 401 or 404", "check the credentials of the request and the address"},
		{TokenServerAnswer, "the token server's answer holds no token: a web page, no JSON, a text of its own, too much of it", "check the address and the shape"},
		{TokenExpiredAlready, "the token has expired when it comes, also past every cache", "look for a cache, and at the token server's clock"},
		{TokenForeign, "the token is for another user or another App ID", "make the token server build it for the user who asks, in this project"},
		{TokenIdentical, "the token server hands out the token that is in use already", "make it build a new one for each call"},
		{TokenAbsurdLife, "the token lives 0 seconds or longer than any service allows", "check the units of its lifetime"},
		{TokenUnusable, "the text is empty or is no chat token", "check what the token server builds"},
		{TokenUsedUp, "the token was pasted and has expired; nobody can be asked for another one", "start again with a new one or with a token server"},
		{TokenRefused, "the service does not accept the token: wrong certificate, wrong project, wrong user, or revoked", "check App ID, App Certificate and user"},
		{RenewalTooLate, "no new token came before the old one's end", "let renewals begin earlier, or mend what the attempts failed for"},
		{Misconfigured, "the configuration cannot work", "correct what the sentence names"},
		{ServiceUnreachable, "the chat service did not answer, again and again", "check its addresses and that it runs"},
		{ServiceRefuses, "the chat service says no, for a reason that is not the token", "see the service's own words and code"},
		{ServiceAbsurdExpiry, "the chat service names an end of the token's life that mixed-up units have made", "mend the service"},
		{ClocksDisagree, "the service calls fresh tokens expired", "set the clocks of the token server and the service right"},
		{UserUnknown, "the chat service has no such user", "register the user"},
		{NoSession, "there is no session to renew a token for", "log in"},
		{KickedOut, "the service ended the session: another device, a removed account, a new password, an administrator", "log in again when that is meant to be"},
	}
}

// reasonOfFetch names why there is no token.
func reasonOfFetch(err *tokenclient.Error) Reason {
	switch err.Kind {
	case tokenclient.KindUnreachable, tokenclient.KindTimeout:
		return TokenServerUnreachable
	case tokenclient.KindHTTPStatus:
		if err.Temporary() {
			return TokenServerUnreachable
		}
		return TokenServerRefuses
	case tokenclient.KindExpired:
		return TokenExpiredAlready
	case tokenclient.KindWrongUser, tokenclient.KindWrongApp:
		return TokenForeign
	case tokenclient.KindBadLifetime:
		return TokenAbsurdLife
	case tokenclient.KindEmptyToken, tokenclient.KindNotAToken:
		return TokenUnusable
	case tokenclient.KindNotRenewable:
		return TokenUsedUp
	case tokenclient.KindBadConfig:
		return Misconfigured
	default:
		return TokenServerAnswer
	}
}

// reasonOfSDK names why the SDK failed.
func reasonOfSDK(kind chat.Kind) Reason {
	switch kind {
	case chat.KindExpired:
		return TokenExpiredAlready
	case chat.KindInvalid:
		return TokenRefused
	case chat.KindUnknownUser:
		return UserUnknown
	case chat.KindAbsurd:
		return ServiceAbsurdExpiry
	case chat.KindNotLoggedIn, chat.KindCanceled:
		return NoSession
	case chat.KindUnreachable, chat.KindTimeout, chat.KindBusy, chat.KindProtocol:
		return ServiceUnreachable
	default:
		return ServiceRefuses
	}
}

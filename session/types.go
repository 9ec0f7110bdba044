package session

import (
	"fmt"
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
)

// State is where the session stands, in one word.
type State string

// The states. Every state can be left; Stopped only by a person.
const (
	// LoggedOut: nobody is logged in and nothing is under way.
	LoggedOut State = "logged_out"
	// Fetching: a token for a login is being fetched.
	Fetching State = "fetching"
	// LoggingIn: the SDK logs in.
	LoggingIn State = "logging_in"
	// Online: logged in, link up, most of the token's life ahead.
	Online State = "online"
	// WillExpire: online, will-expire has fired, and no renewal is under way.
	WillExpire State = "will_expire"
	// Renewing: online, a new token is being fetched or handed to the SDK.
	Renewing State = "renewing"
	// Reconnecting: the link is down and the SDK tries to get it back.
	Reconnecting State = "reconnecting"
	// Expired: the token is past its end and nothing is under way; the classic profile is still online then.
	Expired State = "expired"
	// Waiting: the next login attempt has a time.
	Waiting State = "waiting"
	// Stopped: the session ended for a reason that trying again does not mend.
	Stopped State = "stopped"
)

// States lists every state in the order of a life.
func States() []State {
	return []State{LoggedOut, Fetching, LoggingIn, Online, WillExpire, Renewing, Reconnecting, Expired, Waiting, Stopped}
}

// OnWillExpire is what the app does when the SDK says that the token will expire.
type OnWillExpire string

// The answers to will-expire.
const (
	WillExpireRenew  OnWillExpire = "renew"
	WillExpireIgnore OnWillExpire = "ignore"
	WillExpireAsk    OnWillExpire = "ask"
)

// OnExpired is what the app does when the SDK says that the token expired.
type OnExpired string

// The answers to expired. ExpiredRenew is what some samples do; most SDKs refuse it, because the session is over by then.
const (
	ExpiredRelogin OnExpired = "relogin"
	ExpiredRenew   OnExpired = "renew"
	ExpiredIgnore  OnExpired = "ignore"
)

// Policy is the app's answer to the token events.
type Policy struct {
	OnWillExpire OnWillExpire
	OnExpired    OnExpired
	// RenewEvery renews at a fixed interval as well, whatever the token says; 0 is off.
	RenewEvery time.Duration
}

// Validate says which word is not a policy.
func (p Policy) Validate() error {
	switch p.OnWillExpire {
	case WillExpireRenew, WillExpireIgnore, WillExpireAsk:
	default:
		return fmt.Errorf("%q is no answer to will-expire: use renew, ignore or ask", p.OnWillExpire)
	}
	switch p.OnExpired {
	case ExpiredRelogin, ExpiredRenew, ExpiredIgnore:
	default:
		return fmt.Errorf("%q is no answer to expired: use relogin, renew or ignore", p.OnExpired)
	}
	if p.RenewEvery != 0 && p.RenewEvery < time.Second {
		return fmt.Errorf("renew every %v: the shortest interval is 1s (0 is off)", p.RenewEvery)
	}
	return nil
}

// EventName names what happened. The names are a contract: headless mode prints them.
type EventName string

// The events.
const (
	TokenRequested   EventName = "token.requested"
	TokenReceived    EventName = "token.received"
	TokenRejected    EventName = "token.rejected"
	LoginStarted     EventName = "login.started"
	LoginSucceeded   EventName = "login.succeeded"
	LoginFailed      EventName = "login.failed"
	Connected        EventName = "connected"
	Disconnected     EventName = "disconnected"
	ReconnectingNow  EventName = "reconnecting"
	TokenWillExpire  EventName = "token.will_expire" //nolint:gosec // a name, not a credential
	TokenExpired     EventName = "token.expired"
	RenewStarted     EventName = "renew.started"
	RenewSucceeded   EventName = "renew.succeeded"
	RenewFailed      EventName = "renew.failed"
	Kicked           EventName = "kicked"
	LoggedOutNow     EventName = "logged_out"
	MessageSent      EventName = "message.sent"
	MessageDelivered EventName = "message.delivered"
	MessageFailed    EventName = "message.failed"
	MessageReceived  EventName = "message.received"
	// ClockSkewed: this party's clock and the service's differ by over a minute, or do so no more.
	ClockSkewed  EventName = "clock.skewed"
	StateChanged EventName = "state"
)

// Event is one thing that happened to the session. Fields that do not apply are zero.
type Event struct {
	// Seq numbers the session's events from 1.
	Seq uint64
	// At is the instant by the session's own clock.
	At   time.Time
	Name EventName
	User string
	// Callback is the SDK's own name of the callback that fired, in the session's profile.
	Callback string
	Code     chat.Code
	// Reason says why, for a person.
	Reason string
	// Why names the reason when something was given up: the session or a renewal.
	Why Reason
	// ClockAhead is how far the service's clock is ahead of the session's, in a ClockSkewed.
	ClockAhead time.Duration
	// Old and New are the states of a StateChanged.
	Old, New State
	// ExpiresAt and WillExpireAt are the instants of the token that the event speaks of.
	ExpiresAt, WillExpireAt time.Time
	// Token is the short form of the token that the event speaks of.
	Token string
	// Attempt counts tries of the same thing from 1, RetryAt is when the next one starts.
	Attempt int
	RetryAt time.Time
	// MessageID identifies a message: what Send returned for an own one, the service's id for a received one.
	MessageID string
	// ServerID is the service's id of an own message, by which its receiver knows it.
	ServerID       string
	From, To, Text string
}

// Remaining is how much of the token's life was left when the event happened; it is negative past the end and only means something
// when ExpiresAt is set.
func (e Event) Remaining() time.Duration { return e.ExpiresAt.Sub(e.At) }

// TokenFacts is what is known of the token in use.
type TokenFacts struct {
	// Short is the shortened text of the token that the token server gave.
	Short string
	User  string
	AppID string
	// IssuedAt is the issue time written in the token, by the token server's clock.
	IssuedAt time.Time
	// AcceptedAt is when the service took it, by the session's clock; will-expire counts from there.
	AcceptedAt time.Time
	// ExpiresAt is zero when the service named no expiry; no token event fires then. WillExpireAt is zero, too, where will-expire never comes
	// because the life is no longer than the profile's lead.
	ExpiresAt, WillExpireAt time.Time
	// Ordinal counts the tokens accepted in this session from 1.
	Ordinal int
	// Warnings are things that look wrong but do not stop a login.
	Warnings []string
	// Renewable is false for a pasted token: nobody can be asked for another one.
	Renewable bool
}

// Snapshot is the session's state at one instant, for a screen.
type Snapshot struct {
	State State
	// Since is when the state began.
	Since time.Time
	// Reason says why the session is in this state, for a person; Code is the SDK's code that goes with it.
	Reason string
	Code   chat.Code
	// Why names the reason when the session was given up.
	Why Reason
	// ClockAhead is how far the service's clock is ahead of the session's, as far as that is known. ClockWarning is a sentence for a person
	// when they differ by over a minute.
	ClockAhead   time.Duration
	ClockWarning string
	// Linked is true while the link to the service is up.
	Linked bool
	// WillExpireFired and ExpiredFired tell which callbacks have fired for the token in use, WarnedAt and ExpiredAt when they first did: the
	// service can bring them sooner than the token's own instants. They are zero while they have not.
	WillExpireFired, ExpiredFired bool
	WarnedAt, ExpiredAt           time.Time
	// Token is nil before the first login and after a logout.
	Token *TokenFacts
	// Trying is true while a login or a renewal is under way, also one that comes too late and leaves the state as it is.
	Trying bool
	// Attempt counts failed tries in a row; RetryAt is when the next one starts, zero when none is planned.
	Attempt int
	RetryAt time.Time
	// RenewAt is when the app renews whatever the token says: at the policy's interval, or where its behaviour has a lead of its own; zero
	// when it has neither.
	RenewAt time.Time
	User    string
	Profile chat.Profile
	Policy  Policy
	// Behaviour is how the app behaves beyond its policy.
	Behaviour Behaviour
	// Unsent counts own messages that the service has not taken yet.
	Unsent int
}

// Next names the next thing that time alone will bring, and when; the instant is zero when there is none.
func (s Snapshot) Next() (what string, at time.Time) {
	consider := func(name string, t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			what, at = name, t
		}
	}
	consider("the next try", s.RetryAt)
	consider("the app's own renewal", s.RenewAt)
	if t := s.Token; t != nil && !s.ExpiredFired && s.State != Stopped {
		if !s.WillExpireFired {
			consider("will-expire", t.WillExpireAt)
		}
		consider("the expiry", t.ExpiresAt)
	}
	return what, at
}

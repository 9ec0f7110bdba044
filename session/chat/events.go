package chat

import "time"

// EventName names a callback of the SDK layer.
type EventName string

// The events. Every profile has them, under callback names of its own.
const (
	// Connected: the link is up and provisioned, after a login or a reconnect.
	Connected EventName = "connected"
	// Reconnecting: the link broke and the SDK tries to get it back.
	Reconnecting EventName = "reconnecting"
	// Disconnected: the session is over and the SDK does not try again. Kind says what would help.
	Disconnected EventName = "disconnected"
	// Kicked: the service threw the user out; Code says why. The session is over.
	Kicked EventName = "kicked"
	// Failed: something went wrong and the SDK goes on (onError of the Web SDK).
	Failed EventName = "error"
	// WillExpire and TokenHasExpired are OnTokenWillExpire and OnTokenExpired.
	WillExpire      EventName = "will_expire"
	TokenHasExpired EventName = "expired"
	// ClockSkew: the client has learned how far the service's clock is ahead of its own.
	ClockSkew EventName = "clock_skew"
	// MessageSent: the service stored an own message.
	MessageSent EventName = "message_sent"
	// MessageRefused: the service will not take an own message.
	MessageRefused EventName = "message_refused"
	// MessageDelivered: the receiver's client confirmed an own message.
	MessageDelivered EventName = "message_delivered"
	// MessageReceived: somebody else's message.
	MessageReceived EventName = "message_received"
)

// Event is one callback. Fields that do not apply are zero.
type Event struct {
	Name     EventName
	Callback string
	Code     Code
	Kind     Kind
	Reason   string
	// ExpiresAt and WillExpireAt belong to the token events.
	ExpiresAt, WillExpireAt time.Time
	// Ahead is how far the service's clock is ahead, and Life what that makes of the life, of a ClockSkew.
	Ahead time.Duration
	Life  Life
	// Session is the number that Login was given.
	Session uint64
	// Link numbers the link of a Connected; Send takes it.
	Link uint64
	// ID is the sender's own id of an own message.
	ID uint64
	// ServerID is the service's id of a message.
	ServerID uint64
	// At is the service's time of a message.
	At             time.Time
	From, To, Text string
}

// Package tui is the screen: a Bubble Tea program that shows the life of a chat token and lets a person interfere with it.
//
// There is one model. Everything on the screen is a plain struct or function that renders to an exact size. Update does no I/O: events
// of the session and of the emulator come in through one waiting command each, and what may block goes out as a command. Remaining time
// is never counted down: each frame computes it from the deadlines and the session's clock.
package tui

import (
	"context"
	"time"

	"github.com/ttlchat/ttlchat/session"
)

// Session is what the screen needs of a session. No method blocks, except Close.
type Session interface {
	// Login, Renew and Logout ask; what comes of it shows as events.
	Login()
	Renew()
	Logout()
	SetPolicy(session.Policy) error
	// Send returns the id that the message events will carry. A message that cannot go out yet is kept and sent once.
	Send(to, text string) (id string, err error)
	Snapshot() session.Snapshot
	// Now is the session's clock, JumpClock moves it and the deadlines with it, Check looks at it after the machine may have slept.
	Now() time.Time
	JumpClock(time.Duration)
	Check()
	// Follow returns all events from the first one on.
	Follow() Events
	// Tokens returns the last tokens that the token server gave, the newest first, at most two.
	Tokens() []Token
	// Close logs out and waits until everything has ended.
	Close()
}

// Events is one reader's place in a session's events.
type Events interface {
	// Next waits for events and returns the new ones, oldest first; it fails when the session is closed or ctx ends.
	Next(ctx context.Context) ([]session.Event, error)
	// Missed counts the events that were gone before the reader came to them.
	Missed() uint64
}

// Emulator is what the screen needs of an emulator within reach. Every method may block; the screen calls them outside Update.
type Emulator interface {
	// Next waits for entries of the emulator's journal and returns the new ones, oldest first.
	Next(ctx context.Context) ([]EmulatorEvent, error)
	// JumpClock moves the emulator's clock.
	JumpClock(time.Duration)
	// Expire pushes the emulator's clock past the end of the user's token.
	Expire(user string) error
}

// EmulatorEvent is one thing that happened on the emulator.
type EmulatorEvent struct {
	// At is by the emulator's own clock.
	At   time.Time
	Name string
	User string
	// Code is the status that the emulator answered, 0 when there is none to tell.
	Code int
	// TokenServer: it happened at the token server, and not at the chat service.
	TokenServer bool
	// Entry says more, and may be nil.
	Entry EmulatorEntry
}

// EmulatorEntry is what the emulator says of an event when somebody wants to see it. Its methods must not block, and what they return may
// hold text from outside.
type EmulatorEntry interface {
	// Text is one line.
	Text() string
	// Details are names and values of all that is known.
	Details() [][2]string
}

// Config is what the program starts with.
type Config struct {
	// Form prefills the login screen.
	Form Form
	// Open builds and starts a session once the form is filled in. It does no network I/O and logs nobody in. It may find faults that
	// the form's own checks cannot see.
	Open func(Form) (Session, error)
	// Policy is the app's policy to begin with. The zero policy stands for renewing at will-expire and logging in again at expiry.
	Policy session.Policy
	// Faults are the emulator's, nil when none is within reach.
	Faults Faults
	// Emulator is nil when none is within reach; EmulatorNote then says why, such as "connected to a61.chat.agora.io, which is not ours".
	Emulator     Emulator
	EmulatorNote string
	// Where names the service: "emulator", or its host.
	Where string
	// Play is the scenario that is played, nil when a person logs in. Form's user and peer, Policy, Faults and Emulator are then the run's.
	Play *Play
	// Scenario writes the session so far as a scenario file of that name, nil where nobody could do it again.
	Scenario func(file string) (string, error)
	// ASCII draws with ASCII characters alone, for terminals and locales that have no others.
	ASCII bool
	// Theme is whose colours are drawn, "" for ThemeAuto. LightGround tells that the environment speaks of a light background, which ThemeAuto
	// goes by until the terminal has told its own.
	Theme       Theme
	LightGround bool
}

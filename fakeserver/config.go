package fakeserver

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// The demo project: documented, public and worth nothing outside the emulator.
const (
	DemoAppID          = "74746c636861742d64656d6f2d617070"
	DemoAppCertificate = "64656d6f2d6365727469666963617465"
	DemoOrg            = "ttlchat"
	DemoApp            = "demo"
)

// Over24h says what becomes of a token that asks for a longer life than the 24 h the service allows.
type Over24h string

// A token over 24 h is cut to 24 h, or refused at login.
const (
	Over24hCap    Over24h = "cap"
	Over24hRefuse Over24h = "refuse"
)

// ExpiredStatus says how a login with an expired token is refused on the wire.
type ExpiredStatus string

// The sentence is what makes the Web SDK report error 56; the enum value is what the schema has a name for (protocol.md d.5).
const (
	ExpiredAsReason ExpiredStatus = "reason"
	ExpiredAsEnum   ExpiredStatus = "enum"
)

// User is an account that exists from the start.
type User struct {
	Name string
	// Password may be empty: the user then logs in with tokens alone.
	Password string
}

// Config describes an emulator. The zero value is a complete one with the demo project.
type Config struct {
	// AppID and AppCertificate sign and verify tokens; both are 32 hex digits. Both empty means the demo project.
	AppID, AppCertificate string
	// Org and App form the app key "org#app" and the REST base path. Both empty means ttlchat and demo.
	Org, App string
	// Users exist from the start. Others appear on their first login, unless ClosedRegistration.
	Users              []User
	ClosedRegistration bool
	// MaxDevices is how many devices of one user may be online; one more kicks the oldest with 206. 0 means 4.
	MaxDevices int
	// Over24h is Over24hCap when empty, ExpiredStatus is ExpiredAsReason when empty.
	Over24h       Over24h
	ExpiredStatus ExpiredStatus
	// RateLimits makes REST calls over the documented rates fail with 429 (token-lifecycle.md section 3).
	RateLimits bool
	// EnforceExpiry says what becomes of an open connection whose token has ended; EnforceNothing when empty.
	EnforceExpiry Enforcement
	// ControlToken is what callers of the control API must present as a bearer token. Without one the API answers only where the chat
	// listener is bound to a loopback address.
	ControlToken string
	// EchoUser answers what it is told while nobody is logged in under its name. Empty means "echo".
	EchoUser string
	// ClockOffset is how far the emulator's clock is ahead of the machine's at the start.
	ClockOffset time.Duration
	// JournalSize is how many entries the journal holds; 0 means 10,000.
	JournalSize int
	// Exchanges is how many HTTP calls [Server.Exchange] remembers with their bodies; 0 means none.
	Exchanges int
	// WebSDK is the file of the official Web SDK's bundle, for the demo page at /demo/; empty makes the page say where to get it.
	WebSDK string
	// Properties configures the Java shapes of the token server as an application.properties would: they sign with its credentials, which need
	// not be the emulator's. Its lifetime also holds for the shapes whose documents show a client alone. Nil means the emulator's credentials and
	// the lifetimes of the documents.
	Properties *Properties
	// Log gets every journal entry at debug level and the emulator's own troubles; nil is silent.
	Log *slog.Logger
}

// userName is the documented form of a user id: at most 64 bytes of a-z, 0-9, "_", "-" and "." (token-lifecycle.md section 3).
var userName nameForm

// ValidAppKeyPart reports whether an app key may have this as its org or its app: 1 to 64 letters, digits, "_", "-" and ".", because both stand
// in the addresses of the service.
func ValidAppKeyPart(s string) bool { return nameForm{capitals: true}.MatchString(s) }

// nameForm is written out: compiling an expression for it costs a program more than the rest of its configuration.
type nameForm struct{ capitals bool }

// MatchString reports whether name has the form.
func (f nameForm) MatchString(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-', c == '.', f.capitals && 'A' <= c && c <= 'Z':
		default:
			return false
		}
	}
	return len(name) >= 1 && len(name) <= 64
}

// withDefaults fills in what is empty and says what is wrong with the rest.
func (c Config) withDefaults() (Config, error) {
	if c.AppID == "" && c.AppCertificate == "" {
		c.AppID, c.AppCertificate = DemoAppID, DemoAppCertificate
	}
	if err := c.credentials().Validate(); err != nil {
		return c, fmt.Errorf("app credentials: %w", err)
	}
	if c.Org == "" && c.App == "" {
		c.Org, c.App = DemoOrg, DemoApp
	}
	if !ValidAppKeyPart(c.Org) || !ValidAppKeyPart(c.App) {
		return c, fmt.Errorf("app key %q: want org#app, each of letters, digits, _ . -", c.Org+"#"+c.App)
	}
	if c.EchoUser == "" {
		c.EchoUser = "echo"
	}
	if c.MaxDevices == 0 {
		c.MaxDevices = 4
	}
	if c.MaxDevices < 1 || c.MaxDevices > maxKnownDevices {
		return c, fmt.Errorf("max devices %d: want 1 to %d", c.MaxDevices, maxKnownDevices)
	}
	if c.JournalSize == 0 {
		c.JournalSize = 10_000
	}
	if c.JournalSize < 0 {
		return c, errors.New("journal size: want 1 or more")
	}
	if c.Exchanges < 0 {
		return c, errors.New("exchanges: want 0 or more")
	}
	if c.Over24h == "" {
		c.Over24h = Over24hCap
	}
	if c.Over24h != Over24hCap && c.Over24h != Over24hRefuse {
		return c, fmt.Errorf("over 24 h %q: want cap or refuse", c.Over24h)
	}
	if c.ExpiredStatus == "" {
		c.ExpiredStatus = ExpiredAsReason
	}
	if c.ExpiredStatus != ExpiredAsReason && c.ExpiredStatus != ExpiredAsEnum {
		return c, fmt.Errorf("expired status %q: want reason or enum", c.ExpiredStatus)
	}
	if c.EnforceExpiry == "" {
		c.EnforceExpiry = EnforceNothing
	}
	if !slices.Contains([]Enforcement{EnforceNothing, EnforceClose, EnforceRefuseSends}, c.EnforceExpiry) {
		return c, fmt.Errorf("enforce expiry %q: want none, close or refuse-sends", c.EnforceExpiry)
	}
	if !userName.MatchString(c.EchoUser) {
		return c, fmt.Errorf("echo user %q: want 1 to 64 of a-z, 0-9, . _ -", c.EchoUser)
	}
	for _, u := range c.Users {
		if !userName.MatchString(u.Name) {
			return c, fmt.Errorf("user %q: want 1 to 64 of a-z, 0-9, . _ -", u.Name)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func (c Config) appKey() string { return c.Org + "#" + c.App }

func (c Config) credentials() agoratoken.Credentials {
	return agoratoken.Credentials{AppID: c.AppID, Certificate: agoratoken.Certificate(c.AppCertificate)}
}

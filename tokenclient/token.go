// Package tokenclient gets an Agora Chat token from any token server, and checks it before anyone uses it.
//
// Token servers differ in verb, path, field names and encoding. A [Shape] describes one as data, and a [Client] fetches through it.
// Whatever comes back goes through [Check], which catches the mistakes that otherwise show up as a refused login: a token for
// somebody else, for another app, expired, or valid for zero seconds.
package tokenclient

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// Source gives tokens.
type Source interface {
	// Fetch returns a checked token for r.User. Errors are of type *[Error].
	Fetch(ctx context.Context, r Request) (Token, error)
	// Renewable reports whether a later Fetch can return a newer token.
	Renewable() bool
}

// Request says what token is wanted.
type Request struct {
	User     string
	Lifetime time.Duration // sent in whole seconds; the server decides
	// Now is the clock that the answer is judged by; nil means the source's own. With ByServer it is the server's, where the answer has its
	// date.
	Now      func() time.Time
	ByServer bool
	// Fresh asks past caches: no other request has the same address.
	Fresh bool
}

// now returns the time by the request's clock, or by the source's.
func (r Request) now(c Config) time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return c.now()
}

// Token is a checked token. What it says is not proven: only the service can verify the signature.
type Token struct {
	Text      Secret
	AppID     string
	User      string // who the token says it is for; may be the UUID of the wanted user
	IssuedAt  time.Time
	ExpiresAt time.Time // at most 24 hours after IssuedAt, whatever the token says
	Warnings  []string  // what a person should know although the token is usable
}

// SameAs reports whether both are the same token, even when its text is encoded in another way. A server that answers with the same token
// again has renewed nothing.
func (t Token) SameAs(o Token) bool {
	if t.Text == o.Text {
		return true
	}
	a, errA := agoratoken.Read(t.Text.Reveal())
	b, errB := agoratoken.Read(o.Text.Reveal())
	return errA == nil && errB == nil && a.ID() == b.ID()
}

// Secret is the whole text of a token. Printing, logging or marshalling it gives the short form. The fmt package cannot do that for an
// unexported field of a printed struct.
type Secret string

// Reveal returns the whole text.
func (s Secret) Reveal() string { return string(s) }

// String returns the short form.
func (s Secret) String() string { return printable.Token(string(s)) }

// GoString returns the short form.
func (s Secret) GoString() string { return s.String() }

// Format writes the short form for every fmt verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns the short form, for JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns the short form, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

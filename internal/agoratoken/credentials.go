// Package agoratoken builds, reads, verifies and describes Agora's AccessToken2, the "007…" token of Agora Chat.
//
// Building tokens of other products is left to the official package, and what is built for chat is byte for byte the same. Reading and verifying is our own code, because the official parser unpacks without a
// limit, accepts altered text, stops silently at an unknown service and never looks at the time (reference/baselines.md 3). Clients,
// who have no certificate, use [Read] and may only compare and warn. A server lets nobody in except through [Admit].
package agoratoken

import (
	"fmt"
	"io"
	"log/slog"
)

// Certificate is an App Certificate, the secret that signs tokens. Printing, logging or marshalling it gives "[certificate]". The fmt
// package cannot do that for an unexported field of a printed struct, so keep a Certificate in exported fields or do not print its holder.
type Certificate string

const hidden = "[certificate]"

// String hides the certificate.
func (Certificate) String() string { return hidden }

// GoString hides the certificate.
func (Certificate) GoString() string { return hidden }

// Format hides the certificate from every fmt verb.
func (Certificate) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the certificate from JSON and the like.
func (Certificate) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the certificate from log/slog.
func (Certificate) LogValue() slog.Value { return slog.StringValue(hidden) }

// Credentials belong to one Agora project.
type Credentials struct {
	AppID       string
	Certificate Certificate
}

// Validate returns an error of kind bad_credentials unless both parts are 32 hexadecimal digits, as the official builder wants them.
func (c Credentials) Validate() error {
	switch {
	case c.AppID == "" && c.Certificate != "":
		return fail(KindBadCredentials, "the App ID is missing; it belongs to the App Certificate, copy it from Agora Console")
	case c.AppID != "" && c.Certificate == "":
		return fail(KindBadCredentials, "the App Certificate is missing; it belongs to the App ID, copy it from Agora Console")
	case !hex32(c.AppID):
		return fail(KindBadCredentials, "the App ID is not 32 hexadecimal digits; copy it from Agora Console")
	}
	return c.Certificate.validate()
}

func (c Certificate) validate() error {
	if !hex32(string(c)) {
		return fail(KindBadCredentials, "the App Certificate is not 32 hexadecimal digits; copy it from Agora Console")
	}
	return nil
}

func hex32(s string) bool {
	if len(s) != 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

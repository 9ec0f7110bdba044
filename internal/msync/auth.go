package msync

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// MaxAuthToken is the largest Provision.auth_token, in bytes, and the longest credential. A token with every service is far below it.
const MaxAuthToken = 4 << 10

// AuthToken is the JSON inside Provision.auth_token, in both directions (protocol.md b.2, d.1).
type AuthToken struct {
	// Token comes from a client with the prefix "$t$".
	Token string `json:"token"`
	// ExpiresIn is the instant of expiry in Unix ms, despite its name. Only the server sends it; 0 means absent, and then the SDK never
	// reports an expiry.
	ExpiresIn int64 `json:"expires_in,omitempty"`
}

// The JSON as the SDKs and we write it, around a token without characters that would be escaped. encoding/json reads and writes it all
// the same, at the price of the rest of a login's decoding.
const (
	beforeToken  = `{"token":"`
	beforeExpiry = `","expires_in":`
)

// plainToken reports whether JSON has the token as it is.
func plainToken[T string | []byte](token T) bool {
	for i := range len(token) {
		switch c := token[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '$', c == '+', c == '/', c == '=', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// EncodeAuthToken writes the content of Provision.auth_token. It fails with ErrTooLarge.
func EncodeAuthToken(t AuthToken) ([]byte, error) {
	if t.ExpiresIn != 0 && len(t.Token) < MaxAuthToken/2 && plainToken(t.Token) {
		b := make([]byte, 0, len(beforeToken)+len(t.Token)+len(beforeExpiry)+len("-9223372036854775808}"))
		b = append(append(append(b, beforeToken...), t.Token...), beforeExpiry...)
		return append(strconv.AppendInt(b, t.ExpiresIn, 10), '}'), nil
	}
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("%w auth_token: %w", ErrMalformed, err)
	}
	if err := checkSize("auth_token", len(b), MaxAuthToken); err != nil {
		return nil, err
	}
	return b, nil
}

// DecodeAuthToken reads the content of Provision.auth_token. It fails with ErrTooLarge or ErrMalformed; no error repeats the token.
func DecodeAuthToken(b []byte) (AuthToken, error) {
	var t AuthToken
	if err := checkSize("auth_token", len(b), MaxAuthToken); err != nil {
		return AuthToken{}, err
	}
	if rest, ok := bytes.CutPrefix(b, []byte(beforeToken)); ok {
		if token, ok := bytes.CutSuffix(rest, []byte(`"}`)); ok && plainToken(token) {
			return AuthToken{Token: string(token)}, nil
		}
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return AuthToken{}, fmt.Errorf("%w auth_token of %d bytes: %w", ErrMalformed, len(b), err)
	}
	return t, nil
}

// Credential is the token that a client presents, without the prefix "$t$": the first of Provision.auth_token, Provision.auth and
// MSync.auth that holds one, because SDKs of different ages fill different fields (protocol-versions.md). Garbage counts as nothing;
// "" means that there is no token.
func Credential(m *MSync, p *Provision) string {
	fromJSON, _ := DecodeAuthToken(p.GetAuthToken()) // What cannot be read holds no token.
	for _, s := range []string{fromJSON.Token, p.GetAuth(), m.GetAuth()} {
		if s = strings.TrimPrefix(s, "$t$"); s != "" && len(s) <= MaxAuthToken {
			return s
		}
	}
	return ""
}

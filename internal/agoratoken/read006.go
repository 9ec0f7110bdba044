package agoratoken

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

const (
	version006 = "006"
	appIDSize  = 32
)

// PrivilegeLogin006 is the one privilege of a 006 token for RTM. The others are numbered as those of the rtc service, from
// [PrivilegeEnter].
const PrivilegeLogin006 uint16 = 1000

// Token006 is an AccessToken of the old kind 006, for RTC and RTM alone (sources/003). It does not say which channel and user it is for;
// it only has a checksum of each. It is not verified: see [Token006.Verify].
type Token006 struct {
	AppID      string
	ExpiresAt  uint32 // seconds since 1970; the official builders set it 24 hours after the issue
	Salt       uint32
	Privileges []Privilege006
	ChannelCRC uint32 // of the channel, or of the user of RTM; 0 for none
	UserCRC    uint32 // of the uid or the account; 0 for everybody

	signature [signatureSize]byte
	message   []byte // the end of what the signature covers
}

// Privilege006 is one right. ExpiresAt is a date in seconds since 1970, not a duration; 0 is as long as the token.
type Privilege006 struct {
	ID        uint16
	Name      string
	ExpiresAt uint32
}

// Read006 reads a token of the old kind 006 without checking its signature. As with [Read] the text must be the token and nothing
// else, errors are of kind too_long, version or malformed, and hostile text costs a bounded amount of memory.
func Read006(text string) (Token006, error) {
	switch {
	case len(text) > maxText:
		return Token006{}, fail(KindTooLong, "the text has %d bytes, a token at most %d; pass the token alone", len(text), maxText)
	case !strings.HasPrefix(text, version006):
		return Token006{}, fail(KindVersion, "the text does not begin with 006, so it is no AccessToken of the old kind; pass the token alone")
	case len(text) < len(version006)+appIDSize:
		return Token006{}, cut("the token ends within its App ID, it was cut; copy it completely")
	case strings.ContainsAny(text, "\r\n"):
		return Token006{}, fail(KindMalformed, "the token has a line break inside; copy it as one line")
	}
	content := text[len(version006)+appIDSize:]
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(content)))
	n, err := strictBase64.Decode(raw, []byte(content))
	if err != nil {
		return Token006{}, badBase64(err, len(content))
	}
	r := reader{rest: raw[:n]}
	signature := r.bytes()
	t := Token006{AppID: text[len(version006):][:appIDSize], ChannelCRC: r.uint32(), UserCRC: r.uint32(), message: r.bytes()}
	if r.short {
		return Token006{}, cut("the token's fields end too early, it was cut; copy it completely")
	}
	if len(signature) != signatureSize || len(r.rest) != 0 || !hex32(t.AppID) {
		return Token006{}, fail(KindMalformed, "the token's fields do not fit together; build a new one")
	}
	t.signature = [signatureSize]byte(signature)
	if err := t.readMessage(); err != nil {
		return Token006{}, err
	}
	return t, nil
}

func (t *Token006) readMessage() error {
	r := reader{rest: t.message}
	t.Salt, t.ExpiresAt = r.uint32(), r.uint32()
	count := int(r.uint16())
	if count > maxEntries {
		return fail(KindMalformed, "the token counts %d privileges, more than the %d allowed; build it with fewer", count, maxEntries)
	}
	t.Privileges = make([]Privilege006, 0, count)
	for range count {
		p := Privilege006{ID: r.uint16(), ExpiresAt: r.uint32()}
		p.Name = privilege006(p.ID)
		if slices.ContainsFunc(t.Privileges, func(other Privilege006) bool { return other.ID == p.ID }) && !r.short {
			return fail(KindMalformed, "the token lists the privilege %q twice; build a new one", p.Name)
		}
		t.Privileges = append(t.Privileges, p)
	}
	if r.short || len(r.rest) != 0 {
		return fail(KindMalformed, "the token's privileges are incomplete or followed by other data; build a new one")
	}
	return nil
}

// IsFor reports whether the token's checksums are those of this channel and user. For RTM the user stands where the channel does, and
// user is empty. A uid of 0 is the empty user, which is everybody.
func (t Token006) IsFor(channel, user string) bool {
	return t.ChannelCRC == CRC006(channel) && t.UserCRC == CRC006(user)
}

// CRC006 is the checksum of a channel or of a user that a 006 token carries.
func CRC006(name string) uint32 { return crc32.ChecksumIEEE([]byte(name)) }

// Verify returns nil when the token carries the signature that this certificate gives it for this channel and this user. The error is of
// kind signature when it does not, or of kind bad_credentials when the certificate cannot be one.
func (t Token006) Verify(certificate Certificate, channel, user string) error {
	if err := certificate.validate(); err != nil {
		return err
	}
	if !hmac.Equal(t.signature[:], mac([]byte(certificate), slices.Concat([]byte(t.AppID+channel+user), t.message))) {
		return errSignature
	}
	return nil
}

var privileges006 = []string{
	"join channel", "publish audio", "publish video", "publish data", "publish audio to a CDN", "publish video to a CDN", "ask to publish audio",
	"ask to publish video", "ask to publish data", "invite to publish audio", "invite to publish video", "invite to publish data",
}

func privilege006(id uint16) string {
	switch {
	case id >= 1 && int(id) <= len(privileges006):
		return privileges006[id-1]
	case id == 101:
		return "administrate the channel"
	case id == PrivilegeLogin006:
		return "log in"
	}
	return "privilege " + strconv.Itoa(int(id))
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

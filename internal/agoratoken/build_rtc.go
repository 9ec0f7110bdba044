package agoratoken

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/rtctokenbuilder2"
	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/rtmtokenbuilder2"
)

const (
	maxChannel = 63  // bytes; a channel name must be shorter than 64 (sources/003)
	maxAccount = 255 // bytes, as the official builder documents it
	// channelMarks are the characters besides letters and digits that a channel name may have (sources/003).
	channelMarks = " !#$%&()+-:;<=.>?@[]^_{}|~,"
)

// RTC says who may join which channel of the media service, and for how long. The user is a number or an account, not both; UID 0
// without an Account lets everybody use the token (sources/003).
type RTC struct {
	Channel         string
	Account         string
	UID             uint32
	Publisher       bool
	Expire          uint32 // the life of the token in seconds
	PrivilegeExpire uint32 // the life of its privileges in seconds
}

// BuildRTC returns an AccessToken2 for the media service, issued at the given time. The error is of kind bad_request when the SDK would
// refuse the channel name or the account. As with the official builder any life is allowed, 0 and one over 24 hours included.
func BuildRTC(c Credentials, r RTC, at time.Time) (string, error) {
	if err := r.validate(); err != nil {
		return "", err
	}
	var role rtctokenbuilder2.Role = rtctokenbuilder2.RoleSubscriber
	if r.Publisher {
		role = rtctokenbuilder2.RolePublisher
	}
	return build(c, at, func(appID, certificate string) (string, error) {
		return rtctokenbuilder2.BuildTokenWithUserAccount(appID, certificate, r.Channel, r.user(), role, r.Expire, r.PrivilegeExpire)
	})
}

// BuildRTM returns an AccessToken2 for the signalling service. See [BuildUser] for the parameters.
func BuildRTM(c Credentials, user string, expire uint32, at time.Time) (string, error) {
	if len(user) > math.MaxUint16 {
		return "", fail(KindBadRequest, "the user id has %d bytes, a token holds at most %d; use a shorter one", len(user), math.MaxUint16)
	}
	return build(c, at, func(appID, certificate string) (string, error) {
		return rtmtokenbuilder2.BuildToken(appID, certificate, user, expire)
	})
}

// user is the text that stands for the user in a token; "" is everybody.
func (r RTC) user() string {
	if r.Account != "" {
		return r.Account
	}
	return accesstoken2.GetUidStr(r.UID)
}

func (r RTC) validate() error {
	if err := ValidChannel(r.Channel); err != nil {
		return fail(KindBadRequest, "%v", err)
	}
	switch {
	case r.Account != "" && r.UID != 0:
		return fail(KindBadRequest, "a token is for a uid or for an account, not for both; leave one out")
	case len(r.Account) > maxAccount:
		return fail(KindBadRequest, "the account has %d bytes, at most %d are allowed; use a shorter one", len(r.Account), maxAccount)
	}
	return nil
}

// ValidChannel says what is wrong with the name of a media channel: the SDK takes 1 to 63 bytes of letters, digits, spaces and the
// marks !#$%&()+-:;<=.>?@[]^_{}|~, (sources/003).
func ValidChannel(name string) error {
	if name == "" || len(name) > maxChannel {
		return fmt.Errorf("the channel name has %d bytes; use 1 to %d", len(name), maxChannel)
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(channelMarks, r) {
			return fmt.Errorf("the channel name has the character %q; use letters, digits, spaces and %s", r, channelMarks[1:])
		}
	}
	return nil
}

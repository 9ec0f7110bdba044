package agoratoken

import (
	"fmt"
	"math"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
)

// BuildUser returns a token with the chat user privilege, issued at the given time and valid for expire seconds. As with the official
// builder an empty user, an expire of 0 and one over 24 hours are allowed. Longer user ids than a token can hold are refused: their
// length would wrap and the token would be for somebody else.
func BuildUser(c Credentials, user string, expire uint32, at time.Time) (string, error) {
	if len(user) > math.MaxUint16 {
		return "", fail(KindBadRequest, "the user id has %d bytes, a token holds at most %d; use a shorter one", len(user), math.MaxUint16)
	}
	return chatGrant{user, PrivilegeUser, expire}.build(c, at)
}

// BuildApp returns a token with the chat app privilege, for calls to the REST API. See [BuildUser] for the parameters.
func BuildApp(c Credentials, expire uint32, at time.Time) (string, error) {
	return chatGrant{"", PrivilegeApp, expire}.build(c, at)
}

// build runs an official builder and stamps its token anew when it was issued in another second than the wanted one: the builder always
// takes the system clock.
func build(c Credentials, at time.Time, builder func(appID, certificate string) (string, error)) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	issued, err := issueSecond(at)
	if err != nil {
		return "", err
	}
	text, err := builder(c.AppID, string(c.Certificate))
	if err != nil {
		return "", fmt.Errorf("build a token: %w", err)
	}
	token := accesstoken2.CreateAccessToken()
	if _, err := token.Parse(text); err != nil {
		return "", fmt.Errorf("read the token just built: %w", err)
	}
	if token.IssueTs == issued {
		return text, nil
	}
	token.IssueTs = issued
	token.AppCert = string(c.Certificate)
	return token.Build()
}

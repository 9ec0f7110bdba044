package tokenclient

import (
	"cmp"
	"slices"
	"time"

	"github.com/ttlchat/ttlchat/internal/judge"
)

// Expectation is what a token is checked against.
type Expectation struct {
	AppID string // empty when it is not known
	User  string
	// Service is what the token must be for: ServiceChat, which empty means too, or ServiceRTC.
	Service string
	Now     time.Time
}

// The services that a token can be checked for.
const (
	ServiceChat = judge.Chat
	ServiceRTC  = judge.RTC
)

// kinds are the findings that have a kind of their own. Any other finding that stands in the way of a login is KindNotAToken. Absurd lives
// are among them: the service may cap them as it caps a life somewhat over 24 hours, but the units were mixed up.
var kinds = map[string]Kind{
	"empty": KindEmptyToken, "wrong-app-id": KindWrongApp, "wrong-user": KindWrongUser, "no-user": KindWrongUser, "expired": KindExpired,
	"zero-life": KindBadLifetime, "milliseconds": KindBadLifetime, "date-for-duration": KindBadLifetime, "over-a-month": KindBadLifetime,
}

// Check reads a token as a client can, without the certificate, and returns an *[Error] that names the likely mistake when it cannot be
// used: not_a_token, wrong_app, wrong_user, bad_lifetime or expired. What is only suspicious becomes a warning.
func Check(text string, want Expectation) (Token, error) {
	service := cmp.Or(want.Service, ServiceChat)
	v := judge.Judge(text, judge.Expectation{AppID: want.AppID, User: want.User, Service: service, Now: want.Now})
	t := Token{Text: Secret(text)}
	for _, f := range v.Findings {
		kind, named := kinds[f.Code]
		switch {
		case named:
			return Token{}, fail(kind, nil, "%s; %s", f.What, f.Fix)
		case f.Severity == judge.Warning, f.Code == "not-yet-valid": // the clock that is wrong may be the one here
			t.warn(f.What)
		case f.Severity == judge.Fatal:
			return Token{}, fail(KindNotAToken, nil, "%s; %s", f.What, f.Fix)
		}
	}
	t.AppID, t.ExpiresAt = v.Token.AppID, v.Token.ExpiresAt
	if v.Token.IssuedAt != nil { // a 006 token does not say it
		t.IssuedAt = *v.Token.IssuedAt
	}
	if i := slices.IndexFunc(v.Token.Services, func(s judge.Service) bool { return s.Name == service }); i >= 0 {
		t.User = v.Token.Services[i].User
	}
	return t, nil
}

func (t *Token) warn(text string) { t.Warnings = append(t.Warnings, text) }

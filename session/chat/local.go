package chat

import (
	"time"

	"github.com/ttlchat/ttlchat/internal/judge"
)

// localLife reads the end of a token's life out of the token itself, for profiles without a service. It says what a service would refuse, as
// far as that can be seen without the certificate; user is only compared when it is a uid.
func localLife(phase Phase, p Profile, user, token string, now time.Time) (time.Time, *Error) {
	want := judge.Expectation{Service: judge.RTC, Now: now}
	if isUID(user) {
		want.User = user
	}
	v := judge.Judge(token, want)
	for _, f := range v.Findings {
		if f.Severity != judge.Fatal {
			continue
		}
		e := &Error{Phase: phase, Kind: KindInvalid, Code: p.InvalidCode, Reason: f.What + "; " + f.Fix}
		if f.Code == "expired" {
			e.Kind, e.Code = KindExpired, p.ExpiredCode
		}
		return time.Time{}, e
	}
	return v.Token.ExpiresAt, nil
}

// isUID reports whether a name is one of the numbers that users of a media channel have.
func isUID(name string) bool {
	for _, r := range name {
		if r < '0' || r > '9' {
			return false
		}
	}
	return name != ""
}

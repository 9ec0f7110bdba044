package tokenclient

import (
	"regexp"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

const (
	// absurdLife is the life from which the units must have been mixed up: nobody asks for a month, but a date or milliseconds in place
	// of seconds give years. Between 24 hours and this the service may cap the life, so the token is usable and only warned about.
	absurdLife = 31 * 24 * time.Hour
	// clockSlack is how far ahead the server's clock may be before it is worth a warning.
	clockSlack = time.Minute
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Expectation is what a token is checked against.
type Expectation struct {
	AppID string // empty when it is not known
	User  string
	Now   time.Time
}

// Check reads a token as a client can, without the certificate, and returns an *[Error] that names the likely mistake when it cannot be
// used: not_a_token, wrong_app, wrong_user, bad_lifetime or expired. What is only suspicious becomes a warning.
func Check(text string, want Expectation) (Token, error) {
	if err := checkText(text); err != nil {
		return Token{}, err
	}
	read, err := agoratoken.Read(text)
	if err != nil {
		return Token{}, fail(KindNotAToken, err, "%v", err)
	}
	claims := read.Claims()
	chat, err := claims.Chat()
	if err != nil {
		return Token{}, fail(KindNotAToken, err, "%v", err)
	}
	if !chat.UserPrivilege {
		return Token{}, fail(KindNotAToken, nil, "the token has no chat user privilege, perhaps it is an app token; ask the token server for a user token")
	}
	t := Token{Text: Secret(text), AppID: claims.AppID, User: chat.User,
		IssuedAt: time.Unix(int64(claims.IssuedAt), 0), ExpiresAt: time.Unix(claims.Expiry(), 0)}
	if want.AppID != "" && t.AppID != want.AppID {
		return Token{}, fail(KindWrongApp, nil, "the token is for the App ID %s, not %s; use the App ID of the token server's project",
			printable.Token(t.AppID), printable.Token(want.AppID))
	}
	if err := t.checkUser(want.User); err != nil {
		return Token{}, err
	}
	if err := t.checkTime(chat.Lifetime, want.Now); err != nil {
		return Token{}, err
	}
	return t, nil
}

// checkText names the mistakes that can be seen without reading the token.
func checkText(text string) error {
	bare := strings.TrimSpace(text)
	switch {
	case bare == "":
		return fail(KindEmptyToken, nil, "the token is empty; check the App ID and the App Certificate of the token server")
	case bare != text:
		return fail(KindNotAToken, nil, "there is white space around the token; pass the token alone")
	case strings.ContainsRune("\"'`", rune(text[0])) || strings.HasSuffix(text, `"`):
		return fail(KindNotAToken, nil, "there are quotes around the token; pass the token alone")
	case strings.HasPrefix(text, "YWMt"):
		return fail(KindNotAToken, nil, "this is a Chat token, which the service makes from a token server's token; pass the 007 token itself")
	case strings.HasPrefix(text, "006"):
		return fail(KindNotAToken, nil, "this is a token of the old kind 006, which chat does not take; update the token server to AccessToken2 (007)")
	case strings.HasPrefix(text, "eyJ"):
		return fail(KindNotAToken, nil, "this is a JSON Web Token, not an Agora token; check which field of the answer holds the 007 token")
	}
	return nil
}

// checkUser compares the token's user with the wanted one. Older token servers sign the user's UUID instead of the name, which the
// service accepts and a client cannot compare (reference/token-lifecycle.md 4).
func (t *Token) checkUser(want string) error {
	switch {
	case t.User == "":
		return fail(KindWrongUser, nil, "the token is for no user: the server did not understand the request's field names; choose the shape that fits the server")
	case t.User == want:
	case uuid.MatchString(t.User):
		t.warn("the token is for a UUID, which cannot be compared with the user name")
	default:
		return fail(KindWrongUser, nil, "the token is for %q, not %q; check how the token server tells users apart", quote(t.User), quote(want))
	}
	return nil
}

func (t *Token) checkTime(life time.Duration, now time.Time) error {
	switch {
	case life == 0:
		return fail(KindBadLifetime, nil, "the token lives 0 seconds: the server did not understand the asked lifetime; choose the shape that fits the server")
	case life > absurdLife:
		return fail(KindBadLifetime, nil, "the token lives %d days: perhaps the server takes seconds for milliseconds or for a date; "+
			"correct its expire value", life/(24*time.Hour))
	case !now.Before(t.ExpiresAt):
		return fail(KindExpired, nil, "the token expired %v ago; if it is new, compare the clocks, else stop the token server from caching tokens",
			now.Sub(t.ExpiresAt).Round(time.Second))
	case life > agoratoken.MaxLife:
		t.warn("the token says it lives longer than 24 hours, which the service may cap or refuse")
	}
	if ahead := t.IssuedAt.Sub(now); ahead > clockSlack {
		t.warn("the token is issued " + ahead.Round(time.Second).String() + " in the future: the clock here or at the token server is wrong")
	}
	return nil
}

func (t *Token) warn(text string) { t.Warnings = append(t.Warnings, text) }

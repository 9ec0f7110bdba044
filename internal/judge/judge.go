// Package judge says whether a token would log its user in, and if not, why not and what to do about it.
//
// [Judge] is pure: it takes the text as somebody copied it and what is known about the project, the user and the time. It knows
// AccessToken2 (007) of every service and AccessToken 006, and the ways in which a token is damaged, wrapped or mistaken for another one.
// Its memory is bounded for any input.
package judge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// The services that an [Expectation] can name.
const (
	Chat = "chat"
	RTC  = "rtc"
	RTM  = "rtm"
)

// Expectation is what a token should be. What is empty is not known and not judged, except for Now.
type Expectation struct {
	AppID       string
	Certificate agoratoken.Certificate
	User        string // a chat user, a uid or account of rtc, or a user of rtm
	Channel     string // of rtc alone
	Service     string // Chat, RTC or RTM; empty judges a token for what it is
	Now         time.Time
}

// Severity says what a finding means for the login.
type Severity string

// The severities.
const (
	OK      Severity = "ok"      // this was looked at and is right
	Warning Severity = "warning" // the login works, but perhaps not as intended
	Fatal   Severity = "fatal"   // the login fails
)

// Finding is one thing that was found out. Code is a stable name; What and Fix are for a person and safe on a terminal.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Fix      string   `json:"fix,omitempty"`
}

// Genuine says what is known about a signature.
type Genuine string

// What can be known about a signature.
const (
	Unchecked Genuine = "unchecked" // without the certificate, or for 006 without the channel and the user, nobody can check it
	Yes       Genuine = "genuine"
	No        Genuine = "wrong"
)

// Verdict is what [Judge] found out.
type Verdict struct {
	Token    *Token    `json:"token,omitempty"` // nil when there is none that can be read
	Findings []Finding `json:"findings"`        // the reasons, the gravest of which decides; in the order in which a service would look
}

// WouldWork reports whether nothing stands in the way of a login.
func (v Verdict) WouldWork() bool {
	return !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Severity == Fatal })
}

// Has reports whether there is a finding of this code.
func (v Verdict) Has(code string) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Code == code })
}

// Judge reads the text, removes what is wrapped around the token, and compares the token with the expectation. A text with a wrapping
// would not log in, even when the token inside would: the verdict has a finding for each wrapping and goes on with the inner token.
func Judge(text string, want Expectation) Verdict {
	var v Verdict
	if len(text) > maxText {
		v.fatal("too-long", fmt.Sprintf("the text has %d bytes, far more than a token", len(text)), "pass the token alone")
		return v
	}
	for range maxLayers {
		inner, f, ok := peel(text)
		if !ok {
			break
		}
		text = inner
		if !v.Has(f.Code) {
			v.Findings = append(v.Findings, f)
		}
	}
	v.bare(text, want)
	return v
}

// bare judges a text that has no wrapping any more.
func (v *Verdict) bare(text string, want Expectation) {
	switch {
	case strings.TrimFunc(text, blank) == "":
		v.fatal("empty", "the token is empty", "check the App ID and the App Certificate of the token server")
	case strings.HasPrefix(text, "007"):
		v.read007(text, want)
	case strings.HasPrefix(text, "006"):
		v.read006(text, want)
	case strings.HasPrefix(text, "YWMt"):
		v.fatal("chat-token", "this is a Chat token, which the service makes from a token server's token", "pass the 007 token itself")
	case strings.HasPrefix(text, "eyJ"):
		v.fatal("jwt", "this is a JSON Web Token, not an Agora token", "check which field of the answer holds the 007 token")
	default:
		v.fatal("not-a-token", "the text does not begin with 007, so it is no AccessToken2", "pass the token that the token builder made")
	}
}

func (v *Verdict) read007(text string, want Expectation) {
	read, err := agoratoken.Read(text)
	if err != nil {
		v.unreadable(err)
		return
	}
	claims := read.Claims()
	w := weigher{Verdict: v, want: want}
	w.token(text, claims)
	w.weigh007(text, claims)
}

func (v *Verdict) read006(text string, want Expectation) {
	if want.Service == Chat {
		v.fatal("old-token", "this is a token of the old kind 006, which chat does not take", "update the token server to AccessToken2 (007)")
	}
	read, err := agoratoken.Read006(text)
	if err != nil {
		v.unreadable(err)
		return
	}
	w := weigher{Verdict: v, want: want}
	w.token006(text, read)
	w.weigh006(read)
}

// unreadable turns an error of the reader into a finding.
func (v *Verdict) unreadable(err error) {
	code := "damaged"
	if e, ok := errors.AsType[*agoratoken.Error](err); ok {
		switch {
		case e.Cut:
			code = "truncated"
		case e.Kind == agoratoken.KindTooLong:
			code = "too-long"
		}
	}
	what, fix, _ := strings.Cut(err.Error(), "; ")
	v.fatal(code, what, fix)
}

func (v *Verdict) ok(code, what string)         { v.add(OK, code, what, "") }
func (v *Verdict) warn(code, what, fix string)  { v.add(Warning, code, what, fix) }
func (v *Verdict) fatal(code, what, fix string) { v.add(Fatal, code, what, fix) }
func (v *Verdict) add(s Severity, code, what, fix string) {
	v.Findings = append(v.Findings, Finding{code, s, what, fix})
}

// quote shows a name from a token, shortened and without what a terminal would obey.
func quote(name string) string { return `"` + printable.Line(name, 64) + `"` }

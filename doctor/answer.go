package doctor

import (
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/judge"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// answer is one exchange, and what its token is worth.
type answer struct {
	tokenclient.Exchange
	err        *tokenclient.Error // nil when there is a token, which may be empty
	verdict    judge.Verdict      // of the token; empty without one
	start, end time.Time
}

// answered reports whether the server answered the request at all.
func (a answer) answered() bool { return a.Status != 0 }

func (a answer) success() bool { return a.Status/100 == 2 }

// complaint is what went wrong, without the advice.
func (a answer) complaint() string {
	if a.err == nil {
		return "the token is empty"
	}
	what, _, _ := strings.Cut(a.err.Detail, "; ")
	return what
}

// advice is what tokenclient suggests, if it does.
func (a answer) advice() string {
	if a.err == nil {
		return ""
	}
	_, next, _ := strings.Cut(a.err.Detail, "; ")
	return next
}

// find returns the first finding with one of the codes.
func (a answer) find(codes ...string) (judge.Finding, bool) {
	i := slices.IndexFunc(a.verdict.Findings, func(f judge.Finding) bool { return slices.Contains(codes, f.Code) })
	if i < 0 {
		return judge.Finding{}, false
	}
	return a.verdict.Findings[i], true
}

// owner is whom the token names; not ok for what is no token for chat.
func (a answer) owner() (user string, ok bool) {
	if a.verdict.Token == nil {
		return "", false
	}
	for _, s := range a.verdict.Token.Services {
		if s.Name == judge.Chat {
			return s.User, true
		}
	}
	return "", false
}

// isFor reports whether the token names the user who was asked for, by name or by a UUID.
func (a answer) isFor() bool {
	_, ok := a.find("user", "uuid")
	return ok
}

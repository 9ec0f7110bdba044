package doctor

import (
	"context"
	"net/http"
	"strings"

	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/tokenclient"
)

func (p *patient) fresh(ctx context.Context) finding {
	const means = "A renewal brings the old token back and renews nothing: the app is thrown out when that one ends."
	p.again = p.ask(ctx, p.cfg.User, p.cfg.Lifetime)
	switch {
	case p.again.Token == "":
		return fail("the same request once more gets none: "+p.again.complaint(), means, "Look into the server's log.")
	case (tokenclient.Token{Text: p.first.Token}).SameAs(tokenclient.Token{Text: p.again.Token}):
		return fail("the same request once more gets the same token", means,
			"Build a token for every request; stop the server, and what stands before it, from caching.")
	}
	return pass("the same request once more gets another token")
}

var (
	forbidsCaching = pattern.New(`(?i)\b(no-store|no-cache)\b`)
	allowsCaching  = pattern.New(`(?i)\b(public|immutable)\b|\b(s-maxage|max-age)\s*=\s*"?[1-9]`)
)

// cacheControl looks at what the answer says about caches. They keep answers to GET alone unless told otherwise (RFC 9111 section 3).
func (p *patient) cacheControl(context.Context) finding {
	const means, mend = "A browser or a proxy may give an old token for a renewal, or somebody else's.", "Send Cache-Control: no-store."
	said := strings.Join(p.first.Header.Values("Cache-Control"), ", ")
	age := p.first.Header.Get("Age")
	switch {
	case age != "" && age != "0":
		return fail("the answer comes out of a cache, and is "+age+" s old", means, mend)
	case forbidsCaching().MatchString(said):
		return pass("Cache-Control: %s", said)
	case p.cfg.Shape.Method != http.MethodGet:
		return pass("it does not say so, but caches do not keep answers to %s", p.cfg.Shape.Method)
	case allowsCaching().MatchString(said):
		return fail("Cache-Control: "+said, means, mend)
	}
	return warn("the answer to a GET does not forbid it", means, mend)
}

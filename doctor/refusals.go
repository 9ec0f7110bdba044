package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ttlchat/ttlchat/tokenclient"
)

// refused judges the answer to a request that should be refused; not ok means that a token came.
func refused(a answer, what string) (f finding, ok bool) {
	const means = "Apps take it for an outage, and try again and again; whoever sends many of these fills the server's log."
	switch {
	case !a.answered():
		return fail(what+": "+a.complaint(), "One wrong request can bring the server down for everybody.", "Let it answer 400."), true
	case a.Status >= http.StatusInternalServerError:
		return warn(what+": "+strconv.Itoa(a.Status)+" "+http.StatusText(a.Status), means, "Check the request before using it, and answer 400."), true
	case !a.success():
		return pass("%s: refused with %d", what, a.Status), true
	case a.Token == "":
		return warn(fmt.Sprintf("%s: %d without a token", what, a.Status),
			"Apps look at the status, take the answer for a success and look for the token in it.", "Refuse it with a status such as 400."), true
	}
	return finding{}, false
}

// whose tells for whom a token is that should not be there.
func whose(a answer) string {
	owner, known := a.owner()
	switch {
	case !known:
		return "something that is no token for chat"
	case owner == "":
		return "a token for nobody"
	}
	return "a token for " + owner
}

func (p *patient) unknownUser(ctx context.Context) finding {
	if !p.says("User") {
		return skip("the request does not name the user")
	}
	a := p.ask(ctx, nobodyKnown, p.cfg.Lifetime)
	if f, ok := refused(a, nobodyKnown); ok {
		return f
	}
	if !a.isFor() {
		return fail(fmt.Sprintf("%s: %d and %s", nobodyKnown, a.Status, whose(a)), "Whoever mistypes a name is somebody else from then on.",
			"Refuse users who do not exist.")
	}
	return pass("%s gets a token: it trusts the request, so let it ask who the caller is before strangers can reach it", nobodyKnown)
}

// missingField sends nothing at all where the user stands, and then an empty user.
func (p *patient) missingField(ctx context.Context) finding {
	if !p.says("User") {
		return skip("the request does not name the user")
	}
	empty := p.cfg.Shape
	absent := empty
	absent.Query, absent.Body = "", ""
	if empty.Body != "" && empty.Header["Content-Type"] == "application/json" {
		absent.Body = "{}"
	}
	worst := pass("refused, and so is an empty user")
	for _, tried := range []struct {
		what  string
		shape tokenclient.Shape
	}{{"without a user", absent}, {"with an empty user", empty}} {
		a := p.askAs(ctx, tried.shape, "")
		f, ok := refused(a, tried.what)
		if !ok {
			return fail(fmt.Sprintf("%s: %d and %s", tried.what, a.Status, whose(a)),
				"An app whose field names differ by a letter gets a token that looks right, and finds out at the login.",
				"Answer 400 when the user is missing or empty.")
		}
		if f.verdict == Fail || f.verdict == Warn && worst.verdict == Pass {
			worst = f
		}
	}
	return worst
}

func (p *patient) wrongMethod(ctx context.Context) finding {
	shape := p.cfg.Shape
	if shape.Method = http.MethodGet; p.cfg.Shape.Method == http.MethodGet {
		shape.Method = http.MethodPut
	}
	a := p.askAs(ctx, shape, p.cfg.User)
	if f, ok := refused(a, shape.Method); ok {
		if a.success() { // a page for people
			return pass("%s: %d without a token", shape.Method, a.Status)
		}
		return f
	}
	seen := fmt.Sprintf("%s: %d and %s", shape.Method, a.Status, whose(a))
	if !a.isFor() {
		return fail(seen, "An app with the wrong method gets a token that looks right, and finds out at the login.", "Answer 405.")
	}
	return warn(seen, "Links and pages of others can ask for tokens, and mistakes in apps go unseen until the server changes.",
		"Take "+p.cfg.Shape.Method+" alone, and answer 405 to the rest.")
}

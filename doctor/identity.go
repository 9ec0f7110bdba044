package doctor

import (
	"context"
	"net/http"
	"slices"

	"github.com/ttlchat/ttlchat/internal/judge"
)

// elsewhere are the judge's findings that checks of their own report.
var elsewhere = []string{
	"wrong-app-id", "wrong-certificate", "wrong-user", "no-user", "uuid", "clock-ahead", "not-yet-valid", "zero-life", "date-for-duration",
	"milliseconds", "over-a-month", "over-24h", "expired",
}

func (p *patient) token(context.Context) finding {
	a := p.first
	for _, f := range a.verdict.Findings {
		if f.Severity != judge.OK && !slices.Contains(elsewhere, f.Code) {
			return fail(f.What, "The service refuses it, whoever logs in.", sentence(f.Fix))
		}
	}
	return pass("%s", a.verdict.Token.Short)
}

func (p *patient) appID(context.Context) finding {
	if p.cfg.AppID == "" {
		return skip("no App ID was given")
	}
	if f, bad := p.first.find("wrong-app-id"); bad {
		return fail(f.What, "The service refuses every login of an app with the other App ID (104 or 2, depending on the SDK).",
			"Give the server the App ID of the project that the apps use.")
	}
	return pass("it is the one that was given")
}

func (p *patient) genuine(context.Context) finding {
	if p.cfg.Certificate == "" {
		return skip("no App Certificate was given")
	}
	if f, bad := p.first.find("wrong-certificate"); bad {
		return fail(f.What, "The service refuses every login.",
			"Compare the server's App Certificate with the one in the Agora Console: primary or secondary, complete, without quotes or spaces.")
	}
	return pass("the signature is right")
}

func (p *patient) user(context.Context) finding {
	p.users = []string{p.cfg.User}
	if f, bad := p.first.find("wrong-user", "no-user"); bad {
		return fail(f.What, "The service refuses the login, because the token is for somebody else.", sentence(f.Fix))
	}
	if f, odd := p.first.find("uuid"); odd {
		return warn(f.What, "It works while the UUID is the user's in this project, which only the service knows.", sentence(f.Fix))
	}
	return pass("it is for %s", p.cfg.User)
}

// secondUser asks for somebody else. A made-up one may be refused, with whatever status, since the first one is not: then nothing is known.
func (p *patient) secondUser(ctx context.Context) finding {
	const means = "People log in as somebody else, or not at all, as soon as there is more than one user."
	if !p.says("User") {
		return skip("the request does not name the user")
	}
	user := p.cfg.OtherUser
	if user == "" {
		user = somebodyElse
	}
	a := p.ask(ctx, user, p.cfg.Lifetime)
	first, _ := p.first.owner()
	owner, known := a.owner()
	switch {
	case a.Token == "" && a.answered() && a.Status < http.StatusInternalServerError && p.cfg.OtherUser == "":
		return skip("a made-up one was refused (" + a.complaint() + "); name a user who exists")
	case a.Token == "":
		return fail("none for "+user+": "+a.complaint(), "Some users get tokens and others do not.", "Look into the server's log.")
	case !known:
		return fail("what "+user+" gets is no token for chat", "Some users get tokens and others do not.", "Look into the server's log.")
	case a.isFor() && owner != first:
		p.users = append(p.users, user)
		return pass("%s gets one too, and it is another", user)
	case owner == first:
		return fail(user+" gets a token for "+p.cfg.User, means, "Let the server read the user from the request, and keep no token for everybody.")
	}
	f, _ := a.find("wrong-user", "no-user")
	return fail(f.What, means, sentence(f.Fix))
}

// newlyFatal is what stands in the way of a login with this token and did not with the first one.
func (p *patient) newlyFatal(a answer) (judge.Finding, bool) {
	for _, f := range a.verdict.Findings {
		if _, known := p.first.find(f.Code); f.Severity == judge.Fatal && !known {
			return f, true
		}
	}
	return judge.Finding{}, false
}

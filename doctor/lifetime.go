package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/tokenclient"
)

const (
	// lifeSlack is how far a life may be from the asked one: servers round.
	lifeSlack = time.Second
	// clockSlack is how far a clock may be off.
	clockSlack = time.Minute
)

// life is how long the token lives, 24 hours at most.
func (a answer) life() time.Duration { return a.verdict.Token.ExpiresAt.Sub(*a.verdict.Token.IssuedAt) }

// lifetime asks for two lives: a server whose own is by chance the first one is found out by the other.
func (p *patient) lifetime(ctx context.Context) finding {
	const means = "The app plans for another life: it renews too often, or finds its token over and is thrown out."
	if f, bad := p.first.find("zero-life", "date-for-duration", "milliseconds", "over-a-month"); bad {
		return fail(f.What, means, sentence(f.Fix))
	}
	over, isOver := p.first.find("over-24h")
	if !p.says("Expire") {
		if isOver {
			return warn(over.What, means, sentence(over.Fix))
		}
		return pass("%v, which is the server's choice: this kind is not asked for a life", p.first.life())
	}
	if isOver {
		return fail(fmt.Sprintf("%s; %v were asked for", over.What, p.cfg.Lifetime), means, sentence(over.Fix))
	}
	second := (p.cfg.Lifetime/2 + time.Second).Truncate(time.Second)
	a := p.ask(ctx, p.cfg.User, second)
	if a.verdict.Token == nil || a.verdict.Token.IssuedAt == nil {
		return fail(fmt.Sprintf("no token that lives %v: %s", second, a.complaint()), means, "Let the server take any life up to 24 hours.")
	}
	for _, tried := range []struct{ asked, got time.Duration }{{p.cfg.Lifetime, p.first.life()}, {second, a.life()}} {
		if (tried.asked - tried.got).Abs() > lifeSlack {
			return fail(fmt.Sprintf("asked for %v it gives %v", tried.asked, tried.got), means,
				"Let the server pass the asked life on to the token builder, in seconds.")
		}
	}
	return pass("%v and %v, as asked for", p.cfg.Lifetime, second)
}

func (p *patient) statedExpiry(context.Context) finding {
	const means = "Apps that believe the answer renew at the wrong time."
	if p.cfg.Shape.ExpiryField == "" {
		return skip("this kind of answer does not state one")
	}
	if p.first.StatedExpiry.IsZero() {
		return warn("the field "+p.cfg.Shape.ExpiryField+" is missing, or no number", means, "Send it, in "+string(p.cfg.Shape.ExpiryUnit)+".")
	}
	if off := tokenclient.StatedOff(p.first.StatedExpiry, p.first.verdict.Token.ExpiresAt); off != 0 {
		return warn("it is "+off.Abs().Round(time.Second).String()+" "+side(off, "after", "before")+" the token's own", means,
			"Check its unit and its clock; it should be in "+string(p.cfg.Shape.ExpiryUnit)+".")
	}
	return pass("the same, within a minute")
}

func side(d time.Duration, positive, negative string) string {
	if d < 0 {
		return negative
	}
	return positive
}

// clock compares the clock here with the one of the answer's Date and with the one that the token was issued by.
func (p *patient) clock(context.Context) finding {
	const mend = "Set the clock of the server by the network (NTP), and check the clock here too."
	a := p.first
	for _, code := range []string{"expired", "not-yet-valid"} {
		if f, bad := a.find(code); bad {
			return fail(f.What, "The service refuses the login with a token that has just been fetched.", mend)
		}
	}
	date, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		date = a.start // it does not say
	}
	for _, c := range []struct {
		name string
		at   time.Time
	}{{"the answer's Date", date}, {"the token's time of issue", *a.verdict.Token.IssuedAt}} {
		if off := outside(c.at, a.start, a.end); off.Abs() > clockSlack {
			return warn(fmt.Sprintf("%s is %v %s of the clock here", c.name, off.Abs().Round(time.Second), side(off, "ahead", "behind")),
				"Tokens live longer or shorter than the app thinks, and renewals come too late; far ahead, the service refuses them.", mend)
		}
	}
	return pass("within a minute of the clock here")
}

// outside is how far an instant is from a span of time; servers write whole seconds.
func outside(at, start, end time.Time) time.Duration {
	switch {
	case at.After(end):
		return at.Sub(end)
	case at.Before(start.Add(-time.Second)):
		return at.Sub(start)
	}
	return 0
}

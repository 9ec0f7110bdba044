package judge

import (
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/internal/printable"
)

const (
	// clockSlack is how far ahead the token server's clock may be before it is worth a warning.
	clockSlack = time.Minute
	// maxAhead is how far ahead it may be before the token is not valid yet.
	maxAhead = time.Hour
	// AbsurdLife is the life from which the units must have been mixed up: nobody asks for a month.
	AbsurdLife = 31 * 24 * time.Hour
	// earliestDate is the second since 1970 that no duration reaches and every date is after: the year 2001.
	earliestDate = 1_000_000_000
)

var uuid = pattern.New(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// weigher compares one token that could be read with what is wanted.
type weigher struct {
	*Verdict
	want Expectation
}

// weigh007 goes through the checks in the order of the chat service (see agoratoken.Admit), which ends at the first that fails; all of
// them are useful to a person.
func (w *weigher) weigh007(text string, c agoratoken.Claims) {
	w.appID(c.AppID)
	if w.want.Certificate != "" {
		w.signature(agoratoken.Verify(text, w.want.Certificate))
	}
	s, ok := w.service(c)
	life := c.Life(s.Type)
	w.Token.ExpiresAt = w.Token.IssuedAt.Add(min(time.Duration(life)*time.Second, agoratoken.MaxLife))
	if ok {
		w.privileges(s)
		w.names(s)
	}
	w.issued(*w.Token.IssuedAt)
	w.life(life)
	w.alive(life > 0)
}

func (w *weigher) appID(got string) {
	switch {
	case w.want.AppID == "":
	case got != w.want.AppID:
		w.fatal("wrong-app-id", "the token is for the App ID "+printable.Token(got)+", not "+printable.Token(w.want.AppID),
			"use the App ID of the token server's project")
	default:
		w.ok("app-id", "it is for this App ID")
	}
}

// signature takes what the check of the signature said.
func (w *weigher) signature(err error) {
	if err == nil {
		w.Token.Genuine = Yes
		w.ok("genuine", "it is signed with this App Certificate")
		return
	}
	w.Token.Genuine = No
	w.fatal("wrong-certificate", "the signature is wrong: the token was altered or signed with another App Certificate",
		"compare the App Certificate of the token server with the one in Agora Console")
}

// service finds the part of the token that the wanted service looks at. Without a wanted one it is the token's first.
func (w *weigher) service(c agoratoken.Claims) (agoratoken.Service, bool) {
	wanted := map[string][]uint16{
		Chat: {agoratoken.ServiceChat}, RTC: {agoratoken.ServiceRTC}, RTM: {agoratoken.ServiceRTM, agoratoken.ServiceRTM2},
	}[w.want.Service]
	var fitting []agoratoken.Service
	for _, s := range c.Services {
		if w.want.Service == "" || slices.Contains(wanted, s.Type) {
			fitting = append(fitting, s)
		}
	}
	switch {
	case len(c.Services) == 0:
		w.fatal("no-service", "the token is for no service at all", "build it with the token builder of the service")
		return agoratoken.Service{}, false
	case len(fitting) == 0:
		w.fatal("wrong-service", "the token is for "+serviceNames(c.Services)+" and has no "+w.want.Service+" service",
			"build it with the "+w.want.Service+" token builder")
		return agoratoken.Service{}, false
	case slices.ContainsFunc(fitting[1:], func(s agoratoken.Service) bool { return s.Type == fitting[0].Type }):
		w.fatal("repeated-service", "the token has the "+fitting[0].Name+" service more than once, so nobody can tell which one is meant",
			"build it with one")
		return fitting[0], false
	}
	if w.want.Service != "" {
		w.ok("service", "it is for "+w.want.Service)
	}
	return fitting[0], true
}

// serviceNames lists the services of a token, each once.
func serviceNames(services []agoratoken.Service) string {
	var all []string
	for _, s := range services {
		if !slices.Contains(all, s.Name) {
			all = append(all, s.Name)
		}
	}
	return strings.Join(all, ", ")
}

// privileges looks for the right to come in.
func (w *weigher) privileges(s agoratoken.Service) {
	has := func(id uint16) bool {
		return slices.ContainsFunc(s.Privileges, func(p agoratoken.Privilege) bool { return p.ID == id })
	}
	switch {
	case s.Type != agoratoken.ServiceChat && (has(agoratoken.PrivilegeEnter) || !weighed(s.Type)):
	case s.Type != agoratoken.ServiceChat:
		w.fatal("no-privilege", "the token does not have the privilege to come in", "build it with the "+s.Name+" token builder")
	case has(agoratoken.PrivilegeUser):
	case has(agoratoken.PrivilegeApp) && w.want.User != "":
		w.fatal("app-token", "the token has no chat user privilege: it is an app token, for calls to the REST API",
			"ask the token server for a user token")
	case has(agoratoken.PrivilegeApp):
		w.ok("app", "it is an app token, for calls to the REST API")
	default:
		w.fatal("no-privilege", "the token has neither the chat user nor the chat app privilege", "build it with the chat token builder")
	}
}

// weighed reports whether a type of service is one whose login is known.
func weighed(service uint16) bool {
	return slices.Contains([]uint16{agoratoken.ServiceChat, agoratoken.ServiceRTC, agoratoken.ServiceRTM, agoratoken.ServiceRTM2}, service)
}

// names compares the user and the channel.
func (w *weigher) names(s agoratoken.Service) {
	if s.Type == agoratoken.ServiceRTC {
		w.channel(s.Channel)
	}
	user := w.want.User
	if s.Type == agoratoken.ServiceRTC && user == "0" {
		user = ""
	}
	mayAct := s.Type != agoratoken.ServiceChat ||
		slices.ContainsFunc(s.Privileges, func(p agoratoken.Privilege) bool { return p.ID == agoratoken.PrivilegeUser })
	switch {
	case !mayAct:
	case s.User == "" && s.Type == agoratoken.ServiceRTC:
		w.ok("user", "it is for uid 0, which is everybody")
	case s.User == "" && weighed(s.Type):
		w.fatal("no-user", "the token is for no user: the server did not understand the request's field names",
			"choose the shape that fits the server")
	case user == "":
	case s.User == user:
		w.ok("user", "it is for "+quote(user))
	case s.Type == agoratoken.ServiceChat && uuid().MatchString(s.User):
		// Older token servers sign the user's UUID, which the service takes too (reference/token-lifecycle.md 4).
		w.warn("uuid", "the token is for a UUID, which cannot be compared with the user name; it works only if it is the UUID of "+quote(user),
			"let the token server sign the user name, as the documents say since the end of 2024")
	default:
		w.wrongUser(s.User, user)
	}
}

func (w *weigher) wrongUser(got, want string) {
	what := "the token is for " + quote(got) + ", not " + quote(want)
	if strings.EqualFold(got, want) {
		what += "; upper and lower case are not the same"
	}
	w.fatal("wrong-user", what, "check how the token server tells users apart")
}

// channel judges the channel of an rtc token.
func (w *weigher) channel(got string) {
	if err := agoratoken.ValidChannel(got); err != nil {
		w.warn("channel-name", err.Error(), "no SDK joins such a channel")
	}
	switch w.want.Channel {
	case "":
	case got:
		w.ok("channel", "it is for "+quote(got))
	default:
		w.fatal("wrong-channel", "the token is for the channel "+quote(got)+", not "+quote(w.want.Channel),
			"ask for a token for the channel that is joined, in the same upper and lower case")
	}
}

// issued compares the clock of the token server with now.
func (w *weigher) issued(at time.Time) {
	ahead := at.Sub(w.want.Now.Truncate(time.Second))
	what := "the token is issued " + agoratoken.Span(int64(ahead/time.Second)) + " in the future"
	switch {
	case ahead > maxAhead:
		w.fatal("not-yet-valid", what, "compare the clock of the token server with the time here")
	case ahead > clockSlack:
		w.warn("clock-ahead", what+": the clock here or at the token server is wrong", "set both clocks by the network")
	}
}

// life judges how many seconds a token asks for.
func (w *weigher) life(seconds int64) {
	what := "the token lives " + span(seconds)
	const cut = ", and the service cuts that to 24 hours"
	day := int64(agoratoken.MaxLife / time.Second)
	date := w.want.Now.Unix() - seconds
	switch {
	case seconds == 0:
		w.fatal("zero-life", "the token lives 0 seconds: the server did not understand the asked lifetime",
			"choose the shape that fits the server; the life is in seconds")
	case seconds >= earliestDate && max(date, -date) < 10*365*day:
		w.warn("date-for-duration", what+", which is a date and not a duration"+cut, "pass the seconds from now, not the time of expiry")
	case seconds > int64(AbsurdLife/time.Second) && seconds%1000 == 0:
		w.warn("milliseconds", what+", which looks like milliseconds in place of seconds"+cut, "pass seconds")
	case seconds > int64(AbsurdLife/time.Second):
		w.warn("over-a-month", what+", which nobody asks for"+cut, "check the units of the asked lifetime: it is in seconds")
	case seconds > day:
		w.warn("over-24h", what+cut, "ask for 86400 seconds at most, and renew")
	}
}

// alive compares the end with now. A token that never lived is not called expired.
func (w *weigher) alive(lived bool) {
	left := w.Token.ExpiresAt.Sub(w.want.Now.Truncate(time.Second))
	switch {
	case !lived:
	case left <= 0:
		w.fatal("expired", "the token expired "+agoratoken.Span(int64(-left/time.Second))+" ago",
			"fetch a new one; if it is new, compare the clocks, or stop the token server from caching tokens")
	default:
		w.ok("alive", "it lives for another "+span(int64(left/time.Second)))
	}
}

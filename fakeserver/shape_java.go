package fakeserver

import (
	"net/http"
	"strings"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// Lifetimes of the Java servers without a Config.Properties: what their documents write as an example.
const (
	javaLife      = 6000 // seconds (sources/001)
	olderJavaLife = 60   // seconds (sources/002)
)

// javaRegistrationPassword is the password that the sample gives a user whom it registers.
const javaRegistrationPassword = "123"

// What the Java samples answer with status 200 instead of a token when their configuration is not complete.
const (
	complaintAppID   = "appid or appcert is not empty"
	complaintAppKey  = "appkey or domain is not empty"
	complaintIllegal = "appkey is illegal"
)

// configuredLifetimes is what becomes of expire.second: Java reads it when the server starts and packs a negative one as it is.
func configuredLifetimes(missing string) Lifetimes {
	return Lifetimes{
		Given:   "expire.second in application.properties",
		Missing: missing, Zero: "lives 0 s", Negative: "lives 4294967295 s", Fractional: "does not start", Oversized: "does not start",
	}
}

// javaShape is the Java server of 2022: its app token is in sources/001, its user token in a page that the current documents hide
// (token-lifecycle.md section 4). Tokens come as plain text, a lifetime cannot be asked for.
func javaShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "java", Source: "the Java sample of 2022 (sources/001); Spring's own errors are inferred",
			Browsers: true, Lifetimes: configuredLifetimes("does not start"),
		},
		routes: []shapeRoute{
			{http.MethodGet, "/chat/app/token", (*Server).javaAppToken},
			{http.MethodGet, "/chat/user/{name}/token", (*Server).javaUserToken},
		},
		wrongMethod: (*Server).springWrongMethod,
	}
}

// olderJavaShape is the Java server of 2021, whose callers know the user's UUID (sources/002).
func olderJavaShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "older-java", Source: "the Java sample of 2021 (sources/002); Spring's own errors are inferred",
			Lifetimes: configuredLifetimes("does not start"),
		},
		routes:      []shapeRoute{{http.MethodGet, "/chat/user/uuid/{uuid}/token", (*Server).javaUUIDToken}},
		wrongMethod: (*Server).springWrongMethod,
	}
}

func (s *Server) javaAppToken(w http.ResponseWriter, _ *http.Request) {
	c, ok := s.javaCredentials()
	if !ok {
		springText(w, complaintAppID)
		return
	}
	token, _, _ := s.issueApp(c, s.configuredLife(javaLife)) // where the builder fails, the sample answers its empty text
	springText(w, token)
}

func (s *Server) javaUUIDToken(w http.ResponseWriter, r *http.Request) {
	c, ok := s.javaCredentials()
	uuid := r.PathValue("uuid")
	switch {
	case !ok:
		springText(w, complaintAppID)
	case !hasText(uuid):
		springText(w, "chatUserUuid is not empty")
	default:
		token, _, _ := s.issueUser(c, uuid, s.configuredLife(olderJavaLife)) // as above
		springText(w, token)
	}
}

// javaUserToken signs the UUID of the named user, whom it registers when there is none.
func (s *Server) javaUserToken(w http.ResponseWriter, r *http.Request) {
	c, ok := s.javaCredentials()
	if !ok {
		springText(w, complaintAppID)
		return
	}
	if complaint := s.javaProject(); complaint != "" {
		springText(w, complaint)
		return
	}
	name := r.PathValue("name")
	if !hasText(name) {
		springText(w, "chatUserName is not empty")
		return
	}
	life := s.configuredLife(javaLife)
	uuid, ok := s.javaUUID(c, name, life)
	if !ok {
		s.springError(w, r, http.StatusInternalServerError)
		return
	}
	token, _, _ := s.issueUser(c, uuid, life) // as above
	springText(w, token)
}

// javaCredentials are what the Java servers sign with; not ok means that their configuration has none.
func (s *Server) javaCredentials() (c agoratoken.Credentials, ok bool) {
	p := s.cfg.Properties
	if p == nil {
		return s.cfg.credentials(), true
	}
	return agoratoken.Credentials{AppID: p.AppID, Certificate: agoratoken.Certificate(p.AppCertificate)}, filledIn(p.AppID) && filledIn(p.AppCertificate)
}

// javaProject is what the server says of its appkey and domain; empty means that they can be used.
func (s *Server) javaProject() string {
	switch p := s.cfg.Properties; {
	case p == nil:
		return ""
	case !filledIn(p.AppKey) || !filledIn(p.Domain):
		return complaintAppKey
	case !strings.Contains(p.AppKey, "#"):
		return complaintIllegal
	default:
		return ""
	}
}

// javaUUID finds or registers the user as the sample does over REST with an app token of its own: whatever REST would refuse, such as a
// token of another project or one that is over at once, fails here too. Any domain is taken for the emulator.
func (s *Server) javaUUID(c agoratoken.Credentials, name string, life uint32) (uuid string, ok bool) {
	if p := s.cfg.Properties; p != nil && p.AppKey != s.cfg.appKey() {
		return "", false
	}
	token, err := agoratoken.BuildApp(c, life, s.clock.Now())
	if err != nil {
		return "", false
	}
	if _, bad := s.authenticate(token); bad != nil {
		return "", false
	}
	if e, _, found := s.hub.find(name); found {
		return e.UUID, true
	}
	if !userName.MatchString(name) {
		return "", false
	}
	e, err := s.hub.register(name, javaRegistrationPassword, "")
	return e.UUID, err == nil
}

// hasText is Spring's StringUtils.hasText.
func hasText(text string) bool { return strings.TrimSpace(text) != "" }

// filledIn is hasText for a property, of which the pair of quotes that sources/002 prints is no text either.
func filledIn(value string) bool { return hasText(value) && value != `""` }

package fakeserver

import (
	"encoding/json"
	"net/http"
	"time"
)

// Lifetimes of Chat tokens that a password buys.
const (
	passwordTokenLife    = 24 * time.Hour
	maxPasswordTokenLife = 60 * 24 * time.Hour // what the service gives where nobody chose (token-lifecycle.md section 3)
)

// tokenAnswer is the answer of POST token. SDKs of family E read expire_timestamp, the documents show expires_in too.
type tokenAnswer struct {
	AccessToken     string      `json:"access_token"`
	ExpiresIn       int64       `json:"expires_in"`       // seconds left
	ExpireTimestamp int64       `json:"expire_timestamp"` // Unix ms
	Application     string      `json:"application"`
	User            *userEntity `json:"user,omitempty"`
}

// postToken trades credentials for a Chat token (token-lifecycle.md section 3).
func (c *call) postToken() {
	var req struct {
		GrantType string `json:"grant_type"`
		Username  string `json:"username"`
		Password  string `json:"password"`
		Create    bool   `json:"autoCreateUser"`
		TTL       *int64 `json:"ttl"` // seconds
	}
	if !c.decode(&req) {
		return
	}
	switch req.GrantType {
	case "agora":
		c.exchange()
	case "password":
		c.passwordGrant(req.Username, req.Password, req.TTL)
	case "inherit":
		c.inheritGrant(req.Username, req.Create, req.TTL)
	default:
		c.fail(errIllegal("grant_type must be agora, password or inherit here"))
	}
}

// exchange trades a 007 token for a Chat token that ends at the same instant: an exchange does not extend a life. For a user who is
// online it is also a renewal (protocol-versions.md, "must do" 4).
func (c *call) exchange() {
	g, bad := c.bearer()
	if bad != nil {
		c.fail(errToken(bad))
		return
	}
	c.giveToken(g)
	if !g.app {
		c.srv.renew(c.user, g)
	}
}

func (c *call) passwordGrant(name, password string, ttl *int64) {
	c.user = name
	if exists, right := c.srv.hub.checkPassword(name, password); exists && !right {
		c.fail(restError{status: 400, Error: "invalid_grant", Exception: securityException, Description: "invalid password"})
		return
	}
	life, bad := chatTokenLife(ttl, passwordTokenLife)
	if bad != nil {
		c.fail(*bad)
		return
	}
	c.giveChatToken(name, life)
}

// chatTokenLife is the life that a caller asked for in seconds; 0 stands for ever, which is the longest there is.
func chatTokenLife(ttl *int64, usual time.Duration) (time.Duration, *restError) {
	switch {
	case ttl == nil:
		return usual, nil
	case *ttl < 0:
		bad := errIllegal("ttl must be 0 or more seconds")
		return 0, &bad
	case *ttl == 0 || *ttl > int64(maxPasswordTokenLife/time.Second):
		return maxPasswordTokenLife, nil
	default:
		return time.Duration(*ttl) * time.Second, nil
	}
}

// giveChatToken answers with a Chat token for a user who must exist and be active.
func (c *call) giveChatToken(name string, life time.Duration) {
	switch e, _, exists := c.srv.hub.find(name); {
	case !exists:
		c.fail(restError{status: 404, Error: "invalid_grant", Exception: notFoundException, Description: "user not found"})
	case !e.Activated:
		c.fail(restError{status: 400, Error: "invalid_grant", Exception: securityException, Description: "user not activated"})
	default:
		now := c.srv.clock.Now()
		c.giveToken(grant{identity: name, acceptedAt: now, expiresAt: now.Add(life)})
	}
}

func (c *call) giveToken(g grant) {
	answer := tokenAnswer{
		AccessToken: c.srv.chatTokens.issue(g), ExpiresIn: int64(g.expiresAt.Sub(g.acceptedAt) / time.Second),
		ExpireTimestamp: g.expiresAt.UnixMilli(), Application: c.srv.appUUID,
	}
	if e, _, ok := c.srv.hub.find(c.user); ok && !g.app {
		answer.User = &e
	}
	c.srv.issued(g.acceptedAt, c.user, answer.AccessToken, g.expiresAt)
	c.answer(http.StatusOK, answer)
}

// getTokenExpires tells when a new token ends. It is the Web SDK's renewal: nothing is said on the socket, so this call is what renews
// the user's sessions (protocol.md d.4).
func (c *call) getTokenExpires() {
	g, bad := c.bearer()
	name := c.params["user"]
	if bad != nil || g.app || c.user != name {
		c.fail(errOAuth)
		return
	}
	c.srv.renew(name, g)
	c.answer(http.StatusOK, map[string]int64{"expire_timestamp": g.expiresAt.UnixMilli()})
}

// renew gives every open session of the user the new token's life.
func (s *Server) renew(user string, g grant) {
	for _, l := range s.hub.links(user) {
		s.schedule.arm(l, g)
		s.journal.add(&Entry{
			Name: SessionRenewed, User: user, Device: l.resource(), Session: l.id, Token: g.short,
			ExpiresAt: g.expiresAt, WillExpireAt: g.willExpireAt(),
		})
	}
}

// userEntity is a user as REST shows it.
type userEntity struct {
	UUID      string `json:"uuid"`
	Type      string `json:"type"`
	Created   int64  `json:"created"`
	Modified  int64  `json:"modified"`
	Username  string `json:"username"`
	Activated bool   `json:"activated"`
	Nickname  string `json:"nickname,omitempty"`
}

func (u *user) entity() userEntity {
	at := u.created.UnixMilli()
	return userEntity{UUID: u.uuid, Type: "user", Created: at, Modified: at, Username: u.name, Activated: !u.deactivated, Nickname: u.nickname}
}

// registration is one user in POST users.
type registration struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Nickname string `json:"nickname"`
}

// registrations accepts the object and the array form.
type registrations struct {
	list  []registration
	array bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *registrations) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		r.array = true
		return json.Unmarshal(b, &r.list)
	}
	r.list = make([]registration, 1)
	return json.Unmarshal(b, &r.list[0])
}

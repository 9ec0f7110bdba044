package fakeserver

import (
	"github.com/ttlchat/ttlchat/internal/msync"
)

// voided reports whether a Chat token is older than its user's password.
func (h *hub) voided(g grant) bool {
	if g.app {
		return false
	}
	name := h.nameOf(g.identity)
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	return u != nil && g.serial < u.voidBefore
}

// with runs f on a user, with mu held; false means that there is no such user.
func (h *hub) with(name string, f func(*user)) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	if u == nil {
		return false
	}
	f(u)
	return true
}

// putPassword sets a user's password. The devices are kicked with 216, and the Chat tokens issued until now are void; a 007 token is not,
// because the app's server signed it (protocol.md e).
func (c *call) putPassword() {
	var req struct {
		New string `json:"newpassword"`
	}
	if !c.admin() || !c.decode(&req) {
		return
	}
	if bad := checkPasswordForm(req.New); bad != nil {
		c.fail(*bad)
		return
	}
	var links []*link
	if !c.srv.hub.with(c.params["user"], func(u *user) {
		u.password, u.voidBefore = req.New, c.srv.chatTokens.serial.Load()+1
		links = u.online()
	}) {
		c.fail(errNoSuchResource)
		return
	}
	for _, l := range links {
		l.kick(msync.StatisticsBody_USER_KICKED_BY_CHANGE_PASSWORD, "the password was changed")
	}
	c.ok(envelope{Action: "set user password"})
}

// deactivateUser forbids logins until activateUser; sessions that are open stay.
func (c *call) deactivateUser() { c.setActivated(false) }

func (c *call) activateUser() { c.setActivated(true) }

func (c *call) setActivated(activated bool) {
	if !c.admin() {
		return
	}
	var e userEntity
	if !c.srv.hub.with(c.params["user"], func(u *user) {
		u.deactivated = !activated
		e = u.entity()
	}) {
		c.fail(errNoSuchResource)
		return
	}
	c.ok(envelope{Entities: []userEntity{e}})
}

// putUser changes what a user tells about itself: the nickname, or where push notifications go. The emulator sends none of those, so it
// only repeats them.
func (c *call) putUser() {
	var req struct {
		Nickname     *string `json:"nickname"`
		DeviceID     string  `json:"device_id"`
		NotifierName string  `json:"notifier_name"`
	}
	if !c.own() || !c.decode(&req) {
		return
	}
	var answer struct {
		userEntity
		DeviceID     string `json:"device_id,omitempty"`
		NotifierName string `json:"notifier_name,omitempty"`
	}
	if !c.srv.hub.with(c.params["user"], func(u *user) {
		if req.Nickname != nil {
			u.nickname = nickname(*req.Nickname)
		}
		answer.userEntity = u.entity()
	}) {
		c.fail(errNoSuchResource)
		return
	}
	answer.DeviceID, answer.NotifierName = req.DeviceID, req.NotifierName
	c.ok(envelope{Entities: []any{answer}})
}

package fakeserver

import (
	"github.com/ttlchat/ttlchat/internal/msync"
)

// onUser runs f on the user in the path, with the hub's mu held. Where there is no such user it has answered and returns false.
func (c *call) onUser(f func(*user)) bool {
	known := c.srv.hub.with(c.params["user"], f)
	if !known {
		c.fail(errNoSuchResource)
	}
	return known
}

// change is onUser where there may be no room for the change: f then says so, and changes nothing.
func (c *call) change(f func(*user) (refusal string)) bool {
	refusal := ""
	if !c.onUser(func(u *user) { refusal = f(u) }) {
		return false
	}
	if refusal != "" {
		c.fail(errIllegal(refusal))
	}
	return refusal == ""
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
	if !c.onUser(func(u *user) {
		u.password, u.voidBefore = req.New, c.srv.chatTokens.serial.Load()+1
		links = u.online()
	}) {
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
	var e userEntity
	if c.admin() && c.onUser(func(u *user) {
		u.deactivated = !activated
		e = u.entity()
	}) {
		c.ok(envelope{Entities: []userEntity{e}})
	}
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
	if !c.onUser(func(u *user) {
		if req.Nickname != nil {
			u.nickname = nickname(*req.Nickname)
		}
		answer.userEntity = u.entity()
	}) {
		return
	}
	answer.DeviceID, answer.NotifierName = req.DeviceID, req.NotifierName
	c.ok(envelope{Entities: []any{answer}})
}

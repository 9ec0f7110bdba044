package fakeserver

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// maxRegistrations is how many users one call may register (token-lifecycle.md section 3).
const maxRegistrations = 60

// postUsers registers users. Where registration is open the single form needs no token, as conn.registerUser of the SDK relies on
// (protocol.md e).
func (c *call) postUsers() {
	var req registrations
	if c.r.Header.Get("Authorization") != "" {
		if !c.admin() || !c.decode(&req) {
			return
		}
	} else {
		if c.srv.cfg.ClosedRegistration {
			c.fail(errNotOpen)
			return
		}
		if !c.decode(&req) {
			return
		}
		if req.array {
			c.fail(errExpiredToken)
			return
		}
	}
	if len(req.list) == 0 || len(req.list) > maxRegistrations {
		c.fail(errIllegal(fmt.Sprintf("want 1 to %d users", maxRegistrations)))
		return
	}
	type failure struct {
		Username string `json:"username"`
		Reason   string `json:"registerUserFailReason"`
	}
	var made []userEntity
	var failures []failure
	for _, u := range req.list {
		e, bad := c.register(u)
		switch {
		case bad == nil:
			made = append(made, e)
		case req.array:
			failures = append(failures, failure{printable.Line(u.Username, 64), bad.Description})
		default:
			c.fail(*bad)
			return
		}
	}
	answer := envelope{Entities: made}
	if made == nil {
		answer.Entities = []userEntity{}
	}
	if failures != nil {
		answer.Data = failures
	}
	c.ok(answer)
}

func (c *call) register(u registration) (userEntity, *restError) {
	if bad := checkNameForm(u.Username); bad != nil {
		return userEntity{}, bad
	}
	if bad := checkPasswordForm(u.Password); bad != nil {
		return userEntity{}, bad
	}
	e, err := c.srv.hub.register(u.Username, u.Password, nickname(u.Nickname))
	if errors.Is(err, errUserExists) {
		return userEntity{}, &restError{
			status: 400, Error: "duplicate_unique_property_exists", Exception: "DuplicateUniquePropertyExistsException",
			Description: fmt.Sprintf("Application %s Entity user requires that property named username be unique, value of %s exists",
				c.srv.appUUID, u.Username),
		}
	} else if err != nil {
		bad := errIllegal(err.Error())
		return userEntity{}, &bad
	}
	return e, nil
}

func checkNameForm(name string) *restError {
	if !userName.MatchString(name) {
		bad := errIllegal(fmt.Sprintf("username %s is not legal: 1 to 64 of a-z, 0-9, _ - .", printable.Line(name, 64)))
		return &bad
	}
	return nil
}

// maxPassword is how many bytes a password may have.
const maxPassword = 64

func checkPasswordForm(password string) *restError {
	if password == "" || len(password) > maxPassword {
		bad := errIllegal(fmt.Sprintf("password must have 1 to %d bytes", maxPassword))
		return &bad
	}
	return nil
}

func nickname(s string) string { return printable.Line(s, 100) }

func (c *call) getUsers() {
	if !c.admin() {
		return
	}
	limit := 10
	if text := c.r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			c.fail(errIllegal("limit must be 1 to 100"))
			return
		}
		limit = n
	}
	list := c.srv.hub.list(c.r.URL.Query().Get("cursor"), limit+1)
	answer := envelope{Count: min(len(list), limit)}
	if len(list) > limit {
		list = list[:limit]
		answer.Cursor = list[limit-1].Username
	}
	answer.Entities = list
	c.ok(answer)
}

func (c *call) getUser() {
	var e userEntity
	if c.admin() && c.onUser(func(u *user) { e = u.entity() }) {
		c.ok(envelope{Entities: []userEntity{e}})
	}
}

// deleteUser removes an account; its devices are kicked with 207.
func (c *call) deleteUser() {
	if !c.admin() {
		return
	}
	e, links, ok := c.srv.hub.remove(c.params["user"])
	if !ok {
		c.fail(errNoSuchResource)
		return
	}
	for _, l := range links {
		l.kick(msync.StatisticsBody_USER_REMOVED, "the user was deleted")
	}
	c.ok(envelope{Entities: []userEntity{e}})
}

func (c *call) getUserStatus() {
	online := false
	if c.admin() && c.onUser(func(u *user) { online = len(u.online()) > 0 }) {
		c.ok(envelope{Data: map[string]string{c.params["user"]: onlineState(online)}})
	}
}

func onlineState(online bool) string {
	if online {
		return "online"
	}
	return "offline"
}

// maxBatchStatus is how many users one call may ask about (protocol.md e).
const maxBatchStatus = 100

// postBatchStatus tells of many users whether they are online. Nobody checks that they exist, as at the service.
func (c *call) postBatchStatus() {
	var req struct {
		Usernames []string `json:"usernames"`
	}
	if !c.admin() || !c.decode(&req) {
		return
	}
	if len(req.Usernames) == 0 || len(req.Usernames) > maxBatchStatus {
		c.fail(errIllegal(fmt.Sprintf("want 1 to %d usernames", maxBatchStatus)))
		return
	}
	states := make([]map[string]string, len(req.Usernames))
	for i, name := range req.Usernames {
		_, online, _ := c.srv.hub.find(name)
		states[i] = map[string]string{name: onlineState(online)}
	}
	c.ok(envelope{Data: states})
}

// getResources lists the devices on which a user is online.
func (c *call) getResources() {
	if !c.own() {
		return
	}
	type resource struct {
		Resource   string `json:"res"`
		DeviceUUID string `json:"device_uuid"`
		DeviceName string `json:"device_name"`
	}
	list := []resource{}
	if c.onUser(func(u *user) {
		for _, l := range u.online() {
			list = append(list, resource{l.device.resource, l.device.uuid, l.device.name})
		}
	}) {
		c.ok(envelope{Data: list})
	}
}

// getOfflineCount counts the messages that no device of the user has confirmed.
func (c *call) getOfflineCount() {
	if !c.admin() {
		return
	}
	count := 0
	if c.onUser(func(u *user) {
		for _, q := range u.queues {
			for _, s := range q.entries {
				if s.origin == "" && s.id > q.acked {
					count++
				}
			}
		}
	}) {
		c.ok(envelope{Data: map[string]int{c.params["user"]: count}})
	}
}

// disconnectUser throws all devices of a user out. The documents disagree on the method, so both work.
func (c *call) disconnectUser() {
	if _, ok := c.disconnect(func(*link) bool { return true }); ok {
		c.ok(envelope{Data: map[string]bool{"result": true}})
	}
}

// disconnectDevice throws one device of a user out; the result says whether it was online.
func (c *call) disconnectDevice() {
	if found, ok := c.disconnect(func(l *link) bool { return l.device.resource == c.params["resource"] }); ok {
		c.ok(envelope{Data: map[string]bool{"result": found}})
	}
}

// disconnect kicks the devices that are meant with 217; it has answered when ok is false.
func (c *call) disconnect(meant func(*link) bool) (found, ok bool) {
	var links []*link
	if !c.admin() || !c.onUser(func(u *user) { links = u.online() }) {
		return false, false
	}
	for _, l := range links {
		if meant(l) {
			l.kick(msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE, "disconnected over REST")
			found = true
		}
	}
	return found, true
}

package fakeserver

import (
	"errors"
	"time"
)

// autoCreatePause is the time within which the service takes a second automatic creation of one user for a clash with the first
// (token-lifecycle.md section 3: "two auto-creates in one second").
const autoCreatePause = time.Second

var errConcurrent = restError{
	status: 409, Error: "concurrent_operation_error", Exception: "ConcurrentOperationException",
	Description: "The user is being created by another request, try again in a second",
}

// inheritGrant gives an app a Chat token for one of its users, who may be created on the way (token-lifecycle.md section 3).
func (c *call) inheritGrant(name string, create bool, ttl *int64) {
	g, bad := c.bearer()
	if bad != nil {
		c.fail(errToken(bad))
		return
	}
	if !g.app {
		c.fail(errForeignToken)
		return
	}
	if bad := checkNameForm(name); bad != nil {
		c.fail(*bad)
		return
	}
	life, illegal := chatTokenLife(ttl, maxPasswordTokenLife)
	if illegal != nil {
		c.fail(*illegal)
		return
	}
	c.user = name
	now := c.srv.clock.Now()
	if create {
		_, err := c.srv.hub.register(name, "", "")
		e, _, _ := c.srv.hub.find(name)
		switch {
		case err == nil:
		case !errors.Is(err, errUserExists):
			c.fail(errIllegal(err.Error()))
			return
		case now.Sub(time.UnixMilli(e.Created)) < autoCreatePause:
			c.fail(errConcurrent)
			return
		}
	}
	c.giveChatToken(name, life)
}

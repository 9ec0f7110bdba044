package fakeserver

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// maxTargets is how many users one call may ask about.
const maxTargets = 100

// postAttributesGet tells chosen attributes of users. Every user who was asked for is in the answer, because SDKs look there unguarded.
func (c *call) postAttributesGet() {
	var req struct {
		Targets    []string `json:"targets"`
		Properties []string `json:"properties"`
	}
	if _, bad := c.bearer(); bad != nil {
		c.fail(errToken(bad))
		return
	}
	if !c.decode(&req) {
		return
	}
	if len(req.Targets) == 0 || len(req.Targets) > maxTargets {
		c.fail(errIllegal(fmt.Sprintf("want 1 to %d targets", maxTargets)))
		return
	}
	data := make(map[string]map[string]string, len(req.Targets))
	for _, name := range req.Targets {
		chosen := make(map[string]string)
		c.srv.hub.with(name, func(u *user) {
			for key, value := range u.settings().attributes {
				if slices.Contains(req.Properties, key) {
					chosen[key] = value
				}
			}
		})
		data[name] = chosen
	}
	c.ok(envelope{Data: data})
}

// getAttributes tells all attributes of one user.
func (c *call) getAttributes() {
	if _, bad := c.bearer(); bad != nil {
		c.fail(errToken(bad))
		return
	}
	data := make(map[string]string)
	c.srv.hub.with(c.params["user"], func(u *user) { maps.Copy(data, u.settings().attributes) })
	c.ok(envelope{Data: data})
}

// putAttributes sets attributes, from a form.
func (c *call) putAttributes() {
	if !c.own() {
		return
	}
	body, ok := c.read(maxBody)
	if !ok {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) == 0 {
		c.fail(errIllegal("want attributes as application/x-www-form-urlencoded"))
		return
	}
	var all map[string]string
	if c.change(func(u *user) string {
		changed := maps.Clone(u.settings().attributes)
		for key := range form {
			put(&changed, key, form.Get(key))
		}
		size := 0
		for key, value := range changed {
			size += len(key) + len(value)
		}
		if size > maxAttributes {
			return fmt.Sprintf("the attributes of a user have at most %d bytes together", maxAttributes)
		}
		u.change().attributes, all = changed, maps.Clone(changed)
		return ""
	}) {
		c.ok(envelope{Data: all})
	}
}

// deleteAttributes forgets them.
func (c *call) deleteAttributes() {
	if c.own() && c.onUser(func(u *user) { u.change().attributes = nil }) {
		c.ok(envelope{Data: true})
	}
}

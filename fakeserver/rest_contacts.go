package fakeserver

import (
	"fmt"
	"maps"
	"slices"
)

// getContacts lists a user's contacts: nobody, because the emulator keeps no address book and lets everybody write to everybody.
func (c *call) getContacts() {
	if c.own() {
		c.ok(envelope{Data: []string{}})
	}
}

// getContactPage is the same, page by page.
func (c *call) getContactPage() {
	if c.own() {
		c.ok(envelope{Data: map[string]any{"contacts": []string{}, "cursor": ""}})
	}
}

// getNoGroups lists the groups and chat rooms that a user is in: none, because there are none.
func (c *call) getNoGroups() {
	if c.own() {
		c.ok(envelope{Data: []string{}})
	}
}

// getNoGroupsCount counts them.
func (c *call) getNoGroupsCount() {
	if c.own() {
		c.ok(envelope{Data: 0})
	}
}

// getBlocks lists whose messages a user refuses.
func (c *call) getBlocks() {
	if !c.own() {
		return
	}
	names := []string{}
	c.srv.hub.with(c.params["user"], func(u *user) { names = slices.AppendSeq(names, maps.Keys(u.settings().blocked)) })
	slices.Sort(names)
	c.ok(envelope{Data: names, Count: len(names)})
}

// postBlocks adds to them.
func (c *call) postBlocks() {
	var req struct {
		Usernames []string `json:"usernames"`
	}
	if !c.own() || !c.decode(&req) {
		return
	}
	for _, name := range req.Usernames {
		if !userName.MatchString(name) {
			c.fail(errIllegal("usernames must be user ids"))
			return
		}
	}
	if c.change(func(u *user) string {
		if len(u.settings().blocked)+len(req.Usernames) > maxBlocked {
			return fmt.Sprintf("a blocklist holds at most %d users", maxBlocked)
		}
		for _, name := range req.Usernames {
			put(&u.change().blocked, name, true)
		}
		return ""
	}) {
		c.ok(envelope{Data: req.Usernames})
	}
}

// deleteBlocks takes users off the list.
func (c *call) deleteBlocks() {
	var req struct {
		Usernames []string `json:"usernames"`
	}
	if c.own() && c.decode(&req) {
		c.unblock(req.Usernames)
	}
}

// deleteBlock takes one off.
func (c *call) deleteBlock() {
	if c.own() {
		c.unblock([]string{c.params["peer"]})
	}
}

func (c *call) unblock(names []string) {
	c.srv.hub.with(c.params["user"], func(u *user) {
		for _, name := range names {
			delete(u.settings().blocked, name)
		}
	})
	c.ok(envelope{Data: names})
}

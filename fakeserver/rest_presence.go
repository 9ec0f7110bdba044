package fakeserver

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// maxWatchTime is how long a subscription to somebody's presence may run.
const maxWatchTime = 30 * 24 * time.Hour

// presenceJSON is who is where, as the SDK reads it (app-calls.md).
type presenceJSON struct {
	User     string            `json:"uid"`
	Text     string            `json:"ext"`
	Status   map[string]string `json:"status"` // "1" for each device that is online
	Seconds  int64             `json:"expiry"` // what is left of the subscription
	LastTime int64             `json:"last_time"`
}

// postPresence answers whether users are online.
func (c *call) postPresence() {
	if names, ok := c.usernames(); ok {
		c.answerPresence(names)
	}
}

// watchPresence subscribes to users' presence, and answers with it. Nobody is told when it changes: that is a gap.
func (c *call) watchPresence() {
	seconds, err := strconv.ParseInt(c.params["seconds"], 10, 32)
	if err != nil || seconds < 1 || time.Duration(seconds)*time.Second > maxWatchTime {
		c.fail(errIllegal("a subscription lasts 1 second to 30 days"))
		return
	}
	names, ok := c.usernames()
	if !ok {
		return
	}
	now := c.srv.clock.Now()
	if c.change(func(u *user) string {
		maps.DeleteFunc(u.settings().watched, func(_ string, until time.Time) bool { return !now.Before(until) })
		if len(u.settings().watched)+len(names) > maxSubscriptions {
			return fmt.Sprintf("at most %d subscriptions", maxSubscriptions)
		}
		for _, name := range names {
			put(&u.change().watched, name, now.Add(time.Duration(seconds)*time.Second))
		}
		return ""
	}) {
		c.answerPresence(names)
	}
}

// usernames reads who the call is about; it has answered when ok is false.
func (c *call) usernames() (names []string, ok bool) {
	var req struct {
		Usernames []string `json:"usernames"`
	}
	if !c.own() || !c.decode(&req) {
		return nil, false
	}
	if len(req.Usernames) == 0 || len(req.Usernames) > maxTargets {
		c.fail(errIllegal(fmt.Sprintf("want 1 to %d usernames", maxTargets)))
		return nil, false
	}
	for _, name := range req.Usernames {
		if !userName.MatchString(name) {
			c.fail(errIllegal("usernames must be user ids"))
			return nil, false
		}
	}
	return req.Usernames, true
}

func (c *call) answerPresence(names []string) {
	now := c.srv.clock.Now()
	var watched map[string]time.Time
	c.srv.hub.with(c.params["user"], func(u *user) { watched = maps.Clone(u.settings().watched) })
	list := make([]presenceJSON, len(names))
	for i, name := range names {
		p := presenceJSON{User: name, Status: map[string]string{}, LastTime: now.Unix()}
		c.srv.hub.with(name, func(u *user) {
			p.Text = u.settings().presence
			for _, l := range u.online() {
				p.Status[l.device.resource] = "1"
			}
		})
		if until, ok := watched[name]; ok && now.Before(until) {
			p.Seconds = int64(until.Sub(now) / time.Second)
		}
		list[i] = p
	}
	c.answer(http.StatusOK, map[string]any{"result": list})
}

// unwatchPresence ends subscriptions.
func (c *call) unwatchPresence() {
	var names []string
	if !c.own() || !c.decode(&names) {
		return
	}
	c.srv.hub.with(c.params["user"], func(u *user) {
		for _, name := range names {
			delete(u.settings().watched, name)
		}
	})
	c.answer(http.StatusOK, map[string]string{"result": "ok"})
}

// getWatched lists subscriptions, page by page; pages count from 0.
func (c *call) getWatched() {
	if !c.own() {
		return
	}
	type subscription struct {
		User  string `json:"uid"`
		Until int64  `json:"expiry"` // Unix s
	}
	now := c.srv.clock.Now()
	list := []subscription{}
	c.srv.hub.with(c.params["user"], func(u *user) {
		for _, name := range slices.Sorted(maps.Keys(u.settings().watched)) {
			if until := u.settings().watched[name]; now.Before(until) {
				list = append(list, subscription{name, until.Unix()})
			}
		}
	})
	total := len(list)
	size := c.number("pageSize", defaultConversations, maxTargets)
	from := min(c.number("pageNum", 0, maxPage)*size, total)
	c.answer(http.StatusOK, map[string]any{"result": map[string]any{"sublist": list[from:min(from+size, total)], "totalnum": total}})
}

// publishPresence sets the text that goes with a user's presence.
func (c *call) publishPresence() {
	var req struct {
		Text string `json:"ext"`
	}
	if !c.own() || !c.decode(&req) {
		return
	}
	if len(req.Text) > maxPresenceText {
		c.fail(errIllegal(fmt.Sprintf("ext has at most %d bytes", maxPresenceText)))
		return
	}
	if c.onUser(func(u *user) { u.change().presence = printable.Line(req.Text, maxPresenceText) }) {
		c.answer(http.StatusOK, map[string]string{"result": "ok"})
	}
}

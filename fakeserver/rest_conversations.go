package fakeserver

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// Sizes of a page of conversations.
const (
	defaultConversations = 20
	maxConversations     = 100
	maxPage              = 1 << 20
)

// fullName is a user in a list of conversations, such as "org#app_bob@easemob.com".
func (h *hub) fullName(user string) string { return h.cfg.appKey() + "_" + user + "@" + msync.Domain }

// channel is a conversation in a list; the two lists that SDKs ask for name the peer differently (app-calls.md).
type channel struct {
	ID      string `json:"channel_id,omitempty"`
	Type    string `json:"session_type,omitempty"`
	Peer    string `json:"session_to,omitempty"`
	Unread  int    `json:"unread_num"`
	IsTop   bool   `json:"is_top"`
	TopAt   int64  `json:"update_top_status_time"` // Unix ms, 0 when it is not on top
	Message any    `json:"meta"`                   // the last one, {} when there is none

	last uint64
}

// channels is the answer to both.
type channels struct {
	List   []channel `json:"channel_infos"`
	Cursor string    `json:"cursor"`
}

// conversations lists what one user sees, the latest first.
func (h *hub) conversations(name string, onlyTop bool) []channel {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []channel{}
	for _, c := range h.past.of(name) {
		i := c.side(name)
		if onlyTop && c.sides[i].topAt.IsZero() {
			continue
		}
		ch := channel{Peer: c.peer(name), Unread: c.unread(i), Message: struct{}{}, last: c.last()}
		if at := c.sides[i].topAt; !at.IsZero() {
			ch.IsTop, ch.TopAt = true, at.UnixMilli()
		}
		if seen := c.seen(i); len(seen) > 0 {
			if m := h.renderMessage(seen[len(seen)-1].meta()); m != nil {
				ch.Message = m
			}
		}
		list = append(list, ch)
	}
	return list
}

// getConversationPage is the older list, by page number.
func (c *call) getConversationPage() {
	if !c.own() {
		return
	}
	number, size := c.number("pageNum", 1, maxPage), c.number("pageSize", defaultConversations, maxConversations)
	all := c.srv.hub.conversations(c.params["user"], false)
	from := min((number-1)*size, len(all))
	page := all[from:min(from+size, len(all))]
	for i := range page {
		page[i].ID, page[i].Peer = c.srv.hub.fullName(page[i].Peer), ""
	}
	c.ok(envelope{Data: channels{List: page}})
}

// getConversationList is the newer list, by cursor; is_top asks for the conversations on top alone.
func (c *call) getConversationList() {
	if !c.own() {
		return
	}
	limit := c.number("limit", defaultConversations, maxConversations)
	before := c.number("cursor", 0, math.MaxInt)
	answer := channels{List: []channel{}}
	for _, ch := range c.srv.hub.conversations(c.params["user"], c.r.URL.Query().Get("is_top") == "true") {
		if before > 0 && ch.last >= uint64(before) {
			continue
		}
		if len(answer.List) == limit {
			answer.Cursor = messageID(answer.List[limit-1].last)
			break
		}
		ch.Type = "chat"
		answer.List = append(answer.List, ch)
	}
	c.ok(envelope{Data: answer})
}

// number reads a number from 1 to most of the query; what is missing or senseless is otherwise.
func (c *call) number(name string, otherwise, most int) int {
	n, err := strconv.Atoi(c.r.URL.Query().Get(name))
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, most)
}

// deleteConversation takes a conversation off the caller's list, and its messages too when that is asked for.
func (c *call) deleteConversation() {
	var req struct {
		Channel    string `json:"channel"`
		Type       string `json:"type"`
		DeleteRoam bool   `json:"delete_roam"`
	}
	if !c.own() || !c.decode(&req) {
		return
	}
	c.srv.hub.inConversation(c.params["user"], req.Channel, func(conv *conversation, i int) {
		conv.sides[i].hidden, conv.sides[i].topAt = true, time.Time{}
		if req.DeleteRoam {
			conv.clear(i, func(remembered) bool { return true })
		}
	})
	c.ok(envelope{Data: map[string]string{"result": "ok"}})
}

// topConversation puts a conversation on top of the caller's list.
func (c *call) topConversation() {
	var req struct {
		To   string `json:"to"`
		Type string `json:"type"`
	}
	if c.own() && c.decode(&req) {
		c.setTop(req.To, c.srv.clock.Now())
	}
}

func (c *call) untopConversation() {
	if c.own() {
		c.setTop(c.r.URL.Query().Get("to"), time.Time{})
	}
}

func (c *call) setTop(peer string, at time.Time) {
	if !c.srv.hub.inConversation(c.params["user"], peer, func(conv *conversation, i int) { conv.sides[i].topAt = at }) {
		c.fail(errNoSuchResource)
		return
	}
	var answer struct {
		IsTop bool  `json:"is_top"`
		At    int64 `json:"update_top_status_time"`
	}
	if !at.IsZero() {
		answer.IsTop, answer.At = true, at.UnixMilli()
	}
	c.ok(envelope{Data: answer})
}

// pinRequest names a message to pin or unpin.
type pinRequest struct {
	To        string `json:"to"`
	Type      string `json:"type"`
	MessageID string `json:"pin_msg_id"`
}

func (c *call) pinMessage() { c.setPin(&pin{c.srv.clock.Now(), c.params["user"]}) }

func (c *call) unpinMessage() { c.setPin(nil) }

// setPin pins a message for both sides, or lets it go when p is nil.
func (c *call) setPin(p *pin) {
	var req pinRequest
	if !c.own() || !c.decode(&req) {
		return
	}
	name, found := c.params["user"], false
	id, _ := strconv.ParseUint(req.MessageID, 10, 64) // 0 is no message's id
	c.srv.hub.inConversation(name, req.To, func(conv *conversation, _ int) {
		if k := conv.find(id); k >= 0 {
			conv.entries[k].pin = p
			found = true
		}
	})
	if !found {
		c.fail(errNoSuchResource)
		return
	}
	c.ok(envelope{})
}

// getPins lists the pinned messages of a conversation, the latest pin first.
func (c *call) getPins() {
	if !c.own() {
		return
	}
	type pinned struct {
		Message  *messageJSON `json:"message"`
		At       int64        `json:"pin_opt_at"` // Unix ms
		Operator string       `json:"pin_operator"`
	}
	pins := []pinned{}
	c.srv.hub.inConversation(c.params["user"], c.r.URL.Query().Get("to"), func(conv *conversation, i int) {
		for _, r := range conv.seen(i) {
			if r.pin != nil {
				if m := c.srv.hub.renderMessage(r.meta()); m != nil {
					pins = append(pins, pinned{m, r.pin.at.UnixMilli(), r.pin.by})
				}
			}
		}
	})
	slices.SortFunc(pins, func(a, b pinned) int {
		return cmp.Or(cmp.Compare(b.At, a.At), strings.Compare(b.Message.ID, a.Message.ID))
	})
	limit := c.number("limit", 10, maxRoaming)
	from := c.number("cursor", 0, len(pins))
	next := min(from+limit, len(pins))
	answer := struct {
		Pins   []pinned `json:"msg_infos"`
		Cursor string   `json:"cursor"`
	}{pins[from:next], ""}
	if next < len(pins) {
		answer.Cursor = strconv.Itoa(next)
	}
	c.ok(envelope{Data: answer})
}

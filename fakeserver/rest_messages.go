package fakeserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// maxReceivers is how many users one call may write to (token-lifecycle.md section 3).
const maxReceivers = 600

// adminSender is who a message is from when the call does not say.
const adminSender = "admin"

var errMessageTooLarge = errIllegal("message is too large")

// postMessages sends a message of the app's server to users. The answer names the id that each of them gets (protocol.md e).
func (c *call) postMessages() {
	var req struct {
		From       *string                    `json:"from"`
		To         []string                   `json:"to"`
		Type       string                     `json:"type"`
		Body       json.RawMessage            `json:"body"`
		Ext        map[string]json.RawMessage `json:"ext"`
		RouteType  string                     `json:"routetype"`
		SyncDevice bool                       `json:"sync_device"`
	}
	if !c.admin() || !c.decode(&req) {
		return
	}
	from := adminSender
	if req.From != nil {
		from = *req.From
	}
	if !userName.MatchString(from) {
		c.fail(errIllegal("from must be a user id"))
		return
	}
	if len(req.To) == 0 || len(req.To) > maxReceivers {
		c.fail(errIllegal(fmt.Sprintf("want 1 to %d receivers", maxReceivers)))
		return
	}
	for _, name := range req.To {
		if !userName.MatchString(name) {
			c.fail(errIllegal(fmt.Sprintf("the receiver %q is no user id", printable.Line(name, 64))))
			return
		}
	}
	meta := &msync.Meta{}
	switch req.RouteType {
	case "", "ROUTE_ALL":
	case "ROUTE_ONLINE":
		meta.Routetype = msync.Meta_ROUTE_ONLINE.Enum()
	default:
		c.fail(errIllegal("routetype must be ROUTE_ONLINE, or absent"))
		return
	}
	content, err := parseContent(req.Type, req.Body)
	if err != nil {
		c.fail(errIllegal(err.Error()))
		return
	}
	body := &msync.MessageBody{
		Type: msync.MessageBody_CHAT.Enum(), Contents: []*msync.MessageBody_Content{content}, Ext: keyValues(req.Ext),
	}
	if proto.Size(body) > maxMessage {
		c.fail(errMessageTooLarge)
		return
	}
	if !c.limit(c.rest.receivers, len(req.To)) {
		return
	}
	ids := make(map[string]string, len(req.To))
	slices.Sort(req.To)
	for _, to := range slices.Compact(req.To) {
		id, err := c.srv.hub.sendAs(from, to, body, meta, req.SyncDevice)
		if errors.Is(err, errUserUnknown) {
			continue // the answer names only those who get it
		} else if err != nil {
			c.fail(errIllegal(err.Error()))
			return
		}
		ids[to] = messageID(id)
	}
	c.ok(envelope{Data: ids})
}

// sendAs stores a message in the name of a user, who need not exist. A receiver's blocklist does not stop it: the app's server decides.
func (h *hub) sendAs(from, to string, body *msync.MessageBody, meta *msync.Meta, mirror bool) (id uint64, err error) {
	h.mu.Lock()
	sender, known := h.users[from]
	h.mu.Unlock()
	if !known {
		sender = &user{name: from}
	}
	out := outgoing{from: sender, to: to, sender: msync.EncodeJID(h.appKey, from, ""), body: body, mirror: mirror}
	if err := h.address(&out, nil, meta); err != nil {
		return 0, err
	}
	rec, err := h.store(&out)
	if err != nil {
		return 0, err
	}
	if rec.forEcho && known {
		h.echo(from, body, rec.id)
	}
	return rec.id, nil
}

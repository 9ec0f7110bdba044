package fakeserver

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// Sizes of a page of history.
const (
	defaultRoaming = 20
	maxRoaming     = 50
)

// cursor is a message id as SDKs send it: text, a number, -1 or nothing. It is 0 when it names no message.
type cursor uint64

// UnmarshalJSON implements json.Unmarshaler.
func (k *cursor) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	if text == "" || text == "null" || text == "-1" {
		*k = 0
		return nil
	}
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return errors.New("not a message id")
	}
	*k = cursor(id)
	return nil
}

// roamingRequest asks for a page of a conversation (app-calls.md).
type roamingRequest struct {
	Queue    string `json:"queue"` // the peer, with the domain of users or of groups
	Start    cursor `json:"start"` // the last message that the client has
	Limit    int    `json:"pull_number"`
	Positive bool   `json:"is_positive"` // from older to newer messages
	Types    string `json:"msgType"`     // separated by commas
	From     *int64 `json:"startTime"`   // Unix ms
	To       *int64 `json:"endTime"`     // Unix ms
}

func (q roamingRequest) wants(r remembered) bool {
	at := int64(r.meta().GetTimestamp()) //nolint:gosec // milliseconds of our own clock
	if q.From != nil && at < *q.From || q.To != nil && at > *q.To {
		return false
	}
	if q.Start != 0 && (q.Positive && r.id <= uint64(q.Start) || !q.Positive && r.id >= uint64(q.Start)) {
		return false
	}
	return q.Types == "" || slices.Contains(strings.Split(q.Types, ","), kindOfMessage(r.meta()))
}

// page chooses from the messages, oldest first, those of the page, in the order in which the client wants them.
func (q roamingRequest) page(all []remembered) (page []remembered, isLast bool) {
	page = slices.DeleteFunc(all, func(r remembered) bool { return !q.wants(r) })
	if !q.Positive {
		slices.Reverse(page)
	}
	if len(page) <= q.Limit {
		return page, true
	}
	return page[:q.Limit], false
}

// kindOfMessage is the name that REST has for the message in a meta.
func kindOfMessage(meta *msync.Meta) string {
	var body msync.MessageBody
	if proto.Unmarshal(meta.GetPayload(), &body) != nil || len(body.GetContents()) == 0 {
		return ""
	}
	c := body.GetContents()[0]
	if c.SubType != nil && c.GetSubType() == msync.MessageBody_Content_SUB_COMBINE {
		return "combine"
	}
	return kindOfContent(c)
}

// postRoaming answers with a page of a conversation's history, each message as the bytes of its Meta. Groups have none here.
func (c *call) postRoaming() {
	var q roamingRequest
	if !c.own() || !c.decode(&q) {
		return
	}
	if q.Limit == 0 {
		q.Limit = defaultRoaming
	}
	if q.Limit < 1 || q.Limit > maxRoaming {
		c.fail(errIllegal("pull_number must be 1 to 50"))
		return
	}
	peer, domain, _ := strings.Cut(q.Queue, "@")
	var all []remembered
	if domain == msync.Domain || domain == "" {
		c.srv.hub.inConversation(c.params["user"], peer, func(conv *conversation, i int) { all = conv.seen(i) })
	}
	type message struct {
		Meta string `json:"msg"`
	}
	var data struct {
		Messages []message `json:"msgs"`
		NextKey  string    `json:"next_key"`
		IsLast   bool      `json:"is_last"`
	}
	page, isLast := q.page(all)
	data.Messages, data.IsLast = []message{}, isLast
	for _, r := range page {
		data.Messages = append(data.Messages, message{base64.StdEncoding.EncodeToString(r.raw)})
		data.NextKey = messageID(r.id)
	}
	c.ok(envelope{Data: data})
}

// inConversation runs f on what a user and a peer said, with mu held; false means that they said nothing.
func (h *hub) inConversation(user, peer string, f func(c *conversation, side int)) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.past.between(user, peer)
	if c == nil {
		return false
	}
	f(c, c.side(user))
	return true
}

// deleteMessages takes some messages out of the caller's view; the peer keeps them.
func (c *call) deleteMessages() {
	ids := strings.Split(c.r.URL.Query().Get("msgIdList"), ",")
	c.clear(c.r.URL.Query().Get("userId"), func(r remembered) bool { return slices.Contains(ids, messageID(r.id)) })
}

// deleteMessagesBefore does the same for all up to an instant.
func (c *call) deleteMessagesBefore() {
	until, err := strconv.ParseUint(c.r.URL.Query().Get("delTime"), 10, 64)
	if err != nil {
		c.fail(errIllegal("delTime must be a time in milliseconds"))
		return
	}
	c.clear(c.r.URL.Query().Get("userId"), func(r remembered) bool { return r.meta().GetTimestamp() <= until })
}

func (c *call) clear(peer string, which func(remembered) bool) {
	if !c.own() {
		return
	}
	c.srv.hub.inConversation(c.params["user"], peer, func(conv *conversation, i int) { conv.clear(i, which) })
	c.ok(envelope{})
}

// deleteAllMessages empties the caller's view, list and all.
func (c *call) deleteAllMessages() {
	if !c.own() {
		return
	}
	h := c.srv.hub
	h.mu.Lock()
	h.past.forget(c.params["user"])
	h.mu.Unlock()
	c.ok(envelope{})
}

// messageJSON is a message in a list of conversations. The SDK parses the payload by itself (app-calls.md).
type messageJSON struct {
	ID        string `json:"id"`
	From      string `json:"from"`
	To        string `json:"to"`
	Timestamp uint64 `json:"timestamp"`
	Payload   string `json:"payload"`
}

// renderMessage writes a message for a list; nil when it cannot be read.
func (h *hub) renderMessage(meta *msync.Meta) *messageJSON {
	var body msync.MessageBody
	if err := proto.Unmarshal(meta.GetPayload(), &body); err != nil {
		return nil
	}
	payload := struct {
		Bodies []contentJSON  `json:"bodies"`
		Ext    map[string]any `json:"ext"`
		From   string         `json:"from"`
		To     string         `json:"to"`
		Type   string         `json:"type"`
		Meta   any            `json:"meta,omitempty"`
	}{[]contentJSON{}, plainValues(body.GetExt()), body.GetFrom().GetName(), body.GetTo().GetName(), "chat", nil}
	for _, c := range body.GetContents() {
		payload.Bodies = append(payload.Bodies, renderContent(c))
	}
	if raw := json.RawMessage(body.GetMeta()); len(raw) > 0 && raw[0] == '{' && json.Valid(raw) {
		payload.Meta = raw
	}
	b, err := json.Marshal(payload)
	if err != nil {
		return nil
	}
	return &messageJSON{
		ID: messageID(meta.GetId()), From: h.fullName(payload.From), To: h.fullName(payload.To),
		Timestamp: meta.GetTimestamp(), Payload: string(b),
	}
}

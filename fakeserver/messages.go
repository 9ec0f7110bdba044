package fakeserver

import (
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// maxMessage is the documented 5 KB of a message's body and extension, plus room for the fields around them (token-lifecycle.md section 3).
const maxMessage = 5<<10 + 512

// sending is a message of the client on its way through the checks.
type sending struct {
	id   uint64 // the sender's own
	to   string
	size int // of the Meta
	body *msync.MessageBody
	meta *msync.Meta // the whole message; nil for a plain text
}

// plainBody stands for the body of a plain text, which nobody looks into.
var plainBody = &msync.MessageBody{Type: msync.MessageBody_CHAT.Enum()}

// sendText takes a plain text the short way. It is false when the message is for somebody who has to read it.
func (l *link) sendText(t *msync.PlainText) bool {
	to := string(t.To)
	if to == l.srv.cfg.EchoUser {
		return false
	}
	l.take(&sending{id: t.ID, to: to, size: t.Size, body: plainBody}, t)
	return true
}

// send takes a message of the client: checks it, stores it and answers with the server's id and time (protocol.md c, "Send").
func (l *link) send(meta *msync.Meta) {
	switch meta.GetNs() {
	case msync.Meta_STATISTIC:
		return // needs no answer, and family E of the SDKs takes one for a reason to pull again (protocol-versions.md, note 3)
	case msync.Meta_CHAT:
	default:
		l.refuse(meta.GetId(), msync.Status_FAIL, meta.GetNs().String()+" is not simulated")
		return
	}
	var body msync.MessageBody
	if err := proto.Unmarshal(meta.GetPayload(), &body); err != nil {
		l.refuse(meta.GetId(), msync.Status_PB_PARSER_ERROR, "the message body cannot be read")
		return
	}
	if t := body.GetType(); t == msync.MessageBody_GROUPCHAT || t == msync.MessageBody_CHATROOM {
		l.refuse(meta.GetId(), msync.Status_FAIL, "group not found")
		return
	}
	l.take(&sending{id: meta.GetId(), to: meta.GetTo().GetName(), size: proto.Size(meta), body: &body, meta: meta}, nil)
}

// take checks, stores and answers. A plain text comes apart, because the compiler would have it on the heap with the rest.
func (l *link) take(m *sending, text *msync.PlainText) {
	fate := l.faultySend(m.id, m.body)
	switch {
	case fate == sendHandled:
		return
	case !userName.MatchString(m.to):
		l.refuse(m.id, msync.Status_WRONG_PARAMETER, "the receiver is no user id")
		return
	case m.size > maxMessage:
		l.refuse(m.id, msync.Status_PERMISSION_DENIED, "Sorry, data is too large")
		return
	case m.body.GetType() == msync.MessageBody_EDIT && !l.srv.hub.noteEdit(l.user.name, m.to, m.body):
		l.refuse(m.id, msync.Status_FAIL, "there is no such message to edit")
		return
	}
	var out outgoing // field by field, because a literal would be made elsewhere on the stack first; see BenchmarkTalkerStack
	out.at, out.from, out.device, out.to = l.heard, l.user, l.device, m.to
	out.sender, out.body = l.jid(), m.body
	if text != nil {
		out.plain, out.text, out.once = true, *text, once(text.ID, m.to, text.Body)
	} else if !l.compose(m, &out) {
		l.refuse(m.id, msync.Status_PB_PARSER_ERROR, "the message body cannot be written")
		return
	}
	rec, err := l.srv.hub.keep(&out, &l.told)
	switch {
	case errors.Is(err, errClosing):
		return
	case errors.Is(err, errUserUnknown):
		l.refuse(m.id, msync.Status_FAIL, "user not found")
		return
	case err != nil:
		l.refuse(m.id, msync.Status_FAIL, err.Error())
		return
	}
	switch {
	case fate == sendUnanswered:
	case m.body.GetType() != msync.MessageBody_EDIT:
		l.answerFrame(msync.AnswerFrame(m.id, rec.id, rec.timestamp))
	default:
		l.push(msync.MSync_SYNC, &msync.CommSyncDL{
			Status: okStatus(), MetaId: new(m.id), ServerId: new(rec.id), Timestamp: new(rec.timestamp), Metas: l.srv.hub.editAnswer(m.body, rec),
		})
	}
	if rec.forEcho {
		l.srv.hub.echo(l.user.name, m.body, rec.id)
	}
}

// compose writes a message that is more than a plain text. It is false when that cannot be done.
func (l *link) compose(m *sending, out *outgoing) bool {
	written := m.meta.GetPayload()
	if m.body.GetType() == msync.MessageBody_EDIT { // noteEdit has changed it
		written = nil
	}
	return l.srv.hub.address(out, written, m.meta) == nil
}

func (l *link) refuse(id uint64, code msync.Status_ErrorCode, reason string) {
	l.push(msync.MSync_SYNC, &msync.CommSyncDL{Status: status(code, reason), MetaId: &id})
}

// address writes the message that receivers get. Who it is from is what the connection proved, never what the sender wrote. Where the
// body is still as somebody wrote it, that is there too.
func (h *hub) address(m *outgoing, written []byte, meta *msync.Meta) error {
	m.once, m.receiver = once(meta.GetId(), meta.GetTo().GetName(), meta.GetPayload()), msync.EncodeJID(h.appKey, m.to, "")
	m.onlyLive, m.receipt = meta.GetRoutetype() == msync.Meta_ROUTE_ONLINE, isReceipt(m.body)
	if meta.Routetype != nil || len(meta.GetExt()) > 0 || meta.Meta != nil {
		m.rest = &msync.Meta{Routetype: meta.Routetype, Ext: meta.GetExt(), Meta: meta.Meta}
	}
	if written != nil {
		var ok bool
		if m.payload, ok = msync.Readdress(written, msync.BareJID(m.sender), m.receiver); ok {
			return nil
		}
	}
	var err error
	m.body.From, m.body.To = h.jid(m.from.name, ""), h.jid(m.to, "")
	m.payload, err = proto.Marshal(m.body)
	return err
}

// isReceipt reports whether a body only confirms other messages (protocol.md b.4).
func isReceipt(body *msync.MessageBody) bool {
	switch body.GetType() {
	case msync.MessageBody_READ_ACK, msync.MessageBody_DELIVER_ACK, msync.MessageBody_CHANNEL_ACK:
		return true
	default:
		return false
	}
}

// echo is the emulator's own user: it confirms what it is told, as an SDK with delivery receipts does, and says it back.
func (h *hub) echo(to string, told *msync.MessageBody, id uint64) {
	if t := told.GetType(); t != msync.MessageBody_CHAT && t != msync.MessageBody_NORMAL {
		return
	}
	h.say(to, msync.DeliveryAck(h.cfg.EchoUser, to, id))
	if text, ok := msync.Text(told); ok {
		h.say(to, msync.TextBody(h.cfg.EchoUser, to, text))
	}
}

// say stores a message of the echo user.
func (h *hub) say(to string, body *msync.MessageBody) {
	h.mu.Lock()
	from := h.users[h.cfg.EchoUser]
	h.mu.Unlock()
	if from == nil { // deleted over REST
		return
	}
	out := outgoing{from: from, to: to, sender: msync.EncodeJID(h.appKey, from.name, ""), body: body}
	err := h.address(&out, nil, &msync.Meta{})
	if err == nil {
		_, err = h.store(&out)
	}
	if err != nil {
		h.cfg.Log.Error("the echo user could not answer", "to", to, "error", err)
	}
}

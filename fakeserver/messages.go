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
	// meta is the whole message; nil when text is.
	meta *msync.Meta
	text msync.PlainText
}

// plainBody stands for the body of a plain text, which nobody looks into.
var plainBody = &msync.MessageBody{Type: msync.MessageBody_CHAT.Enum()}

// sendText takes a plain text the short way. It is false when the message is for somebody who has to read it.
func (l *link) sendText(t msync.PlainText) bool {
	to := string(t.To)
	if to == l.srv.cfg.EchoUser {
		return false
	}
	l.take(&sending{id: t.ID, to: to, size: t.Size, body: plainBody, text: t})
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
	l.take(&sending{id: meta.GetId(), to: meta.GetTo().GetName(), size: proto.Size(meta), body: &body, meta: meta})
}

// take checks, stores and answers.
func (l *link) take(m *sending) {
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
	out, err := l.outgoing(m)
	if err != nil {
		l.refuse(m.id, msync.Status_PB_PARSER_ERROR, "the message body cannot be written")
		return
	}
	out.at = l.heard
	rec, err := l.srv.hub.store(&out)
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

// outgoing makes the message that receivers get.
func (l *link) outgoing(m *sending) (outgoing, error) {
	h := l.srv.hub
	if m.meta == nil {
		return outgoing{
			from: l.user, device: l.device, to: m.to, once: once(m.text.ID, m.to, m.text.Body), sender: h.jidOf(l.user, l.device), body: m.body, plain: true, text: m.text,
		}, nil
	}
	written := m.meta.GetPayload()
	if m.body.GetType() == msync.MessageBody_EDIT { // noteEdit has changed it
		written = nil
	}
	return h.address(l.user, l.device, m.to, m.body, written, m.meta)
}

func (l *link) refuse(id uint64, code msync.Status_ErrorCode, reason string) {
	l.push(msync.MSync_SYNC, &msync.CommSyncDL{Status: status(code, reason), MetaId: &id})
}

// address makes the message that receivers get. Who it is from is what the connection proved, never what the sender wrote. Where the
// body is still as somebody wrote it, that is there too.
func (h *hub) address(from *user, device *device, to string, body *msync.MessageBody, written []byte, meta *msync.Meta) (outgoing, error) {
	m := outgoing{
		from: from, device: device, to: to, once: once(meta.GetId(), meta.GetTo().GetName(), meta.GetPayload()), body: body,
		sender: h.jidOf(from, device), receiver: msync.EncodeJID(h.appKey, to, ""),
		onlyLive: meta.GetRoutetype() == msync.Meta_ROUTE_ONLINE, receipt: isReceipt(body),
	}
	if meta.Routetype != nil || len(meta.GetExt()) > 0 || meta.Meta != nil {
		m.rest = &msync.Meta{Routetype: meta.Routetype, Ext: meta.GetExt(), Meta: meta.Meta}
	}
	if written != nil {
		var ok bool
		if m.payload, ok = msync.Readdress(written, h.jidOf(from, nil), m.receiver); ok {
			return m, nil
		}
	}
	var err error
	body.From, body.To = h.jid(from.name, ""), h.jid(to, "")
	m.payload, err = proto.Marshal(body)
	return m, err
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
	out, err := h.address(from, nil, to, body, nil, &msync.Meta{})
	if err == nil {
		_, err = h.store(&out)
	}
	if err != nil {
		h.cfg.Log.Error("the echo user could not answer", "to", to, "error", err)
	}
}

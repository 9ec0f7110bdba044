package fakeserver

import (
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// maxMessage is the documented 5 KB of a message's body and extension, plus room for the fields around them (token-lifecycle.md section 3).
const maxMessage = 5<<10 + 512

// send takes a message of the client: checks it, stores it and answers with the server's id and time (protocol.md c, "Send").
func (l *link) send(meta *msync.Meta) {
	switch meta.GetNs() {
	case msync.Meta_STATISTIC:
		return // needs no answer, and family E of the SDKs takes one for a reason to pull again (protocol-versions.md, note 3)
	case msync.Meta_CHAT:
	default:
		l.refuse(meta, msync.Status_FAIL, meta.GetNs().String()+" is not simulated")
		return
	}
	var body msync.MessageBody
	if err := proto.Unmarshal(meta.GetPayload(), &body); err != nil {
		l.refuse(meta, msync.Status_PB_PARSER_ERROR, "the message body cannot be read")
		return
	}
	if t := body.GetType(); t == msync.MessageBody_GROUPCHAT || t == msync.MessageBody_CHATROOM {
		l.refuse(meta, msync.Status_FAIL, "group not found")
		return
	}
	fate := l.faultySend(meta, &body)
	if fate == sendHandled {
		return
	}
	to := meta.GetTo().GetName()
	if !userName.MatchString(to) {
		l.refuse(meta, msync.Status_WRONG_PARAMETER, "the receiver is no user id")
		return
	}
	if proto.Size(meta) > maxMessage {
		l.refuse(meta, msync.Status_PERMISSION_DENIED, "Sorry, data is too large")
		return
	}
	if body.GetType() == msync.MessageBody_EDIT && !l.srv.hub.noteEdit(l.user.name, to, &body) {
		l.refuse(meta, msync.Status_FAIL, "there is no such message to edit")
		return
	}
	out, err := l.srv.hub.address(l.user, l.device, to, &body, meta)
	if err != nil {
		l.refuse(meta, msync.Status_PB_PARSER_ERROR, "the message body cannot be written")
		return
	}
	rec, err := l.srv.hub.store(out)
	if errors.Is(err, errUserUnknown) {
		l.refuse(meta, msync.Status_FAIL, "user not found")
		return
	} else if err != nil {
		l.refuse(meta, msync.Status_FAIL, err.Error())
		return
	}
	switch {
	case fate == sendUnanswered:
	case body.GetType() != msync.MessageBody_EDIT:
		l.pushFrame(msync.AnswerFrame(meta.GetId(), rec.id, rec.timestamp))
	default:
		l.push(msync.MSync_SYNC, &msync.CommSyncDL{
			Status: okStatus(), MetaId: meta.Id, ServerId: &rec.id, Timestamp: &rec.timestamp, Metas: l.srv.hub.editAnswer(&body, rec),
		})
	}
	if rec.forEcho {
		l.srv.hub.echo(l.user.name, &body, rec.id)
	}
}

func (l *link) refuse(meta *msync.Meta, code msync.Status_ErrorCode, reason string) {
	l.push(msync.MSync_SYNC, &msync.CommSyncDL{Status: status(code, reason), MetaId: new(meta.GetId())})
}

// address makes the meta that receivers get. Who it is from is what the connection proved, never what the sender wrote.
func (h *hub) address(from *user, device *device, to string, body *msync.MessageBody, meta *msync.Meta) (outgoing, error) {
	sender, receiver := from.jid, h.jid(to, "")
	body.From, body.To = sender, receiver
	if device != nil {
		sender = device.jid
	}
	payload, err := proto.Marshal(body)
	if err != nil {
		return outgoing{}, err
	}
	return outgoing{
		from: from, device: device, to: to, once: once(meta), body: body,
		onlyLive: meta.GetRoutetype() == msync.Meta_ROUTE_ONLINE, receipt: isReceipt(body),
		meta: &msync.Meta{
			From: sender, To: receiver, Ns: msync.Meta_CHAT.Enum(), Payload: payload,
			Routetype: meta.Routetype, Ext: meta.GetExt(), Meta: meta.GetMeta(),
		},
	}, nil
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
	out, err := h.address(from, nil, to, body, &msync.Meta{})
	if err == nil {
		_, err = h.store(out)
	}
	if err != nil {
		h.cfg.Log.Error("the echo user could not answer", "to", to, "error", err)
	}
}

package chat

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// frame handles one frame of the present link. What cannot be read is logged and left alone, as the SDK does.
func (l *loop) frame(m *msync.MSync) {
	var err error
	switch m.GetCommand() {
	case msync.MSync_UNREAD:
		err = l.unread(m)
	case msync.MSync_NOTICE:
		var notice msync.CommNotice
		if err = msync.Payload(m, &notice); err == nil {
			l.mail.announce(l.link, notice.GetQueue().GetName(), l.cfg)
		}
	case msync.MSync_SYNC:
		err = l.sync(m)
	}
	if err != nil {
		l.cfg.Log.Warn("a frame could not be read", "command", m.GetCommand().String(), "error", err)
	}
}

// unread is the service's clock and the list of queues that hold something (protocol.md b.3, d.3).
func (l *loop) unread(m *msync.MSync) error {
	var down msync.CommUnreadDL
	if err := msync.Payload(m, &down); err != nil {
		return err
	}
	for _, q := range down.GetUnread() {
		l.mail.announce(l.link, q.GetQueue().GetName(), l.cfg)
	}
	ms := down.GetTimestamp()
	if ms == 0 || ms >= 1<<53 {
		return nil
	}
	at := time.UnixMilli(int64(ms))
	if asked, ok := l.link.answered(); ok {
		l.answer(reading{asked: asked, heard: l.cfg.Clock.Now(), from: at, to: at.Add(time.Millisecond)})
	}
	l.decide(inServerClock{l.link.gen, at})
	return nil
}

// sync is the answer to a send, or a batch of messages. One that cannot be read may have been the batch that was asked for, and none will
// come in its place.
func (l *loop) sync(m *msync.MSync) error {
	var down msync.CommSyncDL
	if err := msync.Payload(m, &down); err != nil {
		l.mail.pulled(l.link, l.cfg)
		return err
	}
	if down.GetMetaId() != 0 {
		l.sendAnswer(&down)
		return nil
	}
	if down.Status == nil {
		l.mail.pulled(l.link, l.cfg)
		return fmt.Errorf("%w sync: a batch without a status", msync.ErrMalformed)
	}
	link := l.link
	for _, meta := range down.GetMetas() {
		l.meta(meta)
		if l.link != link { // a kick has ended it
			return nil
		}
	}
	if queue := down.GetQueue().GetName(); queue != "" && queue == l.mail.pulling {
		// A service that repeats a key would be asked for ever (protocol.md c, "Receive").
		if next := down.GetNextKey(); down.GetIsLast() || len(down.GetMetas()) == 0 || next == l.mail.key {
			l.mail.pulled(l.link, l.cfg)
		} else {
			l.mail.pull(l.link, next, l.cfg)
		}
	}
	return nil
}

// sendAnswer settles an own message (protocol.md d.5). Answers to receipts settle nothing.
func (l *loop) sendAnswer(down *msync.CommSyncDL) {
	if !l.mail.confirmed(down.GetMetaId()) {
		return
	}
	e := Event{Name: MessageSent, ID: down.GetMetaId(), ServerID: down.GetServerId(), At: time.UnixMilli(int64(down.GetTimestamp()))} //nolint:gosec // only shown
	if s := down.GetStatus(); s.GetErrorCode() != msync.Status_OK {
		e.Name, e.Code = MessageRefused, sendCode(s)
		e.Reason = fmt.Sprintf("the service refused the message with %s: %s", s.GetErrorCode(), printable.Discreet(s.GetReason(), 200))
	}
	l.emit(e)
}

// sendCode maps a refused send to the SDK's number (protocol.md d.5).
func sendCode(s *msync.Status) Code {
	switch s.GetErrorCode() {
	case msync.Status_FAIL:
		switch reason := s.GetReason(); {
		case reason == "blocked":
			return 603
		case reason == "group not found":
			return 605
		case reason == "not in group or chatroom":
			return 602
		case reason == "not in group or chatroom white list":
			return 506
		case reason == "exceed recall time limit":
			return 504
		case reason == "message recall disabled":
			return 505
		case reason == "nonroster":
			return 221
		case strings.Contains(reason, "moderation"):
			return 508
		default:
			return 503
		}
	case msync.Status_PERMISSION_DENIED:
		switch s.GetReason() {
		case "sensitive words", "blocked by mod_antispam":
			return 501
		case "user is mute":
			return 219
		case "traffic limit":
			return 509
		case "Sorry, data is too large":
			return MessageTooLarge
		default:
			return 503
		}
	case msync.Status_USER_MUTED:
		return 507
	case msync.Status_PERMISSION_DENIED_EXTERNAL:
		return 502
	default:
		return 604
	}
}

// meta handles one item of a batch: a message, a receipt or a kick.
func (l *loop) meta(meta *msync.Meta) {
	switch meta.GetNs() {
	case msync.Meta_STATISTIC:
		var stat msync.StatisticsBody
		if proto.Unmarshal(meta.GetPayload(), &stat) == nil {
			l.statistic(&stat)
		}
	case msync.Meta_CHAT:
		var body msync.MessageBody
		if err := proto.Unmarshal(meta.GetPayload(), &body); err != nil {
			l.cfg.Log.Warn("a message could not be read", "id", meta.GetId(), "error", err)
			return
		}
		l.message(meta, &body)
	}
}

// statistic is how the service kicks (protocol.md c, "Kick").
func (l *loop) statistic(stat *msync.StatisticsBody) {
	kick := inKicked{gen: l.link.gen}
	switch stat.GetOperation() {
	case msync.StatisticsBody_USER_REMOVED:
		kick.code, kick.reason = UserRemoved, "the account was deleted"
	case msync.StatisticsBody_USER_LOGIN_ANOTHER_DEVICE:
		kick.code, kick.reason = LoggedInElsewhere, "the user logged in on another device"
	case msync.StatisticsBody_USER_KICKED_BY_CHANGE_PASSWORD:
		kick.code, kick.reason = PasswordChanged, "the password was changed"
	case msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE:
		kick.code, kick.reason = KickedByOtherDevice, "the user was disconnected by another device or an admin"
	default:
		return
	}
	if said := printable.Discreet(stat.GetReason(), 200); said != "" {
		kick.reason += " (" + said + ")"
	}
	l.decide(kick)
}

// message fires the callback of a chat message and confirms it to its sender. The receipt goes out before the queue's key does, so that
// whatever the service takes for delivered has been confirmed, however the link ends.
func (l *loop) message(meta *msync.Meta, body *msync.MessageBody) {
	switch body.GetType() {
	case msync.MessageBody_DELIVER_ACK:
		l.emit(Event{
			Name: MessageDelivered, ServerID: body.GetAckMessageId(), From: meta.GetFrom().GetName(),
			At: time.UnixMilli(int64(meta.GetTimestamp())), //nolint:gosec // only shown
		})
		return
	case msync.MessageBody_CHAT, msync.MessageBody_NORMAL:
	default:
		return
	}
	from := meta.GetFrom().GetName()
	if from != l.state.user {
		l.mail.up(l.link, l.NextID(), from, msync.DeliveryAck("", from, meta.GetId()), l.cfg)
	}
	if !l.mail.first(meta.GetId()) {
		return
	}
	l.emit(Event{
		Name: MessageReceived, ServerID: meta.GetId(), From: from, To: meta.GetTo().GetName(), Text: describe(body),
		At: time.UnixMilli(int64(meta.GetTimestamp())), //nolint:gosec // only shown
	})
}

// describe is a message as text: what it says, or in brackets what it is. It may hold anything; screens clean it.
func describe(body *msync.MessageBody) string {
	if text, ok := msync.Text(body); ok {
		return text
	}
	if len(body.GetContents()) == 0 {
		return "[empty message]"
	}
	content := body.GetContents()[0]
	kind := map[msync.MessageBody_Content_Type]string{
		msync.MessageBody_Content_IMAGE: "image", msync.MessageBody_Content_VIDEO: "video", msync.MessageBody_Content_VOICE: "audio",
		msync.MessageBody_Content_FILE: "file", msync.MessageBody_Content_LOCATION: "location", msync.MessageBody_Content_COMMAND: "command",
		msync.MessageBody_Content_CUSTOM: "custom", msync.MessageBody_Content_COMBINE: "combined messages", msync.MessageBody_Content_TEXT: "combined messages",
	}[content.GetType()]
	if kind == "" {
		kind = "unknown content"
	}
	for _, name := range []string{content.GetDisplayName(), content.GetAddress(), content.GetAction(), content.GetCustomEvent(), content.GetTitle()} {
		if name != "" {
			return "[" + kind + " " + name + "]"
		}
	}
	return "[" + kind + "]"
}

package msync

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Direction is the way of a frame as the server sees it. The same command carries different messages in the two directions.
type Direction string

// The two directions.
const (
	In  Direction = "in"  // client to server
	Out Direction = "out" // server to client
)

// Limits of a rendered line, in runes, and of the items listed in it.
const (
	maxLine  = 300
	maxText  = 80
	maxWord  = 48
	maxItems = 4
)

// LineOf is Line for the bytes of a frame. What cannot be read becomes "malformed: …".
func LineOf(dir Direction, raw []byte) string {
	m, err := Decode(raw)
	if err != nil {
		return fmt.Sprintf("malformed: frame of %d bytes", len(raw))
	}
	return Line(dir, m)
}

// Line describes a frame on one line of at most 300 runes for logs and journals. Tokens are shortened, and text from outside can neither
// break the line nor reach a terminal as a control sequence.
func Line(dir Direction, m *MSync) string {
	return printable.Line(describe(dir, m), maxLine)
}

func describe(dir Direction, m *MSync) string {
	cmd := m.GetCommand().String()
	body := payloadType(dir, m.GetCommand())
	if body == nil {
		return fmt.Sprintf("%s %d bytes", cmd, len(m.GetPayload()))
	}
	if Payload(m, body) != nil {
		return fmt.Sprintf("%s malformed: payload of %d bytes", cmd, len(m.GetPayload()))
	}
	switch p := body.(type) {
	case *Provision:
		if dir == In {
			return cmd + " " + loginRequest(m, p)
		}
		return cmd + " " + loginAnswer(p)
	case *CommSyncUL:
		return cmd + " up " + upstream(p)
	case *CommSyncDL:
		return cmd + " " + downstream(p)
	case *CommUnreadDL:
		return fmt.Sprintf("%s ts=%d queues=[%s]", cmd, p.GetTimestamp(), list(p.GetUnread(), unread))
	case *CommNotice:
		return cmd + " queue=" + who(p.GetQueue())
	case *Logout:
		return cmd + " session=" + word(p.GetSessionId())
	default:
		return cmd
	}
}

// payloadType is an empty message of the kind that the payload holds, or nil when there is none to expect.
func payloadType(dir Direction, cmd MSync_Command) proto.Message {
	switch {
	case cmd == MSync_PROVISION:
		return new(Provision)
	case cmd == MSync_SYNC && dir == In:
		return new(CommSyncUL)
	case cmd == MSync_SYNC:
		return new(CommSyncDL)
	case cmd == MSync_UNREAD && dir == In:
		return new(CommUnreadUL)
	case cmd == MSync_UNREAD:
		return new(CommUnreadDL)
	case cmd == MSync_NOTICE:
		return new(CommNotice)
	case cmd == MSync_LOGOUT:
		return new(Logout)
	}
	return nil
}

func loginRequest(m *MSync, p *Provision) string {
	return fmt.Sprintf("%s/%s os=%s v=%s token=%s", word(m.GetGuid().GetName()), word(p.GetResource()),
		strings.TrimPrefix(p.GetOsType().String(), "OS_"), word(p.GetVersion()), printable.Token(Credential(m, p)))
}

func loginAnswer(p *Provision) string {
	if p.GetStatus().GetErrorCode() != Status_OK {
		return verdict(p.GetStatus())
	}
	s := verdict(p.GetStatus()) + " resource=" + word(p.GetResource())
	if t, err := DecodeAuthToken(p.GetAuthToken()); err == nil {
		s += fmt.Sprintf(" token=%s expires=%d", printable.Token(t.Token), t.ExpiresIn)
	}
	return s
}

func upstream(p *CommSyncUL) string {
	if p.GetMeta() != nil {
		return fmt.Sprintf("meta=%d %s", p.GetMeta().GetId(), item(p.GetMeta(), p.GetMeta().GetTo()))
	}
	s := "queue=" + who(p.GetQueue())
	if p.Key != nil {
		s += fmt.Sprintf(" key=%d", p.GetKey())
	}
	return s
}

func downstream(p *CommSyncDL) string {
	if p.GetMetaId() != 0 {
		return fmt.Sprintf("answer meta=%d server=%d %s", p.GetMetaId(), p.GetServerId(), verdict(p.GetStatus()))
	}
	s := fmt.Sprintf("down queue=%s metas=%d next=%d last=%t", who(p.GetQueue()), len(p.GetMetas()), p.GetNextKey(), p.GetIsLast())
	if p.Status == nil || p.GetStatus().GetErrorCode() != Status_OK {
		s += " " + verdict(p.GetStatus())
	}
	if len(p.GetMetas()) > 0 {
		s += " [" + list(p.GetMetas(), received) + "]"
	}
	return s
}

func received(m *Meta) string { return fmt.Sprintf("%d %s", m.GetId(), item(m, m.GetFrom())) }

func unread(q *MetaQueue) string { return fmt.Sprintf("%s:%d", who(q.GetQueue()), q.GetN()) }

// item describes a meta without its id; peer is the other side of the conversation.
func item(m *Meta, peer *JID) string {
	s := strings.ToLower(m.GetNs().String()) + " " + who(peer) + " "
	switch m.GetNs() {
	case Meta_CHAT:
		b := new(MessageBody)
		if proto.Unmarshal(m.GetPayload(), b) == nil {
			return s + message(b)
		}
	case Meta_STATISTIC:
		b := new(StatisticsBody)
		if proto.Unmarshal(m.GetPayload(), b) == nil {
			return s + b.GetOperation().String()
		}
	}
	return s + fmt.Sprintf("%d bytes", len(m.GetPayload()))
}

// message describes a chat message by its kind, named as in the SDK's API, and by what a person would recognise it by.
func message(b *MessageBody) string {
	if text, ok := Text(b); ok {
		return "txt " + quote(text)
	}
	if b.GetType() > MessageBody_CHATROOM || len(b.GetContents()) == 0 {
		target := max(b.GetAckMessageId(), b.GetEditMessageId()) // At most one of them is set.
		return fmt.Sprintf("%s %d", strings.ToLower(b.GetType().String()), target)
	}
	c := b.GetContents()[0]
	switch c.GetType() {
	case MessageBody_Content_COMMAND:
		return "cmd " + quote(c.GetAction())
	case MessageBody_Content_CUSTOM:
		return "custom " + quote(c.GetCustomEvent())
	case MessageBody_Content_LOCATION:
		return "loc " + quote(c.GetAddress())
	case MessageBody_Content_TEXT: // With a sub_type, or it were a text message.
		return "combine " + quote(c.GetTitle())
	default:
		return strings.ToLower(c.GetType().String()) + " " + quote(c.GetDisplayName())
	}
}

func verdict(s *Status) string {
	if s == nil {
		return "status=missing"
	}
	text := "status=" + s.GetErrorCode().String()
	if s.GetReason() != "" {
		text += " " + quote(s.GetReason())
	}
	return text
}

// who names a user, or the service by its domain.
func who(j *JID) string {
	if j.GetName() == "" {
		return word(j.GetDomain())
	}
	return word(j.GetName())
}

// list joins the first few items and says how many there are beyond them.
func list[T any](all []T, describe func(T) string) string {
	var parts []string
	for _, one := range all[:min(len(all), maxItems)] {
		parts = append(parts, describe(one))
	}
	if more := len(all) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// word is a short name from outside: bare when it looks like a name, quoted otherwise.
func word(s string) string {
	s = harmless(s, maxWord)
	if s == "" || strings.ContainsFunc(s, unusualInName) {
		return strconv.Quote(s)
	}
	return s
}

func unusualInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.@…", r)
}

func quote(s string) string { return strconv.Quote(harmless(s, maxText)) }

// harmless bounds a text, takes out what a terminal would obey, and shortens what looks like a secret.
func harmless(s string, maxRunes int) string {
	return printable.Discreet(s, maxRunes)
}

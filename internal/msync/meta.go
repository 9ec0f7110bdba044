package msync

import "google.golang.org/protobuf/proto"

// Domain is the domain of users and of the service itself (protocol.md b.1).
const Domain = "easemob.com"

// NewJID names a user's device, a user when resource is empty, or the service when name is empty too. Empty parts are left out.
func NewJID(appKey, name, resource string) *JID {
	return &JID{AppKey: optional(appKey), Name: optional(name), Domain: proto.String(Domain), ClientResource: optional(resource)}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// TextBody is the body of a text message between two users. It has no sub_type, whose presence would make a combined message of it
// (protocol.md b.4).
func TextBody(from, to, text string) *MessageBody {
	return &MessageBody{
		Type: MessageBody_CHAT.Enum(),
		From: &JID{Name: &from},
		To:   &JID{Name: &to},
		Contents: []*MessageBody_Content{{
			Type: MessageBody_Content_TEXT.Enum(),
			Text: &text,
		}},
	}
}

// Text is the text of a text message; false means that the body is something else, such as a picture or an acknowledgement.
func Text(b *MessageBody) (string, bool) {
	switch b.GetType() {
	case MessageBody_NORMAL, MessageBody_CHAT, MessageBody_GROUPCHAT, MessageBody_CHATROOM:
	default:
		return "", false
	}
	if len(b.GetContents()) == 0 {
		return "", false
	}
	c := b.GetContents()[0]
	if c.GetType() != MessageBody_Content_TEXT || c.SubType != nil {
		return "", false
	}
	return c.GetText(), true
}

package msync

import "google.golang.org/protobuf/encoding/protowire"

// The fields of a message that are read and written without the generated code (protocol.md b).
const (
	fieldUpMeta                               = 1
	fieldMetaID, fieldMetaFrom, fieldMetaTo   = 1, 2, 3
	fieldMetaTimestamp, fieldMetaNs           = 4, 5
	fieldMetaPayload, fieldMetaRoute          = 6, 7
	fieldBodyType, fieldBodyFrom, fieldBodyTo = 1, 2, 3
	fieldBodyContents                         = 4
	fieldContentType, fieldContentText        = 1, 2
)

// PlainText is a plain text on its way to one user or group, as most sends are. All that it holds is part of the frame.
type PlainText struct {
	// ID is the sender's own, 0 without one.
	ID uint64
	// To is the receiver's name.
	To []byte
	// Body is the whole MessageBody.
	Body []byte
	// Size is that of the Meta.
	Size int

	kind     []byte // the body's type
	contents []byte
	route    []byte // the meta's route type, which is all
}

// Peek takes a plain text out of the payload of a send. False means that Payload has to look at it, whatever it is: another kind of message, one
// with extensions, or something that cannot be read.
func (t *PlainText) Peek(payload []byte) bool {
	*t = PlainText{}
	up := nextField(payload)
	if up.number != fieldUpMeta || up.kind != protowire.BytesType || up.size != len(payload) {
		return false
	}
	t.Size = len(up.bytes)
	var seen seenFields
	chat := false
	for meta := up.bytes; len(meta) > 0; {
		f := nextField(meta)
		switch {
		case !seen.once(f.number):
			return false
		case f.number == fieldMetaID && f.kind == protowire.VarintType:
			t.ID = f.value
		case f.number == fieldMetaTo && f.kind == protowire.BytesType:
			var ok bool
			if t.To, ok = peekName(f.bytes); !ok {
				return false
			}
		case f.number == fieldMetaNs && f.kind == protowire.VarintType:
			chat = f.value == uint64(Meta_CHAT)
		case f.number == fieldMetaPayload && f.kind == protowire.BytesType:
			t.Body = f.bytes
		case f.number == fieldMetaRoute && f.kind == protowire.VarintType && f.size == 2 && f.value == uint64(Meta_ROUTE_ALL):
			t.route = meta[:f.size]
		default:
			return false
		}
		meta = meta[f.size:]
	}
	return chat && t.peekBody()
}

// peekBody takes the body apart: its type, the JIDs, which are replaced, and nothing but texts.
func (t *PlainText) peekBody() bool {
	body, last := t.Body, protowire.Number(0)
	for len(body) > 0 {
		f := nextField(body)
		if f.number < last || f.number == last && f.number != fieldBodyContents {
			return false
		}
		last = f.number
		switch {
		case f.number == fieldBodyType && f.kind == protowire.VarintType && f.size == 2 && f.value <= uint64(MessageBody_CHAT):
			t.kind = body[:f.size]
		case (f.number == fieldBodyFrom || f.number == fieldBodyTo) && f.kind == protowire.BytesType:
			if _, ok := peekName(f.bytes); !ok {
				return false
			}
		case f.number == fieldBodyContents && f.kind == protowire.BytesType && isText(f.bytes):
			if t.contents == nil {
				t.contents = body
			}
		default:
			return false
		}
		body = body[f.size:]
	}
	return true
}

// isText reports whether a content is a text and nothing more.
func isText(content []byte) bool {
	var seen seenFields
	for len(content) > 0 {
		f := nextField(content)
		switch {
		case !seen.once(f.number):
			return false
		case f.number == fieldContentType && f.kind == protowire.VarintType && f.size == 2 && f.value == uint64(MessageBody_Content_TEXT):
		case f.number == fieldContentText && f.kind == protowire.BytesType:
		default:
			return false
		}
		content = content[f.size:]
	}
	return true
}

// Meta writes the Meta that receivers get: what Readdress and EncodeMeta make of it, in one piece. The sender is the encoded JID of a device;
// the receiver is To, in the same app.
func (t *PlainText) Meta(id, timestamp uint64, appKey string, sender []byte) []byte {
	from, to := BareJID(sender), sizeJID(appKey, t.To)
	body := len(t.kind) + 2*protowire.SizeTag(1) + protowire.SizeBytes(len(from)) + protowire.SizeBytes(to) + len(t.contents)
	b := make([]byte, 0, 6*protowire.SizeTag(1)+protowire.SizeVarint(id)+protowire.SizeVarint(timestamp)+1+
		protowire.SizeBytes(len(sender))+protowire.SizeBytes(to)+protowire.SizeBytes(body)+len(t.route))
	b = appendVarint(b, fieldMetaID, id)
	b = appendBytes(b, fieldMetaFrom, sender)
	b = appendJID(appendSize(b, fieldMetaTo, to), appKey, t.To)
	b = appendVarint(b, fieldMetaTimestamp, timestamp)
	b = appendVarint(b, fieldMetaNs, uint64(Meta_CHAT))
	b = appendSize(b, fieldMetaPayload, body)
	b = append(b, t.kind...)
	b = appendBytes(b, fieldBodyFrom, from)
	b = appendJID(appendSize(b, fieldBodyTo, to), appKey, t.To)
	b = append(b, t.contents...)
	return append(b, t.route...)
}

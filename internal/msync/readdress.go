package msync

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// EncodeJID writes what NewJID makes.
func EncodeJID(appKey, name, resource string) []byte {
	size := sizeJID(appKey, name)
	if resource != "" {
		size += protowire.SizeTag(fieldJIDResource) + protowire.SizeBytes(len(resource))
	}
	return appendText(appendJID(make([]byte, 0, size), appKey, name), fieldJIDResource, resource)
}

// BareJID is the user's part of an encoded JID: without the resource.
func BareJID(jid []byte) []byte {
	for end := 0; end < len(jid); {
		f := nextField(jid[end:])
		if f.number == fieldJIDResource || f.number == 0 {
			return jid[:end:end]
		}
		end += f.size
	}
	return jid
}

// appendJID writes the JID of a user.
func appendJID[Name string | []byte](b []byte, appKey string, name Name) []byte {
	return appendText(appendText(appendText(b, fieldJIDAppKey, appKey), fieldJIDName, name), fieldJIDDomain, Domain)
}

// sizeJID is how many bytes appendJID writes.
func sizeJID[Name string | []byte](appKey string, name Name) (size int) {
	for _, n := range [...]int{len(appKey), len(name), len(Domain)} {
		if n > 0 {
			size += protowire.SizeTag(fieldJIDAppKey) + protowire.SizeBytes(n) // the tags of all its fields have one byte
		}
	}
	return size
}

// appendText writes a field unless it is empty.
func appendText[Text string | []byte](b []byte, number protowire.Number, text Text) []byte {
	if len(text) == 0 {
		return b
	}
	return append(appendSize(b, number, len(text)), text...)
}

// Readdress writes an encoded MessageBody with other JIDs, which are encoded too, in the places of from and to. False means that the body
// must be written by the generated code, whatever it is.
func Readdress(body, from, to []byte) ([]byte, bool) {
	const bodyType, bodyFrom, bodyTo = 1, 2, 3
	b := make([]byte, 0, len(body)+2*(1+protowire.SizeVarint(1<<14))+len(from)+len(to))
	done := false
	for len(body) > 0 {
		f := nextField(body)
		if f.number == 0 || (f.number == bodyFrom || f.number == bodyTo) && f.kind != protowire.BytesType {
			return nil, false
		}
		if !done && f.number != bodyType {
			b, done = appendBytes(appendBytes(b, bodyFrom, from), bodyTo, to), true
		}
		if f.number != bodyFrom && f.number != bodyTo {
			b = append(b, body[:f.size]...)
		}
		body = body[f.size:]
	}
	if !done {
		b = appendBytes(appendBytes(b, bodyFrom, from), bodyTo, to)
	}
	return b, true
}

// EncodeMeta writes a chat message's Meta: JIDs and body are encoded already, rest has the fields after the payload and may be nil.
// It fails with ErrMalformed.
func EncodeMeta(id, timestamp uint64, from, to, body []byte, rest *Meta) ([]byte, error) {
	const metaID, metaFrom, metaTo, metaTimestamp, metaNs, metaPayload = 1, 2, 3, 4, 5, 6
	size := 6*protowire.SizeTag(metaID) + protowire.SizeVarint(id) + protowire.SizeVarint(timestamp) + protowire.SizeVarint(uint64(Meta_CHAT)) +
		protowire.SizeBytes(len(from)) + protowire.SizeBytes(len(to)) + protowire.SizeBytes(len(body))
	if rest != nil {
		size += proto.Size(rest)
	}
	b := make([]byte, 0, size)
	b = appendVarint(b, metaID, id)
	b = appendBytes(b, metaFrom, from)
	b = appendBytes(b, metaTo, to)
	b = appendVarint(b, metaTimestamp, timestamp)
	b = appendVarint(b, metaNs, uint64(Meta_CHAT))
	b = appendBytes(b, metaPayload, body)
	if rest == nil {
		return b, nil
	}
	b, err := proto.MarshalOptions{}.MarshalAppend(b, rest)
	if err != nil {
		return nil, fmt.Errorf("%w meta: %w", ErrMalformed, err)
	}
	return b, nil
}

package msync

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The fields of a frame, a pull and a notice that are read and written without the generated code (protocol.md b).
const (
	fieldVersion, fieldCommand, fieldPayload = 1, 8, 9
	fieldKey, fieldQueue                     = 2, 3
	fieldJIDAppKey, fieldJIDName             = 1, 2
	fieldJIDDomain, fieldJIDResource         = 3, 4
)

// Frame writes the frame that carries payload under cmd: what Encode writes of what Pack makes, with one allocation. A nil payload leaves
// the field out. It fails with ErrTooLarge or ErrMalformed.
func Frame(cmd MSync_Command, payload proto.Message) ([]byte, error) {
	if payload == nil {
		return appendCommand(nil, cmd), nil
	}
	size := proto.Size(payload)
	if err := checkSize("payload", size, MaxFrame); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 2*(1+protowire.SizeVarint(1<<31))+protowire.SizeVarint(uint64(size))+size) //nolint:gosec // a size is no less than 0
	b = appendSize(appendCommand(b, cmd), fieldPayload, size)
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, payload)
	if err != nil {
		return nil, fmt.Errorf("%w payload: %w", ErrMalformed, err)
	}
	return b, checkSize("frame", len(b), MaxFrame)
}

// NoticeFrame writes a notice of a queue, which is an encoded JID.
func NoticeFrame(queue []byte) []byte {
	payload := protowire.SizeTag(1) + protowire.SizeBytes(len(queue))
	b := appendHead(MSync_NOTICE, payload)
	return appendBytes(b, 1, queue)
}

// AnswerFrame writes the answer to a send: the sender's own id for it, the service's, and the service's time in ms.
func AnswerFrame(metaID, serverID, timestamp uint64) []byte {
	const downMetaID, downServerID, downTimestamp = 2, 3, 8
	payload := len(statusOK) + 3*protowire.SizeTag(1) +
		protowire.SizeVarint(metaID) + protowire.SizeVarint(serverID) + protowire.SizeVarint(timestamp)
	b := append(appendHead(MSync_SYNC, payload), statusOK...)
	b = appendVarint(b, downMetaID, metaID)
	b = appendVarint(b, downServerID, serverID)
	return appendVarint(b, downTimestamp, timestamp)
}

// ClockFrame writes an UNREAD answer that says nothing but the service's time in ms.
func ClockFrame(timestamp uint64) []byte {
	const unreadTimestamp = 3
	b := append(appendHead(MSync_UNREAD, len(statusOK)+protowire.SizeTag(1)+protowire.SizeVarint(timestamp)), statusOK...)
	return appendVarint(b, unreadTimestamp, timestamp)
}

// BatchFrame writes the answer to a pull: encoded metas of a queue, which is an encoded JID, and the key that confirms them. Without
// metas it says that the queue has been emptied.
func BatchFrame(queue []byte, metas [][]byte, nextKey uint64) []byte {
	const downMetas, downNextKey, downQueue, downIsLast = 4, 5, 6, 7
	payload := len(statusOK) + 3*protowire.SizeTag(1) + protowire.SizeVarint(nextKey) + protowire.SizeBytes(len(queue)) + 1
	for _, meta := range metas {
		payload += protowire.SizeTag(downMetas) + protowire.SizeBytes(len(meta))
	}
	if len(metas) == 0 {
		payload -= protowire.SizeTag(1) + protowire.SizeVarint(nextKey)
	}
	b := append(appendHead(MSync_SYNC, payload), statusOK...)
	for _, meta := range metas {
		b = appendBytes(b, downMetas, meta)
	}
	if len(metas) > 0 {
		b = appendVarint(b, downNextKey, nextKey)
	}
	b = appendBytes(b, downQueue, queue)
	return appendVarint(b, downIsLast, protowire.EncodeBool(len(metas) == 0))
}

// statusOK is the field status of an answer, saying OK.
var statusOK = []byte{0x0a, 0x02, 0x08, 0x00}

// appendHead begins a frame of which only the payload, of that size, is missing.
func appendHead(cmd MSync_Command, payload int) []byte {
	b := make([]byte, 0, 2*protowire.SizeTag(fieldPayload)+1+protowire.SizeBytes(payload))
	return appendSize(appendCommand(b, cmd), fieldPayload, payload)
}

func appendVarint(b []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), v)
}

func appendBytes(b []byte, number protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), v)
}

// appendSize begins a field that is as long as that.
func appendSize(b []byte, number protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(size)) //nolint:gosec // a size is no less than 0
}

func appendCommand(b []byte, cmd MSync_Command) []byte {
	b = protowire.AppendTag(b, fieldCommand, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(cmd)) //nolint:gosec // negative ones are written as the generated code does
}

// Peek takes command and payload out of a frame that holds nothing else of interest, as those of a logged-in client do. The payload is
// part of b. False means that Decode has to look at it, whatever it is.
func Peek(b []byte) (cmd MSync_Command, payload []byte, ok bool) {
	if len(b) > MaxFrame {
		return 0, nil, false
	}
	var seen seenFields
	for len(b) > 0 {
		f := nextField(b)
		switch {
		case !seen.once(f.number):
			return 0, nil, false
		case f.number == fieldCommand && f.kind == protowire.VarintType && f.value < 128:
			cmd = MSync_Command(f.value)
		case f.number == fieldPayload && f.kind == protowire.BytesType:
			payload = f.bytes
		case f.number == fieldVersion && f.kind == protowire.VarintType && f.value < 128:
		default:
			return 0, nil, false
		}
		b = b[f.size:]
	}
	return cmd, payload, seen.has(fieldCommand)
}

// PeekPull takes the name of the queue and the key out of the payload of a pull; the name is part of it. False means that Payload has to
// look at it, whatever it is.
func PeekPull(payload []byte) (name []byte, key uint64, ok bool) {
	var seen seenFields
	for len(payload) > 0 {
		f := nextField(payload)
		switch {
		case !seen.once(f.number):
			return nil, 0, false
		case f.number == fieldKey && f.kind == protowire.VarintType:
			key = f.value
		case f.number == fieldQueue && f.kind == protowire.BytesType:
			if name, ok = peekName(f.bytes); !ok {
				return nil, 0, false
			}
		default:
			return nil, 0, false
		}
		payload = payload[f.size:]
	}
	return name, key, len(name) > 0
}

// peekName takes the name out of a JID.
func peekName(jid []byte) (name []byte, ok bool) {
	var seen seenFields
	for len(jid) > 0 {
		f := nextField(jid)
		if f.kind != protowire.BytesType || f.number > fieldJIDResource || !seen.once(f.number) {
			return nil, false
		}
		if f.number == fieldJIDName {
			name = f.bytes
		}
		jid = jid[f.size:]
	}
	return name, true
}

// field is one field of a message; its number is 0 when it cannot be read.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64
	bytes  []byte
	size   int // of all of it
}

func nextField(b []byte) field {
	// Nearly all tags, and most numbers and sizes, have one byte.
	if len(b) >= 2 && b[0] >= 1<<3 && b[0] < 0x80 && b[1] < 0x80 {
		f := field{number: protowire.Number(b[0] >> 3), kind: protowire.Type(b[0] & 7), size: 2}
		switch {
		case f.kind == protowire.VarintType:
			f.value = uint64(b[1])
			return f
		case f.kind == protowire.BytesType && len(b)-2 >= int(b[1]):
			f.size += int(b[1])
			f.bytes = b[2:f.size]
			return f
		}
	}
	number, kind, head := protowire.ConsumeTag(b)
	if head < 0 {
		return field{}
	}
	f := field{number: number, kind: kind}
	n := 0
	switch kind {
	case protowire.VarintType:
		f.value, n = protowire.ConsumeVarint(b[head:])
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(b[head:])
	default:
		n = -1
	}
	if n < 0 {
		return field{}
	}
	f.size = head + n
	return f
}

// seenFields is the set of the fields that were read.
type seenFields uint16

// once notes a field. It reports false when it was there before, or is none that is read here.
func (s *seenFields) once(number protowire.Number) bool {
	if number < 1 || number > 15 || s.has(number) {
		return false
	}
	*s |= 1 << number
	return true
}

func (s *seenFields) has(number protowire.Number) bool { return *s&(1<<number) != 0 }

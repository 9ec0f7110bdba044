package main

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// ourAdapter speaks MSync as the Web SDK does: a message costs a send and its answer, and the receiver a notice, a pull with its batch, and
// the pull that confirms it.
type ourAdapter struct{ hellos *hellos }

func newOurAdapter() ourAdapter { return ourAdapter{newHellos(provision)} }

func (a ourAdapter) hello(user string) []byte { return a.hellos.of(user) }

// provision is the Web SDK's login with a token of an hour.
func provision(user string) []byte {
	demo := agoratoken.Credentials{AppID: fakeserver.DemoAppID, Certificate: fakeserver.DemoAppCertificate}
	token, err := agoratoken.BuildUser(demo, user, 3600, time.Now())
	if err != nil {
		panic(err)
	}
	presented := "$t$" + token
	authToken, err := msync.EncodeAuthToken(msync.AuthToken{Token: presented})
	if err != nil {
		panic(err)
	}
	payload, err := proto.Marshal(&msync.Provision{
		OsType: msync.Provision_OS_OTHER.Enum(), Version: new("1.4.0"), DeviceUuid: new("bench_" + user), DeviceName: new("webim"),
		Resource: new("webim_bench"), ActionVersion: new("v5.1"), AuthToken: authToken, SessionId: new("1700000000000:"),
	})
	if err != nil {
		panic(err)
	}
	frame, err := proto.Marshal(&msync.MSync{
		Command: msync.MSync_PROVISION.Enum(), Guid: msync.NewJID(fakeserver.DemoOrg+"#"+fakeserver.DemoApp, user, "webim_bench"),
		Auth: &presented, Payload: payload,
	})
	if err != nil {
		panic(err)
	}
	return frame
}

func (ourAdapter) welcome(frame []byte) bool {
	return isOK(member(member(frame, framePayload), provisionStatus))
}

func isOK(status []byte) bool {
	code := next(status)
	return code.number == statusCode && code.value == uint64(msync.Status_OK)
}

// The numbers of the fields that a message passes through (protocol.md b). The messages of the schema would cost more than the server.
const (
	frameCommand, framePayload          = 8, 9
	provisionStatus, statusCode         = 8, 1
	upMeta, upKey, upQueue              = 1, 2, 3
	jidName                             = 2
	metaID, metaTo, metaNs, metaPayload = 1, 3, 5, 6
	bodyType, bodyTo, bodyContent       = 1, 3, 4
	contentType, contentText            = 1, 2
	downStatus, downMetaID, downMetas   = 1, 2, 4
	downNextKey, downQueue              = 5, 6
)

// message writes from the outside in: all lengths are known before, and nothing is allocated.
func (ourAdapter) message(b []byte, number uint64, to string, text []byte) []byte {
	jid := sizeOfText(len(to))
	content := sizeOfNumber(uint64(msync.MessageBody_Content_TEXT)) + sizeOfText(len(text))
	body := sizeOfNumber(uint64(msync.MessageBody_CHAT)) + sizeOfText(jid) + sizeOfText(content)
	meta := sizeOfNumber(number) + sizeOfText(jid) + sizeOfNumber(uint64(msync.Meta_CHAT)) + sizeOfText(body)

	b = appendSync(b, sizeOfText(meta))
	b = appendLength(b, upMeta, meta)
	b = appendNumber(b, metaID, number)
	b = appendJID(b, metaTo, to)
	b = appendNumber(b, metaNs, uint64(msync.Meta_CHAT))
	b = appendLength(b, metaPayload, body)
	b = appendNumber(b, bodyType, uint64(msync.MessageBody_CHAT))
	b = appendJID(b, bodyTo, to)
	b = appendLength(b, bodyContent, content)
	b = appendNumber(b, contentType, uint64(msync.MessageBody_Content_TEXT))
	return append(appendLength(b, contentText, len(text)), text...)
}

// pull asks for what a queue holds after key, and confirms it up to there.
func pull(s *socket, queue []byte, key uint64) {
	size := sizeOfText(len(queue))
	if key > 0 {
		size += sizeOfNumber(key)
	}
	b := appendSync(s.answer[:0], size)
	if key > 0 {
		b = appendNumber(b, upKey, key)
	}
	s.answer = append(appendLength(b, upQueue, len(queue)), queue...)
	s.queue(s.answer)
}

// appendSync begins a frame; its payload of that size follows.
func appendSync(b []byte, payload int) []byte {
	return appendLength(appendNumber(b, frameCommand, uint64(msync.MSync_SYNC)), framePayload, payload)
}

func appendJID(b []byte, field protowire.Number, name string) []byte {
	return append(appendLength(appendLength(b, field, sizeOfText(len(name))), jidName, len(name)), name...)
}

func appendNumber(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

// appendLength begins a field of that many bytes, which follow.
func appendLength(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size)) //nolint:gosec // a length
}

// The sizes of whole fields; the tags of all that are used here have one byte.
func sizeOfNumber(v uint64) int { return 1 + protowire.SizeVarint(v) }

func sizeOfText(size int) int { return 1 + protowire.SizeBytes(size) }

// heartbeat is the frame with which SDKs ask what waits for them.
func (ourAdapter) heartbeat() []byte {
	return appendLength(appendNumber(nil, frameCommand, uint64(msync.MSync_UNREAD)), framePayload, 0)
}

func (a ourAdapter) receive(s *socket, frame []byte, l listener) {
	command, payload := uint64(0), []byte(nil)
	for f := next(frame); f.number > 0; f = next(f.rest) {
		switch f.number {
		case frameCommand:
			command = f.value
		case framePayload:
			payload = f.text
		}
	}
	switch msync.MSync_Command(command) {
	case msync.MSync_SYNC:
		a.down(s, payload, l)
	case msync.MSync_NOTICE:
		pull(s, next(payload).text, 0)
	case msync.MSync_UNREAD:
		l.pushed()
	}
}

// down is the answer to a send, or a batch. A send that is refused is not acknowledged.
func (ourAdapter) down(s *socket, payload []byte, l listener) {
	var acked, key uint64
	refused := false
	var queue []byte
	for f := next(payload); f.number > 0; f = next(f.rest) {
		switch f.number {
		case downStatus:
			refused = !isOK(f.text)
		case downMetaID:
			acked = f.value
		case downNextKey:
			key = f.value
		case downQueue:
			queue = f.text
		case downMetas:
			l.delivered(textOf(f.text))
		}
	}
	switch {
	case refused:
	case acked > 0:
		l.acked(acked)
	case key > 0:
		pull(s, queue, key)
	}
}

// textOf takes the text out of a meta.
func textOf(meta []byte) []byte {
	return member(member(member(meta, metaPayload), bodyContent), contentText)
}

func member(message []byte, want protowire.Number) []byte {
	f := next(message)
	for f.number > 0 && f.number != want {
		f = next(f.rest)
	}
	return f.text
}

// field is a field that is a number or has a length, and what follows it.
type field struct {
	number protowire.Number // 0 when there is none
	value  uint64
	text   []byte
	rest   []byte
}

func next(message []byte) (f field) {
	number, kind, n := protowire.ConsumeTag(message)
	if n < 0 {
		return field{}
	}
	size := -1
	switch kind {
	case protowire.VarintType:
		f.value, size = protowire.ConsumeVarint(message[n:])
	case protowire.BytesType:
		f.text, size = protowire.ConsumeBytes(message[n:])
	}
	if size < 0 {
		return field{}
	}
	f.number, f.rest = number, message[n+size:]
	return f
}

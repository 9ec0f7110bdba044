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
	var m msync.MSync
	var p msync.Provision
	return proto.Unmarshal(frame, &m) == nil && m.GetCommand() == msync.MSync_PROVISION && msync.Payload(&m, &p) == nil &&
		p.GetStatus().GetErrorCode() == msync.Status_OK
}

// The numbers of the fields that a message passes through (protocol.md b). The messages of the schema would cost more than the server.
const (
	frameCommand, framePayload          = 8, 9
	upMeta, upKey, upQueue              = 1, 2, 3
	jidName                             = 2
	metaID, metaTo, metaNs, metaPayload = 1, 3, 5, 6
	bodyType, bodyTo, bodyContent       = 1, 3, 4
	contentType, contentText            = 1, 2
	downMetaID, downMetas, downNextKey  = 2, 4, 5
	downQueue                           = 6
)

func (ourAdapter) message(b []byte, number uint64, to string, text []byte) []byte {
	content := appendText(appendNumber(nil, contentType, uint64(msync.MessageBody_Content_TEXT)), contentText, text)
	jid := appendText(nil, jidName, []byte(to))
	body := appendText(appendNumber(nil, bodyType, uint64(msync.MessageBody_CHAT)), bodyTo, jid)
	body = appendText(body, bodyContent, content)
	meta := appendText(appendNumber(nil, metaID, number), metaTo, jid)
	meta = appendText(appendNumber(meta, metaNs, uint64(msync.Meta_CHAT)), metaPayload, body)
	return appendSync(b, appendText(nil, upMeta, meta))
}

// pull asks for what a queue holds after key, and confirms it up to there.
func pull(s *socket, queue []byte, key uint64) {
	var up []byte
	if key > 0 {
		up = appendNumber(up, upKey, key)
	}
	s.queue(appendSync(nil, appendText(up, upQueue, queue)))
}

func appendSync(b, payload []byte) []byte {
	return appendText(appendNumber(b, frameCommand, uint64(msync.MSync_SYNC)), framePayload, payload)
}

func appendNumber(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendText(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func (a ourAdapter) receive(s *socket, frame []byte, l listener) {
	command, payload := uint64(0), []byte(nil)
	fields(frame, func(field protowire.Number, number uint64, text []byte) {
		switch field {
		case frameCommand:
			command = number
		case framePayload:
			payload = text
		}
	})
	switch msync.MSync_Command(command) {
	case msync.MSync_SYNC:
		a.down(s, payload, l)
	case msync.MSync_NOTICE:
		fields(payload, func(_ protowire.Number, _ uint64, queue []byte) { pull(s, queue, 0) })
	case msync.MSync_UNREAD:
		l.pushed()
	}
}

// down is the answer to a send, or a batch.
func (ourAdapter) down(s *socket, payload []byte, l listener) {
	var acked, key uint64
	var queue []byte
	fields(payload, func(field protowire.Number, number uint64, text []byte) {
		switch field {
		case downMetaID:
			acked = number
		case downNextKey:
			key = number
		case downQueue:
			queue = text
		case downMetas:
			l.delivered(textOf(text))
		}
	})
	switch {
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

func member(message []byte, want protowire.Number) (found []byte) {
	fields(message, func(field protowire.Number, _ uint64, text []byte) {
		if field == want {
			found = text
		}
	})
	return found
}

// fields calls see for every field that is a number or has a length. It stops at what is none of them.
func fields(message []byte, see func(field protowire.Number, number uint64, text []byte)) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(message)
			if n < 0 {
				return
			}
			see(field, v, nil)
			message = message[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return
			}
			see(field, 0, v)
			message = message[n:]
		default:
			return
		}
	}
}

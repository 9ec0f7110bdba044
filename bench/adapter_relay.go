package main

import (
	"encoding/binary"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/chatTokenBuilder"

	"github.com/ttlchat/ttlchat/fakeserver"
)

// The kinds of the relay's frames, their first byte.
const (
	relayLogin   = 'L' // name, 0, token
	relayWelcome = 'W'
	relayMessage = 'M' // number, length of the name, name, text
	relayAck     = 'A' // number
	relayText    = 'T' // text
	relayPush    = 'P'
	relayBeat    = 'B' // both ways
)

// relayAdapter speaks to the minimal relay: a login with a token, one frame in and two out for a message.
type relayAdapter struct{ hellos *hellos }

func newRelayAdapter() relayAdapter {
	return relayAdapter{newHellos(func(user string) []byte {
		token, err := chatTokenBuilder.BuildChatUserToken(fakeserver.DemoAppID, fakeserver.DemoAppCertificate, user, 3600)
		if err != nil {
			panic(err)
		}
		return append(append([]byte{relayLogin}, user...), "\x00"+token...)
	})}
}

func (a relayAdapter) hello(user string) []byte { return a.hellos.of(user) }

func (relayAdapter) welcome(frame []byte) bool { return frame[0] == relayWelcome }

func (relayAdapter) message(b []byte, number uint64, to string, text []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, relayMessage), number)
	b = append(append(b, byte(len(to))), to...)
	return append(b, text...)
}

func (relayAdapter) heartbeat() []byte { return []byte{relayBeat} }

func (relayAdapter) receive(_ *socket, frame []byte, l listener) {
	switch frame[0] {
	case relayAck:
		l.acked(binary.BigEndian.Uint64(frame[1:]))
	case relayText:
		l.delivered(frame[1:])
	case relayPush, relayBeat:
		l.pushed()
	}
}

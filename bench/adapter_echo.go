package main

// echoAdapter treats what comes back as acknowledged and delivered. It is the floor that all is compared with.
type echoAdapter struct{}

func (echoAdapter) hello(string) []byte { return nil }

func (echoAdapter) welcome([]byte) bool { return true }

func (echoAdapter) message(b []byte, _ uint64, _ string, text []byte) []byte {
	return append(b, text...)
}

func (echoAdapter) heartbeat() []byte { return []byte("?") }

func (echoAdapter) receive(_ *socket, frame []byte, l listener) {
	l.delivered(frame)
	l.acked(readNote(frame).number)
}

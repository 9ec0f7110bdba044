package main

import "strconv"

// adapter speaks one protocol from a client's side. One serves all clients, from any number of goroutines.
type adapter interface {
	// hello is the frame that logs a user in; nil where there is no login.
	hello(user string) []byte
	// welcome reports whether a frame says that the login is good.
	welcome(frame []byte) bool
	// message appends the frame of a text to somebody to b. The number is the sender's own, from 1.
	message(b []byte, number uint64, to string, text []byte) []byte
	// heartbeat is the frame of a client that has nothing to say, which is answered with one that counts as pushed or delivered.
	heartbeat() []byte
	// receive tells the listener what a frame says, and queues what the protocol wants for an answer.
	receive(s *socket, frame []byte, l listener)
}

// listener is told what arrives on one connection, on the goroutine that reads it.
type listener interface {
	// acked means that the server has the message of that number.
	acked(number uint64)
	// delivered is a text that somebody sent here.
	delivered(text []byte)
	// pushed is a frame of the server's own.
	pushed()
}

// adapters are the servers that can be measured, by name. A peer is added here and in servers.
var adapters = map[string]func() adapter{
	"echo":    func() adapter { return echoAdapter{} },
	"relay":   func() adapter { return newRelayAdapter() },
	"ttlchat": func() adapter { return newOurAdapter() },
}

// userName is the name of a client by its number.
func userName(n int) string { return "user" + strconv.Itoa(n) }

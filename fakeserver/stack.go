package fakeserver

import "net"

// roomy makes the stack of the goroutine that serves a connection as large as a login needs, at once: growing it step by step, and copying it
// each time with all that has been called by then, was a seventh of a login. What follows the login has a goroutine with a small stack again.
type roomy struct{ net.Listener }

// Accept implements net.Listener.
func (l roomy) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		conn = roomyConn{tcp}
	}
	return conn, err
}

type roomyConn struct{ *net.TCPConn }

// RemoteAddr is the first thing that net/http asks on the connection's own goroutine, when there is next to nothing to copy.
func (c roomyConn) RemoteAddr() net.Addr {
	takeRoom()
	return c.TCPConn.RemoteAddr()
}

// takeRoom needs so much stack that it becomes 16 KiB.
//
//go:noinline
func takeRoom() {
	var room [12 << 10]byte
	touch(&room)
}

// touch keeps the compiler from leaving the room away.
//
//go:noinline
func touch(room *[12 << 10]byte) { room[0] = 1 }

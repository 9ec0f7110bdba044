package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// socket is the client's end of a WebSocket that costs the load generator as little as possible: what it measures shares the processor with it.
// Its frames are masked with zeros, which servers unmask like any other key.
type socket struct {
	conn net.Conn
	in   []byte // read and not yet taken
	room []byte

	answer []byte // what the adapter builds its own frames in, on the goroutine that reads

	mu  sync.Mutex
	out []byte // not yet written
}

const handshake = "GET /websocket HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// dial connects and upgrades.
func dial(address string) (*socket, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	// A client that leaves resets, or the ports of closed connections would run out.
	_ = conn.(*net.TCPConn).SetLinger(0)
	s := &socket{conn: conn, room: make([]byte, 512)}
	if _, err := io.WriteString(conn, handshake); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		if err := s.fill(); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		if head, rest, whole := strings.Cut(string(s.in), "\r\n\r\n"); whole {
			if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
				return nil, errors.Join(fmt.Errorf("no upgrade: %.100q", head), conn.Close())
			}
			s.in = s.in[len(s.in)-len(rest):]
			return s, nil
		}
	}
}

// login says hello and waits for the welcome.
func (s *socket) login(a adapter, user string) error {
	hello := a.hello(user)
	if hello == nil {
		return s.conn.SetReadDeadline(time.Time{})
	}
	s.queue(hello)
	if err := s.flush(); err != nil {
		return err
	}
	frame, err := s.next()
	switch {
	case err != nil:
		return err
	case !a.welcome(frame):
		return fmt.Errorf("%s was refused", user)
	}
	return s.conn.SetReadDeadline(time.Time{})
}

// enter connects and logs in.
func enter(a adapter, address, user string) (*socket, error) {
	s, err := dial(address)
	if err != nil {
		return nil, err
	}
	if err := s.login(a, user); err != nil {
		return nil, errors.Join(err, s.conn.Close())
	}
	return s, nil
}

// fill reads more.
func (s *socket) fill() error {
	switch {
	case len(s.in) == 0:
		s.in = s.room[:0]
	case cap(s.in) == len(s.in):
		room := s.room
		if len(s.in)*2 > len(room) {
			room = make([]byte, 4*len(room))
		}
		s.in = room[:copy(room, s.in)]
		s.room = room
	}
	n, err := s.conn.Read(s.in[len(s.in):cap(s.in)])
	s.in = s.in[:len(s.in)+n]
	return err
}

// take returns the next whole frame that has been read; false means that more must be read first.
func (s *socket) take() (frame []byte, whole bool, err error) {
	if len(s.in) < 2 {
		return nil, false, nil
	}
	size, head := int(s.in[1]), 2
	switch {
	case size == 126 && len(s.in) < 4:
		return nil, false, nil
	case size == 126:
		size, head = int(binary.BigEndian.Uint16(s.in[2:])), 4
	case size > 126:
		return nil, false, errors.New("a frame is too long")
	}
	if len(s.in) < head+size {
		return nil, false, nil
	}
	if s.in[0] != 0x82 {
		return nil, false, fmt.Errorf("closed: %.80q", s.in[head:head+size])
	}
	frame, s.in = s.in[head:head+size], s.in[head+size:]
	return frame, true, nil
}

// next waits for a frame. It is good until the one after it.
func (s *socket) next() ([]byte, error) {
	for {
		if frame, whole, err := s.take(); whole || err != nil {
			return frame, err
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// run hands frames to the adapter until the connection ends. Answers to frames that came together leave together.
func (s *socket) run(a adapter, l listener) error {
	for {
		frame, whole, err := s.take()
		switch {
		case err != nil:
			return err
		case whole:
			a.receive(s, frame, l)
			continue
		}
		if err := s.flush(); err != nil {
			return err
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// queue adds a frame to what flush writes.
func (s *socket) queue(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = appendFrame(s.out, frame)
}

func appendFrame(b, frame []byte) []byte {
	if len(frame) < 126 {
		b = append(b, 0x82, 0x80|byte(len(frame)), 0, 0, 0, 0)
	} else {
		b = append(b, 0x82, 0x80|126, byte(len(frame)>>8), byte(len(frame)), 0, 0, 0, 0)
	}
	return append(b, frame...)
}

func (s *socket) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

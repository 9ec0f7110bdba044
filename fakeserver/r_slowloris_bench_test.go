package fakeserver

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// BenchmarkSlowLoris is fault test R12 over TCP: logins a second while 5,000 sockets trickle a byte a second, as a part of those without them;
// at least half is wanted. It needs 10,000 descriptors and takes half a minute.
func BenchmarkSlowLoris(b *testing.B) {
	const sockets = 5000
	s := newServer(b, Config{JournalSize: 100})
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener, nil) }()
	at := listener.Addr().String()
	frame := login{user: "alice", resource: "web", token: s.userToken(b, "alice", 3600)}.frame(b)
	logins := func() float64 { // in the best of a few seconds: the machine has other things to do
		best := 0
		for range 4 {
			n := 0
			for began := time.Now(); time.Since(began) < time.Second; n++ {
				logInOnce(b, at, frame)
			}
			best = max(best, n)
		}
		return float64(best)
	}
	for b.Loop() {
		usual := logins()
		open := make([]net.Conn, sockets)
		for i := range open {
			if open[i], err = new(net.Dialer).DialContext(b.Context(), "tcp", at); err != nil {
				b.Fatal(err)
			}
		}
		gone := make(chan time.Duration, 1)
		go func() { gone <- trickleInto(open) }()
		crowded := logins()
		closed := <-gone
		b.ReportMetric(crowded/usual, "part-of-logins")
		b.ReportMetric(closed.Seconds(), "s-until-all-closed")
		if crowded < usual/2 {
			b.Errorf("%.0f logins a second, %.0f without the sockets", crowded, usual)
		}
		if closed > 14*time.Second { // ten, and a writer notices at the second byte after
			b.Errorf("the last of them was closed after %v", closed)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		b.Error(err)
	}
	if err := <-served; err != nil {
		b.Error(err)
	}
}

// logInOnce connects, logs in, and goes.
func logInOnce(b *testing.B, at string, frame []byte) {
	b.Helper()
	conn, answer, err := websocket.DefaultDialer.DialContext(b.Context(), fmt.Sprintf("ws://%s/websocket", at), nil)
	if err != nil {
		b.Fatal(err)
	}
	_ = answer.Body.Close()
	defer conn.Close()
	if err := conn.WriteMessage(websocket.BinaryMessage, frame); err != nil {
		b.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err != nil {
		b.Fatal(err)
	}
}

// trickleInto writes a byte of a request to each connection every second, evenly spread, until all are refused, and returns how long that took.
func trickleInto(open []net.Conn) time.Duration {
	const request = "GET / HTTP/1.1\r\nX: it goes on and on and on"
	began := time.Now()
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	left := len(open)
	for n := 0; left > 0; {
		<-beat.C
		for range len(open) / 100 {
			i, written := n%len(open), n/len(open)
			n++
			if open[i] == nil {
				continue
			}
			if _, err := open[i].Write([]byte{request[written%len(request)]}); err != nil {
				_ = open[i].Close()
				open[i] = nil
				left--
			}
		}
	}
	return time.Since(began)
}

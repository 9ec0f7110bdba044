package main

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// echoed are clients of an echo without a network, so that time stands still in a bubble while they talk.
func echoed(t *testing.T, clients int, a adapter) []*talker {
	t.Helper()
	var all []*talker
	for i := range clients {
		client, server := net.Pipe()
		t.Cleanup(func() { _, _ = client.Close(), server.Close() })
		frames := make(chan []byte, 1000)
		go func() {
			defer close(frames)
			for {
				frame := make([]byte, 2+4+textSize) // the four are the mask
				if _, err := io.ReadFull(server, frame); err != nil {
					return
				}
				frames <- append([]byte{frame[0], textSize}, frame[6:]...)
			}
		}()
		go func() {
			for frame := range frames {
				_, _ = server.Write(frame) // the client may have gone
			}
		}()
		c := &talker{adapter: a, socket: &socket{conn: client, room: make([]byte, 512)}, id: uint32(i + 1)}
		c.peer = c
		go c.listen()
		all = append(all, c)
	}
	return all
}

// TestSchedule: what comes late because the load generator was kept from writing counts from when it was due.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := echoed(t, 2, echoAdapter{})
		begin := time.Now()
		waits := 0
		late, err := schedule(all, begin, 1000, 10, func(until time.Time) {
			time.Sleep(time.Until(until))
			if waits++; waits == 5 {
				time.Sleep(2500 * time.Microsecond) // messages 5, 6 and 7 are late
			}
			synctest.Wait()
		})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 9*time.Millisecond {
			t.Errorf("the last of ten left after %s", took)
		}
		f := settle(all)
		for _, l := range []latencies{late, f.Acked, f.Delivered} {
			if len(l) != 10 || l.at(1) != 2.5 || l.at(.8) != 1.5 || l.at(.7) != .5 || l.at(.6) != 0 {
				t.Errorf("latencies %d", l)
			}
		}
	})
}

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
		late := schedule(all, begin, 1000, 10, func(until time.Time) {
			time.Sleep(time.Until(until))
			if waits++; waits == 5 {
				time.Sleep(2500 * time.Microsecond) // messages 5, 6 and 7 are late
			}
			synctest.Wait()
		})
		if took := time.Since(begin); took != 9*time.Millisecond {
			t.Errorf("the last of ten left after %s", took)
		}
		f := settle(all, patience)
		for _, l := range []latencies{late, f.Acked, f.Delivered} {
			if len(l) != 10 || l.at(1) != 2.5 || l.at(.8) != 1.5 || l.at(.7) != .5 || l.at(.6) != 0 {
				t.Errorf("latencies %d", l)
			}
		}
	})
}

// spoiled is an adapter of the echo that does something wrong with message 3.
type spoiled struct {
	echoAdapter
	wrong func(s *socket, text []byte, l listener)
}

func (a spoiled) receive(s *socket, frame []byte, l listener) {
	if readNote(frame).number == 3 {
		a.wrong(s, frame, l)
		return
	}
	a.echoAdapter.receive(s, frame, l)
}

// TestHarm: each thing that can go wrong is counted, and as what it is.
func TestHarm(t *testing.T) {
	whole := echoAdapter{}.receive
	for name, tt := range map[string]struct {
		wrong func(s *socket, text []byte, l listener)
		want  harm
	}{
		"nothing":                         {whole, harm{}},
		"lost":                            {func(_ *socket, _ []byte, l listener) { l.acked(3) }, harm{Lost: 1}},
		"doubled":                         {func(s *socket, text []byte, l listener) { whole(s, text, l); l.delivered(text) }, harm{Doubled: 1}},
		"unacknowledged":                  {func(_ *socket, text []byte, l listener) { l.delivered(text) }, harm{Unacked: 1}},
		"acknowledged twice":              {func(s *socket, text []byte, l listener) { whole(s, text, l); l.acked(3) }, harm{Overacked: 1}},
		"acknowledged without being sent": {func(s *socket, text []byte, l listener) { whole(s, text, l); l.acked(99) }, harm{Overacked: 1}},
		"delivered without being sent": {func(s *socket, text []byte, l listener) {
			whole(s, text, l)
			l.delivered([]byte("hello"))
		}, harm{Foreign: 1}},
		"from somebody else": {func(_ *socket, text []byte, l listener) {
			n := readNote(text)
			n.sender++
			var other [textSize]byte
			n.write(&other)
			l.delivered(other[:])
			l.acked(3)
		}, harm{Lost: 1, Foreign: 1}},
		"reordered": {func(_ *socket, text []byte, l listener) {
			l.acked(3)
			n := readNote(text)
			n.number++
			var early [textSize]byte
			n.write(&early)
			l.delivered(early[:])
			l.delivered(text)
		}, harm{Doubled: 1, Reordered: 1}}, // and the fourth comes once more
		"ended": {func(s *socket, _ []byte, _ listener) { _ = s.conn.Close() }, harm{Lost: 8, Unacked: 8, Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := echoed(t, 1, spoiled{wrong: tt.wrong})
				for range 10 {
					all[0].write(time.Now())
				}
				all[0].flush()
				got := settle(all, patience).Harm
				if tt.want.Sent = 10; got != tt.want {
					t.Errorf("%+v, want %+v", got, tt.want)
				}
			})
		})
	}
}

// TestAcquaint: everybody has written once, and only what comes to harm in it counts.
func TestAcquaint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := echoed(t, 3, echoAdapter{})
		acquaint(all, 1000)
		for _, c := range all {
			if !c.done() || c.written.Load() != 1 {
				t.Errorf("client %d wrote %d messages, all settled: %v", c.id, c.written.Load(), c.done())
			}
		}
		f := settle(all, patience)
		if f.Harm != (harm{Sent: 3}) || len(f.Acked)+len(f.Delivered) != 0 {
			t.Errorf("%+v", f)
		}
	})
}

// TestUnansweredRenewal: a renewal that is never answered is one that failed, when nobody waits any longer for it.
func TestUnansweredRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &swarm{clients: []*swarmClient{{}, {}, {}}, renewer: new(renewer)}
		for _, c := range s.clients {
			c.at.Store(1)
		}
		s.renewer.answered.Store(2)
		s.renewer.failed.Store(1)
		if r := s.report(time.Second); r.Failed != 2 || len(r.At) != 3 {
			t.Errorf("%+v", r)
		}
	})
}

// TestWindow: an acknowledgement that comes again lets no further message go.
func TestWindow(t *testing.T) {
	c := &talker{adapter: echoAdapter{}, socket: new(socket), answers: true, until: time.Now().Add(time.Hour)}
	c.write(time.Now())
	for _, n := range []uint64{1, 1, 1, 7} {
		c.acked(n)
	}
	if n := c.written.Load(); n != 2 {
		t.Errorf("%d messages were written", n)
	}
}

// TestSound: a run in which something came to harm fails.
func TestSound(t *testing.T) {
	r := newReport(1)
	if err := r.sound(); err != nil {
		t.Error(err)
	}
	r.harm["relay"].Unacked++
	if err := r.sound(); err == nil {
		t.Error("a message without its acknowledgement was taken")
	}
}

package session_test

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// toxic is what a bad network does to the bytes of one direction: it may take its time, cut them up, and end the connection. It returns
// what comes through of p, and whether the connection goes on.
type toxic func(c *toxicConn, p []byte) (through [][]byte, alive bool)

// toxics are the seven of fault test R10.
var toxics = map[string]toxic{
	"latency": func(_ *toxicConn, p []byte) ([][]byte, bool) {
		time.Sleep(2 * time.Second)
		return [][]byte{p}, true
	},
	"bandwidth": func(_ *toxicConn, p []byte) ([][]byte, bool) { // 100 bytes a second
		time.Sleep(time.Duration(len(p)) * 10 * time.Millisecond)
		return [][]byte{p}, true
	},
	"slow close": func(c *toxicConn, p []byte) ([][]byte, bool) {
		c.lateClose.Do(func() { time.AfterFunc(5*time.Second, func() { _ = c.Close() }) })
		return [][]byte{p}, true
	},
	"timeout": func(*toxicConn, []byte) ([][]byte, bool) { return nil, true }, // nothing comes through, and nobody says so
	"reset":   func(*toxicConn, []byte) ([][]byte, bool) { return nil, false },
	"slicer": func(_ *toxicConn, p []byte) (slices [][]byte, alive bool) {
		for i := range p {
			slices = append(slices, p[i:i+1])
		}
		return slices, true
	},
	"limit": func(c *toxicConn, p []byte) ([][]byte, bool) { // 60 bytes, then the end
		if c.passed += len(p); c.passed > 60 {
			return nil, false
		}
		return [][]byte{p}, true
	},
}

// toxicConn applies a toxic while it is on.
type toxicConn struct {
	net.Conn
	dose      *dose
	passed    int
	pending   [][]byte // read and let through, not yet taken
	lateClose sync.Once
}

// dose is the toxic that all connections of a person get.
type dose struct {
	mu    sync.Mutex
	toxic toxic // nil while the network is healthy
	up    bool
}

func (d *dose) set(t toxic, up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.toxic, d.up = t, up
}

func (d *dose) in(up bool) toxic {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.up != up {
		return nil
	}
	return d.toxic
}

// Write implements net.Conn.
func (c *toxicConn) Write(p []byte) (int, error) {
	t := c.dose.in(true)
	if t == nil {
		return c.Conn.Write(p)
	}
	through, alive := t(c, p)
	for _, b := range through {
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
	}
	if !alive {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return len(p), nil
}

// Read implements net.Conn.
func (c *toxicConn) Read(p []byte) (int, error) {
	for len(c.pending) == 0 {
		b := make([]byte, len(p))
		n, err := c.Conn.Read(b)
		if err != nil {
			return 0, err
		}
		c.pending = [][]byte{b[:n]}
		if t := c.dose.in(false); t != nil {
			var alive bool
			if c.pending, alive = t(c, b[:n]); !alive {
				_ = c.Close()
			}
		}
	}
	n := copy(p, c.pending[0])
	if c.pending[0] = c.pending[0][n:]; len(c.pending[0]) == 0 {
		c.pending = c.pending[1:]
	}
	return n, nil
}

// TestToxics is fault test R10: seven toxics in two directions, over the login, a send and a renewal. A minute after the network is
// healthy again the session is online, and no message is lost, doubled or reordered.
func TestToxics(t *testing.T) {
	phases := map[string]func(p *person){
		"login":   func(p *person) { p.Logout(); p.Login() },
		"send":    func(p *person) { p.send("bob", "through it") },
		"renewal": func(p *person) { p.Renew() },
	}
	for name, toxic := range toxics {
		for _, up := range []bool{true, false} {
			for phase, do := range phases {
				t.Run(phase+", "+name+map[bool]string{true: " up", false: " down"}[up], func(t *testing.T) {
					inWorld(t, fakeserver.Config{}, func(w *world) {
						d := new(dose)
						nets := &wires{w: w, wrap: func(c net.Conn) net.Conn { return &toxicConn{Conn: c, dose: d} }}
						alice, bob := w.online("alice", time.Hour, nets.breakable), w.online("bob", time.Hour, nil)
						alice.send("bob", "before")
						synctest.Wait()
						d.set(toxic, up)
						do(alice)
						alice.send("bob", "meanwhile")
						time.Sleep(20 * time.Second)
						d.set(nil, up)
						time.Sleep(time.Minute)
						alice.is(session.Online)
						alice.send("bob", "after")
						time.Sleep(10 * time.Second)
						alice.is(session.Online)
						story := []chapter{alice.chapter("alice"), bob.chapter("bob")}
						if len(story[0].taken) != len(alice.said) {
							t.Errorf("%d of %d messages were taken", len(story[0].taken), len(alice.said))
						}
						for _, v := range violations(story) {
							t.Error(v)
						}
					})
				})
			}
		}
	}
}

package session_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// wires are the connections of one person, which a test can break.
type wires struct {
	w *world

	mu   sync.Mutex
	open []net.Conn
	// wrap, where it is set, changes each new connection to the gateway and the REST calls.
	wrap func(net.Conn) net.Conn
}

// breakable is a change for person.
func (x *wires) breakable(cfg *session.Config) {
	cfg.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := x.w.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.wrap != nil {
			conn = x.wrap(conn)
		}
		x.open = append(x.open, conn)
		return conn, nil
	}
}

// cut ends all connections from the person's side.
func (x *wires) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, conn := range x.open {
		_ = conn.Close()
	}
	x.open = nil
}

// storms is how many storms are lived through, each with a seed of its own.
var storms = flag.Int("storms", stormsUsual, "seeds of TestTenThousandMessagesThroughTrouble")

// TestTenThousandMessagesThroughTrouble is fault test R1: 10,000 messages among 20 clients, through 200 disconnects from either side or
// by a network that goes silent, and at least 50 tokens that end while their app does not renew. Nothing is lost, doubled or reordered. `make storms` has 100
// seeds.
func TestTenThousandMessagesThroughTrouble(t *testing.T) {
	for seed := range uint64(*storms) { //nolint:gosec // a number of tests
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inWorld(t, fakeserver.Config{JournalSize: 1000}, func(w *world) { troubled(w, seed) })
		})
	}
}

func troubled(w *world, seed uint64) {
	const clients, messages, breaks, expiries = 20, 10_000, 200, 50
	luck := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // must be repeatable
	people, nets := make([]*person, clients), make([]*wires, clients)
	for i := range people {
		nets[i] = &wires{w: w}
		lifetime := time.Minute + time.Duration(i)*time.Second
		people[i] = w.online(fmt.Sprintf("user%d", i), lifetime, nets[i].breakable)
		people[i].policy(session.WillExpireIgnore, session.ExpiredRelogin)
	}
	breakAt := make(map[int]int)
	for range breaks {
		breakAt[luck.IntN(messages)]++
	}
	for n := range messages {
		for range breakAt[n] {
			victim := luck.IntN(clients)
			user := fmt.Sprintf("user%d", victim)
			switch luck.IntN(3) {
			case 0:
				nets[victim].cut()
			case 1:
				w.server.CutUser(user)
			case 2:
				if _, err := w.server.AddFault(fakeserver.Fault{
					Target: fakeserver.FaultLink, Kind: "freeze", User: user, Count: 1, Params: fakeserver.FaultParams{"for": "20s"},
				}); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		from := luck.IntN(clients)
		to := (from + 1 + luck.IntN(clients-1)) % clients
		people[from].send(fmt.Sprintf("user%d", to), fmt.Sprintf("%d from %d", n, from))
		if luck.IntN(4) == 0 {
			time.Sleep(time.Duration(luck.IntN(200)) * time.Millisecond)
		}
	}
	w.server.ClearFaults()
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	var story []chapter
	expired, reconnects, taken := 0, 0, 0
	for i, p := range people {
		c := p.chapter(fmt.Sprintf("user%d", i))
		story = append(story, c)
		taken += len(c.taken)
		expired += p.count(session.TokenExpired)
		reconnects += p.count(session.ReconnectingNow)
	}
	wrong := violations(story)
	for _, v := range wrong[:min(len(wrong), 10)] {
		w.t.Errorf("seed %d: %s", seed, v)
	}
	if taken != messages || len(wrong) > 0 {
		w.t.Errorf("seed %d: %d of %d messages were taken, %d violations", seed, taken, messages, len(wrong))
	}
	if expired < expiries || reconnects < breaks/4 {
		w.t.Errorf("seed %d: only %d expiries and %d reconnects, which prove little", seed, expired, reconnects)
	}
	w.t.Logf("seed %d: %d messages, %d expiries, %d reconnects", seed, taken, expired, reconnects)
}

// TestCutAtEveryByte is fault test R2: the sender's connection is cut after every byte offset of a send and its answer, in both
// directions. The message arrives once, and is reported sent once.
func TestCutAtEveryByte(t *testing.T) {
	for _, direction := range []string{"to the service", "from the service"} {
		t.Run(direction, func(t *testing.T) {
			inWorld(t, fakeserver.Config{JournalSize: 1000}, func(w *world) {
				budget := &byteBudget{up: direction == "to the service"}
				nets := &wires{w: w, wrap: func(c net.Conn) net.Conn { return budgetConn{c, budget} }}
				alice, bob := w.online("alice", day, nets.breakable), w.online("bob", day, nil)
				offset := 0
				for ; ; offset++ {
					budget.arm(offset)
					alice.send("bob", fmt.Sprint(offset))
					time.Sleep(20 * time.Second)
					synctest.Wait()
					cut := budget.disarm()
					time.Sleep(10 * time.Second)
					if !cut {
						break
					}
				}
				if offset < 20 {
					t.Errorf("only %d offsets, an exchange has more bytes", offset)
				}
				if wrong := violations([]chapter{alice.chapter("alice"), bob.chapter("bob")}); len(wrong) > 0 {
					t.Errorf("%d violations in %d offsets: %v", len(wrong), offset, wrong[0])
				}
				if got := alice.count(session.MessageSent); got != offset+1 {
					t.Errorf("%d messages sent, want %d", got, offset+1)
				}
				t.Logf("%d offsets", offset)
			})
		})
	}
}

// byteBudget is how many more bytes go one way before all connections are cut.
type byteBudget struct {
	up bool

	mu    sync.Mutex
	armed bool
	left  int
	cut   bool
}

func (b *byteBudget) arm(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed, b.left, b.cut = true, bytes, false
}

func (b *byteBudget) disarm() (cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = false
	return b.cut
}

// spend says how many of n bytes may pass, and whether the connection is cut then. It is, once.
func (b *byteBudget) spend(up bool, n int) (pass int, cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.armed || b.up != up {
		return n, false
	}
	pass = min(n, b.left)
	b.left -= pass
	if pass < n {
		b.armed, b.cut = false, true
		return pass, true
	}
	return pass, false
}

type budgetConn struct {
	net.Conn
	budget *byteBudget
}

// Write implements net.Conn.
func (c budgetConn) Write(p []byte) (int, error) {
	pass, cut := c.budget.spend(true, len(p))
	n, err := c.Conn.Write(p[:pass])
	if cut {
		_ = c.Close()
		return n, net.ErrClosed
	}
	return n, err
}

// Read implements net.Conn.
func (c budgetConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	pass, cut := c.budget.spend(false, n)
	if cut {
		_ = c.Close()
		if pass == 0 {
			return 0, net.ErrClosed
		}
	}
	return pass, err
}

// TestThousandRenewals is fault test R4: one connection, and a thousand tokens of two seconds.
func TestThousandRenewals(t *testing.T) {
	inWorld(t, fakeserver.Config{JournalSize: 1000}, func(w *world) {
		const renewals = 1000
		p := w.online("alice", 2*time.Second, nil)
		for p.count(session.RenewSucceeded) < renewals {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		warned, renewed, expired := p.count(session.TokenWillExpire), p.count(session.RenewSucceeded), p.count(session.TokenExpired)
		if warned != renewed || expired != 0 || p.count(session.Connected) != 1 || p.count(session.TokenRequested) != renewed+1 {
			t.Errorf("%d warnings, %d renewals, %d expiries, %d connects, %d fetches", warned, renewed, expired,
				p.count(session.Connected), p.count(session.TokenRequested))
		}
	})
}

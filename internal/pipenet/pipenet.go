// Package pipenet is a network in memory: listeners and dialers over net.Pipe.
//
// Unlike a real socket it counts as blocked inside a testing/synctest bubble, so that a client and a server can live through a whole day
// of fake time in it. A pipe has no buffer: whoever reads must not also have to write before it reads on.
package pipenet

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Network is a set of listeners by address.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	conns     map[net.Conn]struct{}
}

// New returns an empty network.
func New() *Network {
	return &Network{listeners: make(map[string]*listener), conns: make(map[net.Conn]struct{})}
}

// Listen returns a listener for an address such as "chat:80".
func (n *Network) Listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{address: address, accept: make(chan net.Conn), done: make(chan struct{})}
	n.listeners[address] = l
	return l
}

// DialContext connects to a listener's address; it has the form that http.Transport and websocket.Dialer take.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("pipenet: nobody listens on %s", address)
	}
	near, far := net.Pipe()
	select {
	case l.accept <- far:
	case <-l.done:
		return nil, fmt.Errorf("pipenet: %s: connection refused", address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := &conn{Conn: near, network: n}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[c] = struct{}{}
	return c, nil
}

// Cut breaks every connection at once, as a network that fails does, and returns how many there were.
func (n *Network) Cut() int {
	n.mu.Lock()
	conns := n.conns
	n.conns = make(map[net.Conn]struct{})
	n.mu.Unlock()
	for c := range conns {
		_ = c.Close()
	}
	return len(conns)
}

// conn leaves its network when it is closed.
type conn struct {
	net.Conn
	network *Network
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}

type listener struct {
	address string
	accept  chan net.Conn
	once    sync.Once
	done    chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return address(l.address) }

type address string

// Network implements net.Addr.
func (address) Network() string { return "pipe" }

// String implements net.Addr.
func (a address) String() string { return string(a) }

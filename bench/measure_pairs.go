package main

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// pairsFigures is what a number of conversations came to.
type pairsFigures struct {
	PerSecond        float64
	CPUPerMessage    float64 // of the server, in µs
	BothPerMessage   float64 // of the server and the load generator, in µs
	Acked, Delivered latencies
	Late             latencies // of the load generator, where messages have a time at which they are due
	Harm             harm
}

// talker is one of two clients that write to each other.
type talker struct {
	adapter adapter
	socket  *socket
	id      uint32
	to      string
	peer    *talker
	until   time.Time // when it writes the last one
	answers bool      // an acknowledgement is answered with the next message

	first uint64 // what its messages are numbered from: SDKs begin with the time, so that no number comes twice

	written atomic.Uint64 // set with mu held

	mu       sync.Mutex
	acks     ledger  // of what it wrote
	sent     []int64 // when each message left, or was due to leave
	ackTook  latencies
	inbox    ledger // of what the peer wrote
	delivery latencies
	failed   error // what ended the connection
	scratch  []byte
	text     [textSize]byte
}

// write queues the next message. Its latencies are counted from at.
func (t *talker) write(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.written.Add(1)
	t.sent = append(t.sent, at.UnixNano())
	note{t.id, n, at.UnixNano()}.write(&t.text)
	t.scratch = t.adapter.message(t.scratch[:0], t.first+n, t.to, t.text[:])
	t.socket.queue(t.scratch)
}

// flush lets go of what is queued.
func (t *talker) flush() {
	if err := t.socket.flush(); err != nil {
		t.fail(err)
	}
}

func (t *talker) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
}

// acked answers the first acknowledgement of each message with the next one, so that no other widens the window.
func (t *talker) acked(number uint64) {
	now := time.Now()
	t.mu.Lock()
	number -= t.first
	fresh := t.acks.note(number, t.written.Load())
	if fresh {
		t.ackTook = append(t.ackTook, now.UnixNano()-t.sent[number-1])
	}
	t.mu.Unlock()
	if fresh && t.answers && now.Before(t.until) {
		t.write(now)
	}
}

func (t *talker) delivered(text []byte) {
	n := readNote(text)
	sent := t.peer.written.Load()
	if n.sender != t.peer.id {
		sent = 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inbox.note(n.number, sent) {
		t.delivery = append(t.delivery, time.Now().UnixNano()-n.sent)
	}
}

func (t *talker) pushed() {}

// done reports whether all that was written is acknowledged and has arrived.
func (t *talker) done() bool {
	t.mu.Lock()
	acked := t.acks.arrived
	t.mu.Unlock()
	t.peer.mu.Lock()
	defer t.peer.mu.Unlock()
	return acked == t.written.Load() && t.peer.inbox.arrived == acked
}

// talkers logs pairs of clients in, the first of them with the number first.
func talkers(to *target, first, pairs int) ([]*talker, error) {
	var all []*talker
	started := uint64(time.Now().UnixMilli()) //nolint:gosec // after 1970
	for i := range 2 * pairs {
		s, err := enter(to.adapter, to.chat, userName(first+i))
		if err != nil {
			return nil, err
		}
		all = append(all, &talker{adapter: to.adapter, socket: s, id: uint32(first + i), to: userName((first + i) ^ 1), first: started})
	}
	for i, t := range all {
		t.peer = all[i^1]
		if to.name == "echo" {
			t.peer, t.first = t, 0 // what one writes comes back, and has no number but its own
		}
		go t.listen()
	}
	return all, nil
}

// listen takes what comes until the connection ends.
func (t *talker) listen() {
	t.fail(t.socket.run(t.adapter, t))
}

// converse lets both of each pair write to each other for a time, each with a number of messages in flight: not yet acknowledged.
func converse(to *target, pairs, window int, d time.Duration) (pairsFigures, error) {
	all, err := talkers(to, 0, pairs)
	if err != nil {
		return pairsFigures{}, err
	}
	before, err := to.meter()
	if err != nil {
		return pairsFigures{}, err
	}
	begin := time.Now()
	for _, t := range all {
		t.until, t.answers = begin.Add(d), true
	}
	for _, t := range all {
		for range window {
			t.write(time.Now())
		}
		t.flush()
	}
	time.Sleep(time.Until(begin.Add(d)))
	took := time.Since(begin)
	acks := uint64(0)
	for _, t := range all {
		t.mu.Lock()
		acks += t.acks.arrived
		t.mu.Unlock()
	}
	server, both, err := before.since(int(acks))
	if err != nil {
		return pairsFigures{}, err
	}
	f := settle(all, patience)
	f.PerSecond = float64(acks) / took.Seconds()
	f.CPUPerMessage, f.BothPerMessage = server, both
	return f, nil
}

// patience is how long what is on its way may take at the end, and stragglers how long one waits for what comes once more.
const (
	patience   = 10 * time.Second
	stragglers = 100 * time.Millisecond
)

// await waits for what is on its way.
func await(all []*talker, patience time.Duration) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && slices.ContainsFunc(all, func(t *talker) bool { return !t.done() }); {
		time.Sleep(10 * time.Millisecond)
	}
}

// settle waits for what is on its way, hangs up and sums up.
func settle(all []*talker, patience time.Duration) pairsFigures {
	await(all, patience)
	time.Sleep(stragglers)
	var f pairsFigures
	for _, t := range all {
		t.mu.Lock()
		if t.failed != nil {
			fmt.Fprintf(os.Stderr, "bench: client %d: %v\n", t.id, t.failed)
			f.Harm.Failed++
		}
		t.mu.Unlock()
	}
	for _, t := range all {
		_ = t.socket.conn.Close()
		t.mu.Lock()
		f.Acked = append(f.Acked, t.ackTook...)
		f.Delivered = append(f.Delivered, t.delivery...)
		written, acks := t.written.Load(), t.acks
		t.mu.Unlock()
		t.peer.mu.Lock()
		f.Harm.add(written, &acks, &t.peer.inbox)
		t.peer.mu.Unlock()
	}
	slices.Sort(f.Acked)
	slices.Sort(f.Delivered)
	return f
}

package session

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Bounds of the outbox.
const (
	// MaxText is the longest message, in bytes (5 KB with everything around it, token-lifecycle.md section 3).
	MaxText = 5000
	// maxUnsent is how many messages wait for the service at most.
	maxUnsent = 10_000
	// window is how many of them are on their way at once.
	window = 32
	// maxUnconfirmed is how many sent messages are remembered until their receiver confirms them.
	maxUnconfirmed = 4096
)

var errEmpty = errors.New("the message is empty")

// outbox keeps own messages until the service has taken them. After a broken link it offers the same ones again, in the same order and
// under the same ids, by which the service knows those that it has; so each is sent once, whatever happens in between.
type outbox struct {
	unsent []outgoing // oldest first
	flying int        // how many of them, from the front, are on their way on the present link
	// sent remembers by the service's id what waits for its receiver's confirmation.
	sent  map[uint64]outgoing
	order []uint64
	// early remembers confirmations that overtook the service's answer, as they do when the link broke in between.
	early map[uint64]bool
}

type outgoing struct {
	id       uint64
	to, text string
}

// checkText says why a text cannot be a message.
func checkText(text string) error {
	switch {
	case text == "":
		return errEmpty
	case len(text) > MaxText:
		return fmt.Errorf("the message has %d bytes, and the service takes at most %d; split it", len(text), MaxText)
	case !utf8.ValidString(text):
		return errors.New("the message is not valid UTF-8")
	}
	return nil
}

func (o *outbox) add(m outgoing) { o.unsent = append(o.unsent, m) }

// next returns the messages to send now.
func (o *outbox) next() []outgoing {
	from, to := o.flying, min(len(o.unsent), window)
	if from >= to {
		return nil
	}
	o.flying = to
	return o.unsent[from:to]
}

// linkLost calls back what was on its way.
func (o *outbox) linkLost() { o.flying = 0 }

// settle takes a message out that the service has accepted or refused; false means that it had been settled before.
func (o *outbox) settle(id uint64) (outgoing, bool) {
	for i, m := range o.unsent {
		if m.id == id {
			if i == 0 { // nearly always: the service answers in order
				o.unsent = o.unsent[1:]
			} else {
				o.unsent = slices.Delete(o.unsent, i, i+1)
			}
			o.flying = max(o.flying-1, 0)
			return m, true
		}
	}
	return outgoing{}, false
}

// await remembers a sent message until its receiver confirms it; true means that this has happened already.
func (o *outbox) await(serverID uint64, m outgoing) bool {
	if o.early[serverID] {
		delete(o.early, serverID)
		return true
	}
	if o.sent == nil {
		o.sent = make(map[uint64]outgoing)
	}
	if len(o.order) == maxUnconfirmed {
		delete(o.sent, o.order[0])
		o.order = o.order[1:]
	}
	o.sent[serverID] = m
	o.order = append(o.order, serverID)
	return false
}

// confirmed returns the message that a receiver confirmed, once; a second device's receipt is no news.
func (o *outbox) confirmed(serverID uint64) (outgoing, bool) {
	m, ok := o.sent[serverID]
	if ok {
		delete(o.sent, serverID)
		return m, true
	}
	if o.early == nil || len(o.early) == maxUnconfirmed { // full of second devices' receipts
		o.early = make(map[uint64]bool)
	}
	o.early[serverID] = true
	return outgoing{}, false
}

func messageID(id uint64) string { return strconv.FormatUint(id, 10) }

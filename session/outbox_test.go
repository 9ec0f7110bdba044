package session

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Over any number of broken links, with answers and confirmations in any order, each message is settled once and confirmed once.
func TestOutboxProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o outbox
		var written, atService, settled, confirmed []uint64 // by id; the service's own id of a message is 1,000 more
		var onLink []uint64                                 // sent on the present link, without an answer yet
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if o.flying > len(o.unsent) || o.flying > window || len(o.unsent)+len(settled) != len(written) {
					t.Fatalf("%d flying, %d unsent, %d settled of %d", o.flying, len(o.unsent), len(settled), len(written))
				}
			},
			"write": func(*rapid.T) {
				id := uint64(len(written)) + 1
				written = append(written, id)
				o.add(outgoing{id: id})
			},
			"send": func(t *rapid.T) {
				for _, m := range o.next() {
					if slices.Contains(onLink, m.id) || slices.Contains(settled, m.id) {
						t.Fatalf("message %d is sent twice on one link", m.id)
					}
					onLink = append(onLink, m.id)
					if !slices.Contains(atService, m.id) {
						if m.id != uint64(len(atService))+1 {
							t.Fatalf("message %d comes after %d", m.id, len(atService))
						}
						atService = append(atService, m.id)
					}
				}
			},
			"answer": func(t *rapid.T) {
				if len(onLink) == 0 {
					return // nothing waits for an answer
				}
				id := onLink[0]
				onLink = onLink[1:]
				m, ok := o.settle(id)
				if !ok || m.id != id {
					t.Fatalf("the answer to %d settles %d, %v", id, m.id, ok)
				}
				if _, again := o.settle(id); again {
					t.Fatalf("message %d is settled twice", id)
				}
				settled = append(settled, id)
				if early := o.await(1000+id, m); early != slices.Contains(confirmed, id) {
					t.Fatalf("message %d was confirmed early: %v", id, early)
				}
			},
			"link breaks": func(*rapid.T) {
				o.linkLost()
				onLink = nil
			},
			"receiver confirms": func(t *rapid.T) {
				if len(atService) == 0 {
					return // nothing has come to the receiver
				}
				id := rapid.SampledFrom(atService).Draw(t, "id")
				m, ok := o.confirmed(1000 + id)
				if want := slices.Contains(settled, id) && !slices.Contains(confirmed, id); ok != want || ok && m.id != id {
					t.Fatalf("the receipt for %d is news: %v, want %v", id, ok, want)
				}
				if !slices.Contains(confirmed, id) {
					confirmed = append(confirmed, id)
				}
			},
		})
	})
}

func TestOutboxForgetsWhatNobodyConfirms(t *testing.T) {
	var o outbox
	for id := range uint64(3 * maxUnconfirmed) {
		o.await(2*id, outgoing{id: id})
		o.confirmed(2*id + 1)
	}
	if len(o.sent) != maxUnconfirmed || len(o.order) != maxUnconfirmed || len(o.early) > maxUnconfirmed {
		t.Errorf("%d sent, %d in order and %d early, want at most %d", len(o.sent), len(o.order), len(o.early), maxUnconfirmed)
	}
}

package chat

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// sendTimeout is the SDK's patience with a message that is not confirmed; then it takes the link for dead (protocol.md c, "Send").
const sendTimeout = 15 * time.Second

// rememberedIDs is how many received messages are known by id, so that one delivered again after a cut is shown once.
const rememberedIDs = 4096

// maxWaiting is how many queues wait to be pulled; the answer to a heartbeat names again what finds no room.
const maxWaiting = 4096

// mailbox is the message side of a client: what was sent and not confirmed on the present link, which queues to pull, what was seen.
type mailbox struct {
	// unconfirmed holds own messages in the order in which they were sent, with the instant of sending (monotonic).
	unconfirmed []unconfirmed
	// pulling is the queue whose batches are coming, key what the newest pull confirmed; waiting lists the queues that come after it
	// (protocol.md c, "Receive").
	pulling string
	key     uint64
	asked   time.Time // when the newest pull went out (monotonic)
	waiting []string
	seen    map[uint64]bool
	order   []uint64
}

type unconfirmed struct {
	id   uint64
	sent time.Time
}

func newMailbox() *mailbox { return &mailbox{seen: make(map[uint64]bool)} }

// reset forgets what belongs to one link.
func (b *mailbox) reset() { b.unconfirmed, b.pulling, b.waiting = nil, "", nil }

// patience is how long the oldest unconfirmed message, or the batch that was asked for, may still take. Without the batch nothing would be
// pulled on this link any more.
func (b *mailbox) patience() (time.Duration, bool) {
	var since []time.Time
	if len(b.unconfirmed) > 0 {
		since = append(since, b.unconfirmed[0].sent)
	}
	if b.pulling != "" {
		since = append(since, b.asked)
	}
	if len(since) == 0 {
		return 0, false
	}
	return sendTimeout - time.Since(slices.MinFunc(since, time.Time.Compare)), true
}

func (b *mailbox) send(l *link, m callSend, cfg Config) {
	body := msync.TextBody("", m.to, m.text)
	body.From = nil // the service knows who we are, and the SDK leaves it out
	if b.up(l, m.id, m.to, body, cfg) {
		b.unconfirmed = append(b.unconfirmed, unconfirmed{m.id, time.Now()})
	}
}

// up sends a message body upstream under the given id.
func (b *mailbox) up(l *link, id uint64, to string, body *msync.MessageBody, cfg Config) bool {
	payload, err := proto.Marshal(body)
	if err != nil {
		cfg.Log.Error("a message could not be encoded", "error", err)
		return false
	}
	l.send(msync.MSync_SYNC, &msync.CommSyncUL{Meta: &msync.Meta{
		Id: &id, To: msync.NewJID(cfg.Org+"#"+cfg.App, to, ""), Ns: msync.Meta_CHAT.Enum(), Payload: payload,
		Routetype: msync.Meta_ROUTE_ALL.Enum(),
	}})
	return true
}

// confirmed takes an id off the list of unconfirmed messages; false means that it was not ours, as with receipts.
func (b *mailbox) confirmed(id uint64) bool {
	for i, u := range b.unconfirmed {
		if u.id == id {
			b.unconfirmed = append(b.unconfirmed[:i], b.unconfirmed[i+1:]...)
			return true
		}
	}
	return false
}

// first reports whether a received message is new.
func (b *mailbox) first(id uint64) bool {
	if b.seen[id] {
		return false
	}
	if len(b.order) == rememberedIDs {
		delete(b.seen, b.order[0])
		b.order = b.order[1:]
	}
	b.seen[id] = true
	b.order = append(b.order, id)
	return true
}

// announce notes that a queue has something, and starts to pull when none is being pulled.
func (b *mailbox) announce(l *link, queue string, cfg Config) {
	if queue == "" || queue == b.pulling || len(b.waiting) >= maxWaiting || slices.Contains(b.waiting, queue) {
		return
	}
	b.waiting = append(b.waiting, queue)
	b.next(l, cfg)
}

// next pulls the next waiting queue, unless one is being pulled.
func (b *mailbox) next(l *link, cfg Config) {
	if b.pulling == "" && len(b.waiting) > 0 {
		b.pulling, b.waiting = b.waiting[0], b.waiting[1:]
		b.pull(l, 0, cfg)
	}
}

// pulled ends the pulling of a queue and goes on with the next one.
func (b *mailbox) pulled(l *link, cfg Config) {
	b.pulling = ""
	b.next(l, cfg)
}

// pull asks for the next batch; key confirms everything up to it, 0 nothing.
func (b *mailbox) pull(l *link, key uint64, cfg Config) {
	up := &msync.CommSyncUL{Queue: msync.NewJID(cfg.Org+"#"+cfg.App, b.pulling, "")}
	b.key, b.asked = key, time.Now()
	if key != 0 {
		up.Key = &key
	}
	l.send(msync.MSync_SYNC, up)
}

package fakeserver

import (
	"cmp"
	"container/list"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// Bounds of the history.
const (
	// maxRemembered is how many messages of one conversation are kept; the oldest goes first.
	maxRemembered = 1000
	// maxHistory is how many messages are kept in all, each conversation counting for one as well, because none needs to have any left; the
	// conversation that was silent for longest goes first.
	maxHistory = 100_000
)

// history is what was said, conversation by conversation, long after it was delivered. The hub's mu guards it.
type history struct {
	byUser map[string]map[string]*conversation // user, then peer
	active *list.List                          // of *conversation, the latest first
	total  int
	max    int
}

// conversation is what two users said to each other, with what each of them did about it.
type conversation struct {
	names   [2]string
	entries []remembered
	room    []remembered // what entries are in, once there are too many of them
	sides   [2]side
	full    bool          // it has outgrown maxRemembered
	place   *list.Element // nil once it was forgotten
}

// side is how one of the two sees the conversation.
type side struct {
	hidden bool      // deleted from the list, until the next message
	readTo uint64    // the newest message that was read
	topAt  time.Time // when it was put on top; zero when it is not
}

// remembered is a message in a conversation.
type remembered struct {
	id    uint64
	from  string
	raw   []byte // the Meta as it is written; never changed, because queues hold it too
	edits int32
	gone  [2]bool // who deleted it
	pin   *pin    // nil when it is not pinned
}

// pin is who put a message on top, and when.
type pin struct {
	at time.Time
	by string
}

func newHistory() *history {
	return &history{byUser: make(map[string]map[string]*conversation), active: list.New(), max: maxHistory}
}

// isContent reports whether a body says something, instead of confirming or changing what was said.
func isContent(body *msync.MessageBody) bool {
	t := body.GetType()
	return t == msync.MessageBody_CHAT || t == msync.MessageBody_NORMAL
}

// remember keeps a stored message and does to the history what acknowledgements, recalls and edits ask for. The queue that it went into,
// if any, knows the conversation. mu is held.
func (h *hub) remember(m *outgoing, id uint64, q *queue) {
	var c *conversation
	if q != nil && q.past != nil && q.past.place != nil {
		c = q.past
	} else {
		c = h.past.between(m.from.name, m.to)
	}
	switch {
	case isContent(m.body):
		if m.onlyLive || isCommand(m.body) { // for the moment only
			return
		}
		if c == nil {
			c = h.past.begin(m.from.name, m.to)
		}
		if q != nil {
			q.past = c
		}
		for _, t := range h.past.add(c, m.from.name, id, m.raw) {
			h.journal.add(&Entry{Name: HistoryTrimmed, From: t.names[0], To: t.names[1], Reason: t.reason})
		}
	case c == nil:
	case m.body.GetType() == msync.MessageBody_CHANNEL_ACK:
		c.sides[c.side(m.from.name)].readTo = id
	case m.body.GetType() == msync.MessageBody_READ_ACK:
		s := &c.sides[c.side(m.from.name)]
		s.readTo = max(s.readTo, m.body.GetAckMessageId())
	case m.body.GetType() == msync.MessageBody_RECALL:
		if i := c.find(m.body.GetAckMessageId()); i >= 0 && c.entries[i].from == m.from.name {
			c.entries = slices.Delete(c.entries, i, i+1)
			h.past.total--
		}
	case m.body.GetType() == msync.MessageBody_EDIT:
		if i := c.find(m.body.GetEditMessageId()); i >= 0 && c.entries[i].from == m.from.name {
			c.entries[i].raw = edited(c.entries[i], m.body)
			c.entries[i].edits++
		}
	}
}

func isCommand(body *msync.MessageBody) bool {
	return len(body.GetContents()) > 0 && body.GetContents()[0].GetType() == msync.MessageBody_Content_COMMAND
}

// meta reads the message.
func (r remembered) meta() *msync.Meta {
	m := new(msync.Meta)
	if proto.Unmarshal(r.raw, m) != nil {
		return new(msync.Meta) // cannot happen: it was written by us
	}
	return m
}

// edited is a message with the contents of an edit. One that cannot be rewritten stays as it was.
func edited(r remembered, edit *msync.MessageBody) []byte {
	meta := r.meta()
	var body msync.MessageBody
	if err := proto.Unmarshal(meta.GetPayload(), &body); err != nil {
		return r.raw
	}
	body.Contents, body.Meta = edit.GetContents(), edit.Meta
	if edit.GetEditScope() == msync.MessageBody_BODY_AND_EXT {
		body.Ext = edit.GetExt()
	}
	payload, err := proto.Marshal(&body)
	if err != nil {
		return r.raw
	}
	meta.Payload = payload
	changed, err := proto.Marshal(meta)
	if err != nil {
		return r.raw
	}
	return changed
}

// trimmed says of what conversation something had to go.
type trimmed struct {
	names  [2]string
	reason string
}

// begin makes a conversation that does not exist yet.
func (p *history) begin(from, to string) *conversation {
	c := &conversation{names: [2]string{from, to}}
	c.place = p.active.PushFront(c)
	p.index(from, to, c)
	p.index(to, from, c)
	return c
}

// add keeps a message and tells what had to go for it: of a conversation that outgrows its bound only once.
func (p *history) add(c *conversation, from string, id uint64, raw []byte) (gone []trimmed) {
	p.active.MoveToFront(c.place)
	for i := range c.sides {
		c.sides[i].hidden = false
	}
	if len(c.entries) == maxRemembered {
		c.dropFirst()
		p.total--
		if !c.full {
			c.full = true
			gone = append(gone, trimmed{c.names, fmt.Sprintf("only the newest %d messages of a conversation are kept", maxRemembered)})
		}
	}
	c.entries = append(c.entries, remembered{id: id, from: from, raw: raw})
	p.total++
	for p.total+p.active.Len() > p.max && p.active.Len() > 1 {
		oldest, _ := p.active.Back().Value.(*conversation)
		gone = append(gone, trimmed{oldest.names, fmt.Sprintf("the conversation was forgotten: only %d messages are kept in all", p.max)})
		p.drop(oldest)
	}
	return gone
}

// dropFirst forgets the oldest message. The others move to the front of their room only when there is none left behind them.
func (c *conversation) dropFirst() {
	c.entries[0] = remembered{} // its bytes are not needed any more
	c.entries = c.entries[1:]
	if len(c.entries) < cap(c.entries) {
		return
	}
	if c.room == nil {
		c.room = make([]remembered, 2*maxRemembered)
	}
	n := copy(c.room, c.entries)
	clear(c.room[n:])
	c.entries = c.room[:n]
}

func (p *history) index(user, peer string, c *conversation) {
	if p.byUser[user] == nil {
		p.byUser[user] = make(map[string]*conversation)
	}
	p.byUser[user][peer] = c
}

func (p *history) drop(c *conversation) {
	for i, name := range c.names {
		delete(p.byUser[name], c.names[1-i])
		if len(p.byUser[name]) == 0 {
			delete(p.byUser, name)
		}
	}
	p.active.Remove(c.place)
	c.place = nil
	p.total -= len(c.entries)
	c.entries, c.room = nil, nil // queues may still know the conversation
}

func (p *history) between(user, peer string) *conversation { return p.byUser[user][peer] }

// of lists a user's conversations, the latest first; those without a word left are listed too, unless they are hidden.
func (p *history) of(user string) []*conversation {
	var all []*conversation
	for _, c := range p.byUser[user] {
		if !c.sides[c.side(user)].hidden {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *conversation) int {
		return cmp.Or(cmp.Compare(b.last(), a.last()), strings.Compare(a.peer(user), b.peer(user)))
	})
	return all
}

// forget takes everything away from one user; the peers keep theirs.
func (p *history) forget(user string) {
	for _, c := range p.byUser[user] {
		i := c.side(user)
		c.sides[i] = side{hidden: true}
		c.clear(i, func(remembered) bool { return true })
	}
}

// side is the index of the user's own view.
func (c *conversation) side(user string) int {
	if c.names[0] == user {
		return 0
	}
	return 1
}

func (c *conversation) peer(user string) string { return c.names[1-c.side(user)] }

// last is the id of the newest message, 0 when none is left.
func (c *conversation) last() uint64 {
	if len(c.entries) == 0 {
		return 0
	}
	return c.entries[len(c.entries)-1].id
}

func (c *conversation) find(id uint64) int {
	i, found := slices.BinarySearchFunc(c.entries, id, func(r remembered, id uint64) int { return cmp.Compare(r.id, id) })
	if !found {
		return -1
	}
	return i
}

// clear deletes the chosen messages from one side's view.
func (c *conversation) clear(i int, which func(remembered) bool) {
	for k := range c.entries {
		if which(c.entries[k]) {
			c.entries[k].gone[i] = true
		}
	}
}

// seen lists what one side still sees, oldest first.
func (c *conversation) seen(i int) []remembered {
	var list []remembered
	for _, r := range c.entries {
		if !r.gone[i] {
			list = append(list, r)
		}
	}
	return list
}

// unread counts what one side has not read.
func (c *conversation) unread(i int) (n int) {
	for _, r := range c.entries {
		if !r.gone[i] && r.id > c.sides[i].readTo && r.from == c.names[1-i] && c.names[0] != c.names[1] {
			n++
		}
	}
	return n
}

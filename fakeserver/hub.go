package fakeserver

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// Bounds of what the emulator keeps.
const (
	// maxKnownDevices is how many devices of one user are remembered; the one offline for longest is forgotten first.
	maxKnownDevices = 16
	// maxQueue is how many undelivered messages one user keeps of one peer; the oldest is dropped, with a journal entry.
	maxQueue = 10_000
	// maxWaiting is how many bytes all undelivered messages may have; what is sent then is refused.
	maxWaiting = 256 << 20
	// waitingOverhead is what a message in a queue costs beside its bytes.
	waitingOverhead = 128
	// maxUsers bounds the accounts that appear by themselves.
	maxUsers = 200_000
	// resendWindow is how many of a device's own message ids are remembered, to answer a resent message with its first server id.
	resendWindow = 4096
	// batchSize is how many messages one answer to a pull holds.
	batchSize = 50
)

var (
	errUserUnknown = errors.New("user not found")
	errTooMany     = errors.New("the emulator holds no more users")
	errBlocked     = errors.New("blocked")
	errFull        = errors.New("the emulator holds no more undelivered messages")
)

// hub owns who exists, who is connected and what waits for whom. Everything in it is guarded by mu; nothing blocks while mu is held:
// frames go into the links' bounded queues.
type hub struct {
	cfg     Config
	clock   *clock.Clock
	journal *journal

	appKey string
	lastID atomic.Uint64 // of a meta

	mu      sync.Mutex
	closing bool // nothing is taken any more
	users   map[string]*user
	byUUID  map[string]*user // the same ones
	past    *history
	waiting int    // bytes in all queues
	most    int    // maxWaiting
	turns   uint64 // logins and departures so far: their order, which the clock cannot tell because it can jump
}

// user is an account with its mailbox.
type user struct {
	name, uuid, password, nickname string
	created                        time.Time
	devices                        []*device // at most maxKnownDevices; a map would cost each idle user more than the rest of it
	queues                         map[string]*queue

	deactivated bool
	voidBefore  uint64    // Chat tokens with a lower serial are void
	kept        *settings // see settings; nil while there are none, because most users have none
}

// device is one place where a user logs in, known by its resource. It outlives its connections, so that what was delivered to it and
// what it sent are still known after a reconnect.
type device struct {
	resource, uuid, name string
	link                 *link  // nil while offline
	left                 uint64 // the turn of the last departure
	sent                 resends
}

// queue is the conversation of its owner with one peer: what some known device of the owner has not confirmed yet, in order.
type queue struct {
	peer    string
	jid     []byte // the peer's, as it is written
	notice  []byte // the frame that tells of the queue
	emptied []byte // the frame that says that nothing is left in it; nil until somebody has to be told
	entries []stored
	places  []place       // of those devices that ever had something to do with it
	acked   uint64        // the highest key that any device has confirmed; where a new device starts
	past    *conversation // what the two said to each other; nil until somebody looks for it
}

// originREST is the origin of a copy of what was sent over REST. No device is called so, because names of devices are printable.
const originREST = "\x00"

// stored is a message in a queue. Its id is also its key: ids grow.
type stored struct {
	id     uint64
	from   string
	origin string // the resource that sent it, when the owner of the queue did: it has the message already
	raw    []byte // the Meta as it is written; the history has the same
}

func (s stored) cost() int { return len(s.raw) + waitingOverhead }

// receipt is the answer to a send.
type receipt struct {
	id, timestamp uint64
	forEcho       bool // nobody but the echo user is there to answer
}

// sentOnce is how a message that is sent again is recognised: by the sender's id, and by what is in it. The id alone will not do: the Web SDK
// can give a receipt and a text of the same millisecond the same one.
type sentOnce struct{ id, content uint64 }

var contentSeed = maphash.MakeSeed()

// once identifies an upstream message; it is zero when the sender gave no id.
func once(id uint64, to string, body []byte) sentOnce {
	if id == 0 {
		return sentOnce{}
	}
	// The receiver is hashed apart, and mixed in so that no other one cancels it out.
	return sentOnce{id, maphash.Bytes(contentSeed, body) ^ bits.RotateLeft64(maphash.String(contentSeed, to), 1)}
}

// resends remembers the receipts of a device's newest messages, so that a message sent twice is stored once.
type resends struct {
	sent    []sentBefore // up to resendWindow of them, then the oldest is replaced
	oldest  int
	highest uint64 // of the senders' ids: what is above has not been sent before
}

// sentBefore is a message with its receipt.
type sentBefore struct {
	sentOnce
	receipt receipt
}

func (r *resends) add(m sentOnce, rec receipt) {
	r.highest = max(r.highest, m.id)
	if len(r.sent) < resendWindow {
		r.sent = append(r.sent, sentBefore{m, rec})
		return
	}
	r.sent[r.oldest] = sentBefore{m, rec}
	r.oldest = (r.oldest + 1) % resendWindow
}

// find returns the receipt of a message that is sent again. SDKs count their ids up from the time, so there is seldom anything to look
// through (protocol.md b.3).
func (r *resends) find(m sentOnce) (receipt, bool) {
	if m.id > r.highest {
		return receipt{}, false
	}
	for i := range r.sent {
		if r.sent[i].sentOnce == m {
			return r.sent[i].receipt, true
		}
	}
	return receipt{}, false
}

func newHub(cfg Config, clk *clock.Clock, j *journal) *hub {
	h := &hub{cfg: cfg, clock: clk, journal: j, appKey: cfg.appKey(), most: maxWaiting}
	h.reset()
	return h
}

// reset leaves nobody but the users of the configuration, and nothing that was said.
func (h *hub) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range h.users {
		h.empty(u)
	}
	h.users, h.byUUID, h.past = make(map[string]*user), make(map[string]*user), newHistory()
	for _, u := range h.cfg.Users {
		h.add(u.Name, u.Password, "")
	}
	if h.users[h.cfg.EchoUser] == nil {
		h.add(h.cfg.EchoUser, "", "")
	}
}

// names lists everybody who exists.
func (h *hub) names() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.users))
}

func (h *hub) add(name, password, nickname string) *user {
	u := &user{
		name: name, uuid: newUUID(), password: password, nickname: nickname, created: h.clock.Now(),
	}
	h.users[name], h.byUUID[u.uuid] = u, u
	return u
}

// ensure returns the user and lets it appear where registration is open. mu is held.
func (h *hub) ensure(name string) (*user, error) {
	if u := h.users[name]; u != nil {
		return u, nil
	}
	if h.cfg.ClosedRegistration {
		return nil, errUserUnknown
	}
	if len(h.users) >= maxUsers {
		return nil, errTooMany
	}
	return h.add(name, "", ""), nil
}

// attach puts a provisioned link on its device: an older link of the same device is replaced, and a device too many pushes out the one
// that has been online for longest. It is false for a user who has been deleted since the token was looked at.
func (h *hub) attach(l *link, u *user, resource, uuid, name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[u.name] != u {
		return false
	}
	d := u.device(resource)
	if d == nil {
		h.forgetOldest(u)
		d = &device{resource: resource}
		for _, q := range u.queues {
			q.place(d).acked = q.acked
		}
		u.devices = append(u.devices, d)
	}
	d.uuid, d.name = uuid, name
	if d.link != nil {
		d.link.close("replaced by a newer connection of the same device")
	}
	l.user, l.device, d.link = u, d, l
	l.whose.Store(&whose{user: u.name, device: resource, session: l.id})
	h.turns++
	l.turn = h.turns
	online := u.online()
	for ; len(online) > h.cfg.MaxDevices; online = online[1:] {
		online[0].kick(msync.StatisticsBody_USER_LOGIN_ANOTHER_DEVICE, "one device too many logged in")
	}
	return true
}

// place is how far one of the owner's devices has come with a queue.
type place struct {
	device *device
	acked  uint64 // everything up to this key has arrived

	login   uint64 // the turn of the connection that the rest is about
	sent    uint64 // the highest key that was sent
	noticed bool   // the client knows to pull
}

// place is the device's place in the queue, good until the next one is asked for. The hub's mu is held.
func (q *queue) place(d *device) *place {
	for i := range q.places {
		if q.places[i].device == d {
			return &q.places[i]
		}
	}
	q.places = append(q.places, place{device: d})
	return &q.places[len(q.places)-1]
}

// placeOf is the place of the device that a link is from, which begins anew with each connection but for what has arrived. The hub's mu
// is held.
func (q *queue) placeOf(l *link) *place {
	p := q.place(l.device)
	if p.login != l.turn {
		p.login, p.sent, p.noticed = l.turn, 0, false
	}
	return p
}

// device returns the known device of that name, or nil. The hub's mu is held.
func (u *user) device(resource string) *device {
	for _, d := range u.devices {
		if d.resource == resource {
			return d
		}
	}
	return nil
}

// detach takes a closed link off its device.
func (h *hub) detach(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.device != nil && l.device.link == l {
		l.device.link = nil
		h.turns++
		l.device.left = h.turns
	}
}

// forgetOldest makes room for one more known device. mu is held.
func (h *hub) forgetOldest(u *user) {
	if len(u.devices) < maxKnownDevices {
		return
	}
	var oldest *device
	for _, d := range u.devices {
		if d.link == nil && (oldest == nil || d.left < oldest.left) {
			oldest = d
		}
	}
	if oldest == nil {
		return
	}
	u.devices = slices.DeleteFunc(u.devices, func(d *device) bool { return d == oldest })
	for _, q := range u.queues {
		q.places = slices.DeleteFunc(q.places, func(p place) bool { return p.device == oldest })
	}
}

// online returns the user's open links, the one that has been open for longest first. mu is held.
func (u *user) online() []*link {
	links := u.appendOnline(nil)
	sortByTurn(links)
	return links
}

func (u *user) appendOnline(links []*link) []*link {
	for _, d := range u.devices {
		if d.link != nil && !d.link.closing.Load() {
			links = append(links, d.link)
		}
	}
	return links
}

func sortByTurn(links []*link) {
	slices.SortFunc(links, func(a, b *link) int { return cmp.Compare(a.turn, b.turn) })
}

// links returns the open links of one user, or of everybody when name is empty, in the order of their logins.
func (h *hub) links(name string) []*link {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name != "" {
		if u := h.users[name]; u != nil {
			return u.online()
		}
		return nil
	}
	var all []*link
	for _, u := range h.users {
		all = u.appendOnline(all)
	}
	sortByTurn(all)
	return all
}

// outgoing is a message on its way into the store. It lacks what only the store knows: id and timestamp.
type outgoing struct {
	at       time.Time // when it came; zero for now
	from     *user
	device   *device // nil for messages of the emulator's own users
	to       string
	once     sentOnce    // zero when the sender gave no id
	sender   []byte      // the JID of the device, or of a user who has none, as it is written
	receiver []byte      // the JID, as it is written
	payload  []byte      // the body, as it is written
	rest     *msync.Meta // what else there is to be passed on; nil for nothing
	plain    bool        // text stands for receiver, payload and rest
	text     msync.PlainText
	raw      []byte // the Meta as it is written, once it has all
	body     *msync.MessageBody
	onlyLive bool // ROUTE_ONLINE: for whoever is connected, never stored for later
	receipt  bool // it confirms a message and says nothing itself
	mirror   bool // sent over REST, and the sender's devices are to show it
}

func (m *outgoing) stored(rec receipt, origin string) stored {
	return stored{id: rec.id, from: m.from.name, origin: origin, raw: m.raw}
}

// store takes a message for good: it gets an id and a place in the receiver's queue and in those of the sender's other devices, and
// everybody concerned is told. A message that this device sent before gets its first receipt again.
func (h *hub) store(m *outgoing) (receipt, error) {
	var news told
	rec, err := h.keep(m, &news)
	news.flush()
	return rec, err
}

// told are links with something to flush. Mostly there is one.
type told struct {
	first *link
	more  []*link
}

func (t *told) add(l *link) {
	if t.first == nil {
		t.first = l
		return
	}
	t.more = append(t.more, l)
}

func (t *told) flush() {
	if t.first != nil {
		t.first.wire.Flush()
	}
	for _, l := range t.more {
		l.wire.Flush()
	}
}

// keep is store but for the last step: who was told still has to be flushed.
func (h *hub) keep(m *outgoing, news *told) (receipt, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.device != nil && m.once != (sentOnce{}) {
		if rec, ok := m.device.sent.find(m.once); ok {
			return rec, nil
		}
	}
	if h.closing {
		return receipt{}, errClosing
	}
	to, err := h.ensure(m.to)
	if err != nil {
		return receipt{}, err
	}
	if m.device != nil && isContent(m.body) && to.kept != nil && to.kept.blocked[m.from.name] {
		return receipt{}, errBlocked
	}
	if h.waiting >= h.most {
		return receipt{}, errFull
	}
	now := m.at
	if now.IsZero() {
		now = h.clock.Now()
	}
	rec := h.nextReceipt(now)
	if m.plain {
		m.raw = m.text.Meta(rec.id, rec.timestamp, h.appKey, m.sender)
	} else if m.raw, err = msync.EncodeMeta(rec.id, rec.timestamp, m.sender, m.receiver, m.payload, m.rest); err != nil {
		return receipt{}, err
	}
	if m.device != nil && m.once != (sentOnce{}) {
		m.device.sent.add(m.once, rec)
	}
	if m.receipt {
		h.journal.add(&Entry{Name: MessageStored, User: to.name, MessageID: messageID(rec.id), From: m.from.name, To: to.name, Reason: "receipt"})
	} else {
		h.journal.stored(now, rec.id, m.from.name, to.name)
	}
	rec.forEcho = to.name == h.cfg.EchoUser && len(to.online()) == 0
	var q *queue
	if !rec.forEcho {
		q = h.enqueue(to, m.from.name, m.stored(rec, ""), m.onlyLive, news)
	}
	if m.device != nil && len(m.from.devices) > 1 && to != m.from && h.users[m.from.name] == m.from {
		h.enqueue(m.from, to.name, m.stored(rec, m.device.resource), m.onlyLive, news)
	}
	if m.mirror && len(m.from.devices) > 0 && to != m.from && h.users[m.from.name] == m.from {
		h.enqueue(m.from, to.name, m.stored(rec, originREST), m.onlyLive, news)
	}
	h.remember(m, rec.id, q)
	return rec, nil
}

// nextReceipt numbers a meta: ids grow strictly, whatever the clock does. It needs no lock, because kicks are numbered with and without mu.
func (h *hub) nextReceipt(now time.Time) receipt {
	ms := millis(now)
	for {
		last := h.lastID.Load()
		id := max(last+1, ms<<20)
		if h.lastID.CompareAndSwap(last, id) {
			return receipt{id: id, timestamp: ms}
		}
	}
}

// enqueue puts a message into a user's queue and notifies the user's links, which it adds to news. It returns the queue, nil when nobody was
// there for what is never kept. mu is held.
func (h *hub) enqueue(u *user, peer string, s stored, onlyLive bool, news *told) *queue {
	if onlyLive && len(u.online()) == 0 {
		return nil
	}
	q := u.queues[peer]
	if q == nil {
		q = h.newQueue(peer)
		if u.queues == nil {
			u.queues = make(map[string]*queue)
		}
		u.queues[peer] = q
	}
	if len(q.entries) == maxQueue {
		h.journal.add(&Entry{Name: MessageDropped, User: u.name, MessageID: messageID(q.entries[0].id), Reason: "queue full"})
		h.shorten(q, 1)
	}
	q.entries = append(q.entries, s)
	h.waiting += s.cost()
	for _, d := range u.devices {
		if d.link != nil && !d.link.closing.Load() && d.resource != s.origin && d.link.notify(q) {
			news.add(d.link)
		}
	}
	return q
}

// newQueue is an empty conversation with a peer.
func (h *hub) newQueue(peer string) *queue {
	jid := msync.EncodeJID(h.appKey, peer, "")
	return &queue{peer: peer, jid: jid, notice: msync.NoticeFrame(jid)}
}

// unread lists the link's queues that hold something it has not been sent, and notes that it has been told.
func (h *hub) unread(l *link) []*msync.MetaQueue {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.device.link != l {
		return nil // as in pull
	}
	var list []*msync.MetaQueue
	for _, peer := range slices.Sorted(maps.Keys(l.user.queues)) {
		n := uint32(0)
		q := l.user.queues[peer]
		for _, s := range l.pending(q) {
			if !l.owns(s) {
				n++
			}
		}
		if n > 0 {
			q.placeOf(l).noticed = true
			list = append(list, &msync.MetaQueue{Queue: h.jid(peer, ""), N: &n})
		}
	}
	return list
}

// pull confirms a queue up to key (0 confirms nothing) and answers with the next batch; the answer is queued before mu is released, so
// that a notice of a later message comes after it.
func (h *hub) pull(l *link, peer []byte, key uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.device.link != l {
		return // replaced a moment ago: the device's place is the newer connection's
	}
	q := l.user.queues[string(peer)]
	if q == nil { // nothing has ever been in it
		l.answerFrame(msync.BatchFrame(msync.EncodeJID(h.appKey, string(peer), ""), nil, 0))
		return
	}
	h.confirm(l, q, key)
	var few [8][]byte // mostly that is enough, and clearing room for a whole batch takes its time
	batch, last := few[:0], uint64(0)
	for _, s := range l.pending(q) {
		if len(batch) == batchSize {
			break
		}
		if !l.owns(s) {
			batch, last = append(batch, s.raw), s.id
		}
	}
	p := q.placeOf(l)
	if len(batch) > 0 {
		p.sent = last
		l.answerFrame(msync.BatchFrame(q.jid, batch, last))
		return
	}
	p.noticed = false
	if q.emptied == nil {
		q.emptied = msync.BatchFrame(q.jid, nil, 0)
	}
	l.answerFrame(q.emptied)
}

// confirm marks everything up to key as arrived on the link's device and lets go of what every known device has. mu is held.
func (h *hub) confirm(l *link, q *queue, key uint64) {
	p := q.placeOf(l)
	key = min(key, p.sent) // nobody confirms what was not sent
	if key <= p.acked {
		return
	}
	p.acked = key
	for _, s := range q.entries {
		if s.id > key {
			break
		}
		if s.id > q.acked && s.origin == "" {
			h.journal.delivered(l.heard, l, s.id, s.from)
		}
	}
	q.acked = max(q.acked, key)
	n := 0
	for n < len(q.entries) && l.user.everywhere(q, q.entries[n]) {
		n++
	}
	h.shorten(q, n)
}

// shorten takes the first n messages out of a queue. mu is held.
func (h *hub) shorten(q *queue, n int) {
	for i := range q.entries[:n] {
		h.waiting -= q.entries[i].cost()
	}
	switch {
	case n < len(q.entries):
		clear(q.entries[:n])
		q.entries = q.entries[n:]
	case cap(q.entries) <= batchSize: // as mostly: the next ones have their room
		clear(q.entries)
		q.entries = q.entries[:0]
	default:
		q.entries = nil
	}
}

// empty takes everything out of a user's queues. mu is held.
func (h *hub) empty(u *user) {
	for _, q := range u.queues {
		h.shorten(q, len(q.entries))
	}
}

// everywhere reports whether every known device of the user has the message: confirmed, or sent it itself. mu is held.
func (u *user) everywhere(q *queue, s stored) bool {
	for _, d := range u.devices {
		if q.place(d).acked < s.id && d.resource != s.origin {
			return false
		}
	}
	return true
}

// pending is the part of a queue that this link has neither confirmed nor been sent; what its own device sent, which it has already, may be
// among it. A pull without a key is thus answered with newer messages only, which every SDK version needs (protocol-versions.md, "must
// do" 8). The hub's mu is held.
func (l *link) pending(q *queue) []stored {
	p := q.placeOf(l)
	first, _ := slices.BinarySearchFunc(q.entries, max(p.acked, p.sent), func(s stored, id uint64) int {
		if s.id <= id {
			return -1
		}
		return 1
	})
	return q.entries[first:]
}

// owns reports whether a message was sent by the link's own device.
func (l *link) owns(s stored) bool { return s.origin == l.device.resource }

// jid names a user, or a device. Nobody changes it: they are shared.
func (h *hub) jid(name, resource string) *msync.JID {
	return msync.NewJID(h.appKey, name, resource)
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

package fakeserver

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// wire is what a link needs of its transport, which knows nothing of messages.
type wire interface {
	// Send queues a frame and sees to it that it is written; false means that the queue is full and the connection is being closed.
	Send(frame []byte) bool
	// Queue is Send for somebody who calls Flush soon, once he holds no lock.
	Queue(frame []byte) bool
	// Flush writes what is queued, and waits for nobody.
	Flush()
	// Close ends the connection with a WebSocket close code after the queued frames have gone out. Only the first call counts.
	Close(code int, reason string)
}

// WebSocket close codes that the gateway uses (RFC 6455 section 7.4.1).
const (
	closeNormal       = 1000
	closeGoingAway    = 1001
	closeUnsupported  = 1003
	closeInvalid      = 1007
	closePolicy       = 1008
	closeTryAgainSoon = 1013
	// closeRefused ends a refused login. Only SockJS has a code for it, which the SDKs know; on a WebSocket it is a normal close.
	closeRefused = 401
)

// link is one connection to the gateway, from its first frame to its end.
type link struct {
	id   string
	srv  *Server
	wire wire

	// whose is what the journal says of the link.
	whose atomic.Pointer[whose]

	// Set once by hub.attach, on the goroutine that reads the link.
	user   *user
	device *device
	turn   uint64 // of the login

	// Guarded by the schedule's mu.
	grant *grant // never changed, only replaced; the journal keeps it
	due   due

	own     []byte    // see jid; for the goroutine that reads the link
	told    told      // by the frames that are being handled; for the goroutine that reads the link
	heard   time.Time // when the frame came that is being handled; for the goroutine that reads the link
	waiting bool      // for the answer to a provision, which a fault keeps back; for the goroutine that reads the link
	closing atomic.Bool
	why     atomic.Pointer[string] // why the emulator closed it
}

// noGrant is what a link lives on before its login.
var noGrant = new(grant)

func (s *Server) newLink(w wire) *link {
	l := &link{id: "c" + strconv.FormatUint(s.linkSeq.Add(1), 10), srv: s, wire: w, grant: noGrant}
	l.whose.Store(&whose{session: l.id})
	return l
}

func (l *link) userName() string {
	if l.user == nil {
		return ""
	}
	return l.user.name
}

func (l *link) resource() string {
	if l.device == nil {
		return ""
	}
	return l.device.resource
}

// jid names the device that a message is from. It is made for the first one: most clients only listen. It is for the goroutine that reads the
// link.
func (l *link) jid() []byte {
	if l.own == nil {
		l.own = msync.EncodeJID(l.srv.hub.appKey, l.user.name, l.device.resource)
	}
	return l.own
}

// receive handles one frame from the client. It runs on the goroutine that reads the connection.
func (l *link) receive(raw []byte) {
	l.heard = l.srv.clock.Now()
	l.srv.journal.frame(l.heard, msync.In, l, raw)
	if l.user != nil {
		if cmd, payload, ok := msync.Peek(raw); ok && cmd != msync.MSync_PROVISION {
			l.obey(cmd, payload)
			return
		}
	}
	m, err := msync.Decode(raw)
	if err != nil {
		l.closeWith(closeInvalid, "not an MSync frame")
		return
	}
	switch {
	case m.GetCommand() == msync.MSync_PROVISION:
		l.provision(m)
	case l.user == nil:
		l.closeWith(closePolicy, "provision comes first")
	default:
		l.obey(m.GetCommand(), m.GetPayload())
	}
}

// obey does what a frame of a client that is let in asks for.
func (l *link) obey(cmd msync.MSync_Command, payload []byte) {
	switch cmd {
	case msync.MSync_UNREAD:
		l.answerUnread()
	case msync.MSync_SYNC:
		l.sync(payload)
	case msync.MSync_LOGOUT:
		l.close("the client logged out")
	default:
		l.push(msync.MSync_SYNC, &msync.CommSyncDL{Status: status(msync.Status_UNKNOWN_COMMAND, "this command is not simulated")})
	}
}

// answerUnread tells the service's clock and what waits; it is also the answer to a heartbeat (protocol.md a.4).
func (l *link) answerUnread() {
	now := l.srv.clock.Now()
	unread := l.srv.hub.unread(l)
	if len(unread) == 0 {
		l.pushClock(now)
		return
	}
	l.push(msync.MSync_UNREAD, &msync.CommUnreadDL{Status: okStatus(), Unread: unread, Timestamp: new(millis(now))})
}

// pushClock sends an UNREAD answer that nobody need have asked for. Its timestamp makes an SDK believe that it is that late (protocol.md d.3).
func (l *link) pushClock(at time.Time) { l.pushFrame(msync.ClockFrame(millis(at))) }

// queueClock is pushClock for somebody who calls Flush soon.
func (l *link) queueClock(at time.Time) { l.queueFrame(msync.ClockFrame(millis(at))) }

// sync is a send, or a pull that may confirm what came before.
func (l *link) sync(payload []byte) {
	if name, key, ok := msync.PeekPull(payload); ok {
		l.srv.hub.pull(l, name, key)
		return
	}
	var text msync.PlainText
	if text.Peek(payload) && l.sendText(&text) {
		return
	}
	var up msync.CommSyncUL
	if err := proto.Unmarshal(payload, &up); err != nil {
		l.closeWith(closeInvalid, "not a sync payload")
		return
	}
	switch {
	case up.Meta != nil:
		l.send(up.GetMeta())
	case up.GetQueue().GetName() != "":
		l.srv.hub.pull(l, []byte(up.GetQueue().GetName()), up.GetKey())
	default:
		l.push(msync.MSync_SYNC, &msync.CommSyncDL{Status: status(msync.Status_MISSING_PARAMETER, "neither a message nor a queue")})
	}
}

// notify tells the client to pull a queue, unless it knows. It reports whether there is something to flush. The hub's mu is held.
func (l *link) notify(q *queue) bool {
	p := q.placeOf(l)
	if p.noticed {
		return false
	}
	p.noticed = true
	l.queueFrame(q.notice)
	return true
}

// tellOthers writes what was queued for other links.
func (l *link) tellOthers() {
	l.told.flush()
	l.told = told{}
}

// kick tells the client why it has to go, and closes (protocol.md c, "Kick"). It never blocks.
func (l *link) kick(op msync.StatisticsBody_Operation, reason string) {
	payload, err := proto.Marshal(&msync.StatisticsBody{Operation: &op, Reason: &reason})
	if err != nil {
		payload = nil // cannot happen: the body is our own
	}
	h := l.srv.hub
	rec := h.nextReceipt(h.clock.Now())
	l.push(msync.MSync_SYNC, &msync.CommSyncDL{
		Status: okStatus(), Queue: &msync.JID{Domain: new(msync.Domain)}, IsLast: new(true),
		Metas: []*msync.Meta{{
			Id: &rec.id, From: &msync.JID{Domain: new(msync.Domain)}, To: h.jid(l.userName(), l.resource()),
			Timestamp: &rec.timestamp, Ns: msync.Meta_STATISTIC.Enum(), Payload: payload,
		}},
	})
	why := fmt.Sprintf("kicked with %d", kickCode(op))
	if reason != "" {
		why += ": " + printable.Discreet(reason, 200)
	}
	l.close(why)
}

// kickCode is what the SDK calls a statistics operation (protocol.md c, "Kick").
func kickCode(op msync.StatisticsBody_Operation) int {
	switch op {
	case msync.StatisticsBody_USER_REMOVED:
		return 207
	case msync.StatisticsBody_USER_LOGIN_ANOTHER_DEVICE:
		return 206
	case msync.StatisticsBody_USER_KICKED_BY_CHANGE_PASSWORD:
		return 216
	case msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE:
		return 217
	default:
		return 0
	}
}

// push queues one frame for the client. It never blocks; a client that does not read is closed.
func (l *link) push(cmd msync.MSync_Command, payload proto.Message) {
	raw, err := msync.Frame(cmd, payload)
	if err != nil {
		l.srv.cfg.Log.Error("a frame could not be encoded", "command", cmd.String(), "error", err)
		l.closeWith(closeTryAgainSoon, "internal error")
		return
	}
	l.pushFrame(raw)
}

// pushFrame is push for a frame that is written already; nobody changes it afterwards.
func (l *link) pushFrame(raw []byte) {
	l.sending(l.srv.clock.Now(), raw)
	l.sent(l.wire.Send(raw))
}

// queueFrame is pushFrame for somebody who calls Flush soon.
func (l *link) queueFrame(raw []byte) {
	l.sending(l.srv.clock.Now(), raw)
	l.sent(l.wire.Queue(raw))
}

// answerFrame is pushFrame for what the frame that is being handled asked for. It spares a look at the clock, which is a twentieth of a message.
func (l *link) answerFrame(raw []byte) {
	l.sending(l.heard, raw)
	l.sent(l.wire.Send(raw))
}

// sending tells the journal of a frame before anybody can have it.
func (l *link) sending(now time.Time, raw []byte) { l.srv.journal.frame(now, msync.Out, l, raw) }

// sent is told whether the wire took a frame.
func (l *link) sent(taken bool) {
	if !taken {
		l.closeWith(closeTryAgainSoon, "the client does not read")
	}
}

func (l *link) close(reason string) { l.closeWith(closeNormal, reason) }

// closeWith ends the connection after the queued frames have gone out; the first reason given stands in the journal.
func (l *link) closeWith(code int, reason string) {
	if l.closing.CompareAndSwap(false, true) {
		l.why.Store(&reason)
	}
	l.wire.Close(code, reason)
}

// ended cleans up after the connection is gone; reason says why when the emulator itself did not end it.
func (l *link) ended(reason string) {
	l.closing.Store(true)
	if why := l.why.Load(); why != nil {
		reason = *why
	}
	l.srv.schedule.drop(l)
	l.srv.hub.detach(l)
	if l.user != nil {
		l.srv.journal.add(&Entry{Name: SessionClosed, User: l.user.name, Device: l.device.resource, Session: l.id, Reason: reason})
	}
}

func okStatus() *msync.Status { return &msync.Status{ErrorCode: msync.Status_OK.Enum()} }

func status(code msync.Status_ErrorCode, reason string) *msync.Status {
	return &msync.Status{ErrorCode: &code, Reason: &reason}
}

// millis is an instant as the wire has it: milliseconds since 1970.
func millis(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }

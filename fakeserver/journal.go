package fakeserver

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/eventlog"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// EntryName names what the emulator saw or did.
type EntryName string

// The names of journal entries.
const (
	RESTRequest       EntryName = "rest.request"
	TokenIssued       EntryName = "token.issued"
	FrameIn           EntryName = "frame.in"
	FrameOut          EntryName = "frame.out"
	SessionOpened     EntryName = "session.opened"
	SessionRefused    EntryName = "session.refused"
	SessionRenewed    EntryName = "session.renewed"
	SessionWillExpire EntryName = "session.will_expire"
	SessionExpired    EntryName = "session.expired"
	SessionClosed     EntryName = "session.closed"
	MessageStored     EntryName = "message.stored"
	MessageDelivered  EntryName = "message.delivered"
	MessageDropped    EntryName = "message.dropped"
	HistoryTrimmed    EntryName = "history.trimmed"
	FileDropped       EntryName = "file.dropped"
	TokenRevoked      EntryName = "token.revoked"
	FaultApplied      EntryName = "fault.applied"
	ControlRefused    EntryName = "control.refused"
	ControlTriggered  EntryName = "control.triggered"
	EmulatorReset     EntryName = "emulator.reset"
)

// Entry is one line of the journal. Fields that do not apply are zero. No field ever holds a whole token.
type Entry struct {
	// Seq numbers the entries from 1.
	Seq uint64 `json:"seq"`
	// At is the instant by the emulator's clock.
	At   time.Time `json:"at"`
	Name EntryName `json:"event"`
	// User, Device (the resource) and Session (the connection) say whose it is.
	User    string `json:"user,omitempty"`
	Device  string `json:"device,omitempty"`
	Session string `json:"session,omitempty"`
	// Method, Path and Status describe a REST call.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Status int    `json:"status,omitempty"`
	// Code is the Web SDK's number for a refusal or a kick.
	Code int `json:"code,omitempty"`
	// Reason says why, in words; it may say more than the client was told.
	Reason string `json:"reason,omitempty"`
	// Token is a short form; WillExpireAt is 80 % of the life that was left at login or renewal.
	Token        string    `json:"token,omitempty"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	WillExpireAt time.Time `json:"will_expire_at,omitzero"`
	MessageID    string    `json:"message_id,omitempty"`
	From         string    `json:"from,omitempty"`
	To           string    `json:"to,omitempty"`
	// Fault is what applied.
	Fault *FaultName `json:"fault,omitempty"`
	// Frame is one line that renders the frame. A fault on the link may still lose a frame that the emulator has sent.
	Frame string `json:"frame,omitempty"`
}

// tokenServerReason is the reason of the token server's calls, which have the same name as those of the REST API.
const tokenServerReason = "token server"

// OfTokenServer tells what happened at the token server from what happened at the chat service.
func (e Entry) OfTokenServer() bool {
	switch e.Name {
	case RESTRequest:
		return e.Reason == tokenServerReason || strings.HasPrefix(e.Reason, "fault ") && strings.Contains(e.Reason, ": "+string(FaultTokenServer)+" ")
	case FaultApplied:
		return e.Fault != nil && e.Fault.Target == FaultTokenServer
	case TokenIssued:
		return !strings.HasPrefix(e.Token, chatTokenPrefix) // those come from an exchange
	default:
		return false
	}
}

// FaultName is a fault in the journal.
type FaultName struct {
	ID     string      `json:"id"`
	Target FaultTarget `json:"target"`
	Kind   string      `json:"kind"`
}

// LogValue lists the fields that are set, for slog.
func (e Entry) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Uint64("seq", e.Seq), slog.Time("at", e.At)}
	for _, f := range []struct{ key, value string }{
		{"user", e.User},
		{"device", e.Device},
		{"session", e.Session},
		{"method", e.Method},
		{"path", e.Path},
		{"reason", e.Reason},
		{"token", e.Token},
		{"message_id", e.MessageID},
		{"from", e.From},
		{"to", e.To},
		{"frame", e.Frame},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.key, f.value))
		}
	}
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if e.Code != 0 {
		attrs = append(attrs, slog.Int("code", e.Code))
	}
	if e.Fault != nil {
		attrs = append(attrs, slog.Any("fault", *e.Fault))
	}
	if !e.ExpiresAt.IsZero() {
		attrs = append(attrs, slog.Time("expires_at", e.ExpiresAt))
	}
	return slog.GroupValue(attrs...)
}

// Record is an entry as the ring holds it. Frames, messages and the ends of tokens, which are most of it, cost no memory of their own and are put into words
// only when somebody reads them.
type Record struct {
	seq  uint64
	at   time.Time
	name EntryName

	entry *Entry // all there is to say, for entries that are none of these
	of    *whose // of a frame, a delivery, or the end of a token
	grant *grant // of the token that ends
	raw   []byte // a frame, undecoded
	id    uint64 // of a message
	from  string
	to    string
}

// whose says to whom a connection belongs.
type whose struct{ user, device, session string }

// maxJournalFrame bounds what one frame costs the journal; a longer frame is abridged, or rendered at once, and let go.
const maxJournalFrame = 2 << 10

// journal is the emulator's memory of what happened: a bounded ring that any number of readers follow.
type journal struct {
	log *eventlog.Log[Record]
	now func() time.Time
	out *slog.Logger
	// heard is told of every entry; it must neither block nor write to the journal.
	heard func(EntryName, string)
}

func newJournal(size int, now func() time.Time, out *slog.Logger) *journal {
	return &journal{log: eventlog.New[Record](size), now: now, out: out, heard: func(EntryName, string) {}}
}

// add keeps e, which nobody changes afterwards.
func (j *journal) add(e *Entry) { j.append(j.now(), &Record{name: e.Name, entry: e}, e.User) }

// frame notes a frame; the emulator never changes raw afterwards.
func (j *journal) frame(now time.Time, dir msync.Direction, l *link, raw []byte) {
	of := l.whose.Load()
	var r Record
	r.name, r.of, r.raw = FrameIn, of, raw
	if dir == msync.Out {
		r.name = FrameOut
	}
	if len(raw) > maxJournalFrame && dir == msync.Out {
		r.raw = msync.Abridge(raw)
	}
	if len(r.raw) > maxJournalFrame {
		r.raw, r.entry = nil, &Entry{Name: r.name, User: of.user, Device: of.device, Session: of.session, Frame: msync.LineOf(dir, raw)}
	}
	j.append(now, &r, of.user)
}

// stored notes that a message has a place in somebody's queue, delivered that somebody's device has it.
func (j *journal) stored(now time.Time, id uint64, from, to string) {
	j.append(now, &Record{name: MessageStored, id: id, from: from, to: to}, to)
}

func (j *journal) delivered(now time.Time, l *link, id uint64, from string) {
	of := l.whose.Load()
	j.append(now, &Record{name: MessageDelivered, of: of, id: id, from: from, to: of.user}, of.user)
}

// ending notes that a link's token ends, or will.
func (j *journal) ending(name EntryName, l *link, now time.Time) {
	of := l.whose.Load()
	j.append(now, &Record{name: name, of: of, grant: l.grant}, of.user)
}

func (j *journal) append(now time.Time, r *Record, user string) {
	r.at = now
	r.seq = j.log.Append(func(place *Record, seq uint64) {
		r.seq = seq
		*place = *r
	})
	j.heard(r.name, user)
	if j.out.Enabled(context.Background(), slog.LevelDebug) {
		j.write(r)
	}
}

// write logs an entry. It stands apart because what it needs would make the stack of every connection grow.
//
//go:noinline
func (j *journal) write(r *Record) { j.out.Debug(string(r.name), "entry", r.Entry()) }

// Entry returns the entry that the record stands for. For a frame that means to decode it.
func (r *Record) Entry() Entry {
	e := r.Head()
	if r.raw != nil {
		dir := msync.In
		if r.name == FrameOut {
			dir = msync.Out
		}
		e.Frame = msync.LineOf(dir, r.raw)
	}
	return e
}

// Head returns the entry without the line that renders a frame, which makes it cheap.
func (r *Record) Head() Entry {
	e := Entry{Name: r.name}
	if r.entry != nil {
		e = *r.entry
	}
	e.Seq, e.At = r.seq, r.at
	if r.of != nil {
		e.User, e.Device, e.Session = r.of.user, r.of.device, r.of.session
	}
	if r.grant != nil {
		e.Token, e.ExpiresAt = r.grant.short, r.grant.expiresAt
		if r.name == SessionWillExpire {
			e.WillExpireAt = r.grant.willExpireAt()
		}
	}
	if r.id != 0 {
		e.MessageID, e.From, e.To, e.User = messageID(r.id), r.from, r.to, r.to
	}
	return e
}

// Reader follows the journal. It is for one goroutine.
type Reader struct{ r *eventlog.Reader[Record] }

// Journal returns a reader that starts after entry number seq: 0 for all that is still held.
func (s *Server) Journal(seq uint64) *Reader { return &Reader{r: s.journal.log.Follow(seq)} }

// Next waits for entries after the reader's position and returns all of them, oldest first. It fails with the context's error, or with
// an error of its own once the emulator is closed and everything has been read.
func (r *Reader) Next(ctx context.Context) ([]Entry, error) {
	records, err := r.Records(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(records))
	for i := range records {
		entries[i] = records[i].Entry()
	}
	return entries, nil
}

// Records is Next for those who look at few of the entries closely.
func (r *Reader) Records(ctx context.Context) ([]Record, error) { return r.r.Next(ctx) }

// Missed returns how many entries were gone before this reader came to them.
func (r *Reader) Missed() uint64 { return r.r.Missed() }

func messageID(id uint64) string { return strconv.FormatUint(id, 10) }

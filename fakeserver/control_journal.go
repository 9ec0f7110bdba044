package fakeserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Bounds of one call for the journal.
const (
	maxJournalAnswer = 1000 // entries
	maxJournalWait   = 10 * time.Minute
)

// StreamHeartbeat is how long a stream of the journal is silent at most, and DefaultJournalWait how long a call waits for an entry when it
// does not say so.
const (
	StreamHeartbeat    = 15 * time.Second
	DefaultJournalWait = 30 * time.Second
)

// JournalQuery is what GET journal takes in its query.
type JournalQuery struct {
	// Since is the number after which entries are wanted. Nil means all that are held, but for a wait or a stream only new ones.
	Since *uint64
	// Names are journal entries' names; * stands for the rest of one, as in session.*. None means all but frames.
	Names []string
	// User limits the entries to one user.
	User string
	// Limit is the most entries of one answer, the newest ones; 0 means 1,000, which is also the most.
	Limit int
	// Wait is the name of an entry to wait for, at most for Timeout; 0 means 30 s.
	Wait    string
	Timeout time.Duration
}

// JournalPage is the answer of GET journal.
type JournalPage struct {
	Entries []Entry `json:"entries"`
	// Last is the number to go on from with since.
	Last uint64 `json:"last"`
	// Missed counts the entries after since that were gone already, LeftOff those that matched beyond the limit.
	Missed  uint64 `json:"missed"`
	LeftOff int    `json:"left_off"`
	// TimedOut tells that what was waited for did not come.
	TimedOut bool `json:"timed_out"`
}

// journalFields are the parameters of a query.
var journalFields = []string{"since", "name", "user", "limit", "wait", "timeout"}

// Values writes the query as the control API takes it.
func (q JournalQuery) Values() url.Values {
	v := make(url.Values)
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Since != nil {
		set("since", strconv.FormatUint(*q.Since, 10))
	}
	set("name", strings.Join(q.Names, ","))
	set("user", q.User)
	if q.Limit != 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	set("wait", q.Wait)
	if q.Timeout != 0 {
		set("timeout", q.Timeout.String())
	}
	return v
}

// Validate says what is wrong with a query, and what would be right.
func (q JournalQuery) Validate() error {
	_, err := parseJournalQuery(q.Values())
	return err
}

// parseJournalQuery reads a query; the error names what would be right.
func parseJournalQuery(v url.Values) (JournalQuery, error) {
	q := JournalQuery{User: v.Get("user"), Wait: v.Get("wait"), Limit: maxJournalAnswer, Timeout: DefaultJournalWait}
	for name := range v {
		if !slices.Contains(journalFields, name) {
			return q, fmt.Errorf("there is no parameter %q; known: %s", printable.Line(name, 40), strings.Join(journalFields, ", "))
		}
	}
	if text := v.Get("since"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return q, fmt.Errorf("since %q: want the number of an entry", printable.Line(text, 40))
		}
		q.Since = &n
	}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxJournalAnswer {
			return q, fmt.Errorf("limit %q: want 1 to %d", printable.Line(text, 40), maxJournalAnswer)
		}
		q.Limit = n
	}
	if text := v.Get("timeout"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > maxJournalWait {
			return q, fmt.Errorf("timeout %q: want a duration such as 30s, at most %v", printable.Line(text, 40), maxJournalWait)
		}
		q.Timeout = d
	}
	if text := v.Get("name"); text != "" {
		q.Names = strings.Split(text, ",")
	}
	for _, pattern := range append(slices.Clone(q.Names), q.Wait) {
		if err := checkEntryPattern(pattern); err != nil {
			return q, err
		}
	}
	return q, nil
}

// EntryNames lists the names of journal entries.
func EntryNames() []EntryName {
	return []EntryName{
		RESTRequest, TokenIssued, TokenRevoked, FrameIn, FrameOut, SessionOpened, SessionRefused, SessionRenewed, SessionWillExpire, SessionExpired,
		SessionClosed, MessageStored, MessageDelivered, MessageDropped, HistoryTrimmed, FileDropped, FaultApplied, ControlRefused, ControlTriggered,
		EmulatorReset,
	}
}

// checkEntryPattern fails for what no entry is ever called; empty is fine.
func checkEntryPattern(pattern string) error {
	if pattern == "" || slices.ContainsFunc(EntryNames(), func(n EntryName) bool { return matchesEntry(pattern, n) }) {
		return nil
	}
	return fmt.Errorf("no journal entry is called %q; known: %s", printable.Line(pattern, 40), joined(EntryNames()))
}

func matchesEntry(pattern string, name EntryName) bool {
	ok, err := path.Match(pattern, string(name))
	return err == nil && ok
}

// wants reports whether an entry is one of those that were asked for.
func (q JournalQuery) wants(e Entry) bool {
	if q.User != "" && e.User != q.User {
		return false
	}
	if len(q.Names) == 0 {
		return e.Name != FrameIn && e.Name != FrameOut
	}
	return slices.ContainsFunc(q.Names, func(pattern string) bool { return matchesEntry(pattern, e.Name) })
}

// start is the number to begin after.
func (q JournalQuery) start(s *Server, onlyNew bool) uint64 {
	switch {
	case q.Since != nil:
		return *q.Since
	case onlyNew:
		return s.journal.log.Last()
	default:
		return 0
	}
}

// getJournal answers with what is there, or waits for an entry and answers with what came until then. A client that accepts events gets the
// stream.
func (s *Server) getJournal(w http.ResponseWriter, r *http.Request) (any, error) {
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return s.streamJournal(w, r)
	}
	q, err := parseJournalQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	page := JournalPage{Entries: []Entry{}, Last: q.start(s, q.Wait != "")}
	if q.Wait == "" {
		if page.Last >= s.journal.log.Last() {
			return page, nil
		}
		return s.fill(r.Context(), page, q)
	}
	stay(w)
	ctx, cancel := context.WithTimeout(r.Context(), q.Timeout)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	return s.fill(ctx, page, q)
}

// fill reads the journal into a page: once, or until the awaited entry has come or ctx ends.
func (s *Server) fill(ctx context.Context, page JournalPage, q JournalQuery) (any, error) {
	reader := s.Journal(page.Last)
	for found := false; !found; {
		entries, err := reader.Next(ctx)
		if err != nil {
			page.TimedOut = errors.Is(err, context.DeadlineExceeded)
			break
		}
		found = q.Wait == ""
		for _, e := range entries {
			page.Last = e.Seq
			if q.wants(e) {
				page.Entries = append(page.Entries, e)
			}
			if q.Wait != "" && matchesEntry(q.Wait, e.Name) && (q.User == "" || q.User == e.User) {
				found = true
				break
			}
		}
		if over := len(page.Entries) - q.Limit; over > 0 {
			page.Entries = slices.Delete(page.Entries, 0, over)
			page.LeftOff += over
		}
	}
	page.Missed = reader.Missed()
	return page, nil
}

// streamJournal sends entries as they come, as server-sent events: the number is the id, the name the event. Last-Event-ID goes on where a
// client was cut off. An event "missed" tells how many entries were gone before they could be sent.
func (s *Server) streamJournal(w http.ResponseWriter, r *http.Request) (any, error) {
	q, err := parseJournalQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("Last-Event-ID %q: want the number of an entry", printable.Line(id, 40))
		}
		q.Since = &n
	}
	stay(w)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	w.Header().Set("Content-Type", "text/event-stream")
	stream := eventStream{w: w, flush: http.NewResponseController(w).Flush}
	stream.send(": the journal of the emulator\n\n")
	reader, missed := s.Journal(q.start(s, true)), uint64(0)
	for stream.err == nil && ctx.Err() == nil {
		beat, stop := context.WithDeadline(ctx, stream.last.Add(StreamHeartbeat)) // whatever comes that is not wanted
		entries, err := reader.Next(beat)
		stop()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			stream.send(": still here\n\n")
			continue
		case err != nil:
			return nil, nil
		}
		if n := reader.Missed(); n > missed {
			stream.send("event: missed\ndata: %d\n\n", n-missed)
			missed = n
		}
		for _, e := range entries {
			if !q.wants(e) {
				continue
			}
			data, err := json.Marshal(e)
			if err != nil {
				return nil, nil // cannot happen: the fields are plain
			}
			stream.send("id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Name, data)
		}
		if time.Since(stream.last) >= StreamHeartbeat { // nothing of it was wanted
			stream.send(": still here\n\n")
		}
	}
	return nil, nil
}

// eventStream writes events until the first error, which is the client's leaving.
type eventStream struct {
	w     http.ResponseWriter
	flush func() error
	last  time.Time // when the last one was sent
	err   error
}

func (s *eventStream) send(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...) //nolint:gosec // the answer is a stream of events, no page
	}
	if s.err == nil {
		s.err = s.flush()
	}
	s.last = time.Now()
}

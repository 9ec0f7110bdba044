package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// ErrNobodyCame ends a watch in which the user never logged in.
var ErrNobodyCame = errors.New("the user did not log in")

// WatchOptions say whom to watch, and where.
type WatchOptions struct {
	Client *control.Client
	// User is the one whose client is under test. It stands for the scenario's first user.
	User string
	// Patience is how long the first login may take; 0 means two minutes.
	Patience time.Duration
	// Ready is called when nothing that the user does will be missed any more; nil does nothing.
	Ready    func()
	Progress func(Progress)
}

// Watch plays a scenario against a foreign client: the faults and triggers go to a running emulator, and what the emulator can see of the
// expectations is checked on its journal. What only the client knows is reported as not seen. The life begins with the user's next login;
// what the scenario does at 0s is done before.
func Watch(ctx context.Context, s *Scenario, w WatchOptions) *Report {
	s = s.forUser(w.User)
	o := Options{Progress: w.Progress}.fill(s)
	o.App = "watched"
	started := time.Now()
	report := newReport(s, o)
	report.Profile, report.Seed = "foreign", 0
	r := newDriver(s, o, remote{w.Client})
	r.foreign = newForeign(w.User)
	r.foreign.warned = s.warnsWithEmulator()
	patience := w.Patience
	if patience == 0 {
		patience = 2 * time.Minute
	}
	err := r.watch(ctx, patience, w.Ready)
	report.TTL = r.o.TTL
	report.fill(s, r.evidence(true), started)
	if err != nil {
		return report.broken(err, started)
	}
	return report
}

// forUser is the scenario with another first user. Who has that name in the scenario gets the first user's in turn.
func (s *Scenario) forUser(user string) *Scenario {
	main := s.MainUser()
	was, _ := splitLane(main)
	renamed := func(lane string) string {
		name, device := splitLane(lane)
		switch {
		case lane == main:
			return user
		case name == was:
			name = user
		case name == user:
			name = was
		}
		if device != "" {
			name += "@" + device
		}
		return name
	}
	lanes := func(list []string) []string {
		list = slices.Clone(list)
		for i := range list {
			list[i] = renamed(list[i])
		}
		return list
	}
	ref := func(text string) string {
		if lane, name, ok := strings.Cut(text, "/"); ok && lane != LaneEmulator && lane != LaneTokenServer {
			return renamed(lane) + "/" + name
		}
		return text
	}
	change := *s
	change.Users, change.Later = lanes(s.Users), lanes(s.Later)
	change.Steps = slices.Clone(s.Steps)
	for i := range change.Steps {
		step := &change.Steps[i]
		step.At.Event = ref(step.At.Event)
		if step.Fault != nil {
			other := *step.Fault
			other.User, step.Fault = renamed(other.User), &other
		}
		if step.Trigger != nil {
			other := *step.Trigger
			other.User, step.Trigger = renamed(other.User), &other
		}
		if step.Send != nil {
			step.Send = &Send{renamed(step.Send.From), renamed(step.Send.To), step.Send.Text}
		}
		if step.Do != nil {
			step.Do = &Do{step.Do.Action, renamed(step.Do.User)}
		}
	}
	if s.StopAfter != nil {
		change.StopAfter = s.StopAfter.renamed(ref)
	}
	for _, list := range []*[]Event{&change.Expect.Events, &change.Expect.Never} {
		*list = slices.Clone(*list)
		for i, e := range *list {
			e.Event, e.In = ref(e.Event), e.In.renamed(ref)
			(*list)[i] = e
		}
	}
	change.Expect.Counts = make(map[string]Range, len(s.Expect.Counts))
	for event, n := range s.Expect.Counts {
		change.Expect.Counts[ref(event)] = n
	}
	return &change
}

// renamed is the instant with the event that it counts from under another name.
func (i *Instant) renamed(ref func(string) string) *Instant {
	if i == nil {
		return nil
	}
	other := *i
	other.Event = ref(i.Event)
	return &other
}

func (w Window) renamed(ref func(string) string) Window {
	other := Window{From: w.From.renamed(ref), To: w.To.renamed(ref), text: w.text}
	if (w.From == nil || other.From.Event == w.From.Event) && (w.To == nil || other.To.Event == w.To.Event) {
		return w
	}
	text := func(i *Instant) string {
		if i == nil {
			return ""
		}
		return i.String()
	}
	other.text = text(other.From) + ".." + text(other.To)
	return other
}

// watch is play for a client that is not ours.
func (r *driver) watch(ctx context.Context, patience time.Duration, ready func()) (err error) {
	now, err := r.emu.now(ctx)
	if err != nil {
		return err
	}
	r.setZero(now, now)
	// The emulator is not ours: it is left as it was found.
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, r.clearFaults(ending))
	}()
	if err := r.due(ctx, 0); err != nil {
		return err
	}
	newest, err := r.emu.newest(ctx) // a login that comes before the journal is followed is in it all the same
	if err != nil {
		return err
	}
	reading, stop := context.WithCancel(ctx)
	r.stop = stop
	defer r.collect()
	r.readers.Go(func() { r.readJournal(reading, newest) })
	r.tell(nil)
	if ready != nil {
		ready()
	}
	if err := r.awaitLogin(ctx, patience); err != nil {
		return err
	}
	err = r.loop(ctx)
	r.settle(ctx)
	for i, done := range r.done {
		if !done {
			r.undone[i] = "it was never time for it: " + r.s.Steps[i].At.String()
		}
	}
	return err
}

// loginTime is how long after a request for a token the login may take. A client that did not like the token never comes to it.
const loginTime = 3 * time.Second

// awaitLogin waits for the first sign of the user, and starts the life there.
func (r *driver) awaitLogin(ctx context.Context, patience time.Duration) error {
	patient := time.NewTimer(patience)
	defer patient.Stop()
	var first, asked time.Time // of the requests for a token
	var late <-chan time.Time
	for {
		select {
		case e := <-r.foreign.signs:
			zero := e.At.Truncate(time.Second)
			switch {
			case e.Name == fakeserver.SessionOpened && !e.ExpiresAt.IsZero():
				from := e.At
				if !asked.IsZero() {
					from = asked
				}
				r.o.TTL = e.ExpiresAt.Sub(from.Truncate(time.Second))
				r.foreign.measured = true
				if zero = e.ExpiresAt.Add(-r.o.TTL); !first.IsZero() {
					zero = first.Truncate(time.Second)
				}
			case e.Name == fakeserver.SessionOpened, e.Name == fakeserver.SessionRefused:
			default: // a request for a token
				if late == nil {
					timer := time.NewTimer(loginTime)
					defer timer.Stop()
					late, first = timer.C, e.At
				}
				asked = e.At
				continue
			}
			return r.begin(ctx, zero)
		case <-late: // the scenario begins all the same, as what keeps the client from its login may be what it is about
			return r.begin(ctx, first.Truncate(time.Second))
		case <-patient.C:
			return fmt.Errorf("%w within %v; start the client under test as %s, or give it longer with --patience", ErrNobodyCame, patience, r.foreign.user)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin sets the start of the life, and takes in what was seen before it was known.
func (r *driver) begin(ctx context.Context, zero time.Time) error {
	now, err := r.emu.now(ctx)
	if err != nil {
		return err
	}
	r.setZero(zero, now)
	before := r.seen.moments
	r.seen = timeline{}
	for _, m := range before { // what was done before the start
		m.At = 0
		r.note(m)
	}
	for _, m := range r.foreign.begin(zero) {
		r.note(m)
	}
	return nil
}

// foreign makes moments of a client's lane from what the emulator sees of it.
type foreign struct {
	user string
	// signs are the entries by which the start of the life may be known.
	signs chan fakeserver.Entry

	mu   sync.Mutex
	seen []fakeserver.Entry // before the start
	// start is the start of the first life, zero while it is not known.
	start time.Time
	// token is the short form of the one that the client lives on, chatToken that of the Chat token for it, and expires their end.
	token, chatToken string
	expires          time.Time
	// exchanged is the newest Chat token that the client got; fresh tells that the token server gave it a token that it has not used yet.
	exchanged string
	fresh     bool
	// delays are the delays of the token server that the scenario has set, by the fault; awaited is when the requests that
	// are held up by one will be answered.
	delays  map[string]time.Duration
	awaited []time.Time
	// measured tells that the life of the client's tokens is known.
	measured bool
	// warned tells that the client's SDK calls will-expire when the emulator's journal does.
	warned bool
}

func newForeign(user string) *foreign {
	return &foreign{user: user, signs: make(chan fakeserver.Entry, 100), delays: make(map[string]time.Duration)}
}

// begin sets the start, and returns what was seen before.
func (f *foreign) begin(start time.Time) []Moment {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.start = start
	var moments []Moment
	for _, e := range f.seen {
		moments = append(moments, f.moments(e)...)
	}
	f.seen = nil
	return moments
}

// entry looks at one journal entry, on the reader's goroutine.
func (f *foreign) entry(r *driver, e fakeserver.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.start.IsZero() {
		for _, m := range f.moments(e) {
			r.inbox <- m
		}
		return
	}
	if len(f.seen) == keepSightings { // somebody is busy there, and not whom we wait for
		f.seen = slices.Delete(f.seen, 0, keepSightings/2)
	}
	f.seen = append(f.seen, e)
	opened := e.User == f.user && (e.Name == fakeserver.SessionOpened || e.Name == fakeserver.SessionRefused)
	if opened || (isTokenRequest(e) || f.heldUp(e)) && (e.User == f.user || e.User == "") {
		select {
		case f.signs <- e:
		default: // there are enough of them already
		}
	}
}

// moments are an entry's own, and those of the client that it gives away. mu is held.
func (f *foreign) moments(e fakeserver.Entry) []Moment {
	m := ofJournal(f.start, e)
	list := []Moment{m}
	for _, name := range f.means(e) {
		m.Lane, m.Event, m.Text, m.Life = f.user, name, "as the emulator saw it", nil
		m.Code = e.Code
		if name == string(session.Kicked) {
			m.Code, _ = kickOf(e)
		}
		list = append(list, m)
	}
	return list
}

// nativeCodes are the native SDKs' numbers for those that the journal has, which are the Web SDK's. Others are the same in both.
var nativeCodes = map[int]int{
	int(chat.WebTokenNotAssigned): int(chat.InvalidToken), int(chat.WebTokenExpired): int(chat.TokenExpired),
}

// kickOf is the code of a kick that closed a connection.
func kickOf(e fakeserver.Entry) (code int, kicked bool) {
	_, err := fmt.Sscanf(e.Reason, "kicked with %d", &code)
	return code, err == nil
}

// means are the events of the client that a journal entry gives away.
func (f *foreign) means(e fakeserver.Entry) []string {
	mine := e.User == f.user
	switch {
	case e.Name == fakeserver.TokenIssued && mine:
		if e.OfTokenServer() {
			f.fresh = true
		} else {
			f.exchanged = e.Token
		}
	case e.Name == fakeserver.SessionOpened && mine:
		if f.reconnects(e) {
			return []string{string(session.Connected)}
		}
		f.livesOn(e, e.Token)
		return []string{string(session.Connected), string(session.LoginSucceeded)}
	case e.Name == fakeserver.SessionRenewed && mine:
		f.livesOn(e, f.exchanged)
		return []string{string(session.RenewSucceeded)}
	case e.Name == fakeserver.SessionWillExpire && mine && f.warned, f.forced(e, "will-expire"):
		return []string{string(session.TokenWillExpire)}
	case e.Name == fakeserver.SessionExpired && mine, f.forced(e, "expire"):
		return []string{string(session.TokenExpired)}
	case e.Name == fakeserver.SessionRefused && mine, isRefusedExchange(e):
		return []string{string(session.LoginFailed)}
	case e.Name == fakeserver.SessionClosed && mine:
		if _, kicked := kickOf(e); kicked {
			return []string{string(session.Kicked), string(session.Disconnected)}
		}
		return []string{string(session.Disconnected)}
	case e.Name == fakeserver.MessageStored && e.Reason != receipt && e.From == f.user:
		return []string{string(session.MessageSent)}
	case e.Name == fakeserver.MessageDelivered && mine && e.Reason != receipt && e.To == f.user:
		return []string{string(session.MessageReceived)}
	case f.heldUp(e) && (mine || e.User == ""):
		if d, delayed := f.delays[e.Fault.ID]; delayed {
			f.awaited = append(f.awaited, e.At.Add(d))
		}
		return []string{string(session.TokenRequested)}
	case isTokenRequest(e) && (mine || e.User == "") && !f.wasHeldUp(e):
		return []string{string(session.TokenRequested)}
	}
	return nil
}

// heldUp tells that a request for a token has come that the journal has only when it is answered, which may be never.
func (f *foreign) heldUp(e fakeserver.Entry) bool {
	if e.Name != fakeserver.FaultApplied || !e.OfTokenServer() {
		return false
	}
	_, delayed := f.delays[e.Fault.ID]
	return delayed || e.Fault.Kind == "hang"
}

// lateAnswer is how exactly the end of a request that is held up is known.
const lateAnswer = 500 * time.Millisecond

// wasHeldUp tells the end of a request that heldUp told the beginning of.
func (f *foreign) wasHeldUp(e fakeserver.Entry) bool {
	if strings.HasPrefix(e.Reason, "fault ") && strings.HasSuffix(e.Reason, " hang") {
		return true
	}
	i := slices.IndexFunc(f.awaited, func(answer time.Time) bool { return e.At.Sub(answer).Abs() < lateAnswer })
	if i >= 0 {
		f.awaited = slices.Delete(f.awaited, i, i+1)
	}
	return i >= 0
}

// delayed notes a fault that the scenario has set.
func (f *foreign) delayed(id string, fault fakeserver.Fault) {
	if d, err := time.ParseDuration(fault.Params["delay"]); err == nil && fault.Target == fakeserver.FaultTokenServer && fault.Kind == "delay" {
		f.mu.Lock()
		f.delays[id] = d
		f.mu.Unlock()
	}
}

// measure learns the life of the client's tokens from a login that came after the start.
func (r *driver) measure(m Moment) {
	if r.foreign == nil || r.foreign.measured || m.Life == nil || m.Lane != LaneEmulator || userOf(m.Life.Lane) != r.foreign.user {
		return
	}
	from := m.At
	if asked := r.seen.index[place{LaneTokenServer, request}]; len(asked) > 0 {
		from = asked[len(asked)-1]
	}
	if life := m.Life.Expires - from.Truncate(time.Second); life > 0 {
		r.o.TTL, r.foreign.measured = life, true
	}
}

// livesOn notes what the client got with a login or a renewal: its token, and the Chat token that this was traded for.
func (f *foreign) livesOn(e fakeserver.Entry, exchanged string) {
	f.token, f.chatToken, f.expires, f.fresh = e.Token, exchanged, e.ExpiresAt, false
}

// reconnects tells a connection on the token that the client had from a login. A native SDK renews with a token of the token server and connects
// with the Chat token that it got for it, perhaps for the same one once more.
func (f *foreign) reconnects(e fakeserver.Entry) bool {
	return e.Token == f.token || e.Token == f.chatToken || !f.fresh && !f.expires.IsZero() && e.ExpiresAt.Equal(f.expires)
}

// forced tells a trigger that the client takes for an event of its token.
func (f *foreign) forced(e fakeserver.Entry, trigger string) bool {
	return e.Name == fakeserver.ControlTriggered && e.Reason == trigger && (e.User == f.user || e.User == "")
}

// isRefusedExchange tells a token that the service did not trade: native SDKs come no further with it, and nobody knows whose it was.
func isRefusedExchange(e fakeserver.Entry) bool {
	return e.Name == fakeserver.RESTRequest && !isTokenRequest(e) && e.Method == "POST" && strings.HasSuffix(e.Path, "/token") && e.Status >= 400 && e.Status < 500
}

// foreignFinal judges the final state by whether the user is online.
func (s *Scenario) foreignFinal(e evidence) Check {
	c := Check{Name: "final", Expected: s.MainUser() + "'s session is " + s.Expect.Final + " in the end", State: Waiting}
	if !e.over {
		return c
	}
	open := 0
	for _, m := range e.moments {
		switch {
		case m.Lane != s.MainUser():
		case m.Event == string(session.Connected):
			open++
		case m.Event == string(session.Disconnected):
			open--
		}
	}
	online, state := open > 0, session.State(s.Expect.Final)
	c.Seen, c.State = map[bool]string{true: "online", false: "not online"}[online], Failed
	switch {
	case slices.Contains(onlineStates, state) == online:
		c.State = Passed
	case state == session.Expired: // an SDK may stay online past the end
		return c.notSeen()
	}
	return s.excused(e, c, s.MainUser(), "", e.now, false)
}

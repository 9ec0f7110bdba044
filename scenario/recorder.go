package scenario

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// Setup is how a session was begun that is recorded.
type Setup struct {
	User, Profile, App string
	// TTL is the lifetime that tokens are asked for; 0 leaves it to the token server.
	TTL      time.Duration
	Policy   session.Policy
	Spread   float64
	Emulator EmulatorSettings
}

// Recorder takes down what is done with a session and with the emulator of this process, and what comes of it, to write it as a scenario that
// does it again. It is for any number of goroutines.
type Recorder struct {
	server *fakeserver.Server

	mu   sync.Mutex
	last *take // nil before the first session
}

// NewRecorder returns a recorder that has nothing to record yet; see [Recorder.Begin].
func NewRecorder(server *fakeserver.Server) *Recorder { return &Recorder{server: server} }

// Begin records a session from now on, and forgets the one before. Faults that are on count as set before the login.
func (r *Recorder) Begin(setup Setup, s *session.Session) {
	r.End()
	t := &take{server: r.server, session: s, setup: setup, since: r.server.Now()}
	for _, f := range r.server.Faults() {
		if !f.Over {
			t.steps = append(t.steps, done{step: Step{Fault: remaining(f)}})
		}
	}
	var ctx context.Context
	ctx, t.stop = context.WithCancel(context.Background())
	journal, events := r.server.Journal(0), s.Follow()
	t.readers.Go(func() { t.readJournal(ctx, journal) })
	t.readers.Go(func() { t.readSession(ctx, events) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = t
}

func (r *Recorder) current() *take {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// Did takes down something that is done now, At aside; it is called before it is done.
func (r *Recorder) Did(step Step) {
	if t := r.current(); t != nil {
		t.did(step)
	}
}

// End ends the recording of the session; it is called before that is closed. It may be called again.
func (r *Recorder) End() {
	if t := r.current(); t != nil {
		t.end()
	}
}

// Write writes the last session as a scenario, up to its end or up to now. It fails when nobody asked to log in, and for what a scenario
// cannot say.
func (r *Recorder) Write(w io.Writer, name string) error {
	t := r.current()
	if t == nil {
		return fmt.Errorf("nothing to write: %w while this was recording", ErrNobodyCame)
	}
	return writeFitting(w, name, t.account)
}

// take is one session that is recorded.
type take struct {
	server  *fakeserver.Server
	session *session.Session
	setup   Setup
	since   time.Time // by the emulator's clock, as all its instants

	stop    context.CancelFunc
	readers sync.WaitGroup

	mu              sync.Mutex
	began           time.Time // the first login
	issued, expires time.Time // of the first token after that
	steps           []done
	seen            []sighting
	requests        []time.Time
	taken           int       // messages that the service took
	full            time.Time // when more happened than is remembered, zero while that is not so
	ended           time.Time
	final           standing
}

// standing is where a session stood when its recording ended: what time alone would have brought next, and how soon.
type standing struct {
	state session.State
	due   string // as [session.Snapshot.Next] calls it
	left  time.Duration
}

func standingOf(s *session.Session) standing {
	snap := s.Snapshot()
	due, at := snap.Next()
	return standing{snap.State, due, at.Sub(s.Now())}
}

// brings are the events that may follow from what is due, besides others that are never counted.
var brings = map[string][]session.EventName{
	"will-expire": {session.TokenWillExpire, session.RenewSucceeded}, "the expiry": {session.TokenExpired, session.LoginSucceeded},
	"the next try": {session.RenewSucceeded, session.LoginSucceeded}, "the app's own renewal": {session.RenewSucceeded},
}

func (t *take) did(step Step) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch now := t.server.Now(); {
	case !t.ended.IsZero(), len(t.steps) > 2*maxSteps: // a scenario can hold no more, and says so
	case t.began.IsZero() && step.Do != nil && step.Do.Action == "login":
		t.began = now // users log in at the start
	case t.began.IsZero() && step.Policy != nil:
		t.setup.Policy = step.Policy.over(t.setup.Policy)
	case t.bothJumped(step):
		t.steps[len(t.steps)-1].step = Step{Sleep: &step.Jump.Client}
	default:
		t.steps = append(t.steps, done{now, step})
	}
}

// bothJumped tells whether a jump of the client's clock follows the same one of the emulator's: that is what a sleep is.
func (t *take) bothJumped(step Step) bool {
	if step.Jump == nil || step.Jump.Client.IsZero() || step.Jump.Client.Offset < 0 || len(t.steps) == 0 {
		return false
	}
	before := t.steps[len(t.steps)-1].step.Jump
	return before != nil && before.Client.IsZero() && before.Emulator == step.Jump.Client
}

// recorded are the events of a session that a recording expects again. How often a client tries in vain is never twice the same.
var recorded = map[session.EventName]bool{
	session.LoginSucceeded: true, session.LoginFailed: false, session.TokenWillExpire: true, session.TokenExpired: true, session.RenewSucceeded: true,
	session.RenewFailed: false, session.Kicked: true, session.LoggedOutNow: true, session.Disconnected: false,
}

func (t *take) readSession(ctx context.Context, events *session.Reader) {
	for {
		batch, err := events.Next(ctx)
		if err != nil {
			return
		}
		ahead := t.server.Now().Sub(t.session.Now())
		t.mu.Lock()
		for _, e := range batch {
			if e.Name == session.MessageSent {
				t.taken++
			}
			if _, wanted := recorded[e.Name]; wanted {
				t.saw(e.At.Add(ahead), string(e.Name), int(e.Code)) // and not now: the clocks may have jumped since
			}
		}
		t.mu.Unlock()
	}
}

func (t *take) readJournal(ctx context.Context, journal *fakeserver.Reader) {
	for {
		batch, err := journal.Records(ctx)
		if err != nil {
			return
		}
		t.mu.Lock()
		for i := range batch {
			e := batch[i].Head()
			if e.At.Before(t.since) {
				continue
			}
			switch {
			case isTokenRequest(e):
				if t.remembers(len(t.requests), e.At) {
					t.requests = append(t.requests, e.At)
				}
			case e.Name == fakeserver.TokenIssued && t.issued.IsZero() && !strings.HasPrefix(e.Token, "YWMt"):
				t.issued, t.expires = e.At, e.ExpiresAt
			case e.User == t.setup.User && (e.Name == fakeserver.SessionOpened || e.Name == fakeserver.SessionRenewed || e.Name == fakeserver.SessionRefused):
				t.saw(e.At, LaneEmulator+"/"+string(e.Name), 0)
			}
		}
		t.mu.Unlock()
	}
}

// keepSightings bounds what is remembered; it is far more than a scenario can hold.
const keepSightings = 10_000

func (t *take) saw(at time.Time, ref string, code int) {
	if t.remembers(len(t.seen), at) {
		t.seen = append(t.seen, sighting{at, ref, code})
	}
}

// remembers tells whether there is room for one more, and notes when there was none. mu is held.
func (t *take) remembers(already int, at time.Time) bool {
	if already < keepSightings {
		return true
	}
	if t.full.IsZero() || at.Before(t.full) {
		t.full = at
	}
	return false
}

func (t *take) end() {
	t.mu.Lock()
	if t.ended.IsZero() {
		t.ended, t.final = t.server.Now(), standingOf(t.session)
	}
	t.mu.Unlock()
	t.stop()
	t.readers.Wait()
}

// account puts together what is known by now, with so many steps at most.
func (t *take) account(steps int) (*account, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.IsZero() {
		return nil, fmt.Errorf("nothing to write: %w while this was recording", ErrNobodyCame)
	}
	if !slices.Contains(Profiles(), t.setup.Profile) {
		return nil, fmt.Errorf("a session with the profile %s cannot be written as a scenario; those know %s", t.setup.Profile, strings.Join(Profiles(), ", "))
	}
	end, final := t.ended, t.final
	if end.IsZero() {
		end, final = t.server.Now(), standingOf(t.session)
	}
	a := &account{
		zero: t.began.Truncate(time.Second), end: end, life: t.setup.TTL, user: t.setup.User, profile: t.setup.Profile, app: t.setup.App,
		policy: t.setup.Policy, spread: t.setup.Spread, seed: t.session.Seed(), emulator: t.setup.Emulator, steps: slices.Clone(t.steps),
	}
	if !t.issued.IsZero() {
		a.zero = t.issued.Truncate(time.Second)
	}
	if a.life == 0 {
		a.life = t.expires.Sub(a.zero)
	}
	if a.life < time.Second {
		return nil, fmt.Errorf("no token came, and no lifetime was asked for, so there is nothing to count by")
	}
	a.end = maxTime(a.end, a.zero.Add(time.Second)) // a run has some length
	a.bound(steps, t.full)
	t.expect(a, final)
	return a, nil
}

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// lately is how near to the end something is so new that it may come too late next time.
const lately = time.Second

// expect adds what was seen, as far as it can be expected again.
func (t *take) expect(a *account, final standing) {
	last := map[string]string{} // by lane, the event before
	quiet, inVain := a.cut == "", false
	var unsure []string
	if len(t.seen) > 0 {
		a.loggedIn(t.began, t.seen[0].at)
	}
	for _, s := range t.seen {
		belongs, atEnd := a.near(s.at)
		if !belongs {
			break
		}
		margin := lately
		if inVain { // the pauses between tries are spread by chance, and all that follows is moved by them
			_, margin = a.patience(s.at)
		}
		late := atEnd || s.at.After(a.end.Add(-margin))
		if late {
			quiet, unsure = false, append(unsure, s.ref)
		}
		event := session.EventName(s.ref)
		inVain = inVain || event == session.LoginFailed || event == session.RenewFailed
		lane, name, ours := strings.Cut(s.ref, "/")
		if !ours {
			lane, name = t.setup.User, s.ref
		}
		again := last[lane] == name
		if last[lane] = name; late || again && !recorded[event] {
			continue
		}
		a.saw(s.at, s.ref, s.code)
		if recorded[event] {
			a.count(s.ref)
		}
	}
	for _, at := range t.requests {
		belongs, atEnd := a.near(at)
		if !belongs {
			break
		}
		a.requests.Max++
		if !atEnd && at.Before(a.end.Add(-lately)) {
			a.requests.Min++
		}
	}
	soon := a.lead
	if inVain {
		_, soon = a.patience(a.end)
	}
	if a.cut == "" && final.due != "" && final.left < soon {
		quiet = false
		a.requests.Max++
		for _, event := range brings[final.due] {
			unsure = append(unsure, string(event))
		}
	}
	a.mayCome(unsure...)
	if quiet {
		a.final = final.state
	}
	sends := 0
	for _, d := range a.steps {
		if d.step.Send != nil {
			sends++
		}
	}
	if !a.brokenBefore(a.end) {
		a.delivered = quiet && sends > 0 && t.taken == sends
		return
	}
	a.requests = Range{max(a.requests.Min-2-a.requests.Min/4, 0), a.requests.Max + 2 + a.requests.Max/4}
}

package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// looking is how often the faults and the clock of the emulator are looked at; the journal does not tell of them.
const looking = 200 * time.Millisecond

// Recording collects what is done with a running emulator, to write it as a scenario that does it again.
type Recording struct {
	client *control.Client
	user   string

	mu      sync.Mutex
	entries []fakeserver.Entry
	steps   []done
	faults  map[string]bool // by ID, those that are there; true for those that are written
	looked  bool
	clock   time.Duration
}

// Record follows an emulator until ctx ends; from ready on it misses nothing. Faults that are there already count as there from the start. An
// empty user means the first one who logs in.
func Record(ctx context.Context, client *control.Client, user string, ready func()) (*Recording, error) {
	r := &Recording{client: client, user: user, faults: make(map[string]bool)}
	state, err := client.Clock(ctx)
	if err != nil {
		return nil, err
	}
	r.clock = state.Offset
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	newest, err := remote{client}.newest(ctx)
	if err != nil {
		return nil, err
	}
	ready()
	following, stop := context.WithCancel(ctx)
	var looks sync.WaitGroup
	looks.Go(func() {
		for wait(following, looking) {
			if r.look(following) != nil {
				return // the stream below fails as well, and says why
			}
		}
	})
	err = remote{client}.follow(following, newest, func(e fakeserver.Entry) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.entries = append(r.entries, e)
	})
	stop()
	looks.Wait()
	if ctx.Err() != nil {
		err = nil
	}
	return r, err
}

// wait lets time pass; false means that ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// look notes which faults have come and gone, and whether the clock jumped.
func (r *Recording) look(ctx context.Context) error {
	faults, err := r.client.Faults(ctx)
	if err != nil {
		return err
	}
	clock, err := r.client.Clock(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	there := make(map[string]bool)
	for _, f := range faults {
		written, known := r.faults[f.ID]
		there[f.ID] = written
		switch {
		case known:
		case r.looked:
			there[f.ID] = true
			r.steps = append(r.steps, done{clock.Now, Step{Fault: FaultOf(f.Fault)}})
		case !f.Over: // what it has done before is over
			there[f.ID] = true
			r.steps = append(r.steps, done{clock.Now, Step{Fault: remaining(f)}})
		}
	}
	for _, id := range sortedKeys(r.faults) {
		if _, still := there[id]; !still && r.faults[id] {
			r.steps = append(r.steps, done{clock.Now, Step{Clear: id}})
		}
	}
	r.faults, r.looked = there, true
	// An offset that drifts by less than this is the two clocks' reading, not a jump.
	if jump := clock.Offset - r.clock; jump.Abs() > 10*time.Millisecond && !clock.Frozen {
		r.steps = append(r.steps, done{clock.Now.Add(-jump), Step{Jump: &Jump{Emulator: Span{Offset: jump.Round(time.Millisecond)}}}})
	}
	r.clock = clock.Offset
	return nil
}

// facts are what a scenario needs to know of a recording.
type facts struct {
	zero, end            time.Time
	issued, opened       time.Time // the first token and the first session
	life                 time.Duration
	native, online       bool
	willExpire, onExpiry string
	// left is the number of the entry in which the client left of its own accord; 0 when it did not.
	left uint64
}

// Write writes what was recorded as a scenario. It fails when the user never logged in, because instants count from that.
func (r *Recording) Write(w io.Writer, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return writeFitting(w, name, r.account)
}

// account puts together what was recorded, with so many steps at most. mu is held.
func (r *Recording) account(steps int) (*account, error) {
	f, ok := r.facts(time.Time{})
	if !ok {
		return nil, fmt.Errorf("nothing to write: %w while this was recording", ErrNobodyCame)
	}
	a := r.describe(f)
	a.bound(steps, time.Time{})
	if a.cut != "" { // how the client behaved is to be seen in what is written
		end, cut := a.end, a.cut
		f, _ = r.facts(end)
		f.end = end
		a = r.describe(f)
		a.cut = cut
		a.bound(steps, time.Time{})
	}
	r.expect(a, f)
	return a, nil
}

func (r *Recording) describe(f facts) *account {
	a := &account{
		zero: f.zero, end: f.end, life: f.life, rough: true, user: r.user, profile: chat.Web.Name,
		policy: session.Policy{OnWillExpire: session.OnWillExpire(f.willExpire), OnExpired: session.OnExpired(f.onExpiry)},
		steps:  append(slices.Clone(r.steps), r.actions(f)...),
	}
	a.steps = slices.DeleteFunc(a.steps, func(d done) bool { return d.at.After(f.end) }) // nothing came of them
	a.loggedIn(f.issued, f.opened)
	if f.native {
		a.profile = chat.Native.Name
	}
	return a
}

// facts finds the first login, and how the client behaved until then; zero means all the time.
func (r *Recording) facts(until time.Time) (f facts, ok bool) {
	exchanged, issued := false, time.Time{}
	inVain := map[string]time.Time{} // by user, the first request for a token that came to nothing
	for _, e := range r.entries {
		if spoilt := isTokenRequest(e) && e.Status != http.StatusOK || e.Name == fakeserver.FaultApplied && e.OfTokenServer(); spoilt && inVain[e.User].IsZero() {
			inVain[e.User] = e.At
		}
		switch {
		case e.Name == fakeserver.RESTRequest && e.Method == "POST" && strings.HasSuffix(e.Path, "/token"):
			exchanged = true
		case e.Name == fakeserver.TokenIssued && issued.IsZero():
			issued = e.At
		}
		if e.Name != fakeserver.SessionOpened || r.user != "" && e.User != r.user || e.ExpiresAt.IsZero() {
			continue
		}
		r.user = e.User
		if issued.IsZero() {
			issued = e.At
		}
		f.issued, f.opened = issued, e.At
		f.life = e.ExpiresAt.Sub(issued.Truncate(time.Second))
		f.zero, f.native = e.ExpiresAt.Add(-f.life), exchanged
		// A run begins with the first try to log in, and its faults make the same of it again.
		for _, user := range []string{e.User, ""} {
			if first := inVain[user]; !first.IsZero() && first.Before(f.issued) {
				f.issued, f.zero = first, first.Truncate(time.Second)
			}
		}
		break
	}
	if f.life <= 0 {
		return f, false
	}
	f.end = r.entries[len(r.entries)-1].At.Add(time.Second)
	f.willExpire, f.onExpiry = string(session.WillExpireRenew), string(session.ExpiredRelogin)
	warned, expired, asked := false, false, false
	var forced time.Time // the last trigger, which explains what follows it
	for _, e := range r.entries {
		if !until.IsZero() && e.At.After(until) {
			break
		}
		if isTokenRequest(e) && warned && !expired {
			asked = true
		}
		if e.Name == fakeserver.ControlTriggered {
			forced = e.At
		}
		if e.User != r.user {
			continue
		}
		switch e.Name {
		case fakeserver.SessionOpened:
			f.online, f.left = true, 0
		case fakeserver.SessionClosed:
			f.online = false
			if !expired && e.At.Sub(forced) > time.Second {
				f.left = e.Seq
			}
		case fakeserver.SessionWillExpire:
			warned = true
		case fakeserver.SessionExpired:
			expired = true
			if !asked {
				f.willExpire = string(session.WillExpireIgnore)
			}
		}
	}
	if expired && !f.online {
		f.onExpiry = string(session.ExpiredIgnore)
	}
	return f, true
}

// actions are the steps that the journal gives away: triggers, messages, and renewals that nothing but a wish explains.
func (r *Recording) actions(f facts) []done {
	var steps []done
	messages, warned := 0, false
	for _, e := range r.entries {
		switch {
		case e.Name == fakeserver.ControlTriggered:
			warned = warned || e.Reason == "will-expire"
			steps = append(steps, done{e.At, Step{Trigger: triggerOf(e)}})
		case e.User == r.user && e.Name == fakeserver.SessionWillExpire:
			warned = true
		case e.User == r.user && e.Name == fakeserver.SessionRenewed:
			if !warned {
				steps = append(steps, done{e.At, Step{Do: &Do{Action: "renew"}}})
			}
			warned = false
		case e.Seq == f.left:
			steps = append(steps, done{e.At, Step{Do: &Do{Action: "logout"}}})
		case e.Name == fakeserver.MessageStored && e.From == r.user && e.Reason != receipt && e.At.After(f.zero):
			messages++
			steps = append(steps, done{e.At, Step{Send: &Send{To: e.To, Text: fmt.Sprintf("message %d", messages)}}})
		}
	}
	return steps
}

func triggerOf(e fakeserver.Entry) *Trigger {
	t := &Trigger{Event: e.Reason, User: e.User, Code: e.Code}
	if t.User == "" {
		t.User = "all"
	}
	return t
}

// expect adds what the emulator saw of the user's session.
func (r *Recording) expect(a *account, f facts) {
	var unsure []string
	for _, e := range r.entries {
		belongs, atEnd := a.near(e.At)
		if !belongs {
			break
		}
		if isTokenRequest(e) {
			a.requests.Max++
			if !atEnd {
				a.requests.Min++
			}
		}
		if e.User != r.user || !strings.HasPrefix(string(e.Name), "session.") {
			continue
		}
		ref := LaneEmulator + "/" + string(e.Name)
		if atEnd {
			unsure = append(unsure, ref)
			continue
		}
		a.saw(e.At, ref, 0)
		a.count(ref)
	}
	a.mayCome(unsure...)
	switch {
	case a.cut != "": // how it stood then, nobody looked
	case f.online && r.dueBefore(f.end.Add(a.lead)): // nobody waited for it
		a.requests.Max++
		for _, name := range []fakeserver.EntryName{fakeserver.SessionWillExpire, fakeserver.SessionRenewed, fakeserver.SessionExpired, fakeserver.SessionOpened} {
			a.mayCome(LaneEmulator + "/" + string(name))
		}
	case f.online:
		a.final = r.finalState()
	case f.left != 0:
		a.final = session.LoggedOut
	}
}

// dueBefore tells whether the user's token would have brought another event by then.
func (r *Recording) dueBefore(end time.Time) bool {
	var due, expiry time.Time
	for _, e := range r.entries {
		if e.User != r.user {
			continue
		}
		switch e.Name {
		case fakeserver.SessionOpened, fakeserver.SessionRenewed:
			due, expiry = e.WillExpireAt, e.ExpiresAt
		case fakeserver.SessionWillExpire:
			due = expiry
		case fakeserver.SessionExpired:
			due = time.Time{}
		}
	}
	return due.After(r.entries[len(r.entries)-1].At) && due.Before(end)
}

// finalState is online, or will_expire after a warning that nothing answered.
func (r *Recording) finalState() session.State {
	state := session.Online
	for _, e := range r.entries {
		if e.User == r.user && e.Name == fakeserver.SessionWillExpire {
			state = session.WillExpire
		} else if e.User == r.user && (e.Name == fakeserver.SessionRenewed || e.Name == fakeserver.SessionOpened) {
			state = session.Online
		}
	}
	return state
}

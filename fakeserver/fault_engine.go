package fakeserver

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/clock"
)

// maxFaults is how many faults there can be at once; beyond it the ones that are used up go first.
const maxFaults = 1000

var (
	errFaultsFull = fmt.Errorf("there are %d faults already; clear some", maxFaults)
	errStopped    = errors.New("the emulator is closed")
)

// faults decides what goes wrong. Handlers only ask; without any fault an answer costs one atomic read.
type faults struct {
	clock   *clock.Clock
	journal *journal
	started func(*fault) // called for each fault that becomes active, without mu held
	wake    chan struct{}

	asking  atomic.Bool // whether any fault may answer
	hearing atomic.Bool // whether any fault waits for an event

	mu      sync.Mutex
	changed chan struct{} // closed at the next change; nil while nobody waits for it
	list    []*fault      // in the order they were added
	serial  int           // of the newest
	stopped bool
}

// fault is a fault with its state. The upper half never changes; mu guards the rest.
type fault struct {
	Fault
	kind   *faultKind
	values faultValues
	serial int
	lifted chan struct{} // closed when it is cleared

	heard   bool      // the event that it waits for has come, or there is none
	due     time.Time // when it becomes active, by the emulator's clock
	since   time.Time // when it became active, by the machine's; zero before that
	begun   bool      // started by run
	dice    *rand.Rand
	applied int
}

func newFaults(clk *clock.Clock, j *journal) *faults {
	return &faults{clock: clk, journal: j, wake: make(chan struct{}, 1)}
}

// add makes a fault known and returns its ID.
func (e *faults) add(f Fault) (string, error) {
	kind, values, err := f.check()
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := func(id string) bool { return slices.ContainsFunc(e.list, func(o *fault) bool { return o.ID == id }) }
	switch {
	case e.stopped:
		return "", errStopped
	case f.ID != "" && taken(f.ID):
		return "", fmt.Errorf("there is a fault %q already; clear it first", f.ID)
	case len(e.list) >= maxFaults && !e.forgetOne():
		return "", errFaultsFull
	}
	e.serial++
	for f.ID == "" {
		if id := fmt.Sprintf("f%d", e.serial); !taken(id) {
			f.ID = id
		} else {
			e.serial++ // somebody chose this name
		}
	}
	a := &fault{
		Fault: f, kind: kind, values: values, serial: e.serial, lifted: make(chan struct{}), heard: f.On == "",
		dice: rand.New(rand.NewPCG(f.Seed, 0)), //nolint:gosec // the same draws in every run are what is wanted
	}
	if a.heard {
		a.due = e.clock.Now().Add(f.After)
	}
	e.list = append(e.list, a)
	e.settle()
	e.change()
	e.nudge()
	return f.ID, nil
}

// forgetOne makes room by dropping the oldest fault that is used up. mu is held.
func (e *faults) forgetOne() bool {
	i := slices.IndexFunc(e.list, (*fault).usedUp)
	if i >= 0 {
		e.remove(i)
	}
	return i >= 0
}

// remove lifts a fault. mu is held.
func (e *faults) remove(i int) {
	close(e.list[i].lifted)
	e.list = slices.Delete(e.list, i, i+1)
	e.settle()
	e.change()
}

// clear lifts the fault with that ID, or all of them when it is empty, and returns how many those were.
func (e *faults) clear(id string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for i := len(e.list) - 1; i >= 0; i-- {
		if id == "" || e.list[i].ID == id {
			e.remove(i)
			n++
		}
	}
	return n
}

// stop lifts everything for good.
func (e *faults) stop() {
	e.clear("")
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
}

// settle keeps the short cuts true. mu is held.
func (e *faults) settle() {
	asking, hearing := false, false
	for _, f := range e.list {
		asking = asking || !f.usedUp()
		hearing = hearing || !f.heard
	}
	e.asking.Store(asking)
	e.hearing.Store(hearing)
}

// usedUp tells whether the fault will never apply again: it has as often as it was to, or its time is over.
func (f *fault) usedUp() bool {
	end := f.end()
	return f.Count > 0 && f.applied >= f.Count || !end.IsZero() && !time.Now().Before(end)
}

// end is when the time of a fault that has begun is over, by the machine's clock; zero when it has none.
func (f *fault) end() time.Time {
	if f.kind.lasts == nil || f.since.IsZero() {
		return time.Time{}
	}
	if d := f.kind.lasts(f); d > 0 {
		return f.since.Add(d)
	}
	return time.Time{}
}

// nextEnd is how long it is until the time of a fault is over. mu is held.
func (e *faults) nextEnd() time.Duration {
	wait := endless
	for _, f := range e.list {
		if end := f.end(); !end.IsZero() && !f.usedUp() {
			wait = min(wait, time.Until(end))
		}
	}
	return wait
}

// watch returns what is closed when anything about the faults changes.
func (e *faults) watch() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.changed == nil {
		e.changed = make(chan struct{})
	}
	return e.changed
}

// change tells those who watch. mu is held.
func (e *faults) change() {
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}

func (e *faults) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// hear notes a journal entry. It is called for every one of them, with any other lock held, so it takes its own only when it must.
func (e *faults) hear(name EntryName, user string) {
	if !e.hearing.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.list {
		if !f.heard && f.On == name && (f.User == "" || f.User == user) {
			f.heard, f.due = true, e.clock.Now().Add(f.After)
			e.nudge()
		}
	}
	e.settle()
}

// ripen makes active what is due, and returns the next instant to look at, which may be zero. mu is held.
func (e *faults) ripen() (next time.Time) {
	now := e.clock.Now()
	for _, f := range e.list {
		switch {
		case !f.since.IsZero() || !f.heard:
		case !now.Before(f.due):
			f.since = time.Now()
			e.nudge()
		case next.IsZero() || f.due.Before(next):
			next = f.due
		}
	}
	return next
}

// unstarted returns the active faults that have not been started, and notes that they are. mu is held.
func (e *faults) unstarted() []*fault {
	var list []*fault
	for _, f := range e.list {
		if !f.since.IsZero() && !f.begun && f.kind.start != nil {
			f.begun = true
			list = append(list, f)
		}
	}
	return list
}

// run makes faults active that nobody asks for in time, and starts those that act by themselves, until done is closed.
func (e *faults) run(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := e.clock.Changed()
		e.mu.Lock()
		next := e.ripen()
		begin, wait := e.unstarted(), e.nextEnd()
		e.settle()
		e.change() // something has begun or is over, or it does no harm
		e.mu.Unlock()
		for _, f := range begin {
			e.started(f)
		}
		timer.Reset(min(e.clock.Wait(next), wait))
		select {
		case <-timer.C:
		case <-changed:
		case <-e.wake:
		case <-done:
			return
		}
	}
}

// question is what a handler asks: does anything go wrong here?
type question struct {
	target FaultTarget
	// user is whom it concerns, as far as that is known.
	user string
	// about, where it is set, tells for any name whether it concerns that user; otherwise only user is concerned.
	about func(user string) bool
	// after is the serial of the fault that answered before: faults apply in the order in which they were added.
	after int
	// fits, where it is set, takes or leaves a fault.
	fits func(*fault) bool
	// session is the connection, for the journal.
	session string
}

func (q question) concerns(f *fault) bool {
	switch {
	case f.Target != q.target || f.serial <= q.after:
		return false
	case f.User != "" && q.about != nil && !q.about(f.User), f.User != "" && q.about == nil && f.User != q.user:
		return false
	}
	return q.fits == nil || q.fits(f)
}

// ask returns the first fault that applies, or nil. It counts as applied then, and stands in the journal.
func (e *faults) ask(q question) *fault {
	if !e.asking.Load() {
		return nil
	}
	f := e.draw(q)
	if f != nil {
		e.journal.add(&Entry{
			Name: FaultApplied, User: cmp.Or(q.user, f.User), Session: q.session,
			Fault: &FaultName{ID: f.ID, Target: f.Target, Kind: f.Kind},
		})
	}
	return f
}

func (e *faults) draw(q question) *fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ripen()
	for _, f := range e.list {
		if f.since.IsZero() || f.usedUp() || !q.concerns(f) {
			continue
		}
		if f.Probability > 0 && f.dice.Float64() >= f.Probability {
			continue
		}
		f.applied++
		e.settle()
		e.change()
		return f
	}
	return nil
}

// endless is a wait that only something else ends.
const endless time.Duration = math.MaxInt64

// wait lets d pass. It ends early when the fault is cleared, as all are when the emulator ends, and reports false when gone ended it.
func (f *fault) wait(gone <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.lifted:
	case <-gone:
		return false
	}
	return true
}

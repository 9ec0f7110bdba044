package scenario

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

const (
	// intoSecond is how far into the emulator's second a life begins: tokens carry whole seconds, and whoever starts late in one lives short.
	intoSecond = 2 * time.Millisecond
	// headroom is what the steps at the start may take before that second.
	headroom = 100 * time.Millisecond
	// settling is how long what has just happened may take to be noticed, before a clock jumps and at the end.
	settling = 20 * time.Millisecond
)

// Options change how a scenario is run; what is empty is as the scenario says.
type Options struct {
	TTL          time.Duration
	App, Profile string
	// Seed is what the scenario calls by that name; 0 leaves it to the scenario, and when that has none to chance.
	Seed uint64
	// InMemory runs without sockets, as it must be inside a testing/synctest bubble.
	InMemory bool
	// Progress is called with how things stand, soon after that has changed: twenty times a second at most, besides the answers to Commands.
	// It must not block for long.
	Progress func(Progress)
	// Commands are for whoever plays the scenario; see [Command].
	Commands <-chan Command
	// Meet is called before anything happens with the first user's session and the emulator, for a screen to show them. Both end with the run.
	Meet func(*session.Session, *fakeserver.Server)
	// Tokens stands between the first user's session and the source of its tokens, for a screen to show those too.
	Tokens func(tokenclient.Source) tokenclient.Source
	// Stay keeps the sessions and the emulator alive after the verdict, until the context ends.
	Stay bool
}

// fill takes what is empty from the scenario.
func (o Options) fill(s *Scenario) Options {
	if o.TTL == 0 || s.FixedTTL {
		o.TTL = s.TTL
	}
	if o.App == "" {
		o.App = s.App
	}
	if o.Profile == "" {
		o.Profile = s.Profile
	}
	if o.Seed == 0 {
		o.Seed = uint64(max(s.Seed, 0))
	}
	if o.Seed == 0 {
		o.Seed = session.NewSeed()
	}
	return o
}

// Run plays a scenario with an emulator and sessions of its own, and judges it.
func Run(ctx context.Context, s *Scenario, o Options) *Report {
	o = o.fill(s)
	started := time.Now()
	report := newReport(s, o)
	st, err := newStage(ctx, s.config(o.TTL), o.InMemory)
	if err != nil {
		return report.broken(err, started)
	}
	players, err := st.cast(s, o)
	if err != nil {
		_ = st.close() // the first error says more
		return report.broken(err, started)
	}
	r := newDriver(s, o, own{st.server})
	r.players = players
	if o.Meet != nil {
		o.Meet(players[0].Session, st.server)
	}
	err = r.play(ctx)
	report.fill(s, r.evidence(true), started)
	if err != nil {
		report.broken(err, started)
	}
	if o.Stay && ctx.Err() == nil {
		r.tell(report)
		<-ctx.Done()
	}
	dismiss(players)
	if closed := st.close(); err == nil && closed != nil {
		report.broken(fmt.Errorf("the emulator did not end well: %w", closed), started)
	}
	return report
}

// driver does the steps when their time has come, and collects what happens. One goroutine runs it.
type driver struct {
	s       *Scenario
	o       Options
	emu     emulator
	players []*player // none when a foreign client is watched
	foreign *foreign
	zero    time.Time // the start of the first life, by the emulator's clock
	// ahead is how far the emulator's clock is ahead of the machine's, less zero: what is to be added to the machine's time.
	ahead atomic.Int64

	inbox   chan Moment
	readers sync.WaitGroup
	stop    context.CancelFunc // of the readers

	seen   timeline
	done   []bool
	undone map[int]string
	faults []string // the IDs of those that were set
	sent   []sent
	held   bool // no step is done until somebody says so
	taken  bool // nor ever again
	news   bool // something has happened since it was told how things stand
	told   time.Time
}

// never is later than any run can last, with room to calculate.
const never = time.Duration(math.MaxInt64 / 4)

func newDriver(s *Scenario, o Options, emu emulator) *driver {
	return &driver{s: s, o: o, emu: emu, inbox: make(chan Moment, 1024), done: make([]bool, len(s.Steps)), undone: make(map[int]string), news: true}
}

// now is the time of the scenario.
func (r *driver) now() time.Duration { return time.Duration(time.Now().UnixNano() + r.ahead.Load()) }

func (r *driver) setZero(zero, emulatorNow time.Time) {
	r.zero = zero
	r.ahead.Store(emulatorNow.Sub(zero).Nanoseconds() - time.Now().UnixNano())
}

// play runs the whole scenario.
func (r *driver) play(ctx context.Context) error {
	now, err := r.emu.now(ctx)
	if err != nil {
		return err
	}
	zero := now.Truncate(time.Second).Add(time.Second)
	if zero.Sub(now) < headroom {
		zero = zero.Add(time.Second)
	}
	r.setZero(zero, now)
	reading, stop := context.WithCancel(ctx)
	r.stop = stop
	defer r.collect()
	r.readers.Go(func() { r.readJournal(reading, 0) })
	for _, p := range r.players {
		r.readers.Go(func() { r.readSession(reading, p) })
	}
	if err := r.due(ctx, 0); err != nil { // what is there from the start
		return err
	}
	if err := r.until(ctx, intoSecond); err != nil {
		return err
	}
	for _, p := range r.players {
		if !slices.Contains(r.s.Later, p.lane) {
			p.Login()
		}
	}
	if err := r.loop(ctx); err != nil {
		return err
	}
	r.settle(ctx)
	r.collect()
	for i, done := range r.done {
		if !done {
			r.undone[i] = "it was never time for it: " + r.s.Steps[i].At.String()
		}
	}
	return nil
}

// loop does steps until the end of the run.
func (r *driver) loop(ctx context.Context) error {
	defer r.tellLatest()
	for {
		if err := r.due(ctx, r.now()); err != nil {
			return err
		}
		end := r.s.Until.Of(r.o.TTL)
		if stop := r.s.StopAfter; stop != nil {
			if at, ok := r.s.resolve(r.evidence(false), *stop); ok {
				end = min(end, at)
			}
		}
		if r.held {
			end = never
		}
		if r.now() >= end {
			return nil
		}
		next := end
		for i, step := range r.s.Steps {
			if r.done[i] || r.held {
				continue
			}
			if at, ok := r.s.resolve(r.evidence(false), step.At); ok {
				next = min(next, at)
			}
		}
		if err := r.wait(ctx, next); err != nil {
			return err
		}
	}
}

// wait lets time pass until the given moment, or until something happens.
func (r *driver) wait(ctx context.Context, until time.Duration) error {
	timer := time.NewTimer(max(min(until-r.now(), r.untilTelling()), 0))
	defer timer.Stop()
	select {
	case m := <-r.inbox:
		r.note(m)
		r.drain()
		r.news = true
	case <-timer.C:
	case c := <-r.o.Commands:
		return r.obey(ctx, c, until)
	case <-ctx.Done():
		if r.taken {
			return errTakenOver
		}
		return ctx.Err()
	}
	r.tellNews()
	return nil
}

// until lets time pass, whatever happens meanwhile.
func (r *driver) until(ctx context.Context, at time.Duration) error {
	for r.now() < at {
		if err := r.wait(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// settle gives what has just happened the time to be noticed.
func (r *driver) settle(ctx context.Context) {
	timer := time.NewTimer(settling)
	defer timer.Stop()
	for {
		select {
		case m := <-r.inbox:
			r.note(m)
		case <-timer.C:
			r.drain() // chance would leave them behind
			return
		case <-ctx.Done():
			return
		}
	}
}

// collect ends the readers, once they have read everything that has happened by now.
func (r *driver) collect() {
	r.stop()
	read := make(chan struct{})
	go func() {
		r.readers.Wait()
		close(read)
	}()
	for {
		select {
		case m := <-r.inbox:
			r.note(m)
		case <-read:
			r.drain()
			return
		}
	}
}

func (r *driver) drain() {
	for {
		select {
		case m := <-r.inbox:
			r.note(m)
		default:
			return
		}
	}
}

// note keeps a moment.
func (r *driver) note(m Moment) {
	r.seen.add(m)
	r.measure(m)
}

// due does the steps whose time has come, in the order in which they are written.
func (r *driver) due(ctx context.Context, now time.Duration) error {
	for i, step := range r.s.Steps {
		if r.done[i] || r.held {
			continue
		}
		at, ok := r.s.resolve(r.evidence(false), step.At)
		if !ok || at > now {
			continue
		}
		r.done[i] = true
		if err := r.do(ctx, i, step); err != nil {
			return fmt.Errorf("step %d (%s): %w", i+1, step.describe(), err)
		}
		r.news = true
	}
	return nil
}

// do does one step.
func (r *driver) do(ctx context.Context, i int, step Step) error {
	if r.foreign != nil && step.needsOurClient() {
		r.undone[i] = "only the client can do this: " + step.describe()
		r.note(Moment{At: r.now(), Lane: LaneScript, Event: "step", Text: "not done, for the client is not ours: " + step.describe()})
		return nil
	}
	if step.Jump != nil || step.Sleep != nil {
		r.settle(ctx)
	}
	note := Moment{At: r.now(), Lane: LaneScript, Event: "step", Text: step.describe()}
	defer func() { r.note(note) }()
	switch {
	case step.Fault != nil:
		return r.addFault(ctx, step.Fault.resolve(r.o.TTL))
	case step.Clear == allFaults:
		return r.clearFaults(ctx)
	case step.Clear != "":
		return r.clearFault(ctx, step.Clear)
	case step.Trigger != nil:
		n, err := r.emu.trigger(ctx, step.Trigger.Event, step.Trigger.request())
		if err == nil && n == 0 {
			note.Text += " (nobody is online)"
		}
		return err
	case step.Jump != nil:
		return r.jump(ctx, step.Jump.Client.Of(r.o.TTL), step.Jump.Emulator.Of(r.o.TTL))
	case step.Sleep != nil:
		d := step.Sleep.Of(r.o.TTL)
		return r.jump(ctx, d, d)
	case step.Network != "":
		return r.network(ctx, step.Network)
	case step.Send != nil:
		to, _ := splitLane(step.Send.To)
		if _, err := r.player(step.Send.From).Send(to, step.Send.Text); err != nil {
			return err
		}
		r.sent = append(r.sent, sent{step.Send.From, step.Send.To, step.Send.Text})
	case step.Do != nil:
		p := r.player(step.Do.User)
		map[string]func(){"login": p.Login, "renew": p.Renew, "logout": p.Logout}[step.Do.Action]()
	case step.Policy != nil:
		for _, p := range r.players {
			if err := p.SetPolicy(step.Policy.over(p.Snapshot().Policy)); err != nil {
				return err
			}
		}
	}
	return nil
}

// needsOurClient tells the steps that nobody but the client itself can do.
func (s Step) needsOurClient() bool {
	return s.Send != nil || s.Do != nil || s.Policy != nil || s.Sleep != nil || s.Jump != nil && !s.Jump.Client.IsZero()
}

func (r *driver) player(lane string) *player {
	return r.players[slices.IndexFunc(r.players, func(p *player) bool { return p.lane == lane })]
}

// jump moves the clients' clocks and the emulator's.
func (r *driver) jump(ctx context.Context, client, emu time.Duration) error {
	if emu != 0 {
		if err := r.emu.jump(ctx, emu); err != nil {
			return err
		}
		r.ahead.Add(emu.Nanoseconds())
	}
	if client != 0 {
		for _, p := range r.players {
			p.JumpClock(client)
		}
	}
	return nil
}

// network takes the network away by what the emulator can do to connections, so that a foreign client is offline as well.
func (r *driver) network(ctx context.Context, how string) error {
	const prefix = "network."
	targets := []fakeserver.FaultTarget{fakeserver.FaultLink, fakeserver.FaultREST, fakeserver.FaultTokenServer}
	for _, target := range targets {
		var err error
		switch how {
		case "down":
			if slices.Contains(r.faults, prefix+string(target)) {
				continue // it is away already
			}
			err = r.addFault(ctx, fakeserver.Fault{ID: prefix + string(target), Target: target, Kind: "refuse"})
		case "up":
			err = r.clearFault(ctx, prefix+string(target))
		}
		if err != nil {
			return err
		}
	}
	if how == "up" {
		return nil
	}
	_, err := r.emu.trigger(ctx, "cut", fakeserver.TriggerRequest{})
	return err
}

func (r *driver) addFault(ctx context.Context, f fakeserver.Fault) error {
	id, err := r.emu.addFault(ctx, f)
	if err == nil {
		r.faults = append(r.faults, id)
		if r.foreign != nil {
			r.foreign.delayed(id, f)
		}
	}
	return err
}

func (r *driver) clearFault(ctx context.Context, id string) error {
	r.faults = slices.DeleteFunc(r.faults, func(set string) bool { return set == id })
	return r.emu.clearFault(ctx, id)
}

// clearFaults lifts what the run has set. The emulator may have faults of others too, which are none of its business.
func (r *driver) clearFaults(ctx context.Context) error {
	var err error
	for _, id := range r.faults {
		err = errors.Join(err, r.emu.clearFault(ctx, id))
	}
	r.faults = nil
	return err
}

func (r *driver) readSession(ctx context.Context, p *player) {
	events := p.Follow()
	for {
		batch, err := events.Next(ctx)
		if err != nil {
			return
		}
		for _, e := range batch {
			r.inbox <- ofSession(p.lane, r.now(), e)
		}
	}
}

func (r *driver) readJournal(ctx context.Context, after uint64) {
	err := r.emu.follow(ctx, after, func(e fakeserver.Entry) {
		if r.foreign != nil {
			r.foreign.entry(r, e)
			return
		}
		r.inbox <- ofJournal(r.zero, e)
	})
	if err != nil && ctx.Err() == nil && !strings.Contains(err.Error(), "closed") {
		r.inbox <- Moment{At: r.now(), Lane: LaneScript, Event: "step", Text: printable.Line("the journal cannot be read any more: "+err.Error(), 300)}
	}
}

// evidence is what is known by now.
func (r *driver) evidence(over bool) evidence {
	e := evidence{ttl: r.o.TTL, moments: r.seen.moments, index: r.seen.index, now: r.now(), over: over, sent: r.sent, undone: r.undone, foreign: r.foreign != nil}
	if len(r.players) > 0 && over {
		snap := r.players[0].Snapshot()
		e.final, e.finalReason, e.finalWhy = string(snap.State), printable.Line(snap.Reason, 300), snap.Why
	}
	return e
}

// onlineStates are those in which a session's link is up.
var onlineStates = []session.State{session.Online, session.WillExpire, session.Renewing}

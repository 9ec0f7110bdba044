package scenario

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Progress is how a run stands, for whoever watches it.
type Progress struct {
	Story string
	// Now is the time of the scenario, and Until when it will end.
	Now, Until time.Duration
	// Next is what the scenario will do next, empty when nothing is left. NextAt is when; what comes next after an event that has not
	// happened has no time yet, and Waits is what it waits for.
	Next   string
	NextAt time.Duration
	Waits  string
	// Held tells that steps wait for [Go] or [StepOn], Taken that they will never be done.
	Held, Taken bool
	Checks      []Check
	// Moments is the timeline so far.
	Moments []Moment
	// Report is there once the run has been judged.
	Report *Report
}

// Command is what a person who plays a scenario can ask for.
type Command string

// The commands. A token's life goes on while steps are held.
const (
	// Hold keeps the steps and the end back, Go lets them happen again, StepOn does the next one at once.
	Hold   Command = "hold"
	Go     Command = "go"
	StepOn Command = "step"
	// Skip jumps all clocks to the next step, or to the next instant of the token.
	Skip Command = "skip"
	// TakeOver leaves the rest to the person: no step is done any more, and the run goes on until its context ends. It has no verdict then.
	TakeOver Command = "take-over"
)

var errTakenOver = errors.New("a person took over, so there is no verdict")

// tellEvery is how often it is told how things stand while nobody asks. A herd makes thousands of moments at once, and each time everything is
// judged anew.
const tellEvery = 50 * time.Millisecond

// untilTelling is how long it takes until the news are due, and never when there are none or nobody wants to know.
func (r *driver) untilTelling() time.Duration {
	if r.o.Progress == nil || !r.news {
		return never
	}
	return time.Until(r.told.Add(tellEvery))
}

// tellNews says how things stand when that is due.
func (r *driver) tellNews() {
	if r.untilTelling() <= 0 {
		r.tell(nil)
	}
}

// tellLatest says how things stand when that has not been told yet, due or not.
func (r *driver) tellLatest() {
	if r.news {
		r.tell(nil)
	}
}

// tell says how things stand; report is nil until the run has been judged.
func (r *driver) tell(report *Report) {
	if r.o.Progress == nil {
		return
	}
	r.news, r.told = false, time.Now()
	p := Progress{
		Story: r.s.Story, Now: r.now(), Until: r.s.Until.Of(r.o.TTL), Held: r.held, Taken: r.taken,
		Checks: r.s.judge(r.evidence(false)), Moments: slices.Clone(r.seen.moments), Report: report,
	}
	if report != nil {
		p.Checks = report.Checks
	}
	if i, at := r.nextStep(); i >= 0 {
		p.Next, p.NextAt = r.s.Steps[i].describe(), at
	} else if i := slices.Index(r.done, false); i >= 0 {
		p.Next, p.Waits = r.s.Steps[i].describe(), r.s.Steps[i].At.String()
	}
	r.o.Progress(p)
}

// nextStep is the step that comes next, -1 when none has a time.
func (r *driver) nextStep() (index int, at time.Duration) {
	index = -1
	for i, step := range r.s.Steps {
		if r.done[i] {
			continue
		}
		if t, ok := r.s.resolve(r.evidence(false), step.At); ok && (index < 0 || t < at) {
			index, at = i, t
		}
	}
	return index, at
}

// obey does what a person asks for; next is when something would happen by itself.
func (r *driver) obey(ctx context.Context, c Command, next time.Duration) error {
	switch c {
	case Hold:
		r.held = true
	case Go:
		r.held = false
	case TakeOver:
		r.held, r.taken = true, true
	case StepOn:
		if i, _ := r.nextStep(); i >= 0 {
			r.done[i] = true
			if err := r.do(ctx, i, r.s.Steps[i]); err != nil {
				return err
			}
		}
	case Skip:
		if len(r.players) > 0 {
			if _, at := r.players[0].Snapshot().Next(); !at.IsZero() {
				next = min(next, r.now()+at.Sub(r.players[0].Now()))
			}
		}
		if d := next - r.now(); d > 0 && next < never {
			r.settle(ctx)
			if err := r.jump(ctx, d, d); err != nil {
				return err
			}
		}
	}
	r.tell(nil)
	return nil
}

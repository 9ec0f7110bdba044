package scenario

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// account is a session as it was lived, ready to be written as a scenario that lives it again.
type account struct {
	zero, end time.Time // of the scenario, by the emulator's clock
	life      time.Duration
	// lead is how long after zero the first login was over. Users of a scenario log in at zero, so whatever hangs on the login, and not on the
	// token's seconds, comes that much sooner next time.
	lead time.Duration
	// rough tells that instants are no more than near to what they were, so that those near to a round part of the life are meant by it.
	rough bool

	user, profile, app string
	policy             session.Policy
	spread             float64
	seed               uint64 // of what chance decided; 0 when nobody knows it
	emulator           EmulatorSettings

	steps     []done
	seen      []sighting
	counts    map[string]Range
	requests  Range
	final     session.State // empty when nothing can be said
	delivered bool
	// cut says why the account ends before the recording did; empty when it does not.
	cut string
}

func stepsOf(list []done) []Step {
	var steps []Step
	for _, d := range list {
		steps = append(steps, d.step)
	}
	return steps
}

// done is something that was done, by the emulator's clock.
type done struct {
	at   time.Time
	step Step
}

// sighting is an event that was seen.
type sighting struct {
	at   time.Time
	ref  string
	code int
}

func (a *account) saw(at time.Time, ref string, code int) {
	a.seen = append(a.seen, sighting{at, ref, code})
}

// count adds one to what is expected of an event.
func (a *account) count(ref string) {
	if a.counts == nil {
		a.counts = make(map[string]Range)
	}
	n := a.counts[ref]
	a.counts[ref] = Range{n.Min + 1, n.Max + 1}
}

// Bounds of what is written; a file with more is not read. Steps count as checks too, so they leave room for events.
const (
	maxSightings = 100
	maxRecorded  = maxSteps - 50
)

// bound ends the account where a scenario can hold no more: after so many steps, or with the longest time that can be written. full is when no
// more was remembered, zero when all was.
func (a *account) bound(steps int, full time.Time) {
	slices.SortStableFunc(a.steps, func(x, y done) int { return x.at.Compare(y.at) })
	end := func(at time.Time, why string) {
		if at.Before(a.end) {
			a.end, a.cut = maxTime(at, a.zero.Add(time.Second)), why
		}
	}
	if a.life < never/maxFraction {
		end(a.zero.Add(maxFraction*a.life), fmt.Sprintf("a scenario lasts %d lives of its token at most", maxFraction))
	}
	if !full.IsZero() {
		end(full, "more happened than is remembered")
	}
	if len(a.steps) > steps {
		end(a.steps[steps].at, fmt.Sprintf("more than these %d steps do not fit into a scenario", steps))
		a.steps = a.steps[:steps]
	}
	a.steps = slices.DeleteFunc(a.steps, func(d done) bool { return d.at.After(a.end) })
	if i := slices.IndexFunc(a.steps, func(d done) bool { return d.at.Add(d.step.leap()).After(a.end) }); a.cut != "" && i >= 0 {
		a.end = maxTime(a.steps[i].at, a.zero.Add(time.Second)) // what comes of a leap over the end would still be seen
		a.steps = a.steps[:i]
	}
}

// leap is how far a recorded step moves the emulator's clock.
func (s Step) leap() time.Duration {
	switch {
	case s.Jump != nil:
		return s.Jump.Emulator.Offset
	case s.Sleep != nil:
		return s.Sleep.Offset
	default:
		return 0
	}
}

// near tells of something that happened whether it still belongs to an account that was cut, and whether it is so near to the end that it may
// come on the other side of it next time.
func (a *account) near(at time.Time) (belongs, unsure bool) {
	if a.cut == "" {
		return true, false
	}
	early, late := a.patience(a.end)
	return !at.After(a.end.Add(early)), at.After(a.end.Add(-late))
}

// writeFitting writes the longest account that a scenario can hold, so that whatever is written can be read. build makes one of at most so many
// steps.
func writeFitting(w io.Writer, name string, build func(steps int) (*account, error)) error {
	for most := maxRecorded; ; {
		a, err := build(most)
		if err != nil {
			return err
		}
		var b strings.Builder
		if err := a.write(&b, name); err != nil {
			return err
		}
		_, err = Parse(name, []byte(b.String()))
		if err == nil {
			_, err = io.WriteString(w, b.String())
			return err
		}
		if most = min(most, len(a.steps)) * 3 / 4; most == 0 { // what is too long is no step
			return fmt.Errorf("this cannot be written as a scenario: %w", err)
		}
	}
}

// write writes the scenario.
func (a *account) write(w io.Writer, name string) error {
	var b strings.Builder
	if a.cut != "" {
		fmt.Fprintf(&b, "# This ends before the recording did, at %s: %s.\n", a.end.UTC().Format(time.RFC3339), a.cut)
	}
	fmt.Fprintf(&b, "name: %s\nstory: Recorded on %s; say here what went wrong, and what should have happened.\nsource: a recording\ntags: [recorded]\n",
		name, a.zero.UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "profile: %s\n", a.profile)
	if a.app != "" && a.app != Apps()[0] {
		fmt.Fprintf(&b, "app: %s\n", a.app)
	}
	policy := PolicyOf(a.policy)
	if a.policy.RenewEvery == 0 {
		policy.RenewEvery = nil // as it is when nothing is said
	}
	fmt.Fprintf(&b, "ttl: %s\nusers: [%s]\npolicy: %s\n", shortDuration(a.life), quoted(a.user), policyYAML(policy))
	if a.spread != 0 {
		fmt.Fprintf(&b, "spread: %g\n", a.spread)
	}
	if a.seed != 0 {
		fmt.Fprintf(&b, "seed: %d\n", a.seed)
	}
	if settings := a.emulator.yaml(); settings != "{}" {
		fmt.Fprintf(&b, "emulator: %s\n", settings)
	}
	if others := a.others(); len(others) > 0 {
		fmt.Fprintf(&b, "later: [%s]\n", strings.Join(others, ", "))
	}
	known := (&Scenario{Steps: stepsOf(a.steps)}).faultIDs()
	a.steps = slices.DeleteFunc(a.steps, func(d done) bool { // what was there before the recording, and had no effect any more
		return d.step.Clear != "" && d.step.Clear != allFaults && !slices.Contains(known, d.step.Clear)
	})
	slices.SortStableFunc(a.steps, func(x, y done) int { return x.at.Compare(y.at) })
	if len(a.steps) > 0 {
		b.WriteString("steps:\n")
	}
	for _, d := range a.steps {
		at := "0s"
		if a.rough && d.at.After(a.zero) {
			at = a.instant(d.at, 0)
		} else if !a.rough && !d.at.IsZero() {
			at = a.instant(maxTime(d.at, a.zero.Add(intoLife)), 0)
		}
		fmt.Fprintf(&b, "  - at: %s\n    %s\n", at, d.step.yaml())
	}
	fmt.Fprintf(&b, "until: %s\nexpect:\n", a.instant(a.end, 0))
	a.writeExpected(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// others are the users beside the recorded one whom a fault or a trigger is for. A scenario knows nobody who has no client in it.
func (a *account) others() []string {
	var list []string
	for _, d := range a.steps {
		user := ""
		switch {
		case d.step.Fault != nil:
			user = d.step.Fault.User
		case d.step.Trigger != nil:
			user = d.step.Trigger.User
		}
		if user != "" && user != a.user && !slices.Contains(reservedUsers, user) && !slices.Contains(list, quoted(user)) {
			list = append(list, quoted(user))
		}
	}
	return list
}

func (a *account) writeExpected(b *strings.Builder) {
	if len(a.seen) > 0 {
		b.WriteString("  events:\n")
	}
	shown := min(len(a.seen), maxSightings, maxChecks-len(a.steps)-len(a.counts)-len((&Scenario{}).singleChecks()))
	for _, s := range a.seen[:shown] {
		early, late := a.patience(s.at)
		from := ""
		if s.at.Add(-early).After(a.zero) {
			from = a.instant(s.at, -early)
		}
		fmt.Fprintf(b, "    - {event: %s, in: %s..%s", s.ref, from, a.instant(s.at, late))
		if s.code != 0 {
			fmt.Fprintf(b, ", code: %d", s.code)
		}
		b.WriteString("}\n")
	}
	if more := len(a.seen) - shown; more > 0 {
		fmt.Fprintf(b, "    # and %d more, which are too many for a scenario\n", more)
	}
	if len(a.counts) > 0 {
		b.WriteString("  counts:\n")
	}
	for _, ref := range sortedKeys(a.counts) {
		fmt.Fprintf(b, "    %s: %s\n", ref, a.counts[ref].yaml())
	}
	fmt.Fprintf(b, "  requests: %s\n", a.requests.yaml())
	if a.final != "" {
		fmt.Fprintf(b, "  final: %s\n", a.final)
	}
	if a.delivered {
		b.WriteString("  delivered: once\n")
	}
}

// patience is how far from where it was an event may be next time. While something is broken, clients wait between their attempts, and nobody
// does that twice in the same way.
func (a *account) patience(at time.Time) (early, late time.Duration) {
	if a.brokenBefore(at) {
		return 5 * time.Second, 10 * time.Second
	}
	return time.Second + a.lead, 2 * time.Second
}

// loggedIn notes when the first login began and when it was over. What a fault added to that it adds again.
func (a *account) loggedIn(began, over time.Time) {
	if a.brokenBefore(over) {
		over = began
	}
	a.lead = max(over.Sub(a.zero), 0)
}

// mayCome allows for events that may come once more than they were seen, or not.
func (a *account) mayCome(refs ...string) {
	for _, ref := range refs {
		if n, there := a.counts[ref]; there { // the others are not counted at all
			a.counts[ref] = Range{n.Min, n.Max + 1}
		}
	}
}

// brokenBefore tells whether a fault had been set by then.
func (a *account) brokenBefore(at time.Time) bool {
	return slices.ContainsFunc(a.steps, func(d done) bool { return d.step.Fault != nil && !d.at.After(at) })
}

// nearby is how near to a round part of the life something must have happened to be meant by it.
const nearby = 150 * time.Millisecond

// intoLife is when the first login is over for sure: what was done after it must not come before it.
const intoLife = 50 * time.Millisecond

// instant writes a moment, and something before or behind it, as a part of the life, to the millisecond.
func (a *account) instant(at time.Time, plus time.Duration) string {
	d := at.Sub(a.zero)
	digits := 1e4
	for float64(a.life)/digits > float64(time.Millisecond) {
		digits *= 10
	}
	part := math.Round(float64(d)/float64(a.life)*digits) / digits
	if !a.rough {
		return Span{part, plus}.String()
	}
	if round := math.Round(part*20) / 20; (d - time.Duration(round*float64(a.life))).Abs() < nearby {
		part = round
	}
	return Span{part, plus}.String()
}

func (r Range) yaml() string {
	switch {
	case r.Max < 0:
		return strconv.Itoa(r.Min) + ".."
	case r.Min == r.Max:
		return strconv.Itoa(r.Min)
	default:
		return fmt.Sprintf("%d..%d", r.Min, r.Max)
	}
}

// defaultDevices is how many devices may be online when nobody says otherwise.
const defaultDevices = 4

// yaml writes the settings that differ from the emulator's own.
func (e EmulatorSettings) yaml() string {
	var f keys
	f.add("max_devices", strconv.Itoa(e.MaxDevices), e.MaxDevices != 0 && e.MaxDevices != defaultDevices)
	f.add("over_24h", e.Over24h, e.Over24h != "" && e.Over24h != string(fakeserver.Over24hCap))
	f.add("expired_status", e.ExpiredStatus, e.ExpiredStatus != "" && e.ExpiredStatus != string(fakeserver.ExpiredAsReason))
	f.add("enforce_expiry", e.EnforceExpiry, e.EnforceExpiry != "" && e.EnforceExpiry != string(fakeserver.EnforceNothing))
	f.add("closed_registration", "true", e.ClosedRegistration)
	return f.yaml()
}

// maxQuoted bounds a text in bytes as it is written: the lines of a file have an end.
const maxQuoted = maxLine - 200

// quoted writes a text so that YAML cannot take it for anything else, and no more of it than a line holds.
func quoted(text string) string {
	for {
		b, err := json.Marshal(text)
		if err == nil && len(b) <= maxQuoted {
			return string(b)
		}
		runes := []rune(text)
		text = string(runes[:len(runes)*3/4])
	}
}

// keys are keys with values on one line.
type keys []string

func (f *keys) add(name, value string, there bool) {
	if there {
		*f = append(*f, name+": "+value)
	}
}

func (f keys) yaml() string { return "{" + strings.Join(f, ", ") + "}" }

// yaml is what stands behind the instant of a step.
func (s Step) yaml() string {
	var f keys
	switch {
	case s.Fault != nil:
		return "fault: " + s.Fault.yaml()
	case s.Clear != "":
		return "clear: " + quoted(s.Clear)
	case s.Trigger != nil:
		f.add("event", s.Trigger.Event, true)
		f.add("user", quoted(s.Trigger.User), true)
		f.add("code", strconv.Itoa(s.Trigger.Code), s.Trigger.Code != 0)
		return "trigger: " + f.yaml()
	case s.Jump != nil:
		f.add("client", s.Jump.Client.String(), !s.Jump.Client.IsZero())
		f.add("emulator", s.Jump.Emulator.String(), !s.Jump.Emulator.IsZero())
		return "jump: " + f.yaml()
	case s.Sleep != nil:
		return "sleep: " + Span{s.Sleep.Fraction, s.Sleep.Offset.Round(time.Millisecond)}.String()
	case s.Network != "":
		return "network: " + s.Network
	case s.Send != nil:
		f.add("to", quoted(s.Send.To), true)
		f.add("text", quoted(s.Send.Text), true)
		return "send: " + f.yaml()
	case s.Do != nil:
		return "do: " + s.Do.Action
	default:
		return "policy: " + policyYAML(s.Policy)
	}
}

func policyYAML(p *Policy) string {
	var f keys
	f.add("on_will_expire", p.OnWillExpire, p.OnWillExpire != "")
	f.add("on_expired", p.OnExpired, p.OnExpired != "")
	if p.RenewEvery != nil {
		f.add("renew_every", p.RenewEvery.String(), true)
	}
	return f.yaml()
}

func (f *Fault) yaml() string {
	var all, params keys
	for _, name := range sortedKeys(f.Params) {
		params.add(name, quoted(f.Params[name]), true)
	}
	all.add("id", quoted(f.ID), true)
	all.add("target", f.Target, true)
	all.add("kind", f.Kind, true)
	all.add("params", params.yaml(), len(params) > 0)
	all.add("user", quoted(f.User), f.User != "")
	all.add("count", strconv.Itoa(f.Count), f.Count != 0)
	all.add("probability", strconv.FormatFloat(f.Probability, 'g', -1, 64), f.Probability != 0)
	all.add("seed", strconv.Itoa(f.Seed), f.Seed != 0)
	all.add("on", f.On, f.On != "")
	all.add("after", f.After.String(), !f.After.IsZero())
	return all.yaml()
}

// remaining is what a fault that is there already will still do.
func remaining(f fakeserver.FaultStatus) *Fault {
	rest := FaultOf(f.Fault)
	if rest.Count > 0 {
		rest.Count = f.Left()
	}
	return rest
}

// FaultOf is a fault of the emulator as scenarios write it.
func FaultOf(f fakeserver.Fault) *Fault {
	return &Fault{
		ID: f.ID, Target: string(f.Target), Kind: f.Kind, Params: f.Params, User: f.User, Count: f.Count, Probability: f.Probability,
		Seed: int(f.Seed % math.MaxInt32), On: string(f.On), After: Span{Offset: f.After},
	}
}

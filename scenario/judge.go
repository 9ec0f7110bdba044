package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// CheckState is how a check stands.
type CheckState string

// The states of a check. Waiting is only seen while a run goes on, NotSeen only when a foreign client is watched.
const (
	Waiting CheckState = "waiting"
	Passed  CheckState = "passed"
	Failed  CheckState = "failed"
	NotSeen CheckState = "not_seen"
)

// Check is one expectation, with what was seen of it.
type Check struct {
	Name           string
	State          CheckState
	Expected, Seen string
	// At is the moment that the check is about, where there is one.
	At    time.Duration
	HasAt bool
}

// sent is a message that a step sent, from one lane to another.
type sent struct{ from, to, text string }

// ofUsers is the message as the service knows it.
func (m sent) ofUsers() sent { return sent{userOf(m.from), userOf(m.to), m.text} }

// evidence is what the checks are judged by.
type evidence struct {
	ttl     time.Duration
	moments []Moment // in order
	index   index
	now     time.Duration
	// over tells that nothing more will come.
	over bool
	// final is the first user's session in the end; finalWhy, why it was given up.
	final, finalReason string
	finalWhy           session.Reason
	sent               []sent
	// undone says of a step by its index why it was not done.
	undone map[int]string
	// foreign tells that the client is not ours: only what the emulator sees is known of it.
	foreign bool
}

// checkNames lists the checks that a scenario has.
func (s *Scenario) checkNames() []string {
	var list []string
	for i, e := range s.Expect.Events {
		list = append(list, eventCheck(i, e))
	}
	for _, e := range s.Expect.Never {
		list = append(list, neverCheck(e))
	}
	for _, name := range sortedKeys(s.Expect.Counts) {
		list = append(list, "count "+name)
	}
	for name, there := range s.singleChecks() {
		if there {
			list = append(list, name)
		}
	}
	for i, step := range s.Steps {
		list = append(list, stepCheck(i, step))
	}
	return list
}

func (s *Scenario) singleChecks() map[string]bool {
	return map[string]bool{
		"requests": s.Expect.Requests != nil, "per_second": s.Expect.PerSecond > 0, "final": s.Expect.Final != "", "why": s.Expect.Why != "",
		"delivered": s.Expect.Delivered != "",
	}
}

func eventCheck(i int, e Event) string { return fmt.Sprintf("event %d %s", i+1, e.Event) }
func neverCheck(e Event) string {
	name := "never " + e.Event
	if !e.In.IsZero() {
		name += " in " + e.In.String()
	}
	return name
}
func stepCheck(i int, step Step) string { return fmt.Sprintf("step %d %s", i+1, step.At) }

// judge decides all checks by what is known. Their words are safe to print.
func (s *Scenario) judge(e evidence) []Check {
	checks := s.judgeEvents(e)
	checks = append(checks, s.judgeNever(e)...)
	checks = append(checks, s.judgeCounts(e)...)
	checks = append(checks, s.judgeRequests(e)...)
	checks = append(checks, s.judgeFinal(e)...)
	if s.Expect.Delivered != "" {
		checks = append(checks, s.judgeDelivered(e))
	}
	checks = append(checks, s.judgeSteps(e)...)
	for i := range checks { // whatever the words come from, this is where they leave
		c := &checks[i]
		c.Name, c.Expected, c.Seen = printable.Line(c.Name, 0), printable.Line(c.Expected, 0), printable.Line(c.Seen, 0)
	}
	return checks
}

// resolve is an instant as it fell in this run; false means that its event has not happened.
func (s *Scenario) resolve(e evidence, i Instant) (time.Duration, bool) {
	plus := i.Plus.Of(e.ttl)
	if i.Event == "" {
		return plus, true
	}
	lane, name := s.reference(i.Event)
	if times := e.index[place{lane, name}]; len(times) >= i.Nth {
		return times[i.Nth-1] + plus, true
	}
	return 0, false
}

// within reports whether a moment lies in a window; waiting tells that the window's own event has not happened.
func (s *Scenario) within(e evidence, w Window, at time.Duration) (in, known bool) {
	in, known = true, true
	for _, end := range []struct {
		instant *Instant
		sign    time.Duration
	}{{w.From, 1}, {w.To, -1}} {
		if end.instant == nil {
			continue
		}
		edge, ok := s.resolve(e, *end.instant)
		known = known && ok
		in = in && ok && (at-edge)*end.sign >= 0
	}
	return in, known
}

func (s *Scenario) isIn(e evidence, w Window, at time.Duration) bool {
	in, _ := s.within(e, w, at)
	return in
}

// fits reports whether a moment is what an event describes, its place in time aside.
func (e evidence) fits(want Event, lane, name string, m Moment) bool {
	switch {
	case m.Lane != lane || m.Event != name:
		return false
	case e.foreign && lane != LaneEmulator && lane != LaneTokenServer: // nobody knows what the client made of it
		return want.Code == 0 || m.Code == 0 || m.Code == want.Code || nativeCodes[m.Code] == want.Code
	}
	return (want.Code == 0 || m.Code == want.Code) && (want.Callback == "" || m.Callback == want.Callback) &&
		(want.Why == "" || m.Why == want.Why) && strings.Contains(m.Reason, want.Reason)
}

func (s *Scenario) leftFits(e evidence, w Window, m Moment) bool {
	if w.IsZero() || e.foreign && !m.HasLife {
		return true
	}
	return m.HasLife && s.isIn(e, w, m.Left)
}

func (s *Scenario) judgeEvents(e evidence) []Check {
	var checks []Check
	next := map[string]int{} // by lane, the first moment that may still match
	for i, want := range s.Expect.Events {
		lane, name := s.reference(want.Event)
		c := Check{Name: eventCheck(i, want), Expected: s.describe(e, want), State: Waiting}
		if e.foreign && !s.visible(lane, name) {
			checks = append(checks, c.notSeen())
			continue
		}
		for n := next[lane]; n < len(e.moments); n++ {
			m := e.moments[n]
			if e.fits(want, lane, name, m) && s.isIn(e, want.In, m.At) && s.leftFits(e, want.Left, m) {
				next[lane] = n + 1
				c.State, c.Seen = Passed, "at "+s.instantText(e, m.At)
				c.At, c.HasAt = m.At, true
				break
			}
		}
		if c.State == Waiting && e.over {
			c.State = Failed
			c.Seen, c.At, c.HasAt = s.instead(e, want, next[lane])
		}
		checks = append(checks, s.excusedEvent(e, c, want))
	}
	return checks
}

// instead says what there was in place of an event that is missing.
func (s *Scenario) instead(e evidence, want Event, from int) (seen string, at time.Duration, hasAt bool) {
	lane, name := s.reference(want.Event)
	var found []string
	for n, m := range e.moments {
		if m.Lane != lane || m.Event != name {
			continue
		}
		text := "at " + s.instantText(e, m.At)
		if n < from {
			text += " (before the event expected ahead of it)"
		}
		if m.Text != "" {
			text += ": " + m.Text
		}
		found = append(found, text)
		if n >= from {
			at, hasAt = m.At, true
		}
	}
	if !hasAt {
		at, hasAt = s.windowStart(e, want.In)
	}
	if len(found) == 0 {
		seen = "it never happened"
	} else {
		seen = strings.Join(found[:min(len(found), 4)], "; ")
		if more := len(found) - 4; more > 0 {
			seen += fmt.Sprintf("; and %d times more", more)
		}
	}
	if _, known := s.within(e, want.In, 0); !known {
		seen += "; nor did the event that its time counts from"
	}
	return seen, at, hasAt
}

func (s *Scenario) windowStart(e evidence, w Window) (time.Duration, bool) {
	for _, end := range []*Instant{w.From, w.To} {
		if end != nil {
			return s.resolve(e, *end)
		}
	}
	return 0, false
}

func (s *Scenario) judgeNever(e evidence) []Check {
	var checks []Check
	for _, want := range s.Expect.Never {
		lane, name := s.reference(want.Event)
		c := Check{Name: neverCheck(want), Expected: "never " + s.describe(e, want), State: Waiting}
		if e.foreign && !s.visible(lane, name) {
			checks = append(checks, c.notSeen())
			continue
		}
		times := 0
		for _, m := range e.moments {
			if !e.fits(want, lane, name, m) || !s.isIn(e, want.In, m.At) || !s.leftFits(e, want.Left, m) {
				continue
			}
			if times++; times == 1 {
				c.State, c.At, c.HasAt = Failed, m.At, true
				c.Seen = "at " + s.instantText(e, m.At)
				if m.Text != "" {
					c.Seen += ": " + m.Text
				}
			}
		}
		switch {
		case times > 1:
			c.Seen += fmt.Sprintf("; %d times in all", times)
		case times == 0 && e.over:
			c.State, c.Seen = Passed, "it never happened"
		}
		checks = append(checks, s.excusedNever(e, c, want))
	}
	return checks
}

func (s *Scenario) judgeCounts(e evidence) []Check {
	var checks []Check
	for _, ref := range sortedKeys(s.Expect.Counts) {
		lane, name := s.reference(ref)
		c := Check{Name: "count " + ref, Expected: s.Expect.Counts[ref].of("time", "times") + " " + ref, State: Waiting}
		if e.foreign && !s.visible(lane, name) {
			checks = append(checks, c.notSeen())
			continue
		}
		var last time.Duration
		n := 0
		for _, m := range e.moments {
			if m.Lane == lane && m.Event == name {
				n++
				last = m.At
			}
		}
		c = c.counted(e, s.Expect.Counts[ref], n, fmt.Sprintf("%d", n), last)
		checks = append(checks, s.excusedCount(e, c, s.Expect.Counts[ref], lane, name, e.index[place{lane, name}]))
	}
	return checks
}

// counted decides a check of a number.
func (c Check) counted(e evidence, want Range, n int, seen string, last time.Duration) Check {
	c.Seen = seen
	if n > 0 {
		c.At, c.HasAt = last, true
	}
	switch {
	case want.Max >= 0 && n > want.Max, e.over && !want.Holds(n):
		c.State = Failed
	case e.over:
		c.State = Passed
	}
	return c
}

func (s *Scenario) judgeRequests(e evidence) []Check {
	var checks []Check
	var at []time.Duration
	for _, m := range e.moments {
		if m.Lane == LaneTokenServer && m.Event == request {
			at = append(at, m.At)
		}
	}
	last := time.Duration(0)
	if len(at) > 0 {
		last = at[len(at)-1]
	}
	if want := s.Expect.Requests; want != nil {
		c := Check{Name: "requests", Expected: want.of("request", "requests") + " at the token server", State: Waiting}
		c = c.counted(e, *want, len(at), fmt.Sprintf("%d", len(at)), last)
		checks = append(checks, s.excusedCount(e, c, *want, LaneTokenServer, request, at))
	}
	if most := s.Expect.PerSecond; most > 0 {
		worst, when := busiest(at[s.firstLogins(e, at):])
		c := Check{Name: "per_second", Expected: Range{0, most}.of("request", "requests") + " a second at the token server after the logins", State: Waiting}
		c = c.counted(e, Range{0, most}, worst, fmt.Sprintf("%d in the second from %s on", worst, s.instantText(e, when)), when)
		checks = append(checks, s.excused(e, c, LaneTokenServer, request, when, false))
	}
	return checks
}

// firstLogins is how many of the requests, which are in order, are those of the logins at the start: one for each who logs in then. They are the
// scenario's own doing. A login that only comes through later is not, nor is a second request for it.
func (s *Scenario) firstLogins(e evidence, requests []time.Duration) int {
	most := len(s.Users) + s.Herd
	if e.foreign {
		most = 1
	}
	n := 0
	for n < min(most, len(requests)) && requests[n] < time.Second {
		n++
	}
	return n
}

// busiest is the largest number of instants, which are in order, that lie within one second, and when that begins.
func busiest(at []time.Duration) (most int, from time.Duration) {
	first := 0
	for i := range at {
		for at[first] <= at[i]-time.Second {
			first++
		}
		if n := i - first + 1; n > most {
			most, from = n, at[first]
		}
	}
	return most, from
}

func (s *Scenario) judgeFinal(e evidence) []Check {
	var checks []Check
	add := func(name, expected, seen string, good bool) {
		c := Check{Name: name, Expected: expected, State: Waiting}
		if e.over {
			c.Seen, c.State = seen, Failed
			c.At, c.HasAt = e.now, true
			if good {
				c.State = Passed
			}
		}
		checks = append(checks, c)
	}
	if want := s.Expect.Final; want != "" {
		seen := e.final
		if e.finalReason != "" {
			seen += ": " + e.finalReason
		}
		if e.foreign {
			checks = append(checks, s.foreignFinal(e))
		} else {
			add("final", s.MainUser()+"'s session is "+want+" in the end", seen, e.final == want)
		}
	}
	if want := s.Expect.Why; want != "" {
		if e.foreign {
			checks = append(checks, Check{Name: "why", Expected: want}.notSeen())
		} else {
			add("why", "given up for the reason "+want, orNone(string(e.finalWhy)), string(e.finalWhy) == want)
		}
	}
	return checks
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func (s *Scenario) judgeDelivered(e evidence) Check {
	c := Check{Name: "delivered", Expected: "each message arrives exactly once", State: Waiting}
	if e.foreign {
		return c.notSeen()
	}
	arrived := map[sent]int{} // by the lane of the receiver
	stored := map[sent]int{}  // by users alone: the journal does not know the texts
	for _, at := range e.moments {
		switch {
		case at.Event == string(session.MessageReceived):
			arrived[sent{at.from, at.Lane, at.message}]++
		case at.Lane == LaneEmulator && at.Event == "message.stored" && at.Reason != receipt:
			stored[sent{from: at.from, to: at.to}]++
		}
	}
	// The service knows users and no devices, so what is written to one device comes to the other ones as well.
	asked, askedAny := map[sent]int{}, map[sent]int{}
	for _, m := range e.sent {
		asked[m.ofUsers()]++
		askedAny[sent{from: userOf(m.from), to: userOf(m.to)}]++
	}
	var wrong []string
	compare := func(m sent, to string, got, want int) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%q to %s arrived %d times instead of %d", m.text, to, got, want))
		}
	}
	for _, m := range e.sent {
		lanes := s.receivers(m)
		for _, lane := range lanes {
			compare(m, lane, arrived[sent{userOf(m.from), lane, m.text}], asked[m.ofUsers()])
		}
		if len(lanes) == 0 { // nobody of ours receives it
			pair := sent{from: userOf(m.from), to: userOf(m.to)}
			compare(m, m.to, stored[pair], askedAny[pair])
		}
	}
	slices.Sort(wrong)
	wrong = slices.Compact(wrong) // what was sent twice is told once
	switch {
	case len(wrong) > 0 && e.over:
		c.State, c.Seen = Failed, strings.Join(wrong[:min(len(wrong), 5)], "; ")
	case e.over:
		c.State, c.Seen = Passed, fmt.Sprintf("%d sent, %d arrived", len(e.sent), len(e.sent))
	}
	return c
}

// receivers are the lanes in which a message must arrive: the one that it names, else those of all devices of the user. There are none for
// somebody who has no client of ours.
func (s *Scenario) receivers(m sent) []string {
	var devices []string
	for _, lane := range s.lanes() {
		if lane == m.to {
			return []string{lane}
		}
		if lane != m.from && userOf(lane) == userOf(m.to) {
			devices = append(devices, lane)
		}
	}
	return devices
}

// judgeSteps fails for a step that never came: what follows from it was not tried.
func (s *Scenario) judgeSteps(e evidence) []Check {
	var checks []Check
	for i, step := range s.Steps {
		c := Check{Name: stepCheck(i, step), Expected: "the step happens: " + step.describe()}
		switch why, undone := e.undone[i]; {
		case undone && e.over:
			c.State, c.Seen = Failed, why
			if e.foreign {
				c.State = NotSeen
			}
			checks = append(checks, c)
		default: // nobody wants to read that what was written down was done
		}
	}
	return checks
}

func (c Check) notSeen() Check {
	c.State, c.Seen = NotSeen, "the emulator cannot see this of a foreign client"
	return c
}

// describe says an expected event in one line.
func (s *Scenario) describe(e evidence, want Event) string {
	text := want.Event
	if !want.In.IsZero() {
		text += " in " + want.In.String() + s.windowText(e, want.In)
	}
	if !want.Left.IsZero() {
		text += ", with " + want.Left.String() + " of the life left"
	}
	if want.Code != 0 {
		text += fmt.Sprintf(", code %d", want.Code)
	}
	if want.Callback != "" {
		text += ", callback " + want.Callback
	}
	if want.Why != "" {
		text += ", given up for " + want.Why
	}
	if want.Reason != "" {
		text += fmt.Sprintf(", reason %q", want.Reason)
	}
	return text
}

// windowText is a window in seconds, for a reader who does not want to calculate.
func (s *Scenario) windowText(e evidence, w Window) string {
	from, to := "", ""
	for _, end := range []struct {
		instant *Instant
		text    *string
	}{{w.From, &from}, {w.To, &to}} {
		if end.instant == nil {
			continue
		}
		at, ok := s.resolve(e, *end.instant)
		if !ok {
			return ""
		}
		*end.text = clockText(at)
	}
	switch {
	case from == "":
		return " (until " + to + ")"
	case to == "":
		return " (from " + from + ")"
	default:
		return " (" + from + " to " + to + ")"
	}
}

// instantText is a moment in seconds and as a fraction of the life.
func (s *Scenario) instantText(e evidence, at time.Duration) string {
	return fmt.Sprintf("%s (%.3gT)", clockText(at), float64(at)/float64(e.ttl))
}

// clockText rounds a moment for a person.
func clockText(at time.Duration) string { return shortDuration(at.Round(time.Millisecond)) }

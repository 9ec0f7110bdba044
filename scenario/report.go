package scenario

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Verdict is what came of a run.
type Verdict string

// The verdicts. Broken means that the run itself went wrong, so that nothing is known.
const (
	VerdictPassed Verdict = "passed"
	VerdictFailed Verdict = "failed"
	VerdictBroken Verdict = "broken"
)

// Report is a run with what came of it. Its texts are safe to print, whatever a scenario says.
type Report struct {
	Scenario, Story, Source, File string
	Profile, App                  string
	TTL                           time.Duration
	// Seed makes the same luck again, see [Options]; 0 for a client that is not ours.
	Seed    uint64
	Verdict Verdict
	// Problem says what went wrong in a broken run.
	Problem string
	Checks  []Check
	// Timeline is everything that happened, in order; Lives are the tokens that were accepted.
	Timeline []Moment
	Lives    []Life
	// Took is the time of the machine, Lasted the time of the scenario.
	Took, Lasted time.Duration
}

func newReport(s *Scenario, o Options) *Report {
	return &Report{
		Scenario: s.Name, Story: printable.Block(strings.TrimSpace(s.Story), 0), Source: printable.Line(s.Source, 0), File: printable.Line(s.File, 0), Profile: o.Profile, App: o.App, TTL: o.TTL, Seed: o.Seed,
	}
}

// broken notes that the run went wrong.
func (r *Report) broken(err error, started time.Time) *Report {
	r.Verdict, r.Problem, r.Took = VerdictBroken, printable.Line(err.Error(), 500), time.Since(started)
	return r
}

func (r *Report) fill(s *Scenario, e evidence, started time.Time) {
	r.Checks, r.Timeline, r.Lives = s.judge(e), e.moments, s.lives(e.moments, e.now)
	r.Took, r.Lasted = time.Since(started), e.now
	r.Verdict = VerdictPassed
	if slices.ContainsFunc(r.Checks, func(c Check) bool { return c.State == Failed }) {
		r.Verdict = VerdictFailed
	}
}

// Failed lists the checks that failed.
func (r *Report) Failed() []Check {
	var list []Check
	for _, c := range r.Checks {
		if c.State == Failed {
			list = append(list, c)
		}
	}
	return list
}

// NotSeen counts the checks that could not be decided.
func (r *Report) NotSeen() int {
	n := 0
	for _, c := range r.Checks {
		if c.State == NotSeen {
			n++
		}
	}
	return n
}

// around is how many lines of the timeline are shown before and after what failed.
const around = 6

// Text is the report for a person: a line when all went well, else what was expected, what happened instead, and the timeline around it.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-6s %-34s %6.1fs", map[Verdict]string{VerdictPassed: "ok", VerdictFailed: "FAILED", VerdictBroken: "BROKEN"}[r.Verdict],
		r.Scenario, r.Took.Seconds())
	switch {
	case r.Verdict == VerdictPassed && r.NotSeen() > 0:
		fmt.Fprintf(&b, "  %d checks, %d of them not seen", len(r.Checks), r.NotSeen())
	case r.Verdict == VerdictPassed:
		fmt.Fprintf(&b, "  %d checks", len(r.Checks))
	}
	b.WriteString("\n")
	if r.Verdict == VerdictPassed {
		for _, c := range r.Checks {
			if c.State == NotSeen {
				fmt.Fprintf(&b, "  not seen  %s\n", c.Name)
			}
		}
		return b.String()
	}
	fmt.Fprintf(&b, "  story     %s\n", printable.Line(r.Story, 1000))
	fmt.Fprintf(&b, "  run with  profile %s, app %s, tokens of %s%s\n", r.Profile, r.App, shortDuration(r.TTL), r.luck())
	if r.Problem != "" {
		fmt.Fprintf(&b, "  problem   %s\n", r.Problem)
	}
	marked := map[int]bool{}
	for _, c := range r.Failed() {
		fmt.Fprintf(&b, "\n  ✗ %s\n    expected  %s\n    happened  %s\n", c.Name, c.Expected, c.Seen)
		for _, i := range r.about(c) {
			marked[i] = true
		}
	}
	if len(r.Timeline) > 0 {
		b.WriteString("\n")
		r.excerpt(&b, marked)
	}
	return b.String()
}

// luck tells how to have the same luck again.
func (r *Report) luck() string {
	if r.Seed == 0 {
		return ""
	}
	return fmt.Sprintf(", seed %d", r.Seed)
}

// about lists the lines of the timeline that a check is about: those of its moment, or the last one before it.
func (r *Report) about(c Check) []int {
	var list []int
	if !c.HasAt {
		return nil
	}
	before := -1
	for i, m := range r.Timeline {
		switch {
		case m.At == c.At:
			list = append(list, i)
		case m.At < c.At:
			before = i
		}
	}
	if list == nil && before >= 0 {
		list = []int{before}
	}
	return list
}

// excerpt writes the timeline around what is marked, or its end when nothing is.
func (r *Report) excerpt(b *strings.Builder, marked map[int]bool) {
	shown := make([]bool, len(r.Timeline))
	if len(marked) == 0 {
		marked = map[int]bool{len(r.Timeline) - 1: true}
	}
	for i := range marked {
		for n := max(0, i-around); n <= min(len(shown)-1, i+around); n++ {
			shown[n] = true
		}
	}
	skipped := 0
	for i, m := range r.Timeline {
		if !shown[i] {
			skipped++
			continue
		}
		if skipped > 0 {
			fmt.Fprintf(b, "    %10s  … %d more\n", "", skipped)
			skipped = 0
		}
		mark := " "
		if marked[i] {
			mark = ">"
		}
		fmt.Fprintf(b, "  %s %s\n", mark, m.line())
	}
	if skipped > 0 {
		fmt.Fprintf(b, "    %10s  … %d more\n", "", skipped)
	}
}

// line is a moment as a line of a timeline.
func (m Moment) line() string {
	event := m.Event
	if m.Lane == LaneScript {
		event = ""
	}
	return strings.TrimRight(printable.Line(fmt.Sprintf("%10s  %-12s %-18s %s", seconds(m.At), m.Lane, event, m.Text), 200), " ")
}

// seconds is a moment as a number of seconds for short runs, and as a duration for long ones.
func seconds(d time.Duration) string {
	if d.Abs() < time.Hour {
		return fmt.Sprintf("%.3fs", d.Seconds())
	}
	return shortDuration(d.Round(time.Millisecond))
}

// The JSON of a report. The names are a contract.
type (
	reportJSON struct {
		Scenario string       `json:"scenario"`
		Verdict  Verdict      `json:"verdict"`
		Problem  string       `json:"problem,omitempty"`
		Story    string       `json:"story"`
		Source   string       `json:"source,omitempty"`
		File     string       `json:"file,omitempty"`
		Profile  string       `json:"profile"`
		App      string       `json:"app"`
		TTL      int64        `json:"ttl_ms"`
		Seed     uint64       `json:"seed,omitempty"`
		Took     int64        `json:"took_ms"`
		Lasted   int64        `json:"lasted_ms"`
		Checks   []checkJSON  `json:"checks"`
		Lives    []lifeJSON   `json:"lives"`
		Timeline []momentJSON `json:"timeline"`
	}
	checkJSON struct {
		Name     string     `json:"check"`
		State    CheckState `json:"state"`
		Expected string     `json:"expected"`
		Seen     string     `json:"seen"`
		At       *int64     `json:"at_ms,omitempty"`
	}
	lifeJSON struct {
		User       string `json:"user"`
		From       int64  `json:"from_ms"`
		WillExpire int64  `json:"will_expire_ms"`
		Expires    int64  `json:"expires_ms"`
		Until      int64  `json:"until_ms"`
		Renewal    bool   `json:"renewal"`
		Token      string `json:"token,omitempty"`
	}
	momentJSON struct {
		At       int64  `json:"at_ms"`
		Lane     string `json:"lane"`
		Event    string `json:"event"`
		Text     string `json:"text,omitempty"`
		Code     int    `json:"code,omitempty"`
		Callback string `json:"callback,omitempty"`
		Why      string `json:"why,omitempty"`
	}
)

// MarshalJSON implements json.Marshaler.
func (r *Report) MarshalJSON() ([]byte, error) {
	w := reportJSON{
		Scenario: r.Scenario, Verdict: r.Verdict, Problem: r.Problem, Story: r.Story, Source: r.Source, File: r.File, Profile: r.Profile, App: r.App,
		TTL: r.TTL.Milliseconds(), Seed: r.Seed, Took: r.Took.Milliseconds(), Lasted: r.Lasted.Milliseconds(),
		Checks: []checkJSON{}, Lives: []lifeJSON{}, Timeline: []momentJSON{},
	}
	for _, c := range r.Checks {
		j := checkJSON{Name: c.Name, State: c.State, Expected: c.Expected, Seen: c.Seen}
		if c.HasAt {
			j.At = new(c.At.Milliseconds())
		}
		w.Checks = append(w.Checks, j)
	}
	for _, l := range r.Lives {
		w.Lives = append(w.Lives, lifeJSON{
			User: l.Lane, From: l.From.Milliseconds(), WillExpire: l.WillExpire.Milliseconds(), Expires: l.Expires.Milliseconds(),
			Until: l.Until.Milliseconds(), Renewal: l.Renewal, Token: l.Token,
		})
	}
	for _, m := range r.Timeline {
		w.Timeline = append(w.Timeline, momentJSON{
			At: m.At.Milliseconds(), Lane: m.Lane, Event: m.Event, Text: m.Text, Code: m.Code, Callback: m.Callback, Why: m.Why,
		})
	}
	return json.Marshal(w)
}

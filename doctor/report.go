package doctor

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Verdict is the outcome of a check.
type Verdict string

// The verdicts. Only Fail makes a report fail.
const (
	Pass Verdict = "pass"
	Warn Verdict = "warn" // it works, and somebody will be hurt one day
	Fail Verdict = "fail"
	Skip Verdict = "skip" // it was not looked at; Seen says why
)

// Result is what a check found out. The texts are for a person and safe on a terminal.
type Result struct {
	ID      string  `json:"id"`    // stable, such as second-user
	Title   string  `json:"title"` // what should be
	Verdict Verdict `json:"verdict"`
	Seen    string  `json:"seen"`
	Means   string  `json:"means,omitempty"` // for the app's users, with Warn and Fail
	Mend    string  `json:"mend,omitempty"`  // how, with Warn and Fail
	MS      int64   `json:"duration_ms"`
}

// Report is the outcome of all checks. Its JSON form is stable. It holds no whole token and no certificate.
type Report struct {
	Server    string    `json:"server"` // method and address of the requests
	Shape     string    `json:"shape"`
	User      string    `json:"user"`
	StartedAt time.Time `json:"started_at"`
	MS        int64     `json:"duration_ms"`
	OK        bool      `json:"ok"` // no check failed
	Passed    int       `json:"passed"`
	Warnings  int       `json:"warnings"`
	Failed    int       `json:"failed"`
	Skipped   int       `json:"skipped"`
	Checks    []Result  `json:"checks"`
}

func newReport(p *patient, start time.Time, results []Result) Report {
	r := Report{
		Server: p.first.Method + " " + p.first.URL, Shape: clean(p.cfg.Shape.Name), User: clean(p.cfg.User),
		StartedAt: start.UTC().Truncate(time.Millisecond), MS: time.Since(start).Milliseconds(), Checks: results,
	}
	for _, c := range results {
		switch c.Verdict {
		case Pass:
			r.Passed++
		case Warn:
			r.Warnings++
		case Fail:
			r.Failed++
		case Skip:
			r.Skipped++
		}
	}
	r.OK = r.Failed == 0
	return r
}

// finding is a Result before it has a name.
type finding struct {
	verdict           Verdict
	seen, means, mend string
}

func pass(format string, args ...any) finding {
	return finding{verdict: Pass, seen: fmt.Sprintf(format, args...)}
}

func skip(reason string) finding { return finding{verdict: Skip, seen: reason} }

func warn(seen, means, mend string) finding { return finding{Warn, seen, means, mend} }

func fail(seen, means, mend string) finding { return finding{Fail, seen, means, mend} }

// clean makes a text safe and short, and hides what looks like a secret in it. Most parts have been through this before; here nothing that
// a server says can slip through.
func clean(text string) string { return printable.Discreet(text, 600) }

// sentence makes one of an advice as errors and findings give it.
func sentence(advice string) string {
	r, size := utf8.DecodeRuneInString(advice)
	if size == 0 {
		return "Look into the server's log."
	}
	return string(unicode.ToUpper(r)) + advice[size:] + "."
}

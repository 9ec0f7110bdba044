package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hostile is what somebody could write into a scenario or a server's answer.
const hostile = `<script>alert(1)</script> & "quoted" ]]>`

func someReports(t *testing.T) []*Report {
	t.Helper()
	s := parsed1(t, `
name: hostile
story: "<script>alert(1)</script> & \"quoted\" ]]>\e]0;pwned\a\x9b2J"
source: "<b>source</b>\e[2J\x9b2J"
users: [alice, bob]
steps:
  - at: 0.1T
    send: {to: bob, text: "<img src=x onerror=alert(1)>\e[31m"}
until: 1.3T
expect:
  events: [renew.succeeded]
  never: [renew.started]
  final: online
`)
	failed := inBubble(t, s, Options{TTL: 10 * time.Second})
	good, err := Find("s10-zero-second-token")
	if err != nil {
		t.Fatal(err)
	}
	broken := newReport(s, Options{TTL: time.Second}).broken(errors.New(hostile), time.Now())
	return []*Report{failed, inBubble(t, good, Options{}), broken}
}

// No report holds a whole token, or text that could act on a terminal or in a page.
func TestReportsAreSafe(t *testing.T) {
	t.Parallel()
	acts := parsed1(t, "name: acts\nstory: s.\nsteps: [{at: token.expired, network: cut}]\nuntil: 0.5T\nexpect:\n  events: [token.expired]\n")
	acts.Expect.Events[0].Callback, acts.Expect.Events[0].Reason = "\x1b]0;pwned\a\x1b[2J", "\x1b[2J\u009b2J"
	acts.Steps[0].Network, acts.Steps[0].Clear = "", "\x1b[2J\u009b2J"
	reports := append(someReports(t), inBubble(t, acts, Options{TTL: 10 * time.Second}))
	var page, junit, asJSON bytes.Buffer
	if err := WriteHTML(&page, reports, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := WriteJUnit(&junit, reports, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&asJSON).Encode(reports); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, r := range reports {
		text += r.Text()
	}
	token := regexp.MustCompile(`007eJ[A-Za-z0-9+/]{8}|YWMt[A-Za-z0-9_-]{8}`)
	for name, out := range map[string]string{"page": page.String(), "junit": junit.String(), "json": asJSON.String(), "text": text} {
		if found := token.FindString(out); found != "" {
			t.Errorf("the %s holds %s", name, found)
		}
		if strings.ContainsAny(out, "\x1b\a\u009b") || strings.Contains(out, `\u001b`) || strings.Contains(out, "pwned") {
			t.Errorf("the %s holds an escape sequence", name)
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "<img") || strings.Contains(page.String(), "<b>source") {
		t.Error("the page lets markup through")
	}
	if regexp.MustCompile(`(?:src|href)="?http|url\(`).MatchString(page.String()) {
		t.Error("the page asks for something from elsewhere")
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteJUnit(&out, someReports(t), 1500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suite    struct {
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Error *struct {
					Message string `xml:"message,attr"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	cases := read.Suite.Cases
	if read.Tests != 3 || read.Failures != 1 || read.Errors != 1 || len(cases) != 3 {
		t.Fatalf("read %+v", read)
	}
	if f := cases[0].Failure; f == nil || f.Message != "never renew.started" || !strings.Contains(f.Text, "happened  at 8s (0.8T)") {
		t.Errorf("the failure is %+v", f)
	}
	if cases[1].Failure != nil || cases[1].Error != nil || cases[2].Error == nil || cases[2].Error.Message != hostile {
		t.Errorf("cases %+v", cases)
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteHTML(&out, someReports(t), time.Second); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{
		`<span class="count good">1 passed</span>, <span class="count bad">2 failed</span>`, "prefers-color-scheme: dark",
		`>token-server</text>`, `>alice</text>`, `>bob</text>`, `>emulator</text>`, `>alice: login</text>`, `>alice: renewed</text>`,
		`<rect class="rest"`, `<line class="fail"`, `1T = 10s`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if n := strings.Count(page, "<svg "); n != 3 {
		t.Errorf("%d drawings, want 3", n)
	}
	if err := WriteHTML(failing{}, someReports(t), 0); err == nil {
		t.Error("an error of the file is lost")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestBatch(t *testing.T) {
	t.Parallel()
	var list []*Scenario
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		list = append(list, &Scenario{Name: name, TTL: time.Second, Until: Span{Offset: time.Duration(len(list)) * time.Second}})
	}
	var running, most atomic.Int32
	var first atomic.Pointer[string]
	told := 0
	reports := Batch(t.Context(), list, 2, func(_ context.Context, s *Scenario) *Report {
		first.CompareAndSwap(nil, &s.Name)
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		return &Report{Scenario: s.Name}
	}, func(*Report) { told++ })
	for i, r := range reports {
		if r.Scenario != list[i].Name {
			t.Errorf("report %d is of %s", i, r.Scenario)
		}
	}
	if told != 5 || most.Load() > 2 {
		t.Errorf("told of %d, %d at once", told, most.Load())
	}
	if name := *first.Load(); name != "e" && name != "d" {
		t.Errorf("%s began, want one of the longest", name)
	}
}

// An interrupted batch reports what had ended, and begins nothing more.
func TestBatchIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	list := []*Scenario{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	ran, told := 0, 0
	reports := Batch(ctx, list, 1, func(_ context.Context, s *Scenario) *Report {
		if ran++; s.Name == "b" {
			cancel()
		}
		return &Report{Scenario: s.Name}
	}, func(*Report) { told++ })
	if len(reports) != 1 || reports[0].Scenario != "a" || told != 1 || ran != 2 {
		t.Errorf("%d reports, told of %d, %d ran", len(reports), told, ran)
	}
}

// The documentation names the limits that there are.
func TestDocumentedLimits(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(string(doc)), " ")
	for _, want := range []string{
		fmt.Sprintf("%d KiB", maxFile>>10), fmt.Sprintf("a line of more than %d bytes", maxLine), fmt.Sprintf("%d steps", maxSteps),
		fmt.Sprintf("%d checks", maxChecks), fmt.Sprintf("%dT", maxFraction), fmt.Sprintf("most %d users", maxHerd),
	} {
		if !strings.Contains(words, want) {
			t.Errorf("docs/scenarios.md does not say %s", want)
		}
	}
}

// What the documentation shows works.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	s := parsed1(t, example)
	for _, ttl := range []time.Duration{s.TTL, 24 * time.Hour} {
		if r := inBubble(t, s, Options{TTL: ttl}); r.Verdict != VerdictPassed {
			t.Error(r.Text())
		}
	}
	broken := strings.Replace(example, "  - at:", "  - att:", 1)
	_, err = Parse("blip.yaml", []byte(broken))
	if err == nil {
		t.Fatal("att is taken")
	}
	if told, _, _ := strings.Cut(err.Error(), "\n"); !strings.Contains(string(doc), "\n    "+told+"\n") {
		t.Errorf("the documentation does not show %s", told)
	}
}

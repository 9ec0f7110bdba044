package scenario

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     string     `xml:"time,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Error   *junitFailure `xml:"error,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the reports as JUnit XML, as CI systems read it: one test case for each scenario.
func WriteJUnit(w io.Writer, reports []*Report, took time.Duration) error {
	suite := junitSuite{Name: "ttlchat scenarios", Tests: len(reports), Time: xmlSeconds(took)}
	for _, r := range reports {
		c := junitCase{Class: "ttlchat.scenario." + r.App, Name: r.Scenario, Time: xmlSeconds(r.Took)}
		switch r.Verdict {
		case VerdictFailed:
			suite.Failures++
			var names []string
			for _, check := range r.Failed() {
				names = append(names, check.Name)
			}
			c.Failure = &junitFailure{Message: strings.Join(names, "; "), Text: r.Text()}
		case VerdictBroken:
			suite.Errors++
			c.Error = &junitFailure{Message: r.Problem, Text: r.Text()}
		case VerdictPassed:
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	err := e.Encode(junitSuites{
		Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: suite.Time, Suite: suite,
	})
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	return err
}

func xmlSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

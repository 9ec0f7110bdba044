package doctor

import (
	"encoding/xml"
	"io"
	"strings"
)

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Seconds   float64     `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string    `xml:"name,attr"`
	Class   string    `xml:"classname,attr"`
	Seconds float64   `xml:"time,attr"`
	Failure *junitWhy `xml:"failure"`
	Skipped *junitWhy `xml:"skipped"`
	Out     string    `xml:"system-out,omitempty"`
}

type junitWhy struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML, as CI systems read it: one test case for each check, named after its id. Warnings are passed
// cases whose output says what was seen.
func (r Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{
		Name: "ttlchat doctor " + r.Server, Tests: len(r.Checks), Failures: r.Failed, Skipped: r.Skipped, Seconds: seconds(r.MS),
		Timestamp: r.StartedAt.Format("2006-01-02T15:04:05"),
	}
	for _, c := range r.Checks {
		one := junitCase{Name: c.ID, Class: "ttlchat.doctor", Seconds: seconds(c.MS)}
		text := strings.Join([]string{c.Title, "seen: " + c.Seen, "means: " + c.Means, "mend: " + c.Mend}, "\n")
		switch c.Verdict {
		case Fail:
			one.Failure = &junitWhy{Message: c.Seen, Type: c.ID, Text: text}
		case Skip:
			one.Skipped = &junitWhy{Message: c.Seen}
		case Warn:
			one.Out = "warning\n" + text
		case Pass:
			one.Out = c.Seen
		}
		suite.Cases = append(suite.Cases, one)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }

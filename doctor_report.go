package main

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/doctor"
	"github.com/ttlchat/ttlchat/internal/judge"
)

// The report fits a terminal of 80 columns: the verdict, the id, and what is to be said.
const (
	reportWidth  = 80
	reportIDs    = 6
	reportTexts  = 21
	reportLabels = 7
)

// doctorStyles colour the verdicts as those of tokens; the words say the same.
var doctorStyles = map[doctor.Verdict]lipgloss.Style{
	doctor.Pass: severities[judge.OK], doctor.Warn: severities[judge.Warning], doctor.Fail: severities[judge.Fatal], doctor.Skip: faint,
}

// writeDoctorReport prints a report for a person: a line for what is fine, and for what is not the whole story.
func writeDoctorReport(w io.Writer, r doctor.Report) error {
	var b strings.Builder
	b.WriteString(hang("Token server ", r.Server, reportTexts-reportIDs))
	b.WriteString(hang("Asked as ", fmt.Sprintf("%s, for %s", r.Shape, r.User), reportTexts-reportIDs))
	b.WriteString("\n")
	for _, c := range r.Checks {
		head := doctorStyles[c.Verdict].Render(fmt.Sprintf("%-*s", reportIDs, c.Verdict)) + c.ID
		if c.Verdict == doctor.Pass || c.Verdict == doctor.Skip {
			b.WriteString(hang(head, c.Seen, reportTexts))
			continue
		}
		b.WriteString(hang(head, c.Title, reportTexts))
		for _, line := range []struct{ label, text string }{{"seen", c.Seen}, {"means", c.Means}, {"mend", c.Mend}} {
			b.WriteString(hang(strings.Repeat(" ", reportTexts)+faint.Render(line.label), line.text, reportTexts+reportLabels))
		}
	}
	style, word := doctorStyles[doctor.Pass], "Fit for use"
	switch {
	case !r.OK:
		style, word = doctorStyles[doctor.Fail], "Not fit for use"
	case r.Warnings > 0:
		style, word = doctorStyles[doctor.Warn], "Fit for use, with warnings"
	}
	fmt.Fprintf(&b, "\n%s. Passed %d, warnings %d, failed %d, skipped %d, after %.1f s.\n",
		style.Render(word), r.Passed, r.Warnings, r.Failed, r.Skipped, float64(r.MS)/1000)
	_, err := colours(w).Write([]byte(b.String()))
	return err
}

// hang writes the text behind the head from a column on, and breaks it so that it stays between there and the right margin.
func hang(head, text string, column int) string {
	lines := strings.Split(ansi.Wrap(text, reportWidth-column, "/?&"), "\n")
	gap := strings.Repeat(" ", max(1, column-ansi.StringWidth(head)))
	return head + gap + strings.Join(lines, "\n"+strings.Repeat(" ", column)) + "\n"
}

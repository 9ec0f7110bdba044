package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ttlchat/ttlchat/internal/judge"
)

// How a verdict is coloured where colours are wanted; the words say the same.
var (
	faint      = lipgloss.NewStyle().Faint(true)
	severities = map[judge.Severity]lipgloss.Style{
		judge.OK: lipgloss.NewStyle().Foreground(lipgloss.Green), judge.Warning: lipgloss.NewStyle().Foreground(lipgloss.Yellow),
		judge.Fatal: lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true),
	}
)

// writeVerdict prints what a token says and what was found out about it. Colours are left out where w is no terminal, or does not want
// them.
func writeVerdict(w io.Writer, v judge.Verdict, now time.Time) error {
	var b strings.Builder
	if v.Token != nil {
		fields := v.Token.Describe()
		widest := 0
		for _, f := range fields {
			widest = max(widest, min(lipgloss.Width(f.Text(now)), 40))
		}
		for _, f := range fields {
			value := f.Text(now)
			if f.Meaning != "" {
				value += strings.Repeat(" ", max(0, widest-lipgloss.Width(value))) + "  " + faint.Render(f.Meaning)
			}
			fmt.Fprintf(&b, "%-10s %s\n", f.Name, value)
		}
		b.WriteString("\n")
	}
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "%s %s %s\n", severities[f.Severity].Render(fmt.Sprintf("%-7s", f.Severity)), f.What, faint.Render("["+f.Code+"]"))
		if f.Fix != "" {
			fmt.Fprintf(&b, "        %s\n", f.Fix)
		}
	}
	if v.WouldWork() {
		b.WriteString(severities[judge.OK].Render("It would work, as far as is known.") + "\n")
	} else {
		b.WriteString(severities[judge.Fatal].Render("It would not work.") + "\n")
	}
	_, err := colours(w).Write([]byte(b.String()))
	return err
}

// colours drops the colours that w does not take. Any value of NO_COLOR switches them off, which the library leaves to "1" and "true".
func colours(w io.Writer) *colorprofile.Writer {
	out := colorprofile.NewWriter(w, os.Environ())
	if os.Getenv("NO_COLOR") != "" {
		out.Profile = min(out.Profile, colorprofile.ASCII)
	}
	return out
}

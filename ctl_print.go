package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// shown is a word from the emulator as it may stand on a terminal.
func shown(s string) string { return printable.Line(s, 80) }

// printState shows a state to a person.
func printState(out io.Writer, s fakeserver.State) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(cells ...string) {
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // Flush tells
	}
	_, _ = fmt.Fprintf(w, "%s, %s, expiry enforced: %s\n\n", shown(s.App), clockText(s.Clock), s.EnforceExpiry)
	row("USER", "DEVICE", "SESSION", "TOKEN", "ENDS", "WAITING")
	for _, u := range s.Users {
		name, waiting := shown(u.Name), queuesText(u.Queues)
		if len(u.Devices) == 0 {
			row(name, "-", "-", "-", "-", waiting)
		}
		for _, d := range u.Devices {
			if d.Session == nil {
				row(name, shown(d.Resource), "offline", "-", "-", waiting)
			} else {
				row(name, shown(d.Resource), shown(d.Session.ID), shown(d.Session.Token), endText(s.Now, d.Session.ExpiresAt), waiting)
			}
			waiting = ""
		}
	}
	if s.UsersLeftOff > 0 {
		_, _ = fmt.Fprintf(w, "and %s\n", printable.Count(s.UsersLeftOff, "more user", "more users"))
	}
	if len(s.Faults) > 0 {
		_, _ = fmt.Fprintln(w, "\nFAULTS")
	}
	for _, f := range s.Faults {
		_, _ = fmt.Fprintln(w, faultText(f))
	}
	return w.Flush()
}

func queuesText(queues []fakeserver.QueueState) string {
	var parts []string
	for _, q := range queues {
		parts = append(parts, fmt.Sprintf("%d from %s", q.Waiting, shown(q.Peer)))
	}
	return strings.Join(parts, ", ")
}

func endText(now, end time.Time) string {
	at := end.Local().Format(time.DateTime)
	if d := end.Sub(now).Round(time.Second); d > 0 {
		return fmt.Sprintf("%s, in %v", at, d)
	}
	return at + ", over"
}

func clockText(c fakeserver.ClockState) string {
	text := c.Now.Local().Format(time.DateTime)
	switch {
	case c.Offset > 0:
		text += fmt.Sprintf(", %v ahead", c.Offset)
	case c.Offset < 0:
		text += fmt.Sprintf(", %v behind", -c.Offset)
	}
	if c.Frozen {
		text += ", frozen"
	}
	return text
}

// waitText is what a fault waits for.
func waitText(f fakeserver.Fault) string {
	var first []string
	if f.On != "" {
		first = append(first, "for "+string(f.On))
	}
	if f.After > 0 {
		first = append(first, "until "+f.After.String()+" have passed")
	}
	return "waiting " + strings.Join(first, " and ")
}

// faultText is a fault on one line.
func faultText(f fakeserver.FaultStatus) string {
	parts := []string{f.ID + ": " + string(f.Target) + " " + f.Kind}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		parts = append(parts, name+"="+f.Params[name])
	}
	if f.User != "" {
		parts = append(parts, "for "+f.User)
	}
	if f.Probability > 0 {
		parts = append(parts, fmt.Sprintf("with probability %v (seed %d)", f.Probability, f.Seed))
	}
	if !f.Active {
		parts = append(parts, waitText(f.Fault))
	}
	parts = append(parts, "applied "+printable.Count(f.Applied, "time", "times"))
	switch left := f.Left(); {
	case left >= 0:
		parts = append(parts, fmt.Sprintf("%d left", left))
	case f.Over:
		parts = append(parts, "over")
	}
	return printable.Line(strings.Join(parts, ", "), 400)
}

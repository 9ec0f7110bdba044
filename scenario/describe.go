package scenario

import (
	"fmt"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// describe says a step in a few words, which are safe to print.
func (s Step) describe() string { return printable.Line(s.words(), 0) }

func (s Step) words() string {
	switch {
	case s.Fault != nil:
		return s.Fault.describe()
	case s.Clear == allFaults:
		return "all faults end"
	case s.Clear != "":
		return "the fault " + s.Clear + " ends"
	case s.Trigger != nil:
		return s.Trigger.describe()
	case s.Jump != nil:
		var parts []string
		if !s.Jump.Client.IsZero() {
			parts = append(parts, "the client's clock jumps by "+s.Jump.Client.String())
		}
		if !s.Jump.Emulator.IsZero() {
			parts = append(parts, "the emulator's clock jumps by "+s.Jump.Emulator.String())
		}
		return strings.Join(parts, ", ")
	case s.Sleep != nil:
		return "the machine sleeps for " + s.Sleep.String()
	case s.Network == "down":
		return "the network goes away"
	case s.Network == "up":
		return "the network is back"
	case s.Network == "cut":
		return "every connection breaks"
	case s.Send != nil:
		return fmt.Sprintf("%s writes to %s: %s", s.Send.From, s.Send.To, printable.Line(s.Send.Text, 60))
	case s.Do != nil:
		return fmt.Sprintf("%s asks to %s", s.Do.User, map[string]string{"login": "log in", "renew": "renew", "logout": "log out"}[s.Do.Action])
	case s.Policy != nil:
		return "the policy changes to " + s.Policy.describe()
	}
	return "nothing"
}

func (f *Fault) describe() string {
	text := "fault: " + f.Target + " " + f.Kind
	for _, name := range sortedKeys(f.Params) {
		text += " " + name + "=" + printable.Line(f.Params[name], 40)
	}
	if f.User != "" {
		text += " for " + f.User
	}
	if f.Count > 0 {
		text += ", " + Range{f.Count, f.Count}.of("time", "times")
	}
	if f.On != "" {
		text += ", from " + f.On + " on"
	}
	if !f.After.IsZero() {
		text += ", after " + f.After.String()
	}
	return text
}

func (t *Trigger) describe() string {
	text := "trigger: " + t.Event + " for " + t.User
	if t.Code != 0 {
		text += fmt.Sprintf(", code %d", t.Code)
	}
	return text
}

func (p *Policy) describe() string {
	var parts []string
	if p.OnWillExpire != "" {
		parts = append(parts, "on will-expire "+p.OnWillExpire)
	}
	if p.OnExpired != "" {
		parts = append(parts, "on expired "+p.OnExpired)
	}
	if p.RenewEvery != nil {
		parts = append(parts, "renew every "+p.RenewEvery.String())
	}
	return strings.Join(parts, ", ")
}

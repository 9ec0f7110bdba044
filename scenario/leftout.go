package scenario

import (
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// departure is the moment from which a foreign client no longer lives the scenario, because something was left out. What it does then that the
// scenario does not expect may come of that, so it is not held against it.
type departure struct {
	from time.Duration // never when there is none
	why  string
}

func (d departure) or(other departure) departure {
	if other.from < d.from {
		return other
	}
	return d
}

// clockSlack is how much sooner than the emulator a client may call a token's instants, as tokens count whole seconds.
const clockSlack = time.Second

// departures finds out from when on all that a foreign client does, and what it does with messages, follows from something that was left out.
func (s *Scenario) departures(e evidence) (all, messages departure) {
	all, messages = departure{from: never}, departure{from: never}
	main, _ := splitLane(s.MainUser())
	for _, lane := range s.lanes()[1:] {
		if user, _ := splitLane(lane); user == main {
			all = departure{0, lane + " is not there, and devices of one user concern each other"}
		}
	}
	if s.Policy.over(defaultPolicy) != defaultPolicy {
		all = all.or(departure{s.answered(e, *s.Policy), "the scenario's policy was not set, for the client is not ours"})
	}
	for range 2 { // a step may wait for a message that was left out by a later one
		for _, step := range s.Steps {
			d := departure{from: never, why: "this was left out: " + step.describe()}
			switch at, known := s.resolve(e, step.At); {
			case !known:
				d.from = s.unknown(step.At, all, messages).from
			case step.Policy != nil:
				d.from = max(at, s.answered(e, *step.Policy))
			case step.needsOurClient():
				d.from = at
			}
			if step.Send != nil && !s.messagesMatter() {
				messages = messages.or(d)
			} else {
				all = all.or(d)
			}
		}
		if s.StopAfter != nil {
			if _, known := s.resolve(e, *s.StopAfter); !known {
				d := s.unknown(*s.StopAfter, all, messages)
				d.why = "the run goes on, for it could not be seen when it was to stop"
				all = all.or(d)
			}
		}
		messages = messages.or(all)
	}
	return all, messages
}

var defaultPolicy = session.Policy{OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin}

// answered is when a client whose app answers by another policy than this one may first have done otherwise.
func (s *Scenario) answered(e evidence, p Policy) time.Duration {
	want := p.over(defaultPolicy)
	if want.RenewEvery != 0 {
		return 0
	}
	profile, _ := chat.ProfileByName(s.Profile)
	first := never
	for _, life := range s.lives(e.moments, e.now) {
		at := life.Expires
		if want.OnWillExpire != defaultPolicy.OnWillExpire {
			at = life.From + time.Duration(profile.WillExpire*float64(life.Expires-life.From))
		}
		if life.Lane == s.MainUser() && at <= life.Until {
			first = min(first, at-clockSlack)
		}
	}
	for _, m := range e.moments {
		if m.Lane == LaneEmulator && m.Event == "control.triggered" && (m.Reason == "will-expire" || m.Reason == "expire") {
			return min(first, m.At)
		}
	}
	return first
}

// unknown is the departure that comes of an instant whose event was not seen. Where a client that lives the scenario would have shown it, there is
// none.
func (s *Scenario) unknown(i Instant, all, messages departure) departure {
	lane, name := s.reference(i.Event)
	switch {
	case !s.told(lane, name):
		return departure{from: 0}
	case isMessage(name):
		return messages
	default:
		return all
	}
}

func isMessage(name string) bool { return strings.HasPrefix(name, "message.") }

// messagesMatter tells whether a message shows its sender more than that it arrives: that a link is dead, or that its token is over.
func (s *Scenario) messagesMatter() bool {
	return s.Emulator.EnforceExpiry != "" || slices.ContainsFunc(s.Steps, func(step Step) bool {
		return step.Fault != nil && slices.Contains([]string{"link", "message", "expiry"}, step.Fault.Target)
	})
}

// excused takes back what is held against a foreign client when it may come of what was left out. at is when it was decided; missing tells that
// it did too little, not too much.
func (s *Scenario) excused(e evidence, c Check, lane, name string, at time.Duration, missing bool) Check {
	if !e.foreign || c.State != Failed {
		return c
	}
	d, messages := s.departures(e)
	if isMessage(name) {
		d = messages
	}
	if missing && (lane == LaneEmulator || lane == LaneTokenServer) && len(s.lanes()) > 1 {
		d = d.or(departure{0, "the others of the scenario are not there"})
	}
	if at >= d.from {
		c.State = NotSeen
		c.Seen += "; " + d.why
	}
	return c
}

// excusedEvent is excused for an event that did not come.
func (s *Scenario) excusedEvent(e evidence, c Check, want Event) Check {
	lane, name := s.reference(want.Event)
	if ref := s.untoldEnd(e, want.In); ref != "" && c.State == Failed {
		return c.notTimed(ref)
	}
	at := e.now
	if want.In.To != nil {
		if to, known := s.resolve(e, *want.In.To); known {
			at = min(at, to)
		}
	}
	return s.excused(e, c, lane, name, at, true)
}

// excusedNever is excused for an event that must not come. Where nobody can see when, nobody can say either that it did not.
func (s *Scenario) excusedNever(e evidence, c Check, want Event) Check {
	if ref := s.untoldEnd(e, want.In); ref != "" && c.State != Waiting {
		return c.notTimed(ref)
	}
	lane, name := s.reference(want.Event)
	return s.excused(e, c, lane, name, c.At, false)
}

// excusedCount is excused for a number of events that happened at the given moments.
func (s *Scenario) excusedCount(e evidence, c Check, want Range, lane, name string, times []time.Duration) Check {
	if want.Max >= 0 && len(times) > want.Max {
		return s.excused(e, c, lane, name, times[want.Max], false)
	}
	return s.excused(e, c, lane, name, e.now, true)
}

// untoldEnd is the event that a window counts from when nobody can see that of a foreign client, else empty.
func (s *Scenario) untoldEnd(e evidence, w Window) string {
	for _, end := range []*Instant{w.From, w.To} {
		if !e.foreign || end == nil || end.Event == "" {
			continue
		}
		if lane, name := s.reference(end.Event); !s.told(lane, name) {
			return end.Event
		}
	}
	return ""
}

func (c Check) notTimed(ref string) Check {
	c = c.notSeen()
	c.Seen = "its time counts from " + ref + ", which the emulator cannot see of a foreign client"
	return c
}

// visible tells the events that a foreign client gives away. There is one such client; the scenario's other users are nobody's.
func (s *Scenario) visible(lane, name string) bool {
	if lane == LaneEmulator || lane == LaneTokenServer {
		return true
	}
	return lane == s.MainUser() && slices.Contains([]string{
		string(session.Connected), string(session.LoginSucceeded), string(session.RenewSucceeded), string(session.LoginFailed),
		string(session.Disconnected), string(session.Kicked), string(session.MessageSent), string(session.MessageReceived), string(session.TokenRequested),
	}, name)
}

// told tells the events whose time is known of a foreign client. When a token's instants come is, though nobody knows whether the client noticed.
func (s *Scenario) told(lane, name string) bool {
	return s.visible(lane, name) || lane == s.MainUser() &&
		(name == string(session.TokenExpired) || name == string(session.TokenWillExpire) && s.warnsWithEmulator())
}

// warnsWithEmulator tells whether the scenario's SDK calls will-expire at the same part of a life as the emulator's journal does.
func (s *Scenario) warnsWithEmulator() bool {
	profile, _ := chat.ProfileByName(s.Profile)
	return profile.WillExpire == 0.8
}

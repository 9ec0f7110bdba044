package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// Bounds of a scenario.
const (
	maxSteps  = 200
	maxChecks = 200
	maxHerd   = 500
	maxTTL    = 365 * 24 * time.Hour
)

const (
	// echo is the emulator's own user, who answers by itself.
	echo = "echo"
	// everybody is who a trigger is for that is for all users.
	everybody = "all"
	// allFaults clears every fault that the run has set.
	allFaults = "all"
)

var (
	// reservedUsers are the lanes that are no users, the user who answers by itself, and the word for all users.
	reservedUsers = []string{LaneScript, LaneEmulator, LaneTokenServer, echo, everybody}

	scenarioName = pattern.New(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	laneName     = pattern.New(`^[a-z0-9_.-]{1,64}(@[a-z0-9_.-]{1,64})?$`)
)

// validate fills in the defaults, and notes what makes no sense.
func (s *Scenario) validate(d *decoder) {
	if !scenarioName().MatchString(s.Name) || len(s.Name) > 64 {
		d.wrong("name", "%q is no name; use small letters and digits with - between words, such as late-renewal", printable.Line(s.Name, 64))
	}
	if strings.TrimSpace(s.Story) == "" {
		d.wrong("story", "the story is empty; say in one or two sentences what happens and what must come of it")
	}
	s.defaults()
	d.oneOf("profile", s.Profile, Profiles())
	d.oneOf("app", s.App, Apps())
	if s.TTL < time.Second || s.TTL%time.Second != 0 || s.TTL > maxTTL {
		d.wrong("ttl", "%v is no lifetime of a token; they live whole seconds, from 1s to a year", s.TTL)
	}
	s.validateUsers(d)
	d.policy("policy", s.Policy)
	d.oneOf("emulator.over_24h", s.Emulator.Over24h, []string{"", "cap", "refuse"})
	d.oneOf("emulator.expired_status", s.Emulator.ExpiredStatus, []string{"", "reason", "enum"})
	d.oneOf("emulator.enforce_expiry", s.Emulator.EnforceExpiry, []string{"", "none", "close", "refuse-sends"})
	if s.Emulator.MaxDevices < 0 || s.Emulator.MaxDevices > 16 {
		d.wrong("emulator.max_devices", "want 1 to 16 devices")
	}
	if len(s.Steps) > maxSteps {
		d.wrong("steps", "%d steps are more than a scenario may have, %d", len(s.Steps), maxSteps)
		return
	}
	for i := range s.Steps {
		s.validateStep(d, fmt.Sprintf("steps[%d]", i), &s.Steps[i])
	}
	if s.Until.Of(s.TTL) <= 0 {
		d.wrong("until", "the run would end before it begins")
	}
	if s.StopAfter != nil {
		s.instant(d, "stop_after", *s.StopAfter)
		if s.StopAfter.Event == "" {
			d.wrong("stop_after", "stop_after counts from an event, such as renew.succeeded+2s; a fixed end is what until is for")
		}
	}
	s.validateExpect(d)
	for i, f := range s.FailsWith {
		path := fmt.Sprintf("fails_with[%d]", i)
		d.oneOf(path+".app", f.App, Apps())
		for j, name := range f.Check {
			if !slices.Contains(s.checkNames(), name) {
				d.wrong(fmt.Sprintf("%s.check[%d]", path, j), "there is no check %q; this scenario has: %s", printable.Line(name, 80), strings.Join(s.checkNames(), "; "))
			}
		}
	}
}

func (s *Scenario) defaults() {
	if s.Profile == "" {
		s.Profile = chat.Native.Name
	}
	if s.App == "" {
		s.App = Apps()[0]
	}
	if s.TTL == 0 {
		s.TTL = DefaultTTL
	}
	if len(s.Users) == 0 {
		s.Users = []string{"alice"}
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Trigger != nil && step.Trigger.User == "" {
			step.Trigger.User, _ = splitLane(s.MainUser())
		}
		if step.Send != nil && step.Send.From == "" {
			step.Send.From = s.MainUser()
		}
		if step.Send != nil && step.Send.To == "" {
			step.Send.To = echo
		}
		if step.Do != nil && step.Do.User == "" {
			step.Do.User = s.MainUser()
		}
	}
}

func (s *Scenario) validateUsers(d *decoder) {
	if s.Herd < 0 || s.Herd > maxHerd {
		d.wrong("herd", "want 0 to %d more users", maxHerd)
		s.Herd = 0
	}
	if !(s.Spread >= 0 && s.Spread <= 1) { // not a number fails here, too
		d.wrong("spread", "want 0 to 1")
	}
	if s.Seed < 0 {
		d.wrong("seed", "want a positive number")
	}
	seen := map[string]bool{}
	herd := s.herd()
	for _, list := range []struct {
		path  string
		lanes []string
	}{{"users", s.Users}, {"later", s.Later}} {
		for i, lane := range list.lanes {
			path := fmt.Sprintf("%s[%d]", list.path, i)
			switch {
			case !laneName().MatchString(lane):
				d.wrong(path, "%q is no user; write a name of a-z, 0-9, _ - and ., or name@device", printable.Line(lane, 64))
			case slices.Contains(reservedUsers, userOf(lane)):
				d.wrong(path, "nobody can be called %s here; it has a meaning of its own, as have %s", userOf(lane), strings.Join(reservedUsers, ", "))
			case slices.Contains(herd, lane):
				d.wrong(path, "%s is one of the herd, which are %s to %s; give this user another name", lane, herd[0], herd[len(herd)-1])
			case seen[lane]:
				d.wrong(path, "%s stands here twice; a second device of a user is written %s@tablet", lane, lane)
			}
			seen[lane] = true
		}
	}
}

func (s *Scenario) validateStep(d *decoder, path string, step *Step) {
	s.instant(d, path+".at", step.At)
	var actions []string
	for name, there := range map[string]bool{
		"fault": step.Fault != nil, "clear": step.Clear != "", "trigger": step.Trigger != nil, "jump": step.Jump != nil, "sleep": step.Sleep != nil,
		"network": step.Network != "", "send": step.Send != nil, "do": step.Do != nil, "policy": step.Policy != nil,
	} {
		if there {
			actions = append(actions, name)
		}
	}
	if len(actions) != 1 {
		slices.Sort(actions)
		said := "none"
		if len(actions) > 0 {
			said = strings.Join(actions, " and ")
		}
		d.wrong(path, "a step does one thing, and this one has %s; choose one of fault, clear, trigger, jump, sleep, network, send, do, policy", said)
		return
	}
	switch {
	case step.Fault != nil:
		if err := step.Fault.resolve(s.TTL).Validate(); err != nil {
			d.wrong(path+".fault", "%v", err)
		}
		if step.Fault.User != "" {
			d.oneOf(path+".fault.user", step.Fault.User, append(s.userNames(), echo))
		}
	case step.Clear != "":
		d.oneOf(path+".clear", step.Clear, append(s.faultIDs(), allFaults))
	case step.Trigger != nil:
		request := step.Trigger.request()
		if err := request.Validate(step.Trigger.Event); err != nil {
			d.wrong(path+".trigger", "%v", err)
		}
		d.oneOf(path+".trigger.user", step.Trigger.User, append(s.userNames(), everybody))
	case step.Jump != nil:
		if step.Jump.Client.IsZero() && step.Jump.Emulator.IsZero() {
			d.wrong(path+".jump", "no clock jumps; write client: 10m, emulator: 10m or both")
		}
	case step.Sleep != nil:
		if step.Sleep.Of(s.TTL) <= 0 {
			d.wrong(path+".sleep", "a sleep lasts some time, such as 0.5T")
		}
	case step.Network != "":
		d.oneOf(path+".network", step.Network, []string{"down", "up", "cut"})
	case step.Send != nil:
		d.oneOf(path+".send.from", step.Send.From, s.lanes())
		if !laneName().MatchString(step.Send.To) {
			d.wrong(path+".send.to", "%q is no user", printable.Line(step.Send.To, 64))
		}
		if step.Send.Text == "" || len(step.Send.Text) > 4<<10 {
			d.wrong(path+".send.text", "want a text of 1 to 4096 bytes")
		}
	case step.Do != nil:
		d.oneOf(path+".do.action", step.Do.Action, []string{"login", "renew", "logout"})
		d.oneOf(path+".do.user", step.Do.User, s.lanes())
	case step.Policy != nil:
		d.policy(path+".policy", step.Policy)
	}
}

func (s *Scenario) validateExpect(d *decoder) {
	e := s.Expect
	if len(s.checkNames()) > maxChecks {
		d.wrong("expect", "%d checks are more than a scenario may have, %d", len(s.checkNames()), maxChecks)
		return
	}
	for _, list := range []struct {
		path   string
		events []Event
	}{{"expect.events", e.Events}, {"expect.never", e.Never}} {
		for i, event := range list.events {
			path := fmt.Sprintf("%s[%d]", list.path, i)
			s.eventName(d, path+".event", event.Event)
			if event.Why != "" {
				d.oneOf(path+".why", event.Why, reasons())
			}
			if event.Callback != "" {
				d.oneOf(path+".callback", event.Callback, s.callbacks())
			}
			for _, w := range []struct {
				name   string
				window Window
			}{{"in", event.In}, {"left", event.Left}} {
				if s.isImpossible(w.window) {
					d.wrong(path+"."+w.name, "the window %s ends before it begins, so nothing can be in it; write the earlier instant first", w.window)
				}
				for _, end := range []*Instant{w.window.From, w.window.To} {
					if end == nil {
						continue
					}
					s.instant(d, path+"."+w.name, *end)
					if w.name == "left" && end.Event != "" {
						d.wrong(path+".left", "left is a length of time, so it counts from no event")
					}
				}
			}
		}
	}
	for _, name := range sortedKeys(e.Counts) {
		s.eventName(d, "expect.counts."+name, name)
	}
	if e.Final != "" {
		var states []string
		for _, state := range session.States() {
			states = append(states, string(state))
		}
		d.oneOf("expect.final", e.Final, states)
	}
	if e.Why != "" {
		d.oneOf("expect.why", e.Why, reasons())
	}
	d.oneOf("expect.delivered", e.Delivered, []string{"", "once"})
	if _, there := d.at["expect.per_second"]; there && e.PerSecond < 1 {
		d.wrong("expect.per_second", "want 1 or more requests a second; how many there are in all is what requests is for")
	}
	if len(s.checkNames()) == len(s.Steps) {
		d.wrong("expect", "nothing is expected, so nothing can fail; known: events, never, counts, requests, per_second, final, delivered")
	}
}

// instant checks the event that an instant counts from.
func (s *Scenario) instant(d *decoder, path string, i Instant) {
	if i.Event != "" {
		s.eventName(d, path, i.Event)
	}
}

func (s *Scenario) eventName(d *decoder, path, ref string) {
	lane, name := s.reference(ref)
	var known []string
	switch lane {
	case LaneEmulator:
		known = emulatorEvents()
	case LaneTokenServer:
		known = tokenServerEvents()
	default:
		if !slices.Contains(s.lanes(), lane) {
			d.wrong(path, "there is no lane %q; known: %s", printable.Line(lane, 64), strings.Join(append(s.lanes(), LaneEmulator, LaneTokenServer), ", "))
			return
		}
		known = sessionEvents()
	}
	if !slices.Contains(known, name) {
		d.wrong(path, "there is no event %q in the lane %s; known: %s", printable.Line(name, 64), lane, strings.Join(known, ", "))
	}
}

func (d *decoder) oneOf(path, value string, known []string) {
	if slices.Contains(known, value) {
		return
	}
	known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return k == "" })
	d.wrong(path, "%q is not known here; use %s", printable.Line(value, 60), strings.Join(known, ", "))
}

func (d *decoder) policy(path string, p *Policy) {
	base := session.Policy{OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin}
	if err := p.over(base).Validate(); err != nil {
		d.wrong(path, "%v", err)
	}
}

// lanes lists everybody who has a client.
func (s *Scenario) lanes() []string {
	return append(append(slices.Clone(s.Users), s.Later...), s.herd()...)
}

// herd lists the users of the herd.
func (s *Scenario) herd() []string {
	var lanes []string
	for i := range s.Herd {
		lanes = append(lanes, fmt.Sprintf("herd%03d", i+1))
	}
	return lanes
}

// userNames lists everybody who has a client, as the emulator knows them: without devices.
func (s *Scenario) userNames() []string {
	var users []string
	for _, lane := range s.lanes() {
		if user := userOf(lane); !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	return users
}

// faultIDs lists the names that the steps give to their faults.
func (s *Scenario) faultIDs() []string {
	var ids []string
	for _, step := range s.Steps {
		if step.Fault != nil && step.Fault.ID != "" && !slices.Contains(ids, step.Fault.ID) {
			ids = append(ids, step.Fault.ID)
		}
	}
	return ids
}

// callbacks lists the names that the scenario's SDK has for its callbacks.
func (s *Scenario) callbacks() []string {
	profile, _ := chat.ProfileByName(s.Profile)
	return profile.Callbacks()
}

// isImpossible tells a window that ends before it begins, as far as that can be known before a run: both ends count from the same instant.
func (s *Scenario) isImpossible(w Window) bool {
	if w.From == nil || w.To == nil || w.From.Event != w.To.Event || w.From.Nth != w.To.Nth {
		return false
	}
	return w.From.Plus.Of(s.TTL) > w.To.Plus.Of(s.TTL)
}

func reasons() []string {
	var list []string
	for _, r := range session.Reasons() {
		list = append(list, string(r.Reason))
	}
	return list
}

// splitLane takes user@device apart.
func splitLane(lane string) (user, device string) {
	user, device, _ = strings.Cut(lane, "@")
	return user, device
}

func userOf(lane string) string {
	user, _ := splitLane(lane)
	return user
}

// reference takes LANE/NAME apart; without a lane it is the first user's.
func (s *Scenario) reference(ref string) (lane, name string) {
	if lane, name, ok := strings.Cut(ref, "/"); ok {
		return lane, name
	}
	return s.MainUser(), ref
}

// request is the trigger as the emulator takes it.
func (t *Trigger) request() fakeserver.TriggerRequest {
	r := fakeserver.TriggerRequest{User: t.User, Code: t.Code, Reason: t.Reason}
	if r.User == everybody {
		r.User = ""
	}
	return r
}

// resolve is the fault as the emulator takes it, for a lifetime.
func (f *Fault) resolve(ttl time.Duration) fakeserver.Fault {
	params := make(fakeserver.FaultParams, len(f.Params))
	for name, value := range f.Params {
		if span, err := parseSpan(value); err == nil && span.Fraction != 0 {
			value = span.Of(ttl).String()
		}
		params[name] = value
	}
	return fakeserver.Fault{
		ID: f.ID, Target: fakeserver.FaultTarget(f.Target), Kind: f.Kind, Params: params, User: f.User, Count: f.Count,
		Probability: f.Probability, Seed: uint64(max(f.Seed, 0)),
		On: fakeserver.EntryName(f.On), After: f.After.Of(ttl),
	}
}

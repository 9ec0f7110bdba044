package main

import (
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/tui"
)

// screenFaults is what the screen sees of the emulator's faults.
type screenFaults struct{ server *fakeserver.Server }

// faultConditions are the parameters that every kind of fault has besides its own: when it applies, and to whom.
var faultConditions = []struct {
	tui.FaultParam
	set func(*fakeserver.Fault, string) error
	get func(fakeserver.Fault) string
}{
	{tui.FaultParam{Name: "count", Default: "0", Meaning: "how often it applies; 0 is until it is switched off"},
		func(f *fakeserver.Fault, text string) (err error) {
			if f.Count, err = strconv.Atoi(text); err != nil {
				return errors.New("count: write a number such as 3, or 0")
			}
			return nil
		},
		func(f fakeserver.Fault) string { return strconv.Itoa(f.Count) }},
	{tui.FaultParam{Name: "user", Meaning: "only for this user; empty is everybody"},
		func(f *fakeserver.Fault, text string) error { f.User = text; return nil },
		func(f fakeserver.Fault) string { return f.User }},
	{tui.FaultParam{Name: "probability", Default: "1", Meaning: "the chance each time, above 0 and up to 1"},
		func(f *fakeserver.Fault, text string) (err error) {
			if f.Probability, err = strconv.ParseFloat(text, 64); err != nil || f.Probability == 0 {
				return errors.New("probability: write a number above 0 and up to 1, such as 0.5")
			}
			return nil
		},
		func(f fakeserver.Fault) string {
			if f.Probability == 0 {
				return "1"
			}
			return strconv.FormatFloat(f.Probability, 'g', -1, 64)
		}},
	{tui.FaultParam{Name: "on", Choices: faultEvents(), Meaning: "it waits for this event"},
		func(f *fakeserver.Fault, text string) error { f.On = fakeserver.EntryName(text); return nil },
		func(f fakeserver.Fault) string { return string(f.On) }},
	{tui.FaultParam{Name: "after", Default: "0s", Meaning: "and then so long, by the emulator's clock"},
		func(f *fakeserver.Fault, text string) (err error) {
			if f.After, err = time.ParseDuration(text); err != nil {
				return errors.New("after: write a time such as 10s or 5m")
			}
			return nil
		},
		func(f fakeserver.Fault) string { return f.After.String() }},
}

// faultEvents are the events that a fault can wait for; the first is none.
func faultEvents() []string {
	events := []string{""}
	for _, e := range fakeserver.FaultEvents() {
		events = append(events, string(e))
	}
	return events
}

// Kinds implements tui.Faults, like the methods below.
func (f screenFaults) Kinds() []tui.FaultKind {
	var kinds []tui.FaultKind
	for _, k := range fakeserver.FaultKinds() {
		kind := tui.FaultKind{Target: string(k.Target), Name: k.Name, Meaning: k.Meaning}
		for _, p := range k.Params {
			param := tui.FaultParam{Name: p.Name, Default: p.Default, Meaning: p.Meaning, Choices: p.Choices}
			if p.Type == "boolean" {
				param.Choices = []string{"false", "true"}
			}
			kind.Params = append(kind.Params, param)
		}
		for _, c := range faultConditions {
			kind.Params = append(kind.Params, c.FaultParam)
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// Triggers lists the events that can be made to happen.
func (f screenFaults) Triggers() []tui.Trigger {
	var list []tui.Trigger
	for _, name := range fakeserver.TriggerEvents() {
		list = append(list, tui.Trigger{Name: name, Meaning: triggerMeanings[name]})
	}
	return list
}

// triggerMeanings say what the emulator's events mean to the user who is logged in.
var triggerMeanings = map[string]string{
	"will-expire": "the token's last fifth begins, as the SDK hears it",
	"expire":      "the token ends, as the SDK hears it",
	"kick":        "another device takes the session over (206)",
	"cut":         "the link breaks without a word",
	"revoke":      "the token is void; the next login or reconnect with it finds out",
}

// Changed returns what is closed when the faults have changed.
func (f screenFaults) Changed() <-chan struct{} { return f.server.FaultsChanged() }

// List returns the faults that are on or over.
func (f screenFaults) List() []tui.Fault {
	var list []tui.Fault
	for _, s := range f.server.Faults() {
		params := map[string]string{}
		maps.Copy(params, s.Params)
		for _, c := range faultConditions {
			params[c.Name] = c.get(s.Fault)
		}
		list = append(list, tui.Fault{ID: s.ID, Target: string(s.Target), Name: s.Kind, Params: params, Count: s.Count, Applied: s.Applied, Waiting: !s.Active, Over: s.Over})
	}
	return list
}

// wanted is the fault as the emulator knows it.
func (f screenFaults) wanted(fault tui.Fault) (fakeserver.Fault, error) {
	params := fakeserver.FaultParams{}
	maps.Copy(params, fault.Params)
	wanted := fakeserver.Fault{ID: fault.ID, Target: fakeserver.FaultTarget(fault.Target), Kind: fault.Name, Params: params}
	for _, c := range faultConditions {
		text, given := params[c.Name]
		delete(params, c.Name)
		if !given {
			continue
		}
		if err := c.set(&wanted, text); err != nil {
			return wanted, err
		}
	}
	return wanted, wanted.Validate()
}

// Check tells what is wrong with a fault.
func (f screenFaults) Check(fault tui.Fault) error {
	_, err := f.wanted(fault)
	return err
}

// Set turns a fault on; one that is not right changes nothing.
func (f screenFaults) Set(fault tui.Fault) error {
	wanted, err := f.wanted(fault)
	if err != nil {
		return err
	}
	f.server.ClearFault(fault.ID)
	_, err = f.server.AddFault(wanted)
	return err
}

// Clear turns a fault off.
func (f screenFaults) Clear(id string) { f.server.ClearFault(id) }

// ClearAll turns every fault off.
func (f screenFaults) ClearAll() { f.server.ClearFaults() }

// Trigger makes an event happen to a user.
func (f screenFaults) Trigger(event, user string) (int, error) {
	return f.server.Trigger(event, fakeserver.TriggerRequest{User: user})
}

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/tui"
)

func TestScreenFaults(t *testing.T) {
	server, err := fakeserver.New(fakeserver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := screenFaults{server}
	fault := tui.Fault{ID: "f1", Target: "token-server", Name: "status", Params: map[string]string{
		"status": "500", "count": "3", "user": "alice", "probability": "0.5", "on": "session.will_expire", "after": "10s",
	}}
	if err := f.Set(fault); err != nil {
		t.Fatal(err)
	}
	want := fakeserver.Fault{
		ID: "f1", Target: "token-server", Kind: "status", Params: fakeserver.FaultParams{"status": "500"}, Count: 3, User: "alice", Probability: 0.5,
		On: fakeserver.SessionWillExpire, After: 10 * time.Second,
	}
	if diff := cmp.Diff(want, server.Faults()[0].Fault); diff != "" {
		t.Errorf("the emulator has another fault (-want +got):\n%s", diff)
	}
	got := f.List()
	fault.Count, fault.Waiting = 3, true
	if diff := cmp.Diff([]tui.Fault{fault}, got); diff != "" {
		t.Errorf("the screen sees another fault (-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{"count": "x", "probability": "0", "after": "soon", "on": "never", "user": "A B", "status": "teapot", "nope": "1"} {
		wrong := tui.Fault{Target: "token-server", Name: "status", Params: map[string]string{name: text}}
		if err := f.Check(wrong); err == nil || !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), text) {
			t.Errorf("%s %q: %v", name, text, err)
		}
		if f.Set(wrong) == nil || len(f.List()) != 1 {
			t.Errorf("%s %q was set", name, text)
		}
	}
}

// Every kind can be switched on as the screen offers it, with each default and each choice written out.
func TestEveryFaultOfTheScreen(t *testing.T) {
	server, err := fakeserver.New(fakeserver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := screenFaults{server}
	for _, k := range f.Kinds() {
		seen := map[string]bool{}
		for _, p := range k.Params {
			if seen[p.Name] {
				t.Errorf("%s %s has %q twice", k.Target, k.Name, p.Name)
			}
			seen[p.Name] = true
			for _, value := range append([]string{p.Default}, p.Choices...) {
				if err := f.Check(tui.Fault{Target: k.Target, Name: k.Name, Params: map[string]string{p.Name: value}}); err != nil {
					t.Errorf("%s %s with %s %q: %v", k.Target, k.Name, p.Name, value, err)
				}
			}
		}
	}
}

// What the events do can be told apart where little of it has room, as on a screen of 40 cells.
func TestTriggersDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, trigger := range (screenFaults{}).Triggers() {
		begins := trigger.Meaning[:20]
		if other, is := seen[begins]; is {
			t.Errorf("%s and %s both say %q", trigger.Name, other, begins)
		}
		seen[begins] = trigger.Name
	}
}

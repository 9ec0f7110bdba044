package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tui"
)

// What is done on the screen, its faults and clocks included, is exported as a scenario that does it again.
func TestScreenIsRecorded(t *testing.T) {
	t.Parallel()
	o, flags := new(options), pflag.NewFlagSet("", pflag.ContinueOnError)
	o.emulatorFlags(flags)
	o.clientFlags(flags)
	w, err := o.wire("", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.startRecorder(o); err != nil {
		t.Fatal(err)
	}
	config := tui.Config{
		Open:     func(f tui.Form) (tui.Session, error) { return w.openScreen(f, o) },
		Emulator: &emulator{server: w.server, journal: w.server.Journal(0), wiring: w}, Faults: screenFaults{w.server},
	}
	w.recordScreen(&config)
	s, err := config.Open(tui.Form{User: "alice", Lifetime: "10s", Profile: "native", TokenURL: w.tokenURL, RESTURL: w.restURL, WSURL: w.wsURL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Scenario("bug.yaml"); err == nil {
		t.Error("there is a scenario before the login")
	}
	// state waits for a state, and a moment more, as a person does: the scenario does all of it at the same instants, on a machine that may be slower then.
	state := func(want session.State) {
		t.Helper()
		defer time.Sleep(600 * time.Millisecond)
		for deadline := time.Now().Add(20 * time.Second); s.Snapshot().State != want; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the session is %s, not %s", s.Snapshot().State, want)
			}
		}
	}
	policy := session.Policy{OnWillExpire: session.WillExpireAsk, OnExpired: session.ExpiredRelogin}
	if err := s.SetPolicy(policy); err != nil {
		t.Fatal(err)
	}
	s.Login()
	state(session.Online)
	hung := tui.Fault{ID: "screen-rest-status", Target: "rest", Name: "status", Params: map[string]string{"status": "500"}}
	for range 2 { // the second one takes the place of the first
		if err := config.Faults.Set(hung); err != nil {
			t.Fatal(err)
		}
	}
	config.Faults.Clear("screen-rest-status")
	if _, err := s.Send("echo", "hello"); err != nil {
		t.Error(err)
	}
	policy.OnWillExpire = session.WillExpireIgnore
	if err := s.SetPolicy(policy); err != nil {
		t.Error(err)
	}
	_, at := s.Snapshot().Next()
	ahead := at.Sub(s.Now()) + time.Millisecond
	config.Emulator.JumpClock(ahead)
	s.JumpClock(ahead)
	state(session.WillExpire)
	if n, err := config.Faults.Trigger("kick", "alice"); n != 1 || err != nil {
		t.Errorf("the kick reached %d connections: %v", n, err)
	}
	state(session.Stopped)
	config.Faults.ClearAll()
	s.Login()
	state(session.Online)
	s.Renew()
	time.Sleep(600 * time.Millisecond)
	s.Logout()
	state(session.LoggedOut)
	time.Sleep(1200 * time.Millisecond) // what happened in the last second is not expected again
	text, err := config.Scenario("bug.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s.Close()
	done, _, _ := strings.Cut(text, "until:")
	if after, err := config.Scenario("bug.yaml"); err != nil || !strings.HasPrefix(after, done) {
		t.Errorf("once the session is closed its scenario is another one: %v\n%s\n%s", err, text, after)
	}
	for _, want := range []string{
		"name: bug\n", "policy: {on_will_expire: ask, on_expired: relogin}\n", "fault: {id: \"screen-rest-status\", target: rest, kind: status, params: {status: \"500\"}}\n",
		"clear: \"screen-rest-status\"\n", "clear: \"all\"\n", "    sleep: ", "policy: {on_will_expire: ignore, on_expired: relogin, renew_every: 0s}\n",
		"trigger: {event: kick, user: \"alice\"}\n", "do: login\n", "do: renew\n", "do: logout\n", "{event: kicked, in: ", "final: logged_out\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the scenario", want)
		}
	}
	again, err := scenario.Parse("bug.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if r := scenario.Run(t.Context(), again, scenario.Options{}); r.Verdict != scenario.VerdictPassed || t.Failed() {
		t.Errorf("%s\n%s", r.Text(), text)
	}
}

package main

import (
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
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
	// await waits for what has been done to be over, and then as long as a person does at least: the scenario does the next thing that much
	// later than this one, and the clock that is moved for it stands first.
	await := func(what string, is func() bool) {
		t.Helper()
		defer time.Sleep(100 * time.Millisecond)
		for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come, the session is %+v", what, s.Snapshot())
			}
		}
	}
	state := func(want session.State) {
		t.Helper()
		await(string(want), func() bool { return s.Snapshot().State == want })
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
	accepted := s.Snapshot().Token.Ordinal
	s.Renew()
	await("the renewal", func() bool { return s.Snapshot().Token.Ordinal == accepted+1 })
	s.Logout()
	state(session.LoggedOut)
	var text string
	await("the end of the scenario", func() bool { // what happened in the last second is not expected again
		if text, err = config.Scenario("bug.yaml"); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return strings.Contains(text, "final: logged_out\n")
	})
	s.Close()
	done, _, _ := strings.Cut(text, "until:")
	if after, err := config.Scenario("bug.yaml"); err != nil || !strings.HasPrefix(after, done) {
		t.Errorf("once the session is closed its scenario is another one: %v\n%s\n%s", err, text, after)
	}
	for _, want := range []string{
		"name: bug\n", "policy: {on_will_expire: ask, on_expired: relogin}\n", "fault: {id: \"screen-rest-status\", target: rest, kind: status, params: {status: \"500\"}}\n",
		"clear: \"screen-rest-status\"\n", "clear: \"all\"\n", "    sleep: ", "policy: {on_will_expire: ignore, on_expired: relogin, renew_every: 0s}\n",
		"trigger: {event: kick, user: \"alice\"}\n", "do: login\n", "do: renew\n", "do: logout\n", "{event: kicked, in: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the scenario", want)
		}
	}
	again, err := scenario.Parse("bug.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	// In a bubble all that a step brings has come before the next one, however slow this machine is.
	synctest.Test(t, func(t *testing.T) {
		if r := scenario.Run(t.Context(), again, scenario.Options{InMemory: true}); r.Verdict != scenario.VerdictPassed {
			t.Errorf("%s\n%s", r.Text(), text)
		}
	})
}

// How to run a recording is said so that a shell takes it as it is.
func TestRecordingWithSpace(t *testing.T) {
	text, err := scenario.Source("s01-happy-renew")
	if err != nil {
		t.Fatal(err)
	}
	file, said := filepath.Join(t.TempDir(), "a b.yaml"), new(strings.Builder)
	err = writeRecording(file, func(w io.Writer, _ string) error {
		_, err := io.WriteString(w, text)
		return err
	}, said)
	if want := "ttlchat: written to " + file + "; ttlchat run '" + file + "' does it again\n"; err != nil || said.String() != want {
		t.Errorf("it says %q (%v), want %q", said, err, want)
	}
}

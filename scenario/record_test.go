package scenario

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
)

// What is recorded from a session can be run, and then does the same.
func TestRecordingReplays(t *testing.T) {
	t.Parallel()
	var recorded string
	synctest.Test(t, func(t *testing.T) { recorded = recordSession(t) })
	s, err := Parse("recorded.yaml", []byte(recorded))
	if err != nil {
		t.Fatalf("%v\n%s", err, recorded)
	}
	if r := inBubble(t, s, Options{TTL: s.TTL}); r.Verdict != VerdictPassed {
		t.Errorf("%s\n%s", r.Text(), recorded)
	}
	for _, want := range []string{
		"profile: native\nttl: 20s\nusers: [alice]\npolicy: {on_will_expire: renew, on_expired: relogin}\n",
		"  - at: 0.25T\n    send: {to: \"echo\", text: message 1}\n",
		"target: token-server, kind: status, params: {status: \"500\"}, count: 1}\n",
		"  - at: 0.5T\n    trigger: {event: will-expire, user: \"alice\"}\n",
		"    trigger: {event: cut, user: \"alice\"}\n",
		"event: emulator/session.renewed, in: ",
	} {
		if !strings.Contains(recorded, want) {
			t.Errorf("%q is not in the recording\n%s", want, recorded)
		}
	}
}

// recordSession plays what a person might do with a running emulator.
func recordSession(t *testing.T) string {
	st, err := newStage(t.Context(), fakeserver.Config{}, true)
	if err != nil {
		t.Fatal(err)
	}
	base := &Scenario{Users: []string{"alice"}}
	players, err := st.cast(base, Options{TTL: 20 * time.Second, Profile: "native", App: "correct"})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: st.dial}
	client := &control.Client{URL: "http://chat" + fakeserver.ControlPath, HTTP: &http.Client{Transport: transport}}
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		r   *Recording
		err error
	}
	done := make(chan result, 1)
	go func() {
		r, err := Record(ctx, client, "")
		done <- result{r, err}
	}()
	until(t, st, 0)
	players[0].Login()
	until(t, st, 5*time.Second)
	if _, err := players[0].Send("echo", "hello"); err != nil {
		t.Fatal(err)
	}
	until(t, st, 8*time.Second)
	if _, err := client.AddFault(ctx, fakeserver.Fault{Target: "token-server", Kind: "status", Params: fakeserver.FaultParams{"status": "500"}, Count: 1}); err != nil {
		t.Fatal(err)
	}
	until(t, st, 10*time.Second)
	for _, event := range []string{"will-expire", "cut"} {
		if _, err := client.Trigger(ctx, event, fakeserver.TriggerRequest{User: "alice"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
	}
	cancel()
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	dismiss(players)
	transport.CloseIdleConnections()
	if err := st.close(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := got.r.Write(&b, "recorded"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// until waits for a moment after the start of the bubble.
func until(t *testing.T, st *stage, d time.Duration) {
	t.Helper()
	time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC).Add(d)))
	synctest.Wait()
}

func TestNothingToRecord(t *testing.T) {
	if err := new(Recording).Write(new(strings.Builder), "empty"); err == nil || !strings.Contains(err.Error(), "the user did not log in") {
		t.Errorf("got %v", err)
	}
}

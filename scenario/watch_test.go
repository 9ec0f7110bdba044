package scenario

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
)

// watched is what Watch makes of a client of this process. The client has the scenario's profile and life and is otherwise as clients are: nobody
// told it of the scenario. act may do more with it once it has been asked to log in.
func watched(t *testing.T, s *Scenario, user string, act func(p *player, st *stage)) *Report {
	t.Helper()
	return watchedFor(t, s, user, s.TTL, act)
}

// watchedFor is watched for a client whose tokens have another life.
func watchedFor(t *testing.T, s *Scenario, user string, life time.Duration, act func(p *player, st *stage)) (r *Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st, err := newStage(t.Context(), fakeserver.Config{}, true)
		if err != nil {
			t.Fatal(err)
		}
		players, err := st.cast(&Scenario{Users: []string{user}}, Options{TTL: life, Profile: s.Profile, App: "correct", Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: st.dial}
		client := &control.Client{URL: "http://chat" + fakeserver.ControlPath, HTTP: &http.Client{Transport: transport}}
		ready := make(chan struct{})
		done := make(chan *Report)
		go func() {
			done <- Watch(t.Context(), s, WatchOptions{Client: client, User: user, Ready: func() { close(ready) }})
		}()
		<-ready
		time.Sleep(700 * time.Millisecond)
		players[0].Login()
		if act != nil {
			act(players[0], st)
		}
		r = <-done
		dismiss(players)
		transport.CloseIdleConnections()
		if err := st.close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// Nothing that a correct client does is held against it: what the emulator cannot see, and what hangs on steps and settings that were left out, is
// not judged.
func TestCorrectClientsAreNotFailed(t *testing.T) {
	t.Parallel()
	for _, s := range Library() {
		for _, user := range []string{"alice", "carol"} {
			t.Run(s.Name+"/"+user, func(t *testing.T) {
				t.Parallel()
				if r := watched(t, s, user, nil); r.Verdict != VerdictPassed {
					t.Error(r.Text())
				}
			})
		}
	}
}

// What a watch makes of each kind of thing that it sees, misses or leaves out.
func TestWhatWatchJudges(t *testing.T) {
	t.Parallel()
	const head = "name: n\nstory: s.\n"
	for _, tc := range []struct {
		name, text string
		act        func(p *player, st *stage)
		want       map[string]CheckState
	}{
		{
			name: "a reconnect on the token that was renewed is no login",
			text: "steps: [{at: 0.9T, network: cut}]\nuntil: 1.2T\nexpect:\n  counts: {login.succeeded: 1, connected: 2}\n",
			want: map[string]CheckState{"count login.succeeded": Passed, "count connected": Passed},
		},
		{
			name: "a second login is one",
			text: "until: 0.5T\nexpect:\n  counts: {login.succeeded: 1}\n",
			act: func(p *player, _ *stage) {
				time.Sleep(3 * time.Second)
				p.Logout()
				time.Sleep(time.Millisecond)
				p.Login()
			},
			want: map[string]CheckState{"count login.succeeded": Failed},
		},
		{
			name: "what follows a step that was left out is not held against the client, what came before it is",
			text: "steps: [{at: 0.4T, do: logout}]\nuntil: 0.7T\nexpect:\n  events: [{event: disconnected, in: 0.4T..0.5T}, {event: kicked, in: ..0.2T}]\n" +
				"  never: [connected]\n  counts: {disconnected: 1, login.failed: 0}\n  requests: 2\n  final: logged_out\n",
			want: map[string]CheckState{
				"event 1 disconnected": NotSeen, "event 2 kicked": Failed, "never connected": Failed, "count disconnected": NotSeen, "count login.failed": Passed,
				"requests": NotSeen, "final": NotSeen, "step 1 0.4T": NotSeen,
			},
		},
		{
			name: "a message that was left out matters to messages only",
			text: "users: [alice, bob]\nsteps: [{at: 0.4T, send: {to: bob, text: hi}}]\nuntil: 0.7T\nexpect:\n" +
				"  events: [message.sent, {event: disconnected, in: 0.5T..}]\n  counts: {emulator/message.stored: 1}\n",
			want: map[string]CheckState{
				"event 1 message.sent": NotSeen, "event 2 disconnected": Failed, "count emulator/message.stored": NotSeen, "step 1 0.4T": NotSeen,
			},
		},
		{
			name: "a policy matters once there is something to answer",
			text: "policy: {on_will_expire: ignore}\nuntil: 1.1T\nexpect:\n  events: [{event: kicked, in: 0.5T..0.6T}, {event: disconnected, in: 1T..}]\n  requests: 1\n",
			want: map[string]CheckState{"event 1 kicked": Failed, "event 2 disconnected": NotSeen, "requests": NotSeen},
		},
		{
			name: "a policy like everybody's matters to nothing",
			text: "policy: {on_will_expire: renew}\nuntil: 1.1T\nexpect:\n  requests: 1\n",
			want: map[string]CheckState{"requests": Failed},
		},
		{
			name: "nobody is there but the one who is watched",
			text: "users: [alice, bob]\nherd: 2\nuntil: 0.5T\nexpect:\n  events: [bob/login.succeeded, herd002/connected, login.succeeded]\n" +
				"  counts: {emulator/session.opened: 4, emulator/session.renewed: 0, bob/kicked: 0}\n  requests: 4\n",
			want: map[string]CheckState{
				"event 1 bob/login.succeeded": NotSeen, "event 2 herd002/connected": NotSeen, "event 3 login.succeeded": Passed,
				"count emulator/session.opened": NotSeen, "count emulator/session.renewed": Passed, "count bob/kicked": NotSeen, "requests": NotSeen,
			},
		},
		{
			name: "too many requests are too many, whoever else is missing",
			text: "users: [alice, bob]\nuntil: 0.9T\nexpect:\n  requests: ..1\n",
			want: map[string]CheckState{"requests": Failed},
		},
		{
			name: "instants of the token come from the emulator",
			text: "steps: [{at: token.will_expire+100ms, network: cut}]\nuntil: 0.95T\nexpect:\n" +
				"  events: [{event: disconnected, in: token.will_expire..token.will_expire+1s}]\n  never: [{event: connected, in: token.expired..}]\n",
			want: map[string]CheckState{"event 1 disconnected": Passed, "never connected in token.expired..": Passed},
		},
		{
			name: "what only the client knows gives no time",
			text: "steps: [{at: renew.started+1s, network: cut}]\nuntil: 0.95T\nexpect:\n" +
				"  events: [{event: connected, in: login.started..login.started+1s}, disconnected]\n  never: [{event: kicked, in: token.received..}]\n",
			want: map[string]CheckState{
				"event 1 connected": NotSeen, "event 2 disconnected": NotSeen, "never kicked in token.received..": NotSeen, "step 1 renew.started+1s": NotSeen,
			},
		},
		{
			name: "a request that hangs is one from when it came",
			text: "steps: [{at: 0s, fault: {target: token-server, kind: hang, count: 1}}]\nuntil: 0.95T\nexpect:\n" +
				"  events: [{event: login.succeeded, in: 5s..}]\n  counts: {token.requested: 2}\n",
			want: map[string]CheckState{"event 1 login.succeeded": Passed, "count token.requested": Passed},
		},
		{
			name: "and so is one that is answered late",
			text: "steps: [{at: 0.1T, fault: {target: token-server, kind: delay, params: {delay: 4s}, count: 1}}]\nuntil: 0.95T\nexpect:\n" +
				"  events: [token.requested, {event: token.requested, in: 0.8T..0.8T+1s}]\n  counts: {token.requested: 2}\n",
			want: map[string]CheckState{"event 1 token.requested": Passed, "event 2 token.requested": Passed, "count token.requested": Passed},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := parsed1(t, head+"ttl: 40s\n"+tc.text)
			for _, user := range []string{"alice", "bob"} {
				r := watched(t, s, user, tc.act)
				got := map[string]CheckState{}
				for _, c := range r.Checks {
					got[strings.ReplaceAll(c.Name, map[string]string{"alice": "bob/", "bob": "alice/"}[user], "bob/")] = c.State
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s%s", user, diff, r.Text())
				}
				if r.Seed != 0 || r.TTL.Round(time.Second) != 40*time.Second {
					t.Errorf("a foreign client's luck is nobody's, and its life its own: seed %d, life %v", r.Seed, r.TTL)
				}
			}
		})
	}
}

// An expectation that names the first user is about whoever is watched, and who has that name in the scenario is somebody else.
func TestForUser(t *testing.T) {
	s := parsed1(t, `
name: n
story: s.
users: [alice@phone, bob, alice@tablet]
steps:
  - {at: alice@phone/connected#2+1s, trigger: cut}
  - {at: 1s, fault: {target: link, kind: cut, user: bob}}
  - {at: 2s, send: {from: bob, to: alice@phone, text: hi}}
  - {at: 3s, do: {action: login, user: alice@tablet}}
until: 1T
stop_after: alice@phone/renew.succeeded+1s
expect:
  events: [{event: alice@phone/connected, in: bob/connected+1s..alice@phone/connected#2-1s}, emulator/session.opened]
  never: [bob/kicked]
  counts: {alice@tablet/kicked: 0}
`)
	got := s.forUser("bob")
	for _, tc := range []struct{ got, want string }{
		{strings.Join(got.Users, " "), "bob alice bob@tablet"},
		{got.Steps[0].At.String() + " " + got.Steps[0].Trigger.User, "bob/connected#2+1s bob"},
		{got.Steps[1].Fault.User, "alice"},
		{got.Steps[2].Send.From + " " + got.Steps[2].Send.To, "alice bob"},
		{got.Steps[3].Do.User, "bob@tablet"},
		{got.StopAfter.String(), "bob/renew.succeeded+1s"},
		{got.Expect.Events[0].Event + " " + got.Expect.Events[0].In.String(), "bob/connected alice/connected+1s..bob/connected#2-1s"},
		{got.Expect.Events[1].Event, "emulator/session.opened"},
		{got.Expect.Never[0].Event, "alice/kicked"},
		{strings.Join(sortedKeys(got.Expect.Counts), " "), "bob@tablet/kicked"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %s, want %s", tc.got, tc.want)
		}
	}
	if s.Users[0] != "alice@phone" || s.Expect.Never[0].Event != "bob/kicked" || s.Steps[1].Fault.User != "bob" {
		t.Errorf("the scenario itself was changed: %+v", s)
	}
}

// T is the life of the token that the client gets in the end, when the scenario keeps it from its login at first.
func TestWatchedLife(t *testing.T) {
	t.Parallel()
	s := parsed1(t, `
name: n
story: s.
ttl: 20s
steps: [{at: 0s, fault: {target: token-server, kind: hang, count: 1}}]
until: 1T
expect:
  events: [{event: renew.succeeded, in: 0.8T..1T}]
`)
	if r := watchedFor(t, s, "alice", 2*time.Minute, nil); r.Verdict != VerdictPassed || r.TTL != 2*time.Minute {
		t.Errorf("a life of %v\n%s", r.TTL, r.Text())
	}
}

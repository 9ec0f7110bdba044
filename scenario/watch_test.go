package scenario

import (
	"strings"
	"testing"
)

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

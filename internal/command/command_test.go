package command

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/session"
)

var standard = session.Policy{OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin}

// recorder is a target that notes what it was asked.
type recorder struct {
	asked  []string
	policy session.Policy
	peer   string
	fails  error
}

func (r *recorder) Login()        { r.asked = append(r.asked, "login") }
func (r *recorder) Renew()        { r.asked = append(r.asked, "renew") }
func (r *recorder) Logout()       { r.asked = append(r.asked, "logout") }
func (r *recorder) Quit()         { r.asked = append(r.asked, "quit") }
func (r *recorder) Expire() error { r.asked = append(r.asked, "expire"); return r.fails }
func (r *recorder) Skip() (string, error) {
	r.asked = append(r.asked, "skip")
	return "expiry, 5s ahead", r.fails
}
func (r *recorder) Policy() session.Policy { return r.policy }
func (r *recorder) Commands() []Command {
	return append(Table(), Command{Name: "/own", Help: "what the target does itself"})
}
func (r *recorder) SetPeer(name string) error { r.peer = name; return r.fails }
func (r *recorder) SetPolicy(p session.Policy) error {
	if r.fails == nil {
		r.policy = p
	}
	return r.fails
}

func TestRun(t *testing.T) {
	tests := []struct {
		line  string
		want  recorder // what the target has seen; the zero policy stands for the standard one
		reply string   // a part of the reply
		err   string   // a part of the error
	}{
		{line: "/renew", want: recorder{asked: []string{"renew"}}},
		{line: "  /LOGIN  ", want: recorder{asked: []string{"login"}}},
		{line: "/logout", want: recorder{asked: []string{"logout"}}},
		{line: "/quit", want: recorder{asked: []string{"quit"}}},
		{line: "/expire", want: recorder{asked: []string{"expire"}}, reply: "has expired"},
		{line: "/skip", want: recorder{asked: []string{"skip"}}, reply: "skipped to expiry, 5s ahead"},
		{line: "/to bob", want: recorder{peer: "bob"}, reply: "bob"},
		{line: "/to Bob", err: `"Bob" is no user name`},
		{line: "/to", err: "one name"},
		{line: "/to a b", err: "one name"},
		{line: "/renew now", err: "/renew takes no arguments"},
		{line: "/policy", reply: "will-expire: renew, expired: relogin, renew every: off"},
		{line: "/policy expired ignore", reply: "expired: ignore",
			want: recorder{policy: session.Policy{OnWillExpire: "renew", OnExpired: "ignore"}}},
		{line: "/policy will-expire ask expired renew every 90s", reply: "renew every: 1m30s",
			want: recorder{policy: session.Policy{OnWillExpire: "ask", OnExpired: "renew", RenewEvery: 90 * time.Second}}},
		{line: "/policy every off", reply: "off"},
		{line: "/policy every 10", err: `"10" is no interval`},
		{line: "/policy every 10ms", err: "shortest interval is 1s"},
		{line: "/policy expired perhaps", err: `"perhaps" is no answer to expired`},
		{line: "/policy expired", err: `"expired" lacks its answer`},
		{line: "/policy never ask", err: `"never" is no token event`},
		{line: "/policy expired ignore never ask", err: "no token event"}, // all or nothing
		{line: "/help", reply: "/to name: send to somebody else"},
		{line: "/help", reply: "/own: what the target does itself"},
		{line: "/owm", err: "did you mean /own?"},
		{line: "/rennew", err: "did you mean /renew? the commands are /renew /login"},
		{line: "/", err: `there is no "/": the commands are`},
		{line: "", err: "the commands are"},
		{line: "/\x1b[31mred", err: `there is no "/red": the commands are`},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			got := recorder{policy: standard}
			if test.want.policy == (session.Policy{}) {
				test.want.policy = standard
			}
			reply, err := Run(test.line, &got)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(recorder{})); diff != "" {
				t.Errorf("the target differs (-want +got):\n%s", diff)
			}
			if !strings.Contains(reply, test.reply) || (test.reply == "") != (reply == "") {
				t.Errorf("reply %q, want %q", reply, test.reply)
			}
			if message := errorText(err); !strings.Contains(message, test.err) || (test.err == "") != (err == nil) {
				t.Errorf("error %q, want %q", message, test.err)
			}
		})
	}
}

func TestRunSaysWhyTheTargetCannot(t *testing.T) {
	why := errors.New("there is no emulator here")
	for _, line := range []string{"/expire", "/skip", "/to bob", "/policy expired ignore"} {
		if _, err := Run(line, &recorder{policy: standard, fails: why}); !errors.Is(err, why) {
			t.Errorf("%s: error %v, want %v", line, err, why)
		}
	}
}

func TestMessage(t *testing.T) {
	tests := []struct {
		line, text string
		ok         bool
	}{
		{"hello", "hello", true},
		{" /renew", " /renew", true},
		{"//renew", "/renew", true},
		{"///", "//", true},
		{"/renew", "", false},
		{"", "", false},
		{" \n ", "", false},
	}
	for _, test := range tests {
		if text, ok := Message(test.line); text != test.text || ok != test.ok {
			t.Errorf("Message(%q) = %q, %v, want %q, %v", test.line, text, ok, test.text, test.ok)
		}
	}
}

func TestTableExplainsEveryCommand(t *testing.T) {
	for _, c := range Table() {
		if !IsCommand(c.Name) || c.Help == "" || strings.HasSuffix(c.Help, ".") {
			t.Errorf("%+v: want a slash, and help without a period", c)
		}
		if found, ok := Find(c.Name); !ok || found.Help != c.Help {
			t.Errorf("Find(%q) does not find it", c.Name)
		}
	}
}

func TestDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`/[a-z]{1,8}`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := distance(a, b)
		if (d == 0) != (a == b) || d > max(len(a), len(b)) {
			t.Fatalf("distance(%q, %q) = %d", a, b, d)
		}
		if len(a) <= 2*len(b) && len(b) <= 2*len(a) && d != distance(b, a) {
			t.Fatalf("distance(%q, %q) = %d, the other way %d", a, b, d, distance(b, a))
		}
	})
}

func FuzzRun(f *testing.F) {
	for _, seed := range []string{"/renew", "/policy will-expire ask", "/policy every -1s", "/to bob", "//x", "/", "", "/x\x1b]52;c;AA\x07 y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		target := recorder{policy: standard}
		reply, err := Run(line, &target)
		if strings.ContainsFunc(reply+errorText(err), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("%q answers with a control character: %q, %v", line, reply, err)
		}
		if err := target.policy.Validate(); err != nil {
			t.Fatalf("%q leaves a wrong policy: %v", line, err)
		}
		if target.peer != "" && ValidUser(target.peer) != nil {
			t.Fatalf("%q leaves the peer %q", line, target.peer)
		}
		if text, ok := Message(line); ok && text == "" {
			t.Fatalf("%q is an empty message", line)
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestNext: every word that is offered is one that the command takes.
func TestNext(t *testing.T) {
	c, _ := Find("/policy")
	for _, event := range c.Next(nil) {
		for _, answer := range c.Next([]string{event}) {
			r := recorder{policy: standard}
			if _, err := Run(strings.Join([]string{c.Name, event, answer}, " "), &r); err != nil {
				t.Errorf("%s %s: %v", event, answer, err)
			}
			if others := c.Next([]string{event, answer}); len(others) != 2 || others[0] == event || others[1] == event {
				t.Errorf("behind an answer to %s there can be %v", event, others)
			}
		}
	}
	if words := c.Next([]string{"never"}); words != nil {
		t.Errorf("an unknown event can be answered with %v", words)
	}
	if c, _ := Find("/renew"); c.Next(nil) != nil {
		t.Error("/renew has arguments")
	}
}

package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// whole is a file that is right; the tests below break it.
const whole = `name: late-token
story: The token comes late.
ttl: 20s
steps:
  - at: 0.75T
    fault: {target: token-server, kind: status, params: {status: 503}}
until: 1.2T
expect:
  never: [token.expired]
  final: online
`

func TestParse(t *testing.T) {
	s, err := Parse("late.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "late-token" || s.TTL != 20*time.Second || s.Profile != "native" || s.App != "correct" || s.MainUser() != "alice" {
		t.Errorf("read %+v", s)
	}
	if diff := cmp.Diff(&Fault{Target: "token-server", Kind: "status", Params: map[string]string{"status": "503"}}, s.Steps[0].Fault); diff != "" {
		t.Errorf("the fault (-want +got):\n%s", diff)
	}
}

// Each mistake is told with its place, with what is wrong and with what would be right.
func TestBrokenFiles(t *testing.T) {
	for _, tc := range []struct {
		name     string
		old, new string // what of the whole file is replaced
		want     string
	}{
		{"unknown key", "ttl: 20s", "tll: 20s", `late.yaml:3:1: there is no key "tll" here; known: name, story, source`},
		{"unknown key inside", "params: {status", "parms: {status", `late.yaml:6:49: there is no key "parms" here; known: id, target, kind, params`},
		{"missing name", "name: late-token\n", "", "late.yaml:1:1: name is missing: short name"},
		{"missing at", "at: 0.75T", "profile: web", `there is no key "profile" here; known: at, fault`},
		{"bad name", "late-token", "Late Token", `late.yaml:1:7: "Late Token" is no name; use small letters`},
		{"empty value", "ttl: 20s", "ttl:", "late.yaml:3:1: ttl has no value; give it one, or leave the line out"},
		{"bad duration", "ttl: 20s", "ttl: 20", `late.yaml:3:6: "20" does not fit: want a duration such as 10s or 24h`},
		{"part of a second", "ttl: 20s", "ttl: 1500ms", "late.yaml:3:6: 1.5s is no lifetime of a token; they live whole seconds"},
		{"bad instant", "at: 0.75T", "at: soon!", `late.yaml:5:9: "soon!" is no instant; write an offset such as 8s, a fraction of the life such as 0.8T, an event such as token.will_expire`},
		{"bad event", "at: 0.75T", "at: token.wil_expire", `late.yaml:5:9: there is no event "token.wil_expire" in the lane alice; known: token.requested`},
		{"bad lane", "[token.expired]", "[bob/token.expired]", `late.yaml:9:11: there is no lane "bob"; known: alice, emulator, token-server`},
		{"bad fault", "kind: status", "kind: statsu", `late.yaml:6:12: there is no fault "statsu" on token-server; known: refuse, status`},
		{"bad parameter", "status: 503", "status: 5030", `late.yaml:6:12: token-server status: status "5030": want a number from 200 to 599`},
		{"bad state", "final: online", "final: onlin", `late.yaml:10:10: "onlin" is not known here; use logged_out, fetching`},
		{"no end", "until: 1.2T\n", "", "late.yaml:1:1: until is missing: when the run ends and is judged"},
		{"nothing expected", "  never: [token.expired]\n  final: online\n", "  events: []\n", "late.yaml:9:3: nothing is expected, so nothing can fail"},
		{"two actions", "    fault:", "    network: down\n    fault:", "late.yaml:5:5: a step does one thing, and this one has fault and network"},
		{"list wanted", "never: [token.expired]", "never: token.expired", "late.yaml:9:10: want a list here"},
		{"not YAML", "expect:", "expect: [", "this is not YAML"},
		{"anchor", "ttl: 20s", "ttl: &life 20s", "late.yaml:3:6: anchors, aliases and tags are not taken"},
		{"twice", "ttl: 20s", "ttl: 20s\nttl: 30s", "late.yaml:4:1: this is not YAML: mapping key \"ttl\" already defined"},
		{"two documents", "  final: online\n", "  final: online\n---\nname: other\n", "late.yaml:12:1: a file holds one scenario"},
		{"fails with what", "ttl: 20s", "ttl: 20s\nfails_with: [{app: docs-flutter, check: [never token.lost]}]", `there is no check "never token.lost"; this scenario has: never token.expired; final`},
		{"no request a second", "final: online", "per_second: 0", `late.yaml:10:15: want 1 or more requests a second; how many`},
		{"a fault that is not there", "until: 1.2T", "  - {at: 1T, clear: dwon}\nuntil: 1.2T", `late.yaml:7:21: "dwon" is not known here; use all`},
		{"a fault that is called otherwise", "    fault: {target: token-server, kind: status, params: {status: 503}}\n", "    fault: {id: down, target: token-server, kind: status}\n  - {at: 1T, clear: dwon}\n", `late.yaml:7:21: "dwon" is not known here; use down, all`},
		{"a window that ends before it begins", "[token.expired]", "[{event: token.expired, in: 1T..0T}]", `late.yaml:9:38: the window 1T..0T ends before it begins`},
		{"a life that ends before it begins", "[token.expired]", "[{event: token.expired, left: 2s..0.05T}]", `late.yaml:9:40: the window 2s..0.05T ends before it begins`},
		{"a window behind an event", "[token.expired]", "[{event: token.expired, in: connected+2s..connected+1s}]", `late.yaml:9:38: the window connected+2s..connected+1s ends`},
		{"bad callback", "[token.expired]", "[{event: login.succeeded, callback: onLogn}]", `late.yaml:9:46: "onLogn" is not known here; use onConnected, onDisconnected, onError, onLogout, onTokenExpired, onTokenWillExpire`},
		{"callback of another SDK", "until: 1.2T\nexpect:\n  never: [token.expired]", "profile: web\nuntil: 1.2T\nexpect:\n  never: [{event: kicked, callback: onLogout}]", `late.yaml:10:37: "onLogout" is not known here; use onConnected, onDisconnected, onError, onTokenExpired`},
		{"trigger for nobody", "until: 1.2T", "  - {at: 1T, trigger: {event: kick, user: alcie}}\nuntil: 1.2T", `late.yaml:7:43: "alcie" is not known here; use alice, all`},
		{"trigger for a device", "until: 1.2T", "  - {at: 1T, trigger: {event: kick, user: bob}}\nusers: [alice@phone, alice@tablet]\nuntil: 1.2T", `"bob" is not known here; use alice, all`},
		{"fault for nobody", "kind: status,", "kind: status, user: alcie,", `late.yaml:6:55: "alcie" is not known here; use alice, echo`},
		{"one of the herd", "ttl: 20s", "ttl: 20s\nusers: [alice, herd001]\nherd: 1", "late.yaml:4:16: herd001 is one of the herd, which are herd001 to herd001"},
		{"a lane that is no user", "ttl: 20s", "ttl: 20s\nusers: [alice, emulator]", "late.yaml:4:16: nobody can be called emulator here; it has a meaning of its own, as have script, emulator, token-server, echo, all"},
		{"everybody", "ttl: 20s", "ttl: 20s\nusers: [alice]\nlater: [all@phone]", "late.yaml:5:9: nobody can be called all here"},
		{"bad count", "final: online", "requests: few", `late.yaml:10:13: "few" is no count; write a number, or a range such as 1..3`},
		{"bad window", "[token.expired]", "[{event: token.expired, in: 1T}]", `"1T" is no window; write two instants with .. between them`},
		{"shorthand that is none", "fault: {target: token-server, kind: status, params: {status: 503}}", "fault: status", "late.yaml:6:12: want keys here: id, target"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(whole, tc.old, tc.new, 1)
			if text == whole {
				t.Fatal("the test replaces nothing")
			}
			_, err := Parse("late.yaml", []byte(text))
			problems, ok := errors.AsType[Problems](err)
			if !ok {
				t.Fatalf("got %v, want problems", err)
			}
			if !strings.Contains(problems.Error(), tc.want) {
				t.Errorf("got\n%s\nwant\n%s", problems, tc.want)
			}
		})
	}
	for _, text := range []string{"", "# nothing\n", "---\n---\n"} {
		if _, err := Parse("empty.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "the file is empty") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		strings.Repeat("\n", maxFile+1):              "big.yaml:1:1: the file has more than 64 KiB",
		"a: b\n" + strings.Repeat("x", maxLine+1):    "big.yaml:2:2000: the line has more than 2000 bytes; break it",
		strings.Repeat("[\n", maxBrackets+1):         "big.yaml:1:1: the file has more than 1000 brackets",
		strings.Repeat("- ", maxLine/2):              "want keys here",
		"steps: " + strings.Repeat("[", maxBrackets): "this is not YAML",
	} {
		if _, err := Parse("big.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// All mistakes of a file are told at once, in the order of its lines.
func TestSeveralProblems(t *testing.T) {
	text := strings.NewReplacer("0.75T", "never", "final: online", "final: gone", "ttl: 20s", "ttl: 0.5s").Replace(whole)
	_, err := Parse("f.yaml", []byte(text))
	problems, _ := errors.AsType[Problems](err)
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if diff := cmp.Diff([]int{3, 5, 10}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s\n%v", diff, err)
	}
}

// What is written can be read again.
func TestSpansAndInstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := Span{
			Fraction: float64(rapid.IntRange(-5000, 5000).Draw(t, "fraction")) / 1000,
			Offset:   time.Duration(rapid.Int64Range(-1e7, 1e7).Draw(t, "ms")) * time.Millisecond,
		}
		want := Instant{Plus: span}
		if rapid.Bool().Draw(t, "event") {
			want.Event = rapid.SampledFrom([]string{"token.expired", "bob@tablet/connected", "token-server/request"}).Draw(t, "name")
			want.Nth = rapid.IntRange(1, 99).Draw(t, "nth")
		}
		var got Instant
		if err := got.parse(want.String()); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%+v is written %q and read %+v", want, want.String(), got)
		}
	})
	for text, want := range map[string]time.Duration{
		"0": 0, "8s": 8 * time.Second, "T": time.Minute, "0.8T-1s": 47 * time.Second, "1m+0.5T": 90 * time.Second, "-0.5T": -30 * time.Second,
	} {
		span, err := parseSpan(text)
		if err != nil || span.Of(time.Minute) != want {
			t.Errorf("%s is %v, %v; want %v", text, span.Of(time.Minute), err, want)
		}
	}
	for _, text := range []string{"", "s", "1", "+", "1T T", "0x1T", "1e3T", "NaNT", "5000T", "99999999h", "1s..2s"} {
		if span, err := parseSpan(text); err == nil {
			t.Errorf("%q is read as %v", text, span)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	for _, s := range Library() {
		text, err := Source(s.Name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(text))
	}
	for _, text := range []string{"- a", "name: &a [*a, *a]", "{{{{", "steps:\n  - at:\n", "? a\n: b", "<<: {}", "expect: !!binary aGk=", "a: |\n  b\n c", "\"\\x", "%YAML 1.2"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := Parse("f.yaml", content)
		if err == nil {
			if s == nil || len(s.Users) == 0 || s.TTL <= 0 || s.Until.Of(s.TTL) <= 0 {
				t.Fatalf("a scenario that cannot run was taken: %+v", s)
			}
			s.judge(evidence{ttl: s.TTL, over: true}) // and it can be judged
			return
		}
		problems, ok := errors.AsType[Problems](err)
		if !ok || len(problems) == 0 {
			t.Fatalf("an error without problems: %v", err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 {
				t.Fatalf("a problem without a place: %v", p)
			}
			for _, r := range p.Error() {
				if r < ' ' || r == 0x7f {
					t.Fatalf("%q could act on a terminal", p.Error())
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	content, err := os.ReadFile(filepath.Join("library", "s03-server-down-past-expiry.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("s03.yaml", content); err != nil {
			b.Fatal(err)
		}
	}
}

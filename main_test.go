package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// programs are what the tests can start by a name.
var programs = map[string]func(){"ttlchat": main}

func TestMain(m *testing.M) {
	// Scripts and screens wait for tokens to end most of the time, so more of them fit beside each other than there are processors.
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	testscript.Main(m, programs)
}

// TestScripts runs the command line as a user does; see testdata/script. What is typed into a session, and when, is the part of talk.sh, which
// each script finds in its directory.
func TestScripts(t *testing.T) {
	t.Parallel()
	stalls := feelPulse(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			return os.CopyFS(e.WorkDir, os.DirFS("testdata/shell"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"events": stalls.scriptEvents,
			"ready":  scriptReady,
		},
	})
}

// stalls are when this machine did not let anybody run in time. A pulse that should come every few milliseconds tells.
type stalls struct {
	mu   sync.Mutex
	list []stall
}

type stall struct{ from, to time.Time }

// feelPulse notes the stalls until the test ends.
func feelPulse(t *testing.T) *stalls {
	s := new(stalls)
	go func() {
		const pulse = 20 * time.Millisecond
		for t.Context().Err() == nil {
			due := time.Now().Add(pulse)
			time.Sleep(pulse)
			if now := time.Now(); now.Sub(due) > pulse {
				s.mu.Lock()
				s.list = append(s.list, stall{due, now})
				s.mu.Unlock()
			}
		}
	}()
	return s
}

// within is how much of the time between two instants was stalled.
func (s *stalls) within(from, to time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.list {
		sum += max(time.Duration(min(to.UnixNano(), st.to.UnixNano())-max(from.UnixNano(), st.from.UnixNano())), 0)
	}
	return sum
}

// scriptEvents checks a file of headless output: "events FILE name=count …", where count may be a number or "some". Every line must be a
// well-formed event, and token instants must be kept within a second in which the machine let programs run, unless the word "pushed" says that
// the emulator moved its clock. Bubbles check the exact instants; here a real program keeps them by a real clock. The word "unwarned" says that
// the lives are too short for will-expire, so that no instant of it may be told.
func (s *stalls) scriptEvents(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: events FILE name=count …")
	}
	counts := map[string]int{}
	pushed, unwarned := slices.Contains(args, "pushed"), slices.Contains(args, "unwarned")
	for text := range strings.Lines(ts.ReadFile(args[0])) {
		var e line
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		ts.Check(decoder.Decode(&e))
		at, err := time.Parse(time.RFC3339, e.At)
		ts.Check(err)
		if e.Event == "" || e.User == "" || e.ElapsedMS < 0 {
			ts.Fatalf("an event without name, user or time: %s", text)
		}
		counts[e.Event]++
		due := map[session.EventName]string{session.TokenWillExpire: e.WillExpireAt, session.TokenExpired: e.ExpiresAt}[session.EventName(e.Event)]
		if due != "" && !pushed {
			instant, err := time.Parse(time.RFC3339, due)
			ts.Check(err)
			if late := at.Sub(instant); late < 0 || late-s.within(instant, at) > time.Second {
				ts.Fatalf("%s came %v after its instant", e.Event, late)
			}
		}
		switch session.EventName(e.Event) {
		case session.LoginSucceeded, session.RenewSucceeded, session.TokenWillExpire, session.TokenExpired:
			if e.ExpiresAt == "" || (e.WillExpireAt == "") != unwarned || e.RemainingMS == nil {
				ts.Fatalf("%s does not tell the token's instants: %s", e.Event, text)
			}
		}
	}
	for _, arg := range args[1:] {
		if arg == "pushed" || arg == "unwarned" {
			continue
		}
		name, want, _ := strings.Cut(arg, "=")
		n, err := strconv.Atoi(want)
		if want == "some" && counts[name] > 0 || err == nil && counts[name] == n {
			continue
		}
		ts.Fatalf("%d times %s, want %s; all: %v", counts[name], name, want, counts)
	}
}

// scriptReady waits for the first line of a running serve --json and puts its addresses into the script's environment.
func scriptReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready FILE")
	}
	path := ts.MkAbs(args[0])
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		content, err := os.ReadFile(path) //nolint:gosec // the script names a file of its own
		if err != nil {
			continue
		}
		first, _, whole := bytes.Cut(content, []byte("\n"))
		if !whole {
			continue
		}
		var at ready
		ts.Check(json.Unmarshal(first, &at))
		if at.Event != "ready" || !strings.HasSuffix(at.ControlURL, "/_ctl/v1") || !strings.HasSuffix(at.WSURL, "/websocket") {
			ts.Fatalf("not what the first line should be: %s", first)
		}
		ts.Setenv("REST_URL", at.RESTURL)
		ts.Setenv("WS_URL", at.WSURL)
		ts.Setenv("TOKEN_URL", at.TokenURL)
		ts.Setenv("TTLCHAT_CONTROL_URL", at.ControlURL)
		return
	}
	ts.Fatalf("serve did not get ready")
}

func TestTextInJSONCannotActOnATerminal(t *testing.T) {
	var out bytes.Buffer
	text := "a\x1b[31m\x7f\u0085\u009b\u202e<b>é😀"
	if err := writeJSON(&out, line{Text: text}); err != nil {
		t.Fatal(err)
	}
	for _, r := range strings.TrimSuffix(out.String(), "\n") {
		if r < 0x20 || unsafe(r) {
			t.Errorf("%U is in the output %q", r, out.String())
		}
	}
	var back line
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Text != text {
		t.Errorf("the text came back as %q", back.Text)
	}
	if !strings.Contains(out.String(), "<b>é😀") {
		t.Errorf("harmless text was escaped: %s", out.String())
	}
}

func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		snapshot session.Snapshot
		fine     bool
	}{
		{session.Snapshot{State: session.Online}, true},
		{session.Snapshot{State: session.Expired, Reason: "the policy is to ignore it"}, true},
		{session.Snapshot{State: session.LoggedOut}, true},
		{session.Snapshot{State: session.Stopped, Reason: "wrong token"}, false},
		{session.Snapshot{State: session.Waiting, Attempt: 2, Reason: "no answer"}, false},
		{session.Snapshot{State: session.Fetching}, false},
		{session.Snapshot{State: session.Online, Unsent: 1}, false},
	} {
		if err := verdict(tc.snapshot); (err == nil) != tc.fine {
			t.Errorf("%+v: %v", tc.snapshot, err)
		}
	}
}

// The reader of commands must get over whatever comes in.
func FuzzInput(f *testing.F) {
	f.Add([]byte("hello\n/policy\n/nope\n//x\n"))
	f.Add(append(bytes.Repeat([]byte("x"), maxLine+5), '\n', '/', 'q', 'u', 'i', 't'))
	f.Fuzz(func(t *testing.T, data []byte) {
		var said bytes.Buffer
		s, err := session.Start(session.Config{User: "alice", Tokens: noTokens{}, RESTURL: "http://127.0.0.1:1", WSURL: "ws://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Login() // commands wait for the answer to the first one
		h := &headless{wiring: &wiring{}, session: s, stderr: &said, quit: func() {}, peer: "echo"}
		h.read(t.Context(), bufio.NewReaderSize(bytes.NewReader(data), maxLine))
		for _, r := range said.String() {
			if r != '\n' && (r < 0x20 || unsafe(r)) {
				t.Errorf("%U reached the terminal in %q", r, said.String())
			}
		}
	})
}

// noTokens is a token source that has none.
type noTokens struct{}

func (noTokens) Fetch(context.Context, tokenclient.Request) (tokenclient.Token, error) {
	return tokenclient.Token{}, errors.New("none")
}
func (noTokens) Renewable() bool { return false }

// What the emulator does not simulate stands in the README, in the words of its own table.
func TestREADMETellsTheGaps(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range fakeserver.Gaps() {
		if !strings.Contains(string(readme), "\n  - "+gap.Feature+"\n") {
			t.Errorf("README.md does not say that %q is not simulated", gap.Feature)
		}
	}
}

func TestVariables(t *testing.T) {
	for flag, want := range map[string]string{"app-certificate": "AGORA_APP_CERTIFICATE", "on-will-expire": "TTLCHAT_ON_WILL_EXPIRE"} {
		if got := variable(flag); got != want {
			t.Errorf("%s is set by %s, want %s", flag, got, want)
		}
	}
}

// The help is wrapped where it is shown: a line that ends within a paragraph would be broken twice.
func TestHelpIsWrappedOnce(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		for paragraph := range strings.SplitSeq(cmd.Long, "\n\n") {
			if strings.Contains(strings.TrimSpace(paragraph), "\n") {
				t.Errorf("%s: the help has a line that ends within a paragraph: %q", cmd.CommandPath(), paragraph)
			}
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(newRoot(true))
}

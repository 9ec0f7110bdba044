package session_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// The scenarios S01 to S30 of token-lifecycle.md section 6 are in the files that begin with s. Each lives in a world of its own, with a real
// emulator over HTTP and WebSocket, tells the whole story and counts what the emulator saw. Those that a sample behaviour must fail are
// functions of a world, so that they run with the sample, too.

// requests is what the emulator saw. Refused counts refused logins of the gateway.
type requests struct{ Fetches, Exchanges, Checks, Sessions, Refused int }

// saw compares what the emulator saw with what it should have seen.
func (w *world) saw(want requests) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.requests()); diff != "" {
		w.t.Errorf("the emulator saw other requests (-want +got):\n%s", diff)
	}
}

func (w *world) requests() requests {
	w.t.Helper()
	var got requests
	for _, e := range w.entries() {
		switch {
		case e.Name == fakeserver.SessionOpened:
			got.Sessions++
		case e.Name == fakeserver.SessionRefused:
			got.Refused++
		case e.Name != fakeserver.RESTRequest:
		case strings.HasSuffix(e.Path, "/generate-user-token"):
			got.Fetches++
		case strings.HasSuffix(e.Path, "/token"):
			got.Exchanges++
		case strings.HasSuffix(e.Path, "/token/expires"):
			got.Checks++
		}
	}
	return got
}

// entries is the whole journal.
func (w *world) entries() []fakeserver.Entry {
	synctest.Wait()
	entries, _ := w.server.Journal(0).Next(canceled()) // the error says that there are none
	return entries
}

// fault makes something go wrong until it is cleared; count limits how often, and params are name=value.
func (w *world) fault(target fakeserver.FaultTarget, kind string, count int, params ...string) (id string) {
	w.t.Helper()
	f := fakeserver.Fault{Target: target, Kind: kind, Count: count, Params: fakeserver.FaultParams{}}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		f.Params[name] = value
	}
	id, err := w.server.AddFault(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// Short names of the targets.
const (
	tokenServer = fakeserver.FaultTokenServer
	provision   = fakeserver.FaultProvision
	linkFault   = fakeserver.FaultLink
	rest        = fakeserver.FaultREST
	message     = fakeserver.FaultMessage
)

// witness is a test that notes failures instead of failing.
type witness struct {
	testing.TB

	mu       sync.Mutex
	failures []string
}

func (r *witness) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, text)
}

// Error implements testing.TB.
func (r *witness) Error(args ...any) { r.note(fmt.Sprintln(args...)) }

// Errorf implements testing.TB.
func (r *witness) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }

// Fatal implements testing.TB.
func (r *witness) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

// Fatalf implements testing.TB.
func (r *witness) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// Each sample behaviour fails the scenario that it should fail, and says why.
func TestSampleBehavioursFail(t *testing.T) {
	for _, tc := range []struct {
		app, scenario string
		run           func(w *world)
		words         []string
	}{
		{"docs-web-2021", "S04", s04, []string{"renew.failed 201", "> logging_in"}},
		{"no-single-flight", "S06", s06, []string{"Fetches:", "3"}},
		{"fixed-lead-60s", "S12", s12, []string{"fetches in 4m0s"}},
		{"trusts-local-clock", "S13", s13, []string{"40m0s > renewing"}},
		{"retry-forever", "S24", s24, []string{"state ", "want stopped", "Fetches:"}},
		{"docs-flutter", "S25", s25, []string{"login.failed 108", "> logging_in"}},
	} {
		t.Run(tc.app+"/"+tc.scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				app, ok := session.BehaviourByName(tc.app)
				if !ok {
					t.Fatal("there is no such behaviour")
				}
				noted := &witness{TB: t}
				over := make(chan struct{})
				go func() { // a scenario that is given up ends this goroutine
					defer close(over)
					w := newWorld(noted, fakeserver.Config{})
					w.behaviour = app
					tc.run(w)
				}()
				<-over
				failures := strings.Join(noted.failures, "\n")
				if failures == "" {
					t.Fatalf("%s passes %s", tc.app, tc.scenario)
				}
				for _, word := range tc.words {
					if !strings.Contains(failures, word) {
						t.Errorf("%s fails %s, but not with %q:\n%s", tc.app, tc.scenario, word, failures)
					}
				}
			})
		})
	}
}

func TestBehaviours(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range session.Behaviours() {
		if found, ok := session.BehaviourByName(b.Name); !ok || found != b || seen[b.Name] || b.Meaning == "" || b.Source == "" {
			t.Errorf("%+v", b)
		}
		seen[b.Name] = true
	}
	if session.Behaviours()[0] != session.Correct {
		t.Error("the right behaviour is not the first")
	}
	if _, ok := session.BehaviourByName("hopeful"); ok {
		t.Error("there is a behaviour that nobody wrote")
	}
}

// most is the largest number of events of a name within any span.
func (p *person) most(name session.EventName, span time.Duration) int {
	var at []time.Time
	for _, e := range p.all() {
		if e.Name == name {
			at = append(at, e.At)
		}
	}
	return crowd(at, span)
}

// crowd is the largest number of instants, which are in order, within any span.
func crowd(at []time.Time, span time.Duration) int {
	most, from := 0, 0
	for i, t := range at {
		for t.Sub(at[from]) >= span {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

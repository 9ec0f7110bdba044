// Package fakeservertest runs the emulator of package fakeserver in Go tests, as net/http/httptest runs HTTP servers: [Start] returns one
// that is listening, with its addresses, and ends it with the test.
//
//	func TestRenewal(t *testing.T) {
//		e := fakeservertest.Start(t, fakeserver.Config{})
//		app := myapp.Start(e.TokenURL, e.RESTURL, e.WSURL) // the code under test
//		e.Wait(fakeserver.SessionOpened, "alice", 5*time.Second)
//		e.TriggerWillExpire("alice") // the SDK fires its callback now, however long the token lives
//		e.Wait(fakeserver.SessionRenewed, "alice", 5*time.Second)
//		...
//	}
//
// [StartInMemory] does the same without sockets, so that a test inside a testing/synctest bubble can let a token of 24 hours live and die in
// no time. Whatever fails says what the emulator saw, line by line.
package fakeservertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

// TB is what the helpers need of a test; every testing.TB is one.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Emulator is a running emulator. Its methods other than those of the embedded server are for the test's goroutine.
type Emulator struct {
	*fakeserver.Server
	// RESTURL is the REST base without org and app, WSURL the gateway, TokenURL the token server's address for POST {"user_uuid", "expire"},
	// and ControlURL the control API.
	RESTURL, WSURL, TokenURL, ControlURL string
	// Org, App and AppID are the emulator's project.
	Org, App, AppID string
	// DialContext reaches the emulator, and must be used for it after StartInMemory.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	t    TB
	cfg  fakeserver.Config
	seen uint64 // the number of the last entry that Wait returned
}

// closing bounds the end of an emulator: what is not done by then is cut.
const closing = 10 * time.Second

// Start runs an emulator on ports of its own on 127.0.0.1 until the test ends. The zero configuration is a complete one.
func Start(t TB, cfg fakeserver.Config) *Emulator {
	t.Helper()
	var listeners [2]net.Listener
	for i := range listeners {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("fakeservertest: %v", err)
		}
		listeners[i] = l
	}
	return start(t, cfg, listeners[0], listeners[1], new(net.Dialer).DialContext)
}

// StartInMemory runs an emulator that only DialContext reaches. Inside a testing/synctest bubble its clock is the bubble's.
func StartInMemory(t TB, cfg fakeserver.Config) *Emulator {
	t.Helper()
	network := pipenet.New()
	return start(t, cfg, network.Listen("chat:80"), network.Listen("tokens:80"), network.DialContext)
}

func start(t TB, cfg fakeserver.Config, chat, tokens net.Listener, dial func(context.Context, string, string) (net.Conn, error)) *Emulator {
	t.Helper()
	if cfg.AppID == "" && cfg.AppCertificate == "" {
		cfg.AppID, cfg.AppCertificate = fakeserver.DemoAppID, fakeserver.DemoAppCertificate
	}
	if cfg.Org == "" && cfg.App == "" {
		cfg.Org, cfg.App = fakeserver.DemoOrg, fakeserver.DemoApp
	}
	server, err := fakeserver.New(cfg)
	if err != nil {
		t.Fatalf("%v", err)
	}
	e := &Emulator{
		Server: server, Org: cfg.Org, App: cfg.App, AppID: cfg.AppID, DialContext: dial, t: t, cfg: cfg,
		RESTURL: "http://" + host(chat), WSURL: "ws://" + host(chat) + "/websocket",
		TokenURL: "http://" + host(tokens) + "/generate-user-token", ControlURL: "http://" + host(chat) + fakeserver.ControlPath,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(chat, tokens) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Errorf("the emulator did not end in time: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("the emulator failed: %v", err)
		}
	})
	return e
}

func host(l net.Listener) string { return strings.TrimSuffix(l.Addr().String(), ":80") }

// HTTPClient returns a client that reaches the emulator. Its idle connections are closed with the test.
func (e *Emulator) HTTPClient() *http.Client {
	transport := &http.Transport{DialContext: e.DialContext}
	e.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Token returns a new 007 token of the emulator's project, issued now by the emulator's clock. Lifetimes count whole seconds.
func (e *Emulator) Token(user string, lifetime time.Duration) string {
	e.t.Helper()
	project := agoratoken.Credentials{AppID: e.cfg.AppID, Certificate: agoratoken.Certificate(e.cfg.AppCertificate)}
	token, err := agoratoken.BuildUser(project, user, uint32(max(lifetime/time.Second, 0)), e.Now()) //nolint:gosec // wrong tokens may be wanted, too
	if err != nil {
		e.t.Fatalf("no token for %q: %v", user, err)
	}
	return token
}

// Fault makes something go wrong until the returned function is called, or the test ends.
func (e *Emulator) Fault(f fakeserver.Fault) (lift func()) {
	e.t.Helper()
	id, err := e.AddFault(f)
	if err != nil {
		e.t.Fatalf("no such fault: %v", err)
	}
	return func() { e.ClearFault(id) }
}

// Wait returns the next journal entry of that name and user behind the one that the last Wait returned; an empty user is anybody. It waits
// for it, and fails the test when it does not come in time.
func (e *Emulator) Wait(name fakeserver.EntryName, user string, timeout time.Duration) fakeserver.Entry {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	journal := e.Journal(e.seen)
	for {
		entries, err := journal.Next(ctx)
		if err != nil {
			e.t.Fatalf("no %s%s within %v; the emulator saw\n%s", name, of(user), timeout, e.Timeline())
			return fakeserver.Entry{}
		}
		for _, entry := range entries {
			if entry.Name == name && (user == "" || entry.User == user) {
				e.seen = entry.Seq
				return entry
			}
		}
	}
}

// Count returns how many journal entries of that name and user there are by now; an empty user is anybody.
func (e *Emulator) Count(name fakeserver.EntryName, user string) int {
	n := 0
	for _, entry := range e.entries(0) {
		if entry.Name == name && (user == "" || entry.User == user) {
			n++
		}
	}
	return n
}

// Requests returns how many HTTP calls there were by now whose path ends so: "/generate-user-token" for the token server, "/token" for
// exchanges, "" for all.
func (e *Emulator) Requests(path string) int {
	n := 0
	for _, entry := range e.entries(0) {
		if entry.Name == fakeserver.RESTRequest && strings.HasSuffix(entry.Path, path) {
			n++
		}
	}
	return n
}

// NoMore fails the test when one of these entries comes within the given time, counted from now; without names, when anything comes but frames.
func (e *Emulator) NoMore(quiet time.Duration, names ...fakeserver.EntryName) {
	e.t.Helper()
	last := uint64(0)
	if before := e.all(0); len(before) > 0 {
		last = before[len(before)-1].Seq
	}
	time.Sleep(quiet)
	for _, entry := range e.entries(last) {
		wanted := len(names) == 0
		for _, name := range names {
			wanted = wanted || name == entry.Name
		}
		if wanted {
			e.t.Errorf("there is a %s%s within %v; the emulator saw\n%s", entry.Name, of(entry.User), quiet, e.Timeline())
			return
		}
	}
}

// Timeline is what the emulator saw, one line for each entry, without frames and without any whole token.
func (e *Emulator) Timeline() string {
	var b strings.Builder
	var start time.Time
	for _, entry := range e.entries(0) {
		if start.IsZero() {
			start = entry.At
		}
		line := fmt.Sprintf("%12s  %-20s %-10s %s", entry.At.Sub(start).Round(time.Millisecond), entry.Name, entry.User, entry.Summary())
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

// entries are the journal's without frames, after a number.
func (e *Emulator) entries(after uint64) []fakeserver.Entry {
	var list []fakeserver.Entry
	for _, entry := range e.all(after) {
		if entry.Name != fakeserver.FrameIn && entry.Name != fakeserver.FrameOut {
			list = append(list, entry)
		}
	}
	return list
}

func (e *Emulator) all(after uint64) []fakeserver.Entry {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // only what is there already
	entries, err := e.Journal(after).Next(ctx)
	if err != nil {
		return nil
	}
	return entries
}

func of(user string) string {
	if user == "" {
		return ""
	}
	return " of " + user
}

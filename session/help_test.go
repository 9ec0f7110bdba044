package session_test

import (
	stdcmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/pipenet"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// world is a real emulator and the network to it, inside a bubble.
type world struct {
	t      testing.TB
	net    *pipenet.Network
	server *fakeserver.Server
	start  time.Time
	// behaviour is that of every person in the world.
	behaviour session.Behaviour

	mu      sync.Mutex
	weather func(ctx context.Context, address string) error
}

func newWorld(t testing.TB, cfg fakeserver.Config) *world {
	t.Helper()
	w := &world{t: t, net: pipenet.New(), start: time.Now().Round(0)}
	w.serve(cfg)
	return w
}

// serve starts an emulator, which the test's end closes.
func (w *world) serve(cfg fakeserver.Config) {
	w.t.Helper()
	cfg.JournalSize = stdcmp.Or(cfg.JournalSize, 100_000)
	server, err := fakeserver.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = server
	served := make(chan error, 1)
	chatListener, tokenListener := w.net.Listen("chat:80"), w.net.Listen("tokens:80")
	go func() { served <- server.Serve(chatListener, tokenListener) }()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			w.t.Errorf("close: %v", err)
		}
		if err := <-served; err != nil {
			w.t.Errorf("serve: %v", err)
		}
	})
}

// setWeather says what happens to a new connection before it is made; nil means fine weather.
func (w *world) setWeather(f func(ctx context.Context, address string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.weather = f
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	weather := w.weather
	w.mu.Unlock()
	if weather != nil {
		if err := weather(ctx, address); err != nil {
			return nil, err
		}
	}
	return w.net.DialContext(ctx, network, address)
}

var errRefused = errors.New("connection refused")

// down refuses connections to the given addresses, or to all when there are none.
func down(addresses ...string) func(context.Context, string) error {
	return func(_ context.Context, address string) error {
		for _, a := range addresses {
			if a == address {
				return errRefused
			}
		}
		if len(addresses) == 0 {
			return errRefused
		}
		return nil
	}
}

// slow delays the next connection to an address.
func slow(address string, delay time.Duration) func(context.Context, string) error {
	var delayed atomic.Bool
	return func(ctx context.Context, a string) error {
		if a != address || delayed.Swap(true) {
			return nil
		}
		select {
		case <-time.After(delay):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tokens is a client of the token server at a host.
func (w *world) tokens(host string) *tokenclient.Client {
	w.t.Helper()
	shape, _ := tokenclient.Preset("go")
	tokens, err := tokenclient.New(tokenclient.Config{
		URL: "http://" + host + "/generate-user-token", Shape: shape, AppID: fakeserver.DemoAppID, DialContext: w.dial,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(tokens.Close)
	return tokens
}

// answer is one answer of an app's own token server that misbehaves; good gives the answer of a sound one.
type answer func(rw http.ResponseWriter, good func())

// badTokens is a client of a token server of its own that gives these answers, the last one again and again. asked counts the requests.
func (w *world) badTokens(asked *int, answers ...answer) *tokenclient.Client {
	w.t.Helper()
	return w.tokensOf(asked, func(rw http.ResponseWriter, _ *http.Request, good func()) {
		answers[min(*asked, len(answers))-1](rw, good)
	})
}

// tokensOf is a client of a token server of its own.
func (w *world) tokensOf(asked *int, answer func(rw http.ResponseWriter, r *http.Request, good func())) *tokenclient.Client {
	w.t.Helper()
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		*asked++
		body, _ := io.ReadAll(r.Body)
		answer(rw, r, func() {
			var want struct {
				User   string `json:"user_uuid"`
				Expire uint32 `json:"expire"`
			}
			_ = json.Unmarshal(body, &want)
			_ = json.NewEncoder(rw).Encode(map[string]string{"token": w.token(want.User, time.Duration(want.Expire)*time.Second, 0)})
		})
	})}
	listener := w.net.Listen("bad:80")
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = server.Serve(listener) // ends by Close alone
	}()
	w.t.Cleanup(func() {
		_ = server.Close()
		<-over
	})
	return w.tokens("bad")
}

func sound(_ http.ResponseWriter, good func()) { good() }

// says answers with a status and a body.
func says(status int, body string) answer {
	return func(rw http.ResponseWriter, _ func()) {
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

// gives answers with a token.
func gives(token string) answer { return says(http.StatusOK, fmt.Sprintf(`{"token":%q}`, token)) }

// token builds a token of the demo project, issued at an age.
func (w *world) token(user string, lifetime, age time.Duration) string {
	w.t.Helper()
	text, err := agoratoken.BuildUser(demo, user, uint32(lifetime.Seconds()), w.server.Now().Add(-age))
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

var demo = agoratoken.Credentials{AppID: fakeserver.DemoAppID, Certificate: fakeserver.DemoAppCertificate}

// journal counts what the emulator noted: entries of that name whose path, if any is given, ends so.
func (w *world) journal(name fakeserver.EntryName, path string) int {
	w.t.Helper()
	n := 0
	for _, e := range w.entries() {
		if e.Name == name && strings.HasSuffix(e.Path, path) {
			n++
		}
	}
	return n
}

// fetches counts the requests that the emulator's token server got.
func (w *world) fetches() int { return w.journal(fakeserver.RESTRequest, "/generate-user-token") }

// canceled is for reading what is there without waiting for more.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// person is a user's session, with what it has told so far.
type person struct {
	*session.Session
	w      *world
	reader *session.Reader
	events []session.Event
	said   []string  // what was sent, in order
	shown  int       // how many events the last story ended with
	zero   time.Time // from where toldAt counts, by the session's clock
	closed bool
}

// person starts a session in the world; change may alter its configuration.
func (w *world) person(user string, lifetime time.Duration, change func(*session.Config)) *person {
	w.t.Helper()
	cfg := session.Config{
		User: user, Lifetime: lifetime, RESTURL: "http://chat", WSURL: "ws://chat/websocket", Org: fakeserver.DemoOrg, App: fakeserver.DemoApp,
		DialContext: w.dial, History: 100_000, Behaviour: w.behaviour,
	}
	if change != nil {
		change(&cfg)
	}
	if cfg.Tokens == nil {
		cfg.Tokens = w.tokens("tokens")
	}
	s, err := session.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &person{Session: s, w: w, reader: s.Follow(), zero: w.start.Add(cfg.ClockOffset)}
	w.t.Cleanup(p.close)
	return p
}

func (p *person) close() {
	if !p.closed {
		p.closed = true
		p.Close()
	}
}

// online logs in and looks no further back.
func (w *world) online(user string, lifetime time.Duration, change func(*session.Config)) *person {
	w.t.Helper()
	p := w.person(user, lifetime, change)
	p.Login()
	p.skip()
	p.is(session.Online)
	return p
}

// all returns every event up to now.
func (p *person) all() []session.Event {
	p.w.t.Helper()
	synctest.Wait()
	events, err := p.reader.Next(canceled())
	if err == nil {
		p.events = append(p.events, events...)
	}
	return p.events
}

// skip leaves what has happened out of the next story.
func (p *person) skip() { p.shown = len(p.all()) }

// news returns what has happened since the last look.
func (p *person) news() []session.Event {
	events := p.all()[p.shown:]
	p.skip()
	return events
}

// told compares what has happened since the last look with a story of one line an event.
func (p *person) told(want string) {
	p.w.t.Helper()
	p.compare(want, line)
}

// toldAt is told with the instants, counted from the start of the world by the session's clock.
func (p *person) toldAt(want string) {
	p.w.t.Helper()
	p.compare(want, func(e session.Event) string { return fmt.Sprintf("%v %s", e.At.Sub(p.zero), line(e)) })
}

// toldAbout is toldAt with instants in whole seconds, for clocks that are known no better.
func (p *person) toldAbout(want string) {
	p.w.t.Helper()
	p.compare(want, func(e session.Event) string {
		return fmt.Sprintf("%v %s", e.At.Sub(p.zero).Round(time.Second), line(e))
	})
}

func (p *person) compare(want string, line func(session.Event) string) {
	p.w.t.Helper()
	var wanted, got []string
	for l := range strings.Lines(want) {
		if l = strings.TrimSpace(l); l != "" {
			wanted = append(wanted, l)
		}
	}
	for _, e := range p.news() {
		got = append(got, line(e))
	}
	if longest := len(wanted) + 40; len(got) > longest { // a storm needs no whole telling
		got = append(got[:longest:longest], fmt.Sprintf("and %d events more", len(got)-longest))
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		p.w.t.Errorf("the story is another one (-want +got):\n%s", diff)
	}
}

// line is an event in a few words: a new state, or the name with the callback, the code and the text that belong to it.
func line(e session.Event) string {
	if e.Name == session.StateChanged {
		return "> " + string(e.New)
	}
	l := string(e.Name)
	if e.Callback != "" {
		l += " " + e.Callback
	}
	if e.Code != 0 {
		l += fmt.Sprintf(" %d", int(e.Code))
	}
	if e.Text != "" {
		l += fmt.Sprintf(" %s>%s %q", e.From, e.To, e.Text)
	}
	return l
}

// count is how many events of a name there are so far.
func (p *person) count(name session.EventName) int {
	n := 0
	for _, e := range p.all() {
		if e.Name == name {
			n++
		}
	}
	return n
}

// last returns the newest event of a name.
func (p *person) last(name session.EventName) session.Event {
	p.w.t.Helper()
	events := p.all()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Name == name {
			return events[i]
		}
	}
	p.w.t.Errorf("no %s has happened", name)
	return session.Event{}
}

// is checks the state, and that its reason contains words.
func (p *person) is(state session.State, words ...string) {
	p.w.t.Helper()
	synctest.Wait()
	snap := p.Snapshot()
	if snap.State != state {
		p.w.t.Errorf("state %s (%s), want %s", snap.State, snap.Reason, state)
	}
	contains(p.w.t, snap.Reason, words...)
}

func contains(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not say %q", text, word)
		}
	}
}

// send sends a text that must be taken.
func (p *person) send(to, text string) string {
	p.w.t.Helper()
	id, err := p.Send(to, text)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.said = append(p.said, text)
	return id
}

// policy sets both answers.
func (p *person) policy(willExpire session.OnWillExpire, expired session.OnExpired) {
	p.w.t.Helper()
	if err := p.SetPolicy(session.Policy{OnWillExpire: willExpire, OnExpired: expired}); err != nil {
		p.w.t.Fatal(err)
	}
	synctest.Wait()
}

// withProfile is a change for person.
func withProfile(p chat.Profile) func(*session.Config) {
	return func(cfg *session.Config) { cfg.Profile = p }
}

// withTokens is a change for person.
func withTokens(source tokenclient.Source) func(*session.Config) {
	return func(cfg *session.Config) { cfg.Tokens = source }
}

// inWorld runs a test in a bubble with an emulator.
func inWorld(t *testing.T, cfg fakeserver.Config, f func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(newWorld(t, cfg)) })
}

// code is a code as a line of a story shows it.
func code(c chat.Code) string { return strconv.Itoa(int(c)) }

// swallower is a connection whose other end can go away without a word.
type swallower struct {
	net.Conn
	dead, deaf atomic.Bool // nothing goes out, nothing comes in
}

// Write implements net.Conn.
func (s *swallower) Write(b []byte) (int, error) {
	if s.dead.Load() {
		return len(b), nil
	}
	return s.Conn.Write(b)
}

// Read implements net.Conn.
func (s *swallower) Read(b []byte) (int, error) {
	for {
		n, err := s.Conn.Read(b)
		if err != nil || !s.deaf.Load() {
			return n, err
		}
	}
}

// swallowing is a change for person that keeps the newest connection at hand.
func (w *world) swallowing(newest *atomic.Pointer[swallower]) func(*session.Config) {
	return func(cfg *session.Config) {
		cfg.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := w.dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			s := &swallower{Conn: conn}
			newest.Store(s)
			return s, nil
		}
	}
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// drainTimeout bounds the end of the emulator: what is not done by then is cut.
const drainTimeout = 5 * time.Second

// screenExchanges is how many HTTP calls the screen can show with their bodies.
const screenExchanges = 1000

// runClient runs the session with or without a screen.
func runClient(ctx context.Context, o *options, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.checkClient(); err != nil {
		return err
	}
	log, closeLog, err := o.openLog()
	if err != nil {
		return err
	}
	defer closeLog.Close()
	input := bufio.NewReaderSize(stdin, maxLine)
	pasted, err := o.pastedToken(ctx, input)
	if err != nil {
		return err
	}
	w, err := o.wire(pasted, log)
	if err != nil {
		return err
	}
	defer w.close()
	if !o.headless && !isTerminal(stdout) {
		_, _ = fmt.Fprintln(stderr, "ttlchat: standard output is no terminal, so this runs without a screen, as with --headless")
		o.headless = true
	}
	if err := w.startRecorder(o); err != nil {
		return err
	}
	if o.headless {
		err = runHeadless(ctx, o, w, input, stdout, stderr)
	} else {
		err = runScreen(ctx, o, w)
	}
	if o.record != "" {
		err = errors.Join(err, writeRecording(o.record, w.recorder.Write, stderr))
	}
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// pastedToken is a token that was got elsewhere, or "".
func (o *options) pastedToken(ctx context.Context, input *bufio.Reader) (string, error) {
	token := os.Getenv(pastedToken)
	if o.tokenStdin {
		line, err := unlessEnded(ctx, func() (string, error) { return input.ReadString('\n') })
		if token = strings.TrimSpace(line); token == "" {
			if err != nil && !errors.Is(err, io.EOF) {
				return "", fmt.Errorf("--token-stdin: %w", err)
			}
			return "", usage("--token-stdin: the first line of standard input is empty; it must hold the token")
		}
	}
	if token != "" && o.tokenURL != "" {
		return "", usage("a pasted token and %s exclude each other; leave one out", setting("token-url"))
	}
	return token, nil
}

// unlessEnded waits for something that does not look at ctx, such as a read of the standard input, and gives it up when ctx ends. What was given
// up ends with the process.
func unlessEnded[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), context.Cause(ctx)
	}
}

// wiring is everything around a session: the emulator where it is wanted, and the addresses of the three services.
type wiring struct {
	server                   *fakeserver.Server // nil when nothing of it is used
	served                   chan error
	restURL, wsURL, tokenURL string
	org, app, appID          string
	pasted                   string
	shape                    tokenclient.Shape
	password                 tokenclient.Secret
	log                      *slog.Logger
	// watch, where there is one, sees the tokens that a session fetches.
	watch func(tokenclient.Source) tokenclient.Source
	// recorder, where there is one, takes down what is done.
	recorder *scenario.Recorder
	// history is how many events a session holds, 0 for as many as it likes.
	history int
	// hasChat and hasTokens say which parts are the emulator's.
	hasChat, hasTokens bool
}

// wire starts the parts of the emulator that the flags do not replace.
func (o *options) wire(pasted string, log *slog.Logger) (*wiring, error) {
	org, app, err := o.splitAppKey()
	if err != nil {
		return nil, err
	}
	w := &wiring{restURL: o.restURL, wsURL: o.wsURL, tokenURL: o.tokenURL, org: org, app: app, appID: o.appID, pasted: pasted, log: log}
	w.restURL = strings.TrimRight(w.restURL, "/")
	if w.shape, w.password, err = o.shape.load(tokenclient.Preset, tokenclient.Presets()); err != nil {
		return nil, err
	}
	needsChat, needsTokens := w.restURL == "" || w.wsURL == "", w.tokenURL == "" && pasted == "" && w.shape.NeedsAddress()
	if !needsChat && !needsTokens {
		return w, nil
	}
	exchanges := screenExchanges
	if o.headless {
		exchanges = 0
	}
	if w.server, err = o.newEmulator(log, exchanges); err != nil {
		return nil, err
	}
	var chatListener, tokenListener net.Listener
	if needsChat {
		if chatListener, err = listen("127.0.0.1:0"); err != nil {
			return nil, err
		}
		w.hasChat = true
		w.restURL = orElse(w.restURL, "http://"+chatListener.Addr().String())
		w.wsURL = orElse(w.wsURL, "ws://"+chatListener.Addr().String()+"/websocket")
	}
	if needsTokens {
		if tokenListener, err = listen("127.0.0.1:0"); err != nil {
			return nil, err
		}
		w.hasTokens = true
		w.tokenURL = w.shape.Address("http://" + tokenListener.Addr().String())
	}
	if w.appID == "" && w.hasChat {
		w.appID = fakeserver.DemoAppID
	}
	w.served = make(chan error, 1)
	go func() { w.served <- w.server.Serve(chatListener, tokenListener) }()
	return w, nil
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// listen listens without TCP's own probes: who is silent for too long is found out anyway, and to ask for them is a twentieth of what a new
// connection costs.
func listen(address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

func (w *wiring) close() {
	if w.server == nil {
		return
	}
	ended := within(2*drainTimeout, func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if err := w.server.Close(ctx); err != nil {
			w.log.Warn("the emulator was cut short", "error", err)
		}
		if err := <-w.served; err != nil {
			w.log.Error("the emulator failed", "error", err)
		}
	})
	if !ended {
		w.log.Error("the emulator did not end")
	}
}

// person is who logs in, and with what; the login screen may change it.
type person struct {
	user, profile, tokenURL, restURL, wsURL string
	ttl                                     time.Duration
}

func (o *options) person(w *wiring) person {
	return person{user: o.user, profile: o.profile, tokenURL: w.tokenURL, restURL: w.restURL, wsURL: w.wsURL, ttl: o.ttl}
}

// open starts a session; nobody is logged in yet. closeTokens ends the token source after the session.
func (w *wiring) open(p person, o *options) (s *session.Session, closeTokens func(), err error) {
	profile, _ := chat.ProfileByName(p.profile)
	behaviour, _ := session.BehaviourByName(o.app)
	config := tokenclient.Config{URL: p.tokenURL, Shape: w.shape, AppID: w.appID, Password: w.password}
	if profile.Local {
		config.Service = tokenclient.ServiceRTC
		if o.shape.standard() {
			config.Shape = tokenclient.RTCPreset()
		}
		if u, err := url.Parse(p.tokenURL); err == nil && w.hasTokens && p.tokenURL == w.tokenURL {
			config.URL = config.Shape.Address(u.Scheme + "://" + u.Host)
		}
	}
	var tokens tokenclient.Source
	closeTokens = func() {}
	if w.pasted != "" {
		tokens = tokenclient.Pasted(w.pasted, config)
	} else {
		client, err := tokenclient.New(config)
		if err != nil {
			return nil, nil, usageError{err}
		}
		tokens, closeTokens = client, client.Close
	}
	if w.watch != nil {
		tokens = w.watch(tokens)
	}
	s, err = session.Start(session.Config{
		User: p.user, Lifetime: p.ttl, Profile: profile, Policy: o.policy(), Behaviour: behaviour, Spread: o.spread, Tokens: tokens,
		RESTURL: p.restURL, WSURL: p.wsURL, Org: w.org, App: w.app, History: w.history, Log: w.log,
	})
	if err == nil {
		w.record(p, o, s)
	}
	return s, closeTokens, err
}

// where names the service for a person.
func (w *wiring) where() string {
	if w.hasChat {
		return "emulator"
	}
	if u, err := url.Parse(w.wsURL); err == nil {
		return u.Host
	}
	return w.wsURL
}

// noEmulator says why the keys that need the emulator cannot act.
func (w *wiring) noEmulator() string {
	return "this needs the built-in emulator, and the chat service is " + w.where() + "; start ttlchat without --rest-url and --ws-url"
}

// expire makes the emulator push its clock past the end of the user's token.
func (w *wiring) expire(user string) error {
	if !w.hasChat {
		return errors.New(w.noEmulator())
	}
	w.did(scenario.Step{Trigger: &scenario.Trigger{Event: "expire", User: user}})
	if w.server.TriggerExpire(user) == 0 {
		return fmt.Errorf("%s is not online, so there is nobody to tell", user)
	}
	return nil
}

// skip jumps both clocks to the next thing that the session waits for, and says what that is.
func (w *wiring) skip(s *session.Session) (string, error) {
	if !w.hasChat || !w.hasTokens && w.pasted == "" {
		return "", errors.New("skipping moves the clocks of the client, the chat service and the token server together; " +
			"it needs the built-in emulator for all of them")
	}
	what, at := s.Snapshot().Next()
	if at.IsZero() {
		return "", errors.New("nothing is waiting to happen, so there is nothing to skip to")
	}
	d := at.Sub(s.Now())
	if d > 0 {
		w.did(scenario.Step{Sleep: &scenario.Span{Offset: d}})
		w.server.JumpClock(d)
		s.JumpClock(d)
	}
	return fmt.Sprintf("%s, %v ahead", what, d.Round(time.Millisecond)), nil
}

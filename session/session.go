// Package session is the app on top of the SDK: it fetches tokens, logs in, and decides what to do when the SDK says that the token will
// expire or has expired. Package chat below it is the SDK; package tokenclient gets the tokens.
//
// How it decides is in machine.go, a pure function from what happened to what must be done. Session is the one goroutine that owns the
// state. Everything that happens is an Event, in order; Snapshot is the present state for a screen.
package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/eventlog"
	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// Config says who the user is, where tokens and the service are, and how the app behaves.
type Config struct {
	User string
	// Lifetime is what the token server is asked for.
	Lifetime time.Duration
	// Profile is the SDK to behave like; the zero value means chat.Native.
	Profile chat.Profile
	// Policy's empty answers mean renew and relogin.
	Policy Policy
	// Behaviour is how the app behaves beyond its policy; the zero value means Correct.
	Behaviour Behaviour
	// Spread, from 0 to 1, spreads renewals over that part of the time between will-expire and the end, so that a herd of clients with
	// the same end does not ask at the same moment. 0, for a single client, renews at once.
	Spread float64
	// Seed makes what chance decides the same again: how far waits between tries and spread renewals are stretched. 0 makes up a new one.
	Seed uint64
	// Tokens is where tokens come from.
	Tokens tokenclient.Source
	// RESTURL is the service's REST base without org and app, WSURL its gateway.
	RESTURL, WSURL string
	Org, App       string
	// Resource names the device; empty makes up a new one.
	Resource string
	// ClockOffset is how far this party's clock is ahead of the machine's at the start.
	ClockOffset time.Duration
	// DialContext makes the connections to the service; nil dials TCP.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// History is how many events are kept for readers that come late or are slow; 0 means 10,000.
	History int
	Log     *slog.Logger
}

// fetchTimeout bounds one fetch, whatever the source does.
const fetchTimeout = 30 * time.Second

// Session is one user's life with tokens. Its methods may be called from anywhere and never wait for the network.
type Session struct {
	cfg    Config
	clock  *clock.Clock
	events *eventlog.Log[Event]
	chat   *chat.Client

	inbox    chan any
	quit     chan struct{}
	over     chan struct{}
	unsent   atomic.Int64
	snapshot atomic.Pointer[Snapshot]
}

// A text on its way to the owner.
type inSend struct{ message outgoing }

// Start makes a session. Nobody logs in until Login; Close ends it.
func Start(cfg Config) (*Session, error) {
	if cfg.User == "" || cfg.Tokens == nil || !cfg.Profile.Local && (cfg.RESTURL == "" || cfg.WSURL == "") {
		return nil, errors.New("session: user, token source, REST and WebSocket address are all needed")
	}
	if cfg.Profile.Name == "" {
		cfg.Profile = chat.Native
	}
	if cfg.Policy.OnWillExpire == "" {
		cfg.Policy.OnWillExpire = WillExpireRenew
	}
	if cfg.Policy.OnExpired == "" {
		cfg.Policy.OnExpired = ExpiredRelogin
	}
	if err := cfg.Policy.Validate(); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if !(cfg.Spread >= 0 && cfg.Spread <= 1) { // not a number fails here, too
		return nil, fmt.Errorf("session: spread %v: want 0 (at once) to 1 (up to the token's end)", cfg.Spread)
	}
	if cfg.Behaviour.Name == "" {
		cfg.Behaviour = Correct
	}
	if cfg.Resource == "" {
		cfg.Resource = fmt.Sprintf("ttlchat_%08x", rand.Uint32()) //nolint:gosec // a name, not a secret
	}
	if cfg.Seed == 0 {
		cfg.Seed = NewSeed()
	}
	if cfg.History == 0 {
		cfg.History = 10_000
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{
		cfg: cfg, clock: clock.New(cfg.ClockOffset), events: eventlog.New[Event](cfg.History),
		inbox: make(chan any, 256), quit: make(chan struct{}), over: make(chan struct{}),
	}
	s.chat = chat.New(chat.Config{
		Profile: cfg.Profile, RESTURL: cfg.RESTURL, WSURL: cfg.WSURL, Org: cfg.Org, App: cfg.App, Resource: cfg.Resource,
		Clock: s.clock, TrustLocalClock: cfg.Behaviour.TrustsLocalClock, DialContext: cfg.DialContext, Log: cfg.Log, Luck: luck(cfg.Seed, 1), OnEvent: func(e chat.Event) { s.post(inSDK{e}) },
	})
	l := &loop{Session: s, cancel: func() {}, machine: machine{State: LoggedOut, policy: cfg.Policy, task: idle}}
	l.rules = rules{profile: cfg.Profile, renewable: cfg.Tokens.Renewable(), app: cfg.Behaviour, spread: cfg.Spread, luck: luck(cfg.Seed, 0)}
	l.publish()
	go func() {
		defer guard.Catch()
		defer close(s.over)
		l.run()
	}()
	return s, nil
}

// NewSeed makes up a seed that is short enough to be written down.
func NewSeed() uint64 { return 1 + rand.Uint64N(999_999) } //nolint:gosec // spreads load, keeps no secret

// luck is a series of draws that a seed fixes, each of its own whatever was drawn before.
func luck(seed, series uint64) func(n uint64) float64 {
	return func(n uint64) float64 {
		return rand.New(rand.NewPCG(seed, n<<1|series)).Float64() //nolint:gosec // must be repeatable
	}
}

// Seed is the seed of what chance decides in this session.
func (s *Session) Seed() uint64 { return s.cfg.Seed }

// Close logs out, ends everything that is under way, waits for it, and closes the event stream. It must be called once.
func (s *Session) Close() {
	close(s.quit)
	<-s.over
}

// Login asks to log in; while logged in it counts as joined and answers 200.
func (s *Session) Login() { s.post(inLogin{}) }

// Renew asks for a new token now.
func (s *Session) Renew() { s.post(inRenew{}) }

// Logout asks to log out; what is under way is canceled.
func (s *Session) Logout() { s.post(inLogout{AskedFor}) }

// Check looks at the clock now instead of at the next deadline; call it after a suspend.
func (s *Session) Check() {
	s.chat.Check()
	s.post(inTick{})
}

// SetPolicy changes the answers to the token events; it takes effect at once.
func (s *Session) SetPolicy(p Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	s.post(inPolicy{p})
	return nil
}

// Send takes a text for a user and returns the message's id, under which its events come. It is kept while offline and sent once. It
// fails when the text cannot be a message or too many wait.
func (s *Session) Send(to, text string) (id string, err error) {
	if err := checkText(text); err != nil {
		return "", err
	}
	if s.cfg.Profile.Local {
		return "", fmt.Errorf("the profile %s only counts a token down; choose a profile of a chat SDK to send messages", s.cfg.Profile.Name)
	}
	if to == "" {
		return "", errors.New("nobody to send to; choose a peer first")
	}
	if s.unsent.Add(1) > maxUnsent {
		s.unsent.Add(-1)
		return "", fmt.Errorf("%d messages wait to be sent; log in, or wait for the connection", maxUnsent)
	}
	m := outgoing{id: s.chat.NextID(), to: to, text: text}
	s.post(inSend{m})
	return messageID(m.id), nil
}

// Now returns the session's time.
func (s *Session) Now() time.Time { return s.clock.Now() }

// JumpClock moves the session's clock; deadlines follow at once.
func (s *Session) JumpClock(d time.Duration) { s.clock.Jump(d) }

// Snapshot returns the present state.
func (s *Session) Snapshot() Snapshot {
	snap := *s.snapshot.Load()
	snap.Unsent = int(s.unsent.Load())
	return snap
}

// Follow returns a reader of all events, from the first that is still held. It is for one goroutine.
func (s *Session) Follow() *Reader { return &Reader{s.events.Follow(0)} }

// Reader follows a session's events.
type Reader struct{ r *eventlog.Reader[Event] }

// Next waits for events after the reader's position and returns all of them, oldest first. It fails with the context's error, and with
// an error of its own once the session is closed and everything has been read.
func (r *Reader) Next(ctx context.Context) ([]Event, error) { return r.r.Next(ctx) }

// Missed returns how many events were gone before this reader came to them.
func (r *Reader) Missed() uint64 { return r.r.Missed() }

func (s *Session) post(in any) {
	select {
	case s.inbox <- in:
	case <-s.quit:
	}
}

// loop is the owner goroutine's own memory.
type loop struct {
	*Session
	rules   rules
	machine machine
	since   time.Time
	// warnedAt and expiredAt are when the callbacks of the token in use first fired.
	warnedAt, expiredAt time.Time
	outbox              outbox
	link                uint64 // of the SDK's Connected; 0 while there is none
	// fetching is the context of the fetches of number fetchGen, and cancel ends it.
	fetching context.Context
	cancel   context.CancelFunc
	fetchGen uint64
	work     sync.WaitGroup

	emitted []Event // since the last publish
}

func (l *loop) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := l.clock.Changed()
		timer.Reset(l.clock.Wait(l.machine.deadline()))
		select {
		case <-timer.C:
		case <-changed:
		case in := <-l.inbox:
			l.handle(in)
		case <-l.quit:
			l.cancel()
			l.decide(inLogout{"the session is being closed"})
			l.chat.Close()
			l.work.Wait()
			l.publish()
			l.events.Close()
			return
		}
		l.decide(inTick{})
		l.publish()
	}
}

func (l *loop) handle(in any) {
	switch in := in.(type) {
	case inSend:
		l.outbox.add(in.message)
		l.deliver()
	case inSDK:
		l.messages(in.event)
		l.decide(in)
	default:
		l.decide(in)
	}
}

// messages handles the part of the SDK's events that is about messages and the link they go over.
func (l *loop) messages(e chat.Event) {
	switch e.Name {
	case chat.Connected:
		l.link = e.Link
		l.outbox.linkLost()
	case chat.Reconnecting, chat.Disconnected, chat.Kicked:
		l.link = 0
		l.outbox.linkLost()
	case chat.MessageSent:
		if m, ok := l.outbox.settle(e.ID); ok {
			l.unsent.Add(-1)
			l.tell(MessageSent, m, e)
			if l.outbox.await(e.ServerID, m) {
				l.tell(MessageDelivered, m, e)
			}
		}
	case chat.MessageRefused:
		if m, ok := l.outbox.settle(e.ID); ok {
			l.unsent.Add(-1)
			l.tell(MessageFailed, m, e)
		}
	case chat.MessageDelivered:
		if m, ok := l.outbox.confirmed(e.ServerID); ok {
			l.tell(MessageDelivered, m, e)
		}
	case chat.MessageReceived:
		id := messageID(e.ServerID)
		l.emit(Event{Name: MessageReceived, MessageID: id, ServerID: id, From: e.From, To: e.To, Text: e.Text})
	default:
		return
	}
	l.deliver()
}

// tell says what has become of an own message, as the SDK's event has it.
func (l *loop) tell(what EventName, m outgoing, e chat.Event) {
	told := Event{
		Name: what, MessageID: messageID(m.id), Code: e.Code, Reason: e.Reason, From: l.cfg.User, To: m.to, Text: m.text,
	}
	if e.ServerID != 0 {
		told.ServerID = messageID(e.ServerID)
	}
	l.emit(told)
}

// deliver sends what may be sent now.
func (l *loop) deliver() {
	if l.link == 0 {
		return
	}
	for _, m := range l.outbox.next() {
		l.chat.Send(l.link, m.id, m.to, m.text)
	}
}

func (l *loop) decide(in any) {
	next, effects := step(l.rules, l.machine, l.clock.Now(), in)
	l.machine = next
	for _, effect := range effects {
		l.do(effect)
	}
}

func (l *loop) do(effect any) {
	switch e := effect.(type) {
	case doFetch:
		if e.gen != l.fetchGen {
			l.cancel() // nobody waits for it any more
			l.fetching, l.cancel = context.WithCancel(context.Background())
			l.fetchGen = e.gen
		}
		ctx, request := l.fetching, l.request(e)
		l.work.Go(func() {
			defer guard.Catch()
			l.fetch(ctx, e.gen, request)
		})
	case doCancel:
		l.cancel()
	case doLogin:
		l.chat.Login(e.sdk, l.cfg.User, e.token.Text.Reveal(), func(life chat.Life, err *chat.Error) {
			if err != nil {
				l.post(inLoginFailed{e.gen, err})
				return
			}
			l.post(inLoggedIn{e.gen, life})
		})
	case doRenew:
		l.chat.RenewToken(e.token.Text.Reveal(), func(life chat.Life, err *chat.Error) {
			if err != nil {
				l.post(inRenewFailed{e.gen, err})
				return
			}
			l.post(inRenewed{e.gen, life})
		})
	case doLogout:
		l.link = 0
		l.outbox.linkLost()
		l.chat.Logout()
	case doEmit:
		l.emit(e.event)
	}
}

// request is what the token server is asked for. The answer is judged by the service's clock, or by the token server's without a
// session: nobody has watched the clocks then.
func (l *loop) request(e doFetch) tokenclient.Request {
	ahead := l.machine.clockAhead
	return tokenclient.Request{
		User: l.cfg.User, Lifetime: l.cfg.Lifetime, Fresh: e.fresh,
		Now:      func() time.Time { return l.clock.Now().Add(ahead) },
		ByServer: !l.machine.live && !l.cfg.Behaviour.TrustsLocalClock,
	}
}

func (l *loop) fetch(ctx context.Context, gen uint64, request tokenclient.Request) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	token, err := l.cfg.Tokens.Fetch(ctx, request)
	if err == nil {
		l.post(inFetched{gen, token})
		return
	}
	failure, ok := errors.AsType[*tokenclient.Error](err)
	if !ok {
		failure = &tokenclient.Error{Kind: tokenclient.KindUnreachable, Detail: err.Error(), Err: err}
	}
	l.post(inFetchFailed{gen, failure})
}

func (l *loop) emit(e Event) {
	e.At, e.User = l.clock.Now(), l.cfg.User
	switch {
	case e.Name == StateChanged:
		l.since = e.At
	case e.Name == RenewSucceeded, e.Name == LoginSucceeded && e.Code == chat.OK: // another token
		l.warnedAt, l.expiredAt = time.Time{}, time.Time{}
	case e.Name == TokenWillExpire && l.warnedAt.IsZero():
		l.warnedAt = e.At
	case e.Name == TokenExpired && l.expiredAt.IsZero():
		l.expiredAt = e.At
	}
	l.emitted = append(l.emitted, e)
	l.cfg.Log.Info(string(e.Name), "user", e.User, "code", int(e.Code), "reason", e.Reason, "old", string(e.Old), "new", string(e.New))
}

// publish makes the present state visible, and then the events that led to it: who has seen an event sees no older state.
func (l *loop) publish() {
	m := l.machine
	snap := &Snapshot{
		State: m.State, Since: l.since, Reason: m.reason, Code: m.code, Why: m.why, ClockAhead: m.clockAhead, Linked: m.linked, WillExpireFired: m.warned, ExpiredFired: m.expired,
		WarnedAt: l.warnedAt, ExpiredAt: l.expiredAt,
		Trying: m.task != idle, Attempt: m.attempts, RetryAt: m.retryAt, RenewAt: m.renewAt, User: l.cfg.User, Profile: l.cfg.Profile, Policy: m.policy, Behaviour: l.cfg.Behaviour,
	}
	if m.clockAhead.Abs() >= skewWarning {
		snap.ClockWarning = skewText(m.clockAhead)
	}
	if m.held.Text != "" && !m.life.AcceptedAt.IsZero() {
		snap.Token = &TokenFacts{
			Short: m.held.Text.String(), User: m.held.User, AppID: m.held.AppID, IssuedAt: m.held.IssuedAt,
			AcceptedAt: m.life.AcceptedAt, ExpiresAt: m.life.ExpiresAt, WillExpireAt: m.life.WillExpireAt,
			Ordinal: m.ordinal, Warnings: m.held.Warnings, Renewable: l.rules.renewable,
		}
	}
	l.snapshot.Store(snap)
	for _, e := range l.emitted {
		l.events.Append(func(entry *Event, seq uint64) {
			*entry = e
			entry.Seq = seq
		})
	}
	clear(l.emitted)
	l.emitted = l.emitted[:0]
}

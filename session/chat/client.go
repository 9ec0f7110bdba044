// Package chat is a chat client that behaves like the Agora Chat SDK: it logs in with a token, fires the SDK's callbacks when the token
// will expire and has expired, does what the SDK of the chosen profile then does, and reconnects with the token it has. It never fetches
// a token; that is the app's business, one layer up in package session.
//
// How it decides is in machine.go, without a clock or a socket. Client is the one goroutine that owns the state: calls, frames and timers
// come to it one after the other, and every callback is made from it, in order.
package chat

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// Clock is the wall clock that token life is measured by.
type Clock interface {
	Now() time.Time
	// Changed is closed when the clock jumps.
	Changed() <-chan struct{}
	// Wait is how long to sleep before looking at a deadline again; a zero deadline is none.
	Wait(deadline time.Time) time.Duration
}

// Config says who the client is and where the service is. All fields but DialContext, Luck and Log are needed.
type Config struct {
	Profile Profile
	// RESTURL is the REST base without org, app and a trailing slash; WSURL is the gateway's address.
	RESTURL, WSURL string
	Org, App       string
	// Resource names this device; it must stay the same over reconnects and logins, and differ between devices of one user.
	Resource string
	Clock    Clock
	// TrustLocalClock counts a token's life by the client's own clock, as the timers of the SDKs do (protocol.md d.1). Without it the
	// service's clock counts.
	TrustLocalClock bool
	// OnEvent gets every callback, in order, on the client's goroutine. It may block for a moment, and must not wait for the client.
	OnEvent func(Event)
	// DialContext makes the connections; nil dials TCP.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Luck is what chance adds to the wait before the nth link, from 0 to below 1 of what it may; nil draws it.
	Luck func(n uint64) float64
	Log  *slog.Logger
}

// Life is the span of an accepted token, by the client's clock. ExpiresAt and WillExpireAt are zero when the service named no expiry, and
// WillExpireAt alone where the life is too short for OnTokenWillExpire.
type Life struct{ AcceptedAt, WillExpireAt, ExpiresAt time.Time }

// Client is one SDK instance. Its methods never block; their outcome comes through the callback given, on the client's goroutine.
type Client struct {
	cfg  Config
	rest rest

	lastID atomic.Uint64

	// What other goroutines have for the owner: calls in an unbounded but small queue, because callers must not block; everything
	// from the network through a channel, because the network may wait.
	mu     sync.Mutex
	calls  []any
	called chan struct{}
	inbox  chan any
	quit   chan struct{}
	over   chan struct{}
}

// Calls and network results on their way to the owner, beside the machine's own inputs.
type (
	callLogin struct {
		session uint64
		in      inLogin
		done    func(Life, *Error)
	}
	callRenew struct {
		in   inRenew
		done func(Life, *Error)
	}
	callSend struct {
		link, id uint64
		to, text string
	}
	gotLink struct {
		in   inConnected
		link *link
	}
	gotFrame struct {
		gen   uint64
		frame *msync.MSync
	}
	callCheck struct{}
)

// proxy is how both of the service's addresses are reached: as the environment says, but for a caller who dials himself.
func (cfg Config) proxy() func(*http.Request) (*url.URL, error) {
	if cfg.DialContext != nil {
		return nil
	}
	return http.ProxyFromEnvironment
}

// New starts a client. Close ends it.
func New(cfg Config) *Client {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Luck == nil {
		cfg.Luck = func(uint64) float64 { return rand.Float64() } //nolint:gosec // spreads load, keeps no secret
	}
	transport := &http.Transport{Proxy: cfg.proxy(), DialContext: cfg.DialContext, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: connectTimeout}
	c := &Client{
		cfg:    cfg,
		called: make(chan struct{}, 1), inbox: make(chan any, 64), quit: make(chan struct{}), over: make(chan struct{}),
	}
	c.rest = rest{
		base: cfg.RESTURL, org: cfg.Org, app: cfg.App, client: &http.Client{Transport: transport},
		now: cfg.Clock.Now, learn: func(r reading) { c.post(r) },
	}
	go func() {
		defer guard.Catch()
		defer close(c.over)
		defer transport.CloseIdleConnections()
		newLoop(c).run()
	}()
	return c
}

// Close ends the client and everything it does; no callback comes after it returns.
func (c *Client) Close() {
	close(c.quit)
	<-c.over
}

// Login logs a user in with a 007 token. done gets the life of the token, after the Connected event, or an error. Every event of the
// session that follows carries the number given here, so that the caller can tell a late event of an earlier session.
func (c *Client) Login(session uint64, user, token string, done func(Life, *Error)) {
	c.call(callLogin{session, inLogin{user: user, token: token}, done})
}

// RenewToken puts a new 007 token in the place of the present one. done gets its life or an error; the session goes on either way.
func (c *Client) RenewToken(token string, done func(Life, *Error)) {
	c.call(callRenew{inRenew{token: token}, done})
}

// Logout ends the session and cancels what is under way; a pending Login or RenewToken fails with KindCanceled.
func (c *Client) Logout() { c.call(inLogout{}) }

// Check looks at the clock now instead of at the next deadline, as after a system sleep.
func (c *Client) Check() { c.call(callCheck{}) }

// Send sends a text. The id comes from NextID, link from the Connected event; a message for another link than the present one is dropped
// in silence, because the caller will hear of the broken link and send it again. The outcome is MessageSent or MessageRefused; nothing
// when the link breaks first.
func (c *Client) Send(link, id uint64, to, text string) { c.call(callSend{link, id, to, text}) }

// NextID returns a new id for an own message: growing, and unlike those of earlier runs of this device, because the service takes a
// message with a known id for a resent one. It is the SDK's kind of id: milliseconds since 2010-02-01, and a counter (protocol.md b.3).
func (c *Client) NextID() uint64 {
	epoch := time.Date(2010, 2, 1, 0, 0, 0, 0, time.UTC)
	base := uint64(max(time.Since(epoch).Milliseconds(), 0)) << 12
	for {
		last := c.lastID.Load()
		if next := max(base, last+1); c.lastID.CompareAndSwap(last, next) {
			return next
		}
	}
}

func (c *Client) call(in any) {
	c.mu.Lock()
	c.calls = append(c.calls, in)
	c.mu.Unlock()
	select {
	case c.called <- struct{}{}:
	default:
	}
}

func (c *Client) taken() []any {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	return calls
}

// post hands the owner something from the network; it waits, but not beyond the client's end.
func (c *Client) post(in any) bool {
	select {
	case c.inbox <- in:
		return true
	case <-c.quit:
		return false
	}
}

// loop is the owner goroutine's own memory.
type loop struct {
	*Client
	state     state
	session   uint64 // the caller's number of the present or latest session
	link      *link
	mail      *mailbox
	loginDone func(Life, *Error)
	renewDone func(Life, *Error)
	cancel    context.CancelFunc // of the attempt to get a link
	cancelNew context.CancelFunc // of the renewal under way
	work      sync.WaitGroup

	// ahead is how far the service's clock is ahead of the client's.
	ahead time.Duration
	// wall and mono are when the owner last woke up, by the client's clock and by the monotonic one.
	wall, mono time.Time
	// doubtUntil is when the client stops waiting for the service to say what time it is.
	doubtUntil time.Time
	// unconfirmed is how far the service's clock would be ahead by an answer that is hard to believe.
	unconfirmed *time.Duration
	// guessed says that the present life began at an instant of which no reading has come yet.
	guessed bool
}

func newLoop(c *Client) *loop {
	return &loop{
		Client: c, state: state{phase: loggedOut}, mail: newMailbox(), cancel: func() {}, cancelNew: func() {},
		wall: c.cfg.Clock.Now(), mono: time.Now(),
	}
}

func (l *loop) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := l.cfg.Clock.Changed()
		wait := l.cfg.Clock.Wait(l.own(l.state.nextDeadline(l.cfg.Profile)))
		if patience, sending := l.mail.patience(); sending {
			wait = min(wait, patience)
		}
		if doubt := l.doubt(); doubt > 0 {
			wait = doubt
		}
		timer.Reset(wait)
		var happened []any
		select {
		case <-timer.C:
		case <-changed:
		case <-l.called:
			happened = l.taken()
		case in := <-l.inbox:
			happened = []any{in}
		case <-l.quit:
			l.stop()
			return
		}
		l.watch()
		for _, in := range happened {
			l.handle(in)
		}
		if patience, sending := l.mail.patience(); sending && patience <= 0 && l.link != nil {
			l.handle(inLinkDown{l.link.gen, "the service did not answer in time"})
		}
		if l.doubt() == 0 {
			l.handle(inTick{})
		}
	}
}

// stop ends everything and waits for it.
func (l *loop) stop() {
	l.cfg.OnEvent = func(Event) {}
	l.handle(inLogout{})
	l.work.Wait()
	for {
		select {
		case in := <-l.inbox: // a link that arrived too late is still ours to close
			if late, ok := in.(gotLink); ok {
				_ = late.link.conn.Close()
			}
		default:
			return
		}
	}
}

// handle is where everything that happens meets the state.
func (l *loop) handle(in any) {
	switch in := in.(type) {
	case callLogin:
		if l.loginDone != nil {
			in.done(Life{}, &Error{Phase: PhaseLogin, Kind: KindRefused, Reason: "a login is under way already"})
			return
		}
		if l.state.phase == loggedOut {
			l.session = in.session
		}
		l.loginDone = in.done
		l.decide(in.in)
	case callRenew:
		if l.renewDone != nil {
			in.done(Life{}, &Error{Phase: PhaseRenew, Kind: KindRefused, Reason: "a renewal is under way already"})
			return
		}
		l.renewDone = in.done
		l.decide(in.in)
	case callSend:
		if l.link != nil && l.link.gen == in.link {
			l.mail.send(l.link, in, l.cfg)
		}
	case gotLink:
		if in.in.gen != l.state.gen {
			_ = in.link.conn.Close()
			return
		}
		if err := absurd(PhaseLogin, in.in.expiresAt, l.now()); err != nil {
			_ = in.link.conn.Close()
			l.decide(inConnectFailed{in.in.gen, err})
			return
		}
		l.adopt(in.link)
		l.guessed = l.guessed || !l.cfg.Profile.Exchange && l.state.phase == loggingIn
		l.decide(in.in)
		l.doubtAll()
	case gotFrame:
		if l.link != nil && l.link.gen == in.gen {
			l.frame(in.frame)
		}
	case inRenewed:
		if err := absurd(PhaseRenew, in.expiresAt, l.now()); err != nil {
			l.decide(inRenewFailed{in.gen, err})
			return
		}
		l.decide(in)
	case reading:
		l.learn(in)
	case callCheck: // it has woken the owner, who looks at the clock
	default:
		l.decide(in)
	}
}

func (l *loop) decide(in any) {
	next, effects := step(l.cfg.Profile, l.state, l.now(), in)
	l.state = next
	for _, e := range effects {
		l.do(e)
	}
}

func (l *loop) do(effect any) {
	switch e := effect.(type) {
	case doConnect:
		ctx, cancel := context.WithCancel(context.Background())
		l.cancel = cancel
		l.work.Go(func() {
			defer guard.Catch()
			l.connect(ctx, e)
		})
	case doRenew:
		ctx, cancel := context.WithCancel(context.Background())
		l.cancelNew = cancel
		l.work.Go(func() {
			defer guard.Catch()
			l.renew(ctx, e)
		})
	case doCloseLink:
		l.cancel()
		l.drop()
	case doCancelRenew:
		l.cancelNew()
	case doEmit:
		if e.event.Name == Connected && l.link != nil {
			e.event.Link = l.link.gen
		}
		l.emit(e.event)
	case doAnswerLogin:
		done := l.loginDone
		l.loginDone = nil
		done(l.life(), e.err)
	case doAnswerRenew:
		done := l.renewDone
		l.renewDone = nil
		done(l.life(), e.err)
	}
}

func (l *loop) emit(e Event) {
	e.Session = l.session
	e.ExpiresAt, e.WillExpireAt = l.own(e.ExpiresAt), l.own(e.WillExpireAt)
	l.cfg.OnEvent(e)
}

// life is the life of the token in use, by the client's clock.
func (l *loop) life() Life {
	s := l.state
	return Life{AcceptedAt: l.own(s.acceptedAt), WillExpireAt: l.own(s.willExpireAt(l.cfg.Profile)), ExpiresAt: l.own(s.expiresAt)}
}

// connect does a doConnect, on a goroutine of its own.
func (l *loop) connect(ctx context.Context, e doConnect) {
	if e.after > 0 {
		jitter := time.Duration(l.cfg.Luck(e.gen) * float64(e.after) / 2)
		select {
		case <-time.After(e.after + jitter):
		case <-ctx.Done():
			return
		}
	}
	in := inConnected{gen: e.gen, credential: e.token}
	if l.cfg.Profile.Local {
		expires, err := localLife(PhaseLogin, l.cfg.Profile, e.user, e.token, l.cfg.Clock.Now())
		if err != nil {
			l.post(inConnectFailed{e.gen, err})
			return
		}
		in.expiresAt = expires
		l.post(in)
		return
	}
	if e.exchange {
		credential, expires, err := l.rest.exchange(ctx, PhaseLogin, l.cfg.Profile, e.token)
		if err != nil {
			l.post(inConnectFailed{e.gen, err})
			return
		}
		in.credential, in.expiresAt = credential, expires
	}
	link, expires, err := connect(ctx, target{
		url: l.cfg.WSURL, appKey: l.cfg.Org + "#" + l.cfg.App, user: e.user, resource: l.cfg.Resource,
		credential: in.credential, dial: l.cfg.DialContext, proxy: l.cfg.proxy(),
	}, l.cfg.Profile)
	if err != nil {
		l.post(inConnectFailed{e.gen, err})
		return
	}
	if in.expiresAt.IsZero() {
		in.expiresAt = expires
	}
	link.gen = e.gen
	if !l.post(gotLink{in, link}) {
		_ = link.conn.Close()
	}
}

// renew does a doRenew, on a goroutine of its own.
func (l *loop) renew(ctx context.Context, e doRenew) {
	in := inRenewed{gen: e.gen, credential: e.token}
	var err *Error
	switch {
	case l.cfg.Profile.Local:
		in.expiresAt, err = localLife(PhaseRenew, l.cfg.Profile, e.user, e.token, l.cfg.Clock.Now())
	case l.cfg.Profile.Exchange:
		in.credential, in.expiresAt, err = l.rest.exchange(ctx, PhaseRenew, l.cfg.Profile, e.token)
	default:
		in.expiresAt, err = l.rest.expires(ctx, l.cfg.Profile, e.user, e.token)
	}
	if err != nil {
		l.post(inRenewFailed{e.gen, err})
		return
	}
	l.post(in)
}

// adopt makes a new link the present one.
func (l *loop) adopt(link *link) {
	l.link = link
	link.now = l.cfg.Clock.Now
	l.mail.reset()
	link.run(
		func(m *msync.MSync) { l.post(gotFrame{link.gen, m}) },
		func(reason string) { l.post(inLinkDown{link.gen, reason}) },
	)
	l.work.Go(link.routines.Wait)
}

// drop ends the present link; its goroutines end by themselves.
func (l *loop) drop() {
	if l.link != nil {
		l.link.end()
		l.link, l.doubtUntil = nil, time.Time{}
		l.mail.reset()
	}
}

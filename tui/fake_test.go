package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/eventlog"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// fakeSession is a session without a service. Standing still it shows whatever a test puts into it; with live it plays a token's life.
type fakeSession struct {
	now func() time.Time
	log *eventlog.Log[session.Event]

	mu     sync.Mutex
	snap   session.Snapshot
	asked  []string
	fails  error // what SetPolicy and Send answer
	ids    int
	tokens []Token // other than the usual two

	// Of a live one: how long its tokens live, its clock, and what ends it.
	life  time.Duration
	clock *clock.Clock
	stop  chan struct{}
	done  chan struct{}
}

func newFake(now time.Time, snap session.Snapshot) *fakeSession {
	return &fakeSession{now: func() time.Time { return now }, log: eventlog.New[session.Event](64), snap: snap}
}

// live makes a session that plays the life of tokens by the machine's clock, with the native profile.
func live(life time.Duration) *fakeSession {
	c := clock.New(0)
	s := newFake(time.Time{}, session.Snapshot{State: session.LoggedOut, User: "alice", Profile: chat.Native})
	s.now, s.clock, s.life, s.stop, s.done = c.Now, c, life, make(chan struct{}), make(chan struct{})
	go s.play()
	return s
}

func (s *fakeSession) ask(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, what)
}

// emit appends an event, filling in what every event has.
func (s *fakeSession) emit(e session.Event) {
	e.At, e.User = s.now(), "alice"
	s.log.Append(func(entry *session.Event, seq uint64) {
		*entry = e
		entry.Seq = seq
	})
}

func (s *fakeSession) Login() {
	s.ask("login")
	if s.life > 0 {
		s.emit(session.Event{Name: session.TokenRequested})
		s.emit(session.Event{Name: session.LoginStarted})
		s.accept(session.LoginSucceeded)
	}
}

func (s *fakeSession) Renew() {
	s.ask("renew")
	if s.life > 0 {
		s.emit(session.Event{Name: session.RenewStarted})
		s.accept(session.RenewSucceeded)
	}
}

func (s *fakeSession) Logout() {
	s.ask("logout")
	if s.life > 0 {
		s.mu.Lock()
		s.snap.State, s.snap.Linked, s.snap.Token = session.LoggedOut, false, nil
		s.mu.Unlock()
		s.emit(session.Event{Name: session.LoggedOutNow})
	}
}

// accept puts a new token in the place of the old one.
func (s *fakeSession) accept(how session.EventName) {
	s.mu.Lock()
	now, ordinal := s.now(), 1
	if s.snap.Token != nil {
		ordinal = s.snap.Token.Ordinal + 1
	}
	s.snap.State, s.snap.Linked, s.snap.WillExpireFired, s.snap.ExpiredFired = session.Online, true, false, false
	s.snap.Token = &session.TokenFacts{
		Short: "007eJx…9f2a", User: "alice", AppID: "970ca35de60c44645bbae8a215061b33", IssuedAt: now, AcceptedAt: now, Ordinal: ordinal,
		ExpiresAt: now.Add(s.life), WillExpireAt: now.Add(s.life * 8 / 10), Renewable: true,
	}
	token := *s.snap.Token
	s.mu.Unlock()
	s.emit(session.Event{Name: how, ExpiresAt: token.ExpiresAt, WillExpireAt: token.WillExpireAt, Token: token.Short})
}

// play fires the token's events when they are due.
func (s *fakeSession) play() {
	defer close(s.done)
	for {
		changed := s.clock.Changed()
		s.mu.Lock()
		var deadline time.Time
		var due session.Event
		if t := s.snap.Token; t != nil && !s.snap.ExpiredFired {
			deadline, due = t.ExpiresAt, session.Event{Name: session.TokenExpired, Callback: "onTokenExpired", Code: chat.TokenExpired}
			if !s.snap.WillExpireFired {
				deadline, due = t.WillExpireAt, session.Event{Name: session.TokenWillExpire, Callback: "onTokenWillExpire", ExpiresAt: t.ExpiresAt}
			}
			if !s.now().Before(deadline) {
				s.snap.WillExpireFired = true
				s.snap.State = session.WillExpire
				if due.Name == session.TokenExpired {
					s.snap.ExpiredFired, s.snap.State, s.snap.Linked = true, session.Expired, false
				}
				s.mu.Unlock()
				s.emit(due)
				continue
			}
		}
		s.mu.Unlock()
		select {
		case <-time.After(min(s.clock.Wait(deadline), max(s.life/1000, 50*time.Millisecond))):
		case <-changed:
		case <-s.stop:
			return
		}
	}
}

func (s *fakeSession) SetPolicy(p session.Policy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails == nil {
		s.snap.Policy = p
	}
	return s.fails
}

func (s *fakeSession) Send(to, text string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, "send "+to+" "+text)
	s.ids++
	return fmt.Sprintf("m%d", s.ids), s.fails
}

func (s *fakeSession) Snapshot() session.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}

func (s *fakeSession) Now() time.Time { return s.now() }

func (s *fakeSession) JumpClock(d time.Duration) {
	s.ask("jump " + d.String())
	if s.clock != nil {
		s.clock.Jump(d)
	}
}

func (s *fakeSession) Check()         { s.ask("check") }
func (s *fakeSession) Follow() Events { return s.log.Follow(0) }

// fakeToken is a token that says what a test wants.
type fakeToken struct {
	Inspection
	whole string
}

func (f fakeToken) Inspect(time.Time) Inspection { return f.Inspection }
func (f fakeToken) Reveal() string               { return f.whole }

func said(name, value, meaning string) TokenField {
	return TokenField{Name: name, Value: value, Meaning: meaning}
}

// decoded is what a token says that was issued at noon less ago.
func decoded(short string, ago time.Duration, salt string) fakeToken {
	return fakeToken{Inspection{
		Short: short, Genuine: true, Checked: true,
		Fields: []TokenField{
			said("token", short, ""), said("version", "007", "AccessToken2, for every service"),
			said("app id", "970ca35de60c44645bbae8a215061b33", "the project"),
			{Name: "issued", At: noon.Add(-ago), Meaning: "by the clock of the token server"}, said("life", "30 s", "from the issue"),
			said("salt", salt, "random, tells tokens of the same second apart"), said("service", "chat", "text chat"),
			said("  user", "alice", "the only one who may use it"), said("  may", "chat user", "for 30 s"),
			{Name: "expires", At: noon.Add(30*time.Second - ago), Meaning: "the earliest of all ends"},
		},
	}, "007whole" + salt}
}

func (s *fakeSession) Tokens() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens != nil || s.snap.Token == nil {
		return s.tokens
	}
	return []Token{decoded("007eJx…9f2a", 19*time.Second, "77812"), decoded("007eJx…77c1", 49*time.Second, "4711")}
}

func (s *fakeSession) Close() {
	s.ask("close")
	if s.stop != nil {
		close(s.stop)
		<-s.done
	}
	s.log.Close()
}

// fakeFaults is a list of faults without an emulator.
type fakeFaults struct {
	mu     sync.Mutex
	asked  []string
	list   []Fault
	fails  error
	nobody bool // triggers reach nobody
	news   chan struct{}
}

// put makes others the faults that are on, as somebody else than the screen does.
func (f *fakeFaults) put(list ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = list
	if f.news != nil {
		close(f.news)
		f.news = nil
	}
}

func (f *fakeFaults) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.news == nil {
		f.news = make(chan struct{})
	}
	return f.news
}

func (f *fakeFaults) Kinds() []FaultKind {
	return []FaultKind{
		{Target: "token-server", Name: "status", Meaning: "an error status is the answer", Params: []FaultParam{
			{Name: "status", Default: "503", Meaning: "the HTTP status"}, {Name: "body", Meaning: "the body"},
			{Name: "count", Default: "0", Meaning: "how often it applies"}}},
		{Target: "token-server", Name: "hang", Meaning: "no answer comes; the connection stays open until the client leaves"},
		{Target: "link", Name: "delay", Meaning: "each frame comes late, one after the other", Params: []FaultParam{
			{Name: "delay", Default: "1s", Meaning: "how late"},
			{Name: "direction", Default: "both", Choices: []string{"both", "in", "out"}, Meaning: "only frames to the emulator or from it"}}},
		{Target: "expiry", Name: "close", Meaning: "a connection is closed when its token ends"},
	}
}

// Check refuses what begins with a "!".
func (f *fakeFaults) Check(fault Fault) error {
	for name, value := range fault.Params {
		if strings.HasPrefix(value, "!") {
			return errors.New(name + ": write something else")
		}
	}
	return nil
}

func (f *fakeFaults) Triggers() []Trigger {
	return []Trigger{{"will-expire", "the SDK's will-expire fires now"}, {"expire", "the token is over now"}, {"kick", "the user is logged out"}}
}

func (f *fakeFaults) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

func (f *fakeFaults) Set(fault Fault) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf("set %s %s %v", fault.Target, fault.Name, fault.Params))
	if f.fails == nil {
		f.list = append(slices.DeleteFunc(f.list, func(on Fault) bool { return on.ID == fault.ID }), fault)
	}
	return f.fails
}

func (f *fakeFaults) Clear(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, "clear "+id)
	f.list = slices.DeleteFunc(f.list, func(on Fault) bool { return on.ID == id })
}

func (f *fakeFaults) ClearAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked, f.list = append(f.asked, "clear all"), nil
}

func (f *fakeFaults) Trigger(event, user string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, "trigger "+event+" "+user)
	if f.nobody {
		return 0, f.fails
	}
	return 1, f.fails
}

// fakeEmulator records what it is asked, and has a journal that never grows.
type fakeEmulator struct {
	mu    sync.Mutex
	asked []string
	fails error
}

// saying is an entry of the journal.
type saying struct {
	text string
	rows [][2]string
}

func (s saying) Text() string         { return s.text }
func (s saying) Details() [][2]string { return s.rows }

func (e *fakeEmulator) Next(ctx context.Context) ([]EmulatorEvent, error) {
	<-ctx.Done()
	return nil, errors.New("closed")
}

func (e *fakeEmulator) JumpClock(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, "jump "+d.String())
}

func (e *fakeEmulator) Expire(user string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, "expire "+user)
	return e.fails
}

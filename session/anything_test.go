package session_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// Whatever happens, and in whatever order: one fetch, one renewal and one login at a time, no storm of requests, every message once and in
// order, and once the trouble is over the session is online again or has said why it is not. `make soak` runs 10,000 sequences.

// deed is something that happens, and how long it is quiet afterwards.
type deed struct {
	Name  string
	Quiet time.Duration
}

// chronicle is one sequence of deeds.
type chronicle struct {
	Profile string
	Life    time.Duration
	Deeds   []deed
}

// quiet are the pauses between deeds.
var quiet = []time.Duration{0, time.Millisecond, 500 * time.Millisecond, 3 * time.Second, 10 * time.Second, 40 * time.Second, 100 * time.Second}

// faults are what may go wrong, with how often: 0 is until the trouble is over.
var faults = []fakeserver.Fault{
	{Target: tokenServer, Kind: "status"},
	{Target: tokenServer, Kind: "status", Params: fakeserver.FaultParams{"status": "401"}, Count: 1},
	{Target: tokenServer, Kind: "status", Params: fakeserver.FaultParams{"status": "429", "retry-after": "20s"}, Count: 2},
	{Target: tokenServer, Kind: "delay", Params: fakeserver.FaultParams{"delay": "6s"}, Count: 2},
	{Target: tokenServer, Kind: "hang", Count: 1},
	{Target: tokenServer, Kind: "expired-token", Count: 2},
	{Target: tokenServer, Kind: "same-token"},
	{Target: tokenServer, Kind: "wrong-certificate", Count: 1},
	{Target: rest, Kind: "status", Count: 3},
	{Target: rest, Kind: "delay", Params: fakeserver.FaultParams{"delay": "3s"}, Count: 2},
	{Target: rest, Kind: "hang", Count: 1},
	{Target: rest, Kind: "seconds", Count: 1},
	{Target: provision, Kind: "status", Count: 1},
	{Target: provision, Kind: "silence", Count: 1},
	{Target: provision, Kind: "close", Count: 2},
	{Target: provision, Kind: "expiry", Params: fakeserver.FaultParams{"in": "5s"}, Count: 1},
	{Target: linkFault, Kind: "refuse", Count: 3},
	{Target: linkFault, Kind: "cut-after", Params: fakeserver.FaultParams{"frames": "5"}, Count: 2},
	{Target: linkFault, Kind: "freeze", Params: fakeserver.FaultParams{"for": "50s"}},
	{Target: linkFault, Kind: "delay", Params: fakeserver.FaultParams{"delay": "2s"}, Count: 10},
	{Target: linkFault, Kind: "duplicate", Count: 5},
	{Target: linkFault, Kind: "drop", Count: 2},
	{Target: linkFault, Kind: "reorder-acks", Count: 2},
	{Target: message, Kind: "no-answer", Count: 1},
	{Target: message, Kind: "no-answer", Params: fakeserver.FaultParams{"stored": "false"}, Count: 1},
	{Target: fakeserver.FaultExpiry, Kind: "close"},
}

// story is a chronicle as it is lived.
type story struct {
	*world
	alice, bob *person
	sent       int
	// gaps tells that single frames were lost on a connection that went on.
	gaps bool

	// spoiled is how many calls on the way to a token that is in use the faults spoil, as far as that has an end.
	spoiled int

	mu sync.Mutex
	// fetching are the fetches of alice's that have not come back; nobody waits for those that are canceled.
	fetching []context.Context
	// fetched and dialed are when alice's fetches began and when anybody dialed the service, by a clock that nobody sets.
	fetched, dialed []time.Time
}

// deeds are what can happen, by name.
func deeds() map[string]func(*story) {
	all := map[string]func(*story){
		"nothing":          func(*story) {},
		"alice sends":      func(s *story) { s.say(s.alice, "bob") },
		"bob sends":        func(s *story) { s.say(s.bob, "alice") },
		"login":            func(s *story) { s.alice.Login() },
		"logout":           func(s *story) { s.alice.Logout() },
		"renew":            func(s *story) { s.alice.Renew() },
		"check":            func(s *story) { s.alice.Check() },
		"ignore":           func(s *story) { s.set(session.WillExpireIgnore, session.ExpiredIgnore) },
		"relogin only":     func(s *story) { s.set(session.WillExpireIgnore, session.ExpiredRelogin) },
		"renew and relog":  func(s *story) { s.set(session.WillExpireRenew, session.ExpiredRelogin) },
		"sleep 10 minutes": func(s *story) { s.sleepFor(10*time.Minute, s.alice, s.bob) },
		"sleep 30 hours":   func(s *story) { s.sleepFor(30*time.Hour, s.alice, s.bob) },
		"clock forward":    func(s *story) { s.alice.JumpClock(time.Hour) },
		"clock back":       func(s *story) { s.alice.JumpClock(-time.Hour) },
		"service forward":  func(s *story) { s.server.JumpClock(10 * time.Minute) },
		"will-expire":      func(s *story) { s.server.TriggerWillExpire("alice") },
		"expire":           func(s *story) { s.server.TriggerExpire("alice") },
		"kick":             func(s *story) { s.server.Kick("alice", 217, "") },
		"revoke":           func(s *story) { s.server.Revoke("alice") },
		"cut alice":        func(s *story) { s.server.CutUser("alice") },
		"cut all":          func(s *story) { s.net.Cut() },
		"network down":     func(s *story) { s.setWeather(down()) },
		"network up":       func(s *story) { s.setWeather(nil) },
		"trouble over":     func(s *story) { s.server.ClearFaults() },
	}
	for i, f := range faults {
		all[fmt.Sprintf("fault %02d %s %s", i, f.Target, f.Kind)] = func(s *story) {
			if _, err := s.server.AddFault(f); err != nil {
				s.t.Fatal(err)
			}
			if f.Target == tokenServer || f.Target == rest {
				s.spoiled += f.Count
			}
		}
	}
	return all
}

func (s *story) say(p *person, to string) {
	s.sent++
	p.send(to, fmt.Sprint(s.sent))
}

func (s *story) set(willExpire session.OnWillExpire, expired session.OnExpired) {
	if err := s.alice.SetPolicy(session.Policy{OnWillExpire: willExpire, OnExpired: expired}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) note(times *[]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*times = append(*times, time.Now())
}

// counting notices a fetch that begins while another one is under way.
type counting struct {
	tokenclient.Source
	s *story
}

// Fetch implements tokenclient.Source.
func (c counting) Fetch(ctx context.Context, r tokenclient.Request) (tokenclient.Token, error) {
	defer c.begun(ctx)()
	c.s.note(&c.s.fetched)
	return c.Source.Fetch(ctx, r)
}

// begun notes a fetch, and returns what is to be called when it is over.
func (c counting) begun(ctx context.Context) (over func()) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetching = slices.DeleteFunc(append(s.fetching, ctx), func(c context.Context) bool { return c.Err() != nil }) // even this one
	if len(s.fetching) > 1 {
		s.t.Errorf("%d fetches are under way", len(s.fetching))
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetching = slices.DeleteFunc(s.fetching, func(other context.Context) bool { return other == ctx })
	}
}

func TestAnything(t *testing.T) {
	acts := deeds()
	var names []string
	for name := range acts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				c := chronicle{
					Profile: profile.Name,
					Life:    rapid.SampledFrom([]time.Duration{time.Hour, time.Minute, 10 * time.Second}).Draw(rt, "life"),
					Deeds: rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) deed {
						return deed{rapid.SampledFrom(names).Draw(rt, "name"), rapid.SampledFrom(quiet).Draw(rt, "quiet")}
					}), 1, 25).Draw(rt, "deeds"),
				}
				if failure := live(t, c, acts); failure != "" {
					rt.Fatal(failure)
				}
			})
		})
	}
}

// Chronicles that once went wrong.
func TestKeptChronicles(t *testing.T) {
	for name, c := range map[string]chronicle{
		"a fetch is given up before it has begun": {"native", time.Hour, []deed{
			{"ignore", 3 * time.Second}, {"sleep 30 hours", 3 * time.Second}, {"renew", 0}, {"login", 3 * time.Second},
		}},
		"a fetch is given up for another one": {"web", time.Hour, []deed{
			{"fault 03 token-server delay", 0}, {"renew", time.Millisecond}, {"logout", 0}, {"login", 0},
		}},
		"short tokens are renewed through trouble": {"classic", 10 * time.Second, []deed{
			{"fault 05 token-server expired-token", 0}, {"renew", 40 * time.Second}, {"fault 08 rest status", 0}, {"alice sends", 3 * time.Second},
			{"fault 06 token-server same-token", 10 * time.Second},
		}},
		"the policy changes while a renewal that is too late is under way": {"web", 10 * time.Second, []deed{
			{"ignore", 40 * time.Second}, {"fault 03 token-server delay", 0}, {"renew", 0},
		}},
		"the policy changes while the link is down past the end": {"classic", time.Hour, []deed{
			{"ignore", 0}, {"expire", 10 * time.Second}, {"cut all", time.Millisecond},
		}},
		"a frame that nobody asked for is no reason to be silent": {"native", time.Hour, []deed{
			{"alice sends", 100 * time.Second}, {"nothing", 40 * time.Second}, {"will-expire", 40 * time.Second},
		}},
		"the clock is set while nobody is logged in":    {"classic", time.Hour, []deed{{"logout", 0}, {"clock forward", 0}, {"login", 0}}},
		"the clock is known in a session's last moment": {"classic", 10 * time.Second, []deed{{"clock forward", 0}, {"expire", 3 * time.Second}}},
		"the answer to a message is lost":               {"native", time.Hour, []deed{{"fault 24 message no-answer", 0}, {"alice sends", 0}, {"alice sends", 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if failure := live(t, c, deeds()); failure != "" {
				t.Error(failure)
			}
		})
	}
}

// live lives a chronicle in a bubble of its own and returns what went wrong.
func live(t *testing.T, c chronicle, acts map[string]func(*story)) (failure string) {
	synctest.Test(t, func(t *testing.T) {
		noted := &witness{TB: t}
		over := make(chan struct{})
		go func() { // a story that is given up ends this goroutine
			defer close(over)
			profile, _ := chat.ProfileByName(c.Profile)
			s := &story{world: newWorld(noted, fakeserver.Config{JournalSize: 100})}
			tokens := counting{s.tokens("tokens"), s}
			dial := func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == "chat:80" {
					s.note(&s.dialed)
				}
				return s.dial(ctx, network, address)
			}
			s.alice = s.person("alice", c.Life, func(cfg *session.Config) {
				cfg.Profile, cfg.Tokens, cfg.DialContext = profile, tokens, dial
			})
			s.bob = s.person("bob", day, func(cfg *session.Config) { cfg.DialContext = dial })
			s.alice.Login()
			s.bob.Login()
			synctest.Wait()
			for _, d := range c.Deeds {
				s.gaps = s.gaps || strings.HasSuffix(d.Name, "drop") || strings.HasSuffix(d.Name, "no-answer")
				act := acts[d.Name]
				if act == nil {
					noted.Fatalf("nothing is called %q", d.Name)
				}
				act(s)
				time.Sleep(d.Quiet)
			}
			s.end()
			s.judge(len(c.Deeds))
		}()
		<-over
		failure = strings.Join(noted.failures, "\n")
	})
	return failure
}

// recovery is how long it may take until all is well again: the longest pause or Retry-After, and a fetch and a login that hang once more.
const recovery = 2 * time.Minute

// end lifts the trouble, and gives everybody who has stopped for a reason a new start.
func (s *story) end() {
	s.setWeather(nil)
	s.server.ClearFaults()
	for _, p := range []*person{s.alice, s.bob} {
		if err := p.SetPolicy(session.Policy{OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin}); err != nil {
			s.t.Fatal(err)
		}
	}
	time.Sleep(recovery)
	for _, p := range []*person{s.alice, s.bob} {
		snap := p.Snapshot()
		named := snap.State == session.Stopped && snap.Why != session.NotGivenUp
		if !well(snap) && !named && snap.State != session.LoggedOut {
			s.t.Errorf("%s is %s (%s), linked %v, %v after the trouble", snap.User, snap.State, snap.Reason, snap.Linked, recovery)
			s.tell(p)
		}
		if !well(snap) {
			p.Login()
		}
	}
	for range 4 { // whatever notice was lost, a heartbeat asks for what it was about
		if synctest.Wait(); well(s.alice.Snapshot()) && well(s.bob.Snapshot()) && s.arrived() {
			return
		}
		time.Sleep(recovery)
	}
}

// arrived tells that all messages have come to their receivers.
func (s *story) arrived() bool {
	return s.alice.count(session.MessageReceived) == len(s.bob.said) && s.bob.count(session.MessageReceived) == len(s.alice.said) &&
		s.alice.Snapshot().Unsent == 0 && s.bob.Snapshot().Unsent == 0
}

func well(s session.Snapshot) bool {
	return s.Linked && (s.State == session.Online || s.State == session.WillExpire || s.State == session.Renewing)
}

// judge looks back.
func (s *story) judge(happened int) {
	for _, p := range []*person{s.alice, s.bob} {
		if snap := p.Snapshot(); !well(snap) {
			s.t.Errorf("%s is %s (%s) after a login", snap.User, snap.State, snap.Reason)
			s.tell(p)
		}
		s.oneAtATime(p)
	}
	// A classic client with tokens of ten seconds renews twelve times a minute. What happens may cost a fetch, and what is spoiled another one.
	if n := crowd(s.fetched, time.Minute); n > 14+happened+s.spoiled {
		s.t.Errorf("%d fetches within a minute, with %d things that happened and %d calls that were spoiled", n, happened, s.spoiled)
	}
	if n := crowd(s.dialed, time.Minute); n > 40+2*happened {
		s.t.Errorf("%d connections within a minute, with %d things that happened", n, happened)
	}
	s.messages(s.alice, s.bob)
	s.messages(s.bob, s.alice)
}

// oneAtATime checks that there is never a login or a renewal beside another one.
func (s *story) oneAtATime(p *person) {
	loggingIn, renewing := false, false
	for _, e := range p.all() {
		switch e.Name {
		case session.LoginStarted:
			if loggingIn {
				s.t.Errorf("at %v two logins are under way", e.At)
			}
			loggingIn, renewing = true, false
		case session.LoginSucceeded, session.LoginFailed, session.LoggedOutNow:
			loggingIn = false
			renewing = renewing && e.Name != session.LoggedOutNow
		case session.RenewStarted:
			if renewing {
				s.t.Errorf("at %v two renewals are under way", e.At)
			}
			renewing = true
		case session.RenewSucceeded, session.RenewFailed, session.TokenExpired, session.Disconnected, session.Kicked:
			renewing = false
		}
	}
}

// messages checks that what one has sent has come to the other once and in order, and was told to be sent.
func (s *story) messages(from, to *person) {
	var sent, told, got []string
	for _, e := range from.all() {
		if e.Name == session.MessageSent {
			told = append(told, e.Text)
		}
	}
	for _, e := range to.all() {
		if e.Name == session.MessageReceived {
			got = append(got, e.Text)
		}
	}
	sent = slices.Clone(from.said)
	inOrder := slices.Equal(sent, got)
	for _, list := range [][]string{sent, told, got} { // the answers may come in another order
		slices.Sort(list)
	}
	// Where single frames vanish, which no network does to a connection, later messages overtake the lost one.
	if !slices.Equal(sent, told) || !slices.Equal(sent, got) || !inOrder && !s.gaps {
		s.t.Errorf("%s sent %v, was told that %v were sent, and %s got %v", from.Snapshot().User, sent, told, to.Snapshot().User, got)
		s.tell(from)
		s.tell(to)
	}
}

// tell adds what somebody lived through last.
func (s *story) tell(p *person) {
	var b strings.Builder
	events := p.all()
	for _, e := range events[max(len(events)-60, 0):] {
		fmt.Fprintf(&b, "\n  %v %s %s", e.At.Sub(s.start), line(e), e.Reason)
	}
	s.t.Errorf("%s's last events:%s", p.Snapshot().User, b.String())
}

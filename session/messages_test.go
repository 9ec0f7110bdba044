package session_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// Whatever the network does, each message arrives once and in order, and is reported sent once and delivered once.
func TestMessagesSurviveCuts(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		const messages, cuts = 1000, 50
		seed := rand.Uint64() //nolint:gosec // keeps no secret
		w.t.Logf("seed %d", seed)
		luck := rand.New(rand.NewPCG(seed, 0))       //nolint:gosec // must be repeatable
		alice := w.online("alice", time.Minute, nil) // tokens are renewed meanwhile
		bob := w.online("bob", day, nil)
		cutBefore := make(map[int]int)
		for range cuts {
			cutBefore[luck.IntN(messages)]++
		}
		var ids []string
		for i := range messages {
			for range cutBefore[i] {
				w.net.Cut()
				time.Sleep(time.Duration(luck.IntN(3000)) * time.Millisecond)
			}
			ids = append(ids, alice.send("bob", fmt.Sprint(i)))
			if luck.IntN(20) == 0 {
				time.Sleep(time.Duration(luck.IntN(200)) * time.Millisecond)
			}
		}
		time.Sleep(time.Minute)
		var sent, delivered []string
		for _, e := range alice.all() {
			switch e.Name {
			case session.MessageSent:
				sent = append(sent, e.MessageID)
			case session.MessageDelivered:
				delivered = append(delivered, e.MessageID)
			case session.MessageFailed, session.LoginFailed, session.TokenRejected:
				t.Errorf("%s: %s", e.Name, e.Reason)
			}
		}
		var received []string
		for _, e := range bob.all() {
			if e.Name == session.MessageReceived {
				received = append(received, e.Text)
			}
		}
		same(t, "sent", sent, ids)
		same(t, "delivered", delivered, ids)
		var texts []string
		for i := range messages {
			texts = append(texts, fmt.Sprint(i))
		}
		same(t, "received", received, texts)
		if got := alice.Snapshot().Unsent; got != 0 {
			t.Errorf("%d messages count as unsent", got)
		}
		if got := bob.count(session.ReconnectingNow); got < cuts/3 {
			t.Errorf("only %d reconnects, which proves little", got)
		}
		if got := bob.count(session.TokenRequested); got != 1 {
			t.Errorf("bob fetched %d tokens, want 1", got)
		}
	})
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d messages %s, want %d", len(got), what, len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("message %d %s is %s, want %s", i, what, got[i], want[i])
			return
		}
	}
}

func TestMessagesWrittenWhileLoggedOut(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", time.Hour, nil)
		for i := range 100 { // more than are on their way at once
			p.send("echo", fmt.Sprint(i))
		}
		time.Sleep(time.Hour)
		p.told("")
		if got := p.Snapshot().Unsent; got != 100 {
			t.Errorf("%d unsent, want 100", got)
		}
		p.Login()
		time.Sleep(time.Second)
		p.Logout()
		p.Login()
		synctest.Wait()
		for _, name := range []session.EventName{session.MessageSent, session.MessageDelivered, session.MessageReceived} {
			if got := p.count(name); got != 100 {
				t.Errorf("%d times %s, want 100", got, name)
			}
		}
		if got := w.journal(fakeserver.MessageStored, ""); got != 400 {
			t.Errorf("%d messages stored, want 100, their echoes, and a receipt for each of both", got)
		}
	})
}

// A gateway that does not answer a message, whether it got it or not, costs the link, and the message is sent once all the same.
func TestSendTimeout(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(*swallower)
	}{
		{"message lost", func(s *swallower) { s.dead.Store(true) }},
		{"answer lost", func(s *swallower) { s.deaf.Store(true) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				var newest atomic.Pointer[swallower]
				alice := w.online("alice", time.Hour, w.swallowing(&newest))
				bob := w.online("bob", time.Hour, nil)
				tc.fault(newest.Load())
				asked := alice.Now()
				alice.send("bob", "hello?")
				time.Sleep(30 * time.Second)
				alice.told(`
					disconnected onDisconnected 300
					reconnecting
					> reconnecting
					connected onConnected
					> online
					message.sent alice>bob "hello?"
					message.delivered alice>bob "hello?"
				`)
				lost := alice.last(session.ReconnectingNow)
				contains(t, lost.Reason, "did not answer in time")
				if took := lost.At.Sub(asked); took != 15*time.Second {
					t.Errorf("the link was given up after %v, want 15s", took)
				}
				if got := bob.count(session.MessageReceived); got != 1 {
					t.Errorf("bob got it %d times, want once", got)
				}
			})
		})
	}
}

// A batch that was asked for and never comes costs the link, too: nothing would be asked for on it any more.
func TestBatchLost(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		alice, bob := w.online("alice", time.Hour, nil), w.online("bob", time.Hour, nil)
		if _, err := w.server.AddFault(fakeserver.Fault{
			Target: fakeserver.FaultLink, Kind: "drop", User: "bob", Count: 1, Params: fakeserver.FaultParams{"direction": "out", "command": "sync"},
		}); err != nil {
			t.Fatal(err)
		}
		alice.send("bob", "hello?")
		time.Sleep(14 * time.Second)
		if got := bob.count(session.MessageReceived); got != 0 {
			t.Errorf("bob got %d messages, although the batch was lost", got)
		}
		time.Sleep(16 * time.Second)
		contains(t, bob.last(session.ReconnectingNow).Reason, "did not answer in time")
		if got := bob.count(session.MessageReceived); got != 1 {
			t.Errorf("bob got it %d times, want once", got)
		}
	})
}

func TestSendRefusesWhatIsNoMessage(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", time.Hour, nil)
		for _, tc := range []struct{ name, to, text, words string }{
			{"empty", "bob", "", "empty"},
			{"too large", "bob", strings.Repeat("x", session.MaxText+1), "takes at most 5000; split it"},
			{"not UTF-8", "bob", "\xff", "not valid UTF-8"},
			{"nobody", "", "hello", "choose a peer first"},
		} {
			_, err := p.Send(tc.to, tc.text)
			if err == nil {
				t.Errorf("%s: taken", tc.name)
				continue
			}
			contains(t, err.Error(), tc.words)
		}
		if got := p.Snapshot().Unsent; got != 0 {
			t.Errorf("%d unsent, want none", got)
		}
	})
}

func TestLargestMessage(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		text := strings.Repeat("é", session.MaxText/2)
		p.send("echo", text)
		synctest.Wait()
		if got := p.last(session.MessageReceived).Text; got != text {
			t.Errorf("%d bytes came back, want %d", len(got), len(text))
		}
	})
}

func TestOutboxIsBounded(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.person("alice", time.Hour, nil)
		taken := 0
		var err error
		for ; err == nil && taken < 20_000; taken++ {
			_, err = p.Send("bob", "x")
		}
		if err == nil {
			t.Fatal("the outbox has no bound")
		}
		contains(t, err.Error(), "10000 messages wait", "log in")
		if taken-1 != 10_000 || p.Snapshot().Unsent != 10_000 {
			t.Errorf("%d taken, %d unsent, want 10,000", taken-1, p.Snapshot().Unsent)
		}
	})
}

func TestRefusedMessages(t *testing.T) {
	inWorld(t, fakeserver.Config{ClosedRegistration: true, Users: []fakeserver.User{{Name: "alice"}}}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		unknown := p.send("nobody-here", "hello")
		p.told(`message.failed 503 alice>nobody-here "hello"`)
		if e := p.last(session.MessageFailed); e.MessageID != unknown {
			t.Errorf("message %s failed, want %s", e.MessageID, unknown)
		} else {
			contains(t, e.Reason, "refused the message", "user not found")
		}
		p.send("Not A User", "hello")
		p.told(`message.failed 604 alice>Not A User "hello"`)
		p.send("echo", "the next one goes through")
		synctest.Wait()
		if got := p.count(session.MessageSent); got != 1 {
			t.Errorf("%d sent, want 1", got)
		}
		time.Sleep(time.Minute)
		if got := p.count(session.Disconnected) + p.Snapshot().Unsent; got != 0 {
			t.Error("a refused message broke the link or counts as unsent")
		}
	})
}

func TestUnknownUserCannotLogIn(t *testing.T) {
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{ClosedRegistration: true}, func(w *world) {
				p := w.person("alice", time.Hour, withProfile(profile))
				p.Login()
				time.Sleep(time.Hour)
				p.is(session.Stopped, "user not found")
				if got := w.fetches(); got != 1 || p.Snapshot().Code != chat.UserNotFound {
					t.Errorf("%d fetches, code %v; want 1 and 204", got, p.Snapshot().Code)
				}
			})
		})
	}
}

// A message to oneself, and what another device of the same user sends.
func TestTwoDevicesTalk(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		phone, laptop := w.online("alice", time.Hour, nil), w.online("alice", time.Hour, nil)
		bob := w.online("bob", time.Hour, nil)
		phone.send("bob", "from the phone")
		phone.told(`
			message.sent alice>bob "from the phone"
			message.delivered alice>bob "from the phone"
		`)
		laptop.told(`message.received alice>bob "from the phone"`)
		bob.send("alice", "to both")
		synctest.Wait()
		phone.told(`message.received bob>alice "to both"`)
		laptop.told(`message.received bob>alice "to both"`)
		time.Sleep(time.Minute)
		if got := bob.count(session.MessageDelivered); got != 1 {
			t.Errorf("bob's message was reported delivered %d times, want once", got)
		}
	})
}

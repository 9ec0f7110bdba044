package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// restart ends the emulator, in order or by pulling the plug, and starts another one at the same addresses after a while. The new one knows
// nothing of the old one's.
func (w *world) restart(inOrder bool, after time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if !inOrder {
		w.setWeather(down())
		w.net.Cut()
		cancel()
	}
	if err := w.server.Close(ctx); err != nil && inOrder {
		w.t.Errorf("close: %v", err)
	}
	w.setWeather(down())
	time.Sleep(after)
	w.setWeather(nil)
	w.serve(fakeserver.Config{})
}

// TestRestart is fault test R3: the emulator is restarted again and again while messages are on their way.
//
// When it ends in order, every message that it took arrives, and those that it did not take are sent to the next one: none is lost, doubled or
// reordered. When it is killed, what it had taken and nobody had fetched is gone; then its sender is never told that it was delivered, and
// nothing is lost without that sign.
func TestRestart(t *testing.T) {
	for _, inOrder := range []bool{true, false} {
		t.Run(map[bool]string{true: "in order", false: "killed"}[inOrder], func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				const clients, restarts, messages = 10, 8, 100
				luck := rand.New(rand.NewPCG(1, 0)) //nolint:gosec // must be repeatable
				people := make([]*person, clients)
				for i := range people {
					people[i] = w.online(fmt.Sprintf("user%d", i), time.Hour, nil)
				}
				said := 0
				say := func() {
					from := luck.IntN(clients)
					to := (from + 1 + luck.IntN(clients-1)) % clients
					people[from].send(fmt.Sprintf("user%d", to), fmt.Sprint(said))
					said++
				}
				for range restarts {
					w.fault(linkFault, "delay", 0, "delay=100ms") // so that much is on its way at any instant
					for range messages {
						say()
						time.Sleep(time.Duration(luck.IntN(10)) * time.Millisecond)
					}
					w.restart(inOrder, time.Duration(luck.IntN(5000))*time.Millisecond)
					time.Sleep(time.Minute)
				}
				synctest.Wait()
				var story []chapter
				taken, delivered := 0, make(map[string]bool)
				for i, p := range people {
					p.is(session.Online)
					c := p.chapter(fmt.Sprintf("user%d", i))
					story = append(story, c)
					taken += len(c.taken)
					for _, e := range p.all() {
						if e.Name == session.MessageDelivered {
							delivered[e.Text] = true
						}
					}
				}
				if taken != said {
					t.Errorf("%d of %d messages were taken", taken, said)
				}
				lost := 0
				for _, v := range violations(story) {
					if inOrder || !strings.HasSuffix(v, "was lost") {
						t.Error(v)
					}
					lost++
				}
				for _, c := range story {
					for _, l := range c.received {
						delete(delivered, l.text)
					}
				}
				if len(delivered) > 0 {
					t.Errorf("%d messages were told to be delivered and never arrived", len(delivered))
				}
				if !inOrder && lost == 0 {
					t.Error("nothing was lost, which proves little")
				}
				t.Logf("%d messages, %d restarts, %d lost", said, restarts, lost)
			})
		})
	}
}

// TestRestartLogsInAgain: an emulator that starts anew knows no Chat token of its predecessor. Clients that it refuses for that fetch one new
// token each, spread over a moment, and are back; the Web SDK's 007 token is as good as before.
func TestRestartLogsInAgain(t *testing.T) {
	for _, profile := range chat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(w *world) {
				p := w.online("alice", time.Hour, withProfile(profile))
				time.Sleep(time.Minute)
				w.restart(true, time.Second)
				time.Sleep(30 * time.Second)
				p.is(session.Online)
				want := requests{Fetches: 1, Exchanges: 1, Sessions: 1, Refused: 1}
				if !profile.Exchange {
					want = requests{Sessions: 1}
				}
				w.saw(want)
			})
		})
	}
}

// A new token that is refused, too, ends the session with the reason: asking on would mend nothing.
func TestRefusedAfterRestart(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(w *world) {
		p := w.online("alice", time.Hour, nil)
		w.restart(true, 0)
		w.fault(tokenServer, "wrong-certificate", 0)
		time.Sleep(time.Hour)
		p.is(session.Stopped, "check that the token is for this user")
		p.why(session.TokenRefused)
		w.saw(requests{Fetches: 1, Exchanges: 1, Refused: 1})
	})
}

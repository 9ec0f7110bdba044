package chat

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

// A correction explains the reading, is no larger than it must be, and readings of the right clock never spoil it.
func TestCorrect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		duration := func(name string, most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
		}
		truth := duration("truth", 2*time.Hour) - time.Hour // how far the service's clock is really ahead
		before := duration("before", 2*time.Hour) - time.Hour
		asked := noon
		heard := asked.Add(duration("round trip", 20*time.Second))
		shown := asked.Add(duration("way there", heard.Sub(asked))).Add(truth)
		r := reading{asked: asked, heard: heard, from: shown.Truncate(time.Second), to: shown.Truncate(time.Second).Add(time.Second)}
		after := r.correct(before)
		if off := (after - truth).Abs(); off > heard.Sub(asked)+time.Second {
			t.Fatalf("%v is %v off", after, off)
		}
		if (after - truth).Abs() > (before - truth).Abs() {
			t.Fatalf("%v is farther off than %v was", after, before)
		}
		if got := r.correct(truth); got != truth {
			t.Fatalf("the truth %v became %v", truth, got)
		}
	})
}

func TestCorrectWhileTheClockIsSetBack(t *testing.T) {
	r := reading{asked: noon, heard: noon.Add(-time.Hour), from: noon, to: noon.Add(time.Second)}
	if got := r.correct(time.Minute); got != time.Minute {
		t.Errorf("ahead by %v, want nothing learned", got)
	}
}

func TestAbsurd(t *testing.T) {
	for _, tc := range []struct {
		expires time.Time
		absurd  bool
	}{
		{noon.Add(time.Hour), false}, {noon.Add(-time.Hour), false}, {time.Time{}, false}, {noon.AddDate(1, 0, 0), false},
		{time.UnixMilli(noon.Unix()), true}, {time.UnixMilli(3600), true}, {time.UnixMilli(noon.UnixMicro()), true}, {time.Unix(1<<40, 0), true},
	} {
		if err := absurd(PhaseLogin, tc.expires, noon); (err != nil) != tc.absurd {
			t.Errorf("%v: %v", tc.expires, err)
		}
	}
}

// A frame that nobody asked for moves no clock, even where it comes in an answer's place.
func TestPushedClockIsNoReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		gateway(t, net, func(_ int, g gate) {
			g.welcome(time.Now().Add(24 * time.Hour))
			g.until(msync.MSync_UNREAD)
			pushed := uint64(time.Now().Add(5 * time.Hour).UnixMilli())
			g.say(msync.MSync_UNREAD, &msync.CommUnreadDL{Status: ok(), Timestamp: &pushed})
			for range 3 {
				now := uint64(time.Now().UnixMilli())
				g.say(msync.MSync_UNREAD, &msync.CommUnreadDL{Status: ok(), Timestamp: &now})
				g.until(msync.MSync_UNREAD)
			}
		})
		a := newApp(t, net, Web)
		if _, err := a.login("alice", token(t, 24*time.Hour, 0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if got := a.find(ClockSkew); len(got) != 0 {
			t.Errorf("the clock is %v ahead", got[0].Ahead)
		}
	})
}

// With TrustLocalClock nothing is learned: the timers go by the own clock, as the SDKs' do.
func TestTrustLocalClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		emulator(t, net, fakeserver.Config{})
		a := newApp(t, net, Native, func(cfg *Config) { cfg.TrustLocalClock = true })
		if _, err := a.login("alice", token(t, time.Hour, 0)); err != nil {
			t.Fatal(err)
		}
		a.clock.Jump(2 * time.Hour)
		if got := a.names(); got != "connected expired disconnected" {
			t.Errorf("called back %s", got)
		}
	})
}

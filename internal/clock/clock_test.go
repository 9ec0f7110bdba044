package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestJumpMovesTheClockAndWakesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(time.Minute)
		if got := time.Until(c.Now()); got != time.Minute {
			t.Errorf("offset %v, want 1m", got)
		}
		woken := false
		changed := c.Changed()
		go func() { <-changed; woken = true }()
		c.Jump(-10 * time.Minute)
		synctest.Wait()
		if !woken {
			t.Error("a jump did not wake the waiter")
		}
		if got := c.Offset(); got != -9*time.Minute {
			t.Errorf("offset %v after the jump, want -9m", got)
		}
		select {
		case <-c.Changed():
			t.Error("a new waiter saw the old jump")
		default:
		}
	})
}

func TestNowHasNoMonotonicReading(t *testing.T) {
	if now := New(0).Now(); now != now.Round(0) {
		t.Errorf("%v carries a monotonic reading, which stops while the machine sleeps", now)
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(time.Hour)
		for _, tc := range []struct {
			name     string
			deadline time.Time
			want     time.Duration
		}{
			{"no deadline", time.Time{}, recheck},
			{"past", c.Now().Add(-time.Second), 0},
			{"now", c.Now(), 0},
			{"near", c.Now().Add(3 * time.Second), 3 * time.Second},
			{"far", c.Now().Add(24 * time.Hour), recheck},
		} {
			if got := c.Wait(tc.deadline); got != tc.want {
				t.Errorf("%s: wait %v, want %v", tc.name, got, tc.want)
			}
		}
	})
}

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
			{"no deadline", time.Time{}, idle},
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

func TestFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(time.Hour)
		start := c.Now()
		check := func(what string, want time.Duration) {
			t.Helper()
			if got := c.Now().Sub(start); got != want {
				t.Errorf("%s: %v after the start, want %v", what, got, want)
			}
		}
		changed := c.Changed()
		c.Freeze(true)
		select {
		case <-changed:
		default:
			t.Error("whoever waits does not hear that the clock stands still")
		}
		time.Sleep(time.Minute)
		check("frozen", 0)
		if !c.Frozen() || c.Offset() != time.Hour {
			t.Errorf("frozen %v, offset %v", c.Frozen(), c.Offset())
		}
		if got := c.Wait(start.Add(time.Millisecond)); got != recheck {
			t.Errorf("a deadline that does not come nearer: wait %v", got)
		}
		c.Jump(time.Second)
		check("jumped while frozen", time.Second)
		if got := c.Wait(start.Add(time.Millisecond)); got != 0 {
			t.Errorf("a deadline that a jump has reached: wait %v", got)
		}
		c.Freeze(true) // changes nothing
		c.Freeze(false)
		check("let go", time.Second)
		time.Sleep(time.Minute)
		check("running again", time.Minute+time.Second)
		c.Freeze(true)
		time.Sleep(time.Minute)
		c.SetOffset(time.Hour)
		check("set while frozen", 3*time.Minute)
		time.Sleep(time.Minute)
		check("still frozen", 3*time.Minute)
	})
}

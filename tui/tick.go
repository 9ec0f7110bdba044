package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/session"
)

// Remaining time is shown in whole seconds, in steps of soonStep once less than soon is left, and in whole minutes while more than far is
// left: nobody counts the seconds of a day, and a screen at rest shall cost nothing.
const (
	far      = time.Hour
	soon     = 10 * time.Second
	soonStep = 100 * time.Millisecond
	// slack is how much two readings of the clocks may differ without being worth another tick.
	slack = soonStep / 20
)

// tickMsg wakes the screen because a number on it has changed. Only the newest one armed counts.
type tickMsg int

// ticker remembers which tick is under way.
type ticker struct {
	armed int
	due   time.Time // by the machine's monotonic clock; zero when no tick is under way
}

// step is how often the numbers on the screen change: 0 while there is nothing to count.
func step(s session.Snapshot, now time.Time) time.Duration {
	deadlines := []time.Time{s.RetryAt, s.RenewAt}
	if s.Token != nil && s.State != session.LoggedOut && s.State != session.Stopped {
		deadlines = append(deadlines, s.Token.WillExpireAt, s.Token.ExpiresAt)
	}
	var every time.Duration
	for _, at := range deadlines {
		switch d := at.Sub(now); {
		case at.IsZero() || d <= 0:
		case d <= soon:
			return soonStep
		case d <= far:
			every = time.Second
		case every == 0:
			every = time.Minute
		}
	}
	return every
}

// every is how often the numbers on the screen change, those of a scenario that is played included.
func (m *model) every() time.Duration {
	now := m.session.Now()
	every := step(m.snap, now)
	if played := m.play.step(now); played > 0 && (every == 0 || played < every) {
		return played
	}
	return every
}

// next arms the tick at which the session's clock reaches the next whole step, unless one is under way that comes no later.
func (t *ticker) next(every time.Duration, now time.Time) tea.Cmd {
	if every == 0 {
		return nil
	}
	wait := now.Truncate(every).Add(every).Sub(now)
	due := time.Now().Add(wait)
	if !t.due.IsZero() && due.Add(slack).After(t.due) {
		return nil
	}
	t.armed++
	t.due = due
	armed := t.armed
	return tea.Tick(wait, func(time.Time) tea.Msg { return tickMsg(armed) })
}

// fired notes that a tick has come.
func (t *ticker) fired(msg tickMsg) {
	if int(msg) == t.armed {
		t.due = time.Time{}
	}
}

package chat

import (
	"time"
)

// The service alone decides when a token ends, so a life is counted by the service's clock. The client knows that clock from the Date
// header of REST answers and from the answers to its own UNREADs (protocol.md d.3), and keeps how far it is ahead of the client's own.
// Frames that nobody asked for move no clock: they are how a life is played in fast motion.

const (
	// clockStep is the difference between wall and monotonic time from which on the machine has slept or its clock was set.
	clockStep = time.Second
	// askPatience is how long the service may take to say what time it is after such a step. Then the client believes its own clock.
	askPatience = 5 * time.Second
	// farOff is a correction that a second answer has to confirm: a frame that nobody asked for may have come in the answer's place.
	farOff = time.Minute
	// maxAsked bounds the questions without an answer that are remembered.
	maxAsked = 64
)

// reading is what the service's clock showed, at least from and at most to, at some instant between asked and heard of the client's.
type reading struct{ asked, heard, from, to time.Time }

// correct is what the service's clock is ahead of the client's by: as before, if the reading allows that, or else the nearest that it
// allows. So a slow answer says little and a rounded one spoils nothing.
func (r reading) correct(ahead time.Duration) time.Duration {
	least, most := r.from.Sub(r.heard), r.to.Sub(r.asked)
	if least > most { // the client's clock was set back meanwhile
		return ahead
	}
	return min(max(ahead, least), most)
}

// now is the service's time, as far as it is known.
func (l *loop) now() time.Time { return l.cfg.Clock.Now().Add(l.ahead) }

// own turns an instant of the service's into the client's; none stays none.
func (l *loop) own(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-l.ahead)
}

// learn takes a reading into account and tells the app when that changes anything.
func (l *loop) learn(r reading) {
	ahead := r.correct(l.ahead)
	moved := ahead - l.ahead
	if moved == 0 || l.cfg.TrustLocalClock {
		l.guessed = false
		return
	}
	l.ahead = ahead
	if l.guessed && !l.state.acceptedAt.IsZero() {
		l.state.acceptedAt = l.state.acceptedAt.Add(moved)
	}
	l.guessed = false
	l.emit(Event{Name: ClockSkew, Ahead: ahead, Life: l.life()})
}

// answer takes the service's answer to an UNREAD of the present link. One that is far off is believed when the next one says the same.
func (l *loop) answer(r reading) {
	ahead, candidate := r.correct(l.ahead), l.unconfirmed
	l.unconfirmed = nil
	far := (ahead-l.ahead).Abs() >= farOff && !l.cfg.TrustLocalClock
	if far && candidate == nil {
		l.unconfirmed = &ahead
		l.link.ask()
		return
	}
	l.doubtUntil = time.Time{}
	if !far || (ahead-*candidate).Abs() < farOff {
		l.learn(r)
	}
}

// doubtAll waits for the service to say what time it is, on a link on which nobody knows yet.
func (l *loop) doubtAll() {
	if !l.cfg.TrustLocalClock {
		l.unconfirmed, l.doubtUntil = nil, time.Now().Add(askPatience)
	}
	l.link.ask()
}

// watch looks for a step between wall and monotonic time, which is a sleep of the machine or a clock that was set. Nothing here can tell
// the two apart, so the service is asked before the client believes that a token has ended.
func (l *loop) watch() {
	wall, mono := l.cfg.Clock.Now(), time.Now()
	step := wall.Sub(l.wall) - mono.Sub(l.mono)
	l.wall, l.mono = wall, mono
	if step.Abs() < clockStep || l.cfg.TrustLocalClock || l.link == nil || l.state.phase != online {
		return
	}
	l.doubtAll()
}

// doubt is how long the client still waits for the service to say what time it is.
func (l *loop) doubt() time.Duration { return max(time.Until(l.doubtUntil), 0) }

// farthest is the longest life that is believed; permanent tokens have none at all.
const farthest = 100 * 365 * 24 * time.Hour

// absurd says what is wrong with an expiry that mixed-up units have made, nil when it can be meant.
func absurd(phase Phase, expires, now time.Time) *Error {
	if left := expires.Sub(now); expires.IsZero() || left <= farthest && left > -24*time.Hour {
		return nil
	}
	return &Error{
		Phase: phase, Kind: KindAbsurd, Code: ServerUnknownError,
		Reason: "the service says that the token ends on " + expires.UTC().Format("2006-01-02") +
			", so seconds, milliseconds or a duration were mixed up there; its answer cannot be used",
	}
}

package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// tokenView draws the token of one snapshot at one instant.
type tokenView struct {
	pen
	session.Snapshot
	now   time.Time
	at    time.Time // the instant of the life that is drawn: now, or when it ended
	ended bool      // the token is the last one that there was
	spoil bool      // a fault is on that has spoiled something
}

// ended is the last token of a session that has none any more, with how it stood in the end.
type ended struct {
	token               *session.TokenFacts
	at                  time.Time
	warned, expired     bool
	warnedAt, expiredAt time.Time
}

// tokenView is the token at an instant, or the last one where there is none.
func (m *model) tokenView(now time.Time) tokenView {
	v := tokenView{pen: m.pen, Snapshot: m.snap, now: now, at: now, spoil: m.whyNotAct() == "" && m.faults.spoil()}
	if e := m.ended; v.Token == nil && e.token != nil {
		v.Token, v.at, v.WillExpireFired, v.ExpiredFired, v.ended = e.token, e.at, e.warned, e.expired, true
		v.WarnedAt, v.ExpiredAt = e.warnedAt, e.expiredAt
	}
	if v.ExpiredFired && !v.ExpiredAt.IsZero() && v.ExpiredAt.Before(v.at) {
		v.at = v.ExpiredAt // nothing more is gone of a life that is over
	}
	return v
}

// account says what is going on, and where something has failed while a fault is on, how to end that.
func (v tokenView) account() account {
	a := situation(v.Snapshot, v.now)
	failed := v.Attempt > 0 || v.State == session.Stopped && v.Why != session.KickedOut
	if failed && v.spoil {
		a.next = sentences(a.next, "^X ends the fault that is on")
	}
	return a
}

// over tells whether the token's end no longer means anything, because nobody is logged in with it.
func (v tokenView) over() bool { return v.ended || v.out() }

// out tells whether nobody is logged in, nor will be before somebody asks for it.
func (v tokenView) out() bool { return v.State == session.LoggedOut || v.State == session.Stopped }

// warns tells whether will-expire comes at all in the token's life, and warned whether it has come.
func (v tokenView) warns() bool { return v.WillExpireFired || !v.Token.WillExpireAt.IsZero() }
func (v tokenView) warned() bool {
	return v.WillExpireFired || v.warns() && !v.Token.WillExpireAt.After(v.at)
}

// died tells whether the token has come to its end.
func (v tokenView) died() bool { return v.ExpiredFired || !v.Token.ExpiresAt.After(v.at) }

// tone is the colour of the token's life: it lives, it is past will-expire, it is past its end.
func (v tokenView) tone() tone {
	switch {
	case v.died():
		return dead
	case v.over():
		return calm
	case v.warned():
		return late
	default:
		return alive
	}
}

// mortal tells whether there is a token whose end is known.
func (v tokenView) mortal() bool {
	return v.Token != nil && v.Token.ExpiresAt.After(v.Token.AcceptedAt)
}

// fell is when an event of the token came that was due at an instant, and fired at another if that is known: a push of the service can bring
// it sooner. Where it is not known it came with the state that the session is in, or with the token's end.
func (v tokenView) fell(due, fired time.Time) time.Time {
	switch {
	case !fired.IsZero() && fired.Before(due):
		return fired
	case !fired.IsZero(), !due.After(v.at):
		return due
	case v.ended || v.Since.IsZero():
		return v.at
	default:
		return v.Since
	}
}

// born is where the life begins: at the issue, or where the token server's clock is ahead of the service's, when the service took the token.
func (v tokenView) born() time.Time {
	if t := v.Token; !t.IssuedAt.IsZero() && t.IssuedAt.Before(t.AcceptedAt) {
		return t.IssuedAt
	}
	return v.Token.AcceptedAt
}

// whole is how long the life is.
func (v tokenView) whole() time.Duration { return v.Token.ExpiresAt.Sub(v.born()) }

// gone is the fraction of the token's life that is over.
func (v tokenView) gone() float64 { return v.fraction(v.at) }

func (v tokenView) fraction(t time.Time) float64 {
	return min(max(float64(t.Sub(v.born()))/float64(v.whole()), 0), 1)
}

// age says how much of the life is over: "62 % of 30 s".
func (v tokenView) age() string {
	if !v.mortal() {
		return ""
	}
	return fmt.Sprintf("%d %% of %s", int(100*v.gone()), life(v.whole()))
}

// eighths are the parts of a cell, from nothing on.
var eighths = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar draws the life as a bar of width cells, filled up to now. What is gone after will-expire has the colour of lateness, and so has all of it
// when will-expire came early. A mark stands where will-expire is to come; a letter stays there when it has come, as no line below names it.
func (v tokenView) bar(width int, letter bool) string {
	parts := int(v.gone()*float64(8*width) + 0.5)
	full, part := parts/8, eighths[parts%8]
	at := v.willExpireCell(width)
	young, old := v.tones[alive], v.tones[late]
	switch t := v.tone(); {
	case t == dead || t == calm:
		young, old = v.tones[t], v.tones[t]
	case v.WillExpireFired && v.Token.WillExpireAt.After(v.at):
		young = old
	}
	stretch := func(from, to int, p paint) string {
		gone, rest := min(max(full-from, 0), to-from), ""
		if full >= from && full < to {
			rest = part
		}
		return p.Render(strings.Repeat("█", gone)+rest) + v.faint.Render(strings.Repeat("░", to-from-gone-len([]rune(rest))))
	}
	if at >= width {
		return stretch(0, width, young)
	}
	mark := "│"
	if letter {
		mark = "W"
	}
	switch ahead := full < at || full == at && part == ""; {
	case ahead:
		mark = v.tones[late].Render(mark)
	case letter:
		mark = v.pills[v.tone()].Render(mark)
	default:
		mark = stretch(at, at+1, old)
	}
	return stretch(0, at, young) + mark + stretch(at+1, width, old)
}

// willExpireCell is the cell of a bar of width cells at which will-expire comes, or one past the bar where it never does.
func (v tokenView) willExpireCell(width int) int {
	if !v.warns() {
		return width
	}
	return min(int(v.fraction(v.Token.WillExpireAt)*float64(width)), max(width-2, 0)) // the last cell is the end's
}

// marks names the marks of the bar above: W where will-expire comes, if it does, and E where the token expires.
func (v tokenView) marks(width int) string {
	at, age := v.willExpireCell(width), v.age()
	w, e := v.dim, v.dim
	if v.WillExpireFired && !v.over() {
		w = v.tones[late]
	}
	if v.died() {
		e = v.tones[dead]
	}
	if !v.warns() {
		return v.fit(v.dim.Render(age), width-1) + e.Render("E")
	}
	left := v.fit(v.dim.Render(age), max(at, 0))
	return left + w.Render("W") + strings.Repeat(" ", max(width-at-2, 0)) + e.Render("E")
}

// countdown is a line on a deadline: what happens, in how long, at what time, and what the app does then.
func (v tokenView) countdown(what, past string, at time.Time, fired bool, firedAt time.Time, then string, width int) string {
	shown := at
	if fired {
		shown = v.fell(at, firedAt)
	}
	clock := v.when(shown, v.now)
	clock, then = v.dim.Render(clock), v.dim.Render(clock+", then "+then)
	switch {
	case !fired && at.After(v.at) && v.died():
		return v.dim.Render(strings.ToUpper(what[:1]) + "  " + what + ": it never came")
	case fired || !at.After(v.at):
		return v.spread(width, v.tones[v.tone()].Render(past), then, clock)
	case v.over():
		return v.spread(width, v.dim.Render(what), clock)
	default:
		letter := strings.ToUpper(what[:1])
		return v.spread(width, v.dim.Render(letter)+"  "+v.fit(what+" in", 14)+v.tones[v.tone()].Bold().Render(v.right(span(left(at, v.at)), 10)), then, clock)
	}
}

// warning is the line on will-expire.
func (v tokenView) warning(width int) string {
	if !v.warns() {
		return v.spread(width, "   "+v.dim.Render("no will-expire: "+tooShort(v.Profile)))
	}
	return v.countdown("will expire", "W  will-expire fired", v.Token.WillExpireAt, v.WillExpireFired, v.WarnedAt, afterWillExpire(v.Policy), width)
}

// mostSentences is how many lines the situation has at most.
const mostSentences = 5

// card draws what one must know of the token: the situation in words, in at least so many rows, the bar of its life, its two instants and what
// the app does then.
func (v tokenView) card(width, rows int) []string {
	lines := v.wrap(v.account().String(), width, mostSentences)
	for i, line := range lines {
		lines[i] = v.tones[v.mood()].Render(line)
	}
	for len(lines) < rows {
		lines = append(lines, "")
	}
	if v.mortal() {
		lines = append(lines, v.bar(width, false), v.marks(width),
			v.warning(width),
			v.countdown("expires", "E  expired", v.Token.ExpiresAt, v.ExpiredFired, v.ExpiredAt, afterExpired(v.Policy), width))
	}
	return append(lines, v.facts(width)...)
}

// mood is the tone of the sentence on what is going on.
func (v tokenView) mood() tone {
	if v.failing() {
		return late
	}
	return stateTones[v.State]
}

// failing tells whether a renewal has failed and is to be tried again, while the token lives.
func (v tokenView) failing() bool {
	return (v.State == session.Online || v.State == session.WillExpire) && v.RetryAt.After(v.now)
}

// facts names the token, and what is odd about it or about the clocks.
func (v tokenView) facts(width int) []string {
	t := v.Token
	if t == nil {
		return []string{v.dim.Render("no token")}
	}
	facts := []string{printable.Line(t.Short, 40)}
	if t.User != "" { // a token for a channel names none
		facts = append(facts, "for "+printable.Line(t.User, 64))
	}
	which := ordinal(t.Ordinal) + " token"
	if v.ended {
		which = "the last token, the " + ordinal(t.Ordinal)
	}
	facts = append(facts, which)
	if !t.IssuedAt.IsZero() {
		facts = append(facts, "issued "+v.clock(t.IssuedAt))
	}
	if v.Policy.RenewEvery > 0 {
		facts = append(facts, "renewed every "+life(v.Policy.RenewEvery))
	}
	if !t.Renewable {
		facts = append(facts, "pasted, so it cannot be renewed")
	}
	line := facts[0]
	for _, fact := range facts[1:] { // what does not fit as a whole is left away
		if longer := line + " · " + fact; v.cells.StringWidth(longer) <= width {
			line = longer
		}
	}
	lines := []string{v.dim.Render(line)}
	warnings := t.Warnings
	if v.ClockWarning != "" {
		warnings = append(slices.Clone(warnings), v.ClockWarning)
	}
	for _, w := range warnings {
		for _, line := range v.wrap("! "+printable.Line(w, 300), width, 3) {
			lines = append(lines, v.tones[late].Render(line))
		}
	}
	return lines
}

// strip draws the token in one line: the bar with a mark at will-expire, and the countdowns, of which the header of a narrow screen has
// one already.
func (v tokenView) strip(width int) string {
	if !v.mortal() {
		return v.dim.Render(v.fit("no token", width))
	}
	both, timed := width >= narrow-2, width >= 72
	expires, willExpire := "expires "+span(left(v.Token.ExpiresAt, v.at)), ""
	switch {
	case v.died():
		expires = "expired " + v.clock(v.fell(v.Token.ExpiresAt, v.ExpiredAt))
	case v.over():
		expires = "expires " + v.clock(v.Token.ExpiresAt)
	case timed:
		expires += " at " + v.when(v.Token.ExpiresAt, v.now)
	}
	switch {
	case v.over() || v.died():
	case !v.warns():
		willExpire = "no will-expire · "
	case v.warned():
		willExpire = "will-expire fired · "
	default:
		willExpire = "will expire " + span(left(v.Token.WillExpireAt, v.at)) + " · "
	}
	// The column of words is as wide as this token's life needs, so that the bar stays while the numbers get shorter.
	longest := len(span(v.whole()))
	column := max(len("expires ")+longest, len("expired 15:04:05"))
	if timed {
		column += len(" at " + v.when(v.Token.ExpiresAt, v.now))
	}
	if both {
		column += max(len("will expire  · ")+longest, len("will-expire fired · "))
	} else {
		willExpire = ""
	}
	column = min(column, width-3-leastBar)
	return v.bar(width-column-3, true) + v.dim.Render("E") + "  " + v.tones[v.tone()].Render(v.right(willExpire+expires, column))
}

// leastBar is how many cells the bar has at least beside the words.
const leastBar = 8

func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	default:
		return fmt.Sprintf("%dth", n)
	}
}

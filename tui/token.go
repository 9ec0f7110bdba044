package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// tokenView draws the token of one snapshot at one instant.
type tokenView struct {
	pen
	session.Snapshot
	now time.Time
}

// over tells whether the token's end no longer means anything, because nobody is logged in with it.
func (v tokenView) over() bool { return v.State == session.LoggedOut || v.State == session.Stopped }

// tone is the colour of the token's life: it lives, it is past will-expire, it is past its end.
func (v tokenView) tone() tone {
	switch {
	case v.over():
		return calm
	case v.ExpiredFired || !v.Token.ExpiresAt.After(v.now):
		return dead
	case v.WillExpireFired || !v.Token.WillExpireAt.After(v.now):
		return late
	default:
		return alive
	}
}

// mortal tells whether there is a token whose end is known.
func (v tokenView) mortal() bool {
	return v.Token != nil && v.Token.ExpiresAt.After(v.Token.AcceptedAt)
}

// gone is the fraction of the token's life that is over.
func (v tokenView) gone() float64 { return v.fraction(v.now) }

func (v tokenView) fraction(t time.Time) float64 {
	whole := v.Token.ExpiresAt.Sub(v.Token.AcceptedAt)
	return min(max(float64(t.Sub(v.Token.AcceptedAt))/float64(whole), 0), 1)
}

// age says how much of the life is over: "62 % of 30 s".
func (v tokenView) age() string {
	if !v.mortal() || v.over() {
		return ""
	}
	return v.dim.Render(fmt.Sprintf("%d %% of %s", int(100*v.gone()), life(v.Token.ExpiresAt.Sub(v.Token.AcceptedAt))))
}

// bar draws part of the time axis of the life: cells cells of one that is width cells long, filled up to now, in half cells. A mark
// stands where will-expire is.
func (v tokenView) bar(width, cells int, mark bool) string {
	halves := int(v.gone()*float64(2*width) + 0.5)
	full := min(halves/2, cells)
	done, rest := strings.Repeat("━", full), strings.Repeat("─", cells-full)
	if halves%2 == 1 && full < cells {
		done, rest = done+"╸", rest[len("─"):]
	}
	if at := int(v.fraction(v.Token.WillExpireAt) * float64(width)); mark && at < cells {
		runes := []rune(done + rest)
		split := len([]rune(done))
		runes[at] = '┼'
		if at < split {
			runes[at] = '╋'
		}
		done, rest = string(runes[:split]), string(runes[split:])
	}
	return v.tones[v.tone()].Render(done) + v.faint.Render(rest)
}

// countdown is a line on a deadline: what happens, in how long, at what time, and what the app does then.
func (v tokenView) countdown(what, past string, at time.Time, fired bool, then string, width int) string {
	clock := v.clock(at)
	if at.Sub(v.now).Abs() > 12*time.Hour {
		clock = at.In(v.zone).Format("Mon 15:04:05")
	}
	clock, then = v.dim.Render(clock), v.dim.Render(clock+", then "+then)
	switch {
	case fired || !at.After(v.now):
		return v.spread(width, v.tones[v.tone()].Render(past), then, clock)
	case v.over():
		return v.spread(width, v.dim.Render(what), clock)
	default:
		return v.spread(width, v.fit(what+" in", 14)+v.strong.Render(v.right(span(left(at, v.now)), 12)), then, clock)
	}
}

// panel draws everything that is known of the token, with a countdown and a bar for each of its two events. Both bars share one time
// axis, so that the shorter one ends where will-expire is.
func (v tokenView) panel(width int) []string {
	lines := v.wrap(situation(v.Snapshot, v.now), width, 5)
	for i, line := range lines {
		lines[i] = v.tones[stateTones[v.State]].Render(line)
	}
	for len(lines) < 2 { // a sentence that grows by a line moves nothing
		lines = append(lines, "")
	}
	if v.mortal() {
		short := max(int(v.fraction(v.Token.WillExpireAt)*float64(width)), 1)
		lines = append(lines, "",
			v.countdown("will expire", "will-expire fired", v.Token.WillExpireAt, v.WillExpireFired, afterWillExpire(v.Policy), width),
			v.bar(width, short, false),
			v.countdown("expires", "expired", v.Token.ExpiresAt, v.ExpiredFired, afterExpired(v.Policy), width),
			v.bar(width, width, false))
	}
	return append(append(lines, ""), v.facts()...)
}

// facts lists what the token says of itself.
func (v tokenView) facts() []string {
	row := func(name, value string) string { return v.dim.Render(v.fit(name, 10)) + printable.Line(value, 120) }
	var lines []string
	if t := v.Token; t != nil {
		lines = append(lines, row("token", fmt.Sprintf("%s, the %s of this session", t.Short, ordinal(t.Ordinal))), row("for", t.User))
		if !t.IssuedAt.IsZero() {
			lines = append(lines, row("issued", v.clock(t.IssuedAt)+" by the token server's clock"))
		}
		if !t.AcceptedAt.IsZero() {
			lines = append(lines, row("accepted", v.clock(t.AcceptedAt)))
		}
		lines = append(lines, row("app", t.AppID))
		if !t.Renewable {
			lines = append(lines, row("renewal", "not possible: a pasted token has nobody to ask for another"))
		}
		for _, w := range t.Warnings {
			lines = append(lines, v.tones[late].Render("! "+printable.Line(w, 300)))
		}
	} else {
		lines = append(lines, row("token", "none"))
	}
	if v.Policy.RenewEvery > 0 {
		lines = append(lines, row("renewal", "every "+life(v.Policy.RenewEvery)+", whatever the token says"))
	}
	return lines
}

// strip draws the token in one line: the bar with a mark at will-expire, and the countdowns, of which the header of a narrow screen has
// one already.
func (v tokenView) strip(width int) string {
	if !v.mortal() {
		return v.dim.Render(v.fit("no token", width))
	}
	expires, willExpire := "expires "+span(left(v.Token.ExpiresAt, v.now)), ""
	switch {
	case v.ExpiredFired || !v.Token.ExpiresAt.After(v.now):
		expires = "expired " + v.clock(v.Token.ExpiresAt)
	case v.over():
		expires = "expires " + v.clock(v.Token.ExpiresAt)
	case v.WillExpireFired || !v.Token.WillExpireAt.After(v.now):
		willExpire = "will-expire fired · "
	default:
		willExpire = "will expire " + span(left(v.Token.WillExpireAt, v.now)) + " · "
	}
	// The column of words is as wide as this token's life needs, so that the bar stays while the numbers get shorter.
	longest := len(span(v.Token.ExpiresAt.Sub(v.Token.AcceptedAt)))
	column := max(len("expires ")+longest, len("expired 15:04:05"))
	if width >= narrow-2 {
		column += max(len("will expire  · ")+longest, len("will-expire fired · "))
	} else {
		willExpire = ""
	}
	column = min(column, width*2/3)
	return v.bar(width-column-2, width-column-2, true) + "  " + v.tones[v.tone()].Render(v.right(willExpire+expires, column))
}

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

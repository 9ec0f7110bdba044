package tui

import (
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// header draws who, where, and the state by name, and every fault that is on; on screens that have no room for the card of the token, the
// token and the situation too.
func (m *model) header(v tokenView) []string {
	switch {
	case m.small():
		return m.smallHeader(v)
	case m.large():
		left := m.who(v) + m.dim.Render(" on "+printable.Line(m.where, 40))
		answers := m.dim.Render("will-expire: " + afterWillExpire(v.Policy) + " · expired: " + afterExpired(v.Policy) + "  ")
		brief := m.dim.Render("W " + afterWillExpire(v.Policy) + " · E " + afterExpired(v.Policy) + "  ") // the letters of the bar's marks
		long, short := m.faultWords(60)+"  "+m.wallClock(v), m.faultWords(12)+"  "+m.wallClock(v)
		if m.cells.StringWidth(left+brief+long) >= m.width { // the service is always the same, faults are not
			left = m.who(v)
		}
		return []string{m.spread(m.width, left, answers+long, brief+long, long, brief+short, short, m.wallClock(v))}
	default:
		right := m.wallClock(v)
		top := []string{
			m.spread(m.width, m.who(v), m.faultWords(30)+"  "+right, m.faultWords(12)+"  "+right, right),
			m.fit(" "+v.strip(m.width-2), m.width),
			m.fit(" "+m.path(), m.width),
		}
		return append(top, m.situation(v, 2)...)
	}
}

// smallHeader draws no more than a narrow or short screen can spare: the user, the state, and the nearest thing to know beside them.
func (m *model) smallHeader(v tokenView) []string {
	start := m.strong.Render(printable.Line(v.User, 64)) + " " + m.state(v)
	beside, below := "", []string{v.strip(m.width)}
	switch {
	case len(m.faults.on()) > 0 && v.over():
		beside, below = m.faultWords(16), m.situation(v, 1+m.height/10)
	case len(m.faults.on()) > 0:
		beside = m.faultWords(16)
	case v.over():
		beside, below = m.accent.Render("^L logs in"), m.situation(v, 1+m.height/10)
	case !v.mortal(), v.State == session.Expired, v.State == session.Waiting:
		below = m.situation(v, 1+m.height/10)
	case !v.WillExpireFired && v.Token.WillExpireAt.After(v.now):
		beside = m.tones[v.tone()].Render("will expire " + span(left(v.Token.WillExpireAt, v.now)))
	case v.Policy.OnWillExpire == session.WillExpireAsk:
		beside = m.tones[late].Render("^R renews")
	default:
		beside = m.tones[v.tone()].Render(afterWillExpire(v.Policy))
	}
	return append([]string{m.spread(m.width, start, beside)}, m.block(below, m.width, len(below))...)
}

// who draws the program, the two who talk, the state and the profile.
func (m *model) who(v tokenView) string {
	return " " + m.accent.Bold().Render("ttlchat") + "  " + m.strong.Render(printable.Line(v.User, 64)) + m.dim.Render(" → ") +
		printable.Line(m.talk.peer, 64) + "  " + m.state(v) + "  " + m.dim.Render(v.Profile.Name)
}

// state draws the state by name, with a dot that tells whether the link is up.
func (m *model) state(v tokenView) string {
	dot := "○ "
	if v.Linked {
		dot = "● "
	}
	word := dot + strings.ToUpper(stateWord(v.State))
	if !m.small() {
		word = " " + word + " "
	}
	return m.pills[stateTones[v.State]].Render(word)
}

// wallClock draws the session's time of day while it is kept up to date: a clock that stands still would lie.
func (m *model) wallClock(v tokenView) string {
	switch step(v.Snapshot, v.now) {
	case 0:
		return ""
	case time.Minute:
		return m.dim.Render(v.now.In(m.zone).Format("15:04")) + " "
	default:
		return m.dim.Render(m.clock(v.now)) + " "
	}
}

// situation draws the sentence on what is going on, in at most so many lines.
func (m *model) situation(v tokenView, most int) []string {
	pad := strings.Repeat(" ", m.margin())
	lines := m.wrap(sentences(situation(v.Snapshot, v.now), printable.Line(v.ClockWarning, 300)), m.width-2*len(pad), most)
	for i, line := range lines {
		lines[i] = m.fit(pad+m.tones[stateTones[v.State]].Render(line), m.width)
	}
	return lines
}

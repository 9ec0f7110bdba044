package tui

import (
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// Bounds of what a message may occupy. A message is shown whole within them; what is longer ends with "…".
const (
	maxTextRunes = 4000
	maxTextLines = 200
	maxNameCells = 16
)

// wordRoom is how wide a chat must be for words beside the marks.
const wordRoom = 60

// fate is how far an own message has come.
type fate uint8

const (
	received fate = iota // not an own message
	sending
	sent
	delivered
	failed
	offline  // how sending is told while there is no link to send on
	note     // no message at all: something about the session that is worth reading here
	dayBreak // no message at all: here another day begins
)

// The marks of the fates, and their words where there is room.
var marks = map[fate][2]string{
	sending: {"…", "sending"}, offline: {"…", "waiting"}, sent: {"✓", "sent"}, delivered: {"✓✓", "delivered"}, failed: {"✗", "failed"},
}

// message is one entry of the transcript. It is small, for there are many.
type message struct {
	ms   int64 // when, in Unix milliseconds
	from string
	// raw is the text as it came, which only shown makes fit for a terminal: most messages are never looked at.
	raw  string
	mine *mine // nil when it is not an own message
	fate fate
	tone tone
	drawn
}

// mine is what only own messages have.
type mine struct {
	id  string
	why string // why it failed
}

func (m *message) at() time.Time { return time.UnixMilli(m.ms) }

// id is that of an own message.
func (m *message) id() string {
	if m.mine == nil {
		return ""
	}
	return m.mine.id
}

// shown is the text as the screen shows it.
func (m *message) shown() string { return printable.Block(m.raw, maxTextRunes) }

// bounded cuts what is far longer than what is shown, and lets the rest of it go.
func bounded(text string) string {
	if most := 4*maxTextRunes + 4; len(text) > most {
		return strings.Clone(text[:most])
	}
	return text
}

// transcript is the list of the messages with one other, and of what happened to the session meanwhile.
type transcript struct {
	history[*message]
	own   map[string]*message // those that may still change
	names int                 // the width of the column of names
	day   int                 // of the newest message
	// renewal is the newest note of a renewal.
	renewal *message
	zone    *time.Location
}

func newTranscript(peer string, zone *time.Location) transcript {
	names := min(max(len("you"), ansi.StringWidth(peer)), maxNameCells)
	return transcript{history: history[*message]{keep: keepMessages}, own: map[string]*message{}, names: names, zone: zone}
}

// sent shows an own message at once, before anybody knows what becomes of it.
func (c *transcript) sent(at time.Time, id, text string) {
	m := &message{ms: at.UnixMilli(), mine: &mine{id: id}, from: "you", raw: bounded(text), fate: sending}
	c.own[id] = m
	c.add(m)
}

// received shows a message of somebody else.
func (c *transcript) received(e session.Event, from string) {
	c.add(&message{ms: e.At.UnixMilli(), from: from, raw: bounded(e.Text)})
}

// note shows a line about the session.
func (c *transcript) note(at time.Time, text string, t tone) {
	c.add(&message{ms: at.UnixMilli(), from: "·", raw: bounded(text), fate: note, tone: t})
}

// renewed shows that the token was renewed. Renewals with nothing between them share a line, the newest: they would bury the messages.
func (c *transcript) renewed(at time.Time, text string) {
	if n := len(c.entries); n > 0 && c.entries[n-1] == c.renewal && c.dayOf(at) == c.day {
		c.renewal.ms, c.renewal.raw, c.renewal.drawn = at.UnixMilli(), text, drawn{}
		return
	}
	c.note(at, text, calm)
	c.renewal = c.entries[len(c.entries)-1]
}

// became tells an own message what became of it, and returns whether it is one of these. Events can overtake each other, so a fate never
// goes back.
func (c *transcript) became(id string, f fate, why string) bool {
	m := c.own[id]
	if m == nil {
		return false
	}
	if f > m.fate {
		m.fate, m.mine.why, m.drawn = f, printable.Line(why, maxTextRunes), drawn{}
	}
	if m.fate == delivered {
		delete(c.own, id)
	}
	return true
}

// failures returns the own messages that failed, oldest first.
func (c *transcript) failures() []*message {
	var out []*message
	for _, m := range c.entries[max(len(c.entries)-1000, 0):] {
		if m.fate == failed {
			out = append(out, m)
		}
	}
	return out
}

// again gives a failed message another try under another id.
func (c *transcript) again(m *message, id string) {
	delete(c.own, m.id())
	m.mine, m.fate, m.drawn = &mine{id: id}, sending, drawn{}
	c.own[id] = m
}

// find points at the next message that has the text in it, in whatever case, upwards when by is positive. It tells which one that is, counted
// from the newest, and how many there are; the 0th is none.
func (c *transcript) find(l look, height int, text string, by int) (nth, all int) {
	text = strings.ToLower(text)
	from, next := len(c.entries), -1
	if c.pointing {
		from = c.marked - c.dropped
	}
	for i := len(c.entries) - 1; i >= 0; i-- {
		if m := c.entries[i]; m.fate == note || m.fate == dayBreak || !strings.Contains(strings.ToLower(m.raw), text) {
			continue
		}
		all++
		if i > from && by < 0 || i < from && by > 0 && next < 0 {
			next, nth = i, all
		}
	}
	if next >= 0 {
		c.point(l, height, next)
	}
	return nth, all
}

func (c *transcript) add(m *message) {
	if day := c.dayOf(m.at()); day != c.day {
		if c.day != 0 {
			c.drop(c.history.add(&message{ms: m.ms, raw: m.at().In(c.zone).Format("Monday 2 January 2006"), fate: dayBreak}))
		}
		c.day = day
	}
	c.drop(c.history.add(m))
}

// dayOf numbers the days as the screen's clocks have them.
func (c *transcript) dayOf(t time.Time) int {
	at := t.In(c.zone)
	return at.Year()*1000 + at.YearDay()
}

func (c *transcript) drop(gone []*message) {
	for _, m := range gone {
		delete(c.own, m.id())
	}
}

// escaped is the text as it came, with everything escaped that does more than stand there.
func (m *message) escaped() string { return strconv.QuoteToASCII(m.raw) }

func (m *message) lines(l look) []string { return m.of(l, m.render) }

func (m *message) render(l look) []string {
	name, text, mark := l.strong, l.text, ""
	switch {
	case m.fate == dayBreak:
		return []string{l.rule(l.faint.Render("── ")+l.dim.Render(m.raw)+" ", "", l.width)}
	case m.fate == note:
		name, text = l.tones[m.tone], l.tones[m.tone]
	case m.fate != received:
		name, mark = l.accent, m.mark(l)
	}
	head := ""
	if l.times {
		head = l.dim.Render(l.clock(m.at())) + "  "
	}
	head += name.Render(l.fit(m.from, l.names)) + "  "
	indent := strings.Repeat(" ", l.cells.StringWidth(head))
	room := max(l.width-len(indent), 1)
	out := l.wrap(m.shown(), room, maxTextLines)
	for i, line := range out {
		out[i] = indent + text.Render(line)
	}
	out[0] = head + strings.TrimPrefix(out[0], indent)
	out = l.marked(out, mark)
	if m.fate == failed {
		for _, line := range l.wrap(m.failure(), room, maxTextLines) {
			out = append(out, indent+l.tones[dead].Render(line))
		}
	}
	return out
}

// failure says why the message failed, and what can be done.
func (m *message) failure() string {
	if m.mine.why == "" {
		return "F5 sends it again"
	}
	return m.mine.why + " — F5 sends it again"
}

// marked puts a mark at the right end of the last line, or below it when there is no room.
func (l look) marked(lines []string, mark string) []string {
	last, room := len(lines)-1, l.width-l.cells.StringWidth(mark)
	switch {
	case mark == "":
	case l.cells.StringWidth(lines[last]) <= room:
		lines[last] = l.fit(lines[last], room) + mark
	default:
		lines = append(lines, l.fit("", room)+mark)
	}
	return lines
}

// mark is what stands at the right and says what became of an own message.
func (m *message) mark(l look) string {
	f := m.fate
	if f == sending && l.waits {
		f = offline
	}
	style, mark := l.dim, marks[f]
	if f == failed {
		style = l.tones[dead]
	}
	if l.words {
		return style.Render(" " + l.fit(mark[0], 2) + " " + l.fit(mark[1], len("delivered")))
	}
	return style.Render(l.right(mark[0], 3))
}

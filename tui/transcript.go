package tui

import (
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

// fate is how far an own message has come.
type fate int

const (
	received fate = iota // not an own message
	sending
	sent
	delivered
	failed
	note // no message at all: something about the session that is worth reading here
)

// The marks of the fates, and their words where there is room.
var marks = map[fate][2]string{sending: {"…", "sending"}, sent: {"✓", "sent"}, delivered: {"✓✓", "delivered"}, failed: {"✗", "failed"}}

// message is one entry of the transcript.
type message struct {
	at   time.Time
	id   string
	from string
	text string
	fate fate
	// why says why a message failed.
	why  string
	tone tone
	drawn
}

// transcript is the list of the messages and of what happened to the session meanwhile.
type transcript struct {
	history[*message]
	own   map[string]*message
	names int
}

func newTranscript() transcript { return transcript{own: map[string]*message{}, names: len("you")} }

// sent shows an own message at once, before anybody knows what becomes of it.
func (c *transcript) sent(at time.Time, id, text string) {
	m := &message{at: at, id: id, from: "you", text: printable.Block(text, maxTextRunes), fate: sending}
	c.own[id] = m
	c.add(m)
}

// received shows a message of somebody else.
func (c *transcript) received(e session.Event) {
	m := &message{at: e.At, from: printable.Line(e.From, 64), text: printable.Block(e.Text, maxTextRunes)}
	c.names = min(max(c.names, ansi.StringWidth(m.from)), maxNameCells)
	c.add(m)
}

// note shows a line about the session.
func (c *transcript) note(at time.Time, text string, t tone) {
	c.add(&message{at: at, from: "·", text: printable.Block(text, maxTextRunes), fate: note, tone: t})
}

// became tells an own message what became of it. Events can overtake each other, so a fate never goes back.
func (c *transcript) became(id string, f fate, why string) {
	if m := c.own[id]; m != nil && f > m.fate {
		m.fate, m.why, m.drawn = f, printable.Line(why, maxTextRunes), drawn{}
	}
}

func (c *transcript) add(m *message) {
	for _, gone := range c.history.add(m) {
		delete(c.own, gone.id)
	}
}

func (m *message) lines(l look) []string { return m.of(l, m.render) }

func (m *message) render(l look) []string {
	name, text, mark := l.strong, l.text, ""
	switch {
	case m.fate == note:
		name, text = l.tones[m.tone], l.tones[m.tone]
	case m.fate != received:
		name, mark = l.accent, m.mark(l)
	}
	head := ""
	if l.times {
		head = l.dim.Render(l.clock(m.at)) + "  "
	}
	head += name.Render(l.fit(m.from, l.names)) + "  "
	indent := strings.Repeat(" ", l.cells.StringWidth(head))
	room := max(l.width-len(indent)-l.cells.StringWidth(mark), 1)
	var out []string
	for i, line := range l.wrap(m.text, room, maxTextLines) {
		line = text.Render(line)
		if i == 0 {
			line = head + l.fit(line, room) + mark
		} else {
			line = indent + line
		}
		out = append(out, line)
	}
	if m.why != "" {
		for _, line := range l.wrap(m.why, room, maxTextLines) {
			out = append(out, indent+l.tones[dead].Render(line))
		}
	}
	return out
}

// mark is the column at the right that says what became of an own message.
func (m *message) mark(l look) string {
	style, mark := l.dim, marks[m.fate]
	if m.fate == failed {
		style = l.tones[dead]
	}
	if l.words {
		return style.Render(" " + l.fit(mark[0], 2) + " " + l.fit(mark[1], len("delivered")))
	}
	return style.Render(l.right(mark[0], 3))
}

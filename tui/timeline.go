package tui

import (
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// The two sides that a timeline tells of.
const (
	clientSide   = "client"
	emulatorSide = "emulator"
)

// moment is one entry of the timeline, at by the clock of its side.
type moment struct {
	at   time.Time
	side string
	text string
	tone tone
	drawn
}

// timeline is what happened on the client and on the emulator, in the order in which the screen learned of it.
type timeline struct{ history[*moment] }

// happened adds a moment. The text may come from outside.
func (t *timeline) happened(at time.Time, side, text string, tone tone) {
	t.add(&moment{at: at, side: side, text: printable.Line(text, maxTextRunes), tone: tone})
}

func (m *moment) lines(l look) []string { return m.of(l, m.render) }

func (m *moment) render(l look) []string {
	head := ""
	if l.times {
		head = l.dim.Render(m.at.In(l.zone).Format("15:04:05.0")) + "  "
	}
	side, text := l.accent, l.text // the client's side stands out: it is the one that a person acts for
	if m.side == emulatorSide {
		side, text = l.dim, l.dim
	}
	if m.tone != calm {
		text = l.tones[m.tone]
	}
	head += side.Render(l.fit(m.side, len(emulatorSide))) + "  "
	indent := strings.Repeat(" ", l.cells.StringWidth(head))
	var out []string
	for i, line := range l.wrap(m.text, l.width-len(indent), 4) {
		if i > 0 {
			head = indent
		}
		out = append(out, head+text.Render(line))
	}
	return out
}

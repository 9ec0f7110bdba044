package tui

import (
	"strings"

	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// This file is what becomes of typed text: what was sent can be brought back, and what gives way to something else is put aside until the
// input is free again. So nothing that was typed is lost.

// maxTyped is how many sent lines can be brought back.
const maxTyped = 100

// remember keeps a line among those that can be brought back.
func (m *model) remember(line string) {
	m.recalled = 0
	if line == "" || len(m.typed) > 0 && m.typed[len(m.typed)-1] == line {
		return
	}
	m.typed = append(m.typed, line)
	m.typed = m.typed[max(len(m.typed)-maxTyped, 0):]
}

// sentBefore brings back an earlier line of the input, or a later one, at last what was being written. It tells whether it did: inside a
// text of several rows the arrows move the cursor.
func (m *model) sentBefore(key string) bool {
	by := 1
	if key == "down" {
		by = -1
	}
	next := m.recalled + by
	switch {
	case !m.atEdge(by), next > len(m.typed):
		return false
	case next == 0, next < 0 && m.input.Length() == 0 && m.talk.draft != "":
		m.bringBack()
		return true
	case next < 0:
		return false
	}
	m.putAside()
	m.recalled = next
	m.input.SetValue(m.typed[len(m.typed)-next])
	return true
}

// atEdge tells whether the cursor is on the first row of the input, or on the last one when by is negative.
func (m *model) atEdge(by int) bool {
	line, at := m.input.Line(), m.input.LineInfo()
	if by > 0 {
		return line == 0 && at.RowOffset == 0
	}
	return line == m.input.LineCount()-1 && at.RowOffset+1 >= at.Height
}

// putAside keeps what is being written to the one on the screen. Half a command gives way to half a message; of two messages the older one
// goes where ↑ finds it.
func (m *model) putAside() {
	text := m.input.Value()
	if _, message := command.Message(text); m.recalled > 0 || !message && m.talk.draft != "" {
		return
	}
	m.remember(m.talk.draft)
	m.talk.draft = text
}

// bringBack puts what was put aside into the input again, or empties it.
func (m *model) bringBack() {
	m.recalled, m.completer = 0, completer{}
	m.input.SetValue(m.talk.draft)
	m.talk.draft = ""
}

// beginCommand puts the beginning of a command into the input, to be gone on with. Half a message comes back after it, another half command
// does not.
func (m *model) beginCommand(text string) {
	if !command.IsCommand(m.input.Value()) {
		m.putAside()
	}
	m.recalled, m.completer = 0, completer{}
	m.focusOn(chatPanel)
	m.input.SetValue(text)
}

// atStake says what would be lost if the session ended here, "" when nothing would.
func (m *model) atStake() string {
	var lost []string
	if n := m.snap.Unsent; n > 0 {
		lost = append(lost, printable.Count(n, "unsent message", "unsent messages"))
	}
	drafts := 0
	for _, t := range m.talks {
		if strings.TrimSpace(t.draft) != "" || t == m.talk && m.input.Length() > 0 {
			drafts++
		}
	}
	if drafts > 0 {
		lost = append(lost, printable.Count(drafts, "half-written message", "half-written messages"))
	}
	return strings.Join(lost, " and ")
}

package tui

import (
	"fmt"
	"net/http"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// eventsMsg brings news of the session that was the opened-th.
type eventsMsg struct {
	opened int
	events []session.Event
	missed uint64 // all that this reader was too slow for
	err    error  // the session has ended, and there will be no more
}

// emulatorMsg brings news of the emulator.
type emulatorMsg struct {
	events []EmulatorEvent
	err    error
}

// awaitSession waits for the session's next events. Each delivery issues it once more, so there is never more than one.
func (m *model) awaitSession() tea.Cmd {
	ctx, reader, opened := m.ctx, m.events, m.opened
	return func() tea.Msg {
		events, err := reader.Next(ctx)
		return eventsMsg{opened, events, reader.Missed(), err}
	}
}

func (m *model) takeEvents(msg eventsMsg) {
	if msg.opened != m.opened || m.session == nil || msg.err != nil {
		return
	}
	if n := msg.missed - m.missed; n > 0 {
		m.missed = msg.missed
		m.timeline.happened(m.session.Now(), clientSide, fmt.Sprintf("%d events came too fast for the screen", n), late)
	}
	for _, e := range msg.events {
		m.takeEvent(e)
	}
	m.queue(m.awaitSession())
}

func (m *model) takeEvent(e session.Event) {
	m.counts[e.Name]++
	switch e.Name {
	case session.MessageSent:
		m.chat.became(e.MessageID, sent, "")
	case session.MessageDelivered:
		m.chat.became(e.MessageID, delivered, "")
	case session.MessageFailed:
		m.chat.became(e.MessageID, failed, e.Reason)
	case session.MessageReceived:
		m.chat.received(e)
	}
	t, ok := m.tell(e, m.policy, m.again)
	m.again = m.again || e.Name == session.LoginSucceeded
	if !ok {
		return
	}
	t.words = printable.Line(t.words, maxTextRunes)
	m.timeline.happened(e.At, clientSide, t.words, t.tone)
	if t.note {
		m.chat.note(e.At, t.words, t.tone)
	}
}

// awaitEmulator waits for the emulator's next events, as awaitSession does.
func (m *model) awaitEmulator() tea.Cmd {
	if m.cfg.Emulator == nil {
		return nil
	}
	ctx, emulator := m.ctx, m.cfg.Emulator
	return func() tea.Msg {
		events, err := emulator.Next(ctx)
		return emulatorMsg{events, err}
	}
}

func (m *model) takeEmulator(msg emulatorMsg) {
	if msg.err != nil {
		m.say("the emulator's journal ends here: "+msg.err.Error(), late)
		return
	}
	for _, e := range msg.events {
		if strings.HasPrefix(e.Name, "message.") {
			continue // messages show in the chat, and would bury the token's life here
		}
		t := calm
		if e.Code >= http.StatusBadRequest {
			t = late
		}
		m.timeline.happened(e.At, emulatorSide, e.words(m.snap.User), t)
	}
	m.queue(m.awaitEmulator())
}

// words tells of the event in one line. The name of the user at the screen goes without saying.
func (e EmulatorEvent) words(self string) string {
	words := printable.Line(e.Name, 64)
	if e.User != "" && e.User != self {
		words += " " + printable.Line(e.User, 64)
	}
	if e.Code != 0 {
		words += fmt.Sprintf(" %d", e.Code)
	}
	if e.Text != "" {
		words += ": " + e.Text
	}
	return words
}

// summary is the line that stays in the terminal when the screen has gone.
func (m *model) summary() string {
	if m.opened == 0 {
		return ""
	}
	n := m.counts
	return fmt.Sprintf("ttlchat: logins %d, renewals %d, expiries %d; messages sent %d, received %d", n[session.LoginSucceeded],
		n[session.RenewSucceeded], n[session.TokenExpired], n[session.MessageSent], n[session.MessageReceived])
}

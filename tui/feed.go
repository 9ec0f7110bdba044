package tui

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
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
	run    int // of a scenario that is played
	events []EmulatorEvent
	err    error
}

// frameTime is how often the terminal is painted. Events that come faster are taken together: every message to Update costs a View.
const frameTime = time.Second / 30

// flood is how many events at once nobody can read: then the screen follows more slowly, and stays cheap.
const flood = 40

// breath is how long to wait before asking for more events, after so many.
func (m *model) breath(events int) time.Duration {
	now := time.Now()
	rest := frameTime - now.Sub(m.breathed)
	if events > flood {
		rest = 4 * frameTime
	}
	m.breathed = now
	return rest
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// awaitSession waits for the session's next events. Each delivery issues it once more, so there is never more than one.
func (m *model) awaitSession(after int) tea.Cmd {
	ctx, reader, opened, rest := m.ctx, m.events, m.opened, m.breath(after)
	return func() tea.Msg {
		pause(ctx, rest)
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
		m.timeline.happened(&moment{at: m.session.Now(), lane: clientLane, name: "missed", tone: late,
			text: fmt.Sprintf("%d events came too fast for the screen", n)})
	}
	for _, e := range msg.events {
		m.takeEvent(e)
	}
	m.queue(m.awaitSession(len(msg.events)))
}

func (m *model) takeEvent(e session.Event) {
	m.counts[e.Name]++
	switch e.Name {
	case session.StateChanged:
		m.last = change{e.Old, e.New, e.At, e.Reason, m.before == session.RenewSucceeded}
	case session.MessageSent:
		m.takeFate(e, sent)
	case session.MessageDelivered:
		m.takeFate(e, delivered)
	case session.MessageFailed:
		m.takeFate(e, failed)
	case session.MessageReceived:
		m.takeMessage(e)
	}
	m.before = e.Name
	t, ok := m.tell(e, m.policy, m.again)
	m.again = m.again || e.Name == session.LoginSucceeded
	if !ok {
		return
	}
	t.words, t.line = printable.Line(t.words, maxTextRunes), printable.Line(t.line, maxTextRunes)
	m.timeline.happened(&moment{
		at: e.At, lane: clientLane, kind: kindOf(string(e.Name)), name: string(e.Name), text: t.line, tone: t.tone,
		details: func() []detail { return m.eventDetails(e) },
	})
	switch {
	case e.Name == session.RenewSucceeded:
		m.talk.renewed(e.At, t.words)
	case t.note:
		m.talk.note(e.At, t.words, t.tone)
	}
}

// kindOf tells what an event of the session or of the emulator is about, by its name.
func kindOf(name string) kind {
	topic, _, _ := strings.Cut(name, ".")
	switch topic {
	case "connected", "disconnected", "reconnecting":
		return linkKind
	case "rest":
		return restKind
	case "fault", "control", "emulator":
		return faultKind
	case "message", "file", "history":
		return messageKind
	case "frame":
		return frameKind
	default:
		return lifeKind
	}
}

// eventDetails lists all that an event of the session says.
func (p pen) eventDetails(e session.Event) []detail {
	rows := []detail{{"event", string(e.Name)}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, detail{name, printable.Line(value, maxTextRunes)})
		}
	}
	add("callback", e.Callback)
	if e.Code != chat.OK {
		add("code", e.Code.String())
	}
	add("reason", e.Reason)
	add("token", e.Token)
	for _, at := range []struct {
		name string
		time time.Time
	}{{"will expire", e.WillExpireAt}, {"expires", e.ExpiresAt}, {"next try", e.RetryAt}} {
		if !at.time.IsZero() {
			add(at.name, at.time.In(p.zone).Format("2006-01-02 15:04:05.000"))
		}
	}
	if !e.ExpiresAt.IsZero() {
		add("remaining", e.Remaining().Round(time.Millisecond).String())
	}
	if e.ClockAhead != 0 {
		add("service clock", e.ClockAhead.Round(time.Millisecond).String()+" ahead of this device's")
	}
	if e.Attempt > 0 {
		add("attempt", strconv.Itoa(e.Attempt))
	}
	return rows
}

// awaitEmulator waits for the emulator's next events, as awaitSession does.
func (m *model) awaitEmulator(after int) tea.Cmd {
	ctx, emulator, run := m.ctx, m.cfg.Emulator, m.play.count
	if emulator == nil {
		return nil
	}
	rest := m.breath(after)
	return func() tea.Msg {
		pause(ctx, rest)
		events, err := emulator.Next(ctx)
		return emulatorMsg{run, events, err}
	}
}

func (m *model) takeEmulator(msg emulatorMsg) {
	if msg.run != m.play.count || m.play.restarting {
		return
	}
	if msg.err != nil {
		m.say("the emulator's journal ends here: "+msg.err.Error(), late)
		return
	}
	for _, e := range msg.events {
		t := calm
		if e.Code >= http.StatusBadRequest {
			t = late
		}
		at := &moment{at: e.At, lane: emulatorLane, kind: kindOf(e.Name), name: e.Name, tone: t, journal: &journalled{e.User, m.snap.User, e.Code, e.Entry}}
		if e.TokenServer {
			at.lane = serverLane
		}
		if at.kind == faultKind {
			at.tone = late
		}
		m.timeline.happened(at)
	}
	m.queue(m.awaitEmulator(len(msg.events)))
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

package tui

import (
	"time"

	"github.com/ttlchat/ttlchat/session"
)

// tipTime is how long after the login the tips stay at most: they are for the first minutes.
const tipTime = 3 * time.Minute

// tip suggests the next thing to try, until it was tried.
type tip struct {
	text  string
	tried func(*model) bool
	// fits tells whether it can be tried at all; nil means that it can.
	fits func(*model) bool
}

func hasEmulator(m *model) bool { return m.emulator != nil }

// hasLink tells whether the emulator has a connection to the session, on which it can tell it something.
func hasLink(m *model) bool { return hasEmulator(m) && !m.snap.Profile.Local }

// hasEcho tells whether the one on the screen answers by itself, as the emulator's echo does.
func hasEcho(m *model) bool { return hasLink(m) && m.talk.peer == "echo" }

var tips = []tip{
	{"type a message and press Enter: echo says it back", func(m *model) bool { return len(m.typed) > 0 }, hasEcho},
	{"^E ends the token now: watch what the app does", func(m *model) bool { return m.tried["/expire"] }, hasLink},
	{"^N skips to the next thing that happens, however far off", func(m *model) bool { return m.tried["/skip"] }, hasEmulator},
	{"^P makes the app ignore will-expire: then the token runs out", func(m *model) bool { return m.tried["/policy"] }, nil},
	{"^F breaks the token server, the link, or the service", func(m *model) bool { return m.tried["/faults"] }, hasEmulator},
	{"Tab leads to the timeline, Enter shows all of an event; ? shows the keys",
		func(m *model) bool { return m.focus != chatPanel }, nil},
}

// tip returns the line for the first minutes, or "".
func (m *model) tip() string {
	if m.session == nil || m.play.on() || m.small() || m.untipped || m.counts[session.LoginSucceeded] == 0 {
		return ""
	}
	if time.Since(m.openedAt) > tipTime {
		return ""
	}
	switch m.snap.State {
	case session.LoggedOut, session.Waiting, session.Expired, session.Stopped: // then another login is what comes next
		return ""
	}
	for m.tipped < len(tips) {
		t := tips[m.tipped]
		if !t.tried(m) && (t.fits == nil || t.fits(m)) {
			return "next: " + t.text
		}
		m.tipped++
	}
	return ""
}

package main

import (
	"context"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tui"
)

// runScreen runs the session in the TUI.
func runScreen(ctx context.Context, o *options, w *wiring) error {
	p := o.person(w)
	config := tui.Config{
		Form: tui.Form{
			User: p.user, Peer: o.peer, Lifetime: o.ttl.String(), Profile: p.profile, TokenURL: p.tokenURL, RESTURL: p.restURL, WSURL: p.wsURL,
		},
		Open:   func(f tui.Form) (tui.Session, error) { return w.openScreen(f, o) },
		Policy: o.policy(), Where: w.where(), EmulatorNote: w.noEmulator(),
	}
	if w.hasChat {
		config.Emulator = &emulator{server: w.server, journal: w.server.Journal(0), wiring: w}
	}
	return tui.Run(ctx, config)
}

func (w *wiring) openScreen(f tui.Form, o *options) (tui.Session, error) {
	life, err := f.Life()
	if err != nil {
		return nil, err
	}
	s, closeTokens, err := w.open(person{
		user: f.User, profile: f.Profile, tokenURL: f.TokenURL, restURL: f.RESTURL, wsURL: f.WSURL, ttl: life,
	}, o)
	if err != nil {
		return nil, err
	}
	return screenSession{s, closeTokens}, nil
}

// screenSession is a session with the end of its token source.
type screenSession struct {
	*session.Session
	closeTokens func()
}

// Follow returns a reader of all events.
func (s screenSession) Follow() tui.Events { return s.Session.Follow() }

// Close ends the session, and then where its tokens came from.
func (s screenSession) Close() {
	s.Session.Close()
	s.closeTokens()
}

// emulator is what the screen sees of the embedded emulator.
type emulator struct {
	server  *fakeserver.Server
	journal *fakeserver.Reader
	wiring  *wiring
}

// Next implements tui.Emulator, like the methods below. Frames are left out: heartbeats would bury everything else.
func (e *emulator) Next(ctx context.Context) ([]tui.EmulatorEvent, error) {
	for {
		entries, err := e.journal.Next(ctx)
		if err != nil {
			return nil, err
		}
		var events []tui.EmulatorEvent
		for _, entry := range entries {
			if entry.Name != fakeserver.FrameIn && entry.Name != fakeserver.FrameOut {
				events = append(events, tui.EmulatorEvent{
					At: entry.At, Name: string(entry.Name), User: entry.User, Text: entry.Summary(), Code: entry.Code,
				})
			}
		}
		if len(events) > 0 {
			return events, nil
		}
	}
}

// JumpClock moves the emulator's clock.
func (e *emulator) JumpClock(d time.Duration) { e.server.JumpClock(d) }

// Expire pushes the emulator's clock past the end of the user's token.
func (e *emulator) Expire(user string) error { return e.wiring.expire(user) }

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tui"
)

// runScreen runs the session in the TUI.
func runScreen(ctx context.Context, o *options, w *wiring) error {
	ctx, release := endOnPanic(ctx, w.log, o.logFile != "")
	defer release()
	saveMemory(ctx)
	w.history = screenHistory
	config := tui.Config{
		Form:   w.form(o),
		Open:   func(f tui.Form) (tui.Session, error) { return w.openScreen(f, o) },
		Policy: o.policy(), Where: w.where(), EmulatorNote: w.noEmulator(),
	}
	o.draw(&config)
	if w.hasChat {
		config.Emulator = &emulator{server: w.server, journal: w.server.Journal(0), wiring: w}
		config.Faults = screenFaults{w.server}
	}
	w.recordScreen(&config)
	err := tui.Run(ctx, config)
	if ctx.Err() != nil {
		err = fmt.Errorf("the screen was closed: %w", context.Cause(ctx))
	}
	if err != nil {
		w.log.Error("the screen has ended", "reason", err)
	} else {
		w.log.Info("the person at the screen has left")
	}
	return err
}

// form prefills the login screen. Who chooses servers of their own there does not want the addresses of the emulator.
func (w *wiring) form(o *options) tui.Form {
	f := tui.Form{
		User: o.user, Peer: o.peer, Lifetime: scenario.Span{Offset: o.ttl}.String(), Profile: o.profile, Service: w.service(),
		RESTURL: o.restURL, WSURL: o.wsURL, Pasted: w.pasted != "", RefusesLong: o.over24h == string(fakeserver.Over24hRefuse),
		GivesNoLife: o.shape.givesNoLife(),
	}
	if f.Service != tui.BuiltIn { // a chat service of one's own may go with the emulator's token server
		f.TokenURL = w.tokenURL
	}
	return f
}

// chosen is who logs in as the login screen says, on the emulator where that names no servers.
func (w *wiring) chosen(f tui.Form, o *options) (person, error) {
	life, err := f.Life()
	p := o.person(w)
	p.user, p.profile, p.ttl = f.User, f.Profile, life
	if f.Service != tui.BuiltIn {
		p.tokenURL = f.TokenURL
	}
	if f.Service == tui.OwnService {
		p.restURL, p.wsURL = f.RESTURL, f.WSURL
	}
	return p, err
}

// service says whose servers the flags chose.
func (w *wiring) service() tui.Service {
	switch {
	case !w.hasChat:
		return tui.OwnService
	case !w.hasTokens && w.pasted == "":
		return tui.OwnTokenServer
	default:
		return tui.BuiltIn
	}
}

func (w *wiring) openScreen(f tui.Form, o *options) (tui.Session, error) {
	p, err := w.chosen(f, o)
	if err != nil {
		return nil, err
	}
	tokens := newScreenTokens(w, o, f.User)
	w.watch = tokens.watch
	s, closeTokens, err := w.open(p, o)
	if err != nil {
		return nil, err
	}
	return screenSession{s, tokens, closeTokens}, nil
}

// screenSession is a session with its tokens, and with the end of where they came from.
type screenSession struct {
	*session.Session
	tokens      *screenTokens
	closeTokens func()
}

// Follow returns a reader of all events.
func (s screenSession) Follow() tui.Events { return s.Session.Follow() }

// Tokens returns the last tokens, newest first.
func (s screenSession) Tokens() []tui.Token { return s.tokens.newest() }

// Close ends the session, and then where its tokens came from.
func (s screenSession) Close() {
	within(drainTimeout, s.Session.Close)
	s.closeTokens()
}

// emulator is what the screen sees of the embedded emulator.
type emulator struct {
	server  *fakeserver.Server
	journal *fakeserver.Reader
	wiring  *wiring
}

// Next implements tui.Emulator, like the methods below.
func (e *emulator) Next(ctx context.Context) ([]tui.EmulatorEvent, error) {
	records, err := e.journal.Records(ctx)
	if err != nil {
		return nil, err
	}
	events := make([]tui.EmulatorEvent, len(records))
	for i := range records {
		head := records[i].Head()
		events[i] = tui.EmulatorEvent{
			At: head.At, Name: string(head.Name), User: head.User, Code: max(head.Code, head.Status), TokenServer: head.OfTokenServer(),
			Entry: &journalEntry{records[i], e.server},
		}
	}
	return events, nil
}

// JumpClock moves the emulator's clock.
func (e *emulator) JumpClock(d time.Duration) { e.server.JumpClock(d) }

// Expire pushes the emulator's clock past the end of the user's token.
func (e *emulator) Expire(user string) error { return e.wiring.expire(user) }

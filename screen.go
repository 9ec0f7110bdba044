package main

import (
	"context"
	"errors"
	"strings"
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
			User: p.user, Peer: o.peer, Lifetime: o.ttl.String(), Profile: p.profile, Service: w.service(),
			TokenURL: p.tokenURL, RESTURL: p.restURL, WSURL: p.wsURL,
		},
		Open:   func(f tui.Form) (tui.Session, error) { return w.openScreen(f, o) },
		Policy: o.policy(), Where: w.where(), EmulatorNote: w.noEmulator(), ASCII: o.ascii || tui.PlainTerminal(),
	}
	if w.hasChat {
		config.Emulator = &emulator{server: w.server, journal: w.server.Journal(0), wiring: w}
		config.Faults = screenFaults{w.server}
	}
	err := tui.Run(ctx, config)
	switch {
	case ctx.Err() != nil:
		w.log.Info("the screen was closed from outside", "reason", context.Cause(ctx))
	case err != nil:
		w.log.Error("the screen failed", "error", err)
	}
	return err
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
	life, err := f.Life()
	if err != nil {
		return nil, err
	}
	tokens := newScreenTokens(w, o, f.User)
	w.watch = tokens.watch
	s, closeTokens, err := w.open(person{
		user: f.User, profile: f.Profile, tokenURL: f.TokenURL, restURL: f.RESTURL, wsURL: f.WSURL, ttl: life,
	}, o)
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
	s.Session.Close()
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
	entries, err := e.journal.Next(ctx)
	if err != nil {
		return nil, err
	}
	events := make([]tui.EmulatorEvent, len(entries))
	for i, entry := range entries {
		events[i] = tui.EmulatorEvent{
			At: entry.At, Name: string(entry.Name), User: entry.User, Text: strings.TrimSuffix(entry.Summary(), ", token server"), Code: max(entry.Code, entry.Status),
			TokenServer: ofTokenServer(entry), Details: entryDetails(entry),
		}
	}
	return events, nil
}

// JumpClock moves the emulator's clock.
func (e *emulator) JumpClock(d time.Duration) { e.server.JumpClock(d) }

// Expire pushes the emulator's clock past the end of the user's token.
func (e *emulator) Expire(user string) error { return e.wiring.expire(user) }

// screenFaults is what the screen sees of the emulator's faults.
type screenFaults struct{ server *fakeserver.Server }

// Kinds implements tui.Faults, like the methods below.
func (f screenFaults) Kinds() []tui.FaultKind {
	var kinds []tui.FaultKind
	for _, k := range fakeserver.FaultKinds() {
		kind := tui.FaultKind{Target: string(k.Target), Name: k.Name, Meaning: k.Meaning}
		for _, p := range k.Params {
			param := tui.FaultParam{Name: p.Name, Default: p.Default, Meaning: p.Meaning, Choices: p.Choices}
			if p.Type == "boolean" {
				param.Choices = []string{"false", "true"}
			}
			kind.Params = append(kind.Params, param)
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// Triggers lists the events that can be made to happen.
func (f screenFaults) Triggers() []string { return fakeserver.TriggerEvents() }

// List returns the faults that are on or used up.
func (f screenFaults) List() []tui.Fault {
	var list []tui.Fault
	for _, s := range f.server.Faults() {
		list = append(list, tui.Fault{
			ID: s.ID, Target: string(s.Target), Name: s.Kind, Params: s.Params, Count: s.Count, Applied: s.Applied,
		})
	}
	return list
}

// Set turns a fault on; one that is not right changes nothing.
func (f screenFaults) Set(fault tui.Fault) error {
	wanted := fakeserver.Fault{
		ID: fault.ID, Target: fakeserver.FaultTarget(fault.Target), Kind: fault.Name, Params: fault.Params, Count: fault.Count,
	}
	if err := wanted.Validate(); err != nil {
		return err
	}
	f.server.ClearFault(fault.ID)
	_, err := f.server.AddFault(wanted)
	return err
}

// Clear turns a fault off.
func (f screenFaults) Clear(id string) { f.server.ClearFault(id) }

// ClearAll turns every fault off.
func (f screenFaults) ClearAll() { f.server.ClearFaults() }

// Trigger makes an event happen to a user.
func (f screenFaults) Trigger(event, user string) (int, error) {
	switch event {
	case "will-expire":
		return f.server.TriggerWillExpire(user), nil
	case "expire":
		return f.server.TriggerExpire(user), nil
	case "kick":
		return f.server.Kick(user, 0, ""), nil
	case "cut":
		return f.server.CutUser(user), nil
	case "revoke":
		return f.server.Revoke(user), nil
	default:
		return 0, errors.New("the screen does not know how to make " + event + " happen")
	}
}

package main

import (
	"time"

	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tui"
)

// recordScreen has everything taken down that is done on the screen, and lets the screen export it.
func (w *wiring) recordScreen(c *tui.Config) {
	if w.recorder == nil {
		return
	}
	open := c.Open
	c.Open = func(f tui.Form) (tui.Session, error) {
		s, err := open(f)
		if err != nil {
			return nil, err
		}
		return recordedSession{s, w}, nil
	}
	c.Emulator, c.Faults, c.Scenario = recordedEmulator{c.Emulator, w}, recordedFaults{c.Faults, w}, w.asScenario
}

// recordedSession takes down what is asked of a session.
type recordedSession struct {
	tui.Session
	w *wiring
}

// Login implements tui.Session, like the methods below.
func (s recordedSession) Login() {
	s.w.didAsk("login")
	s.Session.Login()
}

// Renew asks for a renewal.
func (s recordedSession) Renew() {
	s.w.didAsk("renew")
	s.Session.Renew()
}

// Logout asks to log out.
func (s recordedSession) Logout() {
	s.w.didAsk("logout")
	s.Session.Logout()
}

// SetPolicy changes the policy.
func (s recordedSession) SetPolicy(p session.Policy) error {
	err := s.Session.SetPolicy(p)
	if err == nil {
		s.w.didSet(p)
	}
	return err
}

// Send sends a message.
func (s recordedSession) Send(to, text string) (id string, err error) {
	if id, err = s.Session.Send(to, text); err == nil {
		s.w.did(scenario.Step{Send: &scenario.Send{To: to, Text: text}})
	}
	return id, err
}

// JumpClock moves the session's clock.
func (s recordedSession) JumpClock(d time.Duration) {
	s.w.did(scenario.Step{Jump: &scenario.Jump{Client: scenario.Span{Offset: d}}})
	s.Session.JumpClock(d)
}

// Close ends the recording, and the session.
func (s recordedSession) Close() {
	s.w.stopRecording()
	s.Session.Close()
}

// recordedEmulator takes down jumps of the emulator's clock.
type recordedEmulator struct {
	tui.Emulator
	w *wiring
}

// JumpClock moves the emulator's clock.
func (e recordedEmulator) JumpClock(d time.Duration) {
	e.w.did(scenario.Step{Jump: &scenario.Jump{Emulator: scenario.Span{Offset: d}}})
	e.Emulator.JumpClock(d)
}

// recordedFaults takes down what is broken and mended.
type recordedFaults struct {
	tui.Faults
	w *wiring
}

// Set turns a fault on.
func (f recordedFaults) Set(fault tui.Fault) error {
	again := false
	for _, on := range f.List() {
		again = again || on.ID == fault.ID
	}
	if err := f.Faults.Set(fault); err != nil {
		return err
	}
	if again {
		f.w.did(scenario.Step{Clear: fault.ID})
	}
	for _, on := range f.w.server.Faults() {
		if on.ID == fault.ID {
			f.w.did(scenario.Step{Fault: scenario.FaultOf(on.Fault)})
		}
	}
	return nil
}

// Clear turns a fault off.
func (f recordedFaults) Clear(id string) {
	f.w.did(scenario.Step{Clear: id})
	f.Faults.Clear(id)
}

// ClearAll turns every fault off.
func (f recordedFaults) ClearAll() {
	f.w.did(scenario.Step{Clear: "all"})
	f.Faults.ClearAll()
}

// Trigger makes an event happen to a user.
func (f recordedFaults) Trigger(event, user string) (int, error) {
	f.w.did(scenario.Step{Trigger: &scenario.Trigger{Event: event, User: user}})
	return f.Faults.Trigger(event, user)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
)

// startRecorder has everything recorded where it could be done again: with the emulator and its token server. The screen can export it at any
// time.
func (w *wiring) startRecorder(o *options) error {
	possible := w.hasChat && w.hasTokens
	if err := checkWritable(o.record); err != nil && possible {
		return usage("%s: the recording cannot be written: %w", setting("record"), err)
	}
	switch {
	case o.record != "" && !possible:
		return usage("%s needs the built-in emulator and its token server; leave the addresses and the token out", setting("record"))
	case possible && (o.record != "" || !o.headless):
		w.recorder = scenario.NewRecorder(w.server)
	}
	return nil
}

// record begins to record a session.
func (w *wiring) record(p person, o *options, s *session.Session) {
	if w.recorder == nil {
		return
	}
	w.recorder.Begin(scenario.Setup{
		User: p.user, Profile: p.profile, App: o.app, TTL: p.ttl, Policy: s.Snapshot().Policy, Spread: o.spread,
		Emulator: scenario.EmulatorSettings{
			MaxDevices: o.maxDevices, Over24h: o.over24h, ExpiredStatus: o.expiredAs, EnforceExpiry: o.enforceExpiry, ClosedRegistration: o.closedRegistration,
		},
	}, s)
}

// did takes down what is about to be done, where somebody records.
func (w *wiring) did(step scenario.Step) {
	if w.recorder != nil {
		w.recorder.Did(step)
	}
}

// didAsk is did for what a user asks for.
func (w *wiring) didAsk(action string) { w.did(scenario.Step{Do: &scenario.Do{Action: action}}) }

// didSet is did for a policy.
func (w *wiring) didSet(p session.Policy) {
	w.did(scenario.Step{Policy: scenario.PolicyOf(p)})
}

// stopRecording is called before the session is closed, which is not part of what it did.
func (w *wiring) stopRecording() {
	if w.recorder != nil {
		w.recorder.End()
	}
}

// asScenario is the session so far as the text of a scenario.
func (w *wiring) asScenario(file string) (string, error) {
	var text strings.Builder
	if err := w.recorder.Write(&text, scenarioName(file)); err != nil {
		return "", err
	}
	_, err := scenario.Parse(file, []byte(text.String()))
	if err != nil {
		err = fmt.Errorf("it needs a hand before it can be run: %w", err)
	}
	return text.String(), err
}

var notInAName = pattern.New(`[^a-z0-9]+`)

// scenarioName makes the name of a scenario of that of its file.
func scenarioName(file string) string {
	name := strings.Trim(notInAName().ReplaceAllString(strings.ToLower(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))), "-"), "-")
	if name == "" {
		return "recorded"
	}
	return name[:min(len(name), 60)]
}

// checkWritable says early what would be lost late: whether a file can be written. It leaves it as it was.
func checkWritable(file string) error {
	if file == "" {
		return nil
	}
	_, before := os.Stat(file)
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the user names a file of their own
	if err != nil {
		return err
	}
	if err = f.Close(); errors.Is(before, fs.ErrNotExist) {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

// writeRecording writes a recording to its file, and says how to run it.
func writeRecording(file string, write func(w io.Writer, name string) error, stderr io.Writer) error {
	var text strings.Builder
	if err := write(&text, scenarioName(file)); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("the recording cannot be written: %w", err)
	}
	if _, err := scenario.Parse(file, []byte(text.String())); err != nil {
		return fmt.Errorf("written, but it needs a hand before it can be run:\n%w", err)
	}
	_, _ = fmt.Fprintf(stderr, "ttlchat: written to %s; ttlchat run %s does it again\n", file, printable.ShellWord(file))
	return nil
}

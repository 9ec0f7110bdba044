package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// profile runs each kind of traffic once against the emulator, and writes what the emulator spent its processor time on into a folder of
// its own choice, with the heap that 10,000 idle clients leave: for go tool pprof.
func profile(dir string, d time.Duration) error {
	pairs := func(window int) func(*target) error {
		return func(t *target) error {
			f, err := converse(t, 100, window, d)
			fmt.Printf("%d in flight: %.0f messages a second, %.1f µs of the server's processor each\n", window, f.PerSecond, f.CPUPerMessage)
			return err
		}
	}
	for _, kind := range []struct {
		name string
		run  func(*target) error
	}{
		{"messages-16", pairs(16)},
		{"messages-1", pairs(1)},
		{"logins", func(t *target) error {
			f, err := logins(t, 32, d)
			fmt.Printf("%.0f logins a second, %.1f µs of the server's processor each\n", f.PerSecond, f.CPUPerLogin)
			return err
		}},
	} {
		if err := profiled(filepath.Join(dir, kind.name+".pprof"), kind.run); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	t, err := newTarget("ttlchat")
	if err != nil {
		return err
	}
	defer func() { _ = t.stop() }()
	i, c, err := assemble(t, largeCrowd)
	if err != nil {
		return err
	}
	defer func() { _ = c.disperse() }()
	fmt.Printf("%.1f KB for each idle client\n", i.KB)
	_, err = t.ask("heap %s", filepath.Join(dir, "idle.heap.pprof"))
	return err
}

// profiled lets one kind of traffic come over a server of its own.
func profiled(file string, run func(*target) error) error {
	t, err := newTarget("ttlchat")
	if err != nil {
		return err
	}
	defer func() { _ = t.stop() }()
	if _, err := t.ask("profile %s", file); err != nil {
		return err
	}
	if err := run(t); err != nil {
		return err
	}
	_, err = t.ask("profile")
	return err
}

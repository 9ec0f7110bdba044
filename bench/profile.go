package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// profile runs each kind of traffic once against the emulator, and writes what the emulator spent its processor time on into a folder of
// its own choice, with the heap that 10,000 idle clients leave: for go tool pprof. It prints what was measured meanwhile, by the keys of goals.
func profile(dir string, d time.Duration) error {
	r := newReport(1)
	file := func(name string) string { return filepath.Join(dir, name+".pprof") }
	for _, k := range traffic {
		err := func() error {
			t, err := newTarget("ttlchat")
			if err != nil {
				return err
			}
			defer func() { _ = t.stop() }()
			return t.profiled(file(k.name), func() error { return k.run(r, t, d) })
		}()
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	t, err := newTarget("ttlchat")
	if err != nil {
		return err
	}
	defer func() { _ = t.stop() }()
	_, c, err := assemble(t, largeCrowd)
	if err != nil {
		return err
	}
	defer func() { _ = c.disperse() }()
	if _, err := t.ask("heap %s", file("idle.heap")); err != nil {
		return err
	}
	err = t.profiled(file(idleKind), func() error {
		cpu, unanswered, err := idle(t, c, largeCrowd, 2*d)
		r.servers[t.name].add("stand@10k", cpu)
		r.harm[t.name].Failed += unanswered
		return err
	})
	if err != nil {
		return err
	}
	if err := t.profiled(file(pushKind), func() error { return r.push(t, c, largeCrowd) }); err != nil {
		return err
	}
	if err := t.profiled(file(renewalsKind), func() error { return r.renew(t, c, largeCrowd) }); err != nil {
		return err
	}
	f := r.servers[t.name]
	for _, key := range slices.Sorted(maps.Keys(f)) {
		fmt.Printf("%-12s %s\n", key, spreadOf(f[key]))
	}
	return r.sound()
}

// profiled profiles a server while something comes over it.
func (t *target) profiled(file string, run func() error) error {
	if _, err := t.ask("profile %s", file); err != nil {
		return err
	}
	if err := run(); err != nil {
		return err
	}
	_, err := t.ask("profile")
	return err
}

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// measured are the servers in the order of the first run. Each further run begins with the next of them, so that none is always the first.
var measured = []string{"echo", "relay", "ttlchat"}

func order(run int) []string {
	i := run % len(measured)
	return slices.Concat(measured[i:], measured[:i])
}

// kind is something that can be measured alone.
type kind struct {
	name string
	run  func(*report, *target, time.Duration) error
}

// traffic are the kinds that come over servers without other clients.
var traffic = []kind{
	{"logins", (*report).loginTraffic},
	{"messages-16", func(r *report, t *target, d time.Duration) error { return r.pairTraffic(t, 16, d) }},
	{"messages-1", func(r *report, t *target, d time.Duration) error { return r.pairTraffic(t, 1, d) }},
	{"rate", (*report).pacedTraffic},
	{"growth", (*report).grownTraffic},
}

// The other kinds: those that need a crowd, and the Go benchmarks.
const idleKind, pushKind, renewalsKind, goKind = "idle", "push", "renewals", "go"

// kinds are the names of all.
func kinds() []string {
	var names []string
	for _, k := range traffic {
		names = append(names, k.name)
	}
	return append(names, idleKind, pushKind, renewalsKind, goKind)
}

// measure measures what only names, separated by commas, or everything.
func measure(runs int, d time.Duration, only string) (*report, error) {
	r := newReport(runs)
	r.lasts = d
	wanted := kinds()
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, name := range wanted {
		if !slices.Contains(kinds(), name) {
			return nil, fmt.Errorf("there is no %q to measure, only %s", name, strings.Join(kinds(), ", "))
		}
	}
	wants := func(name string) bool { return slices.Contains(wanted, name) }
	for run := range runs {
		if slices.ContainsFunc(traffic, func(k kind) bool { return wants(k.name) }) {
			fmt.Fprintf(os.Stderr, "run %d of %d: traffic\n", run+1, runs)
			if err := r.traffic(order(run), d, wants); err != nil {
				return nil, err
			}
		}
		if !wants(idleKind) && !wants(pushKind) && !wants(renewalsKind) {
			continue
		}
		for _, name := range order(run) {
			fmt.Fprintf(os.Stderr, "run %d of %d: crowds at the %s\n", run+1, runs, name)
			if err := r.crowds(name, d, wants); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if !wants(goKind) {
		return r, nil
	}
	var err error
	r.golang, err = goBenchmarks()
	return r, err
}

// traffic measures logins and messages against fresh servers. Each kind of traffic comes to one server right after the other: a shared machine
// is twice as fast at one moment as half a minute later, and what is compared has to be near.
func (r *report) traffic(names []string, d time.Duration, wants func(string) bool) error {
	var targets []*target
	for _, name := range names {
		t, err := newTarget(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer func() { _ = t.stop() }()
		targets = append(targets, t)
		if err := r.warmUp(t, d/5); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, k := range traffic {
		if !wants(k.name) {
			continue
		}
		for _, t := range targets {
			if err := k.run(r, t, d); err != nil {
				return fmt.Errorf("%s: %s: %w", t.name, k.name, err)
			}
		}
	}
	return nil
}

// warmUp lets traffic come that is not counted, but for what comes to harm: a server that has just been started has yet to grow, and the machine
// to wake.
func (r *report) warmUp(t *target, d time.Duration) error {
	l, err := logins(t, 32, d)
	if err != nil {
		return err
	}
	p, err := converse(t, 100, 16, d)
	r.harm[t.name].sum(l.Harm)
	r.harm[t.name].sum(p.Harm)
	return err
}

func (r *report) loginTraffic(t *target, d time.Duration) error {
	l, err := logins(t, 32, d)
	if err != nil {
		return err
	}
	f := r.servers[t.name]
	f.add("logins", l.PerSecond)
	f.add("cpulogin", l.CPUPerLogin)
	f.add("perlogin", 1/l.BothPerLogin)
	r.harm[t.name].sum(l.Harm)
	return nil
}

func (r *report) pairTraffic(t *target, window int, d time.Duration) error {
	p, err := converse(t, 100, window, d)
	if err != nil {
		return err
	}
	f := r.servers[t.name]
	f.add(fmt.Sprintf("w%d", window), p.PerSecond)
	f.add(fmt.Sprintf("cpu%d", window), p.CPUPerMessage)
	f.add(fmt.Sprintf("per%d", window), 1/p.BothPerMessage)
	r.harm[t.name].sum(p.Harm)
	return nil
}

func (r *report) pacedTraffic(t *target, d time.Duration) error {
	p, err := pace(t, 100, 5000, d)
	if err != nil {
		return err
	}
	f := r.servers[t.name]
	f.add("p50", p.Acked.at(.5))
	f.add("p99", p.Acked.at(.99))
	f.add("p999", p.Acked.at(.999))
	f.add("late", p.Late.at(.99))
	f.add("delivered", p.Delivered.at(.5))
	r.harm[t.name].sum(p.Harm)
	return nil
}

// grownTraffic measures what a message costs among many, and among few.
func (r *report) grownTraffic(t *target, d time.Duration) error {
	var cost []float64
	for _, pairs := range []int{5, 4900} { // what the limit of descriptors allows
		p, err := pace(t, pairs, 5000, d)
		if err != nil {
			return err
		}
		cost = append(cost, p.CPUPerMessage)
		r.harm[t.name].sum(p.Harm)
	}
	r.servers[t.name].add("grown", cost[1]/cost[0])
	return nil
}

// A small crowd and a large one, and how many pushes to the large one are counted in one run; one more goes before them as a warm-up.
const (
	smallCrowd = 1_000
	largeCrowd = 10_000
	pushes     = 3
)

// crowds measures what many idle clients cost, and what happens when all of them are pushed to.
func (r *report) crowds(name string, d time.Duration, wants func(string) bool) error {
	if !wants(idleKind) {
		_, err := r.crowd(name, largeCrowd, d, wants)
		return err
	}
	few, err := r.crowd(name, smallCrowd, d, wants)
	if err != nil {
		return err
	}
	many, err := r.crowd(name, largeCrowd, d, wants)
	if err != nil {
		return err
	}
	f := r.servers[name]
	for key, of := range map[string]func(idleFigures) float64{
		"KB":    func(i idleFigures) float64 { return i.KB },
		"come":  func(i idleFigures) float64 { return i.CPUPerLogin },
		"stand": func(i idleFigures) float64 { return i.CPUPerMinute },
	} {
		f.add(key+"@1k", of(few))
		f.add(key+"@10k", of(many))
		f.add(key+"grown", of(many)/of(few))
	}
	return nil
}

// crowd lets clients log in to a fresh server, and does to them what is wanted.
func (r *report) crowd(name string, clients int, d time.Duration, wants func(string) bool) (idleFigures, error) {
	t, err := newTarget(name)
	if err != nil {
		return idleFigures{}, err
	}
	defer func() { _ = t.stop() }()
	i, c, err := assemble(t, clients)
	if err != nil {
		return idleFigures{}, err
	}
	defer func() { _ = c.disperse() }()
	if wants(idleKind) {
		var unanswered int
		if i.CPUPerMinute, unanswered, err = idle(t, c, clients, 2*d); err != nil {
			return idleFigures{}, err
		}
		r.harm[name].Failed += unanswered
	}
	if wants(pushKind) && clients == largeCrowd && name != "echo" {
		if err := r.push(t, c, clients); err != nil {
			return idleFigures{}, err
		}
	}
	if wants(renewalsKind) && clients == largeCrowd && name == "ttlchat" {
		return i, r.renew(t, c, clients)
	}
	return i, nil
}

func (r *report) push(t *target, c *crowd, clients int) error {
	f := r.servers[t.name]
	for n := range 1 + pushes {
		p, err := pushAll(t, c, clients, false)
		if err != nil {
			return err
		}
		r.harm[t.name].Lost += p.Missed
		if n > 0 {
			f.add("push50", p.P50)
			f.add("pushmax", p.Max)
		}
	}
	return nil
}

func (r *report) renew(t *target, c *crowd, clients int) error {
	p, err := pushAll(t, c, clients, true)
	if err != nil {
		return err
	}
	f := r.servers[t.name]
	f.add("renew", p.Renewed/1000)
	f.add("renewerrors", float64(p.Missed))
	r.harm[t.name].Failed += p.Missed
	return nil
}

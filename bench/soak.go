package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// soakFill is how long clients talk as fast as they can before a soak, to fill what the server keeps up to a bound: the histories, and what
	// it remembers of messages that were sent.
	soakFill = 20 * time.Second
	// soakSamples is how often a soak looks at the server.
	soakSamples = 20
	// soakSlope is how many bytes of live memory more a server may have after an hour.
	soakSlope = 1 << 20
	// soakNoise is how much live memory and goroutines differ from one look to the next while nothing grows.
	soakNoise, soakNoiseGoroutines = 256 << 10, 5
)

// soakSample is what a server holds at one instant.
type soakSample struct {
	at                 time.Duration
	memory, goroutines int // memory in bytes: what is live after a collection, and stacks
}

// soak lets clients talk at a steady rate and fails when the server's memory or its goroutines grow: fault test R19.
func soak(d time.Duration) error {
	const perSecond, pairs = 1000, 20
	t, err := newTarget("ttlchat")
	if err != nil {
		return err
	}
	defer func() { _ = t.stop() }()
	f, err := converse(t, pairs, 16, soakFill)
	if err != nil {
		return err
	}
	sum := f.Harm
	samples := make([]soakSample, 0, soakSamples)
	for begin := time.Now(); len(samples) < soakSamples; {
		f, err := pace(t, pairs, perSecond, d/soakSamples)
		if err != nil {
			return err
		}
		sum.sum(f.Harm)
		kb, err := t.resident()
		if err != nil {
			return err
		}
		s := soakSample{at: time.Since(begin)}
		if s.memory, s.goroutines, err = t.holds(); err != nil {
			return err
		}
		samples = append(samples, s)
		fmt.Printf("%4.0f s  %d KB resident  %d KB live  %d goroutines  p50 %.3f ms  p99 %.3f ms  %+v\n",
			s.at.Seconds(), kb, s.memory>>10, s.goroutines, f.Acked.at(.5), f.Acked.at(.99), sum)
	}
	if sum.any() {
		return fmt.Errorf("something came to harm: %+v", sum)
	}
	return judgeSoak(samples)
}

// judgeSoak compares the last quarter of a soak with the one before. The lowest counts, because what clients do comes and goes.
func judgeSoak(samples []soakSample) error {
	late := samples[len(samples)/2:]
	third, fourth := late[:len(late)/2], late[len(late)/2:]
	lowest := func(s []soakSample, of func(soakSample) int) int {
		return of(slices.MinFunc(s, func(a, b soakSample) int { return of(a) - of(b) }))
	}
	grew := func(of func(soakSample) int) int { return lowest(fourth, of) - lowest(third, of) }
	apart := fourth[len(fourth)-1].at - third[len(third)-1].at
	var bad []error
	if more := grew(func(s soakSample) int { return s.memory }); more > max(soakNoise, int(soakSlope*apart.Hours())) {
		bad = append(bad, fmt.Errorf("the server's live memory grew by %d KB within %v", more>>10, apart.Round(time.Second)))
	}
	if more := grew(func(s soakSample) int { return s.goroutines }); more > soakNoiseGoroutines {
		bad = append(bad, fmt.Errorf("the server has %d goroutines more after %v", more, apart.Round(time.Second)))
	}
	return errors.Join(bad...)
}

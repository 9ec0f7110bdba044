package main

import (
	"fmt"
	"time"
)

// soakFill is how long clients talk as fast as they can before a soak, to fill what the server keeps up to a bound: the histories, and what it
// remembers of messages that were sent.
const soakFill = 20 * time.Second

// soak lets clients talk at a steady rate and fails when the server's memory grows: fault test R19.
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
	first := 0
	for begin := time.Now(); time.Since(begin) < d; {
		f, err := pace(t, pairs, perSecond, min(20*time.Second, d/4))
		if err != nil {
			return err
		}
		sum.sum(f.Harm)
		kb, err := t.resident()
		if err != nil {
			return err
		}
		if first == 0 {
			first = kb
		}
		fmt.Printf("%4.0f s  %d KB  p50 %.3f ms  p99 %.3f ms  %+v\n", time.Since(begin).Seconds(), kb, f.Acked.at(.5), f.Acked.at(.99), sum)
		if kb > first*5/4+8<<10 {
			return fmt.Errorf("the server's memory grew from %d to %d KB", first, kb)
		}
	}
	if sum.any() {
		return fmt.Errorf("something came to harm: %+v", sum)
	}
	return nil
}

package main

import (
	"fmt"
	"time"
)

// soak lets clients talk at a steady rate and fails when the server's memory grows: fault test R19. The first fifth of the time is for
// filling what is bounded.
func soak(d time.Duration) error {
	const perSecond, pairs = 1000, 50
	t, err := newTarget("ttlchat")
	if err != nil {
		return err
	}
	defer func() { _ = t.stop() }()
	var sum harm
	first := 0
	begin := time.Now()
	for round := 0; time.Since(begin) < d; round++ {
		f, err := pace(t, pairs, perSecond, min(20*time.Second, d/5))
		if err != nil {
			return err
		}
		sum.sum(f.Harm)
		kb, err := t.resident()
		if err != nil {
			return err
		}
		if time.Since(begin) < d/5 || first == 0 {
			first = kb
		}
		fmt.Printf("%4.0f s  %d KB  p50 %.3f ms  p99 %.3f ms  %+v\n", time.Since(begin).Seconds(), kb, f.Acked.at(.5), f.Acked.at(.99), sum)
		if kb > first*3/2+16<<10 {
			return fmt.Errorf("the server's memory grew from %d to %d KB", first, kb)
		}
	}
	if sum.Lost+sum.Doubled+sum.Reordered > 0 {
		return fmt.Errorf("messages came to harm: %+v", sum)
	}
	return nil
}

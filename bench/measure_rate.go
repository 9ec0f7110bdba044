package main

import (
	"runtime"
	"syscall"
	"time"
)

// pace lets pairs write at a fixed rate, whether answers come or not.
func pace(to *target, pairs, perSecond int, d time.Duration) (pairsFigures, error) {
	all, err := talkers(to, 0, pairs)
	if err != nil {
		return pairsFigures{}, err
	}
	before, err := to.meter()
	if err != nil {
		return pairsFigures{}, err
	}
	runtime.LockOSThread() // the runtime's own timers are too coarse: they would send in bursts
	defer runtime.UnlockOSThread()
	total := int(d.Seconds() * float64(perSecond))
	begin := time.Now()
	for n := 0; n < total; {
		due := min(int(time.Since(begin).Seconds()*float64(perSecond)), total)
		for ; n < due; n++ {
			t := all[n%len(all)]
			t.write()
			if err := t.socket.flush(); err != nil {
				return pairsFigures{}, err
			}
		}
		_ = syscall.Nanosleep(&syscall.Timespec{Nsec: int64(100 * time.Microsecond)}, nil)
	}
	took := time.Since(begin)
	server, both, err := before.since(total)
	if err != nil {
		return pairsFigures{}, err
	}
	f := settle(all)
	f.PerSecond = float64(total) / took.Seconds()
	f.CPUPerMessage, f.BothPerMessage = server, both
	return f, nil
}

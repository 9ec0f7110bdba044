package main

import (
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"
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
	a := newAlarm()
	defer a.stop()
	total := int(d.Seconds() * float64(perSecond))
	begin := time.Now()
	late := schedule(all, begin, perSecond, total, a.wait)
	took := time.Since(begin)
	server, both, err := before.since(total)
	if err != nil {
		return pairsFigures{}, err
	}
	f := settle(all, patience)
	f.PerSecond = float64(total) / took.Seconds()
	f.CPUPerMessage, f.BothPerMessage = server, both
	f.Late = late
	return f, nil
}

// schedule lets one after the other write when it is due, and returns how late each message was, sorted. The latencies count from when a
// message was due and not from when it was written: a server that keeps the load generator from writing would otherwise be timed only from the
// moment at which it lets it.
func schedule(all []*talker, begin time.Time, perSecond, total int, wait func(until time.Time)) latencies {
	late := make(latencies, total)
	for n := range total {
		due := begin.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
		wait(due)
		late[n] = int64(time.Since(due))
		t := all[n%len(all)]
		t.write(due)
		t.flush()
	}
	slices.Sort(late)
	return late
}

// alarm wakes one goroutine at given instants, some µs late, where the runtime's timers are up to a millisecond late. It sleeps in the kernel
// with the thread's slack taken off, and without telling the runtime, which would otherwise give the processor to another thread and take it back
// each time: twice the cost. So that all processors stay with the others meanwhile, the runtime has one more.
type alarm struct{ processors int }

// wakeUp is how long a thread takes to wake on a virtual machine: what is left of it is waited for awake.
const wakeUp = 40 * time.Microsecond

// newAlarm is for the calling goroutine alone, until it stops it.
func newAlarm() alarm {
	runtime.LockOSThread()
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, 1, 0) // with the usual slack it is later, and says so
	return alarm{runtime.GOMAXPROCS(runtime.NumCPU() + 1)}
}

func (a alarm) stop() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, 0, 0) // the usual one again
	runtime.GOMAXPROCS(a.processors)
	runtime.UnlockOSThread()
}

func (alarm) wait(until time.Time) {
	for left := time.Until(until); left > 0; left = time.Until(until) {
		if left > wakeUp {
			nap := syscall.NsecToTimespec(int64(left - wakeUp))
			_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&nap)), 0, 0) // a signal ends it early
		}
	}
}

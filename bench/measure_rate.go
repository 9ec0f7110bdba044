package main

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// pace lets pairs write at a fixed rate, whether answers come or not. Everybody has written once before that counts: among many the rate lets each
// write little more than that, and they would be charged with what the first message of a conversation needs.
func pace(to *target, pairs, perSecond int, d time.Duration) (pairsFigures, error) {
	all, err := talkers(to, 0, pairs)
	if err != nil {
		return pairsFigures{}, err
	}
	acquaint(all, perSecond)
	before, err := to.meter()
	if err != nil {
		return pairsFigures{}, err
	}
	wait, done := waitPrecisely()
	defer done()
	total := int(d.Seconds() * float64(perSecond))
	begin := time.Now()
	late := schedule(all, begin, perSecond, total, wait)
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

// acquaint lets everybody write once, and waits until that is settled. How long it takes does not count, what comes to harm does.
func acquaint(all []*talker, perSecond int) {
	schedule(all, time.Now(), perSecond, len(all), func(until time.Time) { time.Sleep(time.Until(until)) })
	await(all, patience)
	for _, t := range all {
		t.mu.Lock()
		t.ackTook, t.delivery = nil, nil
		t.mu.Unlock()
	}
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

// wakeUp is how long a thread takes to wake on a virtual machine: what is left of it is waited for awake.
const wakeUp = 40 * time.Microsecond

// waitPrecisely keeps the calling goroutine on its thread, whose naps end some µs late, where those of the runtime's timers end up to a
// millisecond late. The naps of a thread are usually stretched by 50 µs; this one's are not, until done is called.
func waitPrecisely() (wait func(until time.Time), done func()) {
	slack := func(ns uintptr) { _, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, ns, 0) }
	runtime.LockOSThread()
	slack(1)
	wait = func(until time.Time) {
		for left := time.Until(until); left > 0; left = time.Until(until) {
			if left > wakeUp {
				nap := syscall.NsecToTimespec(int64(left - wakeUp))
				_ = syscall.Nanosleep(&nap, nil) // a signal ends it early
			}
		}
	}
	return wait, func() {
		slack(0) // the usual one
		runtime.UnlockOSThread()
	}
}

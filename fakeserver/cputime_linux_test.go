package fakeserver

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// worked returns a function that tells how long this goroutine has worked; what else runs on the machine does not count. (getrusage(2) tells
// the same, but on some machines in steps of 10 ms.)
func worked(t *testing.T) func() time.Duration {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	return func() time.Duration {
		var at unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
			t.Fatal(err)
		}
		return time.Duration(at.Nano())
	}
}

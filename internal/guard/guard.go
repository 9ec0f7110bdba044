// Package guard lets a program with a screen survive the panic of one of its goroutines long enough to give the terminal back, to say
// goodbye to the service and to write down why.
//
// A panic that nobody recovers ends the process at once, whichever goroutine it is in, and leaves a terminal behind that is of no use. So
// every goroutine defers Catch, which does nothing until somebody watches.
package guard

import (
	"runtime/debug"
	"sync/atomic"
)

// watcher is told of panics; nil while nobody watches, and then they end the process as usual.
var watcher atomic.Pointer[func(panicked any, stack []byte)]

// Watch has panics of all goroutines that deferred Catch told to f, from the goroutine that panicked, which ends after that. There is one
// watcher at a time. Stop ends the watch.
func Watch(f func(panicked any, stack []byte)) (stop func()) {
	watcher.Store(&f)
	return func() { watcher.CompareAndSwap(&f, nil) }
}

// Catch is deferred first in a goroutine. It must be deferred itself, not called by a deferred function.
func Catch() {
	f := watcher.Load()
	if f == nil {
		return
	}
	if panicked := recover(); panicked != nil {
		(*f)(panicked, debug.Stack())
	}
}

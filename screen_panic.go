package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// broken ends a run in which a goroutine has panicked.
type broken struct {
	panicked string
	stack    []byte // nil when the log has it
}

// Error implements error.
func (b broken) Error() string {
	if b.stack == nil {
		return "ttlchat broke, and its log says where: " + b.panicked
	}
	return fmt.Sprintf("ttlchat broke: %s\n%s", b.panicked, b.stack)
}

// endOnPanic returns a context that ends when a goroutine panics, so that the terminal is given back and the session ends as after any
// other reason. The stack goes into the log, or into the error where there is no log.
func endOnPanic(ctx context.Context, log *slog.Logger, logged bool) (c context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := guard.Watch(func(panicked any, stack []byte) {
		b := broken{panicked: printable.Discreet(fmt.Sprint(panicked), 400), stack: stack}
		if logged {
			log.Error("a goroutine panicked", "panic", b.panicked, "stack", string(stack))
			b.stack = nil
		}
		cancel(b)
	})
	return ctx, func() { stop(); cancel(nil) }
}

// within waits for f, but no longer than limit: after a panic somebody may wait for what never comes.
func within(limit time.Duration, f func()) (done bool) {
	ended := make(chan struct{})
	go func() {
		defer guard.Catch()
		defer close(ended)
		f()
	}()
	select {
	case <-ended:
		return true
	case <-time.After(limit):
		return false
	}
}

//go:build !linux

package fakeserver

import (
	"testing"
	"time"
)

// worked returns a function that tells how much time has passed: no less than this goroutine has worked meanwhile.
func worked(*testing.T) func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}

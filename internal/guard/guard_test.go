package guard

import (
	"strings"
	"testing"
)

// run starts a goroutine that panics and tells how that ended: with what reached the goroutine's caller.
func run(f func()) (escaped any) {
	over := make(chan any)
	go func() {
		defer func() { over <- recover() }()
		defer Catch()
		f()
	}()
	return <-over
}

func whoPanicked() { panic("boom") }

func TestWatch(t *testing.T) {
	var seen any
	var where string
	stop := Watch(func(panicked any, stack []byte) { seen, where = panicked, string(stack) })
	if escaped := run(func() {}); escaped != nil || seen != nil {
		t.Errorf("a goroutine that does not panic: escaped %v, seen %v", escaped, seen)
	}
	if escaped := run(whoPanicked); escaped != nil || seen != "boom" || !strings.Contains(where, "whoPanicked") {
		t.Errorf("a panic that is watched: escaped %v, seen %v, stack\n%s", escaped, seen, where)
	}
	stop()
	seen = nil
	if escaped := run(whoPanicked); escaped != "boom" || seen != nil {
		t.Errorf("a panic that nobody watches: escaped %v, seen %v", escaped, seen)
	}
}

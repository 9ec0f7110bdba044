// Package pattern holds regular expressions that are compiled when they are first used, so that a program which uses few of them starts
// without the others: a fifth of the time before the first frame went into them.
package pattern

import (
	"regexp"
	"sync"
)

// New returns the expression as a function that compiles it at its first call, and panics when it is malformed.
func New(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

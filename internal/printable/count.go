package printable

import "fmt"

// Count is a number with its noun: one for 1, many for any other.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

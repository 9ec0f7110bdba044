package main

import (
	"fmt"
	"slices"
	"time"
)

// latencies are the times that something took, in ns.
type latencies []int64

// at returns the value below which that part of them lies, in ms. They are sorted.
func (l latencies) at(part float64) float64 {
	if len(l) == 0 {
		return 0
	}
	return float64(l[min(int(part*float64(len(l))), len(l)-1)]) / float64(time.Millisecond)
}

// spread is the middle of some figures and the ends of their range.
type spread struct{ Median, Min, Max float64 }

func (s spread) String() string {
	return fmt.Sprintf("%s (%s to %s)", number(s.Median), number(s.Min), number(s.Max))
}

func spreadOf(figures []float64) spread {
	if len(figures) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (middle + sorted[len(sorted)/2-1]) / 2
	}
	return spread{middle, sorted[0], sorted[len(sorted)-1]}
}

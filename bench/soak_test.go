package main

import (
	"testing"
	"time"
)

// TestJudgeSoak: what grows is found, what goes up and down is not.
func TestJudgeSoak(t *testing.T) {
	const hour = soakSlope
	for _, tt := range []struct {
		name      string
		every     time.Duration // between two looks
		memory    func(i int) int
		goroutine func(i int) int
		bad       bool
	}{
		{"flat", 15 * time.Second, func(int) int { return 100 << 20 }, func(int) int { return 50 }, false},
		{"fills up first", 15 * time.Second, func(i int) int { return min(i, 10) << 20 }, func(i int) int { return min(i, 10) * 10 }, false},
		{"up and down", 15 * time.Second, func(i int) int { return 50<<20 + i%3<<20 }, func(i int) int { return 50 + i%3*20 }, false},
		{"memory grows fast", 15 * time.Second, func(i int) int { return i << 17 }, func(int) int { return 50 }, true},
		{"memory grows within an hour", 3 * time.Minute, func(i int) int { return i * (hour/20 + hour/40) }, func(int) int { return 50 }, true},
		{"memory grows slowly", 3 * time.Minute, func(i int) int { return i * (hour / 40) }, func(int) int { return 50 }, false},
		{"goroutines stay behind", 15 * time.Second, func(int) int { return 100 << 20 }, func(i int) int { return 2 * i }, true},
	} {
		samples := make([]soakSample, soakSamples)
		for i := range samples {
			samples[i] = soakSample{tt.every * time.Duration(i+1), tt.memory(i), tt.goroutine(i)}
		}
		if err := judgeSoak(samples); (err != nil) != tt.bad {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/ttlchat/ttlchat/internal/guard"
)

// A screen has processor time to spare and is left open for days, so it trades the one for memory.
const (
	// startGCPercent keeps the collector away until the first frame is there; screenGCPercent then lets the heap grow less than Go's 100
	// before garbage is collected.
	startGCPercent, screenGCPercent = 300, 40
	// screenHistory is how many events the session holds for the screen, which is never far behind.
	screenHistory = 5_000
	// giveBackEvery is how often the program looks whether a flood of messages has left memory behind; it counts as over when less than
	// quiet has been allocated since the last look, and only more than surplus is worth the work.
	giveBackEvery  = 5 * time.Second
	quiet, surplus = 4 << 20, 6 << 20
)

// saveMemory makes the program small, some seconds after its start, until ctx ends.
func saveMemory(ctx context.Context) {
	collect := func(percent int) {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(percent)
		}
	}
	collect(startGCPercent)
	go func() {
		defer guard.Catch()
		tick := time.NewTicker(giveBackEvery)
		defer tick.Stop()
		samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
		for before := uint64(0); ; before = samples[0].Value.Uint64() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			metrics.Read(samples)
			switch allocated, free := samples[0].Value.Uint64()-before, samples[1].Value.Uint64(); {
			case before == 0:
				collect(screenGCPercent)
				debug.FreeOSMemory() // what the start has left
			case allocated < quiet && free > surplus:
				debug.FreeOSMemory()
			}
		}
	}()
}

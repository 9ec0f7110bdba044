package fakeserver

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkExpiryStorm lets 100,000 tokens end in one instant and says how late the last of them is noticed, the median of the runs, and in how
// many runs one comes early, which must not be.
func BenchmarkExpiryStorm(b *testing.B) {
	const sessions = 100_000
	var worst []float64
	early := 0
	for b.Loop() {
		s := newServer(b, Config{JournalSize: 16})
		end := s.Now().Add(700 * time.Millisecond)
		over, count, last := make(chan struct{}), 0, time.Duration(0)
		s.journal.heard = func(name EntryName, _ string) { // with the schedule's mu held
			if name != SessionExpired {
				return
			}
			if count++; count == 1 && time.Now().Before(end) {
				early++
			}
			if count == sessions {
				last = time.Since(end)
				close(over)
			}
		}
		for range sessions {
			l := s.newLink(new(tape))
			s.schedule.arm(l, grant{acceptedAt: end.Add(-time.Minute), expiresAt: end})
		}
		s.schedule.fire(s.Now()) // all warnings, which are due already
		done := make(chan struct{})
		go s.schedule.run(done)
		<-over
		close(done)
		worst = append(worst, float64(last)/float64(time.Millisecond))
	}
	slices.Sort(worst)
	b.ReportMetric(worst[len(worst)/2], "ms-late")
	b.ReportMetric(float64(early), "early")
	if early > 0 {
		b.Errorf("a token ended too early in %d of %d runs", early, len(worst))
	}
}

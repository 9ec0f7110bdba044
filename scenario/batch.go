package scenario

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Batch runs many scenarios side by side, at most jobs at a time, the long ones first, and returns their reports in the given order. done is
// called with each one as it ends, one after the other. When ctx ends, those that were under way or had not begun have no report: what was cut
// short says nothing of the client.
func Batch(ctx context.Context, list []*Scenario, jobs int, run func(context.Context, *Scenario) *Report, done func(*Report)) []*Report {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[b].length(), list[a].length()) })
	reports := make([]*Report, len(list))
	next := make(chan int)
	var workers sync.WaitGroup
	var one sync.Mutex
	for range min(max(jobs, 1), len(list)) {
		workers.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					continue
				}
				r := run(ctx, list[i])
				if ctx.Err() != nil {
					continue
				}
				reports[i] = r
				one.Lock()
				done(reports[i])
				one.Unlock()
			}
		})
	}
	for _, i := range order {
		next <- i
	}
	close(next)
	workers.Wait()
	return slices.DeleteFunc(reports, func(r *Report) bool { return r == nil })
}

// Interrupted is the report of a scenario whose run was cut short, or did not begin: it says nothing of the client.
func Interrupted(s *Scenario, why error) *Report {
	return newReport(s, Options{}.fill(s)).broken(why, time.Now())
}

// length is how long a run takes at most, sleeps aside.
func (s *Scenario) length() time.Duration {
	d := s.Until.Of(s.TTL)
	for _, step := range s.Steps {
		if step.Sleep != nil {
			d -= step.Sleep.Of(s.TTL)
		}
	}
	return d
}

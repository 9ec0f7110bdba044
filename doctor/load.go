package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// calls are made at once by the burst.
	calls = 20
	// slow is the latency of the ninth call in ten that is worth a warning.
	slow = 2 * time.Second
)

// manyAtOnce asks for both users in turn, so that an answer which goes to the wrong call is seen.
func (p *patient) manyAtOnce(ctx context.Context) finding {
	p.burst = make([]answer, calls)
	var wg sync.WaitGroup
	for i := range p.burst {
		wg.Go(func() { p.burst[i] = p.askThrough(ctx, p.plain, p.users[i%len(p.users)], p.cfg.Lifetime) })
	}
	wg.Wait()
	limited := 0
	for i, a := range p.burst {
		user := p.users[i%len(p.users)]
		seen := fmt.Sprintf("call %d of %d at once, for %s: ", i+1, calls, user)
		if a.Status == http.StatusTooManyRequests {
			if a.err.RetryAfter == 0 {
				return warn(seen+"429 without Retry-After", "Apps do not know when to try again, and try at once.",
					"Say in Retry-After after how many seconds to try again.")
			}
			limited++
			continue
		}
		if f, bad := p.badInBurst(a, seen); bad {
			return f
		}
	}
	if limited > 0 {
		return pass("%d calls at once: %d tokens, and %d times 429 with Retry-After", calls, calls-limited, limited)
	}
	return pass("%d calls at once: %d tokens", calls, calls)
}

func (p *patient) badInBurst(a answer, seen string) (finding, bool) {
	switch f, wrong := p.newlyFatal(a); {
	case a.Token == "":
		return fail(seen+a.complaint(), "When many apps renew at once, as after an outage, some get no token and lose their connection.",
			"Find out what the server runs short of; refuse what is too much with 429 and Retry-After."), true
	case wrong:
		return fail(seen+f.What, "Some users are refused at random, or log in as somebody else.",
			"Look for data that requests share, and for one server of several that is configured in another way."), true
	}
	return finding{}, false
}

func (p *patient) latency(context.Context) finding {
	var took []time.Duration
	for _, a := range p.burst {
		if a.Token != "" {
			took = append(took, a.Duration)
		}
	}
	if len(took) == 0 {
		return skip("no call was answered with a token")
	}
	slices.Sort(took)
	p90 := percentile(took, 90)
	seen := fmt.Sprintf("half within %v, 90 %% within %v, all within %v", round(percentile(took, 50)), round(p90), round(took[len(took)-1]))
	if p90 > slow {
		return warn(seen, "The SDK warns when a fifth of the life is left: with a slow server and a short life the new token comes too late.",
			"Find out what the server waits for; building a token takes less than a millisecond.")
	}
	return pass("%s, with %d calls at once", seen, calls)
}

// percentile is the smallest value that p in a hundred do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

// round keeps two or three digits.
func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// loginFigures is what connecting came to: connect, upgrade and the login, with its token verified.
type loginFigures struct {
	PerSecond    float64
	CPUPerLogin  float64 // of the server, in µs
	BothPerLogin float64 // of the server and the load generator, in µs
}

// loginUsers is how many users take turns, so that nobody comes back before he is gone.
const loginUsers = 4000

// logins lets clients log in and hang up, so many at a time.
func logins(to *target, atATime int, d time.Duration) (loginFigures, error) {
	for n := range loginUsers { // their tokens are not part of it
		to.adapter.hello(userName(n))
	}
	var count atomic.Int64
	var failure atomic.Pointer[error]
	before, err := to.meter()
	if err != nil {
		return loginFigures{}, err
	}
	begin := time.Now()
	until := begin.Add(d)
	var all sync.WaitGroup
	for range atATime {
		all.Go(func() {
			for time.Now().Before(until) && failure.Load() == nil {
				s, err := enter(to.adapter, to.chat, userName(int(count.Add(1)%loginUsers)))
				if err != nil {
					failure.Store(&err)
					return
				}
				_ = s.conn.Close()
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	if err := failure.Load(); err != nil {
		return loginFigures{}, *err
	}
	server, both, err := before.since(int(count.Load()))
	return loginFigures{float64(count.Load()) / took.Seconds(), server, both}, err
}

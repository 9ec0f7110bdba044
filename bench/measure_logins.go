package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// loginFigures is what connecting came to: connect, upgrade and the login, with its token verified.
type loginFigures struct {
	PerSecond    float64
	CPUPerLogin  float64 // of the server, in µs
	BothPerLogin float64 // of the server and the load generator, in µs
	Harm         harm
}

// loginUsers is how many users take turns, so that nobody comes back before he is gone.
const loginUsers = 4000

// loginPause keeps a server that refuses everybody from filling the terminal.
const loginPause = 100 * time.Millisecond

// logins lets clients log in and hang up, so many at a time.
func logins(to *target, atATime int, d time.Duration) (loginFigures, error) {
	for n := range loginUsers { // their tokens are not part of it
		to.adapter.hello(userName(n))
	}
	var count, failed atomic.Int64
	before, err := to.meter()
	if err != nil {
		return loginFigures{}, err
	}
	begin := time.Now()
	until := begin.Add(d)
	var all sync.WaitGroup
	for range atATime {
		all.Go(func() {
			for time.Now().Before(until) {
				s, err := enter(to.adapter, to.chat, userName(int(count.Add(1)%loginUsers)))
				if err != nil {
					fmt.Fprintln(os.Stderr, "bench: login:", err)
					failed.Add(1)
					time.Sleep(loginPause)
					continue
				}
				_ = s.conn.Close()
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	good := int(count.Load() - failed.Load())
	if good == 0 {
		return loginFigures{}, errors.New("nobody could log in")
	}
	server, both, err := before.since(good)
	return loginFigures{float64(good) / took.Seconds(), server, both, harm{Failed: int(failed.Load())}}, err
}

package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"
)

// crowd is a number of logged-in clients, in two processes.
type crowd struct{ halves []*process }

// gather lets that many clients log in.
func gather(to *target, clients int) (*crowd, error) {
	c := new(crowd)
	for i := range 2 {
		p, err := start("swarm", to.name, to.chat, to.token)
		if err != nil {
			return nil, err
		}
		c.halves = append(c.halves, p)
		if err := p.say("login %d %d", i*clients/2, clients/2); err != nil {
			return nil, err
		}
	}
	return c, c.wait()
}

// wait reads an answer of each half.
func (c *crowd) wait() error {
	for _, p := range c.halves {
		if _, err := p.line(); err != nil {
			return err
		}
	}
	return nil
}

// tell says something to both halves and waits for the answers.
func (c *crowd) tell(line string) error {
	for _, p := range c.halves {
		if err := p.say("%s", line); err != nil {
			return err
		}
	}
	return c.wait()
}

func (c *crowd) disperse() error {
	var errs []error
	for _, p := range c.halves {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// idleKB is the memory of the server for each of that many clients that have nothing to say.
func idleKB(to *target, clients int) (float64, *crowd, error) {
	before, err := to.resident()
	if err != nil {
		return 0, nil, err
	}
	c, err := gather(to, clients)
	if err != nil {
		return 0, nil, err
	}
	time.Sleep(2 * time.Second)
	after, err := to.resident()
	return float64(after-before) / float64(clients), c, err
}

// pushFigures is what one push to everybody came to, in ms from its beginning.
type pushFigures struct {
	P50, P99, Max float64
	Renewed       float64 // when the last renewal was answered
	Missed        int     // clients that it did not reach, that were cut, or whose renewal failed
}

// pushAll pushes to everybody once; with renewals every client fetches a token and renews when the push comes.
func pushAll(to *target, c *crowd, clients int, renewals bool) (pushFigures, error) {
	if err := c.tell("clear"); err != nil {
		return pushFigures{}, err
	}
	if renewals {
		if err := c.tell("renew"); err != nil {
			return pushFigures{}, err
		}
	}
	answer, err := to.ask("push")
	if err != nil {
		return pushFigures{}, err
	}
	begin, err := strconv.ParseInt(answer, 10, 64)
	if err != nil {
		return pushFigures{}, err
	}
	var took latencies
	var f pushFigures
	for _, p := range c.halves {
		answer, err := p.ask("report %d", 20_000)
		if err != nil {
			return pushFigures{}, err
		}
		var r swarmReport
		if err := json.Unmarshal([]byte(answer), &r); err != nil {
			return pushFigures{}, err
		}
		for _, at := range r.At {
			took = append(took, at-begin)
		}
		f.Missed += int(r.Ended + r.Failed)
		f.Renewed = max(f.Renewed, float64(r.Done-begin)/1e6)
	}
	slices.Sort(took)
	f.Missed += clients - len(took)
	f.P50, f.P99, f.Max = took.at(.5), took.at(.99), took.at(1)
	return f, nil
}

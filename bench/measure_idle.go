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

// idleFigures is what clients cost a server that log in and have nothing to say.
type idleFigures struct {
	KB           float64 // of memory for each
	CPUPerLogin  float64 // in µs
	CPUPerMinute float64 // in µs, for each that stays, with its heartbeats
}

// assemble lets that many clients log in, and stay.
func assemble(to *target, clients int) (idleFigures, *crowd, error) {
	before, err := to.resident()
	if err != nil {
		return idleFigures{}, nil, err
	}
	m, err := to.meter()
	if err != nil {
		return idleFigures{}, nil, err
	}
	c, err := gather(to, clients)
	if err != nil {
		return idleFigures{}, nil, err
	}
	cpu, _, err := m.since(clients)
	if err != nil {
		return idleFigures{}, nil, err
	}
	time.Sleep(2 * time.Second)
	after, err := to.resident()
	return idleFigures{KB: float64(after-before) / float64(clients), CPUPerLogin: cpu}, c, err
}

// heartbeatEvery is how often a Web SDK asks while nothing happens.
const heartbeatEvery = time.Minute

// idle leaves a crowd alone for a time, with its heartbeats, and returns the µs of the server's processor time that each client costs in a
// minute, and how many heartbeats were not answered.
func idle(to *target, c *crowd, clients int, d time.Duration) (cpu float64, unanswered int, err error) {
	m, err := to.meter()
	if err != nil {
		return 0, 0, err
	}
	heartbeats := int(int64(clients) * int64(d) / int64(heartbeatEvery))
	for _, p := range c.halves {
		if err := p.say("idle %d %d", d.Milliseconds(), heartbeats/len(c.halves)); err != nil {
			return 0, 0, err
		}
	}
	for _, p := range c.halves {
		answer, err := p.line()
		if err != nil {
			return 0, 0, err
		}
		n, err := strconv.Atoi(answer)
		if err != nil {
			return 0, 0, err
		}
		unanswered += n
	}
	cpu, _, err = m.since(clients)
	return cpu * float64(heartbeatEvery) / float64(d), unanswered, err
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

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// swarm is a process that holds many logged-in clients. It obeys lines, because one process alone may not open as many files.
type swarm struct {
	adapter     adapter
	chat, token string

	clients []*swarmClient
	renewer *renewer // nil unless a push makes clients renew
	ended   atomic.Int64
	heard   atomic.Int64 // frames that came
}

// swarmClient notes when it was pushed to.
type swarmClient struct {
	of     *swarm
	user   string
	socket *socket
	at     atomic.Int64 // of the first push, in ns since 1970
}

func (*swarmClient) acked(uint64) {}

func (c *swarmClient) delivered([]byte) { c.of.heard.Add(1) }

func (c *swarmClient) pushed() {
	c.of.heard.Add(1)
	if c.at.CompareAndSwap(0, time.Now().UnixNano()) && c.of.renewer != nil {
		c.of.renewer.queue <- c
	}
}

// swarmReport is what became of a push.
type swarmReport struct {
	At     []int64 // when it came to each client, in ns since 1970, sorted
	Ended  int64   // connections lost
	Failed int64   // renewals, those without an answer too
	Done   int64   // when the last renewal was answered
}

// runSwarm is the process: swarm NAME CHAT TOKEN.
func runSwarm(name, chat, token string) error {
	s := &swarm{adapter: adapters[name](), chat: chat, token: token}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var word string
		var first, count int
		_, _ = fmt.Sscan(in.Text(), &word, &first, &count)
		var answer any
		var err error
		switch word {
		case "login": // numbers of the first user and of how many
			err = s.login(first, count)
		case "idle": // for how many ms, with how many heartbeats
			answer, err = s.idle(time.Duration(first)*time.Millisecond, count)
		case "renew": // at the next push
			s.renewer = newRenewer(s)
		case "clear":
			for _, c := range s.clients {
				c.at.Store(0)
			}
		case "report": // how long to wait, in ms
			answer = s.report(time.Duration(first) * time.Millisecond)
		default:
			err = errors.New("what?")
		}
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
	}
	return in.Err()
}

func (s *swarm) login(first, count int) error {
	s.clients = make([]*swarmClient, count)
	var next, failed atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for n := int(next.Add(1) - 1); n < count; n = int(next.Add(1) - 1) {
				user := userName(first + n)
				sock, err := enter(s.adapter, s.chat, user)
				if err != nil {
					fmt.Fprintln(os.Stderr, "bench:", err)
					failed.Add(1)
					return
				}
				c := &swarmClient{of: s, user: user, socket: sock}
				s.clients[n] = c
				go func() {
					_ = sock.run(s.adapter, c)
					s.ended.Add(1)
				}()
			}
		})
	}
	all.Wait()
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d clients could not log in", n)
	}
	return nil
}

// idle lets one client after the other say a heartbeat, evenly over a time, and returns how many were not answered.
func (s *swarm) idle(d time.Duration, heartbeats int) (unanswered int64, err error) {
	beat, before, begin := s.adapter.heartbeat(), s.heard.Load(), time.Now()
	for i := range heartbeats {
		time.Sleep(time.Until(begin.Add(d * time.Duration(i) / time.Duration(heartbeats))))
		c := s.clients[i%len(s.clients)]
		c.socket.queue(beat)
		if err := c.socket.flush(); err != nil {
			return 0, err
		}
	}
	time.Sleep(time.Until(begin.Add(d)))
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if unanswered = int64(heartbeats) - (s.heard.Load() - before); unanswered <= 0 || time.Now().After(deadline) {
			return unanswered, nil
		}
	}
}

// report waits until everybody was pushed to, and has renewed where that is wanted.
func (s *swarm) report(patience time.Duration) swarmReport {
	var r swarmReport
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		r = swarmReport{Ended: s.ended.Load()}
		for _, c := range s.clients {
			if at := c.at.Load(); at != 0 {
				r.At = append(r.At, at)
			}
		}
		whole := len(r.At) == len(s.clients)
		if s.renewer != nil {
			unanswered := max(0, int64(len(r.At))-s.renewer.answered.Load())
			r.Failed, r.Done = s.renewer.failed.Load()+unanswered, s.renewer.last.Load()
			whole = whole && unanswered == 0
		}
		if whole || time.Now().After(deadline) {
			slices.Sort(r.At)
			return r
		}
	}
}

// renewer fetches tokens and renews with them, for all clients of a swarm, over connections that are kept.
type renewer struct {
	queue                  chan *swarmClient
	answered, failed, last atomic.Int64
}

// renewWorkers is how many renewals of one swarm are under way at once.
const renewWorkers = 32

func newRenewer(s *swarm) *renewer {
	r := &renewer{queue: make(chan *swarmClient, len(s.clients))}
	for range renewWorkers {
		go func() {
			token, rest := &caller{address: s.token}, &caller{address: s.chat}
			for c := range r.queue {
				if err := renew(token, rest, c.user); err != nil {
					fmt.Fprintln(os.Stderr, "bench: renew:", err)
					r.failed.Add(1)
				}
				r.last.Store(time.Now().UnixNano())
				r.answered.Add(1)
			}
		}()
	}
	return r
}

// renew does what an app with the Web SDK does: fetch a token, and tell the service about it.
func renew(token, rest *caller, user string) error {
	var fetched struct {
		Token string `json:"token"`
	}
	body, err := json.Marshal(map[string]any{"user_uuid": user, "expire": 3600})
	if err != nil {
		return err
	}
	if err := token.call("POST", "/generate-user-token", "", body, &fetched); err != nil {
		return err
	}
	var renewed map[string]any
	return rest.call("GET", "/ttlchat/demo/sdk/users/"+user+"/token/expires", fetched.Token, nil, &renewed)
}

// caller makes HTTP calls over one connection, one after the other.
type caller struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
}

var errStatus = errors.New("not 200")

func (c *caller) call(method, path, bearer string, body []byte, into any) error {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			return err
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	request := method + " " + path + " HTTP/1.1\r\nHost: bench\r\n"
	if bearer != "" {
		request += "Authorization: Bearer " + bearer + "\r\n"
	}
	if body != nil {
		request += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	if _, err := io.WriteString(c.conn, request+"\r\n"+string(body)); err != nil {
		return err
	}
	answer, err := readAnswer(c.in)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

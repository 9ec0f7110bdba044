package session_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// soakFor is how long TestSoak watches.
var soakFor = flag.Duration("soak", 5*time.Second, "how long TestSoak runs")

// soakPeople is how many sessions talk in TestSoak, soakRate how many messages they send in a second.
const soakPeople, soakRate = 20, 1000

// soakSlope is how many bytes of live memory more there may be after an hour, soakNoise by how many two looks differ while nothing grows.
const soakSlope, soakNoise = 1 << 20, 256 << 10

// soakSample is what a process has at one instant.
type soakSample struct {
	at                        time.Duration
	memory, goroutines, files int // memory in bytes: what is live, and stacks
}

// TestSoak is fault test R19: sessions and an emulator in one process talk over TCP at 1,000 messages a second, with tokens of a minute that
// are renewed meanwhile. Memory, goroutines and descriptors stay where they are, and no message comes to harm. `make soaksessions` watches for
// five minutes; for less than one, memory is told and not judged, because what is bounded fills up first.
func TestSoak(t *testing.T) {
	people := soakers(t)
	said := make([]int, soakPeople)
	var samples []soakSample
	beat := time.NewTicker(time.Second / 100)
	defer beat.Stop()
	sampleEvery := *soakFor / 20
	began := time.Now()
	for n := 0; time.Since(began) < *soakFor; {
		<-beat.C
		for range soakRate / 100 {
			from := n % soakPeople
			if _, err := people[from].Send(fmt.Sprintf("user%d", (from+1)%soakPeople), fmt.Sprint(said[from])); err != nil {
				t.Fatal(err)
			}
			said[from]++
			n++
		}
		if now := time.Since(began); now >= sampleEvery*time.Duration(len(samples)+1) {
			samples = append(samples, sample(now))
		}
	}
	last := func(i int) int { return said[(i+soakPeople-1)%soakPeople] } // what user i was sent
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-beat.C {
		if !slices.ContainsFunc(people, func(p *soaker) bool { return p.Snapshot().Unsent > 0 || int(p.received.Load()) < last(p.number) }) {
			break
		}
	}
	for i, p := range people {
		p.end()
		if got := int(p.received.Load()); p.sent != said[i] || got != last(i) || p.disorder != "" {
			t.Errorf("user%d: %d of %d messages were sent, %d of %d arrived; %s", i, p.sent, said[i], got, last(i), p.disorder)
		}
		if want := int(soakFor.Seconds())/48 - 1; p.renewed < want || p.expired > 0 {
			t.Errorf("user%d: %d renewals and %d expiries, want at least %d and 0", i, p.renewed, p.expired, want)
		}
	}
	judgeSoak(t, samples)
}

// judgeSoak compares the second half of the samples with its own beginning.
func judgeSoak(t *testing.T, samples []soakSample) {
	half := samples[len(samples)/2:]
	lowest := func(of func(soakSample) int, s []soakSample) int {
		return of(slices.MinFunc(s, func(a, b soakSample) int { return of(a) - of(b) }))
	}
	for what, of := range map[string]func(soakSample) int{
		"goroutines": func(s soakSample) int { return s.goroutines },
		"files":      func(s soakSample) int { return s.files },
	} { // renewals come and go: the lowest counts
		if from, to := lowest(of, half[:len(half)/2]), lowest(of, half[len(half)/2:]); to > from+5 {
			t.Errorf("%d %s, and %d later", from, what, to)
		}
	}
	memory := func(s soakSample) int { return s.memory }
	from, to := lowest(memory, half[:len(half)/2]), lowest(memory, half[len(half)/2:])
	apart := half[len(half)-1].at - half[len(half)/2-1].at
	t.Logf("%v: %d KiB, %d KiB %v later, %d goroutines, %d files", *soakFor, from>>10, to>>10, apart.Round(time.Second),
		half[0].goroutines, half[0].files)
	if *soakFor >= time.Minute && to-from > max(soakNoise, int(soakSlope*apart.Hours())) {
		t.Errorf("memory grew from %d to %d bytes within %v", from, to, apart)
	}
}

func sample(at time.Duration) soakSample {
	runtime.GC()
	runtime.GC() // what pools keep goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")                                                    // none where there is no such thing
	return soakSample{at, int(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine(), len(files)} //nolint:gosec // far below
}

// soaker is a session that counts instead of remembering.
type soaker struct {
	*session.Session
	number   int
	done     chan struct{}
	received atomic.Int64

	// These belong to the goroutine that follows the session until done is closed.
	sent, renewed, expired int
	disorder               string
}

// soakers starts an emulator and people who are logged in to it; they end with the test.
func soakers(t *testing.T) []*soaker {
	server, err := fakeserver.New(fakeserver.Config{JournalSize: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	listen := func() net.Listener {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	chat, tokens := listen(), listen()
	served := make(chan error, 1)
	go func() { served <- server.Serve(chat, tokens) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	shape, _ := tokenclient.Preset("go")
	source, err := tokenclient.New(tokenclient.Config{
		URL: "http://" + tokens.Addr().String() + "/generate-user-token", Shape: shape, AppID: fakeserver.DemoAppID,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	var people []*soaker
	for i := range soakPeople {
		s, err := session.Start(session.Config{
			User: fmt.Sprintf("user%d", i), Lifetime: time.Minute, Tokens: source, Org: fakeserver.DemoOrg, App: fakeserver.DemoApp,
			RESTURL: "http://" + chat.Addr().String(), WSURL: "ws://" + chat.Addr().String() + "/websocket",
		})
		if err != nil {
			t.Fatal(err)
		}
		p := &soaker{Session: s, number: i, done: make(chan struct{})}
		go p.follow(s.Follow())
		t.Cleanup(p.end)
		s.Login()
		people = append(people, p)
	}
	return people
}

func (p *soaker) follow(events *session.Reader) {
	defer close(p.done)
	for {
		batch, err := events.Next(context.Background()) // ends with the session
		if err != nil {
			return
		}
		for _, e := range batch {
			switch e.Name {
			case session.MessageSent:
				p.sent++
			case session.MessageReceived:
				if place := p.received.Add(1) - 1; e.Text != fmt.Sprint(place) && p.disorder == "" {
					p.disorder = fmt.Sprintf("message %s came in the place of %d", e.Text, place)
				}
			case session.RenewSucceeded:
				p.renewed++
			case session.TokenExpired:
				p.expired++
			}
		}
	}
}

func (p *soaker) end() {
	if p.Session != nil {
		p.Close()
		<-p.done
		p.Session = nil
	}
}

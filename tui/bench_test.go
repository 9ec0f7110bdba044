package tui

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/eventlog"
	"github.com/ttlchat/ttlchat/session"
)

// cpu is the time that the process has used on all cores. On a busy machine it says more than the time that has passed.
func cpu() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// chatter is a message as they come.
func chatter(i int) session.Event {
	return session.Event{Name: session.MessageReceived, From: "echo", At: noon,
		Text: fmt.Sprintf("%d still there? this one is long enough to be wrapped on most screens", i)}
}

// long is a session with 100,000 messages and 10,000 entries in the timeline.
func long(t testing.TB, width, height int) *rig {
	r := opened(t, width, height, online())
	for i := range keepMessages {
		r.happen(chatter(i))
	}
	for i := range keepMoments {
		r.happen(session.Event{Name: session.RenewStarted, Attempt: 2 + i})
	}
	if len(r.talk.entries) != keepMessages || len(r.timeline.entries) != keepMoments {
		t.Fatalf("%d messages and %d moments are held", len(r.talk.entries), len(r.timeline.entries))
	}
	return r
}

// BenchmarkUpdateView is one message and the frame after it, with full histories. A millisecond of CPU is the limit.
func BenchmarkUpdateView(b *testing.B) {
	r := long(b, 120, 40)
	bench := func(name string, msg func(int) tea.Msg) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before, n := cpu(), 0
			for b.Loop() {
				r.Update(msg(n))
				_ = r.View()
				n++
				if r.input.Length() > 40 {
					r.input.Reset()
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(n), "cpu-ns/op")
		})
	}
	bench("tick", func(int) tea.Msg { return tickMsg(0) })
	bench("key", func(int) tea.Msg { return tea.KeyPressMsg{Code: 'x', Text: "x"} })
	bench("message", func(i int) tea.Msg { return eventsMsg{opened: 1, events: []session.Event{chatter(i)}} })
	bench("scroll", func(i int) tea.Msg { return press([]string{"pgup", "pgdown"}[i/50%2]) })
	bench("resize", func(int) tea.Msg { return tea.WindowSizeMsg{Width: 120, Height: 40} })
	r.keys("tab")
	bench("point", func(i int) tea.Msg { return press([]string{"up", "down"}[i/50%2]) })
}

// BenchmarkFlood appends 5,000 messages a second, as the waiting command delivers them: about seven times a second. The metric is the share of a
// core that a second of it takes.
func BenchmarkFlood(b *testing.B) {
	r := long(b, 120, 40)
	events := make([]session.Event, floodRate/7)
	for i := range events {
		events[i] = chatter(i)
	}
	b.ReportAllocs()
	before, n := cpu(), 0
	for b.Loop() {
		for range 7 {
			r.Update(eventsMsg{opened: 1, events: events})
			_ = r.View()
		}
		n++
	}
	b.ReportMetric(100*(cpu()-before).Seconds()/float64(n), "%core")
}

// flood5000 has a session receive so many messages a second for a while, and returns the share of a core that the process used meanwhile.
func flood5000(s *fakeSession, seconds int) float64 {
	before, start := cpu(), time.Now()
	for i := range floodRate * seconds {
		s.emit(chatter(i))
		if i%50 == 0 { // to sleep after each would cost more than what is measured
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / floodRate)))
		}
	}
	return 100 * (cpu() - before).Seconds() / time.Since(start).Seconds()
}

const floodRate = 5000

// BenchmarkFloodProgram runs the whole program, renderer included, with 100,000 messages and 5,000 more a second, of which none may be
// skipped. The metrics are the share of a core that it takes, and what making the messages takes without it.
func BenchmarkFloodProgram(b *testing.B) {
	const seconds = 4
	for b.Loop() {
		s := newFake(noon, online())
		s.log = eventlog.New[session.Event](keepMessages)
		for i := range keepMessages {
			s.emit(chatter(i))
		}
		alone := flood5000(s, seconds)
		keyboard, keys := io.Pipe()
		var out bytes.Buffer
		done := make(chan error)
		go func() {
			done <- run(b.Context(), Config{Form: filled, Open: func(Form) (Session, error) { return s, nil }}, &out, tea.WithInput(keyboard),
				tea.WithoutSignalHandler(), tea.WithWindowSize(120, 40), tea.WithEnvironment(colourful))
		}()
		_, _ = keys.Write([]byte("\r"))
		time.Sleep(time.Second) // the history is taken in
		runtime.GC()
		painted := out.Len()
		b.ReportMetric(flood5000(s, seconds)-alone, "%core")
		b.ReportMetric(alone, "%core-without")
		b.ReportMetric(float64(out.Len()-painted)/seconds, "written-B/s")
		time.Sleep(time.Second) // the last are taken in
		_, _ = keys.Write([]byte{3})
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		if want := fmt.Sprintf("received %d\n", keepMessages+floodRate*seconds); !strings.HasSuffix(out.String(), want) {
			b.Fatalf("%q does not end with %q", out.String()[max(out.Len()-80, 0):], want)
		}
		_ = keyboard.Close()
	}
}

// BenchmarkMemory tells what 100,000 messages and 10,000 moments cost.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r := long(b, 120, 40)
		_ = r.View()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB")
		runtime.KeepAlive(r)
	}
}

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

func TestNote(t *testing.T) {
	n := note{7, 1 << 40, 1_700_000_000_123_456_789}
	var text [textSize]byte
	n.write(&text)
	if got := readNote(text[:]); got != n {
		t.Errorf("%+v became %+v", n, got)
	}
	if got := readNote([]byte("hello")); got != (note{}) {
		t.Errorf("hello became %+v", got)
	}
}

// TestOurMessage: what is written without the schema's encoder is what that one writes.
func TestOurMessage(t *testing.T) {
	for _, size := range []int{0, 1, 100, 200, 20_000} {
		text := strings.Repeat("x", size)
		to := &msync.JID{Name: new("bob")}
		body, err := proto.Marshal(&msync.MessageBody{
			Type: msync.MessageBody_CHAT.Enum(), To: to, Contents: []*msync.MessageBody_Content{{Type: msync.MessageBody_Content_TEXT.Enum(), Text: &text}},
		})
		if err != nil {
			t.Fatal(err)
		}
		payload, err := proto.Marshal(&msync.CommSyncUL{Meta: &msync.Meta{Id: new(uint64(1 << 41)), To: to, Ns: msync.Meta_CHAT.Enum(), Payload: body}})
		if err != nil {
			t.Fatal(err)
		}
		want, err := proto.Marshal(&msync.MSync{Command: msync.MSync_SYNC.Enum(), Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		if got := (ourAdapter{}).message(nil, 1<<41, "bob", []byte(text)); !bytes.Equal(got, want) {
			t.Errorf("%d bytes of text:\n%x\nwant\n%x", size, got, want)
		}
	}
}

// TestOurAnswer: a message that the server refuses is not acknowledged.
func TestOurAnswer(t *testing.T) {
	for _, tt := range []struct {
		code msync.Status_ErrorCode
		acks uint64
	}{{msync.Status_OK, 1}, {msync.Status_FAIL, 0}} {
		payload, err := proto.Marshal(&msync.CommSyncDL{Status: &msync.Status{ErrorCode: tt.code.Enum()}, MetaId: new(uint64(1))})
		if err != nil {
			t.Fatal(err)
		}
		frame, err := proto.Marshal(&msync.MSync{Command: msync.MSync_SYNC.Enum(), Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		c := &talker{adapter: ourAdapter{}, socket: new(socket)}
		c.write(time.Now())
		c.adapter.receive(c.socket, frame, c)
		if c.acks.arrived != tt.acks {
			t.Errorf("%s acknowledged %d messages", tt.code, c.acks.arrived)
		}
	}
}

func TestLedger(t *testing.T) {
	var acks, inbox ledger
	for _, n := range []uint64{1, 2, 4, 3, 4, 7, 9, 0} {
		inbox.note(n, 8)
	}
	for _, n := range []uint64{1, 2, 3, 4, 5, 6, 8, 8, 9} {
		acks.note(n, 8)
	}
	var h harm
	h.add(8, &acks, &inbox)
	if want := (harm{Sent: 8, Lost: 3, Doubled: 1, Reordered: 1, Foreign: 2, Unacked: 1, Overacked: 2}); h != want {
		t.Errorf("%+v, want %+v", h, want)
	}
}

func TestSpread(t *testing.T) {
	if got := spreadOf([]float64{5, 1, 4}); got != (spread{4, 1, 5}) {
		t.Errorf("%+v", got)
	}
}

// TestConversation lets clients of every server talk, without processes of their own: nothing is lost, and all of it is acknowledged.
func TestConversation(t *testing.T) {
	for name, build := range servers {
		t.Run(name, func(t *testing.T) {
			s, err := build()
			if err != nil {
				t.Fatal(err)
			}
			var listeners [2]net.Listener
			for i := range listeners {
				if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
				defer listeners[i].Close()
			}
			go func() { _ = s.serve(listeners[0], listeners[1]) }() // ends with the listeners
			to := &target{name: name, adapter: adapters[name](), chat: listeners[0].Addr().String()}
			all, err := talkers(to, 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range all {
				c.until, c.answers = time.Now().Add(200*time.Millisecond), true
				for range 4 {
					c.write(time.Now())
				}
				c.flush()
			}
			time.Sleep(250 * time.Millisecond)
			f := settle(all, patience)
			if h := f.Harm; h.Sent < 24 || h.any() || len(f.Acked) != h.Sent || len(f.Delivered) != h.Sent {
				t.Errorf("%+v, %d acknowledged, %d delivered", h, len(f.Acked), len(f.Delivered))
			}
		})
	}
}

// TestWaitPrecisely: nothing is sent before it is due.
func TestWaitPrecisely(t *testing.T) {
	wait, done := waitPrecisely()
	defer done()
	for n := range 20 {
		until := time.Now().Add(time.Duration(n) * 20 * time.Microsecond)
		if wait(until); time.Now().Before(until) {
			t.Errorf("awake %s too early", time.Until(until))
		}
	}
}

// TestOrder: each server begins, and comes last, as often as the others.
func TestOrder(t *testing.T) {
	for run, want := range []string{"echo relay ttlchat", "relay ttlchat echo", "ttlchat echo relay", "echo relay ttlchat"} {
		if got := strings.Join(order(run), " "); got != want {
			t.Errorf("run %d has %s, want %s", run, got, want)
		}
	}
}

// TestOnly: what does not exist is not measured.
func TestOnly(t *testing.T) {
	if _, err := measure(1, time.Second, "rate,speed"); err == nil || !strings.Contains(err.Error(), `"speed"`) {
		t.Error(err)
	}
}

// TestDocument: what stands around the generated part stays.
func TestDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("before\n"+beginMark+"\noutdated\n"+endMark+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &report{runs: 2, servers: map[string]figures{
		"echo": {"w16": {100, 200}, "grown": {1, 2}}, "relay": {"w16": {50, 50}}, "ttlchat": {"w16": {90, 200}, "grown": {1.25, 2.4}},
	}, harm: map[string]*harm{"echo": {}, "relay": {}, "ttlchat": {Sent: 3}}}
	r.golang = parseBenchmarks("x", "BenchmarkMessageAmong/users=10-2 9 100 ns/op\nBenchmarkMessageAmong/users=10-2 9 200 ns/op\n"+
		"BenchmarkMessageAmong/users=10000-2 9 130 ns/op\nBenchmarkMessageAmong/users=10000-2 9 280 ns/op\n")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, want := range []string{"before\n", "after\n", "| 0.95 (0.90 to 1.00) | holds |", "| flat: ≤ 1.25 |  | 1.23 (1.20 to 1.25) | holds |",
		"| flat: ≤ 1.25 |  | 1.35 (1.30 to 1.40) | **missed** |", "| x MessageAmong/users=10 | 150 |", "| ttlchat | 3 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "KB per idle") {
		t.Error("there is a row of what was not measured")
	}
	if strings.Contains(text, "outdated") {
		t.Error("the old part is still there")
	}
	if plot, err := os.ReadFile(strings.TrimSuffix(path, ".md") + ".svg"); err != nil || !strings.HasPrefix(string(plot), "<svg") {
		t.Errorf("the plot is %.40q, %v", plot, err)
	}
}

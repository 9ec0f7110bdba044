package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNote(t *testing.T) {
	n := note{7, 1 << 40, 1_700_000_000_123_456_789}
	if got := readNote(n.text()); got != n || len(n.text()) != textSize {
		t.Errorf("%+v became %+v in %d bytes", n, got, len(n.text()))
	}
	if got := readNote([]byte("hello")); got != (note{}) {
		t.Errorf("hello became %+v", got)
	}
}

func TestLedger(t *testing.T) {
	var l ledger
	for _, n := range []uint64{1, 2, 4, 3, 4, 7} {
		l.note(n)
	}
	var h harm
	h.add(8, &l)
	if want := (harm{Sent: 8, Lost: 3, Doubled: 1, Reordered: 1}); h != want {
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
					c.write()
				}
				if err := c.socket.flush(); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(250 * time.Millisecond)
			f := settle(all)
			if h := f.Harm; h.Sent < 24 || h.Lost+h.Doubled+h.Reordered != 0 || len(f.Acked) != h.Sent || len(f.Delivered) != h.Sent {
				t.Errorf("%+v, %d acknowledged, %d delivered", h, len(f.Acked), len(f.Delivered))
			}
		})
	}
}

// TestDocument: what stands around the generated part stays.
func TestDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("before\n"+beginMark+"\noutdated\n"+endMark+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &report{runs: 2, servers: map[string]figures{
		"echo": {"w16": {100, 200}}, "relay": {"w16": {50, 50}}, "ttlchat": {"w16": {90, 200}},
	}, harm: map[string]*harm{"echo": {}, "relay": {}, "ttlchat": {Sent: 3}}}
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, want := range []string{"before\n", "after\n", "| 0.95 (0.90 to 1.00) | holds |", "| ttlchat | 3 | 0 | 0 | 0 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "outdated") {
		t.Error("the old part is still there")
	}
	if plot, err := os.ReadFile(strings.TrimSuffix(path, ".md") + ".svg"); err != nil || !strings.HasPrefix(string(plot), "<svg") {
		t.Errorf("the plot is %.40q, %v", plot, err)
	}
}

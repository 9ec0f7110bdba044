package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrameFields(t *testing.T) {
	tests := map[string][][2]string{
		"": nil,
		`PROVISION status=OK resource=web_1 token=007e…wQ== expires=1795`: {
			{"frame", `PROVISION status=OK resource=web_1 token=007e…wQ== expires=1795`},
			{"  status", "OK"}, {"  resource", "web_1"}, {"  token", "007e…wQ=="}, {"  expires", "1795"}, {"  words", "PROVISION"},
		},
		`SYNC down queue=echo metas=1 [7 chat echo txt "a = b ]"] x`: {
			{"frame", `SYNC down queue=echo metas=1 [7 chat echo txt "a = b ]"] x`},
			{"  queue", "echo"}, {"  metas", "1"}, {"  words", `SYNC down [7 chat echo txt "a = b ]"] x`},
		},
	}
	for line, want := range tests {
		if diff := cmp.Diff(want, frameFields(line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func FuzzFrameFields(f *testing.F) {
	f.Add(`UNREAD ts=1 queues=[echo:1, "x":2]`)
	f.Add(`"[=`)
	f.Fuzz(func(t *testing.T, line string) {
		n := 0
		for _, row := range frameFields(line)[min(len(frameFields(line)), 1):] {
			n += len(row[1])
		}
		if n > len(line) {
			t.Fatalf("%q has %d bytes in its fields", line, n)
		}
		if got := frameFields(line); len(got) > 0 && !strings.Contains(line, got[len(got)-1][1]) && !strings.Contains(line, "=") {
			t.Fatalf("%q becomes %q", line, got)
		}
	})
}

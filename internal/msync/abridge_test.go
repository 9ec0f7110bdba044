package msync

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// batchOf is a batch of that many texts.
func batchOf(t testing.TB, n int) []byte {
	t.Helper()
	body, err := proto.Marshal(TextBody("alice", "bob", strings.Repeat("hello ", 50)))
	if err != nil {
		t.Fatal(err)
	}
	meta, err := proto.Marshal(&Meta{Id: new(uint64(7)), From: NewJID("org#app", "alice", ""), Ns: Meta_CHAT.Enum(), Payload: body})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := proto.Marshal(NewJID("org#app", "alice", ""))
	if err != nil {
		t.Fatal(err)
	}
	metas := make([][]byte, n)
	for i := range metas {
		metas[i] = meta
	}
	return BatchFrame(queue, metas, 7)
}

func TestAbridge(t *testing.T) {
	for _, n := range []int{0, 1, 4, 5, 50} {
		raw := batchOf(t, n)
		short := Abridge(raw)
		if got, want := LineOf(Out, short), LineOf(Out, raw); got != want {
			t.Errorf("%d metas: abridged %s, in full %s", n, got, want)
		}
		if len(short) > 2<<10 {
			t.Errorf("%d metas: %d bytes of %d are left", n, len(short), len(raw))
		}
	}
}

// FuzzAbridge: whatever the frame, what is left of it renders the same, unless it is a client's frame that only looks like a batch.
func FuzzAbridge(f *testing.F) {
	f.Add(batchOf(f, 6))
	f.Add(batchOf(f, 0))
	f.Add([]byte{0x40, 0x00, 0x4a, 0x02, 0x22, 0x05})
	f.Add([]byte{0x0a})
	f.Fuzz(func(t *testing.T, frame []byte) {
		before, after := LineOf(Out, frame), LineOf(Out, Abridge(frame))
		if before != after && !strings.Contains(before, "malformed") {
			t.Errorf("%x: %s, abridged %s", frame, before, after)
		}
	})
}

func BenchmarkAbridge(b *testing.B) {
	raw := batchOf(b, 50)
	b.ReportAllocs()
	for b.Loop() {
		Abridge(raw)
	}
}

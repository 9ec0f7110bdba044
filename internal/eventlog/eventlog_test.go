package eventlog

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func number(entry *uint64, seq uint64) { *entry = seq }

func TestReadersSeeEverythingOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New[uint64](100)
		l.Append(number)
		r := l.Follow(0)
		var got []uint64
		done := make(chan error)
		go func() {
			for {
				entries, err := r.Next(t.Context())
				if err != nil {
					done <- err
					return
				}
				got = append(got, entries...)
			}
		}()
		synctest.Wait()
		l.Append(number)
		synctest.Wait()
		l.Append(number)
		l.Close()
		if l.Append(number) != 3 {
			t.Error("a closed log took an entry")
		}
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("err %v, want ErrClosed", err)
		}
		if diff := cmp.Diff([]uint64{1, 2, 3}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New[uint64](1).Follow(0).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("err %v, want canceled", err)
	}
}

// Whatever a reader is given plus what it is told it missed is always the whole stream.
func TestNothingIsLostInSilence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(page-2, 3*page+2)).Draw(t, "size")
		l := New[uint64](size)
		r := l.Follow(0)
		var seen, last uint64
		read := func() {
			entries, err := r.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) > size {
				t.Fatalf("%d entries from a ring of %d", len(entries), size)
			}
			for _, e := range entries {
				if e <= last {
					t.Fatalf("entry %d after %d", e, last)
				}
				last = e
			}
			seen += uint64(len(entries))
		}
		appended := uint64(0)
		for _, n := range rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 30), rapid.IntRange(1, 5*page)), 1, 20).Draw(t, "bursts") {
			for range n {
				appended = l.Append(number)
			}
			read()
		}
		if seen+r.Missed() != appended {
			t.Fatalf("saw %d, missed %d, of %d", seen, r.Missed(), appended)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	l := New[uint64](10_000)
	b.ReportAllocs()
	for b.Loop() {
		l.Append(number)
	}
}

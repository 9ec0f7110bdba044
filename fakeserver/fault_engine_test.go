package fakeserver

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fault adds a fault that must be a good one.
func (w *world) fault(f Fault) string {
	w.t.Helper()
	id, err := w.srv.AddFault(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// asked tells whether a fault on messages applies for a user now.
func (w *world) asked(user string) bool {
	return w.srv.faults.ask(question{target: FaultMessage, user: user}) != nil
}

var refusal1 = Fault{Target: FaultMessage, Kind: "status"}

func TestFaultCountAndUser(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		f := refusal1
		f.Count, f.User = 2, "alice"
		id := w.fault(f)
		var got []bool
		for _, user := range []string{"bob", "alice", "bob", "alice", "alice"} {
			got = append(got, w.asked(user))
		}
		if diff := cmp.Diff([]bool{false, true, false, true, false}, got); diff != "" {
			t.Errorf("applied (-want +got):\n%s", diff)
		}
		status := w.srv.Faults()
		if len(status) != 1 || status[0].Applied != 2 || status[0].Left() != 0 || !status[0].Active {
			t.Errorf("Faults = %+v", status)
		}
		if w.srv.faults.asking.Load() {
			t.Error("a fault that is used up still costs time")
		}
		e := w.srv.entries(FaultApplied)
		if len(e) != 2 || e[0].User != "alice" || *e[0].Fault != (FaultName{id, FaultMessage, "status"}) {
			t.Errorf("the journal has %+v", e)
		}
		if !w.srv.ClearFault(id) || w.srv.ClearFault(id) || w.srv.ClearFault("") || len(w.srv.Faults()) != 0 {
			t.Error("ClearFault")
		}
	})
}

func TestFaultWhen(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		later, event := refusal1, refusal1
		later.After, later.User = time.Minute, "alice"
		event.On, event.After, event.User = SessionWillExpire, time.Second, "bob"
		w.fault(later)
		w.fault(event)
		if w.asked("alice") || w.asked("bob") {
			t.Error("a fault applies too early")
		}
		time.Sleep(time.Minute - 1)
		if w.asked("alice") {
			t.Error("a fault applies before its offset")
		}
		time.Sleep(time.Nanosecond)
		if !w.asked("alice") {
			t.Error("a fault does not apply at its offset")
		}
		w.login("alice", "web")
		w.login("bob", "web")
		w.srv.JumpClock(800 * time.Second) // alice's event is none of bob's, but both come
		synctest.Wait()
		if w.asked("bob") {
			t.Error("a fault applies before its offset from the event")
		}
		w.srv.JumpClock(time.Second)
		if !w.asked("bob") {
			t.Error("a fault does not apply after its event")
		}
	})
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		f := refusal1
		f.On, f.User = SessionOpened, "bob"
		w.fault(f)
		w.login("alice", "web")
		if w.asked("bob") {
			t.Error("another user's event counts")
		}
		w.login("bob", "web")
		if !w.asked("bob") {
			t.Error("the user's event does not count")
		}
	})
}

// TestFaultProbability: the same seed draws the same, another one does not, and the share is about right.
func TestFaultProbability(t *testing.T) {
	draw := func(seed uint64) (got []bool, n int) {
		s := newServer(t, Config{})
		f := refusal1
		f.Probability, f.Seed = 0.3, seed
		if _, err := s.AddFault(f); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			hit := s.faults.ask(question{target: FaultMessage}) != nil
			got = append(got, hit)
			if hit {
				n++
			}
		}
		return got, n
	}
	one, n := draw(1)
	again, _ := draw(1)
	other, _ := draw(2)
	if !cmp.Equal(one, again) || cmp.Equal(one, other) || n < 250 || n > 350 {
		t.Errorf("equal %v, other seed equal %v, %d of 1000", cmp.Equal(one, again), cmp.Equal(one, other), n)
	}
}

func TestFaultBounds(t *testing.T) {
	s := newServer(t, Config{})
	for range maxFaults {
		if _, err := s.AddFault(refusal1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddFault(refusal1); !errors.Is(err, errFaultsFull) {
		t.Errorf("one too many: %v", err)
	}
	if n := s.ClearFaults(); n != maxFaults {
		t.Errorf("ClearFaults = %d", n)
	}
	once := refusal1
	once.Count, once.ID = 1, "f7"
	if _, err := s.AddFault(once); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddFault(once); err == nil {
		t.Error("an ID was given twice")
	}
	s.faults.ask(question{target: FaultMessage})
	for range maxFaults {
		if _, err := s.AddFault(refusal1); err != nil {
			t.Fatalf("a used up fault does not make room: %v", err)
		}
	}
	s.faults.stop()
	if _, err := s.AddFault(refusal1); !errors.Is(err, errStopped) {
		t.Errorf("after the end: %v", err)
	}
}

// TestFaultIDs: an ID that somebody chose is not given again.
func TestFaultIDs(t *testing.T) {
	s := newServer(t, Config{})
	chosen := refusal1
	chosen.ID = "f2"
	var ids []string
	for _, f := range []Fault{chosen, refusal1, refusal1, refusal1} {
		id, err := s.AddFault(f)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	seen := make(map[string]bool)
	for _, id := range ids {
		if id == "" || seen[id] {
			t.Errorf("the IDs are %v", ids)
		}
		seen[id] = true
	}
}

// TestFaultRace: asking, adding and clearing at once is safe, and a count is never exceeded.
func TestFaultRace(t *testing.T) {
	s := newServer(t, Config{})
	f := refusal1
	f.Count = 50
	if _, err := s.AddFault(f); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	applied := make([]int, 8)
	for i := range applied {
		all.Go(func() {
			for n := range 100 {
				if s.faults.ask(question{target: FaultMessage}) != nil {
					applied[i]++
				}
				id, _ := s.AddFault(Fault{ID: fmt.Sprintf("x%d.%d", i, n), Target: FaultREST, Kind: "refuse"})
				s.ClearFault(id)
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range applied {
		sum += n
	}
	if sum != 50 {
		t.Errorf("applied %d times, want 50", sum)
	}
}

func BenchmarkAskWithoutFaults(b *testing.B) {
	s := newServer(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		s.faults.ask(question{target: FaultMessage, user: "alice"})
	}
}

func BenchmarkAskWithFaults(b *testing.B) {
	s := newServer(b, Config{})
	for range 100 {
		if _, err := s.AddFault(Fault{Target: FaultMessage, Kind: "status", User: "bob"}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s.faults.ask(question{target: FaultMessage, user: "alice"})
	}
}

// Whoever watches hears of everything that becomes of the faults, and of the end of one whose time is over.
func TestFaultsChanged(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		next := w.srv.FaultsChanged()
		w.fault(Fault{Target: FaultLink, Kind: "freeze", Params: FaultParams{"for": "3s"}})
		<-next
		synctest.Wait()
		begun := time.Now()
		<-w.srv.FaultsChanged()
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("it lasted %s", took)
		}
		if list := w.srv.Faults(); len(list) != 1 || !list[0].Over || !list[0].Active {
			t.Errorf("afterwards there is %+v", list)
		}
		next = w.srv.FaultsChanged()
		w.srv.ClearFaults()
		<-next
	})
}

package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The busiest second is the one that a slow look at every second finds.
func TestBusiest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.IntRange(0, 50).Draw(t, "tenths")) * 100 * time.Millisecond
		}), 0, 30).Draw(t, "at")
		slices.Sort(at)
		want, from := 0, time.Duration(0)
		for i := range at {
			n := 0
			for _, other := range at[i:] {
				if other < at[i]+time.Second {
					n++
				}
			}
			if n > want {
				want, from = n, at[i]
			}
		}
		if n, when := busiest(at); n != want || when != from {
			t.Fatalf("%d from %v on, want %d from %v on", n, when, want, from)
		}
	})
}

// judged judges what is expected, written as in a file, by moments that were made up.
func judged(t *testing.T, expect string, e evidence, moments ...Moment) Check {
	t.Helper()
	s := parsed1(t, "name: n\nstory: s.\nusers: [alice, bob]\nuntil: 1T\nexpect:\n  "+expect+"\n")
	var line timeline
	for _, m := range moments {
		if m.Lane == "" {
			m.Lane = "alice"
		}
		line.add(m)
	}
	e.ttl, e.moments, e.index, e.over, e.now = s.TTL, line.moments, line.index, true, s.TTL
	return s.judge(e)[0]
}

// What narrows an event counts in events and in never alike: with it the event is not the one that is meant unless it fits.
func TestWhatNarrowsAnEvent(t *testing.T) {
	kicked := Moment{
		At: 2 * time.Second, Event: "kicked", Code: 206, Callback: "onLogout", Reason: "another device logged in", Why: "kicked",
		Left: 8 * time.Second, HasLife: true,
	}
	for _, tc := range []struct {
		narrow string
		fits   bool
	}{
		{"code: 206", true},
		{"code: 217", false},
		{"callback: onLogout", true},
		{"callback: onDisconnected", false},
		{"reason: another device", true},
		{"reason: an administrator", false},
		{"why: kicked", true},
		{"why: token_foreign", false},
		{"in: 0.1T..0.3T", true},
		{"in: 0.3T..", false},
		{"left: 7s..9s", true},
		{"left: ..7s", false},
	} {
		event := "[{event: kicked, " + tc.narrow + "}]"
		want, unwanted := Passed, Failed
		if !tc.fits {
			want, unwanted = Failed, Passed
		}
		if c := judged(t, "events: "+event, evidence{}, kicked); c.State != want {
			t.Errorf("events with %s: %s, want %s", tc.narrow, c.State, want)
		}
		if c := judged(t, "never: "+event, evidence{}, kicked); c.State != unwanted {
			t.Errorf("never with %s: %s, want %s", tc.narrow, c.State, unwanted)
		}
	}
}

// A window counts from the occurrence of its event that it names.
func TestWindowFromAnOccurrence(t *testing.T) {
	connected := func(at time.Duration) Moment { return Moment{At: at, Event: "connected"} }
	moments := []Moment{connected(time.Second), connected(3 * time.Second), connected(5 * time.Second), {At: 4 * time.Second, Event: "renew.succeeded"}}
	for window, want := range map[string]CheckState{
		"connected..connected+500ms": Failed, "connected#2..connected#2+2s": Passed, "connected#3..": Failed, "..connected#3": Passed, "connected#4..": Failed,
	} {
		if c := judged(t, "events: [{event: renew.succeeded, in: "+window+"}]", evidence{}, moments...); c.State != want {
			t.Errorf("%s: %s, want %s", window, c.State, want)
		}
	}
}

// A message that arrives twice is as wrong as one that does not arrive.
func TestArrivesExactlyOnce(t *testing.T) {
	hi := sent{"alice", "bob", "hi"}
	arrived := Moment{At: time.Second, Lane: "bob", Event: "message.received", from: "alice", to: "bob", message: "hi"}
	other := arrived
	other.message = "ho"
	for _, tc := range []struct {
		sent    []sent
		moments []Moment
		want    CheckState
	}{
		{[]sent{hi}, []Moment{arrived}, Passed},
		{[]sent{hi}, []Moment{arrived, other}, Passed}, // nobody asked for that one
		{[]sent{hi}, nil, Failed},
		{[]sent{hi}, []Moment{other}, Failed},
		{[]sent{hi}, []Moment{arrived, arrived}, Failed},
		{[]sent{hi, hi}, []Moment{arrived, arrived}, Passed},
		{[]sent{hi, hi}, []Moment{arrived}, Failed},
	} {
		if c := judged(t, "delivered: once", evidence{sent: tc.sent}, tc.moments...); c.State != tc.want {
			t.Errorf("%d sent, %d moments: %s (%s), want %s", len(tc.sent), len(tc.moments), c.State, c.Seen, tc.want)
		}
	}
}

// The state in which a foreign client ends is judged by whether it is online; only an SDK that outlives its token is left undecided.
func TestForeignFinal(t *testing.T) {
	up, down := Moment{Event: "connected"}, Moment{Event: "disconnected"}
	others := []Moment{{Lane: "bob", Event: "connected"}, {Lane: "bob", Event: "disconnected"}}
	for _, tc := range []struct {
		final   string
		moments []Moment
		want    CheckState
	}{
		{"online", []Moment{up}, Passed},
		{"online", []Moment{up, down, up}, Passed},
		{"online", []Moment{up, others[0], others[1]}, Passed},
		{"online", []Moment{up, down}, Failed},
		{"online", []Moment{others[0]}, Failed},
		{"online", nil, Failed},
		{"renewing", []Moment{up}, Passed},
		{"stopped", []Moment{up, down}, Passed},
		{"stopped", []Moment{up}, Failed},
		{"expired", []Moment{up, down}, Passed},
		{"expired", []Moment{up}, NotSeen},
	} {
		if c := judged(t, "final: "+tc.final, evidence{foreign: true}, tc.moments...); c.State != tc.want {
			t.Errorf("%s after %d moments: %s, want %s", tc.final, len(tc.moments), c.State, tc.want)
		}
	}
}

// How a foreign client reacts to what it was told is not known, so nothing but the code narrows its events.
func TestForeignEventsFit(t *testing.T) {
	kicked := Moment{At: time.Second, Event: "kicked", Code: 206}
	for narrow, want := range map[string]CheckState{"code: 206": Passed, "code: 217": Failed, "callback: onLogout": Passed, "reason: whatever": Passed} {
		if c := judged(t, "events: [{event: kicked, "+narrow+"}]", evidence{foreign: true}, kicked); c.State != want {
			t.Errorf("%s: %s, want %s", narrow, c.State, want)
		}
	}
}

// A life belongs to a device, and ends with the next one of that device.
func TestLives(t *testing.T) {
	t.Parallel()
	type life struct {
		lane    string
		from    int // in tenths of the life of a token
		until   int
		renewal bool
	}
	for _, tc := range []struct {
		name string
		want []life
	}{
		{"s01-happy-renew", []life{{"alice", 0, 8, false}, {"alice", 8, 15, true}}},
		{"s30-second-device", []life{{"alice@phone", 0, 8, false}, {"alice@phone", 8, 12, true}, {"alice@tablet", 0, 8, false}, {"alice@tablet", 8, 12, true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := Find(tc.name)
			if err != nil {
				t.Fatal(err)
			}
			r := inBubble(t, s, Options{TTL: time.Hour})
			tenths := func(d time.Duration) int { return int(d.Round(r.TTL/10) / (r.TTL / 10)) }
			var got []life
			for _, l := range r.Lives {
				got = append(got, life{l.Lane, tenths(l.From), tenths(l.Until), l.Renewal})
			}
			slices.SortStableFunc(got, func(a, b life) int { return strings.Compare(a.lane, b.lane) })
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(life{})); diff != "" {
				t.Errorf("lives (-want +got):\n%s", diff)
			}
		})
	}
}

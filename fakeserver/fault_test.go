package fakeserver

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFaultValidate(t *testing.T) {
	good := Fault{Target: FaultTokenServer, Kind: "delay"}
	with := func(change func(*Fault)) Fault {
		f := good
		change(&f)
		return f
	}
	for name, tt := range map[string]struct {
		fault Fault
		want  string // in the error, "" for none
	}{
		"good":                    {good, ""},
		"everything":              {Fault{"f", FaultTokenServer, "delay", FaultParams{"delay": "1s", "path": "/x"}, "alice", 3, 0.5, 7, SessionWillExpire, time.Minute}, ""},
		"no target":               {Fault{}, `there is no target ""; known: token-server, provision, link, rest, message, expiry`},
		"target":                  {Fault{Target: "moon", Kind: "x"}, `there is no target "moon"`},
		"kind":                    {Fault{Target: FaultExpiry, Kind: "x"}, `there is no fault "x" on expiry; known: close, refuse-sends`},
		"hostile kind":            {Fault{Target: FaultExpiry, Kind: "\x1b[2J"}, `there is no fault "" on expiry`},
		"parameter":               {with(func(f *Fault) { f.Params = FaultParams{"dely": "1s"} }), `token-server delay has no parameter "dely"; known: delay, path, method`},
		"no parameters":           {Fault{Target: FaultLink, Kind: "cut", Params: FaultParams{"x": "1"}}, `has no parameter "x"; it has none at all`},
		"duration":                {with(func(f *Fault) { f.Params = FaultParams{"delay": "4"} }), `delay "4": want a duration such as 4s`},
		"negative duration":       {with(func(f *Fault) { f.Params = FaultParams{"delay": "-1s"} }), `delay "-1s"`},
		"number":                  {Fault{Target: FaultREST, Kind: "status", Params: FaultParams{"status": "99"}}, `status "99": want a number from 200 to 599`},
		"choice":                  {Fault{Target: FaultProvision, Kind: "status", Params: FaultParams{"status": "NO"}}, `status "NO": want FAIL, OK, UNAUTHORIZED`},
		"boolean":                 {Fault{Target: FaultMessage, Kind: "no-answer", Params: FaultParams{"stored": "x"}}, `stored "x": want true or false`},
		"long text":               {with(func(f *Fault) { f.Params = FaultParams{"path": strings.Repeat("x", maxFaultText+1)} }), "path: want at most"},
		"user":                    {with(func(f *Fault) { f.User = "Alice" }), `user "Alice"`},
		"user of a refusal":       {Fault{Target: FaultLink, Kind: "refuse", User: "alice"}, "leave the user out"},
		"count":                   {with(func(f *Fault) { f.Count = -1 }), "count -1"},
		"probability":             {with(func(f *Fault) { f.Probability = 1.1 }), "probability 1.1"},
		"after":                   {with(func(f *Fault) { f.After = -1 }), "after -1ns"},
		"event":                   {with(func(f *Fault) { f.On = "frame.in" }), `there is no event "frame.in" to wait for; known: token.issued, session.opened`},
		"id":                      {with(func(f *Fault) { f.ID = "a b" }), `id "a b"`},
		"choice in a link":        {Fault{Target: FaultLink, Kind: "drop", Params: FaultParams{"direction": "in", "command": "unread"}}, ""},
		"negative expiry is fine": {Fault{Target: FaultProvision, Kind: "expiry", Params: FaultParams{"in": "-10s"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.fault.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFaultJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"target":"rest","kind":"status","params":{"status":503,"body":"x"},"count":1}`: "",
		`{"target":"rest","kind":"status","on":"session.will_expire","after":"2s"}`:      "",
		`{"target":"rest","kind":"status","tims":3}`:                                     `there is no field "tims"; known: id, target, kind, params, user, count, probability, seed, on, after`,
		`[]`:                                  "want a JSON object",
		`{"target":"rest","kind":["status"]}`: "kind: an array does not fit here",
		`{"target":"rest","kind":"status","after":3}`:              "after: a number does not fit here",
		`{"target":"rest","kind":"status","after":"3"}`:            `after: "3" is no duration`,
		`{"target":"rest","kind":"status","params":{"status":{}}}`: `params: "status" wants a text`,
		`{"target":"rest","kind":"status","params":[]}`:            "params: want an object",
		`{"target":"rest","kind":"status"} {}`:                     "invalid character", // said by encoding/json, before us
	} {
		var f Fault
		err := json.Unmarshal([]byte(text), &f)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// drawFault makes any valid fault.
func drawFault(t *rapid.T) Fault {
	kind := rapid.SampledFrom(FaultKinds()).Draw(t, "kind")
	f := Fault{
		Target: kind.Target, Kind: kind.Name, Count: rapid.IntRange(0, 5).Draw(t, "count"),
		Probability: rapid.SampledFrom([]float64{0, 0.25, 1}).Draw(t, "probability"), Seed: rapid.Uint64().Draw(t, "seed"),
		On: rapid.SampledFrom(append(FaultEvents(), "")).Draw(t, "on"), After: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "after")),
	}
	if kind.Target != FaultLink {
		f.User = rapid.SampledFrom([]string{"", "alice"}).Draw(t, "user")
	}
	for _, p := range kind.Params {
		if rapid.Bool().Draw(t, "give "+p.Name) {
			if f.Params == nil {
				f.Params = FaultParams{}
			}
			f.Params[p.Name] = p.Default
			if p.Type == "choice" {
				f.Params[p.Name] = rapid.SampledFrom(p.Choices).Draw(t, p.Name)
			}
		}
	}
	return f
}

// TestFaultJSONRoundTrip: what is written can be read and is the same; every default is valid.
func TestFaultJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFault(t)
		if err := f.Validate(); err != nil {
			t.Fatal(err)
		}
		status := FaultStatus{Fault: f, Active: rapid.Bool().Draw(t, "active"), Applied: rapid.IntRange(0, 3).Draw(t, "applied"), Over: rapid.Bool().Draw(t, "over")}
		b, err := json.Marshal(status)
		if err != nil {
			t.Fatal(err)
		}
		var back FaultStatus
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(status, back); diff != "" {
			t.Errorf("%s (-want +got):\n%s", b, diff)
		}
		var alone Fault
		if b, err = json.Marshal(f); err == nil {
			err = json.Unmarshal(b, &alone)
		}
		if diff := cmp.Diff(f, alone); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", b, err, diff)
		}
	})
}

// FuzzFaultJSON: whatever comes in is refused with a sentence, or is a fault that survives being written and read, and that AddFault judges.
func FuzzFaultJSON(f *testing.F) {
	f.Add([]byte(`{"target":"token-server","kind":"delay","params":{"delay":"4s"},"user":"alice","count":1}`))
	f.Add([]byte(`{"target":"link","kind":"cut-after","params":{"frames":3,"direction":"in"},"probability":0.5,"seed":7}`))
	f.Add([]byte(`{"target":"provision","kind":"status","params":{"reason":"\u001b[2J"},"on":"session.will_expire","after":"1h"}`))
	f.Add([]byte(`{"target":"moon","kind":null,"params":{"a":[1],"b":{}}}`))
	f.Add([]byte(`{"count":1e99}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var fault Fault
		if err := fault.UnmarshalJSON(data); err != nil {
			if strings.ContainsAny(err.Error(), "\x1b\n\x07") {
				t.Errorf("the error %q can act on a terminal", err)
			}
			return
		}
		b, err := json.Marshal(fault)
		if err != nil {
			t.Fatal(err)
		}
		var back Fault
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		s := newServer(t, Config{})
		id, err := s.AddFault(fault)
		if (err == nil) != (fault.Validate() == nil) || err == nil && id == "" {
			t.Errorf("AddFault = %q, %v; Validate = %v", id, err, fault.Validate())
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\n\x07") {
			t.Errorf("the error %q can act on a terminal", err)
		}
	})
}

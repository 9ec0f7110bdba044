package fakeserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// FaultTarget is the part of the emulator where a fault strikes.
type FaultTarget string

// The targets of faults.
const (
	FaultTokenServer FaultTarget = "token-server"
	FaultProvision   FaultTarget = "provision"
	FaultLink        FaultTarget = "link"
	FaultREST        FaultTarget = "rest"
	FaultMessage     FaultTarget = "message"
	FaultExpiry      FaultTarget = "expiry"
)

// Fault is something that goes wrong on demand. [FaultKinds] lists what there is.
type Fault struct {
	// ID is given by the emulator when it is empty.
	ID     string
	Target FaultTarget
	Kind   string
	// Params are the kind's parameters as text, such as {"delay": "4s", "status": "503"}. Those left out have their defaults.
	Params FaultParams
	// User limits the fault to one user; empty means everybody.
	User string
	// Count is how often the fault applies; 0 means until it is cleared.
	Count int
	// Probability is the chance that the fault applies when it could, above 0 and up to 1; 0 means always. Seed makes the draws the same in
	// every run.
	Probability float64
	Seed        uint64
	// On makes the fault wait for the first journal entry of that name (and of User, where there is one), such as [SessionWillExpire]. After
	// lets that much time of the emulator's clock pass first. Without both the fault is there at once.
	On    EntryName
	After time.Duration
}

// FaultParams are the parameters of a fault by their names.
type FaultParams map[string]string

// UnmarshalJSON implements json.Unmarshaler: numbers and booleans may stand without quotes.
func (p *FaultParams) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return errors.New(`params: want an object such as {"status": 503}`)
	}
	*p = make(FaultParams, len(raw))
	for name, value := range raw {
		text := string(value)
		switch {
		case len(value) > 0 && value[0] == '"':
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
		case len(value) > 0 && (value[0] == '{' || value[0] == '['), text == "null":
			return fmt.Errorf("params: %q wants a text, a number or true or false", printable.Line(name, 40))
		}
		(*p)[name] = text
	}
	return nil
}

// faultJSON is a fault as it is written down.
type faultJSON struct {
	ID          string      `json:"id,omitempty"`
	Target      FaultTarget `json:"target"`
	Kind        string      `json:"kind"`
	Params      FaultParams `json:"params,omitempty"`
	User        string      `json:"user,omitempty"`
	Count       int         `json:"count,omitempty"`
	Probability float64     `json:"probability,omitempty"`
	Seed        uint64      `json:"seed,omitempty"`
	On          EntryName   `json:"on,omitempty"`
	After       string      `json:"after,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (f Fault) MarshalJSON() ([]byte, error) { return json.Marshal(f.written()) }

func (f Fault) written() faultJSON {
	w := faultJSON{
		ID: f.ID, Target: f.Target, Kind: f.Kind, Params: f.Params, User: f.User, Count: f.Count, Probability: f.Probability, Seed: f.Seed, On: f.On,
	}
	if f.After != 0 {
		w.After = f.After.String()
	}
	return w
}

// UnmarshalJSON implements json.Unmarshaler. A field that a fault does not have is an error which names those that it has.
func (f *Fault) UnmarshalJSON(b []byte) error {
	var w faultJSON
	if err := decodeStrictly(b, &w); err != nil {
		return err
	}
	read, err := w.fault()
	if err != nil {
		return err
	}
	*f = read
	return nil
}

func (w faultJSON) fault() (Fault, error) {
	f := Fault{
		ID: w.ID, Target: w.Target, Kind: w.Kind, Params: w.Params, User: w.User, Count: w.Count, Probability: w.Probability, Seed: w.Seed, On: w.On,
	}
	if w.After != "" {
		var err error
		if f.After, err = time.ParseDuration(w.After); err != nil {
			return Fault{}, fmt.Errorf("after: %q is no duration; write one such as 10s or 5m", printable.Line(w.After, 40))
		}
	}
	return f, nil
}

// decodeStrictly reads one JSON object and nothing else; an unknown field is an error that names the known ones.
func decodeStrictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && len(bytes.TrimSpace(b[d.InputOffset():])) > 0 {
		return errors.New("there is something behind the JSON object")
	}
	if err != nil {
		if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return fmt.Errorf("there is no field %s; known: %s", printable.Line(field, 60), strings.Join(fieldNames(into), ", "))
		}
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			if wrong.Field == "" {
				return errors.New("want a JSON object")
			}
			article := "a"
			if strings.HasPrefix(wrong.Value, "array") || strings.HasPrefix(wrong.Value, "object") {
				article = "an"
			}
			return fmt.Errorf("%s: %s %s does not fit here", printable.Line(wrong.Field, 60), article, wrong.Value)
		}
		return fmt.Errorf("this is not the JSON that is wanted: %s", printable.Line(err.Error(), 200))
	}
	return nil
}

var faultID = userName

// Validate says what is wrong with a fault, and what would be right. Nil means that [Server.AddFault] takes it.
func (f Fault) Validate() error {
	_, _, err := f.check()
	return err
}

// check returns the fault's kind and its parameters as they will be used.
func (f Fault) check() (*faultKind, faultValues, error) {
	kind, err := findFaultKind(f.Target, f.Kind)
	if err != nil {
		return nil, nil, err
	}
	values, err := kind.values(f.Params)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case f.ID != "" && !faultID.MatchString(f.ID):
		err = fmt.Errorf("id %q: want 1 to 64 of a-z, 0-9, . _ -, or none", printable.Line(f.ID, 64))
	case f.User != "" && !userName.MatchString(f.User):
		err = fmt.Errorf("user %q: want 1 to 64 of a-z, 0-9, . _ -", printable.Line(f.User, 64))
	case f.User != "" && kind.anonymous:
		err = fmt.Errorf("%s %s strikes before anybody knows whose connection it is; leave the user out", f.Target, f.Kind)
	case f.Count < 0:
		err = fmt.Errorf("count %d: want 1 or more, or 0 for until it is cleared", f.Count)
	case !(f.Probability >= 0 && f.Probability <= 1): // not a number fails here, too
		err = fmt.Errorf("probability %v: want above 0 and at most 1, or 0 for always", f.Probability)
	case f.After < 0:
		err = fmt.Errorf("after %v: want 0 or more", f.After)
	case f.On != "" && !slices.Contains(FaultEvents(), f.On):
		err = fmt.Errorf("there is no event %q to wait for; known: %s", printable.Line(string(f.On), 60), joined(FaultEvents()))
	}
	return kind, values, err
}

// FaultEvents lists the journal entries that a fault can wait for.
func FaultEvents() []EntryName {
	return []EntryName{
		TokenIssued, SessionOpened, SessionRefused, SessionRenewed, SessionWillExpire, SessionExpired, SessionClosed,
		MessageStored, MessageDelivered, RESTRequest,
	}
}

func joined[S ~string](names []S) string {
	var text []string
	for _, n := range names {
		text = append(text, string(n))
	}
	return strings.Join(text, ", ")
}

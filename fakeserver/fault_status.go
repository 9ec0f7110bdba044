package fakeserver

import "encoding/json"

// FaultStatus is a fault with what has become of it.
type FaultStatus struct {
	Fault
	// Active tells whether the fault is there by now, and not waiting for its event or its offset.
	Active bool
	// Applied is how often it has applied.
	Applied int
	// Over tells that it will not apply again: it has as often as it was to, or its time is over.
	Over bool
}

// Left returns how often the fault will still apply, or -1 when only clearing ends it.
func (s FaultStatus) Left() int {
	if s.Count == 0 {
		return -1
	}
	return s.Count - s.Applied
}

type faultStatusJSON struct {
	faultJSON
	Active  bool `json:"active"`
	Applied int  `json:"applied"`
	Over    bool `json:"over"`
	Left    *int `json:"left,omitempty"`
}

// MarshalJSON implements json.Marshaler: the fields of the fault and active, applied, over and left, which is absent without a count.
func (s FaultStatus) MarshalJSON() ([]byte, error) {
	w := faultStatusJSON{faultJSON: s.written(), Active: s.Active, Applied: s.Applied, Over: s.Over}
	if s.Count > 0 {
		w.Left = new(s.Left())
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *FaultStatus) UnmarshalJSON(b []byte) error {
	var w faultStatusJSON
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	f, err := w.fault()
	*s = FaultStatus{Fault: f, Active: w.Active, Applied: w.Applied, Over: w.Over}
	return err
}

// status lists what is known, in the order it was added.
func (e *faults) status() []FaultStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ripen()
	list := []FaultStatus{} // none is an empty list in JSON, not null
	for _, f := range e.list {
		list = append(list, FaultStatus{Fault: f.Fault, Active: !f.since.IsZero(), Applied: f.applied, Over: f.usedUp()})
	}
	return list
}

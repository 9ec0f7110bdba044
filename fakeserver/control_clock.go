package fakeserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// ClockChange is what PUT clock takes; what is nil or zero stays as it is. The offset is set first, then the jump is made, then the clock is
// stopped or let go.
type ClockChange struct {
	Offset *time.Duration
	Jump   time.Duration
	Freeze *bool
}

type clockChangeJSON struct {
	Offset *string `json:"offset,omitempty"`
	Jump   *string `json:"jump,omitempty"`
	Freeze *bool   `json:"freeze,omitempty"`
}

// MarshalJSON implements json.Marshaler; durations are texts such as 10m0s.
func (c ClockChange) MarshalJSON() ([]byte, error) {
	w := clockChangeJSON{Freeze: c.Freeze}
	if c.Offset != nil {
		w.Offset = new(c.Offset.String())
	}
	if c.Jump != 0 {
		w.Jump = new(c.Jump.String())
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements json.Unmarshaler. A field that there is not is an error which names those that there are.
func (c *ClockChange) UnmarshalJSON(b []byte) error {
	var w clockChangeJSON
	if err := decodeStrictly(b, &w); err != nil {
		return err
	}
	*c = ClockChange{Freeze: w.Freeze}
	if w.Offset != nil {
		d, err := clockDuration("offset", *w.Offset)
		if err != nil {
			return err
		}
		c.Offset = &d
	}
	if w.Jump != nil {
		var err error
		if c.Jump, err = clockDuration("jump", *w.Jump); err != nil {
			return err
		}
	}
	return nil
}

// Validate says what is wrong with a change of the clock, and what would be right.
func (c ClockChange) Validate() error {
	if _, err := clockDuration("jump", c.Jump.String()); err != nil {
		return err
	}
	if c.Offset == nil {
		return nil
	}
	_, err := clockDuration("offset", c.Offset.String())
	return err
}

// maxClockMove bounds what one call may do to the clock.
const maxClockMove = 10 * 365 * 24 * time.Hour

func clockDuration(field, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d.Abs() > maxClockMove {
		return 0, fmt.Errorf("%s: %q is no duration; write one such as 10m or -24h, of at most ten years", field, printable.Line(text, 40))
	}
	return d, nil
}

type clockStateJSON struct {
	Now    time.Time `json:"now"`
	Offset string    `json:"offset"`
	Frozen bool      `json:"frozen"`
}

// MarshalJSON implements json.Marshaler; the offset is a text such as 10m0s.
func (c ClockState) MarshalJSON() ([]byte, error) {
	return json.Marshal(clockStateJSON{c.Now, c.Offset.String(), c.Frozen})
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ClockState) UnmarshalJSON(b []byte) error {
	var w clockStateJSON
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	d, err := time.ParseDuration(w.Offset)
	*c = ClockState{w.Now, d, w.Frozen}
	return err
}

func (s *Server) getClock(http.ResponseWriter, *http.Request) (any, error) {
	return s.ClockState(), nil
}

func (s *Server) putClock(_ http.ResponseWriter, r *http.Request) (any, error) {
	var c ClockChange
	if err := decodeControl(r, &c); err != nil {
		return nil, err
	}
	if c == (ClockChange{}) {
		return nil, errors.New("nothing is to change; known: offset, jump, freeze")
	}
	if c.Offset != nil {
		s.SetClockOffset(*c.Offset)
	}
	if c.Jump != 0 {
		s.JumpClock(c.Jump)
	}
	if c.Freeze != nil {
		s.FreezeClock(*c.Freeze)
	}
	return s.ClockState(), nil
}

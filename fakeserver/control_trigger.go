package fakeserver

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// TriggerRequest is what POST trigger/{event} takes.
type TriggerRequest struct {
	// User is whom it is for; empty means everybody.
	User string `json:"user,omitempty"`
	// Code is for a kick, one of [KickCodes]; 0 means 206.
	Code int `json:"code,omitempty"`
	// Reason is for a kick; SDKs show it with 206.
	Reason string `json:"reason,omitempty"`
}

// Triggered is the answer of POST trigger/{event}.
type Triggered struct {
	Event string `json:"event"`
	User  string `json:"user,omitempty"`
	// Connections is how many it reached.
	Connections int `json:"connections"`
}

// trigger is one event that can be asked for.
type trigger struct {
	name    string
	happens func(*Server, TriggerRequest) int
}

var triggers = []trigger{
	{"will-expire", func(s *Server, t TriggerRequest) int { return s.TriggerWillExpire(t.User) }},
	{"expire", func(s *Server, t TriggerRequest) int { return s.TriggerExpire(t.User) }},
	{"kick", func(s *Server, t TriggerRequest) int { return s.Kick(t.User, cmp.Or(t.Code, defaultKick), t.Reason) }},
	{"cut", func(s *Server, t TriggerRequest) int { return s.CutUser(t.User) }},
	{"revoke", func(s *Server, t TriggerRequest) int { return s.Revoke(t.User) }},
}

// TriggerEvents lists what can be triggered.
func TriggerEvents() []string {
	var names []string
	for _, t := range triggers {
		names = append(names, t.name)
	}
	return names
}

// Validate says what is wrong with a request to trigger an event, and what would be right.
func (t TriggerRequest) Validate(event string) error {
	switch {
	case !slices.Contains(TriggerEvents(), event):
		return controlError(http.StatusNotFound, "there is no event %q to trigger; known: %s", printable.Line(event, 40), strings.Join(TriggerEvents(), ", "))
	case t.User != "" && !userName.MatchString(t.User):
		return fmt.Errorf("user %q: want 1 to 64 of a-z, 0-9, . _ -, or none for everybody", printable.Line(t.User, 64))
	case event != "kick" && (t.Code != 0 || t.Reason != ""):
		return fmt.Errorf("code and reason are for kick, not for %s", event)
	case t.Code != 0 && !slices.Contains(KickCodes(), t.Code):
		return fmt.Errorf("code %d: want one of %v", t.Code, KickCodes())
	case len(t.Reason) > maxKickReason:
		return fmt.Errorf("reason: want at most %d bytes", maxKickReason)
	}
	return nil
}

// maxKickReason bounds the reason of a kick in bytes.
const maxKickReason = 1 << 10

// defaultKick is another device that logged in.
const defaultKick = 206

func (s *Server) postTrigger(_ http.ResponseWriter, r *http.Request) (any, error) {
	var t TriggerRequest
	event := r.PathValue("event")
	if err := decodeControl(r, &t); err != nil {
		return nil, err
	}
	if err := t.Validate(event); err != nil {
		return nil, err
	}
	if event == "kick" && t.Code == 0 {
		t.Code = defaultKick
	}
	s.journal.add(&Entry{Name: ControlTriggered, User: t.User, Code: t.Code, Reason: event})
	n, err := s.Trigger(event, t)
	return Triggered{Event: event, User: t.User, Connections: n}, err
}

// Trigger makes one of [TriggerEvents] happen, as POST trigger/{event} does, and returns how many connections it reached. It fails for what
// [TriggerRequest.Validate] refuses.
func (s *Server) Trigger(event string, t TriggerRequest) (connections int, err error) {
	if err := t.Validate(event); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(triggers, func(t trigger) bool { return t.name == event })
	return triggers[i].happens(s, t), nil
}

package fakeserver

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// maxStateUsers is how many users a State describes.
const maxStateUsers = 1000

// State is what the emulator knows at one instant.
type State struct {
	// Now is the emulator's time.
	Now   time.Time  `json:"now"`
	Clock ClockState `json:"clock"`
	App   string     `json:"app_key"`
	// EnforceExpiry is what the configuration says; a fault can add to it.
	EnforceExpiry Enforcement `json:"enforce_expiry"`
	// Users are in the order of their names, at most 1,000; UsersLeftOff counts the others.
	Users        []UserState   `json:"users"`
	UsersLeftOff int           `json:"users_left_off"`
	Faults       []FaultStatus `json:"faults"`
	// LastEntry is the number of the newest journal entry.
	LastEntry uint64 `json:"last_entry"`
}

// ClockState is how the emulator's clock stands to the machine's.
type ClockState struct {
	Now    time.Time
	Offset time.Duration
	Frozen bool
}

// UserState is an account.
type UserState struct {
	Name        string        `json:"name"`
	UUID        string        `json:"uuid"`
	Deactivated bool          `json:"deactivated"`
	Devices     []DeviceState `json:"devices"`
	Queues      []QueueState  `json:"queues"`
}

// DeviceState is a device that has been logged in. Session is nil while it is offline.
type DeviceState struct {
	Resource string        `json:"resource"`
	Session  *SessionState `json:"session,omitempty"`
}

// SessionState is an open connection with the facts of the token that it lives on.
type SessionState struct {
	ID string `json:"id"`
	// Token is a short form.
	Token        string    `json:"token"`
	AcceptedAt   time.Time `json:"accepted_at"`
	WillExpireAt time.Time `json:"will_expire_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	Expired      bool      `json:"expired"`
}

// QueueState is what waits for a user from one peer.
type QueueState struct {
	Peer string `json:"peer"`
	// Waiting counts the messages that some known device has not confirmed.
	Waiting int `json:"waiting"`
}

// State describes everything at this instant.
func (s *Server) State() State {
	state := State{
		Now: s.Now(), Clock: s.ClockState(), App: s.cfg.appKey(), EnforceExpiry: s.cfg.EnforceExpiry, Faults: s.faults.status(),
		LastEntry: s.journal.log.Last(),
	}
	var links map[*SessionState]*link
	state.Users, state.UsersLeftOff, links = s.hub.state()
	for session, l := range links { // the schedule's lock is never taken inside the hub's
		g := s.schedule.grantOf(l)
		*session = SessionState{
			ID: l.id, Token: g.short, AcceptedAt: g.acceptedAt, WillExpireAt: g.willExpireAt(), ExpiresAt: g.expiresAt,
			Expired: !state.Now.Before(g.expiresAt),
		}
	}
	return state
}

// ClockState tells the emulator's time.
func (s *Server) ClockState() ClockState {
	return ClockState{Now: s.clock.Now(), Offset: s.clock.Offset(), Frozen: s.clock.Frozen()}
}

// state describes the users. The sessions are left empty, with the links that they belong to.
func (h *hub) state() (users []UserState, leftOff int, links map[*SessionState]*link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := slices.Sorted(maps.Keys(h.users))
	leftOff = max(len(names)-maxStateUsers, 0)
	users, links = []UserState{}, make(map[*SessionState]*link)
	for _, name := range names[:len(names)-leftOff] {
		u := h.users[name]
		state := UserState{Name: name, UUID: u.uuid, Deactivated: u.deactivated, Devices: []DeviceState{}, Queues: []QueueState{}}
		for _, known := range slices.SortedFunc(slices.Values(u.devices), func(a, b *device) int { return cmp.Compare(a.resource, b.resource) }) {
			d := DeviceState{Resource: known.resource}
			if l := known.link; l != nil && !l.closing.Load() {
				d.Session = new(SessionState)
				links[d.Session] = l
			}
			state.Devices = append(state.Devices, d)
		}
		for peer, q := range u.queues {
			if len(q.entries) > 0 {
				state.Queues = append(state.Queues, QueueState{Peer: peer, Waiting: len(q.entries)})
			}
		}
		slices.SortFunc(state.Queues, func(a, b QueueState) int { return cmp.Compare(a.Peer, b.Peer) })
		users = append(users, state)
	}
	return users, leftOff, links
}

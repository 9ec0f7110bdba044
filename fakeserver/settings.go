package fakeserver

import "time"

// Bounds of what one user may keep.
const (
	maxAttributes    = 2 << 10 // bytes of all user attributes together
	maxPresenceText  = 64      // bytes
	maxSubscriptions = 3000
	maxBlocked       = 500
	maxSilenced      = 500
)

// settings is what a user's apps keep at the service. Its maps are made when they are needed. The hub's mu guards it.
type settings struct {
	attributes map[string]string
	blocked    map[string]bool
	presence   string               // the text that the user publishes
	watched    map[string]time.Time // whose presence the user subscribed to, and until when
	silence    silence              // for everything
	silenced   map[string]silence   // for conversations, by kind and name
	language   string               // of push notifications
}

// settings are what the user's apps have kept so far. The hub's mu is held.
func (u *user) settings() settings {
	if u.kept == nil {
		return settings{}
	}
	return *u.kept
}

// change is where the user's settings are changed. The hub's mu is held.
func (u *user) change() *settings {
	if u.kept == nil {
		u.kept = new(settings)
	}
	return u.kept
}

// silence says which push notifications are wanted. The emulator sends none; it only keeps the wish (silentModeApi of the SDK).
type silence struct {
	Type           string `json:"type,omitempty"`
	IgnoreInterval string `json:"ignoreInterval,omitempty"` // such as "22:30-7:00"
	IgnoreDuration int64  `json:"ignoreDuration,omitempty"` // the end of it, Unix ms
}

// put sets a key of a map that may not be there yet.
func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	(*m)[key] = value
}

package fakeserver

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// revocations knows which 007 tokens were revoked. A token tells the second of its issue, so whatever is older than the revocation is void.
// Within the very second only those tokens are that the emulator knows to be older, because a fresh one may come in the same second.
type revocations struct {
	some atomic.Bool // whether there is any
	mu   sync.Mutex
	by   map[string]revocation // by the user's name
}

type revocation struct {
	second time.Time
	tokens map[[32]byte]bool
}

// covers reports whether a user's token was revoked.
func (r *revocations) covers(user string, a agoratoken.Admission) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.by[user]
	return ok && (a.IssuedAt.Before(v.second) || v.tokens[a.ID])
}

func (r *revocations) add(user string, v revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = make(map[string]revocation)
	}
	r.by[user] = v
	r.some.Store(true)
}

func (r *revocations) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by = nil
	r.some.Store(false)
}

// Revoke makes every token void that a user has got until now: 007 tokens, and Chat tokens from an exchange or a password. An empty user means
// everybody who exists. Open connections stay, because nothing shows that the service cuts them; it returns how many of them live on a void
// token now. A renewal or a reconnect with it is refused as a wrong token is.
func (s *Server) Revoke(name string) int {
	names := []string{name}
	if name == "" {
		names = s.hub.names()
	}
	n := 0
	for _, name := range names {
		v := revocation{second: s.clock.Now().Truncate(time.Second), tokens: make(map[[32]byte]bool)}
		for _, l := range s.hub.links(name) {
			n++
			v.tokens[s.schedule.grantOf(l).id] = true
		}
		if last := s.handedOut.lastOf(name); last != "" {
			if read, err := agoratoken.Read(last); err == nil {
				v.tokens[read.ID()] = true
			}
		}
		s.revoked.add(name, v)
		s.hub.with(name, func(u *user) { u.voidBefore = s.chatTokens.serial.Load() + 1 })
		s.journal.add(&Entry{Name: TokenRevoked, User: name})
	}
	return n
}

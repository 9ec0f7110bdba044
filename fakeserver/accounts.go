package fakeserver

import (
	"errors"
	"slices"
)

// nameOf turns an identity, a user name or a UUID, into the user name; an identity of nobody stays what it is.
func (h *hub) nameOf(identity string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if u := h.byUUID[identity]; u != nil && h.users[identity] == nil {
		return u.name
	}
	return identity
}

var errUserExists = errors.New("user exists")

// register makes an account on an admin's or a user's own request.
func (h *hub) register(name, password, nickname string) (userEntity, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[name] != nil {
		return userEntity{}, errUserExists
	}
	if len(h.users) >= maxUsers {
		return userEntity{}, errTooMany
	}
	return h.add(name, password, nickname).entity(), nil
}

// find returns what REST says about a user.
func (h *hub) find(name string) (e userEntity, online, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	if u == nil {
		return userEntity{}, false, false
	}
	return u.entity(), len(u.online()) > 0, true
}

// voided reports whether a Chat token is older than its user's password.
func (h *hub) voided(g grant) bool {
	if g.app {
		return false
	}
	name := h.nameOf(g.identity)
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	return u != nil && g.serial < u.voidBefore
}

// with runs f on a user, with mu held; false means that there is no such user.
func (h *hub) with(name string, f func(*user)) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	if u == nil {
		return false
	}
	f(u)
	return true
}

// list returns up to limit users in the order of their names, from the one after cursor.
func (h *hub) list(cursor string, limit int) []userEntity {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name := range h.users {
		if name > cursor {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	list := []userEntity{} // nobody is an empty list in JSON, not null
	for _, name := range names[:min(limit, len(names))] {
		list = append(list, h.users[name].entity())
	}
	return list
}

// remove deletes an account and returns its open links, which the caller kicks.
func (h *hub) remove(name string) (e userEntity, links []*link, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	if u == nil {
		return userEntity{}, nil, false
	}
	delete(h.users, name)
	delete(h.byUUID, u.uuid)
	h.past.forget(name)
	h.empty(u)
	return u.entity(), u.online(), true
}

// checkPassword reports whether the user exists and whether the password is right; an account without one has no right password.
func (h *hub) checkPassword(name, password string) (exists, right bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[name]
	if u == nil {
		return false, false
	}
	return true, u.password != "" && u.password == password
}

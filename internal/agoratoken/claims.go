package agoratoken

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// MaxLife is how long the chat service lets any token live, whatever the token says (reference/token-lifecycle.md 7).
const MaxLife = 24 * time.Hour

// The service types and privileges that this package decides about.
const (
	ServiceRTC     uint16 = 1
	ServiceRTM     uint16 = 2
	ServiceChat    uint16 = 5
	ServiceRTM2    uint16 = 8
	PrivilegeEnter uint16 = 1 // of rtc and rtm: join the channel, log in
	PrivilegeUser  uint16 = 1 // of the chat service: act as the user
	PrivilegeApp   uint16 = 2 // of the chat service: call the REST API
)

// Claims is what a token says. All times are in seconds; a token's life is a duration, not a date.
type Claims struct {
	AppID    string
	IssuedAt uint32 // since 1970
	Expire   uint32 // the life of the token
	Salt     uint32
	Services []Service
}

// Service is one product that a token is for, with the user and the channel (or room) that it names, if any.
type Service struct {
	Type        uint16
	Name        string
	Privileges  []Privilege
	User        string
	Channel     string
	Role        *int16       // of apaas alone
	Permissions []Permission // of rtm2 alone
}

// Permission says what a user of RTM2 may do with which resources.
type Permission struct {
	Resource string // what kind of thing, such as "stream channels"
	Right    string // "read" or "write"
	Names    []string
}

// Privilege is one right within a service. Expire is its life in seconds from the token's issue.
type Privilege struct {
	ID     uint16
	Name   string
	Expire uint32
}

// Chat is what a token says about the chat service.
type Chat struct {
	User          string
	UserPrivilege bool
	AppPrivilege  bool
	Lifetime      time.Duration // the smallest of the token's and the privileges' lives, not capped at MaxLife
}

// Chat returns what the token says about chat. The error is of kind no_chat_service unless there is exactly one chat service: with two
// of them nobody could tell which user is meant.
func (c Claims) Chat() (Chat, error) {
	var chat Chat
	found := 0
	for _, s := range c.Services {
		if s.Type != ServiceChat {
			continue
		}
		found++
		chat.User = s.User
		for _, p := range s.Privileges {
			chat.UserPrivilege = chat.UserPrivilege || p.ID == PrivilegeUser
			chat.AppPrivilege = chat.AppPrivilege || p.ID == PrivilegeApp
		}
	}
	if found != 1 {
		return Chat{}, fail(KindNoChatService, "the token has %d chat services where one is needed; build it with the chat token builder", found)
	}
	chat.Lifetime = time.Duration(c.Life(ServiceChat)) * time.Second
	return chat, nil
}

// Life returns for how many seconds from its issue the token is good for a type of service: the smallest of its own life and those of the
// privileges that the service needs. Outside chat a privilege of 0 seconds lives as long as the token; it is the default of
// npm agora-token.
func (c Claims) Life(service uint16) int64 {
	life := c.Expire
	for _, s := range c.Services {
		if s.Type != service {
			continue
		}
		for _, p := range s.Privileges {
			switch {
			case service == ServiceChat && (p.ID == PrivilegeUser || p.ID == PrivilegeApp):
				life = min(life, p.Expire)
			case service != ServiceChat && p.ID == PrivilegeEnter && p.Expire != 0:
				life = min(life, p.Expire)
			}
		}
	}
	return int64(life)
}

// Expiry returns the second since 1970 from which the token is worthless: the token's life, the life of its chat privileges and MaxLife
// all end it.
func (c Claims) Expiry() int64 {
	return int64(c.IssuedAt) + min(c.Life(ServiceChat), int64(MaxLife/time.Second))
}

// Moment prints a second since 1970 absolutely, in UTC, and relative to now.
func Moment(second int64, now time.Time) string {
	at := time.Unix(second, 0)
	relative := "now"
	if d := second - now.Unix(); d > 0 {
		relative = "in " + Span(d)
	} else if d < 0 {
		relative = Span(-d) + " ago"
	}
	return at.UTC().Format("2006-01-02 15:04:05 MST") + " (" + relative + ")"
}

// Span prints a number of seconds as a person says it, without parts that are zero, and from three days on in whole days.
func Span(n int64) string {
	if days := n / 86_400; days >= 3 {
		return strconv.FormatInt(days, 10) + " days"
	}
	var parts []string
	for _, unit := range []struct {
		seconds int64
		name    string
	}{{3600, " h"}, {60, " min"}, {1, " s"}} {
		if count := n / unit.seconds; count > 0 {
			parts = append(parts, strconv.FormatInt(count, 10)+unit.name)
			n -= count * unit.seconds
		}
	}
	return cmp.Or(strings.Join(parts, " "), "0 s")
}

package agoratoken

import (
	"fmt"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// MaxLife is how long the chat service lets any token live, whatever the token says (reference/token-lifecycle.md 7).
const MaxLife = 24 * time.Hour

// The service types and privileges that this package decides about.
const (
	ServiceChat   uint16 = 5
	PrivilegeUser uint16 = 1 // of the chat service: act as the user
	PrivilegeApp  uint16 = 2 // of the chat service: call the REST API
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
	Type       uint16
	Name       string
	Privileges []Privilege
	User       string
	Channel    string
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
	chat.Lifetime = time.Duration(c.life()) * time.Second
	return chat, nil
}

// life returns the smallest of the token's and the chat privileges' lives in seconds.
func (c Claims) life() int64 {
	life := c.Expire
	for _, s := range c.Services {
		if s.Type != ServiceChat {
			continue
		}
		for _, p := range s.Privileges {
			if p.ID == PrivilegeUser || p.ID == PrivilegeApp {
				life = min(life, p.Expire)
			}
		}
	}
	return int64(life)
}

// Expiry returns the second since 1970 from which the token is worthless: the token's life, the life of its chat privileges and MaxLife
// all end it.
func (c Claims) Expiry() int64 {
	return int64(c.IssuedAt) + min(c.life(), int64(MaxLife/time.Second))
}

// Describe returns the claims as several lines for a person, seen from the given time. It is safe on a terminal.
func (c Claims) Describe(now time.Time) string {
	var b strings.Builder
	line := func(label, value string) { fmt.Fprintf(&b, "%-10s %s\n", label, value) }
	line("app id", printable.Line(c.AppID, 64))
	line("issued", moment(int64(c.IssuedAt), now))
	line("life", seconds(int64(c.Expire)))
	for _, s := range c.Services {
		line("service", s.Name)
		if s.Channel != "" {
			line("  channel", printable.Line(s.Channel, 64))
		}
		if s.User != "" {
			line("  user", printable.Line(s.User, 64))
		}
		for _, p := range s.Privileges {
			line("  may", p.Name+" for "+seconds(int64(p.Expire)))
		}
	}
	line("expires", moment(c.Expiry(), now))
	if c.life() > int64(MaxLife/time.Second) {
		line("note", "a life over 24 hours is capped or refused by the service")
	}
	return b.String()
}

// moment prints a second since 1970 absolutely and relative to now.
func moment(second int64, now time.Time) string {
	at := time.Unix(second, 0)
	relative := "now"
	if d := second - now.Unix(); d > 0 {
		relative = "in " + seconds(d)
	} else if d < 0 {
		relative = seconds(-d) + " ago"
	}
	return at.UTC().Format("2006-01-02 15:04:05 MST") + " (" + relative + ")"
}

func seconds(n int64) string { return (time.Duration(n) * time.Second).String() }

package fakeserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// silenceKey is a conversation in a user's settings; kind is "user" or "chatgroup".
func silenceKey(kind, name string) string { return kind + "/" + name }

// silenceOf returns the setting for a conversation, or for everything when the user asks about itself. mu is held.
func (u *user) silenceOf(kind, name string) silence {
	if kind == "user" && name == u.name {
		return silence{
			Type: orAll(u.settings().silence.Type), IgnoreInterval: u.settings().silence.IgnoreInterval,
			IgnoreDuration: u.settings().silence.IgnoreDuration,
		}
	}
	return u.settings().silenced[silenceKey(kind, name)]
}

func orAll(kind string) string {
	if kind == "" {
		return "ALL"
	}
	return kind
}

// getSilence tells a setting of push notifications.
func (c *call) getSilence() {
	if !c.own() {
		return
	}
	var s silence
	c.srv.hub.with(c.params["user"], func(u *user) { s = u.silenceOf(c.params["kind"], c.params["peer"]) })
	c.ok(envelope{Data: s})
}

// putSilence changes what the call names of a setting. The type DEFAULT takes it back.
func (c *call) putSilence() {
	var req struct {
		Type     string `json:"type"`
		Interval string `json:"ignoreInterval"`
		Duration int64  `json:"ignoreDuration"` // ms from now
	}
	if !c.own() || !c.decode(&req) {
		return
	}
	kind, peer := c.params["kind"], c.params["peer"]
	if kind != "user" && kind != "chatgroup" || len(peer) > 64 {
		c.fail(errNoSuchResource)
		return
	}
	if !slices.Contains([]string{"", "ALL", "AT", "NONE", "DEFAULT"}, req.Type) || len(req.Interval) > 32 || req.Duration < 0 {
		c.fail(errIllegal("type must be ALL, AT, NONE or DEFAULT, and ignoreDuration 0 or more milliseconds"))
		return
	}
	var s silence
	if c.change(func(u *user) string {
		s = u.silenceOf(kind, peer)
		switch {
		case req.Type == "DEFAULT":
			s.Type = ""
		case req.Type != "":
			s.Type = req.Type
		}
		if req.Interval != "" {
			s.IgnoreInterval = printable.Line(req.Interval, 32)
		}
		if req.Duration > 0 {
			s.IgnoreDuration = c.srv.clock.Now().Add(time.Duration(min(req.Duration, int64(maxWatchTime/time.Millisecond))) * time.Millisecond).UnixMilli()
		}
		key := silenceKey(kind, peer)
		switch {
		case kind == "user" && peer == u.name:
			u.change().silence = s
		case s == silence{}:
			delete(u.settings().silenced, key)
		default:
			if _, known := u.settings().silenced[key]; !known && len(u.settings().silenced) >= maxSilenced {
				return fmt.Sprintf("settings for at most %d conversations", maxSilenced)
			}
			put(&u.change().silenced, key, s)
		}
		return ""
	}) {
		c.ok(envelope{Data: s})
	}
}

// getSilences tells the settings of several conversations.
func (c *call) getSilences() {
	if !c.own() {
		return
	}
	users, groups := make(map[string]silence), make(map[string]silence)
	q := c.r.URL.Query()
	c.srv.hub.with(c.params["user"], func(u *user) {
		for _, name := range names(q.Get("user")) {
			users[name] = u.silenceOf("user", name)
		}
		for _, name := range names(q.Get("group")) {
			groups[name] = u.silenceOf("chatgroup", name)
		}
	})
	c.ok(envelope{Data: map[string]any{"user": users, "group": groups}})
}

// names splits a list at its commas.
func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// getSilenced lists the conversations with a type of their own.
func (c *call) getSilenced() {
	if !c.own() {
		return
	}
	list := []map[string]string{}
	c.srv.hub.with(c.params["user"], func(u *user) {
		for _, key := range slices.Sorted(maps.Keys(u.settings().silenced)) {
			kind, name, _ := strings.Cut(key, "/")
			if t := u.settings().silenced[key].Type; t != "" {
				list = append(list, map[string]string{strings.TrimPrefix(kind, "chat"): name, "value": t})
			}
		}
	})
	c.ok(envelope{Data: list})
}

// getLanguage tells the language of push notifications.
func (c *call) getLanguage() {
	if !c.own() {
		return
	}
	language := ""
	c.srv.hub.with(c.params["user"], func(u *user) { language = u.settings().language })
	c.ok(envelope{Data: map[string]string{"language": language}})
}

func (c *call) putLanguage() {
	var req struct {
		Language string `json:"translationLanguage"`
	}
	if !c.own() || !c.decode(&req) {
		return
	}
	language := printable.Line(req.Language, 16)
	if c.onUser(func(u *user) { u.change().language = language }) {
		c.ok(envelope{Data: map[string]string{"language": language}})
	}
}

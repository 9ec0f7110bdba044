package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
)

// journalEntry is an entry of the journal as the screen may want to see it.
type journalEntry struct {
	fakeserver.Record
	server *fakeserver.Server
}

// Text implements tui.EmulatorEntry.
func (e *journalEntry) Text() string {
	return strings.TrimSuffix(e.Entry().Summary(), ", token server")
}

// Details implements tui.EmulatorEntry.
func (e *journalEntry) Details() [][2]string {
	entry := e.Entry()
	exchange, _ := e.server.Exchange(entry.Session)
	return entryDetails(entry, exchange)
}

// entryDetails lists all that an entry of the journal says, and what is known of its HTTP call.
func entryDetails(e fakeserver.Entry, x fakeserver.Exchange) [][2]string {
	var rows [][2]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	at := func(name string, t time.Time) {
		if !t.IsZero() {
			add(name, t.Local().Format("2006-01-02 15:04:05.000"))
		}
	}
	add("event", string(e.Name))
	add("user", e.User)
	add("device", e.Device)
	if e.Method == "" {
		add("connection", e.Session)
	} else {
		add("request", e.Method+" "+e.Path)
		add("  query", x.Query)
		add("  authorization", x.Authorization)
		add("  body", x.Request)
		answer := "none"
		if e.Status != 0 {
			answer = fmt.Sprint(e.Status, " ", http.StatusText(e.Status))
		}
		add("response", answer)
		add("  body", x.Response)
	}
	if e.Code != 0 {
		add("code", strconv.Itoa(e.Code))
	}
	add("reason", e.Reason)
	add("token", e.Token)
	at("expires", e.ExpiresAt)
	at("will expire", e.WillExpireAt)
	add("message", e.MessageID)
	add("from", e.From)
	add("to", e.To)
	if e.Fault != nil {
		add("fault", string(e.Fault.Target)+" "+e.Fault.Kind+" ("+e.Fault.ID+")")
	}
	return append(rows, frameFields(e.Frame)...)
}

// frameFields takes the one line that renders a frame apart: its words, and its fields of the form name=value.
func frameFields(line string) [][2]string {
	if line == "" {
		return nil
	}
	rows := [][2]string{{"frame", line}}
	words := ""
	for rest := line; rest != ""; {
		var word string
		word, rest = nextWord(rest)
		name, value, ok := strings.Cut(word, "=")
		if ok && name != "" && !strings.ContainsAny(name, `"[`) {
			rows = append(rows, [2]string{"  " + name, value})
		} else {
			words += " " + word
		}
	}
	return append(rows, [2]string{"  words", strings.TrimSpace(words)})
}

// nextWord cuts a word off a line; what stands in quotes or brackets is not taken apart.
func nextWord(line string) (word, rest string) {
	quoted, depth := false, 0
	for i, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == ' ' && depth <= 0:
			return line[:i], line[i+1:]
		}
	}
	return line, ""
}

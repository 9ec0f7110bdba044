package fakeserver

import (
	"fmt"
	"strings"
)

// Call is a REST call with its status in words, "" when the entry is of none.
func (e Entry) Call() string {
	switch {
	case e.Method == "":
		return ""
	case e.Status == 0: // a fault swallowed it
		return e.Method + " " + e.Path + " without an answer"
	default:
		return fmt.Sprintf("%s %s %d", e.Method, e.Path, e.Status)
	}
}

// Summary says what happened in a few words, without the name, the instant and the user, which stand in fields of their own.
func (e Entry) Summary() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case e.Frame != "":
		add("%s", e.Frame)
	case e.Method != "":
		add("%s", e.Call())
	case e.MessageID != "" && e.From != "":
		add("%s → %s (%s)", e.From, e.To, e.MessageID)
	case e.MessageID != "":
		add("%s", e.MessageID)
	case e.From != "":
		add("%s → %s", e.From, e.To)
	}
	if e.Fault != nil {
		add("%s %s (%s)", e.Fault.Target, e.Fault.Kind, e.Fault.ID)
	}
	if e.Token != "" {
		add("%s", e.Token)
	}
	if !e.ExpiresAt.IsZero() {
		add("ends %s", e.ExpiresAt.Local().Format("15:04:05"))
	}
	if e.Code != 0 {
		add("code %d", e.Code)
	}
	if e.Reason != "" {
		add("%s", e.Reason)
	}
	return strings.Join(parts, ", ")
}

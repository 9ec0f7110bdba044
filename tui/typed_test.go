package tui

import (
	"slices"
	"strings"
	"testing"

	"github.com/ttlchat/ttlchat/session"
)

// TestNothingTypedIsLost: what is being written comes back, whatever took its place in the input.
func TestNothingTypedIsLost(t *testing.T) {
	long := strings.Repeat("words and words ", 10) + "end"
	tests := []struct {
		name  string
		draft []string // typed, with new lines between
		keys  []string
		want  string // is in the input then
	}{
		{"up and down", []string{"half typed"}, []string{"up", "down"}, "half typed"},
		{"up twice and down twice", []string{"half typed"}, []string{"up", "up", "down", "down"}, "half typed"},
		{"a draft of two lines", []string{"one", "two"}, []string{"up", "up", "down"}, "one\ntwo"},
		{"up within a draft of two lines", []string{"one", "two"}, []string{"up"}, "one\ntwo"},
		{"a draft of three rows", []string{long}, []string{"up", "up", "up", "down"}, long},
		{"up within a draft of three rows", []string{long}, []string{"up", "up"}, long},
		{"down below the draft", []string{"half typed"}, []string{"down"}, "half typed"},
		{"an unknown command", []string{"/nonsense with words"}, []string{"up", "down"}, "/nonsense with words"},
		{"a search", []string{"another draft"}, []string{"f3", "=needle", "enter"}, "another draft"},
		{"a search after a search", []string{"another draft"}, []string{"f3", "f3", "=needle", "enter"}, "another draft"},
		{"a search that is left", []string{"another draft"}, []string{"f3", "esc"}, "another draft"},
		{"a search that is rubbed out", []string{"another draft"}, append(slices.Concat([]string{"f3"}, slices.Repeat([]string{"backspace"}, 6)), "down"),
			"another draft"},
		{"a search beside what was brought back", []string{"another draft"}, []string{"up", "f3", "esc"}, "another draft"},
		{"the palette", []string{"another draft"}, []string{"ctrl+k", "=/find", "enter", "=needle", "enter"}, "another draft"},
		{"a name from the palette", []string{"to echo"}, []string{"ctrl+k", "=send to somebody", "enter", "=bob", "enter", "alt+up"}, "to echo"},
		{"another message first", []string{"later"}, []string{"up", "=!", "enter"}, "later"},
		{"what was brought back and changed", []string{"first"}, []string{"up", "=!", "up", "down"}, "sent second!"},
		{"a draft before one that was brought back and changed", []string{"first"}, []string{"up", "=!", "up", "up"}, "sent second"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := opened(t, 80, 24, online())
			for _, line := range []string{"sent first", "sent second"} {
				r.write(line)
				r.keys("enter")
			}
			for i, line := range test.draft {
				if i > 0 {
					r.keys("ctrl+j")
				}
				r.write(line)
			}
			r.strokes(test.keys...)
			if got := r.input.Value(); got != test.want {
				t.Errorf("the input holds %q, want %q", got, test.want)
			}
		})
	}
}

// TestHistoryGoesOn: what was brought back does not keep the arrows, be it of several lines or a command.
func TestHistoryGoesOn(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.write("oldest")
	r.keys("enter")
	r.write("one")
	r.keys("ctrl+j")
	r.write("two")
	r.keys("enter")
	for _, line := range []string{"/policy", "/renew"} {
		r.write(line)
		r.keys("enter")
	}
	for i, step := range []struct{ key, want string }{
		{"up", "/renew"}, {"up", "/policy"}, {"up", "one\ntwo"}, {"up", "one\ntwo"}, {"up", "oldest"}, {"up", "oldest"},
		{"down", "one\ntwo"}, {"down", "/policy"}, {"down", "/renew"}, {"down", ""},
	} {
		r.keys(step.key)
		if got := r.input.Value(); got != step.want {
			t.Fatalf("step %d, %s, leads to %q, want %q", i, step.key, got, step.want)
		}
	}
	r.keys("up")
	r.strokes("backspace", "up")
	if got := r.input.Value(); got != "/rene" {
		t.Errorf("a command that was changed gives the arrows to the history again: %q", got)
	}
}

// TestDraftsStayWithTheirConversation: what is written to one does not go to another.
func TestDraftsStayWithTheirConversation(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.happen(session.Event{Name: session.MessageReceived, From: "bob", Text: "psst"})
	r.write("for echo")
	r.keys("alt+down")
	if r.input.Value() != "" {
		t.Errorf("bob is about to get %q", r.input.Value())
	}
	r.write("for bob")
	r.keys("alt+down")
	if r.input.Value() != "for echo" {
		t.Errorf("back at echo there is %q", r.input.Value())
	}
	r.keys("enter", "alt+up", "enter")
	if want := []string{"send echo for echo", "send bob for bob"}; !slices.Equal(r.fake.asked, want) {
		t.Errorf("sent %q, want %q", r.fake.asked, want)
	}
}

// TestDraftsOutliveStrangers: a conversation in which something is being written is not the one that goes when there are too many.
func TestDraftsOutliveStrangers(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.strokes("=/to bob", "enter", "=for bob", "alt+down")
	for i := range 3 * maxTalks {
		r.happen(session.Event{Name: session.MessageReceived, From: strings.Repeat("x", i+1), Text: "spam", At: noon})
	}
	r.enter(r.talkWith("bob"))
	if r.input.Value() != "for bob" || len(r.talks) != maxTalks {
		t.Errorf("after many strangers the draft is %q, with %d conversations", r.input.Value(), len(r.talks))
	}
}

// TestLeaveAsks: Esc says what would be lost, and the next Esc loses it.
func TestLeaveAsks(t *testing.T) {
	unsent := loggedOut()
	unsent.Unsent = 2
	tests := []struct {
		name   string
		snap   session.Snapshot
		before []string
		says   string
	}{
		{"nothing", loggedOut(), nil, ""},
		{"unsent messages", unsent, nil, "2 unsent messages"},
		{"half a message", loggedOut(), []string{"=half"}, "1 half-written message"},
		{"half a message to another", loggedOut(), []string{"=/to bob", "enter", "=half", "alt+down"}, "1 half-written message"},
		{"both", unsent, []string{"=half"}, "2 unsent messages and 1 half-written message"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := opened(t, 80, 24, test.snap)
			r.strokes(test.before...)
			r.keys("esc")
			if test.says == "" {
				if r.session != nil {
					t.Error("Esc does not leave")
				}
				return
			}
			if r.session == nil {
				t.Fatal("Esc leaves at once")
			}
			if !strings.Contains(r.notice, "Esc again") || !strings.Contains(r.notice, test.says) {
				t.Errorf("Esc says %q", r.notice)
			}
			r.keys("left", "esc")
			if r.session == nil {
				t.Fatal("Esc leaves although it was another key that came after the warning")
			}
			r.keys("esc")
			if r.session != nil || r.input.Value() != "" {
				t.Errorf("the second Esc leaves the session %v and the input %q", r.session, r.input.Value())
			}
		})
	}
}

// strokes presses keys by their names, and types what stands behind an equals sign.
func (r *rig) strokes(words ...string) {
	for _, word := range words {
		if text, ok := strings.CutPrefix(word, "="); ok {
			r.write(text)
		} else {
			r.keys(word)
		}
	}
}

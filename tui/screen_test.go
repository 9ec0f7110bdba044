package tui

import (
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/session"
)

// hostile are texts that want to do something to a terminal.
var hostile = []string{
	"\x1b[31mred\x1b[0m", "\x1b]52;c;aGVsbG8=\x07", "\x1b]0;title\x1b\\", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "\x1bP+q\x1b\\",
	"\x1b_apc\x1b\\", "\x9b31mC1", "\u009b31m", "\x90dcs\x9c", "\x1b[", "\x1b", "\x00\x07\x08\x0b\x0c\x0e\x7f", "over\rwritten", "a\tb", "\u202eevil\u202c",
	"\u2066x\u2069", "z" + strings.Repeat("\u0301\u0489", 5000), "\u200b\u200d\ufeff", "\xff\xfe\xc0\x80", "👩‍👩‍👧‍👦 🇨🇭 ✌🏽", "你好", "ﷺ", "\u2028\u2029\u0085",
	strings.Repeat("x", 1<<20), strings.Repeat("\n", 1<<16), strings.Repeat("你", 1<<12), strings.Repeat("\x1b[5m", 1<<16),
}

// checkSafe: whatever the frame holds, the only control sequences in it are styles of our own.
func checkSafe(t interface {
	Helper()
	Fatalf(string, ...any)
}, m *model) {
	t.Helper()
	content := m.View().Content
	var state byte
	for content != "" {
		seq, _, n, next := ansi.DecodeSequence(content, state, nil)
		style := strings.HasPrefix(seq, "\x1b[") && strings.HasSuffix(seq, "m")
		if strings.ContainsFunc(seq, dangerous) && seq != "\n" && !style {
			t.Fatalf("the frame holds %q", seq)
		}
		content, state = content[n:], next
	}
	checkFrame(t, m)
}

func dangerous(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// flood puts a text wherever text from outside can get to.
func floodWith(r *rig, text string) {
	r.fake.snap.User, r.fake.snap.Reason = text, text
	if t := r.fake.snap.Token; t != nil {
		t.Short, t.User, t.AppID, t.Warnings = text, text, text, []string{text}
	}
	r.cfg.Where, r.cfg.EmulatorNote = text, text
	r.happen(
		session.Event{Name: session.MessageReceived, From: text, Text: text},
		session.Event{Name: session.MessageReceived, From: "bob", Text: text},
		session.Event{Name: session.RenewFailed, Reason: text, Callback: text, Token: text},
		session.Event{Name: session.MessageFailed, MessageID: "m1", Reason: text},
		session.Event{Name: session.StateChanged, New: session.Stopped, Reason: text},
	)
	r.send(emulatorMsg{events: []EmulatorEvent{{At: noon, Name: text, User: text, Code: 1, Entry: saying{text, [][2]string{{text, text}}}}}})
	r.fake.tokens = []Token{fakeToken{Inspection{Short: text, Fields: []TokenField{said(text, text, text)}, Findings: []string{text}}, text}}
	r.send(faultsMsg{list: []Fault{{ID: text, Target: text, Name: text}}})
	r.send(tea.PasteMsg{Content: text})
	r.say(text, dead)
}

func TestHostileText(t *testing.T) {
	for _, text := range hostile {
		for _, size := range sizes[:3] {
			r := opened(t, size.Width, size.Height, stopped())
			r.write("own")
			r.keys("enter")
			floodWith(r, text)
			for range r.panels {
				checkSafe(t, r.model)
				r.keys("tab")
				r.say(text, dead)
			}
			form := filled
			form.User, form.TokenURL = text, text
			r.form, r.session = newForm(form), nil
			r.form.dress(r.pen, r.width)
			r.keys("enter")
			checkSafe(t, r.model)
		}
	}
}

// TestAnySize draws every moment at any size, in either way of counting cells, with hostile text and with what is open.
func TestAnySize(t *testing.T) {
	all := moments()
	names := rapid.SampledFrom([]string{"login", "login_fault", "online", "last_fifth", "ask", "expired", "stopped", "waiting", "skewed", "logged_out", "help", "policy", "faults", "token", "palette",
		"details", "commands", "conversations", "timeline"})
	rapid.Check(t, func(rt *rapid.T) {
		r := all[names.Draw(rt, "moment")](t, sizes[0])
		if rapid.Bool().Draw(rt, "graphemes") {
			r.send(tea.ModeReportMsg{Mode: ansi.ModeUnicodeCore, Value: ansi.ModeSet})
		}
		for range rapid.IntRange(1, 4).Draw(rt, "resizes") {
			r.send(tea.WindowSizeMsg{Width: rapid.IntRange(1, 220).Draw(rt, "width"), Height: rapid.IntRange(1, 70).Draw(rt, "height")})
			if r.session != nil {
				floodWith(r, rapid.SampledFrom(hostile[:23]).Draw(rt, "text"))
			}
			for _, key := range rapid.SliceOfN(rapid.SampledFrom([]string{"tab", "pgup", "ctrl+p", "f1", "esc", "up", "down", "enter", "/", "ctrl+r", "ctrl+f", "ctrl+t",
				"ctrl+k", "ctrl+y", "f", "shift+up", "alt+down", "f3", "space", "left"}), 0, 4).
				Draw(rt, "keys") {
				r.keys(key)
			}
			checkSafe(rt, r.model)
		}
	})
}

func FuzzTranscript(f *testing.F) {
	for i, text := range hostile[:23] {
		f.Add(text, "echo", uint8(20+7*i), uint8(6+i))
	}
	f.Add("hello", "\x1b[1mbob", uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, text, from string, width, height uint8) {
		r := opened(t, int(width), int(height), online())
		r.happen(session.Event{Name: session.MessageReceived, From: from, Text: text})
		r.talk.sent(noon, "m1", text)
		r.happen(session.Event{Name: session.MessageFailed, MessageID: "m1", Reason: text})
		for range 3 {
			checkSafe(t, r.model)
			r.keys("pgup", "pgup")
		}
	})
}

func TestTooSmall(t *testing.T) {
	r := opened(t, 19, 5, online())
	wantOn(t, r.screen(t), "needs 20x6")
	if r.tick.armed != 0 {
		t.Error("a screen that shows no time counts it")
	}
	r.send(tea.WindowSizeMsg{Width: 20, Height: 6})
	wantOn(t, r.screen(t), "alice ● ONLINE")
}

func TestUnfinishedSizeShowsNothing(t *testing.T) {
	if got := newModel(t.Context(), Config{}).View().Content; got != "" {
		t.Errorf("before the size is known the screen is %q", got)
	}
}

package tui

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/internal/eventlog"
	"github.com/ttlchat/ttlchat/session"
)

// evil is in every sequence of the corpus that has arguments, so that one that gets through can be told from those of the screen's own.
const evil = "31337"

// reverseIndex moves the cursor up. Whether the renderer needs it depends on where a frame leaves the cursor.
const reverseIndex = "\x1bM"

// corpus are over 300 texts that want to do something to a terminal: every control character, every kind of sequence with every kind of end,
// and what makes text wide, long, invisible or backward.
func corpus() []string {
	texts := slices.Clone(hostile)
	for c := range rune(0x20) {
		texts = append(texts, "a"+string(c)+evil)
	}
	for c := rune(0x7f); c < 0xa0; c++ {
		texts = append(texts, "a"+string(c)+evil+"m", "a"+string([]byte{byte(c)})+evil+"m")
	}
	bodies := map[string][]string{
		"[": {evil + "m", evil + ";1H", "?" + evil + "h", ">" + evil + "c", evil + "J", evil + "b", evil + "n", evil + "t", "!p" + evil},
		"]": {"0;" + evil, "52;c;" + evil, "8;;http://" + evil + "/", "4;1;rgb:" + evil, "10;" + evil, "1337;File=" + evil, "9;" + evil, "777;notify;" + evil, "133;" + evil},
		"P": {"+q" + evil, "$q" + evil, "1;2q" + evil, "tmux;\x1b\x1b]0;" + evil}, "_": {"G" + evil}, "^": {evil}, "X": {evil}, "k": {evil}, "#": {"8" + evil},
		"(": {"0" + evil}, "c": {evil}, "N": {evil}, "O": {evil}, "%": {"G" + evil}, " ": {"G" + evil}, "=": {evil}, "7": {evil}, "M": {evil},
	}
	for kind, list := range bodies {
		for _, body := range list {
			for _, end := range []string{"", "\a", "\x1b\\", "\x9c", "\u009c", "\x18"} {
				texts = append(texts, "a\x1b"+kind+body+end+"b")
			}
		}
	}
	for _, r := range "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2028\u2029\u2060\u2066\u2067\u2068\u2069\u00ad\u034f\u180e\u3164\ufeff\ufe0f\ufff9\U000e0041" {
		texts = append(texts, "a"+string(r)+"b", strings.Repeat(string(r), 1000))
	}
	return append(texts, "e"+strings.Repeat("\u0301", 10_000), strings.Repeat("👩‍👩‍👧‍👦", 500), strings.Repeat("\u200d👩", 500), "\r\n\r", "\x1b\x1b\x1b[", strings.Repeat("🇨", 101))
}

// TestHostileProgram runs the whole program while everybody sends the corpus: as a message, as a name, as the reason of an error, and in the
// emulator's journal. What gets to the terminal are the screen's own sequences and nothing else.
func TestHostileProgram(t *testing.T) {
	texts := corpus()
	if len(texts) < 200 {
		t.Fatalf("the corpus has only %d texts", len(texts))
	}
	own := sequences(t, []string{"hello"})
	for seq := range sequences(t, texts) {
		switch {
		case strings.Contains(seq, evil):
			t.Errorf("the terminal got %q", seq)
		case strings.HasPrefix(seq, "\x1b[") && !strings.ContainsFunc(seq[2:], func(r rune) bool { return r < ' ' || r > '~' }),
			slices.Contains([]string{"\n", "\r", "\b", "\t", reverseIndex}, seq), own[seq]:
		default:
			t.Errorf("the terminal got %q, which a harmless talk does not need", seq)
		}
	}
}

// sequences are all control characters and sequences that get to the terminal while texts come from everywhere.
func sequences(t *testing.T, texts []string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(100, 30)
		keyboard, keys := io.Pipe()
		s := newFake(noon, online())
		s.log = eventlog.New[session.Event](1 << 12)
		e := &told{news: make(chan []EmulatorEvent)}
		done := make(chan error)
		go func() {
			done <- run(t.Context(), Config{Form: filled, Open: func(Form) (Session, error) { return s, nil }, Emulator: e}, term,
				tea.WithInput(keyboard), tea.WithWindowSize(100, 30), tea.WithEnvironment(colourful))
		}()
		time.Sleep(time.Second)
		_, _ = keys.Write([]byte("\r"))
		for i, text := range texts {
			s.emit(session.Event{Name: session.MessageReceived, From: "echo", Text: text})
			s.emit(session.Event{Name: session.MessageReceived, From: text, Text: text})
			s.emit(session.Event{Name: session.RenewFailed, Reason: text, Callback: text, Token: text})
			e.news <- []EmulatorEvent{{At: noon, Name: "rest.request", User: text, Entry: saying{text, [][2]string{{"body", text}}}}}
			_, _ = keys.Write([]byte([]string{"\t", "\x1b[A", "\x1b[5~", "\r", "\x1b[1;3B"}[i%5]))
			time.Sleep(50 * time.Millisecond)
		}
		synctest.Wait()
		if screen := term.String(); !strings.Contains(screen, "ttlchat  alice") {
			t.Errorf("the screen is broken:\n%s", screen)
		}
		_, _ = keys.Write([]byte{3})
		if err := <-done; err != nil {
			t.Error(err)
		}
		raw := term.raw.String()
		if strings.Contains(raw, reverseIndex+evil) {
			t.Error("a message has moved the cursor")
		}
		for state := byte(0); raw != ""; {
			seq, _, n, next := ansi.DecodeSequence(raw, state, nil)
			if strings.ContainsFunc(seq, dangerous) {
				seen[seq] = true
			}
			raw, state = raw[n:], next
		}
		_ = keyboard.Close()
		_ = term.vt.Close()
		time.Sleep(2 * time.Second)
	})
	return seen
}

// told is an emulator whose journal a test writes.
type told struct {
	fakeEmulator
	news chan []EmulatorEvent
}

func (e *told) Next(ctx context.Context) ([]EmulatorEvent, error) {
	select {
	case news := <-e.news:
		return news, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// FuzzPanels puts any text into the timeline's details, the inspector and the fault panel, and looks at each of them.
func FuzzPanels(f *testing.F) {
	for i, text := range hostile[:23] {
		f.Add(text, uint8(20+7*i), uint8(6+2*i))
	}
	f.Add(`✗ {"a":`+evil+`}`, uint8(120), uint8(40))
	f.Fuzz(func(t *testing.T, text string, width, height uint8) {
		r := opened(t, int(width), int(height), online())
		r.broken.list = []Fault{{ID: "x", Target: "token-server", Name: "status", Params: map[string]string{"status": text, "body": text}}}
		r.snap.ClockWarning, r.fake.snap.ClockWarning = text, text
		floodWith(r, text)
		r.send(faultsMsg{list: r.broken.list})
		for i := range r.panels {
			r.focusOn(i)
			checkSafe(t, r.model)
			r.keys("down", "down", "down", "down", "enter")
			r.send(tea.PasteMsg{Content: text})
			checkSafe(t, r.model)
			r.keys("esc", "esc")
		}
		if r.session == nil {
			t.Fatalf("%q ends the session", text)
		}
	})
}

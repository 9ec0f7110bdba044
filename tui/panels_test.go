package tui

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// answer runs the commands that Update left, except those that wait, and gives their answers back.
func (r *rig) answer(cmds ...tea.Cmd) []tea.Msg {
	var msgs []tea.Msg
	for _, cmd := range cmds {
		if msg := cmd(); msg != nil {
			msgs = append(msgs, msg)
			r.Update(msg)
		}
	}
	return msgs
}

// pressed presses a key and runs what it asks for; only for keys whose commands answer at once.
func (r *rig) pressed(t *testing.T, names ...string) []tea.Msg {
	t.Helper()
	var msgs []tea.Msg
	for _, name := range names {
		synctest.Test(t, func(t *testing.T) {
			answers := make(chan tea.Msg, 16)
			r.Update(press(name))
			for _, cmd := range r.pending {
				go func() { answers <- cmd() }()
			}
			time.Sleep(2 * time.Second) // ticks too
			for len(answers) > 0 {
				msg := <-answers
				if _, tick := msg.(tickMsg); !tick && msg != nil {
					msgs = append(msgs, msg)
					r.Update(msg)
				}
			}
		})
	}
	return msgs
}

func TestFaultPanel(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.pressed(t, "ctrl+f", "down", "down", "down") // over the triggers and a heading
	r.pressed(t, "space")
	wantOn(t, r.screen(t), "[x] status", "FAULT: token-server status", "faults (1 on)", "token-server status is on")
	r.keys("down", "enter") // its first parameter
	r.keys("backspace")
	r.write("4")
	wantOn(t, r.screen(t), "504")
	r.pressed(t, "enter")
	r.keys("down", "down", "right")
	r.keys("backspace")
	r.write("2")
	r.pressed(t, "enter")
	r.keys("esc")
	if r.focus != chatPanel {
		t.Fatal("Esc does not lead back to the chat")
	}
	r.pressed(t, "ctrl+x")
	want := []string{
		"set token-server status map[]", "set token-server status map[status:504]", "set token-server status map[count:2 status:504]", "clear all",
	}
	if diff := cmp.Diff(want, r.broken.asked); diff != "" {
		t.Errorf("the faults were asked otherwise (-want +got):\n%s", diff)
	}
	wantOn(t, r.screen(t), "no faults")
	r.keys("ctrl+x")
	if !strings.Contains(r.notice, "no fault is on") {
		t.Errorf("^X without a fault says %q", r.notice)
	}
}

// TestFaultChecks: what is wrong with a value stands beside it while it is typed, and it cannot be set.
func TestFaultChecks(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.keys("ctrl+f", "down", "down", "down", "down", "enter")
	r.keys("backspace", "backspace", "backspace")
	r.write("!")
	wantOn(t, r.screen(t), "✗ status: write something else")
	r.pressed(t, "enter")
	if r.faults.edit == nil || len(r.broken.asked) > 0 {
		t.Error("a wrong value was set")
	}
	r.keys("backspace")
	r.write("500")
	if strings.Contains(r.screen(t), "✗ status") {
		t.Error("the complaint stays when the value is right")
	}
	r.pressed(t, "enter")
	if r.faults.edit != nil {
		t.Error("a right value cannot be set")
	}
	wantOn(t, r.screen(t), "status  500")
	r.keys("enter", "esc")
	if r.faults.edit != nil || r.focus != faultPanel {
		t.Error("Esc does not leave the value alone")
	}
}

// Home and End lead to the two ends of a list.
func TestHomeAndEnd(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online())
		for i := range 100 {
			r.happen(session.Event{Name: session.RenewStarted, At: noon.Add(time.Duration(i) * time.Second)})
		}
		r.keys("ctrl+f", "end")
		if row, _ := r.faults.row(); row.kind != len(r.faults.kinds)-1 {
			t.Errorf("End leads to %+v", row)
		}
		wantOn(t, r.screen(t), "[ ] "+r.faults.kinds[len(r.faults.kinds)-1].Name)
		r.keys("home")
		if row, _ := r.faults.row(); row.trigger.Name != r.broken.Triggers()[0].Name {
			t.Errorf("Home leads to %+v", row)
		}
		wantOn(t, r.screen(t), "▌ ▸ will-expire")
		r.keys("esc", "tab", "home")
		wantOn(t, r.screen(t), "▌   +0.00")
		r.keys("end")
		wantOn(t, r.screen(t), "+1:39.0")
		if r.timeline.away || r.timeline.pointing {
			t.Error("End does not follow the newest event again")
		}
	}
}

// TestClickWhileWriting: what is being written belongs to its own row.
func TestClickWhileWriting(t *testing.T) {
	for name, leave := range map[string]func(r *rig){
		"click": func(r *rig) {
			x, y := r.find("▸ kick")
			r.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
		},
		"wheel": func(r *rig) {
			x, y := r.find("▸ kick")
			r.send(tea.MouseWheelMsg{X: x, Y: y, Button: tea.MouseWheelDown})
		},
		"palette": func(r *rig) {
			r.keys("esc", "ctrl+k")
			r.write("link delay")
			r.keys("enter")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := opened(t, 120, 40, online())
			r.keys("ctrl+f", "down", "down", "down", "down", "enter")
			wantOn(t, r.screen(t), "› Enter sets the value, Esc leaves it as it was")
			r.write("!")
			at, _ := r.faults.row()
			leave(r)
			if now, _ := r.faults.row(); now == at || r.faults.edit != nil || r.faults.wrong != nil {
				t.Errorf("%+v is still being written, %v", at, r.faults.wrong)
			}
			wantOn(t, r.screen(t), "› Esc leads back here")
		})
	}
}

// find tells where a text stands on the screen.
func (r *rig) find(text string) (x, y int) {
	for y, line := range strings.Split(ansi.Strip(r.View().Content), "\n") {
		if before, _, there := strings.Cut(line, text); there {
			return r.cells.StringWidth(before), y
		}
	}
	return -1, -1
}

// TestNoConnection: a session that is on no connection cannot be told anything by the emulator, and nobody suggests it.
func TestNoConnection(t *testing.T) {
	rtc := online()
	rtc.Profile = chat.RTC
	r := opened(t, 120, 40, rtc, session.Event{Name: session.LoginSucceeded})
	wantOn(t, r.screen(t), "next: ^N skips", "type / for commands; rtc sends no messages")
	r.keys("ctrl+e")
	wantOn(t, r.screen(t), "cannot expire: the profile rtc has no connection")
	r.keys("ctrl+f")
	r.pressed(t, "enter") // the first trigger
	wantOn(t, r.screen(t), "cannot make it happen: the profile rtc has no connection")
	if len(r.emulator.asked)+len(r.broken.asked) > 0 {
		t.Errorf("the emulator was asked %v %v", r.emulator.asked, r.broken.asked)
	}
}

// TestFaultOfOthers: a fault that was set elsewhere shows as it is, and is replaced by a change here.
func TestFaultOfOthers(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.broken.list = []Fault{{ID: "theirs", Target: "token-server", Name: "status", Params: map[string]string{"status": "418", "body": "teapot"}, Waiting: true}}
	r.send(faultsMsg{list: r.broken.list})
	r.keys("ctrl+f", "down", "down", "down", "down")
	wantOn(t, r.screen(t), "418", "teapot", "waiting for its moment")
	r.keys("enter")
	r.write("9")
	r.pressed(t, "enter")
	if diff := cmp.Diff([]string{"set token-server status map[body:teapot status:4189]"}, r.broken.asked); diff != "" {
		t.Errorf("the faults were asked otherwise (-want +got):\n%s", diff)
	}
	if len(r.broken.list) != 1 || r.broken.list[0].ID != "theirs" {
		t.Errorf("there are %v now", r.broken.list)
	}
}

func TestFaultChoicesAndTriggers(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.keys("ctrl+f")
	r.pressed(t, "enter") // the first trigger
	for r.faults.open != 2 {
		r.keys("down")
	}
	r.keys("down", "down", "left")
	wantOn(t, r.screen(t), "◂ out ▸")
	r.keys("up", "up")
	r.pressed(t, "enter", "enter")
	want := []string{"trigger will-expire alice", "set link delay map[direction:out]", "clear screen-link-delay"}
	if diff := cmp.Diff(want, r.broken.asked); diff != "" {
		t.Errorf("the faults were asked otherwise (-want +got):\n%s", diff)
	}
	r.broken.fails = errNope
	r.pressed(t, "enter")
	if r.notice != "nope" || len(r.faults.on()) != 0 {
		t.Errorf("a refused fault says %q and leaves %v on", r.notice, r.faults.on())
	}
}

// A name that fills its column, or is cut there, does not run into what stands beside it.
func TestPaletteColumns(t *testing.T) {
	r := newRig(t, 120, 40, online())
	for _, name := range []string{"token-server delay", "token-server content-type"} {
		for _, width := range []int{38, 50, 72} {
			want := "  " + ansi.Truncate(name, 18, "…") + " "
			if line := ansi.Strip(r.choiceLine(choiceOf{name: name, help: "the answer comes late"}, false, width)); !strings.HasPrefix(line, want) {
				t.Errorf("in %d columns the line is %q, want %q and then the help", width, line, want)
			}
		}
	}
}

// The palette finds the faults and the events by their names.
func TestPaletteFindsFaults(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.keys("ctrl+k")
	r.write("kick")
	wantOn(t, r.screen(t), "make it happen: the user is logged out")
	r.pressed(t, "enter")
	if got := strings.Join(r.broken.asked, " "); got != "trigger kick alice" {
		t.Errorf("the emulator was asked to %s", got)
	}
	r.keys("ctrl+k")
	r.write("link delay")
	r.keys("enter")
	if row, _ := r.faults.row(); r.focus != faultPanel || r.faults.kinds[row.kind].Name != "delay" {
		t.Errorf("it leads to the panel %d", r.focus)
	}
}

// The header follows the faults, whoever switches them, and also when one ends by itself.
func TestFaultsAreFollowed(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.watchFaults(nil)
	for _, step := range []struct {
		list []Fault
		want string
	}{
		{nil, "no faults"},
		{[]Fault{{ID: "f1", Target: "link", Name: "cut", Count: 1, Applied: 1, Over: true}, {ID: "f2", Target: "rest", Name: "hang"}}, "FAULT: rest hang"},
		{[]Fault{{ID: "f2", Target: "rest", Name: "hang", Over: true}}, "no faults"},
	} {
		r.broken.put(step.list...)
		r.answer(r.pending[len(r.pending)-1])
		wantOn(t, r.screen(t), step.want)
	}
	late := faultsChangedMsg{source: new(fakeFaults), list: []Fault{{ID: "f3", Target: "link", Name: "drop"}}}
	if r.send(late); len(r.faults.on()) != 0 || len(r.pending) != 0 {
		t.Error("news of an emulator that is gone is taken in")
	}
}

func TestTimelinePanel(t *testing.T) {
	r := opened(t, 120, 40, online(), talking()...)
	r.send(emulatorMsg{events: []EmulatorEvent{
		{At: noon, Name: "rest.request", Code: 200, TokenServer: true, Entry: saying{"POST /token 200", [][2]string{{"response", "200 OK"}}}},
		{At: noon, Name: "frame.out", Entry: saying{"SYNC down", [][2]string{{"frame", "SYNC down"}}}},
		{At: noon, Name: "message.stored", Entry: saying{text: "alice → echo"}},
	}})
	r.keys("tab", "up")
	wantOn(t, r.screen(t), "▌", "+49.00  ●   │   │  POST /token 200")
	r.keys("enter")
	wantOn(t, r.screen(t), "rest.request", "token server", "200 OK", "+49.00 after the first event")
	r.keys("esc")
	if r.dialog != nil {
		t.Fatal("Esc does not close the details")
	}
	r.keys("f")
	wantOn(t, r.screen(t), "timeline: everything", "SYNC down", "alice → echo")
	for _, filter := range filters[2:] {
		r.keys("f")
		wantOn(t, r.screen(t), filter.name)
	}
	if got := len(r.timeline.entries); got != 1 { // frames
		t.Errorf("the last filter lets %d moments through", got)
	}
	r.keys("F", "f", "f", "x")
	wantOn(t, r.screen(t), "x does nothing here")
	r.send(tea.MouseClickMsg{X: 80, Y: 25, Button: tea.MouseLeft})
	r.send(tea.MouseClickMsg{X: 80, Y: 25, Button: tea.MouseLeft})
	if r.dialog == nil {
		t.Error("two clicks do not open the details")
	}
}

func TestTrimKeepsTheTokensLife(t *testing.T) {
	tl := newTimeline()
	for range keepMoments - 1 {
		tl.happened(&moment{at: noon, kind: frameKind, name: "frame.in"})
	}
	tl.happened(&moment{at: noon, kind: lifeKind, name: "token.issued"})
	for range 3 * keepMoments {
		tl.happened(&moment{at: noon, kind: messageKind, name: "message.stored"})
	}
	if len(tl.all) > keepMoments || len(tl.entries) != 1 || !slices.ContainsFunc(tl.all, func(m *moment) bool { return m.kind == lifeKind }) {
		t.Errorf("%d moments, %d shown", len(tl.all), len(tl.entries))
	}
	for range 2 * keepMoments {
		tl.happened(&moment{at: noon, kind: lifeKind, name: "token.issued"})
	}
	if len(tl.all) > keepMoments {
		t.Errorf("%d moments", len(tl.all))
	}
}

// What the screen learns late takes its place, unless that is too far back or the clocks disagree. What somebody points at stays.
func TestLateMoments(t *testing.T) {
	for name, tc := range map[string]struct {
		before int // moments, a millisecond apart
		by     time.Duration
		place  int // from the end
	}{
		"in order":             {5, -time.Millisecond, 0},
		"at the same time":     {5, 0, 0},
		"between":              {5, 1500 * time.Microsecond, 2},
		"before all":           {5, time.Second, 5},
		"by another clock":     {5, 2 * time.Second, 0},
		"among very many":      {500, 400 * time.Millisecond, lateMoments},
		"when there is no one": {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline()
			for i := range tc.before {
				tl.happened(&moment{at: noon.Add(time.Duration(i-tc.before+1) * time.Millisecond), kind: lifeKind, name: "early"})
			}
			var pointed *moment
			if tc.before > 0 {
				tl.step(look{width: 80}, 10, 1)
				pointed, _ = tl.target()
			}
			tl.happened(&moment{at: noon.Add(-tc.by), kind: lifeKind, name: "late"})
			for _, list := range [][]*moment{tl.all, tl.entries} {
				if i := slices.IndexFunc(list, func(m *moment) bool { return m.name == "late" }); i != tc.before-tc.place {
					t.Errorf("it is number %d of %d", i, len(list))
				}
			}
			if got, _ := tl.target(); pointed != nil && got != pointed {
				t.Errorf("now %s at %s is pointed at", got.name, got.at)
			}
		})
	}
}

// The life of a token begins when it is issued, unless that is later than when the service took it.
func TestLifeBeginsAtTheIssue(t *testing.T) {
	for _, tc := range []struct {
		issued time.Time
		age    string
	}{{noon, "50 % of 1 min"}, {time.Time{}, "40 % of 50 s"}, {noon.Add(time.Hour), "40 % of 50 s"}} {
		v := tokenView{Snapshot: online(), at: noon.Add(30 * time.Second)}
		v.Token = &session.TokenFacts{IssuedAt: tc.issued, AcceptedAt: noon.Add(10 * time.Second), ExpiresAt: noon.Add(time.Minute)}
		if got := v.age(); got != tc.age {
			t.Errorf("issued at %s: %q, not %q", tc.issued, got, tc.age)
		}
	}
}

func TestCopyAndExport(t *testing.T) {
	t.Chdir(t.TempDir())
	r := opened(t, 120, 40, online(), talking()...)
	clipboard := func(names ...string) string {
		t.Helper()
		msgs := r.pressed(t, names...)
		if len(msgs) == 0 {
			t.Fatalf("%v asks for nothing", names)
		}
		return fmt.Sprint(msgs[len(msgs)-1])
	}
	if got := clipboard("ctrl+y"); !strings.Contains(got, "still there?") {
		t.Errorf("^Y copies %q", got)
	}
	wantOn(t, r.screen(t), "copied the message")
	r.keys("tab")
	if got := clipboard("ctrl+y"); !strings.Contains(got, "client renewed") {
		t.Errorf("^Y copies %q", got)
	}
	got := clipboard("Y")
	r.pressed(t, "e")
	files, _ := filepath.Glob("ttlchat-*.jsonl")
	if len(files) != 1 {
		t.Fatalf("there are %v", files)
	}
	wantOn(t, r.screen(t), "6 events in "+files[0])
	text, err := os.ReadFile(files[0])
	if err != nil || string(text) != got {
		t.Errorf("the file holds %q (%v), the clipboard %q", text, err, got)
	}
	for line := range strings.Lines(got) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || m["event"] == "" || m["lane"] != "client" {
			t.Errorf("%s: %v", line, err)
		}
	}
	r.pressed(t, "e") // the file is there already
	if !strings.Contains(r.notice, "the timeline was not exported: ") {
		t.Errorf("a second export says %q", r.notice)
	}
}

func TestInspector(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.keys("ctrl+t")
	wantOn(t, r.screen(t), "the token in use, the 2nd", "salt        77812  was 4711", "genuine: signed")
	r.keys("ctrl+y")
	wantOn(t, r.screen(t), "copy the whole token?", "log in as alice")
	if msgs := r.pressed(t, "n"); len(msgs) > 0 {
		t.Errorf("no copies %v", msgs)
	}
	r.keys("ctrl+y")
	if msgs := r.pressed(t, "y"); len(msgs) != 1 || r.notice != "copied the token, 13 characters" {
		t.Errorf("yes answers %v and says %q", msgs, r.notice)
	}
	r.fake.tokens = []Token{fakeToken{Inspection{Short: "006…", Checked: true, Findings: []string{"the token is expired\x1b[2J"}}, ""}}
	wantOn(t, r.screen(t), "the newest token", "not genuine", "! the token is expired")
	r.fake.tokens = []Token{fakeToken{Inspection{Short: "006…"}, ""}}
	wantOn(t, r.screen(t), "signature not checked")
	r.fake.tokens = []Token{}
	wantOn(t, r.screen(t), "no token has been fetched yet")
	r.keys("ctrl+y", "ctrl+t")
	if r.focus != chatPanel {
		t.Error("^T does not lead back to the chat")
	}
}

func TestChangedField(t *testing.T) {
	fields := []TokenField{said("salt", "1", ""), said("may", "a", ""), said("may", "b", ""), said("may", "c", "")}
	before := &Inspection{Fields: []TokenField{said("salt", "1", ""), said("may", "a", ""), said("may", "x", "")}}
	want := []string{"1 false", "a false", "x true", "nothing true"}
	for i := range fields {
		was, changed := changedField(before, fields, i)
		if got := was + map[bool]string{true: " true", false: " false"}[changed]; got != want[i] {
			t.Errorf("field %d: %q, want %q", i, got, want[i])
		}
	}
}

func TestPalette(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.keys("ctrl+k")
	r.write("field by")
	wantOn(t, r.screen(t), "▌ /token", "^T")
	r.keys("enter")
	if r.focus != tokenPanel || r.dialog != nil {
		t.Error("the palette does not do what was chosen")
	}
	r.keys("ctrl+k")
	r.write("find text") // nothing has both words in it but the one that looks for a text
	r.keys("esc", "ctrl+k")
	r.write("/find")
	r.keys("enter")
	if r.input.Value() != "/find " || r.focus != chatPanel {
		t.Errorf("a command that wants arguments leaves %q", r.input.Value())
	}
	r.input.Reset()
	r.keys("ctrl+k")
	r.write("failed") // resend cannot act now
	wantOn(t, r.screen(t), "not now: no message of this conversation has")
	r.keys("enter")
	if !strings.Contains(r.notice, "cannot resend") {
		t.Errorf("what cannot be done says %q", r.notice)
	}
	r.keys("ctrl+k")
	r.write("xyzzy")
	r.keys("enter")
	wantOn(t, r.screen(t), "nothing is called that")
	r.keys("backspace", "backspace", "backspace", "backspace", "backspace", "down", "up", "pgdown", "pgup", "esc")
	if r.dialog != nil || r.input.Value() != "" {
		t.Errorf("the palette leaves %q in the input", r.input.Value())
	}
}

// TestPaletteHasEverything: whatever the table of actions or the commands can do can be found by its name.
func TestPaletteHasEverything(t *testing.T) {
	r := opened(t, 120, 40, online())
	var names []string
	for _, c := range r.everything() {
		names = append(names, c.name)
	}
	for _, c := range r.commands() {
		if !slices.Contains(names, c.name) {
			t.Errorf("%s is not in the palette", c.name)
		}
	}
	for _, c := range r.everything() {
		if c.name == c.key {
			t.Errorf("%s stands beside itself", c.name)
		}
		if c.key == paletteKey {
			t.Errorf("the palette offers itself as %s", c.name)
		}
	}
}

// TestPaletteLeadsElsewhere: what only another panel can do, and the conversations, are found as well.
func TestPaletteLeadsElsewhere(t *testing.T) {
	r := opened(t, 120, 40, online(), talking()...)
	r.keys("ctrl+k")
	r.write("filter")
	wantOn(t, r.screen(t), "in timeline: filter by kind")
	r.keys("enter")
	if r.focus != timelinePanel || !strings.Contains(r.notice, "the timeline shows") {
		t.Errorf("it led to panel %d and said %q", r.focus, r.notice)
	}
	r.happen(session.Event{Name: session.MessageReceived, From: "bob", Text: "psst"})
	r.keys("ctrl+k")
	r.write("bob")
	wantOn(t, r.screen(t), "show the conversation, 1 unread")
	r.keys("enter")
	if r.talk.peer != "bob" || r.focus != chatPanel {
		t.Errorf("it led to %s, panel %d", r.talk.peer, r.focus)
	}
}

func TestConversations(t *testing.T) {
	r := opened(t, 120, 40, online(), talking()...)
	r.happen(session.Event{Name: session.MessageReceived, From: "bob", Text: "psst"}, session.Event{Name: session.MessageReceived, From: "bob", Text: "hey"})
	wantOn(t, r.screen(t), "[echo] bob (2)")
	r.keys("alt+down")
	wantOn(t, r.screen(t), "echo [bob]", "psst")
	r.write("yes?")
	r.keys("enter")
	r.happen(session.Event{Name: session.MessageFailed, MessageID: "m1", Reason: "blocked"})
	wantOn(t, r.screen(t), "alice → bob", "blocked — F5 sends")
	r.keys("f5")
	if want := []string{"send bob yes?", "send bob yes?"}; !slices.Equal(r.fake.asked, want) {
		t.Errorf("the session is asked %q, want %q", r.fake.asked, want)
	}
	r.happen(session.Event{Name: session.MessageDelivered, MessageID: "m2"})
	r.keys("f5")
	if !strings.Contains(r.notice, "no message of this conversation has failed") {
		t.Errorf("F5 says %q", r.notice)
	}
	r.keys("alt+up")
	wantOn(t, r.screen(t), "still there?")
	for i := range 3 * maxTalks {
		r.happen(session.Event{Name: session.MessageReceived, From: strings.Repeat("x", i+1), Text: "spam", At: noon.Add(time.Duration(i))})
	}
	if len(r.talks) != maxTalks || !slices.Contains(r.talks, r.talk) {
		t.Errorf("%d conversations are kept", len(r.talks))
	}
}

var unreadCount = regexp.MustCompile(` \(\d+\)`)

// TestTitleLeavesRoomForNews: a long name hides neither that others have written nor how much.
func TestTitleLeavesRoomForNews(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online(), talking()...)
		r.enter(r.talkWith("dave_with_a_long_name_indeed_he_has_one_as_long_as_names_may_be1"))
		for i := range 105 {
			r.happen(session.Event{Name: session.MessageReceived, From: fmt.Sprintf("friend_with_a_name_%d", i%3), Text: "psst"})
		}
		if screen, title := r.screen(t), chatTitle(r.model); !strings.Contains(screen, "(105)") && !strings.Contains(screen, "(35)") {
			t.Errorf("%q tells of no news:\n%s", title, screen)
		}
	}
}

// TestTitleNamesConversations: the title names as many conversations as it has room for, those with news first, and counts the others.
func TestTitleNamesConversations(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online(), talking()...)
		for i := range 30 {
			name := fmt.Sprintf("friend%d", i)
			r.happen(session.Event{Name: session.MessageReceived, From: name, Text: "psst"})
			if i%10 != 7 {
				r.talkWith(name).unread = 0
			}
		}
		for range 3 {
			if title := chatTitle(r.model); r.small() {
				continue
			} else if screen := r.screen(t); !strings.Contains(screen, title) {
				t.Fatalf("%q does not fit:\n%s", title, screen)
			} else if named := len(strings.Fields(unreadCount.ReplaceAllString(title, ""))); !strings.HasSuffix(unreadCount.ReplaceAllString(title, ""), fmt.Sprintf(" +%d", 32-named)) {
				t.Errorf("%q names %d, and does not count the others", title, named-1)
			}
			wantOn(t, r.screen(t), "["+r.talk.shown+"]", "friend7 (1)")
			r.send(tea.MouseWheelMsg{X: 2, Y: 10, Button: tea.MouseWheelUp}) // then there is a note
			r.happen(session.Event{Name: session.MessageReceived, From: "echo", Text: strings.Repeat("many lines\n", 100)})
		}
	}
}

// TestTurnToNews: the next conversation is one with unread messages, and the neighbour when there is none.
func TestTurnToNews(t *testing.T) {
	r := opened(t, 120, 40, online())
	for _, name := range []string{"anna", "bob", "carol", "dora"} {
		r.happen(session.Event{Name: session.MessageReceived, From: name, Text: "psst"})
	}
	r.talkWith("anna").unread, r.talkWith("carol").unread = 0, 0
	for _, step := range []struct{ key, want string }{
		{"alt+up", "dora"}, {"alt+up", "bob"}, {"alt+up", "anna"}, {"alt+down", "bob"}, {"alt+down", "carol"}, {"alt+down", "dora"}, {"alt+down", "echo"},
	} {
		r.keys(step.key)
		if r.talk.peer != step.want {
			t.Fatalf("%s leads to %s, want %s", step.key, r.talk.peer, step.want)
		}
	}
}

// TestEmptyPanelsSaySo: where there is nothing, words say why.
func TestEmptyPanelsSaySo(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online())
		wantOn(t, r.screen(t), "nothing has been said here yet")
		r.keys("tab")
		wantOn(t, r.screen(t), "nothing has happened yet")
		r.happen(talking()...)
		r.keys("f", "f", "f")
		wantOn(t, r.screen(t), "6 events are hidden by this filter: f")
		r.keys("f", "f", "f", "f", "f", "f")
		if strings.Contains(r.screen(t), "hidden") {
			t.Error("there are events, and it says that there are none")
		}
	}
}

// TestMessagesAreBounded: many conversations together hold no more than one may.
func TestMessagesAreBounded(t *testing.T) {
	r := opened(t, 80, 24, online())
	for i := range 3 * keepMessages / 2 {
		r.takeMessage(session.Event{At: noon, From: []string{"bob", "carol", "echo"}[i%3], Text: "x"})
	}
	sum := 0
	for _, talk := range r.talks {
		sum += len(talk.entries)
	}
	if sum > keepMessages || sum < keepMessages/2 {
		t.Errorf("%d messages are held", sum)
	}
	r.keys("pgup")
	checkSafe(t, r.model)
}

func TestSearch(t *testing.T) {
	r := opened(t, 120, 40, online())
	for i := range 500 {
		text := "nothing"
		if i%100 == 7 {
			text = "a Needle in it"
		}
		r.happen(session.Event{Name: session.MessageReceived, From: "echo", Text: text})
	}
	r.keys("f3")
	r.write("needle")
	r.keys("enter")
	wantOn(t, r.screen(t), "▌ ", "a Needle", "found 1 of 5", "below ↓ Esc")
	first := r.talk.marked
	r.keys("f3")
	if r.talk.marked != first-100 {
		t.Errorf("F3 finds %d after %d", r.talk.marked, first)
	}
	wantOn(t, r.screen(t), "found 2 of 5; F3 looks further up")
	r.keys("f3", "shift+f3", "shift+f3")
	if r.talk.marked != first {
		t.Errorf("Shift+F3 leads to %d, want %d", r.talk.marked, first)
	}
	wantOn(t, r.screen(t), "found 1 of 5", "Shift+F3 further down")
	r.keys("shift+f3")
	wantOn(t, r.screen(t), `nothing further down has "needle" in it`)
	r.keys("f3", "f3")
	r.write("/raw")
	r.keys("enter")
	wantOn(t, r.screen(t), "the message as it came", `"a Needle in it"`)
	r.keys("esc", "f3", "f3", "f3", "f3")
	wantOn(t, r.screen(t), `nothing further up has "needle" in it`)
}

func TestRawText(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.happen(session.Event{Name: session.MessageReceived, From: "echo", Text: "\x1b[31mred\u202e"})
	r.write("/raw")
	r.keys("enter")
	wantOn(t, r.screen(t), `"\x1b[31mred\u202e"`)
	checkSafe(t, r.model)
}

func TestBringBack(t *testing.T) {
	r := opened(t, 80, 24, online())
	for _, line := range []string{"one", "two", "two", "/policy"} {
		r.write(line)
		r.keys("enter")
	}
	for _, want := range []string{"/policy", "two", "one", "one"} {
		r.completer.closed = true
		r.keys("up")
		if r.input.Value() != want {
			t.Fatalf("↑ brings back %q, want %q", r.input.Value(), want)
		}
	}
	r.keys("down", "down")
	r.completer.closed = true
	r.keys("down")
	if r.input.Value() != "" {
		t.Errorf("↓ leads to %q", r.input.Value())
	}
}

func TestDayBreak(t *testing.T) {
	r := opened(t, 80, 24, online())
	r.happen(session.Event{Name: session.MessageReceived, From: "echo", Text: "late", At: noon.Add(-13 * time.Hour)},
		session.Event{Name: session.MessageReceived, From: "echo", Text: "early"})
	wantOn(t, r.screen(t), "── Sunday 22 November 2026 ─")
}

func TestPointing(t *testing.T) {
	r := opened(t, 80, 24, online(), talking()...)
	r.keys("shift+up", "shift+up", "shift+up") // over the renewal
	if m, _ := r.talk.target(); m.raw != "hello" {
		t.Errorf("pointed at %q", m.text)
	}
	r.keys("shift+down", "shift+down", "shift+down")
	if r.talk.pointing {
		t.Error("below the newest message there is still something to point at")
	}
}

// Renewals are told of between the messages, at every size; where nothing was said between two of them, the newer takes the line of the older.
func TestRenewalsAreTold(t *testing.T) {
	renewed := func(short string, at time.Time) session.Event {
		return session.Event{Name: session.RenewSucceeded, Token: short, At: at}
	}
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online(), renewed("001…", noon), renewed("002…", noon.Add(time.Minute)),
			session.Event{Name: session.MessageReceived, From: "echo", Text: "hello", At: noon.Add(time.Minute)},
			renewed("003…", noon.Add(2*time.Minute)), renewed("004…", noon.Add(24*time.Hour)))
		wantOn(t, r.screen(t), "renewed: 002…", "renewed: 003…", "renewed: 004…")
		if n := len(r.talk.entries); n != 5 { // and the day break
			t.Errorf("there are %d lines in the conversation, want 5", n)
		}
	}
}

func TestTips(t *testing.T) {
	r := opened(t, 120, 40, online(), talking()...)
	wantOn(t, r.screen(t), "type a message and press Enter")
	r.write("x")
	r.keys("enter")
	wantOn(t, r.screen(t), "^E ends the token now")
	r.keys("ctrl+e")
	wantOn(t, r.screen(t), "^N skips")
	r.keys("esc")
	if r.tip() != "" {
		t.Error("Esc does not hide the tips")
	}
}

// TestTipsFit: nothing is suggested that would not happen, nor anything while only a login can follow.
func TestTipsFit(t *testing.T) {
	for state, want := range map[session.State]bool{
		session.Online: true, session.WillExpire: true, session.Renewing: true, session.Expired: false, session.Waiting: false,
		session.Stopped: false, session.LoggedOut: false,
	} {
		r := opened(t, 120, 40, snapshot(state, 5*time.Second), talking()...)
		if got := r.tip() != ""; got != want {
			t.Errorf("%s: the tip says %q", state, r.tip())
		}
	}
	r := opened(t, 120, 40, online(), talking()...)
	r.enter(r.talkWith("bob"))
	if strings.Contains(r.tip(), "echo") {
		t.Errorf("while one writes to bob the tip says %q", r.tip())
	}
}

// TestInputSaysHowToGetBack: while another panel has the focus, what is typed does not go into the input, and the input says so.
func TestInputSaysHowToGetBack(t *testing.T) {
	for _, size := range sizes {
		r := opened(t, size.Width, size.Height, online(), talking()...)
		r.keys("tab")
		wantOn(t, r.screen(t), "› Esc leads back here")
		r.keys("esc")
		wantOn(t, r.screen(t), "› type a message")
	}
}

// TestDrawerHints: the hints are the keys of the drawer while it is open.
func TestDrawerHints(t *testing.T) {
	r := opened(t, 120, 40, online())
	r.keys("tab", "tab", "tab", "ctrl+p") // the faults have an Enter of their own
	lines := strings.Split(r.screen(t), "\n")
	if hints := lines[len(lines)-1]; strings.Contains(hints, "switch") || !strings.Contains(hints, "Enter done") {
		t.Errorf("the hints are %s", hints)
	}
}

func TestLife(t *testing.T) {
	r := opened(t, 120, 40, lastFifth())
	r.happen(session.Event{Name: session.StateChanged, Old: session.Online, New: session.WillExpire, Reason: "the token will expire"})
	wantOn(t, r.screen(t), "[WILL EXPIRE]", "12:04:31  online → will expire: the token will expire")
	for _, state := range session.States() {
		r.fake.snap.State = state
		r.send(tickMsg(0))
		name := "[" + strings.ToUpper(places[state].label) + "]"
		if screen := r.screen(t); strings.Count(screen, name) != 1 {
			t.Errorf("%s is not marked once:\n%s", name, screen)
		}
		r.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		wantOn(t, r.screen(t), name)
		r.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	}
}

func TestClicks(t *testing.T) {
	r := opened(t, 80, 24, online(), talking()...)
	click := func(x, y int) { r.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
	click(10, 4) // the tab of the timeline
	if r.focus != timelinePanel {
		t.Errorf("a click on a tab leads to panel %d", r.focus)
	}
	click(70, 4)
	click(10, 0)
	r.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	click(5, 20)
	if r.focus != chatPanel {
		t.Errorf("a click into the chat leads to panel %d", r.focus)
	}
	r.keys("ctrl+f", "tab", "shift+tab")
	click(90, 30)
	if r.focus != faultPanel {
		t.Errorf("a click on the faults leads to panel %d", r.focus)
	}
	checkSafe(t, r.model)
}

// A click on a conversation's name shows it, at each size that has a frame or tabs.
func TestConversationsAreClicked(t *testing.T) {
	for _, size := range []area{{200, 60}, {120, 40}, {80, 24}} {
		r := opened(t, size.width, size.height, online(), talking()...)
		for _, from := range []string{"你好", "bob"} {
			r.happen(session.Event{Name: session.MessageReceived, From: from, Text: "psst"})
		}
		click := func(name string) {
			t.Helper()
			for y, line := range strings.Split(r.screen(t), "\n") {
				if before, _, found := strings.Cut(line, name); found && strings.Contains(line, "─ ") {
					r.send(tea.MouseClickMsg{X: r.cells.StringWidth(before), Y: y, Button: tea.MouseLeft})
					return
				}
			}
			t.Fatalf("%q is no title\n%s", name, r.screen(t))
		}
		for _, to := range []string{"bob", "你好", "echo"} {
			r.focusOn(timelinePanel)
			if click(to); r.talk.shown != to || r.focus != chatPanel {
				t.Errorf("%v: a click on %s shows %s, and the focus is on panel %d", size, to, r.talk.shown, r.focus)
			}
		}
		for i := range 20 {
			r.happen(session.Event{Name: session.MessageReceived, From: fmt.Sprint("user-", i), Text: "psst"})
		}
		if click("+"); r.talk.shown == "echo" {
			t.Errorf("%v: a click on those for which there is no room shows none of them", size)
		}
		checkSafe(t, r.model)
	}
}

package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/session"
)

func TestLogin(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	r.write("-2")
	r.keys("tab", "down", "up", "shift+tab")
	r.keys("enter")
	want := filled
	want.User = "alice-2"
	if diff := cmp.Diff(want, r.asked); diff != "" {
		t.Errorf("the session is opened otherwise (-want +got):\n%s", diff)
	}
	if !slices.Equal(r.fake.asked, []string{"login"}) || r.fake.snap.Policy != r.policy {
		t.Errorf("the session is asked %v and has the policy %v", r.fake.asked, r.fake.snap.Policy)
	}
}

func TestFormFaults(t *testing.T) {
	tests := []struct {
		change func(*Form)
		says   string
	}{
		{func(f *Form) { f.User = "" }, "a user name is missing"},
		{func(f *Form) { f.User = "Alice" }, `"Alice" is no user name`},
		{func(f *Form) { f.Peer = "a b" }, `"a b" is no user name`},
		{func(f *Form) { f.Lifetime = "30" }, "such as 30s"},
		{func(f *Form) { f.Lifetime = "10ms" }, "at least 1s"},
		{func(f *Form) { f.Lifetime = "2000000h" }, "such as 30s"},
		{func(f *Form) { f.Profile = "windows" }, "native, web, classic, rtc"},
		{func(f *Form) { f.TokenURL = "localhost" }, "http://host:port"},
		{func(f *Form) { f.TokenURL = "" }, "http://host:port"},
		{func(f *Form) { f.RESTURL = "ws://x" }, "http://host:port"},
		{func(f *Form) { f.WSURL = "" }, "ws://host:port"},
		{func(f *Form) { f.Service = "moon" }, "built-in emulator, own token server"},
	}
	for _, test := range tests {
		r := newRig(t, 120, 40, loggedOut())
		values := filled
		values.Service = OwnService // where every field is shown
		test.change(&values)
		r.fill(values)
		r.keys("enter")
		if r.session != nil {
			t.Errorf("%+v is accepted", values)
		}
		wantOn(t, r.screen(t), test.says)
		if test.says[0] != 'a' && r.form.faults[r.form.focus] == nil {
			t.Errorf("the cursor is not at the fault of %+v", values)
		}
	}
	for _, change := range []func(*Form){
		func(f *Form) { f.Lifetime = "" }, func(f *Form) { f.TokenURL, f.RESTURL, f.WSURL = "", "", "" },
		func(f *Form) { f.Service, f.TokenURL, f.Pasted = OwnTokenServer, "", true },
	} {
		values := filled
		change(&values)
		f := newForm(values)
		if !f.valid() {
			t.Errorf("%+v is refused: %v", values, f.faults)
		}
	}
}

func TestFormLife(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "30s": 30 * time.Second, "1.5s": time.Second, "24h": 24 * time.Hour} {
		if got, err := (Form{Lifetime: text}).Life(); got != want || err != nil {
			t.Errorf("%q lasts %v, %v", text, got, err)
		}
	}
}

// TestService chooses whose servers are used: the fields follow, and what belongs to the emulator is off on a service of one's own.
func TestService(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	if screen := r.screen(t); strings.Contains(screen, "gateway") || strings.Contains(screen, "http") {
		t.Errorf("the built-in emulator shows addresses:\n%s", screen)
	}
	r.keys("up", "right")
	wantOn(t, r.screen(t), "[own token server]", "http://127.0.0.1:8082/fetch-token")
	r.keys("right")
	wantOn(t, r.screen(t), "[own chat service]", "gateway", "ws://127.0.0.1:8081/websocket")
	r.form.inputs[7].SetValue("wss://chat.example/ws")
	r.keys("enter")
	if r.asked.Service != OwnService || r.asked.WSURL != "wss://chat.example/ws" {
		t.Errorf("the session is opened with %+v", r.asked)
	}
	r.fake.snap = online()
	r.keys("ctrl+e")
	if !strings.Contains(r.notice, "chat.example") {
		t.Errorf("^E says %q", r.notice)
	}
	r.keys("ctrl+f")
	wantOn(t, r.screen(t), "chat.example, which is not the emulator")
}

// TestPromises: the form says what becomes of a lifetime that is not granted as it is, before anybody asks for it.
func TestPromises(t *testing.T) {
	tests := []struct {
		lifetime string
		change   func(*Form)
		says     []string
	}{
		{"24h", nil, []string{"lifetime 24h profile", "You will see a token that lives 24 h: after 19 h 12 min the SDK"}},
		{"25h", nil, []string{"25h ! counts as 24 h", "lives 24 h, because the service allows no more: after 19 h 12 min the SDK"}},
		{"25h", func(f *Form) { f.RefusesLong = true }, []string{"25h ! refused: over 24 h", "see the emulator refuse the token"}},
		{"25h", func(f *Form) { f.RefusesLong, f.Service = true, OwnService }, []string{"25h ! counts as 24 h"}},
		{"25h", func(f *Form) { f.RefusesLong, f.Profile = true, "rtc" }, []string{"25h ! counts as 24 h", "after 23 h 59 min 30 s"}},
		{"744h", nil, []string{"744h ! counts as 24 h"}},
		{"745h", nil, []string{"745h ! refused: over a month", "see the client refuse the token"}},
		{"", func(f *Form) { f.GivesNoLife = true }, []string{"lifetime ! refused: 0 s", "see the client refuse the token"}},
		{"", func(f *Form) { f.GivesNoLife, f.Service = true, OwnTokenServer }, []string{"lifetime profile", "You will see a token's life"}},
		{"", func(f *Form) { f.GivesNoLife, f.Pasted = true, true }, []string{"lifetime profile", "the token that you gave"}},
		{"", nil, []string{"lifetime profile", "You will see a token's life"}},
		{"25h", func(f *Form) { f.Pasted = true }, []string{"lifetime 25h profile", "the token that you gave, which cannot be renewed"}},
	}
	for _, test := range tests {
		r := newRig(t, 120, 40, loggedOut())
		values := filled
		values.Lifetime = ""
		if test.change != nil {
			test.change(&values)
		}
		r.fill(values)
		r.form.turn(2)
		r.write(test.lifetime)
		wantOn(t, strings.Join(strings.Fields(r.screen(t)), " "), test.says...)
	}
}

// fill puts other values into the login form, as if the program had begun with them.
func (r *rig) fill(values Form) {
	r.form = newForm(values)
	r.form.dress(r.pen, r.width)
}

// TestEmptyService: the fields of one's own service begin empty, with an example each, and say what is wrong when they are left so.
func TestEmptyService(t *testing.T) {
	words := func(r *rig) string { return strings.Join(strings.Fields(r.screen(t)), " ") }
	r := newRig(t, 80, 24, loggedOut())
	values := filled
	values.TokenURL, values.RESTURL, values.WSURL = "", "", ""
	r.fill(values)
	r.keys("up", "left")
	wantOn(t, r.screen(t), "such as https://example.com/token", "such as https://a41.chat.agora.io", "such as wss://")
	r.keys("down")
	wantOn(t, words(r), "--app-id (AGORA_APP_ID)")
	r.keys("down")
	wantOn(t, words(r), "token server ✗ write an address", "its app key is --app-key (TTLCHAT_APP_KEY)")
	r.keys("h", "backspace")
	wantOn(t, words(r), "REST ✗ write an address")
	r.keys("enter")
	if r.session != nil || r.form.focus != 5 {
		t.Errorf("empty addresses are taken, or the cursor is in field %d", r.form.focus)
	}
	for _, address := range []string{"http://t/token", "http://c", "ws://c/websocket"} {
		r.write(address)
		r.keys("down")
	}
	r.keys("enter")
	if r.session == nil || r.asked.TokenURL != "http://t/token" || r.asked.RESTURL != "http://c" || r.asked.WSURL != "ws://c/websocket" {
		t.Errorf("the session is opened with %+v: %v", r.asked, r.form.faults)
	}
}

// TestNoEmulator: what was started for a service of one's own has no emulator to choose.
func TestNoEmulator(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	values := filled
	values.Service = OwnService
	r.fill(values)
	r.form.turn(4)
	r.keys("right", "enter")
	if r.session != nil {
		t.Error("the emulator is used, which does not run")
	}
	wantOn(t, r.screen(t), "start ttlchat without --rest-url")
	values.Service = OwnTokenServer
	r.fill(values)
	r.form.turn(4)
	r.keys("left", "enter")
	if r.session != nil {
		t.Error("the emulator's token server is asked, which does not run")
	}
	wantOn(t, r.screen(t), "start ttlchat without --token-url")
}

// TestFaultsWhileTyping: a field says what is wrong as soon as something is in it.
func TestFaultsWhileTyping(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	r.write("!")
	wantOn(t, r.screen(t), "is no user name")
	r.keys("backspace")
	if r.form.faults[0] != nil {
		t.Error("the fault stays although it is mended")
	}
}

func TestOpenFails(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	r.cfg.Open = func(Form) (Session, error) {
		return nil, errors.New("the certificate is not 32 hex digits\x1b[2J: mend it")
	}
	r.keys("enter")
	wantOn(t, r.screen(t), "the certificate is not 32 hex digits: mend it")
	r.write("x")
	if r.form.fault != nil {
		t.Error("the fault stays while it is being mended")
	}
}

func TestPolicyRefused(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	r.fake.fails = errNope
	r.keys("enter")
	for _, cmd := range r.pending {
		cmd()
	}
	if r.session != nil || !slices.Equal(r.fake.asked, []string{"close"}) {
		t.Errorf("a session that refuses the policy is shown, or stays open: %v", r.fake.asked)
	}
}

func TestProfileCycles(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	r.keys("tab", "tab", "tab", "right")
	if got := r.form.values().Profile; got != "web" {
		t.Errorf("→ leads from native to %q", got)
	}
	wantOn(t, r.screen(t), "after 24 s the SDK says")
	r.keys("left", "left")
	if got := r.form.values().Profile; got != "rtc" {
		t.Errorf("← leads from native to %q", got)
	}
	wantOn(t, r.screen(t), "onTokenPrivilegeWillExpire, which comes 30 s before the end")
	r.keys("left")
	wantOn(t, r.screen(t), "after 15 s the SDK says")
}

func TestOptions(t *testing.T) {
	words := []string{"one", "two", "three", "四"}
	tests := []struct {
		chosen, width int
		want          string
	}{
		{0, 40, "[one]  two   three   四 "},
		{3, 24, " one   two   three  [四]"},
		{0, 22, "[one]  two   three  ▸"},
		{3, 22, "◂  two   three  [四]"},
		{2, 15, "◂ [three]  四 "},
		{2, 11, "◂ [three] ▸"},
		{2, 10, "[three]"},
		{2, 5, "[thr…"},
		{-1, 11, " one  ▸"}, // none
		{2, 0, ""},
	}
	p := newRig(t, 80, 24, loggedOut()).pen
	for _, test := range tests {
		if got := ansi.Strip(p.options(words, test.chosen, p.strong, test.width)); got != test.want {
			t.Errorf("word %d in %d cells: %q, want %q", test.chosen, test.width, got, test.want)
		}
	}
}

// TestNarrowForm: whatever is chosen can be read where the words do not all fit.
func TestNarrowForm(t *testing.T) {
	r := newRig(t, 40, 24, loggedOut())
	for i, field := range fields {
		for range field.words {
			r.form.turn(i)
			wantOn(t, r.screen(t), "["+r.form.inputs[i].Value()+"]")
			r.keys("right")
		}
	}
	r.keys("right")
	wantOn(t, r.screen(t), "◂ [own token server] ▸")
}

// TestNarrowHelp: on small screens the help of every field can be read, and the keys below it.
func TestNarrowHelp(t *testing.T) {
	for height := 12; height < 20; height++ {
		r := newRig(t, 40, height, loggedOut())
		values := filled
		values.Service = OwnService
		r.fill(values)
		for i, field := range fields {
			r.form.turn(i)
			wantOn(t, strings.Join(strings.Fields(r.screen(t)), " "), field.help+" Enter logs in")
		}
	}
}

func TestLoginScreenKeys(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	r.keys("ctrl+r")
	wantOn(t, r.screen(t), "nobody has logged in yet")
	r.write("?")
	if r.dialog != nil || r.form.values().User != "alice?" {
		t.Errorf("a typed ? opens the help, or is lost: %q", r.form.values().User)
	}
	r.keys("f1")
	wantOn(t, r.screen(t), "Keys of the login screen", "go to the next field", "log out and leave")
	if screen := r.screen(t); strings.Contains(screen, "not now") || strings.Contains(screen, "^R") {
		t.Errorf("the help of the login screen has keys that do nothing there:\n%s", screen)
	}
	r.keys("esc", "ctrl+p")
	wantOn(t, r.screen(t), "cannot change the policy: nobody has logged in yet, Enter does")
	r.send(tea.PasteMsg{Content: "\x1b]0;x\x07paste"})
	if got := r.form.values().User; got != "alice?paste" {
		t.Errorf("pasted: %q", got)
	}
}

// TestLowForm: on the lowest screens the field that is being written is there, with the cursor, and what is wrong with the form.
func TestLowForm(t *testing.T) {
	for _, size := range []tea.WindowSizeMsg{{Width: 20, Height: 6}, {Width: 60, Height: 6}, {Width: 60, Height: 7}, {Width: 40, Height: 9}, {Width: 40, Height: 11}} {
		r := newRig(t, size.Width, size.Height, loggedOut())
		values := filled
		values.Service = OwnService
		r.fill(values)
		for i, field := range fields {
			r.form.turn(i)
			wantOn(t, r.screen(t), "› "+field.label)
			lines := strings.Split(ansi.Strip(r.View().Content), "\n")
			if c := r.View().Cursor; field.words == nil && (c == nil || !strings.Contains(lines[c.Y], "› "+field.label)) {
				t.Errorf("%dx%d, %s: the cursor is at %+v", size.Width, size.Height, field.label, c)
			}
		}
		r.form.fault = errNope
		wantOn(t, r.screen(t), "nope")
	}
}

// TestChoicesAreNotWritten: a field with a list of words takes none but those.
func TestChoicesAreNotWritten(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	for i, field := range fields {
		if field.words == nil {
			continue
		}
		r.form.turn(i)
		for _, do := range []func(){
			func() { r.keys("backspace") }, func() { r.write("?") }, func() { r.send(tea.PasteMsg{Content: "x"}) }, func() { r.keys("delete", "space") },
		} {
			before := r.form.inputs[i].Value()
			if do(); r.form.inputs[i].Value() != before {
				t.Errorf("%s: %q became %q", field.label, before, r.form.inputs[i].Value())
			}
		}
	}
	r.form.turn(slices.IndexFunc(fields, func(f field) bool { return f.label == "profile" }))
	for _, want := range []string{"web", "rtc", "classic", "native"} {
		if r.write(want[:1]); r.form.values().Profile != want {
			t.Errorf("%c chooses %s", want[0], r.form.values().Profile)
		}
	}
	r.form.turn(slices.IndexFunc(fields, func(f field) bool { return f.label == "service" }))
	for _, want := range []Service{OwnTokenServer, OwnService, OwnTokenServer} {
		if r.write("O"); r.form.values().Service != want {
			t.Errorf("O chooses %s, not %s", r.form.values().Service, want)
		}
	}
}

func TestSummary(t *testing.T) {
	r := newRig(t, 80, 24, loggedOut())
	if r.summary() != "" {
		t.Error("there is a summary without a session")
	}
	r = opened(t, 80, 24, online(), talking()...)
	r.happen(session.Event{Name: session.TokenExpired}, session.Event{Name: session.MessageSent})
	if want := "ttlchat: logins 1, renewals 1, expiries 1; messages sent 1, received 2"; r.summary() != want {
		t.Errorf("got  %s\nwant %s", r.summary(), want)
	}
}

package tui

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/judge"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// Form is what the login screen edits, as typed.
type Form struct {
	// User logs in, Peer is whom the messages go to.
	User, Peer string
	// Lifetime is how long each token shall live, such as "30s"; "" leaves it to the token server.
	Lifetime string
	// Profile names how the client behaves: native, web, classic or rtc.
	Profile string
	// Service is whose servers are used.
	Service Service
	// TokenURL is the token server, RESTURL and WSURL are the service. Those of the emulator are not written here.
	TokenURL, RESTURL, WSURL string
	// Pasted tells that a token was given by hand, so that no token server is asked. RefusesLong tells that the emulator refuses tokens
	// that live longer than 24 hours, where others cut their life. GivesNoLife tells that the emulator's token server, as the official
	// sample that it plays, has no lifetime of its own and gives a token that is asked for none no life. Nobody edits these three.
	Pasted, RefusesLong, GivesNoLife bool
}

// Service says whose servers a session uses.
type Service string

// The choices of the login screen.
const (
	BuiltIn        Service = "built-in emulator"
	OwnTokenServer Service = "own token server"
	OwnService     Service = "own chat service"
)

var services = []Service{BuiltIn, OwnTokenServer, OwnService}

// host is the host of the chat service.
func (f Form) host() string {
	u, err := url.Parse(f.WSURL)
	if err != nil {
		return "the service"
	}
	return u.Host
}

// Life is the lifetime in whole seconds, 0 when it is left to the token server.
func (f Form) Life() (time.Duration, error) {
	if f.Lifetime == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(f.Lifetime)
	if err != nil || d < time.Second || d >= 1<<32*time.Second {
		return 0, errors.New("write a time such as 30s, 5m or 24h, at least 1s, or nothing")
	}
	return d.Truncate(time.Second), nil
}

// fate says what becomes of a lifetime that is not granted as it is: a remark, and a sentence when there will be no life to see.
func (f Form) fate() (remark, refusal string) {
	switch d, err := f.Life(); {
	case err == nil && d == 0 && f.GivesNoLife && f.Service == BuiltIn && !f.Pasted:
		return "refused: 0 s", "You will see the client refuse the token: the emulator's token server has no lifetime of its own, as the " +
			"official sample that it plays, and a token that lives 0 s is over at once."
	case err != nil || f.Pasted || d <= agoratoken.MaxLife:
		return "", ""
	case d > judge.AbsurdLife:
		return "refused: over a month", "You will see the client refuse the token: it lives over a month, so the units must have been mixed up."
	case f.RefusesLong && f.Service != OwnService && f.Profile != chat.RTC.Name: // rtc logs in nowhere
		return "refused: over 24 h", "You will see the emulator refuse the token: it lives over 24 h, and ttlchat was started with --over-24h refuse."
	default:
		return "counts as 24 h", ""
	}
}

// field is one line of the login screen.
type field struct {
	label, help string
	// example stands in the field while that is empty; remark says what is odd about a value that is right. Either may be missing.
	example string
	remark  func(Form) string
	value   func(*Form) *string
	check   func(Form) error
	// words are all its values, for ← and →; nil means that it is written.
	words []string
	// shown tells whether the field means anything; nil means always.
	shown func(Form) bool
}

var fields = []field{
	{label: "user", help: "who logs in: a-z 0-9 _ - .", value: func(f *Form) *string { return &f.User },
		check: func(f Form) error { return command.ValidUser(f.User) }},
	{label: "talk to", help: "who gets the messages; echo answers by itself, and /to changes it later", value: func(f *Form) *string { return &f.Peer },
		check: func(f Form) error { return command.ValidUser(f.Peer) }},
	{label: "lifetime", help: "how long each token lives, such as 30s or 24h; empty: the server's choice",
		value: func(f *Form) *string { return &f.Lifetime }, check: func(f Form) error { _, err := f.Life(); return err },
		remark: func(f Form) string { remark, _ := f.fate(); return remark }},
	{label: "profile", help: "which SDK to behave like; rtc is a token's life without a chat (←→)", value: func(f *Form) *string { return &f.Profile },
		check: checkProfile, words: chat.ProfileNames()},
	{label: "service", help: "the emulator, your own token server with it, or your own service (←→)",
		value: func(f *Form) *string { return (*string)(&f.Service) }, check: checkService, words: serviceNames()},
	{label: "token server", example: "such as https://example.com/token",
		help:  "the address that hands out the tokens, for --app-id (AGORA_APP_ID)",
		value: func(f *Form) *string { return &f.TokenURL },
		check: func(f Form) error {
			if f.TokenURL == "" && f.Pasted {
				return nil
			}
			return checkURL(f.TokenURL, "http", "https")
		}, shown: func(f Form) bool { return f.Service != BuiltIn }},
	{label: "REST", help: "the service's HTTP address; its app key is --app-key (TTLCHAT_APP_KEY)", example: "such as https://a41.chat.agora.io",
		value: func(f *Form) *string { return &f.RESTURL },
		check: func(f Form) error { return checkURL(f.RESTURL, "http", "https") }, shown: ownService},
	{label: "gateway", help: "the service's WebSocket address; its App ID is --app-id (AGORA_APP_ID)", example: "such as wss://msync.example.com/websocket",
		value: func(f *Form) *string { return &f.WSURL },
		check: func(f Form) error { return checkURL(f.WSURL, "ws", "wss") }, shown: ownService},
}

func ownService(f Form) bool { return f.Service == OwnService }

func serviceNames() []string {
	var names []string
	for _, s := range services {
		names = append(names, string(s))
	}
	return names
}

func checkService(f Form) error {
	if !slices.Contains(services, f.Service) {
		return fmt.Errorf("there are: %s", strings.Join(serviceNames(), ", "))
	}
	return nil
}

func checkProfile(f Form) error {
	if _, ok := chat.ProfileByName(f.Profile); !ok {
		return fmt.Errorf("there are: %s", strings.Join(chat.ProfileNames(), ", "))
	}
	return nil
}

func checkURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("write an address such as %s://host:port/path", schemes[0])
	}
	return nil
}

// formKeys are the keys of the login screen. All but the first are the form's own; here they only have their names.
func formKeys() []action {
	return []action{
		{panel: loginForm, keys: bind("", "F1", "f1"), help: "show these keys", do: (*model).showHelp},
		{panel: loginForm, keys: bind("", "Enter", "enter"), help: "log in"},
		{panel: loginForm, keys: bind("", "Tab ↓", "tab", "down"), help: "go to the next field, Shift+Tab or ↑ to the one before"},
		{panel: loginForm, keys: bind("", "← →", "left", "right"), help: "choose another word, or move in what is written; a letter chooses the word that begins with it"},
	}
}

// form is the login screen.
type form struct {
	inputs []textinput.Model
	given  Form // what the program was started with; it stands for the fields that are not shown
	focus  int
	faults []error // per field, as one types
	fault  error   // what Open said
}

func newForm(values Form) form {
	f := form{given: values, inputs: make([]textinput.Model, len(fields)), faults: make([]error, len(fields))}
	for i, field := range fields {
		in := textinput.New()
		in.Prompt, in.Placeholder = "", field.example
		in.CharLimit = 512
		in.KeyMap.Paste.SetEnabled(false) // it would run a program to read the clipboard; the terminal's own paste works
		in.SetVirtualCursor(false)
		in.SetValue(printable.Line(*field.value(&values), 512))
		f.inputs[i] = in
	}
	f.inputs[0].Focus()
	return f
}

// values returns the fields as typed, and for those that are not shown what the program was started with.
func (f *form) values() Form {
	typed := f.given
	for i, field := range fields {
		*field.value(&typed) = strings.TrimSpace(f.inputs[i].Value())
	}
	values := f.given
	for _, field := range fields {
		if field.shown == nil || field.shown(typed) {
			*field.value(&values) = *field.value(&typed)
		}
	}
	return values
}

// shown tells whether a field means anything for what is chosen.
func (f *form) shown(i int) bool { return fields[i].shown == nil || fields[i].shown(f.values()) }

// valid checks every field, moves to the first wrong one, and tells whether there is none.
func (f *form) valid() bool {
	values, ok := f.values(), true
	for i, field := range fields {
		if f.faults[i] = nil; f.shown(i) {
			f.faults[i] = field.check(values)
		}
		if f.faults[i] != nil && ok {
			f.turn(i)
			ok = false
		}
	}
	if !ok {
		return false
	}
	f.fault = f.stands(values.Service)
	return f.fault == nil
}

// stands says what does not run of the emulator although the chosen service needs it.
func (f *form) stands(chosen Service) error {
	switch given := f.given.Service; {
	case given == OwnService && chosen != OwnService:
		return errors.New("the emulator does not run: start ttlchat without --rest-url and --ws-url, or choose your own chat service")
	case given == OwnTokenServer && chosen == BuiltIn:
		return errors.New("the emulator's token server does not run: start ttlchat without --token-url, or choose your own token server")
	default:
		return nil
	}
}

// turn gives a field the focus.
func (f *form) turn(i int) {
	f.inputs[f.focus].Blur()
	f.focus = i
	f.inputs[f.focus].Focus()
}

// move changes the focus by so many fields that are shown, around the ends, and tells what is wrong with the one that is left.
func (f *form) move(by int) {
	f.check()
	i := f.focus
	for range fields {
		if i = (i + by + len(fields)) % len(fields); f.shown(i) {
			break
		}
	}
	f.turn(i)
}

func (f *form) update(msg tea.Msg) tea.Cmd {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch name := key.String(); {
		case name == "tab" || name == "down":
			f.move(1)
			return nil
		case name == "shift+tab" || name == "up":
			f.move(-1)
			return nil
		case (name == "left" || name == "right") && fields[f.focus].words != nil:
			f.choose(name == "right")
			return nil
		case fields[f.focus].words != nil:
			f.spell(key.Text)
			return nil
		}
	}
	if _, pasted := msg.(tea.PasteMsg); pasted && fields[f.focus].words != nil {
		return nil
	}
	var cmd tea.Cmd
	f.inputs[f.focus], cmd = f.inputs[f.focus].Update(msg)
	f.check()
	return cmd
}

// check looks at the field that is being written.
func (f *form) check() { f.faults[f.focus], f.fault = fields[f.focus].check(f.values()), nil }

// choose puts the next or the previous word into the field.
func (f *form) choose(forward bool) {
	words, by := fields[f.focus].words, 1
	if !forward {
		by = -1
	}
	i := slices.Index(words, f.inputs[f.focus].Value())
	f.inputs[f.focus].SetValue(words[(max(i, 0)+by+len(words))%len(words)])
	f.check()
}

// spell puts the next word into the field that begins with what was typed.
func (f *form) spell(text string) {
	words := fields[f.focus].words
	at := slices.Index(words, f.inputs[f.focus].Value())
	for i := range words {
		if word := words[(at+1+i)%len(words)]; text != "" && strings.HasPrefix(word, strings.ToLower(text)) {
			f.inputs[f.focus].SetValue(word)
			f.check()
			return
		}
	}
}

// preview is the one sentence about what one is about to see.
func (f *form) preview(policy session.Policy) string {
	values := f.values()
	d, err := values.Life()
	profile, ok := chat.ProfileByName(values.Profile)
	_, refusal := values.fate()
	switch {
	case refusal != "":
		return refusal
	case values.Pasted:
		return "You will see the life of the token that you gave, which cannot be renewed: will-expire, expiry, and what the app does about it."
	case err != nil || !ok || d == 0:
		return "You will see a token's life: will-expire, renewal, expiry, and what the app does about it."
	}
	lives := life(d)
	if d > agoratoken.MaxLife {
		d = agoratoken.MaxLife
		lives = life(d) + ", because the service allows no more"
	}
	born := time.Now()
	warning := chat.WillExpireAt(profile, born, born.Add(d))
	middle := fmt.Sprintf("after %s the SDK says %s and the app will %s", life(warning.Sub(born)), profile.WillExpireCallback, afterWillExpire(policy))
	if warning.IsZero() {
		middle = fmt.Sprintf("that is too short for %s, which comes %s before the end", profile.WillExpireCallback, life(profile.Lead))
	}
	return fmt.Sprintf("You will see a token that lives %s: %s; at the end it says %s and the app will %s.", lives, middle, profile.ExpiredCallback, afterExpired(policy))
}

// dress puts the styles on the inputs and gives them their width.
func (f *form) dress(p pen, width int) {
	for i := range f.inputs {
		f.inputs[i].SetStyles(p.field)
		f.inputs[i].SetWidth(max(width-2*formMargin(width)-formLabel-1, 1))
	}
}

// options draws the words to choose from, in at most width cells. Where not all fit, those around the chosen one are shown, and arrows
// tell on which side there are more.
func (p pen) options(words []string, chosen int, lit paint, width int) string {
	draw := func(from, to int) string {
		var out []string
		if from > 0 {
			out = append(out, p.dim.Render("◂"))
		}
		for i := from; i < to; i++ {
			if i == chosen {
				out = append(out, lit.Render("["+words[i]+"]"))
			} else {
				out = append(out, p.dim.Render(" "+words[i]+" "))
			}
		}
		if to < len(words) {
			out = append(out, p.dim.Render("▸"))
		}
		return strings.Join(out, " ")
	}
	fits := func(from, to int) bool { return p.cells.StringWidth(draw(from, to)) <= width }
	from := max(chosen, 0)
	to := from + 1
	for {
		switch {
		case to < len(words) && fits(from, to+1):
			to++
		case from > 0 && fits(from-1, to):
			from--
		case fits(from, to):
			return draw(from, to)
		default: // not even the arrows fit
			return p.cut(lit.Render("["+words[from]+"]"), width, "…")
		}
	}
}

// choices draws the words of a field with the one that it holds, which may come from outside and be none of them.
func (f *form) choices(p pen, i, width int) string {
	words, held, lit := fields[i].words, f.inputs[i].Value(), p.strong
	if i == f.focus {
		lit = p.pills[calm]
	}
	if !slices.Contains(words, held) {
		held = printable.Line(held, 40)
		words = append(slices.Clone(words), held)
	}
	return p.options(words, slices.Index(words, held), lit, width)
}

// aside is what stands beside a field: what is wrong with its value, or what is odd about it.
func (f *form) aside(p pen, i int) string {
	if err := f.faults[i]; err != nil {
		return p.tones[dead].Render("  ✗ " + printable.Line(err.Error(), 200))
	}
	if remark := fields[i].remark; remark != nil {
		if text := remark(f.values()); text != "" {
			return p.tones[late].Render("  ! " + text)
		}
	}
	return ""
}

// formMargin keeps the form from getting too wide to read; formLabel is the width of the column of labels.
func formMargin(width int) int { return max((width-84)/2, 1) }

const formLabel = 16

// view draws the form and says where the cursor is. Where there is no room for all of it, the field that is being written and what is to be said
// about it come first.
func (f *form) view(p pen, policy session.Policy, width, height int) ([]string, *tea.Cursor) {
	const label = formLabel
	margin := formMargin(width)
	inner := width - 2*margin
	title := []string{p.pills[calm].Render(" ttlchat ") + p.dim.Render("  watch a chat token live, expire and be renewed"), ""}
	gap := max((height-len(fields)-10)/3, 0)
	help, paint := fields[f.focus].help, p.dim
	if err := cmp.Or(f.fault, f.faults[f.focus]); err != nil {
		help, paint = printable.Line(err.Error(), 400), p.tones[dead]
	}
	var rows []string
	var cursor *tea.Cursor
	at := 0
	for i, field := range fields {
		if !f.shown(i) {
			continue
		}
		name := p.dim.Render(p.fit("  "+field.label, label))
		if i == f.focus {
			name = p.accent.Render(p.fit("› "+field.label, label))
			at = len(rows)
		}
		in := &f.inputs[i]
		if i == f.focus {
			if cursor = in.Cursor(); cursor != nil {
				cursor.X += margin + label
			}
		}
		aside := f.aside(p, i)
		room := max(inner-label-p.cells.StringWidth(aside), 8)
		value := in.View()
		switch {
		case field.words != nil:
			value = f.choices(p, i, room)
			if i == f.focus {
				cursor = nil
			}
		case aside != "" && in.Value() == "": // the example gives way
			value = ""
		}
		if aside != "" {
			value = p.cut(strings.TrimRight(value, " "), room, "…") + aside
		}
		rows = append(rows, p.fit(name+value, inner))
	}
	spacious := height >= len(fields)+6
	if !spacious {
		title = title[:1]
	}
	if height < len(rows)+3 {
		title = nil
	}
	// The keys need a line, too, and on the lowest screens a field and two lines on it are all.
	below := p.wrap(help, inner, min(max(height-gap-len(title)-len(rows)-1, 2), 3))
	for i, line := range below {
		below[i] = paint.Render(line)
	}
	first := 0
	if room := max(height-len(title)-len(below), 1); room < len(rows) {
		first = min(max(at-room/2, 0), len(rows)-room)
		rows = rows[first : first+room]
	}
	if cursor != nil {
		cursor.Y = gap + len(title) + at - first
	}
	lines := slices.Concat(title, rows)
	if spacious {
		lines = append(lines, "")
	}
	lines = append(lines, below...)
	lines = append(lines, p.hints([][2]string{{"Enter", "logs in"}, {"Tab", "next field"}, {"←→", "choose"}, {"^C", "quits"}, {"F1", "keys"}}, inner))
	if room := height - gap - len(lines) - 1; room > 0 {
		lines = append(lines, "")
		for _, line := range p.wrap(f.preview(policy), inner, room) {
			lines = append(lines, p.dim.Render(line))
		}
	}
	out := make([]string, gap, height+1)
	for _, line := range lines {
		out = append(out, strings.Repeat(" ", margin)+line)
	}
	if cursor != nil && cursor.Y >= height {
		cursor = nil
	}
	return p.block(out, width, height), cursor
}

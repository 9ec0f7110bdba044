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

	"github.com/ttlchat/ttlchat/internal/command"
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
	// Profile names how the client behaves: native, web or classic.
	Profile string
	// TokenURL is the token server, "" when a token was given by hand. RESTURL and WSURL are the service.
	TokenURL, RESTURL, WSURL string
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

// field is one line of the login screen.
type field struct {
	label, help string
	value       func(*Form) *string
	check       func(Form) error
}

var fields = []field{
	{"user", "who logs in", func(f *Form) *string { return &f.User }, func(f Form) error { return command.ValidUser(f.User) }},
	{"talk to", "who gets the messages; /to changes it later", func(f *Form) *string { return &f.Peer },
		func(f Form) error { return command.ValidUser(f.Peer) }},
	{"lifetime", "how long each token lives, such as 30s or 24h; empty: as the token server likes", func(f *Form) *string { return &f.Lifetime },
		func(f Form) error { _, err := f.Life(); return err }},
	{"profile", "which SDK to behave like: native, web or classic (←→)", func(f *Form) *string { return &f.Profile }, checkProfile},
	{"token server", "who hands out the tokens", func(f *Form) *string { return &f.TokenURL }, func(f Form) error {
		if f.TokenURL == "" {
			return nil
		}
		return checkURL(f.TokenURL, "http", "https")
	}},
	{"REST", "the chat service's HTTP address", func(f *Form) *string { return &f.RESTURL },
		func(f Form) error { return checkURL(f.RESTURL, "http", "https") }},
	{"gateway", "the chat service's WebSocket address", func(f *Form) *string { return &f.WSURL },
		func(f Form) error { return checkURL(f.WSURL, "ws", "wss") }},
}

func checkProfile(f Form) error {
	if _, ok := chat.ProfileByName(f.Profile); !ok {
		return errors.New("there are native, web and classic")
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

// form is the login screen.
type form struct {
	inputs []textinput.Model
	focus  int
	faults []error // per field, from the last Enter
	fault  error   // what Open said
}

func newForm(values Form) form {
	f := form{inputs: make([]textinput.Model, len(fields)), faults: make([]error, len(fields))}
	for i, field := range fields {
		in := textinput.New()
		in.Prompt = ""
		in.CharLimit = 512
		in.KeyMap.Paste.SetEnabled(false) // it would run a program to read the clipboard; the terminal's own paste works
		in.SetVirtualCursor(false)
		in.SetValue(printable.Line(*field.value(&values), 512))
		f.inputs[i] = in
	}
	f.inputs[0].Focus()
	return f
}

// values returns the fields as typed.
func (f *form) values() Form {
	var values Form
	for i, field := range fields {
		*field.value(&values) = strings.TrimSpace(f.inputs[i].Value())
	}
	return values
}

// valid checks every field, moves to the first wrong one, and tells whether there is none.
func (f *form) valid() bool {
	values, ok := f.values(), true
	for i, field := range fields {
		f.faults[i] = field.check(values)
		if f.faults[i] != nil && ok {
			f.move(i - f.focus)
			ok = false
		}
	}
	return ok
}

// move changes the focus by so many fields, around the ends.
func (f *form) move(by int) {
	f.inputs[f.focus].Blur()
	f.focus = (f.focus + by + len(fields)) % len(fields)
	f.inputs[f.focus].Focus()
}

func (f *form) update(msg tea.Msg) tea.Cmd {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "tab", "down":
			f.move(1)
			return nil
		case "shift+tab", "up":
			f.move(-1)
			return nil
		case "left", "right":
			if fields[f.focus].label == "profile" {
				f.choose(key.String() == "right")
				return nil
			}
		}
	}
	var cmd tea.Cmd
	f.inputs[f.focus], cmd = f.inputs[f.focus].Update(msg)
	f.faults[f.focus], f.fault = nil, nil
	return cmd
}

// choose puts the next or the previous profile into the field.
func (f *form) choose(forward bool) {
	profiles := chat.Profiles()
	i := slices.IndexFunc(profiles, func(p chat.Profile) bool { return p.Name == f.inputs[f.focus].Value() })
	if forward {
		i++
	} else {
		i += len(profiles) - 1
	}
	f.inputs[f.focus].SetValue(profiles[max(i, 0)%len(profiles)].Name)
	f.faults[f.focus] = nil
}

// preview is the one sentence about what one is about to see.
func (f *form) preview(policy session.Policy) string {
	values := f.values()
	d, err := values.Life()
	profile, ok := chat.ProfileByName(values.Profile)
	if err != nil || !ok || d == 0 {
		return "You will see a token's life: will-expire, renewal, expiry, and what the app does about it."
	}
	warning := time.Duration(float64(d) * profile.WillExpire)
	return fmt.Sprintf("You will see a token that lives %s: after %s the SDK says %s and the app will %s; at the end it says %s and the app will %s.",
		life(d), life(warning), profile.WillExpireCallback, afterWillExpire(policy), profile.ExpiredCallback, afterExpired(policy))
}

// dress puts the styles on the inputs and gives them their width.
func (f *form) dress(p pen, width int) {
	for i := range f.inputs {
		f.inputs[i].SetStyles(p.field)
		f.inputs[i].SetWidth(max(width-2*formMargin(width)-formLabel-1, 1))
	}
}

// formMargin keeps the form from getting too wide to read; formLabel is the width of the column of labels.
func formMargin(width int) int { return max((width-84)/2, 1) }

const formLabel = 16

// view draws the form and says where the cursor is.
func (f *form) view(p pen, policy session.Policy, width, height int) ([]string, *tea.Cursor) {
	const label = formLabel
	margin := formMargin(width)
	inner := width - 2*margin
	lines := []string{p.accent.Bold().Render("ttlchat") + p.dim.Render("  watch a chat token live, expire and be renewed"), ""}
	gap := max((height-len(fields)-10)/3, 0)
	if height < len(fields)+6 {
		lines = lines[:1]
	}
	var cursor *tea.Cursor
	for i, field := range fields {
		name := p.dim.Render(p.fit("  "+field.label, label))
		if i == f.focus {
			name = p.accent.Render(p.fit("› "+field.label, label))
		}
		in := &f.inputs[i]
		if i == f.focus {
			if cursor = in.Cursor(); cursor != nil {
				cursor.X += margin + label
				cursor.Y = gap + len(lines)
			}
		}
		value := in.View()
		if err := f.faults[i]; err != nil {
			text := p.tones[dead].Render("  ✗ " + printable.Line(err.Error(), 200))
			value = p.cut(strings.TrimRight(value, " "), max(inner-label-p.cells.StringWidth(text), 8), "…") + text
		}
		lines = append(lines, p.fit(name+value, inner))
	}
	below := []string{p.dim.Render(fields[f.focus].help)}
	if err := cmp.Or(f.fault, f.faults[f.focus]); err != nil {
		below = p.wrap(printable.Line(err.Error(), 400), inner, 3)
		for i, line := range below {
			below[i] = p.tones[dead].Render(line)
		}
	}
	if height >= len(fields)+6 {
		lines = append(lines, "")
	}
	lines = append(lines, below...)
	lines = append(lines, p.hints([][2]string{{"Enter", "logs in"}, {"Tab", "next field"}, {"^C", "quits"}, {"F1", "keys"}}, inner))
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

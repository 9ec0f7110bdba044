package tui

import (
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Inspection is what one token says. Its texts may come from outside.
type Inspection struct {
	// Short is the token's short form, by which it is recognized.
	Short string
	// Fields are what the token says, in its order.
	Fields []TokenField
	// Findings are what is wrong or odd with it, as sentences.
	Findings []string
	// Genuine says whether its signature is right, and Checked whether anybody could tell.
	Genuine, Checked bool
}

// TokenField is one line of a decoded token: its name, its value and what that means. At is an instant that ends the value, or is all of
// it.
type TokenField struct {
	Name, Value, Meaning string
	At                   time.Time
}

// inspector is the panel that shows the tokens decoded.
type inspector struct{ top, height, lines int }

func inspectorNote(m *model) string {
	if m.focus == tokenPanel {
		return m.dim.Render("^Y copies the token")
	}
	return ""
}

// inspectorLines draws the newest token field by field, with what differs from the one before, and then that one.
func (m *model) inspectorLines(a area) []string {
	tokens := m.session.Tokens()
	if len(tokens) == 0 {
		return []string{m.dim.Render("no token has been fetched yet: ^L logs in")}
	}
	now := m.session.Now()
	var before *Inspection
	if len(tokens) > 1 {
		before = new(m.inspect(tokens[1], now))
	}
	current := m.inspect(tokens[0], now)
	head := "the newest token"
	if t := m.snap.Token; t != nil && t.Short == current.Short {
		head = "the token in use, the " + ordinal(t.Ordinal) + " of this session"
	}
	draw := func(roomy bool) []string {
		lines := append(m.wrapped(m.strong, head, a.width), m.inspection(current, before, a.width, roomy)...)
		if before != nil {
			lines = append(lines, "", m.strong.Render("the one before"))
			lines = append(lines, m.inspection(*before, nil, a.width, roomy)...)
		}
		return lines
	}
	if lines := draw(true); len(lines) <= a.height {
		return lines
	}
	return draw(false)
}

// inspect decodes a token, and writes its instants as the rest of the screen does.
func (m *model) inspect(t Token, now time.Time) Inspection {
	in := t.Inspect(now)
	in.Fields = slices.Clone(in.Fields)
	for i, f := range in.Fields {
		if !f.At.IsZero() {
			in.Fields[i].Value = strings.TrimLeft(f.Value+" "+m.instant(f.At, now), " ")
		}
	}
	return in
}

// instant writes a date with its zone, and how far away it is.
func (p pen) instant(at, now time.Time) string {
	away := "now"
	switch past := now.Sub(at).Truncate(time.Second); {
	case at.After(now):
		away = "in " + span(left(at, now))
	case past > far: // the screen is drawn once a minute then
		away = life(past.Truncate(time.Minute)) + " ago"
	case past > 0:
		away = life(past) + " ago"
	}
	return at.In(p.zone).Format("2006-01-02 15:04:05 MST") + " (" + away + ")"
}

// inspection draws one token; what differs from an earlier one is marked, with the earlier value. What the values mean is left out where
// it does not fit beside them, unless there is room below.
func (m *model) inspection(in Inspection, before *Inspection, width int, roomy bool) []string {
	var lines []string
	for i, f := range in.Fields {
		name, value := printable.Line(f.Name, 40), printable.Line(f.Value, 120)
		if len(f.Name) > 1 && f.Name[0] == ' ' {
			name = "  " + name
		}
		if was, changed := changedField(before, in.Fields, i); changed {
			lines = append(lines, m.property(name, value, "was "+printable.Line(was, 120), m.accent.Bold(), width, true)...)
		} else {
			lines = append(lines, m.property(name, value, printable.Line(f.Meaning, 120), m.text, width, roomy)...)
		}
	}
	verdict, tone := "signature not checked: the App Certificate is not known here", calm
	switch {
	case in.Genuine:
		verdict, tone = "genuine: signed with this project's App Certificate", alive
	case in.Checked:
		verdict, tone = "not genuine: signed with another App Certificate, or altered", dead
	}
	lines = append(lines, m.wrapped(m.tones[tone], verdict, width)...)
	for _, finding := range in.Findings {
		lines = append(lines, m.wrapped(m.tones[late], "! "+printable.Line(finding, 300), width)...)
	}
	return lines
}

// wrapped paints a text on as many lines as it needs, within reason.
func (p pen) wrapped(paint paint, text string, width int) []string {
	const most = 6
	lines := p.wrap(text, width, most)
	for i, line := range lines {
		lines[i] = paint.Render(line)
	}
	return lines
}

// property draws a name, its value, and a note beside it. A note that does not fit there stands below if it must, and nowhere otherwise.
func (p pen) property(name, value, note string, paint paint, width int, must bool) []string {
	const column = 12
	lines := p.wrapped(paint, value, width-column)
	switch beside := p.dim.Render("  " + note); {
	case note == "":
	case len(lines) == 1 && p.cells.StringWidth(lines[0]+beside) <= width-column:
		lines[0] += beside
	case must:
		lines = append(lines, p.wrapped(p.dim, note, width-column)...)
	}
	for i, line := range lines {
		lines[i] = p.cut(p.dim.Render(p.fit(name, column))+line, width, "…")
		name = ""
	}
	return lines
}

// changedField returns what field i said in the earlier token, when that was something else. Fields of one name are told apart by their
// order.
func changedField(before *Inspection, fields []TokenField, i int) (was string, changed bool) {
	if before == nil {
		return "", false
	}
	nth := 0
	for _, f := range fields[:i] {
		if f.Name == fields[i].Name {
			nth++
		}
	}
	for _, f := range before.Fields {
		if f.Name != fields[i].Name {
			continue
		}
		if nth == 0 {
			return f.Value, f.Value != fields[i].Value
		}
		nth--
	}
	return "nothing", true
}

func viewInspector(m *model, a area) []string {
	lines := m.inspectorLines(a)
	m.inspector.lines, m.inspector.height = len(lines), a.height
	m.inspector.top = min(max(m.inspector.top, 0), max(len(lines)-a.height, 0))
	return lines[m.inspector.top:]
}

func moveInspector(m *model, _ area, lines int) {
	m.inspector.top = min(max(m.inspector.top-lines, 0), max(m.inspector.lines-m.inspector.height, 0))
}

// copyToken asks first: a token is a secret, and a clipboard is read by many.
func (m *model) copyToken() {
	tokens := m.session.Tokens()
	if len(tokens) == 0 {
		return
	}
	newest := tokens[0]
	m.dialog = question{
		title: "copy the whole token?",
		text: "Whoever has " + printable.Line(newest.Inspect(m.session.Now()).Short, 40) + " can log in as " + printable.Line(m.snap.User, 64) +
			" until it expires, and other programs can read the clipboard.",
		yes: func(m *model) { m.copy("the token", newest.Reveal()) },
	}
}

// Token is one token that the token server gave.
type Token interface {
	// Inspect decodes the token, as seen at an instant. It is called for every frame that shows the token, and must be quick.
	Inspect(now time.Time) Inspection
	// Reveal returns the whole token.
	Reveal() string
}

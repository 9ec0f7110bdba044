package tui

import (
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

// TokenField is one line of a decoded token: its name, its value and what that means.
type TokenField struct{ Name, Value, Meaning string }

// inspector is the panel that shows the tokens decoded.
type inspector struct{ top, height, lines int }

func inspectorNote(m *model) string {
	if m.focus == tokenPanel {
		return m.dim.Render("^Y copies the token")
	}
	return ""
}

// inspectorLines draws the newest token field by field, with what differs from the one before, and then that one.
func (m *model) inspectorLines(width int) []string {
	tokens := m.session.Tokens()
	if len(tokens) == 0 {
		return []string{m.dim.Render("no token has been fetched yet: ^L logs in")}
	}
	now := m.session.Now()
	var before *Inspection
	if len(tokens) > 1 {
		before = new(tokens[1].Inspect(now))
	}
	current := tokens[0].Inspect(now)
	head := "the newest token"
	if t := m.snap.Token; t != nil && t.Short == current.Short {
		head = "the token in use, the " + ordinal(t.Ordinal) + " of this session"
	}
	lines := append([]string{m.strong.Render(head)}, m.inspection(current, before, width)...)
	if before != nil {
		lines = append(lines, "", m.strong.Render("the one before"))
		lines = append(lines, m.inspection(*before, nil, width)...)
	}
	return lines
}

// inspection draws one token; what differs from an earlier one is marked, with the earlier value where there is room.
func (m *model) inspection(in Inspection, before *Inspection, width int) []string {
	const column = 12
	var lines []string
	for i, f := range in.Fields {
		name, value := printable.Line(f.Name, 40), printable.Line(f.Value, 120)
		if len(f.Name) > 1 && f.Name[0] == ' ' {
			name = "  " + name
		}
		line := m.dim.Render(m.fit(name, column))
		if was, changed := changedField(before, in.Fields, i); changed {
			line += m.accent.Bold().Render(value) + m.dim.Render("  was "+printable.Line(was, 60))
		} else {
			line += value + m.dim.Render("  "+printable.Line(f.Meaning, 120))
		}
		lines = append(lines, m.cut(line, width, "…"))
	}
	verdict, tone := "signature not checked: the App Certificate is not known here", calm
	switch {
	case in.Genuine:
		verdict, tone = "genuine: signed with this project's App Certificate", alive
	case in.Checked:
		verdict, tone = "not genuine: signed with another App Certificate, or altered", dead
	}
	lines = append(lines, m.tones[tone].Render(m.cut(verdict, width, "…")))
	for _, finding := range in.Findings {
		for _, line := range m.wrap("! "+printable.Line(finding, 300), width, 4) {
			lines = append(lines, m.tones[late].Render(line))
		}
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
	lines := m.inspectorLines(a.width)
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

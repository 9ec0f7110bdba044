package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// dialog is what lies over the panels until it is closed. There is at most one.
type dialog interface {
	// press handles a key, and tells whether the key was for the dialog.
	press(m *model, msg tea.KeyPressMsg) bool
	// hints are its keys with a word each, for the line below the screen.
	hints() [][2]string
	// view draws a title, a note on its keys, and at most height lines of at most width cells. The cursor is relative to the lines.
	view(m *model, width, height int) (title, note string, lines []string, cursor *tea.Cursor)
	// scroll moves the dialog's window or cursor by lines, upwards when positive.
	scroll(lines int)
	// bar tells which part of all there is the last view showed, as fractions of its length.
	bar() (top, bottom float64)
}

// refuse says that a key means nothing to the open dialog, and tells that nothing is to become of it: what lies below is not meant. Only
// leaving the program always is.
func (m *model) refuse(msg tea.KeyPressMsg) bool {
	if name := msg.String(); name == "ctrl+c" || name == "ctrl+z" {
		return false
	}
	m.say(keyName(msg.String())+" does nothing while this is open: "+hintWords(m.dialog.hints()), calm)
	return true
}

// hintWords writes keys with a word each as a sentence does.
func hintWords(pairs [][2]string) string {
	words := make([]string, len(pairs))
	for i, pair := range pairs {
		words[i] = pair[0] + " " + pair[1]
	}
	return strings.Join(words, ", ")
}

// overlay draws the dialog over the lines, which begin at row y of the screen, and returns its cursor. On a large screen it lies over the chat.
func (m *model) overlay(lines []string, y int) *tea.Cursor {
	room, width, height := m.width, m.width, len(lines)
	switch {
	case m.session != nil && m.large(): // beside the life of the token, which goes on
		room = m.chatWidth()
		width = room
	case !m.small():
		width, height = min(m.width-4, 100), height-2
	}
	if width < 8 || height < 3 {
		return nil
	}
	title, note, content, cursor := m.dialog.view(m, width-4, height-2)
	height = min(height, len(content)+2)
	box := m.boxed(m.accent.Bold().Render(title), m.dim.Render(note), content, width, height)
	from, to := m.dialog.bar()
	m.scrollBar(box, from, to)
	left, top := (room-width)/2, (len(lines)-height)/2
	for i, line := range box {
		under := lines[top+i]
		before := m.fit(m.cut(under, left, ""), left)
		after := m.right(m.cells.TruncateLeft(under, left+width, ""), m.width-left-width)
		lines[top+i] = before + line + after
	}
	if cursor != nil {
		cursor.X += left + 2
		cursor.Y += y + top + 1
	}
	return cursor
}

// reader is a dialog that shows lines to scroll through.
type reader struct {
	title string
	draw  func(m *model, width int) []string
	// The window, and how many lines there are.
	top, height, lines int
}

func (r *reader) press(m *model, msg tea.KeyPressMsg) bool {
	page := max(m.height/2, 1)
	switch msg.String() {
	case "up":
		r.top--
	case "down":
		r.top++
	case "pgup":
		r.top -= page
	case "pgdown", "space":
		r.top += page
	case "home":
		r.top = 0
	case "end":
		r.top = 1 << 20
	case "esc", "q", "?", "f1", "enter":
		m.dialog = nil
	default:
		// One reads of a key and tries it; what is text is for an input that cannot be seen.
		return msg.Text != "" && m.refuse(msg)
	}
	return true
}

func (r *reader) hints() [][2]string {
	return [][2]string{{"↑↓ PgUp PgDn", "scroll"}, {"Home End", "lead to the ends"}, {"Esc", "closes"}}
}

func (r *reader) scroll(lines int) { r.top -= lines }

func (r *reader) view(m *model, width, height int) (string, string, []string, *tea.Cursor) {
	lines := r.draw(m, width)
	r.height, r.lines = height, len(lines)
	r.top = min(max(r.top, 0), max(len(lines)-height, 0))
	shown := lines[r.top:min(r.top+height, len(lines))]
	note := "Esc closes"
	if more := m.more(r.top, len(lines)-r.top-len(shown)); more != "" {
		note = more + " · " + note
	}
	return r.title, note, shown, nil
}

func (r *reader) bar() (float64, float64) { return partOf(r.top, r.height, r.lines) }

// partOf is which part of so many lines a window shows that begins at top.
func partOf(top, height, lines int) (float64, float64) {
	if lines <= height {
		return 0, 1
	}
	return float64(top) / float64(lines), float64(top+height) / float64(lines)
}

// question is a dialog that asks before something is done.
type question struct {
	title, text string
	yes         func(*model)
}

func (q question) press(m *model, msg tea.KeyPressMsg) bool {
	switch strings.ToLower(msg.String()) {
	case "y", "enter":
		m.dialog = nil
		q.yes(m)
	case "n", "esc", "q":
		m.dialog = nil
	default:
		return m.refuse(msg)
	}
	return true
}

func (q question) hints() [][2]string {
	return [][2]string{{"y", "yes"}, {"n", "no"}, {"Esc", "closes"}}
}

func (q question) scroll(int) {}

func (q question) bar() (float64, float64) { return 0, 1 }

func (q question) view(m *model, width, _ int) (string, string, []string, *tea.Cursor) {
	lines := m.wrap(q.text, width, 8)
	return q.title, "y yes · n no", append(lines, ""), nil
}

package tui

import (
	"charm.land/bubbles/v2/textarea"
	"charm.land/bubbles/v2/textinput"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// tone is how a thing bears on the life of the token. Colour repeats what the words say, so that nothing is lost without it.
type tone int

const (
	calm  tone = iota // nothing to do with the token's life
	alive             // the token lives
	late              // the token is about to end, something is being tried again, or a fault is on
	dead              // the token or the session is over
)

// theme is every colour of the screen on one kind of background. All reach the contrast of WCAG AA there, which a test computes: 4.5 for
// text, 3 for the lines of faint, which carry no words.
type theme struct {
	dim, faint, accent string
	alive, late, dead  string
	ground             string // what is written on an accent or a tone
	darkest, brightest string // the range of backgrounds that the theme is for
}

var (
	darkTheme = theme{
		dim: "#A8A8A8", faint: "#6C6C6C", accent: "#8AB4FF", alive: "#7FCB8F", late: "#F0B955", dead: "#F58A8A", ground: "#101014",
		darkest: "#000000", brightest: "#1E1E2E",
	}
	lightTheme = theme{
		dim: "#585858", faint: "#808080", accent: "#0A58A6", alive: "#1A6A36", late: "#835000", dead: "#AE1F29", ground: "#FFFFFF",
		darkest: "#EEEEEE", brightest: "#FFFFFF",
	}
)

// paint is how a piece of one line looks. A frame has hundreds of pieces, for which a lipgloss.Style does far more than is needed.
type paint struct{ begin string }

// Render returns the text in this paint.
func (p paint) Render(text string) string {
	if text == "" || p.begin == "" {
		return text
	}
	return p.begin + text + ansi.ResetStyle
}

// Bold returns a bolder paint.
func (p paint) Bold() paint { return paint{p.begin + ansi.NewStyle().Bold().String()} }

// styles holds every style of the screen: greys, one accent, and the three colours of a token's life.
type styles struct {
	text, strong, dim, faint, accent paint
	tones                            [4]paint
	// pills are for words on a ground of the tone's colour; the calm one has the accent.
	pills [4]paint
	area  textarea.Styles
	field textinput.Styles
}

func newStyles(darkBackground bool) *styles {
	t := lightTheme
	if darkBackground {
		t = darkTheme
	}
	ink := func(hex string) paint { return paint{ansi.NewStyle().ForegroundColor(lipgloss.Color(hex)).String()} }
	pill := func(hex string) paint {
		return paint{ansi.NewStyle().Bold().ForegroundColor(lipgloss.Color(t.ground)).BackgroundColor(lipgloss.Color(hex)).String()}
	}
	s := &styles{strong: paint{}.Bold(), dim: ink(t.dim), faint: ink(t.faint), accent: ink(t.accent)}
	s.tones = [4]paint{s.dim, ink(t.alive), ink(t.late), ink(t.dead)}
	s.pills = [4]paint{pill(t.accent), pill(t.alive), pill(t.late), pill(t.dead)}

	plain, dim := lipgloss.NewStyle(), lipgloss.NewStyle().Foreground(lipgloss.Color(t.dim))
	area := textarea.StyleState{
		Base: plain, Text: plain, CursorLine: plain, Placeholder: dim, Prompt: plain.Foreground(lipgloss.Color(t.accent)), EndOfBuffer: plain,
	}
	s.area = textarea.Styles{Focused: area, Blurred: area}
	field := textinput.StyleState{Text: plain, Placeholder: dim, Suggestion: plain, Prompt: plain}
	s.field = textinput.Styles{Focused: field, Blurred: field}
	return s
}

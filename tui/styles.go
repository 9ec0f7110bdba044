package tui

import (
	"image/color"

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
	late              // the token is about to end, or something is being tried again
	dead              // the token or the session is over
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
	area                             textarea.Styles
	field                            textinput.Styles
}

func newStyles(darkBackground bool) *styles {
	choose := lipgloss.LightDark(darkBackground)
	pick := func(light, dark string) color.Color { return choose(lipgloss.Color(light), lipgloss.Color(dark)) }
	ink := func(c color.Color) paint { return paint{ansi.NewStyle().ForegroundColor(c).String()} }
	accent, faint := pick("#005FAF", "#87AFFF"), pick("#B2B2B2", "#4E4E4E")
	s := &styles{strong: paint{}.Bold(), dim: ink(pick("#626262", "#949494")), faint: ink(faint), accent: ink(accent)}
	s.tones = [4]paint{s.dim, ink(pick("#1F7A3D", "#7FCB8F")), ink(pick("#9A5B00", "#F0B955")), ink(pick("#C0262D", "#F47C7C"))}

	plain := lipgloss.NewStyle()
	area := textarea.StyleState{Base: plain, Text: plain, CursorLine: plain, Placeholder: plain.Foreground(faint),
		Prompt: plain.Foreground(accent), EndOfBuffer: plain}
	s.area = textarea.Styles{Focused: area, Blurred: area}
	field := textinput.StyleState{Text: plain, Placeholder: plain.Foreground(faint), Suggestion: plain, Prompt: plain}
	s.field = textinput.Styles{Focused: field, Blurred: field}
	return s
}

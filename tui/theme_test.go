package tui

import (
	"math"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// luminance is the relative luminance of WCAG 2.
func luminance(hex string) float64 {
	r, g, b, _ := lipgloss.Color(hex).RGBA()
	part := func(c uint32) float64 {
		v := float64(c) / 0xffff
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds both themes to WCAG AA on every background that they are for.
func TestContrast(t *testing.T) {
	if c := contrast("#000000", "#FFFFFF"); math.Abs(c-21) > 0.01 {
		t.Fatalf("black on white has %.2f, want 21", c)
	}
	for name, theme := range map[string]theme{"dark": darkTheme, "light": lightTheme} {
		for _, ground := range []string{theme.darkest, theme.brightest} {
			for what, ink := range map[string]string{"dim": theme.dim, "accent": theme.accent, "alive": theme.alive, "late": theme.late, "dead": theme.dead} {
				if c := contrast(ink, ground); c < 4.5 {
					t.Errorf("%s: %s %s on %s has %.2f, want 4.5", name, what, ink, ground, c)
				}
				if c := contrast(theme.ground, ink); what != "dim" && c < 4.5 {
					t.Errorf("%s: %s on a ground of %s has %.2f, want 4.5", name, theme.ground, what, c)
				}
			}
			if c := contrast(theme.faint, ground); c < 3 {
				t.Errorf("%s: lines of %s on %s have %.2f, want 3", name, theme.faint, ground, c)
			}
		}
	}
}

// TestASCII draws every moment without a character that a plain terminal lacks, in the same cells.
func TestASCII(t *testing.T) {
	for name, open := range moments() {
		for _, size := range sizes {
			r := open(t, size)
			rich := r.screen(t)
			r.ascii = true
			plain := r.screen(t)
			if i := strings.IndexFunc(plain, func(c rune) bool { return c > '~' }); i >= 0 {
				t.Errorf("%s at %dx%d has %q", name, size.Width, size.Height, plain[i:i+4])
			}
			if rich == plain {
				t.Errorf("%s at %dx%d is ASCII anyway", name, size.Width, size.Height)
			}
		}
	}
}

func TestPlainTerminal(t *testing.T) {
	tests := []struct {
		term, all, ctype, lang string
		want                   bool
	}{
		{"xterm-256color", "", "", "en_US.UTF-8", false},
		{"xterm-256color", "", "", "", false},
		{"xterm-256color", "", "", "C.UTF-8", false},
		{"xterm-256color", "C", "", "en_US.UTF-8", true},
		{"xterm-256color", "", "de_CH.ISO-8859-1", "de_CH.UTF-8", true},
		{"linux", "", "", "en_US.UTF-8", true},
		{"dumb", "", "", "", true},
	}
	for _, tt := range tests {
		t.Setenv("TERM", tt.term)
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_CTYPE", tt.ctype)
		t.Setenv("LANG", tt.lang)
		if got := PlainTerminal(); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestThemes: the colours are those that were asked for; with auto those that the terminal asks for, and before it has, the environment.
func TestThemes(t *testing.T) {
	dark, light := tea.BackgroundColorMsg{}, tea.BackgroundColorMsg{Color: lightGrey{}}
	for name, tc := range map[string]struct {
		theme       Theme
		lightGround bool
		terminal    *tea.BackgroundColorMsg
		want        theme
	}{
		"nothing is known":               {"", false, nil, darkTheme},
		"the environment knows":          {ThemeAuto, true, nil, lightTheme},
		"the terminal knows":             {ThemeAuto, false, &light, lightTheme},
		"the terminal knows better":      {ThemeAuto, true, &dark, darkTheme},
		"light, whatever is known":       {ThemeLight, false, &dark, lightTheme},
		"dark, whatever is known":        {ThemeDark, true, &light, darkTheme},
		"light, and nothing is answered": {ThemeLight, false, nil, lightTheme},
	} {
		m := newModel(t.Context(), Config{Form: filled, Theme: tc.theme, LightGround: tc.lightGround})
		if tc.terminal != nil {
			m.Update(*tc.terminal)
		}
		if want := (paint{ansi.NewStyle().ForegroundColor(lipgloss.Color(tc.want.accent)).String()}); m.accent != want {
			t.Errorf("%s: the accent is %q, want %q", name, m.accent, want)
		}
	}
}

// TestThemeCommand: the colours can be changed while the program runs, with a word or to the other ones.
func TestThemeCommand(t *testing.T) {
	r := opened(t, 80, 24, online())
	for _, step := range []struct {
		typed, says string
		dark        bool
	}{
		{"/theme light", "the colours are for a light terminal", false},
		{"/theme", "the colours are for a dark terminal", true},
		{"/theme LIGHT", "the colours are for a light terminal", false},
		{"/theme auto", "the colours are for a dark (auto) terminal", true},
		{"/theme pink", `there is no theme "pink": use auto, light or dark`, true},
	} {
		r.strokes("="+step.typed, "enter")
		if r.dark() != step.dark || r.notice != step.says || r.accent != newStyles(step.dark).accent {
			t.Errorf("%s: dark %v, and it says %q", step.typed, r.dark(), r.notice)
		}
	}
}

func TestLightTerminal(t *testing.T) {
	for colours, want := range map[string]bool{"": false, "15;0": false, "0;15": true, "0;default;15": true, "0;7": true, "7;8": false, "0;default": false, "0;99": false} {
		t.Setenv("COLORFGBG", colours)
		if got := LightTerminal(); got != want {
			t.Errorf("%q: light %v", colours, got)
		}
	}
}

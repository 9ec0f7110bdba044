package tui

import (
	"math"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
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

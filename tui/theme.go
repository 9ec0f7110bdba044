package tui

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Theme is a choice of colours.
type Theme string

// The themes. ThemeAuto is one of the others, by what the terminal says of its background when it is asked (OSC 11).
const (
	ThemeAuto  Theme = "auto"
	ThemeLight Theme = "light"
	ThemeDark  Theme = "dark"
)

// Themes lists the themes, the default one first.
func Themes() []Theme { return []Theme{ThemeAuto, ThemeLight, ThemeDark} }

func themeWords() []string {
	var words []string
	for _, t := range Themes() {
		words = append(words, string(t))
	}
	return words
}

// LightTerminal tells whether the environment speaks of a light background: COLORFGBG ends with the number of the background's colour, of
// which the lighter grey and what is brighter than that are light.
func LightTerminal() bool {
	colours := os.Getenv("COLORFGBG")
	n, err := strconv.Atoi(colours[strings.LastIndex(colours, ";")+1:])
	return err == nil && (n == 7 || n > 8 && n <= 15)
}

// dark tells whether the colours are those for a dark background.
func (m *model) dark() bool {
	if m.theme == ThemeAuto {
		return !m.lightGround
	}
	return m.theme == ThemeDark
}

// useTheme draws with a theme from now on.
func (m *model) useTheme(word string) {
	theme := Theme(strings.ToLower(word))
	if !slices.Contains(Themes(), theme) {
		m.say(fmt.Sprintf("there is no theme %q: use auto, light or dark", word), late)
		return
	}
	m.theme = theme
	m.dress()
	m.say("the colours are for a "+m.ground()+" terminal", calm)
}

// turnTheme draws with the theme that is not drawn with.
func (m *model) turnTheme() {
	if m.dark() {
		m.useTheme(string(ThemeLight))
		return
	}
	m.useTheme(string(ThemeDark))
}

// ground names what the colours are for.
func (m *model) ground() string {
	switch {
	case m.theme == ThemeAuto && m.dark():
		return "dark (auto)"
	case m.theme == ThemeAuto:
		return "light (auto)"
	default:
		return string(m.theme)
	}
}

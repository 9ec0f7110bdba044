package tui

import (
	"os"
	"strings"
	"unicode/utf8"
)

// plainGlyphs says how what the screen draws with looks in ASCII, one cell for one cell.
var plainGlyphs = strings.NewReplacer(
	"─", "-", "━", "=", "│", "|", "╭", "+", "╮", "+", "╰", "+", "╯", "+", "┃", "#", "▌", "|", "█", "#", "░", ".", "▏", ".", "▎", ".", "▍", ".",
	"▋", "#", "▊", "#", "▉", "#", "●", "*", "○", "o", "▶", ">", "◀", "<", "▼", "v", "▲", "^", "→", ">", "←", "<", "↑", "^", "↓", "v",
	"✓", "v", "✗", "x", "…", "~", "·", ".", "›", ">", "▸", ">", "◂", "<", "–", "-", "—", "-",
)

// plain makes a frame ASCII. What others wrote in other characters becomes question marks, as many as the cells that it fills.
func (p pen) plain(frame string) string {
	frame = plainGlyphs.Replace(frame)
	var b strings.Builder
	for frame != "" {
		if frame[0] < utf8.RuneSelf {
			b.WriteByte(frame[0])
			frame = frame[1:]
			continue
		}
		cluster, width, n, _ := p.cells.DecodeSequenceInString(frame, 0, nil)
		if cluster == "" {
			break
		}
		b.WriteString(strings.Repeat("?", width))
		frame = frame[n:]
	}
	return b.String()
}

// PlainTerminal tells whether the environment speaks of a terminal that has ASCII characters alone: a dumb one, the console, or a locale
// without UTF-8.
func PlainTerminal() bool {
	switch os.Getenv("TERM") {
	case "dumb", "linux", "vt100", "vt220":
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(os.Getenv(name)); locale != "" {
			return locale == "C" || locale == "POSIX" || strings.Contains(locale, "ISO-8859") || strings.Contains(locale, "ISO8859")
		}
	}
	return false
}

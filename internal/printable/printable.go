// Package printable decides what of a text from outside may be shown to a person.
//
// Message texts, user names and the error texts of servers are hostile until they went through [Line] or [Block]: a terminal would
// obey the escape sequences in them. Secrets are shown through [Token], and free text that may quote a secret through [Scrub].
package printable

import (
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks one base character may carry. Real scripts need up to four; "zalgo" text uses dozens.
const maxMarks = 4

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	textStyle          = '\ufe0e'
	emojiStyle         = '\ufe0f'
)

// Line returns s as text that is safe on one line of a terminal, at most maxRunes runes long (0 means no limit).
//
// Escape sequences, also unfinished and 8-bit ones, control characters, bidirectional controls and invisible characters are removed.
// Line breaks and tabs become a space, invalid UTF-8 becomes U+FFFD. Joiners and emoji styles stay where they shape visible text, and
// at most four combining marks stay on a character. A text that is cut ends in "…", which counts. Line is idempotent.
func Line(s string, maxRunes int) string {
	return clean(s, maxRunes, " ", " ")
}

// Block is [Line] for text of several lines: every kind of line break becomes "\n" and a tab becomes four spaces.
func Block(s string, maxRunes int) string {
	return clean(s, maxRunes, "\n", "    ")
}

// clean is Line and Block, which differ in what stands for a line break and for a tab.
func clean(s string, maxRunes int, newline, tab string) string {
	if simple(s) && (maxRunes <= 0 || len(s) <= maxRunes) {
		return s
	}
	w := writer{max: maxRunes}
	for s != "" && !w.cut {
		r, size := decode(s)
		s = s[size:]
		switch {
		case r == '\r' && s != "" && s[0] == '\n':
			// The line feed that follows stands for both.
		case r == '\n', r == '\r', r == '\u2028', r == '\u2029':
			w.space(newline)
		case r == '\t':
			w.space(tab)
		case unicode.IsControl(r):
			s = afterControl(r, s)
		default:
			w.rune(r)
		}
	}
	return string(w.out)
}

// simple reports whether s is ASCII that can be seen, and spaces: nothing of it has to change.
func simple(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// decode returns the first rune of s and its size in bytes. A stray byte 0x80–0x9f is returned as the 8-bit control that some
// terminals take it for. Any other broken sequence is one U+FFFD, continuation bytes included: they are no controls.
func decode(s string) (rune, int) {
	r, size := utf8.DecodeRuneInString(s)
	if r != utf8.RuneError || size != 1 {
		return r, size
	}
	if s[0] < 0xa0 {
		return rune(s[0]), 1
	}
	for size < min(len(s), utf8.UTFMax) && !utf8.RuneStart(s[size]) {
		size++
	}
	return utf8.RuneError, size
}

// writer collects the runes that may be shown. Every decision looks only at what was written before, which makes clean idempotent.
type writer struct {
	out    []byte
	count  int  // runes in out
	max    int  // 0 means no limit
	cut    bool // the limit was reached and out ends in "…"
	base   rune // the character that marks and joiners attach to; 0 at the start and after white space
	marks  int  // combining marks since base
	joiner rune // a joiner that is written once the character after it turns out to be visible
}

// space writes white space, which nothing may attach to.
func (w *writer) space(s string) {
	for _, r := range s {
		w.put(r)
	}
	w.base, w.joiner = 0, 0
}

// rune writes r if it can be seen or shapes what can be seen.
func (w *writer) rune(r rune) {
	switch {
	case r > ' ' && r <= unicode.MaxASCII:
		w.visible(r)
	case r == zeroWidthJoiner, r == zeroWidthNonJoiner:
		// Emoji families, Indic and Persian words need joiners. Between Latin letters they only serve to make names look alike.
		if w.base > unicode.MaxASCII {
			w.joiner = r
		}
	case r == textStyle, r == emojiStyle, unicode.Is(unicode.M, r) && !invisible(r):
		w.joiner = 0
		if w.base != 0 && w.marks < maxMarks {
			w.marks++
			w.put(r)
		}
	case invisible(r):
	case unicode.IsSpace(r):
		w.space(string(r))
	default:
		w.visible(r)
	}
}

// visible writes a character that others may attach to.
func (w *writer) visible(r rune) {
	if w.joiner != 0 && r > unicode.MaxASCII {
		w.put(w.joiner)
	}
	w.base, w.marks, w.joiner = r, 0, 0
	w.put(r)
}

// put writes r, or the mark of a cut in place of the last rune when there is no room for r.
func (w *writer) put(r rune) {
	if w.cut {
		return
	}
	if w.max <= 0 || w.count < w.max {
		w.out = utf8.AppendRune(w.out, r)
		w.count++
		return
	}
	w.cut = true
	w.drop()
	if last, _ := utf8.DecodeLastRune(w.out); last == zeroWidthJoiner || last == zeroWidthNonJoiner {
		w.drop()
	}
	w.out = append(w.out, "…"...)
}

// drop removes the last rune.
func (w *writer) drop() {
	_, size := utf8.DecodeLastRune(w.out)
	w.out = w.out[:len(w.out)-size]
}

// invisible reports whether r changes or hides text without being seen itself.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) || r == '\u2800'
}

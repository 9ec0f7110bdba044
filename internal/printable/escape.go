package printable

import "strings"

// The controls that begin or end an escape sequence. Each 8-bit one is short for ESC and the byte 0x40 below it.
const (
	bel = '\a'
	can = '\x18'
	sub = '\x1a'
	esc = '\x1b'
	dcs = '\u0090'
	sos = '\u0098'
	csi = '\u009b'
	st  = '\u009c'
	osc = '\u009d'
	pm  = '\u009e'
	apc = '\u009f'
)

// afterControl returns what follows the control r and the escape sequence that it begins, if any. rest is the text after r.
func afterControl(r rune, rest string) string {
	if r == esc {
		if rest == "" || rest[0] < 0x40 || rest[0] > 0x5f {
			return afterEscape(rest)
		}
		r, rest = rune(rest[0])+0x40, rest[1:]
	}
	switch r {
	case csi:
		return afterCSI(rest)
	case dcs, sos, osc, pm, apc:
		return afterString(rest)
	}
	return rest
}

// afterEscape skips a short sequence such as ESC ( B: bytes from space to slash, then one final byte.
func afterEscape(s string) string {
	s = strings.TrimLeft(s, " !\"#$%&'()*+,-./")
	if s != "" && s[0] >= 0x30 && s[0] < 0x7f {
		s = s[1:]
	}
	return s
}

// afterCSI skips parameters and the final byte. As in a terminal, a control inside does not end the sequence, except for the ones that
// abort it. A line break aborts it too, so that an unfinished sequence cannot join two lines.
func afterCSI(s string) string {
	for i := range len(s) {
		switch c := s[i]; {
		case c == esc, c == can, c == sub, c == '\n', c == '\r', c >= 0x7f:
			return s[i:]
		case c >= 0x40:
			return s[i+1:]
		}
	}
	return ""
}

// afterString skips the text of an OSC, DCS, SOS, PM or APC sequence. An unfinished one ends with its line: it must not be able to
// hide everything that follows.
func afterString(s string) string {
	for s != "" {
		r, size := decode(s)
		switch r {
		case bel, st:
			return s[size:]
		case esc:
			return strings.TrimPrefix(s, "\x1b\\")
		case can, sub, '\n', '\r':
			return s
		}
		s = s[size:]
	}
	return ""
}

package tokenclient

import (
	"encoding/hex"
	"html"
	"net/url"
	"strings"
	"unicode/utf16"
)

// unescaped is a text, and where each of its bytes stood in the one that it was made of.
type unescaped struct {
	text  string
	spans [][2]int // nil means that nothing has moved
}

// from is where that begins which byte i was made of.
func (u unescaped) from(i int) int {
	if u.spans == nil {
		return i
	}
	return u.spans[i][0]
}

// to is where that ends which byte i was made of.
func (u unescaped) to(i int) int {
	if u.spans == nil {
		return i + 1
	}
	return u.spans[i][1]
}

// escape is one way to write a character as others.
type escape struct {
	begin byte
	// read returns what the escape at the beginning of s stands for, and how long it is; 0 for what is none.
	read func(s string) (plain string, size int)
}

// escapes are those of JSON (RFC 8259 section 7, and what programming languages add), of addresses (RFC 3986 section 2.1) and of web pages.
var escapes = []escape{{'\\', backslash}, {'%', percent}, {'&', entity}}

// unescape undoes the escapes of one kind; not changed means that there were none.
func (u unescaped) unescape(e escape) (plain unescaped, changed bool) {
	if strings.IndexByte(u.text, e.begin) < 0 {
		return u, false
	}
	var b strings.Builder
	spans := make([][2]int, 0, len(u.text))
	for i := 0; i < len(u.text); {
		text, size := "", 0
		if u.text[i] == e.begin {
			text, size = e.read(u.text[i:])
		}
		if size == 0 {
			text, size = u.text[i:i+1], 1
		} else {
			changed = true
		}
		b.WriteString(text)
		for range len(text) {
			spans = append(spans, [2]int{u.from(i), u.to(i + size - 1)})
		}
		i += size
	}
	return unescaped{b.String(), spans}, changed
}

// backslash reads \/, \n, \u00e4, both halves of \ud83d\ude00, and \xe4.
func backslash(s string) (plain string, size int) {
	if len(s) < 2 {
		return "", 0
	}
	switch c := s[1]; {
	case c == 'u':
		unit, ok := hexadecimal(s, 2, 4)
		if !ok {
			return "", 0
		}
		if strings.HasPrefix(s[6:], `\u`) {
			if low, ok := hexadecimal(s, 8, 4); ok {
				if pair := utf16.DecodeRune(unit, low); pair != '\ufffd' {
					return string(pair), 12
				}
			}
		}
		return string(unit), 6
	case c == 'x':
		code, ok := hexadecimal(s, 2, 2)
		if !ok {
			return "", 0
		}
		return string(code), 4
	case strings.IndexByte("bfnrt", c) >= 0:
		return string("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)]), 2
	case c > ' ' && c <= '~':
		return s[1:2], 2
	}
	return "", 0
}

// hexadecimal reads some digits at a place, an even number, if they are there.
func hexadecimal(s string, at, digits int) (rune, bool) {
	if len(s) < at+digits {
		return 0, false
	}
	raw, err := hex.DecodeString(s[at : at+digits])
	code := rune(0)
	for _, b := range raw {
		code = code<<8 | rune(b)
	}
	return code, err == nil
}

// percent reads %2F. Each byte of a longer character has its own.
func percent(s string) (plain string, size int) {
	plain, err := url.PathUnescape(s[:min(len(s), 3)])
	if err != nil {
		return "", 0
	}
	return plain, 3
}

// longestEntity is longer than the name of any character that anybody uses.
const longestEntity = 40

// entity reads &lt;, &#60; and &#x3c;.
func entity(s string) (plain string, size int) {
	end := strings.IndexAny(s[1:min(len(s), longestEntity)], ";&") + 1
	if end == 0 || s[end] != ';' {
		return "", 0
	}
	plain = html.UnescapeString(s[:end+1])
	if plain == s[:end+1] {
		return "", 0
	}
	return plain, end + 1
}

package printable

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLine(t *testing.T) {
	tests := map[string]struct {
		in   string
		max  int
		want string
	}{
		"plain":                        {"hello, wörld", 0, "hello, wörld"},
		"colour":                       {"a\x1b[1;31mred\x1b[0mb", 0, "aredb"},
		"csi with space":               {"a\x1b[2 qb", 0, "ab"},
		"csi with a control inside":    {"a\x1b[3\x071mb", 0, "ab"},
		"csi aborted by a line break":  {"a\x1b[31\nb", 0, "a b"},
		"csi restarted":                {"a\x1b[3\x1b[1mb", 0, "ab"},
		"csi cancelled":                {"a\x1b[3\x18b", 0, "ab"},
		"csi before other script":      {"a\x1b[3é", 0, "aé"},
		"unfinished csi":               {"a\x1b[31", 0, "a"},
		"title, bell":                  {"a\x1b]0;title\ab", 0, "ab"},
		"title, string terminator":     {"a\x1b]0;title\x1b\\b", 0, "ab"},
		"title, 8-bit terminator":      {"a\x1b]0;title\u009cb", 0, "ab"},
		"title, raw terminator":        {"a\x1b]0;title\x9cb", 0, "ab"},
		"title, word with byte 9c":     {"a\x1b]0;✜\ab", 0, "ab"},
		"unfinished title":             {"a\x1b]0;title", 0, "a"},
		"unfinished title ends a line": {"a\x1b]0;title\nb", 0, "a b"},
		"title, cancelled":             {"a\x1b]0;x\x18b", 0, "ab"},
		"title, other sequence inside": {"a\x1b]0;x\x1b[31mb", 0, "ab"},
		"clipboard":                    {"\x1b]52;c;cm0gLXJm\ab", 0, "b"},
		"link":                         {"\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", 0, "text"},
		"dcs":                          {"a\x1bP1$r\x1b\\b", 0, "ab"},
		"apc":                          {"a\x1b_Gi=1;AAAA\x1b\\b", 0, "ab"},
		"pm":                           {"a\x1b^x\x1b\\b", 0, "ab"},
		"sos":                          {"a\x1bXx\x1b\\b", 0, "ab"},
		"charset":                      {"a\x1b(Bb", 0, "ab"},
		"reset":                        {"a\x1bcb", 0, "ab"},
		"index":                        {"a\x1bMb", 0, "ab"},
		"lone escape":                  {"a\x1b", 0, "a"},
		"escape before other script":   {"a\x1bé", 0, "aé"},
		"8-bit csi":                    {"a\u009b31mb", 0, "ab"},
		"raw csi":                      {"a\x9b31mb", 0, "ab"},
		"8-bit osc":                    {"a\u009d0;x\ab", 0, "ab"},
		"raw osc":                      {"a\x9d0;x\ab", 0, "ab"},
		"controls":                     {"a\x00\b\v\f\x7f\u0085b", 0, "ab"},
		"breaks and tabs":              {"a\nb\r\nc\rd\te\u2028f", 0, "a b c d e f"},
		"invalid":                      {"a\xffb", 0, "a\ufffdb"},
		"half an emoji hides nothing":  {"a\xf0\x9f\x98 b", 0, "a\ufffd b"},
		"bidi":                         {"a\u202eb\u2066c\u2069\u061cd\u200ee", 0, "abcde"},
		"invisible":                    {"a\u200bb\u00adc\ufeffd\u2060e\u3164f\U000e0061g\u034fh\u2800", 0, "abcdefgh"},
		"family":                       {"👩‍❤️‍👨 👨‍👩‍👧", 0, "👩‍❤️‍👨 👨‍👩‍👧"},
		"keycap":                       {"1\ufe0f\u20e3", 0, "1\ufe0f\u20e3"},
		"persian":                      {"می\u200cخواهم", 0, "می\u200cخواهم"},
		"devanagari":                   {"क्\u200dष", 0, "क्\u200dष"},
		"joiner between latin letters": {"ali\u200dce", 0, "alice"},
		"lone joiner":                  {"\u200d👩\u200d", 0, "👩"},
		"lone style":                   {"\ufe0fa \ufe0fb", 0, "a b"},
		"other variation selector":     {"a\ufe01\U000e0101b", 0, "ab"},
		"zalgo":                        {"z" + strings.Repeat("\u0301", 50) + "o", 0, "z" + strings.Repeat("\u0301", maxMarks) + "o"},
		"mark without a base":          {"\u0301a", 0, "a"},
		"fits":                         {"héllo", 5, "héllo"},
		"cut":                          {"héllo!", 5, "héll…"},
		"cut to one":                   {"hello", 1, "…"},
		"cut before a joiner":          {"a👩‍👧b", 5, "a👩‍👧b"},
		"cut drops a joiner":           {"a👩‍👧b", 3, "a👩…"},
		"cut after sequences":          {"\x1b[31mab\x1b[0m", 2, "ab"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Line(tt.in, tt.max); got != tt.want {
				t.Errorf("Line(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
			}
		})
	}
}

func TestBlock(t *testing.T) {
	in := "a\r\nb\rc\n\td\x1b[31me\u2029f"
	if got, want := Block(in, 0), "a\nb\nc\n    def"; got != strings.Replace(want, "ef", "e\nf", 1) {
		t.Errorf("Block(%q) = %q", in, got)
	}
	if got := Block("a\tb", 4); got != "a  …" {
		t.Errorf("a cut tab gives %q", got)
	}
}

func TestToken(t *testing.T) {
	tests := map[string]string{
		"":                            "…",
		"12345678901234567890123":     "…",
		"007eJxTYPj3p2Tnb4tznzx9f2a":  "007eJx…9f2a",
		"\x1b[31m0123456789012345é\n": "?[31m0…5???",
	}
	for in, want := range tests {
		if got := Token(in); got != want {
			t.Errorf("Token(%q) = %q, want %q", in, got, want)
		}
	}
}

// What hides in a text, or is cut through with it, is no secret any more either.
func TestDiscreet(t *testing.T) {
	const token = "007eJxTYPj3p2Tnb4tznzx9f2aAAAA"
	for in, want := range map[string]string{
		"said " + token + " twice":                        "said 007e… twice",
		"said " + token[:9] + "\u200b" + token[9:]:        "said 007e…",
		"said " + token[:9] + "\x1b[31m" + token[9:]:      "said 007e…",
		strings.Repeat("x", 35) + "=" + token:             strings.Repeat("x", 35) + "=00…",
		strings.Repeat("y", 35) + "\n" + token + " after": strings.Repeat("y", 35) + " 00…",
	} {
		if got := Discreet(in, 39); got != want {
			t.Errorf("Discreet(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.test/a@b?c=d@e":        "https://example.test/a@b?c=d@e",
		"https://bob:secret@example.test/":      "https://…@example.test/",
		"https://bob:p@ssword@example.test?a=b": "https://…@example.test?a=b",
		"https://a.test and mail to bob@b.test": "https://a.test and mail to bob@b.test",
	} {
		if got := Address(in); got != want {
			t.Errorf("Address(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestScrub(t *testing.T) {
	const hex32 = "5CFd2fd1755d40ecb72977518be15d3b"
	tests := map[string]string{
		"token 007eJxTYPj3p2Tnb4tznzx+fO/0LK5= refused":     "token 007e… refused",
		`{"token":"007eJxTYPj3p2Tnb4\/tznzx"}`:              `{"token":"007e…"}`,
		"?token=007eJxTYPj3p2Tnb4%2Btznzx%3D&a=b":           "?token=007e…&a=b",
		"006" + hex32 + "IACABCDE":                          "0065…",
		"Bearer YWMtXbC0_jZlEe6x-w":                         "Bearer YWMt…",
		"jwt eyJhbGciOi.eyJzdWIiOi.c2ln-_x":                 "jwt eyJh…",
		"certificate " + hex32 + ", app " + hex32:           "certificate 5CFd…, app 5CFd…",
		"room 007, 31 digits " + hex32[1:] + " are no key":  "room 007, 31 digits " + hex32[1:] + " are no key",
		"e.g. 2006-01-02 and 0f8fad5b-d9cb-469f-a165-70867": "e.g. 2006-01-02 and 0f8fad5b-d9cb-469f-a165-70867",
	}
	for in, want := range tests {
		if got := Scrub(in); got != want {
			t.Errorf("Scrub(%q) = %q, want %q", in, got, want)
		}
	}
}

// checkSafe holds for the output of Line and, newlines aside, of Block.
func checkSafe(t interface{ Fatalf(string, ...any) }, in, out string, maxRunes int) {
	if !utf8.ValidString(out) {
		t.Fatalf("%q became the invalid %q", in, out)
	}
	for _, r := range out {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			t.Fatalf("%q became %q, which holds %U", in, out, r)
		}
	}
	if n := utf8.RuneCountInString(out); maxRunes > 0 && n > maxRunes {
		t.Fatalf("%q became %d runes, more than %d", in, n, maxRunes)
	}
}

func checkText(t interface{ Fatalf(string, ...any) }, s string, maxRunes int) {
	line := Line(s, maxRunes)
	checkSafe(t, s, line, maxRunes)
	if again := Line(line, maxRunes); again != line {
		t.Fatalf("Line(%q, %d) = %q, and again %q", s, maxRunes, line, again)
	}
	block := Block(s, maxRunes)
	checkSafe(t, s, strings.ReplaceAll(block, "\n", ""), maxRunes)
	if again := Block(block, maxRunes); again != block {
		t.Fatalf("Block(%q, %d) = %q, and again %q", s, maxRunes, block, again)
	}
	token := Token(s)
	if Line(token, 0) != token {
		t.Fatalf("Token(%q) = %q is not safe", s, token)
	}
	scrubbed := Scrub(s)
	if again := Scrub(scrubbed); again != scrubbed {
		t.Fatalf("Scrub(%q) = %q, and again %q", s, scrubbed, again)
	}
}

func TestProperties(t *testing.T) {
	part := rapid.SampledFrom([]string{
		"\x1b", "\x1b[", "\x1b]0;", "\x1bP", "\x1b\\", "\a", "\x9b", "\u009b", "\x9c", "31m", ";", " ", "\t", "\r", "\n", "a", "é", "👩", "\u200d",
		"\u200c", "\ufe0f", "\u0301", "\u202e", "\xff", "\xf0\x9f", "…", "0", "007eJxTYPj3p2Tnb4tznzx", "eyJa.b",
	})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(rapid.OneOf(part, rapid.String())).Draw(t, "parts"), "")
		checkText(t, s, rapid.IntRange(0, 12).Draw(t, "max"))
	})
}

func FuzzText(f *testing.F) {
	f.Add("plain", 0)
	f.Add("a\x1b[31mb\x9b0mc\u009d0;t\x1b\\d", 3)
	f.Add("👩‍❤️‍👨z\u0301\u0301\u0301\u0301\u0301", 5)
	f.Add("\xf0\x9f\x98\x1b]52;c;x", 2)
	f.Add("007eJxTYPj3p2Tnb4tznzx eyJa.b.c \t\r\n", 9)
	f.Fuzz(checkFuzz)
}

func checkFuzz(t *testing.T, s string, maxRunes int) { checkText(t, s, maxRunes) }

func BenchmarkLine(b *testing.B) {
	text := strings.Repeat("hello, wörld \x1b[31m👩‍👧\x1b[0m ", 20)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Line(text, 0)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 messages", 1: "1 message", 2: "2 messages", 101: "101 messages"} {
		if got := Count(n, "message", "messages"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCause(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for want, err := range map[string]error{
		"the connection was closed without an answer": &url.Error{Op: "Get", URL: "http://secret", Err: io.EOF},
		"the answer broke off":                        fmt.Errorf("reading: %w", io.ErrUnexpectedEOF),
		"connection refused":                          &url.Error{Op: "Get", URL: "http://secret", Err: refused},
		"odd":                                         errors.New("odd\x1b[2J"),
	} {
		if got := Cause(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"bug.yaml": "bug.yaml", "/tmp/a-b_1.yaml": "/tmp/a-b_1.yaml", "a b.yaml": "'a b.yaml'", "it's.yaml": `'it'\''s.yaml'`, "$HOME": "'$HOME'",
		"~/b.yaml": "'~/b.yaml'", "a;b": "'a;b'", "fünf.yaml": "'fünf.yaml'", "": "''",
	} {
		if got := ShellWord(s); got != want {
			t.Errorf("%q becomes %s, want %s", s, got, want)
		}
	}
}

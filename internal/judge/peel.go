package judge

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ttlchat/ttlchat/internal/printable"
)

const (
	maxText   = 8 << 10 // bytes; a token has at most 2 KiB, and may be wrapped
	maxLayers = 6       // wrappings that are removed, one in the other
)

// quotes are what stands around a token that came out of a program's text, JSON or a document.
const quotes = "\"'`“”‘’«»"

// Regular expressions are avoided here: matching a long text with one can take more memory than everything else.

// peel removes the outermost wrapping from the text and says what it was. It is false when there is none.
func peel(text string) (inner string, f Finding, ok bool) {
	found := func(inner, code, what, fix string) (string, Finding, bool) {
		return inner, Finding{code, Fatal, what, fix}, true
	}
	bare := strings.TrimFunc(text, blank)
	switch {
	case bare == "":
		return "", Finding{}, false
	case bare != text:
		return found(bare, "white-space", "there is white space around the token", "pass the token alone")
	}
	if bare := strings.Trim(text, quotes); bare != text {
		return found(unescape(strings.TrimSuffix(bare, `\`)), "quotes", "there are quotes around the token", "pass the token alone")
	}
	if rest, ok := afterBearer(text); ok {
		return found(rest, "bearer", "this is the value of an Authorization header", "leave the word Bearer out")
	}
	if text[0] == '{' || text[0] == '[' {
		token, field := fromJSON(text)
		if token == "" {
			return found("", "json", "this is JSON without a token in it", "look at what the token server complains about")
		}
		what := "this is JSON with the token in it"
		if field != "" {
			what = "this is JSON with the token in the field " + quote(printable.Discreet(field, 64))
		}
		return found(token, "json", what, "pass the token alone")
	}
	if strings.Contains(text, "%") {
		if decoded, err := url.PathUnescape(text); err == nil {
			return found(decoded, "url-encoded", "the token is URL-encoded", "decode it once more, or encode it once less")
		}
	}
	if decoded, ok := unbase64(text); ok {
		return found(decoded, "base64", "the token is encoded in base64 once more", "pass it as the builder made it")
	}
	if !strings.HasPrefix(text, "007") && !strings.HasPrefix(text, "006") {
		return "", Finding{}, false
	}
	if strings.ContainsAny(text, "\r\n") {
		return found(strings.NewReplacer("\r", "", "\n", "").Replace(text), "line-break", "the token has a line break inside", "copy it as one line")
	}
	if strings.Contains(text, " ") {
		return found(strings.ReplaceAll(text, " ", "+"), "space-for-plus", "the token has spaces where a + should be",
			"encode the token before it goes into a URL or a form, because + means a space there")
	}
	return "", Finding{}, false
}

// afterBearer returns what follows the word Bearer in the value of an Authorization header, or in the whole header.
func afterBearer(text string) (rest string, ok bool) {
	const header, scheme = "authorization:", "bearer"
	if len(text) >= len(header) && strings.EqualFold(text[:len(header)], header) {
		text = strings.TrimSpace(text[len(header):])
	}
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return "", false
	}
	rest = strings.TrimLeftFunc(text[len(scheme):], unicode.IsSpace)
	return rest, rest == "" || len(rest) < len(text)-len(scheme)
}

// blank is white space, or an invisible mark that editors leave at the beginning of a file.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' }

// unescape undoes the escapes of a JSON string, such as \/ and \u003d.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var plain string
	if err := json.Unmarshal([]byte(`"`+s+`"`), &plain); err != nil {
		return strings.ReplaceAll(s, `\`, "")
	}
	return plain
}

// fromJSON finds the first string in JSON text that begins as a token does, and the name of its field if it has one. It looks at the strings alone, since
// a decoder would need many times the memory of a hostile text.
func fromJSON(text string) (token, field string) {
	previous := ""
	for _, rest, ok := strings.Cut(text, `"`); ok; {
		var literal string
		literal, rest = endOfString(rest)
		if tokenLike(literal) {
			return unescape(literal), previous
		}
		previous = ""
		if strings.HasPrefix(strings.TrimLeftFunc(rest, unicode.IsSpace), ":") {
			previous = literal
		}
		_, rest, ok = strings.Cut(rest, `"`)
	}
	return "", ""
}

// tokenLike tells what may be a token from other strings, such as a number.
func tokenLike(s string) bool {
	return len(s) >= 15 && (strings.HasPrefix(s, "007") || strings.HasPrefix(s, "006") || strings.HasPrefix(s, "YWMt") || strings.HasPrefix(s, "eyJ"))
}

// endOfString splits what follows an opening quote at the closing one.
func endOfString(s string) (literal, rest string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// unbase64 decodes text that is the base64 of a token, or of JSON.
func unbase64(text string) (string, bool) {
	token := strings.HasPrefix(text, "MDA3") || strings.HasPrefix(text, "MDA2")
	if !token && (!strings.HasPrefix(text, "eyJ") || strings.Contains(text, ".")) {
		return "", false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded, err := encoding.DecodeString(strings.TrimRight(text, "="))
	return string(decoded), err == nil && utf8.Valid(decoded)
}

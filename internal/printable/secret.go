package printable

import "github.com/ttlchat/ttlchat/internal/pattern"

// shortestToken is the length below which the ends of a secret would give too much of it away.
const shortestToken = 24

// Token returns the short form of a secret, for example "007eJx…9f2a". A text too short to have a safe short form becomes "…". What is
// not printable ASCII in the ends becomes "?", so the result is safe on a terminal.
func Token(s string) string {
	if len(s) < shortestToken {
		return "…"
	}
	return ascii(s[:6]) + "…" + ascii(s[len(s)-4:])
}

func ascii(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c <= ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// secrets matches AccessTokens (006…, 007…), Chat tokens (YWMt…), JSON Web Tokens, and runs of 32 or more hexadecimal digits such as
// an App ID or an App Certificate. The escapes of URLs (%2B) and of JSON (\/) do not end a token.
var secrets = pattern.New(`00[67][\w+/=%\\-]{16,}|YWMt[\w+/=%\\-]{8,}|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|[0-9a-fA-F]{32,}`)

// Secrets returns where in s there is something that looks like a token, an App ID or an App Certificate, as pairs of where each begins and ends.
func Secrets(s string) [][]int { return secrets().FindAllStringIndex(s, -1) }

// shownOfSecret is how much of a secret [Scrub] leaves.
const shownOfSecret = 4

// Scrub shortens everything in s that looks like a token, an App ID or an App Certificate to its first four characters and "…". It
// does not make s safe for a terminal; apply [Line] first, so that no control character can split a secret.
func Scrub(s string) string {
	return secrets().ReplaceAllStringFunc(s, Stub)
}

// maxDiscreet is how much of a text is looked at for secrets, in runes.
const maxDiscreet = 4096

// Discreet is [Line] for text that may quote secrets, such as what a server says: they are shortened as [Scrub] does it. That happens when
// nothing invisible can split them any more, and before the text is cut, because what is left of a secret may not look like one.
func Discreet(s string, maxRunes int) string { return Line(Scrub(Line(s, maxDiscreet)), maxRunes) }

// Stub is what [Scrub] makes of a secret.
func Stub(secret string) string { return secret[:shownOfSecret] + "…" }

// userinfo is what stands before the host of an address, perhaps with a password, which may have an @ in it.
var userinfo = pattern.New(`//[^/?#\s]*@`)

// Address returns an address without the user and the password that it may hold. It does not make it safe for a terminal.
func Address(s string) string { return userinfo().ReplaceAllString(s, "//…@") }

package printable

import "strings"

// ShellWord returns s as one word for a POSIX shell: in quotes where that would make something else of it. It does not make it safe for a
// terminal.
func ShellWord(s string) string {
	special := strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%=", r)
	})
	if special < 0 && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

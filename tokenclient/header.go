package tokenclient

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"github.com/ttlchat/ttlchat/internal/pattern"
)

const (
	// secretTimeout bounds a command that prints a secret, secretOutput what it may print.
	secretTimeout = 10 * time.Second
	secretOutput  = 8 << 10
)

var (
	headerName = pattern.New(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)
	// secretName matches the names of headers and of query fields whose values are nobody's business.
	secretName = pattern.New(`(?i)authorization|cookie|passw|pwd|secret|credential|signature|session|apikey|^key$|[-_]key$|^sig$|[-_]?auth$|token$`)
	// secretField matches those of query fields alone: code is the key of an Azure Function, and what OAuth hands over.
	secretField = pattern.New(`(?i)^code$`)
	// reference matches a value that is kept elsewhere, behind an optional word such as Bearer.
	reference = pattern.New(`^([A-Za-z]+ )?(env|cmd):(.+)$`)
)

// headerValue is a header's value, or where it is kept.
type headerValue struct {
	word   string // what stands before the secret, with its space
	source string // "env", "cmd", or "" for a value that is written down
	text   string // the value, the variable's name or the command line
}

// parseHeader checks headers without running a command.
func parseHeader(header map[string]string) (map[string]headerValue, error) {
	parsed := make(map[string]headerValue, len(header))
	for name, value := range header {
		if !headerName().MatchString(name) {
			return nil, fail(KindBadConfig, nil, "%q is no name of an HTTP header; correct it", quote(name))
		}
		v := headerValue{text: value}
		if m := reference().FindStringSubmatch(value); m != nil {
			v = headerValue{word: m[1], source: m[2], text: m[3]}
		}
		switch {
		case v.source == "" && secretName().MatchString(name):
			return nil, fail(KindBadConfig, nil, "the header %s carries a secret, which must not be written down; write env:NAME for a variable or cmd:PROGRAM for a command that prints it", name)
		case v.source == "" && !fitsHeader(value):
			return nil, fail(KindBadConfig, nil, "the value of the header %s holds a control character; correct it", name)
		case v.source == "cmd" && strings.TrimSpace(v.text) == "":
			return nil, fail(KindBadConfig, nil, "the header %s names no command; write cmd:PROGRAM ARGUMENT …", name)
		case v.source == "env":
			if _, err := v.resolve(context.Background(), name); err != nil {
				return nil, err
			}
		}
		parsed[name] = v
	}
	return parsed, nil
}

// resolve returns the secret itself, without the word before it; for a value that is written down it returns that.
func (v headerValue) resolve(ctx context.Context, name string) (string, error) {
	secret := v.text
	switch v.source {
	case "env":
		if secret = strings.TrimSpace(os.Getenv(v.text)); secret == "" {
			return "", fail(KindBadConfig, nil, "the variable %s for the header %s is not set; set it", quote(v.text), name)
		}
	case "cmd":
		var err error
		if secret, err = run(ctx, v.text); err != nil {
			return "", fail(KindBadConfig, err, "the command for the header %s failed (%s); try it by hand", name, quote(err.Error()))
		}
		if secret == "" {
			return "", fail(KindBadConfig, nil, "the command for the header %s printed nothing; try it by hand", name)
		}
	}
	if !fitsHeader(secret) {
		return "", fail(KindBadConfig, nil, "the value for the header %s has more than one line or holds a control character; correct it", name)
	}
	return secret, nil
}

func fitsHeader(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// run runs a command without a shell: its words are separated by white space, nothing is expanded. What it says on standard error is not
// kept, since it may hold the secret.
func run(ctx context.Context, line string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	words := strings.Fields(line)
	var out limited
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // Running what the user names is the purpose.
	cmd.Stdout = &out
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", err
	}
	return strings.TrimSpace(out.buffer.String()), nil
}

// limited is a buffer that refuses to grow beyond what a secret can be. The buffer is not embedded: its ReadFrom would know no limit.
type limited struct{ buffer bytes.Buffer }

var errTooLong = errors.New("it printed more than 8 KiB")

// Write implements io.Writer.
func (l *limited) Write(b []byte) (int, error) {
	if l.buffer.Len()+len(b) > secretOutput {
		return 0, errTooLong
	}
	return l.buffer.Write(b)
}

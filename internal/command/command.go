// Package command is the table of slash commands that the screen and headless mode share.
//
// A line that begins with one slash is a command; every other line is a message. "//text" sends the message "/text".
package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// Target carries the commands out. What comes of Login, Renew and Logout shows as the session's events, not here.
type Target interface {
	Login()
	Renew()
	Logout()
	// Expire pushes the emulator's clock past the end of the token, so that the client learns of it as a real SDK would.
	Expire() error
	// Skip jumps the clocks of both sides to the next event and says which one that is.
	Skip() (string, error)
	Policy() session.Policy
	SetPolicy(session.Policy) error
	// SetPeer changes whom messages go to. The name is a valid one.
	SetPeer(name string) error
	Quit()
	// Commands lists all that can be typed where the target is: the Table, and what it carries out by itself.
	Commands() []Command
}

// Command is one slash command.
type Command struct {
	// Name is the command as typed, such as "/renew".
	Name string
	// Args shows the arguments, "" when there are none.
	Args string
	// Help says what the command does, as one line without a period.
	Help string

	run func(t Target, args []string) (string, error)
	// next lists the words that can follow others as arguments; nil knows none.
	next func(before []string) []string
}

// Next lists the words that can follow these arguments, as far as there are only a few.
func (c Command) Next(before []string) []string {
	if c.next == nil {
		return nil
	}
	return c.next(before)
}

// IsCommand tells a command from a message.
func IsCommand(line string) bool {
	return strings.HasPrefix(line, "/") && !strings.HasPrefix(line, "//")
}

// Message returns the text that a typed line sends. It is false for a command and for a blank line, which send nothing.
func Message(line string) (string, bool) {
	if IsCommand(line) || strings.TrimSpace(line) == "" {
		return "", false
	}
	if strings.HasPrefix(line, "//") {
		line = line[1:]
	}
	return line, true
}

// Find returns the command that the line calls.
func Find(line string) (Command, bool) {
	name, _ := split(line)
	for _, c := range Table() {
		if c.Name == name {
			return c, true
		}
	}
	return Command{}, false
}

// Run carries out a command line. The reply is for a person and may have several lines or be empty; an error says what was wrong with
// the line, or why the target could not do it.
func Run(line string, t Target) (reply string, err error) {
	name, args := split(line)
	c, ok := Find(line)
	if !ok {
		return "", unknown(name, t.Commands())
	}
	if c.Args == "" && len(args) > 0 {
		return "", fmt.Errorf("%s takes no arguments", c.Name)
	}
	return c.run(t, args)
}

// ValidUser says what is wrong with a user name: the service takes lower-case letters, digits, "_", "-" and ".", at most 64 bytes.
func ValidUser(name string) error {
	if name == "" {
		return errors.New("a user name is missing")
	}
	bad := strings.IndexFunc(name, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-.", r) })
	if bad >= 0 || len(name) > 64 {
		return fmt.Errorf("%q is no user name: use a-z 0-9 _ - . and at most 64", printable.Line(name, 24))
	}
	return nil
}

func split(line string) (name string, args []string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", nil
	}
	return strings.ToLower(words[0]), words[1:]
}

func unknown(name string, known []Command) error {
	var names []string
	nearest, best := "", min(3, len(name)) // a name that needs three edits, or a new one, is no typing error
	for _, c := range known {
		names = append(names, c.Name)
		if d := distance(name, c.Name); d < best {
			nearest, best = c.Name, d
		}
	}
	if nearest != "" {
		nearest = "did you mean " + nearest + "? "
	}
	return fmt.Errorf("there is no %q: %sthe commands are %s", printable.Line(name, 24), nearest, strings.Join(names, " "))
}

// distance counts the single-byte edits between a and b. A long a is no typing error of anything, so it is not measured.
func distance(a, b string) int {
	if len(a) > 2*len(b) {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/charmbracelet/x/vt"
)

// patience is how long a text may take to come.
const patience = 40 * time.Second

// stage is a tmux server of its own; its panes are the terminals that the program runs in.
type stage struct{ socket string }

func (s stage) tmux(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-L", s.socket, "-f", "/dev/null"}, args...)...) //nolint:gosec,noctx // the arguments are ours, and it answers at once
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w", args[0], err)
	}
	return string(out), nil
}

// play runs the program and returns the picture after the last step.
func (s stage) play(program string, c scene) (string, error) {
	command := "env -u TMUX TERM=xterm-256color COLORTERM=truecolor NO_COLOR= LC_ALL=C.UTF-8 TZ=UTC " + program + " " + strings.Join(c.args, " ")
	if _, err := s.tmux("new-session", "-d", "-s", c.file, "-x", fmt.Sprint(c.width), "-y", fmt.Sprint(c.height), command); err != nil {
		return "", err
	}
	if _, err := s.tmux("set-option", "-t", c.file, "window-style", "bg="+c.look.paper+",fg="+c.look.ink); err != nil {
		return "", err
	}
	for _, step := range c.steps {
		if err := s.await(c.file, step.until); err != nil {
			return "", err
		}
		for _, key := range step.keys {
			if _, err := s.tmux(append([]string{"send-keys", "-t", c.file}, key.args()...)...); err != nil {
				return "", err
			}
			time.Sleep(100 * time.Millisecond) // a person is no faster
		}
	}
	time.Sleep(c.wait)
	text, err := s.tmux("capture-pane", "-p", "-e", "-N", "-t", c.file)
	if err != nil {
		return "", err
	}
	screen := vt.NewEmulator(c.width, c.height)
	_, err = screen.WriteString(strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\r\n"))
	return svg(screen, c.look), err
}

// await waits until a screen has the text.
func (s stage) await(session, text string) error {
	screen := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var err error
		if screen, err = s.tmux("capture-pane", "-p", "-t", session); err != nil {
			return err
		}
		if strings.Contains(screen, text) {
			return nil
		}
	}
	return fmt.Errorf("%q never came to the screen:\n%s", text, screen)
}

// key is a key by tmux's name, or a text to type.
type key string

// args are what tmux's send-keys wants for it.
func (k key) args() []string {
	if strings.HasPrefix(string(k), "<") {
		return []string{strings.Trim(string(k), "<>")}
	}
	return []string{"-l", string(k)}
}

// build makes the program in a directory of its own.
func build() (program string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "ttlchat-screens")
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("go", "build", "-o", dir+"/ttlchat", ".") //nolint:gosec,noctx // the directory is ours, and it takes as long as it takes
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", nil, fmt.Errorf("building ttlchat: %w", err)
	}
	return dir + "/ttlchat", func() { _ = os.RemoveAll(dir) }, nil
}

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/charmbracelet/x/vt"

	"github.com/ttlchat/ttlchat/internal/pty"
)

// patience is how long a test waits for what must come. Nothing waits that long unless it is broken.
const patience = 30 * time.Second

// terminal is a real pseudo-terminal with a program on it, and with a screen that shows what the program writes.
type terminal struct {
	t             *testing.T
	master, slave *os.File
	before        *term.State // the modes of the line before the program
	cmd           *exec.Cmd
	dir, log      string

	mu     sync.Mutex
	screen *vt.Emulator
	raw    bytes.Buffer
}

// start runs a program of TestMain's with flags, on a terminal of its own and with a log.
func start(t *testing.T, width, height int, program string, flags ...string) *terminal {
	t.Helper()
	return startAs(t, &syscall.SysProcAttr{Setsid: true, Setctty: true}, width, height, program, flags...)
}

func startAs(t *testing.T, attributes *syscall.SysProcAttr, width, height int, program string, flags ...string) *terminal {
	t.Helper()
	tt := &terminal{t: t, screen: vt.NewEmulator(width, height), dir: t.TempDir()}
	var err error
	if tt.master, tt.slave, err = pty.Open(uint16(width), uint16(height)); err != nil { //nolint:gosec // small numbers
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tt.master.Close(), tt.slave.Close() })
	tt.log = filepath.Join(tt.dir, "log")
	before, err := term.GetState(tt.slave.Fd())
	if err != nil {
		t.Fatal(err)
	}
	tt.before = before
	tt.cmd = exec.Command(program, append(flags, "--log-file", tt.log)...) //nolint:gosec,noctx // a program of this test; the test ends it
	tt.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "PID_FILE="+tt.path("pid"))
	tt.cmd.Stdout, tt.cmd.Stderr = tt.slave, tt.slave
	if attributes.Ctty == 0 { // otherwise the input has ended before it began
		tt.cmd.Stdin = tt.slave
	}
	tt.cmd.SysProcAttr = attributes
	if err := tt.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-tt.cmd.Process.Pid, syscall.SIGKILL)
		_ = tt.cmd.Wait()
	})
	go tt.show()
	go func() { _, _ = io.Copy(tt.master, tt.screen) }() // what the terminal answers
	return tt
}

func (tt *terminal) path(name string) string { return filepath.Join(tt.dir, name) }

// show draws what the program writes.
func (tt *terminal) show() {
	buffer := make([]byte, 4096)
	for {
		n, err := tt.master.Read(buffer)
		tt.mu.Lock()
		tt.raw.Write(buffer[:n])
		_, _ = tt.screen.Write(buffer[:n])
		tt.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// resize makes the terminal another size, of which its kernel tells the program.
func (tt *terminal) resize(width, height int) {
	tt.t.Helper()
	tt.mu.Lock()
	tt.screen.Resize(width, height)
	tt.mu.Unlock()
	if err := pty.Resize(tt.master, uint16(width), uint16(height)); err != nil { //nolint:gosec // small numbers
		tt.t.Fatal(err)
	}
}

func (tt *terminal) String() string {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	return tt.screen.String()
}

// written is all that the program has written so far.
func (tt *terminal) written() string {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	return tt.raw.String()
}

func (tt *terminal) logged() string {
	content, err := os.ReadFile(tt.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		tt.t.Fatal(err)
	}
	return string(content)
}

func (tt *terminal) until(what string, is func() bool) {
	tt.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tt.t.Fatalf("%s did not come; the screen:\n%s\nthe log:\n%s", what, tt, tt.logged())
		}
	}
}

// see waits for a text on the screen.
func (tt *terminal) see(text string) {
	tt.t.Helper()
	tt.until(strconv.Quote(text), func() bool { return strings.Contains(tt.String(), text) })
}

func (tt *terminal) press(keys string) {
	tt.t.Helper()
	if _, err := tt.master.WriteString(keys); err != nil {
		tt.t.Fatal(err)
	}
}

func (tt *terminal) signal(s os.Signal) {
	tt.t.Helper()
	if err := tt.cmd.Process.Signal(s); err != nil {
		tt.t.Fatal(err)
	}
}

// end waits for the end of the program and returns its exit code, which is -1 when a signal killed it.
func (tt *terminal) end() int {
	tt.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = tt.cmd.Wait() // its exit code tells
	}()
	select {
	case <-ended:
		return tt.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		tt.t.Fatalf("the program did not end; the screen:\n%s\nthe log:\n%s", tt, tt.logged())
		return 0
	}
}

// given checks that the terminal is as it was before the program, and shows what has been left on it.
func (tt *terminal) given() {
	tt.t.Helper()
	after, err := term.GetState(tt.slave.Fd())
	if err != nil {
		tt.t.Fatal(err)
	}
	if *after != *tt.before {
		tt.t.Errorf("the modes of the line are %v, they were %v", *after, *tt.before)
	}
	for _, mode := range []struct{ on, off, what string }{
		{"\x1b[?1049h", "\x1b[?1049l", "the alternate screen"},
		{"\x1b[?25l", "\x1b[?25h", "the hidden cursor"},
		{"\x1b[?1002h", "\x1b[?1002l", "the mouse"},
		{"\x1b[?2004h", "\x1b[?2004l", "bracketed paste"},
	} {
		tt.until("the end of "+mode.what, func() bool {
			out := tt.written()
			on, off := strings.LastIndex(out, mode.on), strings.LastIndex(out, mode.off)
			return on < 0 || off > on
		})
		if out := tt.written(); !strings.Contains(out, mode.on) && mode.on != "\x1b[?25l" {
			tt.t.Errorf("%s was never switched on, so this test shows nothing", mode.what)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func init() { programs["ttlchat-job"], programs["ttlchat-breaks"] = jobShell, breaks }

// jobShell starts ttlchat as a shell with job control does: in a process group of its own that has the terminal. Only then can it be
// suspended.
func jobShell() {
	cmd := exec.Command("ttlchat", os.Args[1:]...) //nolint:noctx,gosec // it ends with the terminal; the test gives the arguments
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	if err := os.WriteFile(os.Getenv("PID_FILE"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil { //nolint:gosec // the test's own file
		panic(err)
	}
	_ = cmd.Wait()
	os.Exit(cmd.ProcessState.ExitCode())
}

// breaks is ttlchat with a screen in which the goroutine that logs the event $BREAK_AT panics.
func breaks() {
	o := new(options)
	cmd := &cobra.Command{RunE: func(cmd *cobra.Command, _ []string) error {
		log, file, err := o.openLog()
		if err != nil {
			return err
		}
		defer file.Close()
		w, err := o.wire("", slog.New(tripwire{log.Handler(), os.Getenv("BREAK_AT")}))
		if err != nil {
			return err
		}
		defer w.close()
		return runScreen(cmd.Context(), o, w)
	}, SilenceUsage: true}
	o.emulatorFlags(cmd.Flags())
	o.clientFlags(cmd.Flags())
	if cmd.Execute() != nil {
		os.Exit(exitFailed)
	}
}

// tripwire is a log that panics at one message.
type tripwire struct {
	slog.Handler
	message string
}

func (w tripwire) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == w.message {
		panic("tripped by " + w.message)
	}
	return w.Handler.Handle(ctx, r)
}

// Whoever ends the program from outside gets the terminal back; the session ends, and the log says why.
func TestScreenEndsFromOutside(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		end    func(*terminal)
		code   int
		reason string
	}{
		{"a quit", func(tt *terminal) { tt.press("\x03") }, exitFine, "the person at the screen has left"},
		{"SIGTERM", func(tt *terminal) { tt.signal(syscall.SIGTERM) }, exitFailed, "terminated signal received"},
		{"SIGINT", func(tt *terminal) { tt.signal(syscall.SIGINT) }, exitFailed, "interrupt signal received"},
		{"SIGHUP", func(tt *terminal) { tt.signal(syscall.SIGHUP) }, exitFailed, "hangup signal received"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tt := start(t, 80, 24, "ttlchat", "--ttl", "24h")
			tt.see("Enter logs in")
			tt.press("\r")
			tt.see("ONLINE")
			tc.end(tt)
			if code := tt.end(); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			tt.given()
			tt.see("ttlchat: logins 1") // on the ordinary screen
			for _, part := range []string{tc.reason, `"msg":"logged_out"`, `"msg":"session.closed"`} {
				if !strings.Contains(tt.logged(), part) {
					t.Errorf("the log lacks %s:\n%s", part, tt.logged())
				}
			}
		})
	}
}

// A terminal that is closed takes the program with it: by a signal when it is the program's controlling terminal, and else because
// nothing can be read from it any more.
func TestTerminalCloses(t *testing.T) {
	t.Parallel()
	for reason, attributes := range map[string]*syscall.SysProcAttr{
		"":                      {Setsid: true, Setctty: true}, // the signal and the end of the input come at once
		"the terminal has gone": {Setsid: true},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			tt := startAs(t, attributes, 80, 24, "ttlchat", "--ttl", "24h")
			tt.see("Enter logs in")
			tt.press("\r")
			tt.see("ONLINE")
			_, _ = tt.slave.Close(), tt.master.Close()
			if code := tt.end(); code != exitFailed {
				t.Errorf("exit code %d, want %d", code, exitFailed)
			}
			for _, part := range []string{`"msg":"logged_out"`, `"msg":"the screen has ended"`, reason} {
				if !strings.Contains(tt.logged(), part) {
					t.Errorf("the log lacks %s:\n%s", part, tt.logged())
				}
			}
		})
	}
}

// A standard input that has ended does not matter while there is a terminal to ask.
func TestScreenWithoutInput(t *testing.T) {
	t.Parallel()
	tt := startAs(t, &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}, 80, 24, "ttlchat", "--ttl", "24h")
	tt.see("Enter logs in")
	tt.press("\r")
	tt.see("ONLINE")
	tt.press("\x03")
	if code := tt.end(); code != exitFine {
		t.Errorf("exit code %d", code)
	}
	tt.given()
}

// A panic in a goroutine of the session or of the emulator ends the program, not the terminal.
func TestScreenBreaks(t *testing.T) {
	for name, event := range map[string]string{
		"the session's goroutine": "login.succeeded", "the emulator's goroutine for expiries": "session.will_expire",
		"the emulator's goroutine of a connection": "frame.in",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("BREAK_AT", event)
			tt := start(t, 120, 40, "ttlchat-breaks", "--ttl", "2s", "--on-will-expire", "ignore")
			tt.see("Enter logs in")
			tt.press("\r")
			if code := tt.end(); code != exitFailed {
				t.Errorf("exit code %d, want %d", code, exitFailed)
			}
			tt.given()
			tt.see("ttlchat broke, and its log says where: tripped by " + event)
			for _, part := range []string{`"msg":"a goroutine panicked"`, "tripwire.Handle", `"msg":"the screen has ended"`} {
				if !strings.Contains(tt.logged(), part) {
					t.Errorf("the log lacks %s:\n%s", part, tt.logged())
				}
			}
		})
	}
}

// Who stops the program and lets it go on after the token's end sees the screen as it must be now: by the key, which gives the terminal back
// meanwhile, and by a signal that nobody can catch.
func TestSuspendAcrossExpiry(t *testing.T) {
	t.Parallel()
	const life = 6 * time.Second
	for name, stop := range map[string]func(tt *terminal, pid int){
		"Ctrl+Z": func(tt *terminal, pid int) {
			tt.press("\x1a")
			tt.until("the stop", func() bool { return stopped(tt.t, pid) })
			tt.given()
		},
		"SIGTSTP": func(tt *terminal, pid int) {
			if err := syscall.Kill(pid, syscall.SIGTSTP); err != nil {
				tt.t.Fatal(err)
			}
			tt.until("the stop", func() bool { return stopped(tt.t, pid) })
			tt.given()
		},
		"SIGSTOP": func(tt *terminal, pid int) {
			if err := syscall.Kill(-pid, syscall.SIGSTOP); err != nil {
				tt.t.Fatal(err)
			}
			tt.until("the stop", func() bool { return stopped(tt.t, pid) })
			if _, err := tt.slave.WriteString("\x1b[5;1Hwhat a shell writes meanwhile"); err != nil {
				tt.t.Fatal(err)
			}
			tt.see("what a shell writes meanwhile")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt, pid, online := suspended(t, life, stop)
			time.Sleep(time.Until(online.Add(life))) // the token ends meanwhile
			if strings.Contains(tt.logged(), "token.expired") {
				t.Fatal("a program that stands still has noticed the end of its token")
			}
			if err := syscall.Kill(-pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			tt.see("EXPIRED")
			tt.see("ttlchat  alice → echo")
			tt.see("type a message")
			tt.until("a clean screen", func() bool { return !strings.Contains(tt.String(), "a shell writes") })
			tt.press("\x03")
			if code := tt.end(); code != exitFine {
				t.Errorf("exit code %d", code)
			}
			tt.given()
		})
	}
}

// suspended starts a program, logs in and stops it while at least a second of its token's life is left; where that took too long for the test
// to show anything, it begins anew. The token ends no later than life after online.
func suspended(t *testing.T, life time.Duration, stop func(tt *terminal, pid int)) (tt *terminal, pid int, online time.Time) {
	t.Helper()
	for range 5 {
		tt = start(t, 80, 24, "ttlchat-job", "--ttl", life.String(), "--on-will-expire", "ignore", "--on-expired", "ignore")
		tt.see("Enter logs in")
		pid = tt.job()
		before := time.Now()
		tt.press("\r")
		tt.see("ONLINE")
		online = time.Now()
		stop(tt, pid)
		if time.Since(before) <= life-2*time.Second { // the life counts from the second in which it began
			return tt, pid, online
		}
		if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		tt.end()
	}
	t.Fatal("this machine is too slow for this test to show anything")
	return nil, 0, time.Time{}
}

// A storm of new sizes leaves the screen as if it had had the last one all along.
func TestResizeStorm(t *testing.T) {
	t.Parallel()
	tt := start(t, 120, 40, "ttlchat", "--ttl", "24h")
	tt.see("Enter logs in")
	tt.press("\r")
	tt.see("ONLINE")
	tt.press("hello\r")
	tt.see("echo  hello")
	for i := range 200 {
		tt.resize(20+i*37%180, 6+i*13%50)
	}
	tt.resize(119, 39)
	tt.resize(120, 40)
	tt.see("where it stands")
	still := func() (screen string) { // what it looks like when nothing is under way
		for before := ""; ; before = screen {
			time.Sleep(300 * time.Millisecond)
			if screen = tt.String(); screen == before {
				return screen
			}
		}
	}
	broken := func(screen string) (faults []string) {
		for _, part := range []string{"echo  hello", "life of the token", "where it stands", "timeline", "type a message", "[ONLINE]"} {
			if !strings.Contains(screen, part) {
				faults = append(faults, fmt.Sprintf("it lacks %q", part))
			}
		}
		for i, line := range strings.Split(screen, "\n") {
			if cells := len([]rune(strings.TrimRight(line, " "))); cells > 120 || i > 0 && i < 37 && cells < 119 {
				faults = append(faults, fmt.Sprintf("line %d is broken: %q", i, line))
			}
		}
		return faults
	}
	after := still()
	for deadline := time.Now().Add(patience); broken(after) != nil && time.Now().Before(deadline); after = still() {
		// the program may have stood still itself, with sizes yet to come
	}
	if faults := broken(after); faults != nil {
		t.Errorf("after the storm:\n%s\n%s", strings.Join(faults, "\n"), after)
	}
	tt.press("\x0f") // a logout and a login draw most of it anew
	tt.see("LOGGED OUT")
	tt.press("\x0c")
	tt.see("ONLINE")
	tt.press("\x03")
	if code := tt.end(); code != exitFine {
		t.Errorf("exit code %d", code)
	}
	tt.given()
}

// job is the process that jobShell has started.
func (tt *terminal) job() (pid int) {
	tt.t.Helper()
	tt.until("the process", func() bool {
		text, err := os.ReadFile(tt.path("pid"))
		if err == nil {
			pid, err = strconv.Atoi(string(text))
		}
		return err == nil
	})
	return pid
}

// stopped tells whether a process stands still.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "T")
}

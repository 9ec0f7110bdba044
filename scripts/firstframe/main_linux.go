// Command firstframe prints how soon programs show a text after they were started, each on a pseudo-terminal of 120x40 cells. It starts them
// in turn, so that what else the machine does meets all of them alike, and prints a line for each: the median in milliseconds, the fastest
// and the slowest of them.
//
//	usage: firstframe TIMES PROGRAM TEXT [PROGRAM TEXT ...]
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/ttlchat/ttlchat/internal/pty"
)

// patience is how long a program has for its first frame.
const patience = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "firstframe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 || len(args)%2 == 0 {
		return errors.New("usage: firstframe TIMES PROGRAM TEXT [PROGRAM TEXT ...]")
	}
	times, err := strconv.Atoi(args[0])
	if err != nil || times < 1 {
		return fmt.Errorf("%q is no number of times", args[0])
	}
	programs := slices.Collect(slices.Chunk(args[1:], 2))
	took := make([][]time.Duration, len(programs))
	for range times {
		for i, p := range programs {
			d, err := firstFrame(p[0], p[1])
			if err != nil {
				return fmt.Errorf("%s: %w", p[0], err)
			}
			took[i] = append(took[i], d)
		}
	}
	for _, t := range took {
		slices.SortFunc(t, cmp.Compare)
		fmt.Println(t[len(t)/2].Milliseconds(), t[0].Milliseconds(), t[len(t)-1].Milliseconds())
	}
	return nil
}

// firstFrame starts the program and waits until it has written the text.
func firstFrame(program, text string) (took time.Duration, err error) {
	person, end, err := pty.Open(120, 40)
	if err != nil {
		return 0, err
	}
	defer person.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program) //nolint:gosec // to start it is what this is for
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = end, end, end
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	start := time.Now()
	if err = cmd.Start(); err != nil {
		return 0, errors.Join(err, end.Close())
	}
	if err := end.Close(); err != nil { // so that reading ends when the program does
		return 0, err
	}
	var written []byte
	buffer := make([]byte, 1<<16)
	for err == nil && !bytes.Contains(written, []byte(text)) {
		var n int
		n, err = person.Read(buffer)
		written = append(written, buffer[:n]...)
	}
	took = time.Since(start)
	cancel()
	_ = cmd.Wait() // it was killed
	if err != nil {
		return 0, fmt.Errorf("it ended, or did not write %q within %v: %w", text, patience, err)
	}
	return took, nil
}

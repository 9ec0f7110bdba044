package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is another run of this program that obeys lines and answers each with one.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self, args...)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReaderSize(out, 1<<20)
	return p, p.cmd.Start()
}

// line reads what the process says.
func (p *process) line() (string, error) {
	text, err := p.out.ReadString('\n')
	return strings.TrimSpace(text), err
}

// say tells the process something without waiting.
func (p *process) say(format string, args ...any) error {
	_, err := fmt.Fprintf(p.in, format+"\n", args...)
	return err
}

// ask says something and reads the answer.
func (p *process) ask(format string, args ...any) (string, error) {
	if err := p.say(format, args...); err != nil {
		return "", err
	}
	return p.line()
}

// stop ends the process.
func (p *process) stop() error {
	_ = p.in.Close()
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // killed, as it should be
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// cpu is how much processor time a server has had so far. It says so itself, because others are told in steps of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	answer, err := p.ask("cpu")
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(answer)
}

// ownCPU is how much processor time this process has had so far.
func ownCPU() (time.Duration, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), err
}

// meter reads the processor time of a server and of this process.
type meter struct {
	of          *process
	server, own time.Duration
}

func (p *process) meter() (*meter, error) {
	m := &meter{of: p}
	var err1, err2 error
	m.server, err1 = p.cpu()
	m.own, err2 = ownCPU()
	return m, errors.Join(err1, err2)
}

// since returns the µs of processor time for each of n things since the meter was made: of the server alone, and of both sides.
func (m *meter) since(n int) (server, both float64, err error) {
	now, err := m.of.meter()
	if err != nil || n == 0 {
		return 0, 0, err
	}
	server = float64((now.server - m.server).Microseconds()) / float64(n)
	return server, server + float64((now.own-m.own).Microseconds())/float64(n), nil
}

// resident is how many KB of memory the process has.
func (p *process) resident() (int, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	var kb int
	_, err = fmt.Sscan(rest, &kb)
	return kb, err
}

// holds is what the process says that it has after a collection: bytes of live memory and stacks, and goroutines.
func (p *process) holds() (memory, goroutines int, err error) {
	answer, err := p.ask("holds")
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(answer, &memory, &goroutines)
	return memory, goroutines, err
}

// target is a running server with the adapter for it.
type target struct {
	*process
	name        string
	adapter     adapter
	chat, token string // addresses
}

func newTarget(name string) (*target, error) {
	p, err := start("serve", name)
	if err != nil {
		return nil, err
	}
	t := &target{process: p, name: name, adapter: adapters[name]()}
	first, err := p.line()
	if err == nil {
		_, err = fmt.Sscan(first, &t.chat, &t.token)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return t, nil
}

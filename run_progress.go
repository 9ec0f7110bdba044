package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// progressLine shows on a terminal how many scenarios are done and which are running, on a line that is written over.
type progressLine struct {
	mu          sync.Mutex
	out         io.Writer
	shown       bool // on a terminal at all
	total, done int
	running     []string
}

func newProgressLine(out io.Writer, total int) *progressLine {
	return &progressLine{out: out, shown: isTerminal(out), total: total}
}

func (p *progressLine) started(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, name)
	p.show()
}

func (p *progressLine) ended(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if i := slices.Index(p.running, name); i >= 0 {
		p.running = slices.Delete(p.running, i, i+1)
	}
	p.show()
}

// show writes the line. mu is held.
func (p *progressLine) show() {
	if !p.shown || p.done == p.total {
		return
	}
	line := fmt.Sprintf("%d of %d done, %d running: %s", p.done, p.total, len(p.running), strings.Join(p.running, " "))
	if runes := []rune(line); len(runes) > 78 {
		line = string(runes[:77]) + "…"
	}
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

// clear takes the line away, so that something else can be written.
func (p *progressLine) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}

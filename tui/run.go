package tui

import (
	"context"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Run shows the screen until the person quits or ctx ends, and closes the session. The terminal is as it was before when Run returns,
// also after a panic; one line then says what happened in the session. The error is Bubble Tea's: it tells of a terminal that cannot
// be used, of an interrupt (tea.ErrInterrupted), of a panic (tea.ErrProgramPanic) and of the end of ctx.
func Run(ctx context.Context, cfg Config) error {
	return run(ctx, cfg, os.Stdout)
}

func run(ctx context.Context, cfg Config, out io.Writer, options ...tea.ProgramOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newModel(ctx, cfg)
	all := []tea.ProgramOption{tea.WithContext(ctx), tea.WithOutput(out), tea.WithFPS(30)} // half the usual, and half the work when idle
	if os.Getenv("NO_COLOR") != "" {
		all = append(all, tea.WithColorProfile(colorprofile.ASCII)) // the detection of colours obeys "1" and "true" only
	}
	_, err := tea.NewProgram(m, append(all, options...)...).Run()
	cancel()
	if m.session != nil {
		m.session.Close()
	}
	if line := m.summary(); line != "" {
		_, _ = fmt.Fprintln(out, line)
	}
	return err
}

package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// Run shows the screen until the person quits, ctx ends or the terminal goes away, and closes the session. The terminal is as it was
// before when Run returns; one line then says what happened in the session. The error is the cause of the end of ctx, ErrTerminalGone, or
// Bubble Tea's, which tells of a terminal that cannot be used. Signals are the caller's to turn into the end of ctx. Panics are told to whoever
// watches them (package guard), who has to end ctx.
func Run(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return run(ctx, cfg, os.Stdout, onJobControl(ctx))
}

// ErrTerminalGone means that nothing can be read from the terminal any more.
var ErrTerminalGone = errors.New("the terminal has gone")

func run(ctx context.Context, cfg Config, out io.Writer, options ...tea.ProgramOption) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	opening := &opening{ctx: ctx, cfg: cfg}
	all := []tea.ProgramOption{
		tea.WithoutSignalHandler(), tea.WithOutput(out),
		tea.WithFPS(30), // half the usual, and half the work when idle
	}
	if term.IsTerminal(os.Stdin.Fd()) { // otherwise Bubble Tea looks for the terminal by itself
		all = append(all, tea.WithInput(keyboard{os.Stdin, func() { cancel(ErrTerminalGone) }}))
	}
	if os.Getenv("NO_COLOR") != "" {
		all = append(all, tea.WithColorProfile(colorprofile.ASCII)) // the detection of colours obeys "1" and "true" only
	}
	p := tea.NewProgram(opening, append(all, options...)...)
	defer context.AfterFunc(ctx, p.Quit)() // a context of its own would have Bubble Tea let go of the terminal while it still reads
	_, err := p.Run()
	if err == nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	m := opening.model
	if m == nil { // the terminal cannot be used
		return err
	}
	if m.session != nil {
		m.session.Close()
	}
	if line := m.summary(); line != "" {
		_, _ = fmt.Fprintln(out, line)
	}
	return err
}

// opening makes the model when the renderer's clock runs already: nothing is shown before its first tick, so that costs the first frame nothing.
type opening struct {
	ctx   context.Context //nolint:containedctx // until the model has it
	cfg   Config
	model *model
}

// Init implements tea.Model.
func (o *opening) Init() tea.Cmd {
	o.model = newModel(o.ctx, o.cfg)
	return o.model.Init()
}

// Update implements tea.Model; from then on it is the model itself.
func (o *opening) Update(msg tea.Msg) (tea.Model, tea.Cmd) { return o.model.Update(msg) }

// View implements tea.Model.
func (o *opening) View() tea.View { return o.model.View() }

// keyboard is the terminal as it is read. Bubble Tea goes on without one that has ended; a program that nobody can talk to should not.
type keyboard struct {
	*os.File
	gone func()
}

// Read implements io.Reader.
func (k keyboard) Read(p []byte) (int, error) {
	n, err := k.File.Read(p)
	if err != nil {
		k.gone()
	}
	return n, err
}

//go:build !unix

package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// onJobControl does nothing where processes are not stopped.
func onJobControl(context.Context) tea.ProgramOption { return func(*tea.Program) {} }

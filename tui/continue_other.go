//go:build !unix

package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// onContinue does nothing where processes are not stopped.
func onContinue(context.Context) tea.ProgramOption { return func(*tea.Program) {} }

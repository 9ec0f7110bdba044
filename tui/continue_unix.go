//go:build unix

package tui

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"
)

// onContinue has the screen drawn anew, and the deadlines looked at, when the process goes on after it was stopped in a way that Bubble Tea
// does not see: by a signal and not by a key.
func onContinue(ctx context.Context) tea.ProgramOption {
	return func(p *tea.Program) {
		continued := make(chan os.Signal, 1)
		signal.Notify(continued, syscall.SIGCONT)
		go func() {
			defer signal.Stop(continued)
			for {
				select {
				case <-continued:
					p.Send(tea.ResumeMsg{})
					p.Send(tea.ClearScreen())
				case <-ctx.Done():
					return
				}
			}
		}()
	}
}

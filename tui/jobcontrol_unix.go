//go:build unix

package tui

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	tea "charm.land/bubbletea/v2"
)

// onJobControl stops the process as the key does when a signal asks for it, so that the terminal is given back first. When the process goes on
// after it was stopped in whatever way, it has the screen drawn anew, and the deadlines looked at.
func onJobControl(ctx context.Context) tea.ProgramOption {
	return func(p *tea.Program) {
		var givenBack atomic.Bool // the terminal, or it is about to be
		tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
			if _, ok := msg.(tea.SuspendMsg); ok {
				givenBack.Store(true)
			}
			return msg
		})(p)
		stop, continued := make(chan os.Signal, 1), make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTSTP)
		signal.Notify(continued, syscall.SIGCONT)
		go func() {
			defer signal.Stop(stop)
			defer signal.Stop(continued)
			for {
				select {
				case <-stop:
					if givenBack.Load() { // Bubble Tea has sent the signal, which stops no Go program that listens to it
						_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // nobody can refuse
					} else {
						p.Send(tea.SuspendMsg{})
					}
				case <-continued:
					givenBack.Store(false)
					p.Send(tea.ResumeMsg{})
					p.Send(tea.ClearScreen())
				case <-ctx.Done():
					return
				}
			}
		}()
	}
}

// Command empty is the smallest Bubble Tea program with a clock: what scripts/idle.sh measures ttlchat against.
package main

import (
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
)

type model struct{ now time.Time }

func tick() tea.Cmd { return tea.Tick(time.Second, func(t time.Time) tea.Msg { return t }) }

// Init starts the clock.
func (m model) Init() tea.Cmd { return tick() }

// Update keeps the clock running and quits on any key.
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case time.Time:
		m.now = msg
		return m, tick()
	case tea.KeyPressMsg:
		return m, tea.Quit
	}
	return m, nil
}

// View shows the clock.
func (m model) View() tea.View {
	v := tea.NewView("empty " + m.now.Format(time.TimeOnly))
	v.AltScreen = true
	return v
}

func main() {
	if _, err := tea.NewProgram(model{now: time.Now()}, tea.WithFPS(30)).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// playEntry is the panel of the scenario that is played. It is there only while one is.
func playEntry() panel {
	return panel{name: "play", title: playTitle, note: playNote, view: viewPlay, move: movePlay, bar: playBar, keys: playKeys()}
}

func playTitle(m *model) string {
	if m.large() {
		return "play " + printable.Line(m.cfg.Play.Name, 64)
	}
	return fmt.Sprintf("play %d/%d", m.play.tally(CheckMet), len(m.play.Checks))
}

func playNote(m *model) string {
	if !m.large() {
		return ""
	}
	return m.dim.Render(fmt.Sprintf("%d of %d met", m.play.tally(CheckMet), len(m.play.Checks)))
}

// viewPlay draws how the run stands, the story, what comes next, and the checks below them.
func viewPlay(m *model, a area) []string {
	lines := m.playHead(a)
	checks := m.playChecks(a.width)
	room := max(a.height-len(lines), 1)
	m.play.top = min(max(m.play.top, 0), max(len(checks)-room, 0))
	lines = append(lines, checks[m.play.top:]...)
	return lines[:min(len(lines), max(a.height, 0))]
}

// Rows of the story on a panel with little room, and with much.
const (
	briefStory = 2
	wholeStory = 6
)

// playHead draws everything above the checks.
func (m *model) playHead(a area) []string {
	now := m.play.clock(m.session.Now())
	word, t := m.play.state()
	var lines []string
	if !m.small() { // there it has a line of its own
		lines = append(lines, m.playClock(now, a.width, word, t))
	}
	if a.height > 6 {
		story := min(max(a.height-len(m.playChecks(a.width))-3, briefStory), wholeStory)
		text := printable.Line(m.cfg.Play.Story, 1000)
		if !m.large() {
			text = printable.Line(m.cfg.Play.Name, 64) + ": " + text
		}
		for _, line := range m.wrap(text, a.width, story) {
			lines = append(lines, m.dim.Render(line))
		}
	}
	next := m.wrap(m.playNext(now), a.width, 2)
	if len(next) < 2 && m.large() { // a sentence that grows by a line moves nothing
		next = append(next, "")
	}
	for _, line := range next {
		lines = append(lines, m.tones[t].Render(line))
	}
	if a.height <= 8 {
		return lines
	}
	count := func(state CheckState) string {
		n, p := m.play.tally(state), m.dim
		if n > 0 {
			p = m.checkPaint(state)
		}
		return p.Render(fmt.Sprintf("%d %s", n, state))
	}
	return append(lines, m.rule("", " "+count(CheckMet)+m.dim.Render(" · ")+count(CheckOpen)+m.dim.Render(" · ")+count(CheckFailed), a.width))
}

// playClock draws the state, the time of the scenario, and how much of it is over.
func (m *model) playClock(now time.Duration, width int, word string, t tone) string {
	left := m.pills[t].Render(" "+strings.ToUpper(word)+" ") + " " + m.strong.Render(playTime(now)) + m.dim.Render(" of "+playTime(m.play.Until)) + "  "
	room := width - m.cells.StringWidth(left)
	if room < 4 || m.play.Until <= 0 {
		return m.fit(left, width)
	}
	full := int(int64(room) * int64(min(max(now, 0), m.play.Until)) / int64(m.play.Until))
	return left + m.tones[t].Render(strings.Repeat("━", full)) + m.faint.Render(strings.Repeat("─", room-full))
}

// playTime writes a moment of the scenario.
func playTime(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	d = d.Truncate(soonStep)
	if d >= time.Hour {
		return fmt.Sprintf("%s%dh%02dm%02ds", sign, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return fmt.Sprintf("%s%d:%04.1f", sign, int(d.Minutes()), (d % time.Minute).Seconds())
}

// playNext says what the scenario does next, and when.
func (m *model) playNext(now time.Duration) string {
	p := &m.play
	next, failed := printable.Line(p.Next, 200), p.tally(CheckFailed)
	if p.NextAt > now && p.Held { // nobody knows when it goes on
		next += ", due at " + playTime(p.NextAt)
	} else if p.NextAt > now {
		next = "in " + span((p.NextAt - now).Truncate(soonStep)) + ", at " + playTime(p.NextAt) + ": " + next
	}
	switch {
	case p.restarting:
		return "A new run with a new emulator is about to begin."
	case p.Verdict == PlayPassed:
		return "All checks are met. The session goes on, and the keys act on it; r plays again."
	case p.Verdict == PlayFailed:
		return printable.Count(failed, "check has", "checks have") + " failed. The session goes on, and the keys act on it; r plays again."
	case p.Verdict == PlayBroken:
		return "No verdict: " + printable.Line(p.Problem, 300) + "; r plays again."
	case p.Taken:
		return "Everything is up to you now, the scenario does nothing any more: no verdict. r plays again."
	case p.Waits != "":
		next = "when " + printable.Line(p.Waits, 80) + " comes: " + next
	case p.Next == "" && p.Held:
		next = "the end, due at " + playTime(p.Until) + "; no step is left"
	case p.Next == "" && p.Until > now:
		next = "the end, in " + span((p.Until - now).Truncate(soonStep)) + "; no step is left"
	case p.Next == "":
		next = "the end"
	}
	if p.Held {
		return "Paused, the token lives on. Space goes on, s does the next step: " + next
	}
	return "Next " + next
}

func (m *model) checkPaint(state CheckState) paint {
	switch state {
	case CheckMet:
		return m.tones[alive]
	case CheckFailed:
		return m.tones[dead]
	default:
		return m.dim
	}
}

// playChecks draws the checks: first the failed ones, with what happened instead.
func (m *model) playChecks(width int) []string {
	const column = len("failed  ")
	var lines []string
	for _, c := range slices.SortedStableFunc(slices.Values(m.play.Checks), failedFirst) {
		word := m.checkPaint(c.State).Render(m.fit(string(c.State), column))
		expected, seen := printable.Line(c.Expected, 300), printable.Line(c.Seen, 300)
		if c.State != CheckFailed {
			lines = append(lines, word+m.playCheck(c.State, expected, seen, width-column))
			continue
		}
		for i, line := range m.wrap(expected, width-column, 3) {
			if i > 0 {
				word = strings.Repeat(" ", column)
			}
			lines = append(lines, word+line)
		}
		for _, line := range m.wrap("but "+seen, width-column, 4) {
			lines = append(lines, strings.Repeat(" ", column)+m.tones[dead].Render(line))
		}
	}
	return lines
}

// playCheck draws a check that has not failed: as much of it as there is room for, and what was seen of it.
func (m *model) playCheck(state CheckState, expected, seen string, width int) string {
	if state == CheckOpen && seen != "" {
		seen = "so far " + seen
	}
	event, _, _ := strings.Cut(expected, " in ")
	window, _, _ := strings.Cut(expected, " (")
	wide := m.cells.StringWidth
	switch {
	case state == CheckMet && seen != "" && wide(expected)+1+wide(seen) >= width && wide(event)+1+wide(seen) < width:
		expected = event
	case wide(expected) > width:
		expected = m.cut(window, width, "…")
	}
	if state == CheckOpen {
		expected = m.dim.Render(expected)
	}
	return m.spread(width, expected, m.dim.Render(" "+seen))
}

func failedFirst(a, b PlayCheck) int {
	rank := func(c PlayCheck) int {
		if c.State == CheckFailed {
			return 0
		}
		return 1
	}
	return rank(a) - rank(b)
}

func movePlay(m *model, _ area, lines int) { m.play.top -= lines }

func playBar(m *model) (float64, float64) {
	a, ok := m.areaOf(playPanel)
	if !ok {
		return 0, 1
	}
	all := len(m.playChecks(a.width))
	room := max(a.height-len(m.playHead(a)), 1)
	if all <= room {
		return 0, 1
	}
	return float64(m.play.top) / float64(all), float64(m.play.top+room) / float64(all)
}

// playRows is how high the panel wants to be within a column.
func (m *model) playRows(width, height int) int {
	a := area{width - 4, height}
	return min(len(m.playHead(a))+len(m.playChecks(a.width))+2, max(height-10, 3))
}

// chatColumn has the chat, with the scenario that is played above it.
func (m *model) chatColumn(y, width, height int) []slot {
	if !m.play.on() {
		return []slot{{chatPanel, 0, y, width, height}}
	}
	return stack(0, y, width, height, []slot{{content: playPanel, height: m.playRows(width, height)}}, chatPanel)
}

// playLine tells of the run in the one line that a small screen has for it.
func (m *model) playLine() string {
	now := m.play.clock(m.session.Now())
	word, t := m.play.state()
	text := fmt.Sprintf(" %s  %d/%d met", playTime(now), m.play.tally(CheckMet), len(m.play.Checks))
	if n := m.play.tally(CheckFailed); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	line := m.tones[t].Render(strings.ToUpper(word)) + text
	if at := m.play.NextAt - now; m.play.scripted() && !m.play.Held && m.play.Next != "" && at > 0 {
		return m.spread(m.width, line, m.dim.Render("next in "+span(at.Truncate(soonStep))))
	}
	return m.fit(line, m.width)
}

// sidePanels are those that have no place of their own beside the chat.
func (m *model) sidePanels() []int {
	var list []int
	for i := range m.panels {
		if !slices.Contains([]int{chatPanel, timelinePanel, playPanel}, i) {
			list = append(list, i)
		}
	}
	return list
}

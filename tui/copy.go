package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// copy gives a text to the terminal's clipboard (OSC 52), and says so.
func (m *model) copy(what, text string) {
	m.queue(tea.SetClipboard(text))
	m.say(fmt.Sprintf("copied %s, %s", what, printable.Count(utf8.RuneCountInString(text), "character", "characters")), alive)
}

// copyHere copies what the panel with the focus points at.
func (m *model) copyHere() {
	switch m.focus {
	case timelinePanel:
		if at, ok := m.timeline.target(); ok {
			m.copy("the event", at.line(m.pen))
		}
	case tokenPanel:
		m.copyToken()
	default:
		if got, ok := m.talk.target(); ok {
			m.copy("the message", got.shown())
		}
	}
}

func whyNotCopy(m *model) string {
	switch {
	case m.focus == timelinePanel:
		return whyNotDetails(m)
	case m.focus == tokenPanel && len(m.session.Tokens()) == 0:
		return "there is no token yet"
	case m.focus == chatPanel && len(m.talk.entries) == 0:
		return "there is no message yet"
	default:
		return ""
	}
}

// jsonLines writes the moments that the filter shows, one a line.
func jsonLines(moments []*moment) string {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	for _, at := range moments {
		_ = w.Encode(at) // a moment has nothing that JSON cannot say
	}
	return b.String()
}

func (m *model) copyTimeline() {
	m.copy(printable.Count(len(m.timeline.entries), "event", "events")+" (the filter shows "+timelineFilter(m)+")", jsonLines(m.timeline.entries))
}

// exportedMsg tells what became of an export.
type exportedMsg struct {
	file     string
	n        int
	scenario bool
	err      error
}

// export writes the timeline to a new file, outside Update: as a scenario when the file is called so.
func (m *model) export(file string) {
	if file == "" {
		file = m.newFile(".jsonl")
	}
	if ext := filepath.Ext(file); ext == ".yaml" || ext == ".yml" {
		m.exportScenario(file)
		return
	}
	moments := append([]*moment(nil), m.timeline.entries...)
	text := jsonLines(moments)
	m.queue(func() tea.Msg { return exportedMsg{file: file, n: len(moments), err: writeNew(file, text)} })
}

// exportScenario writes what was done, and what came of it, as a scenario that does it again.
func (m *model) exportScenario(file string) {
	write := m.cfg.Scenario
	if why := whyNotScenario(m); why != "" {
		m.say("cannot export: "+why, late)
		return
	}
	m.queue(func() tea.Msg {
		text, err := write(file)
		if err == nil {
			err = writeNew(file, text)
		}
		return exportedMsg{file: file, scenario: true, err: err}
	})
}

func whyNotScenario(m *model) string {
	switch {
	case m.play.on():
		return "this is a scenario already"
	case m.cfg.Scenario == nil:
		return "a scenario needs the built-in emulator and its token server"
	default:
		return ""
	}
}

// newFile is a name for an export.
func (m *model) newFile(ext string) string {
	return "ttlchat-" + m.session.Now().In(m.zone).Format("20060102-150405") + ext
}

// writeNew writes a file that does not exist yet, for its owner alone.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the person at the screen names the file
	if err != nil {
		if info, there := os.Stat(file); there == nil && info.IsDir() {
			return fmt.Errorf("%s is a folder; name a new file in it", file)
		}
		return err
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func (m *model) takeExported(msg exportedMsg) {
	switch {
	case msg.err != nil && msg.scenario:
		m.say("the scenario was not exported: "+msg.err.Error(), late)
		return
	case msg.err != nil:
		m.say("the timeline was not exported: "+msg.err.Error(), late)
		return
	case msg.scenario:
		m.say("ttlchat run "+printable.ShellWord(msg.file)+" does all this again", alive)
		return
	}
	m.say(fmt.Sprintf("%s in %s: the filter shows %s", printable.Count(msg.n, "event", "events"), msg.file, timelineFilter(m)), alive)
}

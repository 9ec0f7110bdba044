package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// maxTalks is how many conversations are kept: the one that has been silent longest goes.
const maxTalks = 50

// talk is the conversation with one other.
type talk struct {
	transcript
	peer   string // as the service names it
	shown  string // fit for the screen
	unread int
	heard  time.Time
	draft  string // what is being written to them, while something else is in the input
}

// talkWith returns the conversation with somebody, and begins it where there is none.
func (m *model) talkWith(peer string) *talk {
	if i := slices.IndexFunc(m.talks, func(t *talk) bool { return t.peer == peer }); i >= 0 {
		return m.talks[i]
	}
	if len(m.talks) >= maxTalks {
		m.dropTalk()
	}
	shown := printable.Line(peer, 64)
	t := &talk{transcript: newTranscript(shown, m.zone), peer: peer, shown: shown}
	m.talks = append(m.talks, t)
	return t
}

// dropTalk lets the conversation go that has been silent longest, other than the one on the screen, and rather one in which nothing is being
// written.
func (m *model) dropTalk() {
	others := slices.DeleteFunc(slices.Clone(m.talks), func(t *talk) bool { return t == m.talk })
	quiet := slices.MinFunc(others, func(a, b *talk) int {
		switch written, other := a.draft != "", b.draft != ""; {
		case written && !other:
			return 1
		case other && !written:
			return -1
		}
		return a.heard.Compare(b.heard)
	})
	m.talks = slices.DeleteFunc(m.talks, func(t *talk) bool { return t == quiet })
}

// enter shows a conversation, with what was being written in it.
func (m *model) enter(t *talk) {
	if t != m.talk {
		m.putAside()
		m.talk = t
		m.bringBack()
	}
	t.unread = 0
	if m.focus != chatPanel {
		m.focusOn(chatPanel)
	}
}

// turnTalk shows the next conversation, one with unread messages before others.
func (m *model) turnTalk(by int) {
	at, n := slices.Index(m.talks, m.talk), len(m.talks)
	next := m.talks[(at+by+n)%n]
	for i := range n {
		if t := m.talks[(at+by*(i+1)+n*n)%n]; t.unread > 0 {
			next = t
			break
		}
	}
	m.enter(next)
}

// takeMessage puts a message of somebody else where it belongs.
func (m *model) takeMessage(e session.Event) {
	t := m.talkWith(e.From)
	t.received(e, t.shown)
	t.heard = e.At
	if t != m.talk {
		t.unread++
	}
	m.bound()
}

// takeFate tells an own message what became of it.
func (m *model) takeFate(e session.Event, f fate) {
	for _, t := range m.talks {
		if t.became(e.MessageID, f, e.Reason) {
			return
		}
	}
}

// bound keeps all conversations together within what one may hold.
func (m *model) bound() {
	sum, longest := 0, m.talk
	for _, t := range m.talks {
		sum += len(t.entries)
		if len(t.entries) > len(longest.entries) {
			longest = t
		}
	}
	if n := keepMessages / 10; sum > keepMessages && len(longest.entries) > n {
		longest.drop(longest.entries[:n])
		longest.entries = slices.Delete(longest.entries, 0, n)
		longest.dropped += n
		longest.pointing = false
	}
}

// resend gives every failed message of the conversation another try.
func (m *model) resend() {
	again := 0
	for _, failed := range m.talk.failures() {
		id, err := m.session.Send(m.talk.peer, failed.raw)
		if err != nil {
			m.say(err.Error(), late)
			return
		}
		m.talk.again(failed, id)
		again++
	}
	m.say(printable.Count(again, "message goes", "messages go")+" out again", calm)
}

func whyNotResend(m *model) string {
	if len(m.talk.failures()) == 0 {
		return "no message of this conversation has failed"
	}
	return ""
}

func whyNotTurnTalk(m *model) string {
	if len(m.talks) < 2 {
		return "there is one conversation; /to NAME begins another"
	}
	return ""
}

// find looks for a text in the conversation; without one it asks for it in the input, or goes on upwards.
func (m *model) find(text string) {
	if text != "" {
		m.sought, m.talk.pointing = text, false
	}
	m.findNext(1)
}

// findNext goes on to the next message with the sought text in it, upwards when by is positive.
func (m *model) findNext(by int) {
	if m.sought == "" {
		m.beginCommand("/find ")
		return
	}
	a, ok := m.areaOf(chatPanel)
	if !ok {
		a = area{max(m.width, 1), max(m.height, 1)}
	}
	nth, all := m.talk.find(m.chatLook(a), a.height, m.sought, by)
	if nth == 0 {
		where := map[int]string{1: "up", -1: "down"}[by]
		m.talk.follow()
		m.say("nothing further "+where+" has "+strconv.Quote(printable.Line(m.sought, 40))+" in it", late)
		return
	}
	m.say(fmt.Sprintf("found %d of %d; F3 looks further up, Shift+F3 further down, Esc returns", nth, all), calm)
}

// showRaw shows the message that is pointed at, or the newest, with everything escaped.
func (m *model) showRaw() {
	got, ok := m.talk.target()
	if !ok {
		m.say("there is no message yet", late)
		return
	}
	m.dialog = &reader{title: "the message as it came", draw: func(m *model, width int) []string {
		rows := []detail{{"from", got.from}, {"at", got.at().In(m.zone).Format(time.RFC3339)}, {"id", got.id()}, {"text", got.escaped()}}
		return m.detailLines(rows, width)
	}}
}

func chatKeys() []action {
	return []action{
		{keys: bind("", "Enter", "enter"), help: "send the message, or run the command", do: (*model).submit},
		{keys: bind("", "^J", "alt+enter", "ctrl+j", "shift+enter"), help: "begin a new line in the message (Alt+Enter too)"},
		{keys: bind("", "↑ ↓", "up", "down"), help: "bring back what was sent before, and what was being written"},
		{keys: bind("", "Shift+↑↓", "shift+up"), help: "point at a message", do: func(m *model) { m.pointMessage(1) }},
		{keys: bind("", "", "shift+down"), do: func(m *model) { m.pointMessage(-1) }},
	}
}

func (m *model) pointMessage(by int) {
	if a, ok := m.areaOf(chatPanel); ok {
		m.talk.step(m.chatLook(a), a.height, by)
	}
}

// chatTitle names as many conversations as there is room for, and counts the others.
func chatTitle(m *model) string {
	if len(m.talks) == 1 {
		return m.cut(m.talk.shown, m.titleRoom(), "…")
	}
	names, others := m.talkNames()
	shown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	if others > 0 {
		shown = append(shown, m.othersWord(names))
	}
	return strings.Join(shown, " ")
}

// othersWord counts the conversations that are not named and, where there is room, what nobody has read in them.
func (m *model) othersWord(names []string) string {
	others, unread, room := 0, 0, m.titleRoom()
	for i, name := range names {
		if name == "" {
			others++
			unread += m.talks[i].unread
		} else {
			room -= m.cells.StringWidth(name) + 1
		}
	}
	if word := fmt.Sprintf("+%d (%d)", others, unread); unread > 0 && len(word) <= room {
		return word
	}
	return fmt.Sprintf("+%d", others)
}

// clickTalk shows the conversation whose name is there, or one of those for which there is no room.
func clickTalk(m *model, column int) {
	names, others := m.talkNames()
	for i, name := range names {
		if name == "" {
			continue
		}
		if column -= m.cells.StringWidth(name) + 1; column < 0 {
			m.enter(m.talks[i])
			return
		}
	}
	if others > 0 && column < len(m.othersWord(names)) { // the count of those that are not named, news first
		unseen := slices.DeleteFunc(m.byNews(), func(t *talk) bool { return names[slices.Index(m.talks, t)] != "" })
		m.enter(unseen[0])
	}
}

// talkNames are the names of the conversations for which there is room in the title, empty for the others, and how many those are. The one on
// the screen leaves room for what nobody has read elsewhere.
func (m *model) talkNames() (names []string, others int) {
	names, others = make([]string, len(m.talks)), len(m.talks)
	room := m.titleRoom() - len(" +99")
	for _, t := range m.byNews() {
		name := talkName(t, t == m.talk)
		if t == m.talk {
			name = m.cut(name, room-len(" (999)"), "…")
		}
		if room -= m.cells.StringWidth(name) + 1; room < -1 {
			break
		}
		names[slices.Index(m.talks, t)] = name
		others--
	}
	return names, others
}

// talkName is a conversation's name in the title, with how many messages nobody has read.
func talkName(t *talk, here bool) string {
	switch {
	case here:
		return "[" + t.shown + "]"
	case t.unread > 0:
		return t.shown + " (" + strconv.Itoa(t.unread) + ")"
	default:
		return t.shown
	}
}

// talkChoices are the other conversations, for who looks for one by its name.
func (m *model) talkChoices() []choiceOf {
	if len(m.talks) < 2 {
		return nil
	}
	var all []choiceOf
	for _, t := range m.byNews()[1:] {
		help := "show the conversation"
		if t.unread > 0 {
			help += ", " + strconv.Itoa(t.unread) + " unread"
		}
		all = append(all, choiceOf{name: t.shown, key: "chat", help: help, run: func(m *model) { m.enter(t) }})
	}
	return all
}

// byNews lists the conversations: the one on the screen first, then those with news.
func (m *model) byNews() []*talk {
	rank := func(t *talk) int {
		switch {
		case t == m.talk:
			return 0
		case t.unread > 0:
			return 1
		default:
			return 2
		}
	}
	return slices.SortedStableFunc(slices.Values(m.talks), func(a, b *talk) int { return rank(a) - rank(b) })
}

// titleRoom is how wide the chat's title can be, beside the note on its frame or beside the other tabs.
func (m *model) titleRoom() int {
	room, shown := m.width, m.focus
	switch {
	case m.small(): // a line of its own
		return room
	case m.large():
		room, shown = m.chatWidth()-6, chatPanel
	default:
		room -= 4
		for i := range m.panels {
			if i != chatPanel {
				room -= m.cells.StringWidth(m.title(i)) + 3
			}
		}
	}
	if note := m.note(shown); note != "" {
		room -= m.cells.StringWidth(note) + 2
	}
	return max(room, 8)
}

func chatEmpty(m *model) string {
	if len(m.talk.entries) > 0 {
		return ""
	}
	return "nothing has been said here yet"
}

func chatNote(m *model) string { return m.behind(m.talk.away, m.talk.below()) }

// behind says that a window does not show the newest line, and how many entries are newer.
func (m *model) behind(away bool, newer int) string {
	if !away || newer == 0 {
		return ""
	}
	return m.accent.Render(printable.Count(newer, "newer one", "newer ones") + " below ↓ Esc")
}

func (m *model) chatLook(a area) look {
	return look{
		pen: m.pen, width: a.width, names: m.talk.names, times: !m.small(), words: m.large() || a.width >= wordRoom, waits: !m.snap.Linked,
	}
}

func viewChat(m *model, a area) []string {
	if m.talk.pointing {
		return m.talk.pointed(m.chatLook(a), a.height)
	}
	return m.talk.window(m.chatLook(a), a.height)
}

func moveChat(m *model, a area, lines int) { m.talk.scroll(m.chatLook(a), a.height, lines) }

func chatBar(m *model) (float64, float64) { return m.talk.bar() }

package tui

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/guard"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// maxInput is how many characters a message can have, maxInputLines how many lines can be pasted at once.
const (
	maxInput      = 4000
	maxInputLines = 200
)

// model is the whole program. Only Update changes it, and only View draws it.
type model struct {
	pen
	cfg     Config
	ctx     context.Context // ends the waiting commands
	panels  []panel
	actions []action

	width, height int
	sentenceRows  int // how many the sentence on the situation has needed at this size
	ascii         bool
	theme         Theme
	lightGround   bool // of the terminal, as far as it has told, or the environment
	form          form

	// session is nil while the login screen is up. opened counts sessions, so that late events of an earlier one change nothing.
	session  Session
	opened   int
	openedAt time.Time // by the machine's clock
	events   Events
	missed   uint64 // events that the reader was too slow for
	again    bool   // there has been a login
	snap     session.Snapshot
	last     change
	before   session.EventName // the event before the one that is being taken in
	ended    ended             // the last token, once there is none any more
	policy   session.Policy
	// emulator is nil, with a note why, when the session does not run on one within reach; where names the service.
	emulator     Emulator
	emulatorNote string
	where        string

	talks     []*talk
	talk      *talk // the one on the screen
	timeline  timeline
	inspector inspector
	faults    faults
	play      playing
	focus     int // the panel that has it
	side      int // the panel beside the chat, where there is room for one

	input      textarea.Model
	inputDrawn string // as it looked last
	inputLook  inputLook
	typed      []string // what was sent, to be brought back
	recalled   int      // how far back; 0 while something new is written
	sought     string   // what F3 looks for
	completer  completer
	drawer     drawer
	dialog     dialog // nil when none is open
	mouseOff   bool
	jumping    bool
	skipped    time.Duration // how far the clocks have been made to jump
	warned     bool          // it was said what leaving would lose

	// tried are the commands that were used, tipped counts the tips that are done with.
	tried    map[string]bool
	tipped   int
	untipped bool

	// notice answers the last key or command, until the next key or click, or until the screen changes after noticeTime.
	notice     string
	noticeTone tone
	noticed    time.Time // by the machine's clock

	tick     ticker
	breathed time.Time // when events were asked for last
	counts   map[session.EventName]int
	pending  []tea.Cmd // what Update has to start
}

func newModel(ctx context.Context, cfg Config) *model {
	if cfg.Policy == (session.Policy{}) {
		cfg.Policy = session.Policy{OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin}
	}
	m := &model{
		pen: pen{cells: ansi.WcWidth, zone: time.Local}, cfg: cfg, ctx: ctx, panels: panels(), policy: cfg.Policy, ascii: cfg.ASCII,
		form: newForm(cfg.Form), counts: map[session.EventName]int{}, tried: map[string]bool{}, input: newInput(), timeline: newTimeline(),
		faults: newFaults(cfg.Faults), emulator: cfg.Emulator, emulatorNote: cfg.EmulatorNote, where: cfg.Where, side: timelinePanel,
		theme: cmp.Or(cfg.Theme, ThemeAuto), lightGround: cfg.LightGround,
	}
	if cfg.Play != nil {
		m.panels = append(m.panels, playEntry())
	}
	m.actions = actions(m.panels)
	m.dress()
	return m
}

// invitation is what the input says while it is empty.
func (m *model) invitation() string {
	switch {
	case m.dialog != nil:
		return "Esc closes what is open"
	case m.faults.edit != nil:
		return "Enter sets the value, Esc leaves it as it was"
	case m.focus != chatPanel:
		return "Esc leads back here, to type"
	case m.snap.Profile.Local:
		return "type / for commands; " + m.snap.Profile.Name + " sends no messages"
	default:
		return "type a message, or / for commands"
	}
}

func newInput() textarea.Model {
	in := textarea.New()
	in.Prompt = "› "
	in.ShowLineNumbers = false
	in.CharLimit = maxInput
	in.DynamicHeight = true
	in.MaxContentHeight = 2 * maxInput // never reached: the input would trim a paste to it line by line, in quadratic time
	in.SetVirtualCursor(false)
	in.KeyMap.InsertNewline = key.NewBinding(key.WithKeys("alt+enter", "ctrl+j", "shift+enter"))
	in.KeyMap.Paste.SetEnabled(false) // it would run a program to read the clipboard; the terminal's own paste works
	in.Focus()
	return in
}

// dress puts the styles of the theme on everything.
func (m *model) dress() {
	m.styles = newStyles(m.dark())
	m.input.SetStyles(m.area)
	m.form.dress(m.pen, m.width)
}

// resize fits everything to the size of the terminal.
func (m *model) resize(width, height int) {
	m.width, m.height, m.sentenceRows = max(width, 0), max(height, 0), 0
	m.input.MaxHeight = m.inputLines()
	m.input.SetWidth(m.width - 2*m.margin())
	m.form.dress(m.pen, m.width)
}

// Init asks the terminal for its background and begins to follow the emulator.
func (m *model) Init() tea.Cmd {
	m.pending = nil
	m.queue(tea.RequestBackgroundColor)
	if m.cfg.Play != nil {
		m.stage(m.cfg.Play.Run)
	} else {
		m.watchFaults(nil)
		m.queue(m.awaitEmulator(0))
	}
	return tea.Batch(m.pending...)
}

// Update takes one message. It does no I/O: what may block is returned as a command.
func (m *model) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	next = m // also after a panic
	defer guard.Catch()
	m.pending = nil
	m.take(msg)
	if m.session != nil {
		m.observe()
		if !m.tooSmall() {
			m.queue(m.tick.next(m.every(), m.session.Now()))
		}
	}
	return m, tea.Batch(m.pending...)
}

// observe takes in how the session stands now.
func (m *model) observe() {
	before := m.snap
	m.snap = m.session.Snapshot()
	now, fewest := m.session.Now(), 1
	if m.large() {
		fewest = 2
	}
	if before.Token != nil && m.snap.Token == nil {
		m.ended = ended{
			before.Token, now, before.WillExpireFired, before.ExpiredFired || m.snap.ExpiredFired, before.WarnedAt,
			later(before.ExpiredAt, m.snap.ExpiredAt),
		}
	}
	// What is below the sentence moves once, not with each of its words.
	m.sentenceRows = max(m.sentenceRows, fewest, len(m.wrap(m.tokenView(now).account().String(), m.sentenceWidth(), mostSentences)))
	if m.notice != "" && time.Since(m.noticed) > noticeTime {
		m.notice = ""
	}
}

// later is the later of two instants, of which each may be none.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (m *model) take(msg tea.Msg) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.resize(msg.Width, msg.Height)
	case tea.BackgroundColorMsg:
		m.lightGround = !msg.IsDark()
		m.dress()
	case tea.ModeReportMsg:
		if msg.Mode == ansi.ModeUnicodeCore && !msg.Value.IsNotRecognized() && !msg.Value.IsPermanentlyReset() {
			m.cells = ansi.GraphemeWidth // from here on the renderer counts cells this way too
		}
	case tea.ResumeMsg:
		if m.session != nil {
			m.session.Check()
		}
	case tea.KeyPressMsg:
		m.takeKey(msg)
	case tea.PasteMsg:
		m.takePaste(msg.Content)
	case tea.MouseWheelMsg:
		m.takeWheel(msg.Mouse())
	case tea.MouseClickMsg:
		m.notice = ""
		m.takeClick(msg.Mouse())
	case tickMsg:
		m.tick.fired(msg)
	case eventsMsg:
		m.takeEvents(msg)
	case emulatorMsg:
		m.takeEmulator(msg)
	case faultsMsg:
		m.takeFaults(msg)
	case faultsChangedMsg:
		m.takeFaultsChanged(msg)
	case exportedMsg:
		m.takeExported(msg)
	case standingMsg:
		m.takeStanding(msg)
	case stagedMsg:
		m.takeStaged(msg)
	case jumpedMsg:
		m.jumping = false
		if msg.err != nil {
			m.say("the emulator could not do it: "+msg.err.Error(), late)
		}
	}
}

func (m *model) takeKey(msg tea.KeyPressMsg) {
	m.notice = ""
	name := msg.String()
	m.warned = m.warned && name == "esc"
	switch {
	case m.dialog != nil && m.dialog.press(m, msg):
	case m.session == nil && name == "enter":
		m.open()
	case m.session == nil:
		if !m.press(msg) {
			m.edit(msg)
		}
	case m.faults.edit != nil && m.pressEdit(msg),
		m.drawer.open && m.pressDrawer(name),
		m.pressOffers(name):
	case m.focus != chatPanel && (name == "up" || name == "down"):
		m.movePanel(map[string]int{"up": 1, "down": -1}[name])
	case m.focus == chatPanel && (name == "up" || name == "down") && m.sentBefore(name):
	case m.press(msg):
	case m.focus == chatPanel:
		m.completer = completer{}
		m.edit(msg)
	default:
		m.say(keyName(name)+" does nothing here: Esc leads back to the chat, ? shows the keys", calm)
	}
}

func (m *model) movePanel(lines int) {
	if a, ok := m.areaOf(m.focus); ok {
		m.panels[m.focus].move(m, a, lines)
	}
}

// edit hands a message to the input that has the cursor.
func (m *model) edit(msg tea.Msg) {
	var cmd tea.Cmd
	if m.session == nil {
		cmd = m.form.update(msg)
	} else {
		before := m.input.Value()
		m.input, cmd = m.input.Update(msg)
		if m.input.Value() != before {
			m.recalled = 0 // what was brought back is something new now
		}
	}
	m.queue(cmd)
}

// takePaste hands pasted text to the input, without what a terminal would obey, and no more of it than a message holds.
func (m *model) takePaste(text string) {
	text = printable.Block(text, 0)
	if m.faults.edit != nil {
		m.editValue(tea.PasteMsg{Content: printable.Line(text, 0)})
		return
	}
	if m.session != nil {
		lines := strings.SplitAfterN(text, "\n", maxInputLines+1)
		fits := strings.Join(lines[:min(len(lines), maxInputLines)], "")
		if runes, room := []rune(fits), maxInput-m.input.Length(); len(runes) > room {
			fits = string(runes[:room])
		}
		if fits != text {
			m.say(fmt.Sprintf("the paste was cut: a message holds %d characters, a paste %d lines", maxInput, maxInputLines), late)
		}
		text = fits
	}
	m.edit(tea.PasteMsg{Content: text})
}

// open makes a session of the form and logs in.
func (m *model) open() {
	if !m.form.valid() {
		return
	}
	values := m.form.values()
	s, err := m.cfg.Open(values)
	if err != nil {
		m.form.fault = err
		return
	}
	if m.form.fault = s.SetPolicy(m.policy); m.form.fault != nil {
		m.end(s)
		return
	}
	m.begin(s, values.Peer)
	m.place(values)
	if m.emulator != nil && m.skipped != 0 { // its clock has skipped ahead with the sessions before
		s.JumpClock(m.skipped)
	}
	m.focusOn(chatPanel)
	s.Login()
}

// begin puts a session on the screen, in the place of the last one.
func (m *model) begin(s Session, peer string) {
	m.session, m.talks, m.talk = s, nil, nil
	m.talk = m.talkWith(peer)
	m.last, m.ended, m.dialog, m.sentenceRows = change{}, ended{}, nil, 0
	m.opened++
	m.openedAt = time.Now()
	m.events, m.missed, m.again = s.Follow(), 0, false
	m.queue(m.awaitSession(0))
}

// place notes where the session runs: what belongs to the emulator acts only on sessions that run on it.
func (m *model) place(f Form) {
	m.emulator, m.emulatorNote, m.where, m.faults.source = m.cfg.Emulator, m.cfg.EmulatorNote, m.cfg.Where, m.cfg.Faults
	if f.Service == OwnTokenServer {
		m.where += ", own tokens"
	}
	if f.Service == OwnService && m.cfg.Form.Service != OwnService {
		m.emulator, m.faults.source, m.where = nil, nil, f.host()
		m.emulatorNote = "this session runs on " + m.where + ", which is not the emulator"
	}
}

// leave goes back to the login screen and ends the session.
func (m *model) leave() {
	m.end(m.session)
	m.session, m.snap, m.drawer, m.dialog = nil, session.Snapshot{}, drawer{}, nil
	m.input.Reset()
	m.recalled = 0
}

// end closes a session outside Update, because that waits.
func (m *model) end(s Session) {
	m.queue(func() tea.Msg {
		s.Close()
		return nil
	})
}

// submit sends what is typed, or runs it when it is a command.
func (m *model) submit() {
	line := m.input.Value()
	if command.IsCommand(line) {
		m.submitCommand(strings.TrimSpace(line))
		return
	}
	text, ok := command.Message(line)
	if !ok {
		return
	}
	if why := m.whyNotAct(); why != "" {
		m.say("cannot send: "+why, late)
		return
	}
	id, err := m.session.Send(m.talk.peer, text)
	if err != nil { // what was typed stays, to be mended
		m.say(err.Error(), late)
		return
	}
	m.remember(line)
	m.bringBack()
	m.talk.follow()
	m.talk.sent(m.session.Now(), id, text)
	m.bound()
}

// submitCommand runs a command line. The beginning of a name stands for the command that is pointed at.
func (m *model) submitCommand(line string) {
	if fits := m.offers(); len(fits) > 0 && len(line) > 1 && !strings.Contains(line, " ") {
		c := fits[min(m.completer.at, len(fits)-1)]
		if c.name != line && c.key != "" && c.key[0] != '[' {
			m.input.SetValue(c.name + " ")
			return
		}
		line = c.name
	}
	m.remember(line)
	m.bringBack()
	m.run(line)
}

// escape leaves what is open, one thing at a time.
func (m *model) escape() {
	switch over := m.snap.State == session.LoggedOut || m.snap.State == session.Stopped; {
	case m.session == nil:
	case m.drawer.open:
		m.drawer.open = false
	case m.talk.away || m.timeline.away || m.talk.pointing || m.timeline.pointing:
		m.talk.follow()
		m.timeline.follow()
	case m.focus != chatPanel:
		m.focusOn(chatPanel)
	case over && !m.play.on():
		if lost := m.atStake(); lost != "" && !m.warned {
			m.warned = true
			m.say("Esc again changes the login and loses "+lost, late)
			return
		}
		m.leave()
	case m.tip() != "":
		m.untipped = true
	}
}

// noticeTime is how long a notice stands on a screen that changes anyway.
const noticeTime = 10 * time.Second

// say shows a line until something else is done.
func (m *model) say(text string, t tone) {
	m.notice, m.noticeTone, m.noticed = printable.Line(text, 400), t, time.Now()
}

// reply shows what a command answered: one line in the place of the hints, more among the messages, where they can be scrolled.
func (m *model) reply(text string) {
	if strings.Contains(text, "\n") {
		m.talk.note(m.session.Now(), text, calm)
		return
	}
	m.say(text, calm)
}

// queue has a command run by itself, beside Update.
func (m *model) queue(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	m.pending = append(m.pending, func() tea.Msg {
		defer guard.Catch()
		return cmd()
	})
}

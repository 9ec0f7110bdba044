package tui

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// action is one thing that a person can do. The table of actions is all that the screen, its hints, its help, its palette, its completion
// and docs/keys.md know of keys.
type action struct {
	// keys are the keys, how they are written in the help, and a word or two for the hints; without a word there is no hint.
	keys key.Binding
	// command is the slash command that does the same, "" when there is none. Its help explains the action when help is empty.
	command string
	// usage are the arguments of a command that only the screen has, and with does it with them.
	usage string
	with  func(*model, string)
	// words are those that its arguments can be, where they are known.
	words []string
	help  string
	// own: the screen carries the command out itself, although headless mode has it too.
	own bool
	// can stands behind “cannot” where the word for the hints is no verb.
	can string
	// panel is the one that must have the focus, or anywhere, or loginForm.
	panel int
	// first: the login screen knows the action too.
	first bool
	// acts: it acts on the session or the emulator, which is not the person's while a scenario is played.
	acts bool
	// why says why the action cannot be done now, "" when it can. Nil means that it always can.
	why func(*model) string
	// do does it. Nil runs the command; for keys of the input itself there is neither.
	do func(*model)
}

// anywhere is the panel of actions that do not depend on the focus, loginForm of those of the login screen.
const (
	anywhere  = -1
	loginForm = -2
)

// paletteKey opens the palette.
const paletteKey = "^K"

func bind(word, shown string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, word))
}

// actions is the table: what always works, the most wanted first, and then what the panels add.
func actions(panels []panel) []action {
	all := []action{
		{keys: bind("renew", "^R", "ctrl+r"), command: "/renew", acts: true, why: whyNotRenew},
		{keys: bind("expire", "^E", "ctrl+e"), command: "/expire", acts: true, why: whyNotExpire},
		{keys: bind("skip", "^N", "ctrl+n"), command: "/skip", why: whyNotSkip},
		{keys: bind("policy", "^P", "ctrl+p"), command: "/policy", can: "change the policy", acts: true, do: (*model).togglePolicy},
		{keys: bind("faults", "^F", "ctrl+f"), command: "/faults", can: "break anything", help: "break something: the emulator's faults, and events to make happen",
			do: func(m *model) { m.toggle(faultPanel) }},
		{keys: bind("", "^X", "ctrl+x"), command: "/clear-faults", can: "clear the faults", acts: true, help: "switch all faults off",
			why: whyNotClear, do: (*model).clearFaults},
		{keys: bind("token", "^T", "ctrl+t"), command: "/token", can: "read the tokens", help: "read the tokens field by field, and what a renewal changed",
			do: func(m *model) { m.toggle(tokenPanel) }},
		{keys: bind("log in", "^L", "ctrl+l"), command: "/login", acts: true, why: whyNotLogin},
		{keys: bind("log out", "^O", "ctrl+o"), command: "/logout", acts: true, why: whyNotLogout},
		{keys: bind("", "", ""), command: "/help", can: "show the commands", own: true, help: "list the commands, and the keys with them",
			do: (*model).showHelp},
		{keys: bind("commands", paletteKey, "ctrl+k"), can: "find commands", help: "find anything that can be done by its name", do: (*model).showPalette},
		{keys: bind("", "?", "?", "f1"), command: "/keys", can: "show the keys", help: "show the keys that make sense here (F1 always, ? while nothing is typed)",
			do: (*model).showHelp},
		{keys: bind("", "Tab", "tab"), help: "go to the next panel, Shift+Tab to the one before", do: func(m *model) { m.turn(1) }},
		{keys: bind("", "", "shift+tab"), do: func(m *model) { m.turn(-1) }},
		{keys: bind("", "PgUp", "pgup"), help: "scroll the panel back, PgDn forward; the wheel scrolls too", do: func(m *model) { m.page(1) }},
		{keys: bind("", "", "pgdown"), do: func(m *model) { m.page(-1) }},
		{keys: bind("", "Alt+↓", "alt+down"), help: "go to the next conversation, Alt+↑ to the one before", why: whyNotTurnTalk,
			do: func(m *model) { m.turnTalk(1) }},
		{keys: bind("", "", "alt+up"), why: whyNotTurnTalk, do: func(m *model) { m.turnTalk(-1) }},
		{keys: bind("", "F3", "f3"), command: "/find", usage: "text", help: "look for a text in the conversation; again looks further up, Shift+F3 down",
			do: func(m *model) { m.findNext(1) }, with: (*model).find},
		{keys: bind("", "", "shift+f3", "f15"), do: func(m *model) { m.findNext(-1) }},
		{keys: bind("", "F5", "f5"), command: "/resend", acts: true, help: "send the messages again that failed", why: whyNotResend, do: (*model).resend},
		{keys: bind("", "^Y", "ctrl+y"), command: "/copy", help: "copy the message, event or token that is pointed at", why: whyNotCopy,
			do: (*model).copyHere},
		{keys: bind("", "", ""), command: "/raw", can: "show it raw", help: "show a message as it came, with everything escaped", do: (*model).showRaw},
		{keys: bind("", "", ""), command: "/export", usage: "[file]", help: "export the timeline to a file: as JSON lines, or as a scenario when it ends in .yaml", why: whyNotDetails,
			do: func(m *model) { m.export("") }, with: (*model).export},
		{keys: bind("", "Esc", "esc"), help: "leave what is open, return to the newest line; when logged out, change the login", do: (*model).escape},
		{keys: bind("", "F2", "f2"), command: "/mouse", can: "hand over the mouse", help: "give the mouse to the terminal, to select text, or take it back",
			do: (*model).toggleMouse},
		{keys: bind("", "", ""), command: "/theme", usage: "[auto|light|dark]", can: "change the colours",
			help: "draw for a light or a dark terminal, auto for what the terminal says of itself; alone, for the other one", do: (*model).turnTheme, with: (*model).useTheme, words: themeWords()},
		{keys: bind("", "^Z", "ctrl+z"), help: "suspend; deadlines are looked at again on return", first: true,
			do: func(m *model) { m.queue(tea.Suspend) }},
		{keys: bind("quit", "^C", "ctrl+c"), command: "/quit", first: true},
	}
	for i := range all {
		all[i].panel = anywhere
	}
	all = append(formKeys(), all...)
	for i, p := range panels {
		for _, a := range p.keys {
			a.panel = i
			all = append(all, a)
		}
	}
	return all
}

// shared tells whether headless mode has the action's command too.
func (a action) shared() bool {
	_, ok := command.Find(a.command)
	return ok
}

// explain is the help text of the action.
func (a action) explain() string {
	c, _ := command.Find(a.command)
	return cmp.Or(a.help, c.Help)
}

// name is what the action is called in a list: its command, or its panel's word for it.
func (a action) name() string { return cmp.Or(a.command, a.keys.Help().Desc, a.keys.Help().Key) }

// shownKey is the key beside the name, "" where it is the name.
func (a action) shownKey() string {
	if key := a.keys.Help().Key; key != a.name() {
		return key
	}
	return ""
}

// args shows the arguments of the action's command.
func (a action) args() string {
	c, _ := command.Find(a.command)
	return cmp.Or(a.usage, c.Args)
}

// needsArgs tells whether the command means nothing without arguments.
func (a action) needsArgs() bool { return a.args() != "" && a.args()[0] != '[' }

// here tells whether the action makes sense where the focus is.
func (a action) here(m *model) bool {
	if m.session == nil {
		return a.panel == loginForm || a.panel == anywhere
	}
	return a.panel == anywhere || a.panel == m.focus
}

// whyNot says why the action cannot be done now.
func (a action) whyNot(m *model) string {
	switch {
	case m.session == nil && !a.first && a.panel != loginForm:
		return "nobody has logged in yet, Enter does"
	case a.acts && m.play.scripted():
		return m.whyNotAct()
	case a.why == nil:
		return ""
	default:
		return a.why(m)
	}
}

// press does what the key does, and tells whether the table knows the key here.
func (m *model) press(msg tea.KeyPressMsg) bool {
	for _, a := range m.actions {
		if !key.Matches(msg, a.keys) || !a.here(m) {
			continue
		}
		switch {
		case a.do == nil && a.command == "", // it is the input's
			m.session == nil && a.command == "" && !a.first && a.panel != loginForm, // it is the login screen's
			msg.String() == "?" && !m.idleInput():                                   // it is text
			return false
		}
		m.act(a)
		return true
	}
	return false
}

// act does what an action does, or says why it cannot.
func (m *model) act(a action) {
	switch {
	case a.whyNot(m) != "":
		m.say("cannot "+a.verb()+": "+a.whyNot(m), late)
	case a.do != nil:
		m.tried[a.command] = true
		a.do(m)
	default:
		m.run(a.command)
	}
}

// keyName writes a key as the help does, by the name that Bubble Tea gives it.
func keyName(name string) string {
	name = printable.Line(name, 24)
	before := ""
	for _, mod := range []struct{ name, shown string }{{"ctrl+", "^"}, {"alt+", "Alt+"}, {"shift+", "Shift+"}, {"super+", "Super+"}, {"meta+", "Meta+"}} {
		if rest, ok := strings.CutPrefix(name, mod.name); ok && rest != "" {
			name, before = rest, before+mod.shown
		}
	}
	switch shown := map[string]string{
		"up": "↑", "down": "↓", "left": "←", "right": "→", "pgup": "PgUp", "pgdown": "PgDn", "esc": "Esc", "enter": "Enter", "tab": "Tab",
		"space": "Space", "home": "Home", "end": "End", "backspace": "Backspace", "delete": "Delete", "insert": "Insert",
	}[name]; {
	case shown != "":
		name = shown
	case before != "" || len(name) > 1 && name[0] == 'f':
		name = strings.ToUpper(name)
	}
	return before + name
}

// verb names the action in a sentence.
func (a action) verb() string {
	return cmp.Or(a.can, a.keys.Help().Desc, strings.TrimPrefix(a.command, "/"), "do that")
}

// idleInput tells whether a "?" can be meant for the screen, because nothing is being typed.
func (m *model) idleInput() bool {
	return m.session != nil && (m.input.Length() == 0 || m.focus != chatPanel)
}

// actionOf returns the action of a command line, or nil.
func (m *model) actionOf(line string) *action {
	name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	i := slices.IndexFunc(m.actions, func(a action) bool { return a.command != "" && a.command == strings.ToLower(name) })
	if i < 0 {
		return nil
	}
	return &m.actions[i]
}

// otherCommands are the shared commands that have no key.
func (m *model) otherCommands() []command.Command {
	return slices.DeleteFunc(command.Table(), func(c command.Command) bool { return m.actionOf(c.Name) != nil })
}

// run carries out a command line, or says why it cannot be carried out now.
func (m *model) run(line string) {
	a := m.actionOf(line)
	if a != nil {
		if why := a.whyNot(m); why != "" {
			m.say("cannot "+a.verb()+": "+why, late)
			return
		}
	}
	if a != nil {
		m.tried[a.command] = true
	}
	if a != nil && (a.own || !a.shared()) {
		_, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch args = strings.TrimSpace(args); {
		case args == "":
			a.do(m)
		case a.with != nil:
			a.with(m, args)
		default:
			m.say(a.command+" takes no arguments", late)
		}
		return
	}
	reply, err := command.Run(line, target{m})
	if err != nil {
		m.say(err.Error(), late)
		return
	}
	m.reply(reply)
}

func whyNotRenew(m *model) string {
	switch m.snap.State {
	case session.LoggedOut, session.Stopped:
		return "nobody is logged in, ^L logs in"
	case session.Fetching, session.LoggingIn:
		return "a login is under way"
	case session.Renewing:
		return "a renewal is under way"
	}
	if m.snap.Token != nil && !m.snap.Token.Renewable {
		return "the token was pasted, so there is nobody to ask for another"
	}
	return ""
}

func whyNotLogin(m *model) string {
	if m.snap.State == session.Fetching || m.snap.State == session.LoggingIn {
		return "a login is under way"
	}
	return ""
}

func whyNotLogout(m *model) string {
	if m.snap.State == session.LoggedOut {
		return "nobody is logged in"
	}
	return ""
}

func whyNotEmulator(m *model) string {
	switch {
	case m.emulator == nil:
		return cmp.Or(m.emulatorNote, "there is no emulator within reach")
	case m.jumping:
		return "the last jump of the clocks is under way"
	default:
		return ""
	}
}

func whyNotExpire(m *model) string {
	if why := whyNotEmulator(m); why != "" {
		return why
	}
	switch {
	case m.snap.Profile.Local:
		return "the profile " + m.snap.Profile.Name + " has no connection on which it could be told, ^N skips to the end"
	case m.snap.Token == nil:
		return "there is no token, ^L logs in"
	case m.snap.ExpiredFired:
		return "the token has expired already"
	default:
		return ""
	}
}

func whyNotSkip(m *model) string {
	if m.play.going() {
		return ""
	}
	if why := whyNotEmulator(m); why != "" {
		return why
	}
	if name, at := m.snap.Next(); name == "" {
		return "nothing is coming up"
	} else if !at.After(m.session.Now()) {
		return name + " is due this very moment"
	}
	return ""
}

package tui

import (
	"cmp"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/session"
)

// action is one thing that a person can do. The table of actions is all that the screen, its hints and its help know of keys.
type action struct {
	// keys are the keys, how they are written in the help, and a word or two for the hints; without a word there is no hint.
	keys key.Binding
	// command is the slash command that does the same, "" when there is none. Its help explains the action.
	command string
	// help explains an action that has no command.
	help string
	// first: the login screen knows the action too.
	first bool
	// why says why the action cannot be done now, "" when it can. Nil means that it always can.
	why func(*model) string
	// do does it. Nil runs the command; for keys of the input itself there is neither.
	do func(*model)
}

func bind(word, shown string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, word))
}

// actions is the table, the most wanted ones first.
func actions() []action {
	return []action{
		{keys: bind("renew", "^R", "ctrl+r"), command: "/renew", why: whyNotRenew},
		{keys: bind("expire", "^E", "ctrl+e"), command: "/expire", why: whyNotExpire},
		{keys: bind("skip", "^N", "ctrl+n"), command: "/skip", why: whyNotSkip},
		{keys: bind("policy", "^P", "ctrl+p"), command: "/policy", do: (*model).togglePolicy},
		{keys: bind("log in", "^L", "ctrl+l"), command: "/login", why: whyNotLogin},
		{keys: bind("log out", "^O", "ctrl+o"), command: "/logout", why: whyNotLogout},
		{keys: bind("", "?", "?", "f1"), help: "show or hide this help (F1 always, ? while nothing is typed)", first: true,
			do: (*model).toggleHelp},
		{keys: bind("", "Enter", "enter"), help: "send the message, or run the command"},
		{keys: bind("", "^J", "alt+enter", "ctrl+j", "shift+enter"), help: "begin a new line in the message (Alt+Enter too)"},
		{keys: bind("", "Tab", "tab"), help: "go to the next panel, Shift+Tab to the one before", do: func(m *model) { m.turn(1) }},
		{keys: bind("", "Shift+Tab", "shift+tab"), do: func(m *model) { m.turn(-1) }},
		{keys: bind("", "PgUp", "pgup"), help: "scroll the panel back; PgDn, the wheel, and ↑↓ outside the chat scroll too",
			do: func(m *model) { m.scrollPage(1) }},
		{keys: bind("", "PgDn", "pgdown"), do: func(m *model) { m.scrollPage(-1) }},
		{keys: bind("", "Esc", "esc"), help: "leave what is open, return to the newest line; when logged out, change the login",
			do: (*model).escape},
		{keys: bind("", "F2", "f2"), help: "give the mouse to the terminal, to select text, or take it back", do: (*model).toggleMouse},
		{keys: bind("", "^Z", "ctrl+z"), help: "suspend; deadlines are looked at again on return", first: true,
			do: func(m *model) { m.queue(tea.Suspend) }},
		{keys: bind("quit", "^C", "ctrl+c"), command: "/quit", first: true},
	}
}

// explain is the help text of the action.
func (a action) explain() string {
	c, _ := command.Find(a.command)
	return cmp.Or(a.help, c.Help)
}

// whyNot says why the action cannot be done now.
func (a action) whyNot(m *model) string {
	switch {
	case m.session == nil && !a.first:
		return "nobody has logged in yet, Enter does"
	case a.why == nil:
		return ""
	default:
		return a.why(m)
	}
}

// press does what the key does, and tells whether the table knows the key.
func (m *model) press(msg tea.KeyPressMsg) bool {
	i := slices.IndexFunc(m.actions, func(a action) bool { return key.Matches(msg, a.keys) })
	if i < 0 {
		return false
	}
	a := m.actions[i]
	switch {
	case a.do == nil && a.command == "", // it is the input's
		m.session == nil && a.command == "" && !a.first, // it is the login screen's
		msg.String() == "?" && !m.idleInput():           // it is text
		return false
	case a.do == nil:
		m.run(a.command)
	case a.whyNot(m) != "":
		m.say(a.whyNot(m), late)
	default:
		a.do(m)
	}
	return true
}

// idleInput tells whether a "?" can be meant for the screen, because nothing is being typed.
func (m *model) idleInput() bool {
	return m.session != nil && (m.input.Length() == 0 || m.focus != chatPanel)
}

// run carries out a command line, or says why it cannot be carried out now.
func (m *model) run(line string) {
	c, _ := command.Find(line)
	for _, a := range m.actions {
		if a.command != "" && a.command == c.Name {
			if why := a.whyNot(m); why != "" {
				m.say("cannot "+a.keys.Help().Desc+": "+why, late)
				return
			}
		}
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
	case m.cfg.Emulator == nil:
		return cmp.Or(m.cfg.EmulatorNote, "there is no emulator within reach")
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
	case m.snap.Token == nil:
		return "there is no token, ^L logs in"
	case m.snap.ExpiredFired:
		return "the token has expired already"
	default:
		return ""
	}
}

func whyNotSkip(m *model) string {
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

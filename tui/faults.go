package tui

import (
	"maps"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// FaultKind is one thing that the emulator can get wrong on demand. Its parameters say what goes wrong, and when and to whom.
type FaultKind struct {
	Target, Name, Meaning string
	Params                []FaultParam
}

// FaultParam is one parameter of a kind of fault.
type FaultParam struct {
	Name, Default, Meaning string
	// Choices are all its values; none means that it is written out.
	Choices []string
}

// Trigger is an event that can be made to happen now.
type Trigger struct{ Name, Meaning string }

// Fault is a fault that is on, or was until it had applied often enough.
type Fault struct {
	ID, Target, Name string
	Params           map[string]string
	// Count is how often it applies, 0 until it is cleared; Applied is how often it has.
	Count, Applied int
	// Waiting: the event or the offset that it begins with has not come yet. Over: it will not apply again.
	Waiting, Over bool
}

// Faults is what the screen needs of an emulator's faults. Every method but Kinds and Check may block; the screen calls them outside Update.
type Faults interface {
	// Kinds lists what can go wrong, grouped by target.
	Kinds() []FaultKind
	// Check tells what is wrong with a fault, and what would be right.
	Check(Fault) error
	// Triggers lists the events that can be made to happen now.
	Triggers() []Trigger
	// List returns the faults that are on, or are over. Changed returns what is closed when that has changed since.
	List() []Fault
	Changed() <-chan struct{}
	// Set turns a fault on in the place of the one with its ID, if any.
	Set(Fault) error
	Clear(id string)
	ClearAll()
	// Trigger makes an event happen to a user, and tells how many connections it reached.
	Trigger(event, user string) (int, error)
}

// faults is the panel of the emulator's faults: a list of switches with parameters below the one that is pointed at.
type faults struct {
	source  Faults
	kinds   []FaultKind
	list    []Fault
	values  []map[string]string // what was chosen for each kind
	open    int                 // the kind whose parameters are shown
	at, top int                 // the row that is pointed at, and the first on the screen
	shown   int                 // how many rows the screen has
	edit    *textinput.Model    // while a value is being written
	wrong   error               // what is wrong with it, as one types
}

func newFaults(source Faults) faults {
	f := faults{source: source}
	if source != nil {
		f.kinds = source.Kinds()
		f.values = make([]map[string]string, len(f.kinds))
		for i := range f.kinds {
			f.values[i] = map[string]string{}
		}
	}
	return f
}

// on lists the faults that may still apply.
func (f *faults) on() []Fault {
	return slices.DeleteFunc(slices.Clone(f.list), func(on Fault) bool { return on.Over })
}

// spoil tells whether a fault that is on has applied to anything.
func (f *faults) spoil() bool {
	return slices.ContainsFunc(f.list, func(on Fault) bool { return !on.Over && on.Applied > 0 })
}

// faultRow is one line of the panel: a heading, a trigger, a kind, or one of its parameters.
type faultRow struct {
	heading     string
	trigger     Trigger
	kind, param int // param is -1 for the kind itself
}

func (f *faults) rows() []faultRow {
	if f.source == nil {
		return nil
	}
	rows := []faultRow{{heading: "make happen now"}}
	for _, t := range f.source.Triggers() {
		rows = append(rows, faultRow{trigger: t})
	}
	target := ""
	for i, k := range f.kinds {
		if k.Target != target {
			target = k.Target
			rows = append(rows, faultRow{heading: target})
		}
		rows = append(rows, faultRow{kind: i, param: -1})
		if i == f.open {
			for j := range k.Params {
				rows = append(rows, faultRow{kind: i, param: j})
			}
		}
	}
	return rows
}

// row returns the row that is pointed at, never a heading.
func (f *faults) row() (faultRow, bool) {
	rows := f.rows()
	if len(rows) == 0 {
		return faultRow{}, false
	}
	f.at = min(max(f.at, 1), len(rows)-1)
	if rows[f.at].heading != "" {
		f.at++
	}
	return rows[f.at], true
}

// step points at another row, and opens the parameters of its kind.
func (f *faults) step(by int) {
	rows := f.rows()
	if _, ok := f.row(); !ok {
		return
	}
	at := f.at + by
	for at > 0 && at < len(rows) && rows[at].heading != "" {
		at += max(min(by, 1), -1)
	}
	if at < 1 || at >= len(rows) {
		at = min(max(at, 1), len(rows)-1)
	}
	f.pick(rows[at])
}

// pick points at a row and opens its kind.
func (f *faults) pick(row faultRow) {
	if before, _ := f.row(); row != before { // what is being written belongs to the row that is left
		f.edit, f.wrong = nil, nil
	}
	if row.trigger.Name == "" {
		f.open = row.kind
	}
	f.at = slices.Index(f.rows(), row)
}

// active returns the fault of a kind that is on.
func (f *faults) active(kind int) (Fault, bool) {
	k := f.kinds[kind]
	i := slices.IndexFunc(f.list, func(on Fault) bool { return on.Target == k.Target && on.Name == k.Name && !on.Over })
	if i < 0 {
		return Fault{}, false
	}
	return f.list[i], true
}

// value is what a parameter is set to: here, or by whoever has switched the fault on.
func (f *faults) value(kind int, p FaultParam) string {
	if v, ok := f.values[kind][p.Name]; ok {
		return v
	}
	if on, is := f.active(kind); is {
		if v, ok := on.Params[p.Name]; ok {
			return v
		}
	}
	return p.Default
}

// fault is what switching on a kind asks for. A fault of the kind that is on already is replaced.
func (f *faults) fault(kind int) Fault {
	k := f.kinds[kind]
	on, is := f.active(kind)
	params := map[string]string{}
	maps.Copy(params, on.Params)
	maps.Copy(params, f.values[kind])
	if !is {
		on.ID = "screen-" + k.Target + "-" + k.Name
	}
	return Fault{ID: on.ID, Target: k.Target, Name: k.Name, Params: params}
}

// with is what switching on a kind would ask for if a parameter had another value.
func (f *faults) with(kind int, p FaultParam, value string) Fault {
	fault := f.fault(kind)
	fault.Params[p.Name] = value
	return fault
}

// faultsMsg brings the faults that are on, after something was asked of them.
type faultsMsg struct {
	list []Fault
	said string
	err  error
}

// askFaults does something to the faults outside Update, and looks at what is on then.
func (m *model) askFaults(what func(Faults) (string, error)) {
	source := m.faults.source
	if source == nil {
		return
	}
	m.queue(func() tea.Msg {
		said, err := what(source)
		return faultsMsg{source.List(), said, err}
	})
}

// faultsChangedMsg brings the faults of an emulator when they have changed, and what tells of the next change.
type faultsChangedMsg struct {
	source Faults
	list   []Fault
	next   <-chan struct{}
}

// watchFaults waits until the faults of the emulator have changed, and looks at them; at once when changed is nil. Each look issues it once
// more, so there is never more than one. What applies often is looked at now and then.
func (m *model) watchFaults(changed <-chan struct{}) {
	ctx, source := m.ctx, m.cfg.Faults
	if source == nil {
		return
	}
	m.queue(func() tea.Msg {
		if changed != nil {
			select {
			case <-changed:
			case <-ctx.Done():
				return nil
			}
			pause(ctx, 4*frameTime)
		}
		next := source.Changed()
		return faultsChangedMsg{source, source.List(), next}
	})
}

func (m *model) takeFaultsChanged(msg faultsChangedMsg) {
	if msg.source != m.cfg.Faults {
		return // of an emulator that is gone
	}
	m.faults.list = msg.list
	m.watchFaults(msg.next)
}

func (m *model) takeFaults(msg faultsMsg) {
	m.faults.list = msg.list
	switch {
	case msg.err != nil:
		m.say(msg.err.Error(), late)
	case msg.said != "":
		m.say(msg.said, calm)
	}
}

// switchFault turns the kind that is pointed at on or off, makes a trigger happen, or begins to write a value.
func (m *model) switchFault() {
	row, ok := m.faults.row()
	switch {
	case !ok:
	case row.trigger.Name != "":
		m.trigger(row.trigger)
	case row.param >= 0:
		m.editParam(row)
	default:
		if on, is := m.faults.active(row.kind); is {
			m.askFaults(func(f Faults) (string, error) {
				f.Clear(on.ID)
				return on.Target + " " + on.Name + " is off", nil
			})
			return
		}
		m.setFault(row.kind)
	}
}

// trigger makes an event happen to the user who is logged in here.
func (m *model) trigger(t Trigger) {
	if why := m.whyNotTrigger(); why != "" {
		m.say("cannot make it happen: "+why, late)
		return
	}
	user := m.snap.User
	m.askFaults(func(f Faults) (string, error) {
		n, err := f.Trigger(t.Name, user)
		if n == 0 {
			return t.Name + " reached nobody: " + user + " is not connected", err
		}
		return t.Name + " reached " + printable.Count(n, "connection", "connections"), err
	})
}

// whyNotTrigger says why the emulator cannot make anything happen to the user's session.
func (m *model) whyNotTrigger() string {
	if m.snap.Profile.Local {
		return "the profile " + m.snap.Profile.Name + " has no connection to the emulator"
	}
	return m.whyNotAct()
}

// faultChoices are the events that can be made to happen, and the ways to the faults, for who looks for one by its name.
func (m *model) faultChoices() []choiceOf {
	f := &m.faults
	if f.source == nil || m.session == nil {
		return nil
	}
	var all []choiceOf
	for _, row := range f.rows() {
		if t := row.trigger; t.Name != "" {
			all = append(all, choiceOf{name: t.Name, key: "now", help: "make it happen: " + t.Meaning, why: m.whyNotTrigger(), run: func(m *model) { m.trigger(t) }})
		}
	}
	for i, k := range f.kinds {
		all = append(all, choiceOf{name: k.Target + " " + k.Name, key: "fault", help: k.Meaning, run: func(m *model) {
			m.focusOn(faultPanel)
			m.faults.pick(faultRow{kind: i, param: -1})
		}})
	}
	return all
}

func (m *model) setFault(kind int) {
	fault := m.faults.fault(kind)
	m.askFaults(func(f Faults) (string, error) { return fault.Target + " " + fault.Name + " is on", f.Set(fault) })
}

// editParam lets a value be written, or goes to the next choice.
func (m *model) editParam(row faultRow) {
	p := m.faults.kinds[row.kind].Params[row.param]
	if len(p.Choices) > 0 {
		m.chooseParam(1)
		return
	}
	in := textinput.New()
	in.Prompt, in.CharLimit = "", 200
	in.KeyMap.Paste.SetEnabled(false)
	in.SetVirtualCursor(true)
	in.SetStyles(m.field)
	in.SetValue(printable.Line(m.faults.value(row.kind, p), in.CharLimit))
	in.CursorEnd()
	in.Focus()
	m.faults.edit = &in
}

// chooseParam goes to the next or the previous choice of the parameter that is pointed at.
func (m *model) chooseParam(by int) {
	row, ok := m.faults.row()
	if !ok || row.trigger.Name != "" || row.param < 0 {
		return
	}
	p := m.faults.kinds[row.kind].Params[row.param]
	if len(p.Choices) == 0 {
		m.editParam(row)
		return
	}
	i := slices.Index(p.Choices, m.faults.value(row.kind, p))
	m.setParam(row, p.Choices[(i+by+len(p.Choices))%len(p.Choices)])
}

func (m *model) setParam(row faultRow, value string) {
	m.faults.values[row.kind][m.faults.kinds[row.kind].Params[row.param].Name] = value
	if _, on := m.faults.active(row.kind); on {
		m.setFault(row.kind)
	}
}

// pressEdit handles a key while a value is being written.
func (m *model) pressEdit(msg tea.KeyPressMsg) bool {
	f := &m.faults
	row, ok := f.row()
	if !ok || row.param < 0 {
		f.edit = nil
		return false
	}
	switch msg.String() {
	case "ctrl+c":
		return false
	case "esc":
		f.edit, f.wrong = nil, nil
	case "enter":
		if f.wrong == nil {
			m.setParam(row, strings.TrimSpace(f.edit.Value()))
			f.edit = nil
		}
	default:
		m.editValue(msg)
	}
	return true
}

// editValue hands a key or a paste to the value that is being written, and checks what comes of it.
func (m *model) editValue(msg tea.Msg) {
	f := &m.faults
	next, cmd := f.edit.Update(msg)
	f.edit = &next
	m.queue(cmd)
	if row, ok := f.row(); ok && row.param >= 0 {
		f.wrong = f.source.Check(f.with(row.kind, f.kinds[row.kind].Params[row.param], strings.TrimSpace(next.Value())))
	}
}

func (m *model) clearFaults() {
	m.askFaults(func(f Faults) (string, error) {
		f.ClearAll()
		return "all faults are off", nil
	})
}

func whyNotFaults(m *model) string {
	if m.faults.source == nil {
		return whyNotEmulator(m)
	}
	return ""
}

func whyNotClear(m *model) string {
	if why := whyNotFaults(m); why != "" {
		return why
	}
	if len(m.faults.list) == 0 {
		return "no fault is on"
	}
	return ""
}

func faultKeys() []action {
	return []action{
		{keys: bind("switch", "Enter", "enter", "space"), acts: true, help: "switch the fault, make the event happen, or write the value", why: whyNotFaults,
			do: (*model).switchFault},
		{keys: bind("change", "← →", "right"), help: "change the parameter", why: whyNotFaults, do: func(m *model) { m.chooseParam(1) }},
		{keys: bind("", "", "left"), why: whyNotFaults, do: func(m *model) { m.chooseParam(-1) }},
		{keys: bind("", "Home", "home"), help: "go to the first row, End to the last", why: whyNotFaults, do: func(m *model) { m.faults.step(-len(m.faults.rows())) }},
		{keys: bind("", "", "end"), why: whyNotFaults, do: func(m *model) { m.faults.step(len(m.faults.rows())) }},
	}
}

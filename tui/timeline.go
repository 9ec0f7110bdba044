package tui

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// lane is one of the three parties that a timeline tells of.
type lane uint8

const (
	serverLane lane = iota // the token server
	clientLane
	emulatorLane
)

var laneNames = [...]string{serverLane: "token server", clientLane: "client", emulatorLane: "emulator"}

// kind is what a moment is about, for the filter.
type kind uint8

const (
	lifeKind kind = iota // the token and the session
	linkKind
	restKind
	faultKind
	messageKind
	frameKind
)

// detail is one line of what is known of a moment.
type detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// moment is one entry of the timeline, at by the clock of its lane.
type moment struct {
	at      time.Time
	since   time.Duration // after the first moment
	lane    lane
	kind    kind
	name    string // as the journal or the session call it
	tone    tone
	text    string
	details func() []detail // nil when there are none
	journal *journalled     // what stands for text and details where the journal tells of it
	drawn
}

// words are the moment in one line.
func (m *moment) words() string {
	if m.journal != nil {
		return m.journal.words(m.name, m.kind)
	}
	return m.text
}

// rows are the details.
func (m *moment) rows() []detail {
	switch {
	case m.journal != nil:
		return m.journal.details()
	case m.details != nil:
		return m.details()
	default:
		return nil
	}
}

// journalled is what the emulator's journal knows of a moment. It is put into words when somebody looks: of many messages nobody does.
type journalled struct {
	user, self string // whom it is about, and who is at the screen
	code       int
	entry      EmulatorEntry
}

// words tells of the moment in one line. The name of the user at the screen goes without saying.
func (j *journalled) words(name string, k kind) string {
	words := strings.NewReplacer(".", " ", "_", "-").Replace(name)
	switch k {
	case restKind, frameKind: // the text says it all
		words = ""
	}
	switch j.user {
	case "", j.self:
	case "0": // of a token for a media channel
		words += " for uid 0, anybody"
	default:
		words += " " + printable.Line(j.user, 64)
	}
	text := ""
	if j.entry != nil {
		text = printable.Line(j.entry.Text(), maxTextRunes)
	}
	if j.code != 0 && !strings.Contains(text, strconv.Itoa(j.code)) {
		words += fmt.Sprintf(" %d", j.code)
	}
	if text != "" {
		words = strings.TrimPrefix(words+": "+text, ": ")
	}
	return printable.Line(strings.TrimSpace(words), maxTextRunes)
}

func (j *journalled) details() []detail {
	if j.entry == nil {
		return nil
	}
	var rows []detail
	for _, d := range j.entry.Details() {
		rows = append(rows, detail{printable.Line(d[0], 40), printable.Line(d[1], maxTextRunes)})
	}
	return rows
}

// filter is a choice of kinds.
type filter struct {
	name  string
	kinds []kind
}

// filters are the choices. The first hides what would bury a token's life.
var filters = []filter{
	{"", []kind{lifeKind, linkKind, restKind, faultKind}},
	{"everything", []kind{lifeKind, linkKind, restKind, faultKind, messageKind, frameKind}},
	{"token and session", []kind{lifeKind}},
	{"link", []kind{linkKind}},
	{"REST calls", []kind{restKind}},
	{"faults", []kind{faultKind}},
	{"messages", []kind{messageKind}},
	{"frames", []kind{frameKind}},
}

// timeline is what happened at the three parties, in the order of its times as far as those can be compared: the screen learns of what the
// emulator did a moment later than of what the client made of it, and the clocks of the two may disagree.
type timeline struct {
	history[*moment] // what the filter lets through
	all              []*moment
	filter           int
	began            time.Time
	longest          time.Duration // of all times since began
}

func newTimeline() timeline { return timeline{history: history[*moment]{keep: keepMoments}} }

// happened adds a moment. Its texts may come from outside.
func (t *timeline) happened(m *moment) {
	m.name, m.text = printable.Line(m.name, 64), printable.Line(m.text, maxTextRunes)
	if t.began.IsZero() {
		t.began = m.at
	}
	m.since = m.at.Sub(t.began)
	t.longest = max(t.longest, m.since.Abs())
	if len(t.all) >= keepMoments {
		t.trim()
	}
	t.all = slices.Insert(t.all, placeOf(t.all, m), m)
	if !slices.Contains(filters[t.filter].kinds, m.kind) {
		return
	}
	if i := placeOf(t.entries, m); i < len(t.entries) && len(t.entries) < t.keep {
		t.insert(i, m)
	} else {
		t.add(m)
	}
}

// What is learned late takes its place among the newest lateMoments, before those that happened up to lateBy after it. Clocks that are further
// apart than that disagree.
const (
	lateMoments = 64
	lateBy      = time.Second
)

// placeOf is where a moment belongs among others.
func placeOf(list []*moment, m *moment) int {
	i := len(list)
	for i > max(len(list)-lateMoments, 0) {
		if later := list[i-1].at.Sub(m.at); later <= 0 || later > lateBy {
			break
		}
		i--
	}
	return i
}

// trim lets a tenth of the moments go: messages and frames before anything of the token's life.
func (t *timeline) trim() {
	room := keepMoments / 10
	t.all = slices.DeleteFunc(t.all, func(m *moment) bool {
		if room > 0 && m.kind >= messageKind {
			room--
			return true
		}
		return false
	})
	t.all = slices.Delete(t.all, 0, room)
}

// choose filters by the next choice.
func (t *timeline) choose(by int) {
	t.filter = (t.filter + by + len(filters)) % len(filters)
	t.history = history[*moment]{keep: keepMoments}
	for _, m := range t.all {
		if slices.Contains(filters[t.filter].kinds, m.kind) {
			t.add(m)
		}
	}
}

// offset writes how long after the first moment this one was.
func (m *moment) offset() string {
	d := m.since
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%s%.2f", sign, d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%s%d:%04.1f", sign, int(d.Minutes()), (d % time.Minute).Seconds())
	default:
		return fmt.Sprintf("%s%dh%02d:%02d", sign, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
}

func (m *moment) lines(l look) []string { return m.of(l, m.render) }

// laneRoom is from how many cells on there is room for the lanes.
const laneRoom = 46

// offsetCells is how wide the column of the offsets is, as it has to be since the longest of them.
func (t *timeline) offsetCells() int { return max(7, len((&moment{since: -t.longest}).offset())) }

func (m *moment) render(l look) []string {
	text := l.text
	if m.tone != calm {
		text = l.tones[m.tone]
	} else if m.lane != clientLane {
		text = l.dim
	}
	head := l.dim.Render(l.right(m.offset(), l.offsets)) + " "
	if l.width >= laneRoom {
		for i := range lane(3) {
			if i == m.lane {
				head += m.dot(l).Render(" ●  ")
			} else {
				head += l.faint.Render(" │  ")
			}
		}
	} else {
		head += " " + m.dot(l).Render(strings.ToUpper(laneNames[m.lane][:1])) + " "
	}
	room := l.width - l.cells.StringWidth(head)
	return []string{head + text.Render(l.cut(m.words(), room, "…"))}
}

// dot is the paint of the moment's mark: the client's stands out, it is the one that a person acts for.
func (m *moment) dot(l look) paint {
	switch {
	case m.tone != calm:
		return l.tones[m.tone]
	case m.lane == clientLane:
		return l.accent
	default:
		return l.dim
	}
}

// legend names the columns.
func legend(l look) string {
	if l.width >= laneRoom {
		return l.dim.Render(l.right("offset", l.offsets) + " tok cli emu event")
	}
	return l.dim.Render(l.right("offset", l.offsets) + "    event")
}

// MarshalJSON writes the moment for an export.
func (m *moment) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		At      time.Time `json:"at"`
		Offset  float64   `json:"offset_s"`
		Lane    string    `json:"lane"`
		Event   string    `json:"event"`
		Text    string    `json:"text"`
		Details []detail  `json:"details,omitempty"`
	}{m.at.UTC(), m.since.Seconds(), laneNames[m.lane], m.name, m.words(), m.rows()})
}

// line is the moment as text to copy.
func (m *moment) line(p pen) string {
	return p.clock(m.at) + " " + m.offset() + " " + laneNames[m.lane] + " " + m.words()
}

func timelineKeys() []action {
	return []action{
		{keys: bind("details", "Enter", "enter"), can: "show details", help: "show all that is known of the event", why: whyNotDetails, do: (*model).showMoment},
		{keys: bind("filter", "f", "f"), help: "filter by kind, F backwards", do: func(m *model) { m.filterBy(1) }},
		{keys: bind("", "", "F"), do: func(m *model) { m.filterBy(-1) }},
		{keys: bind("", "Y", "Y"), help: "copy the whole timeline as JSON lines", why: whyNotDetails, do: (*model).copyTimeline},
		{keys: bind("export", "e", "e"), help: "export the timeline to a file, as JSON lines", why: whyNotDetails, do: func(m *model) { m.export("") }},
		{keys: bind("", "E", "E"), help: "export the session to a file as a scenario, which ttlchat run does again", why: whyNotScenario,
			do: func(m *model) { m.exportScenario(m.newFile(".yaml")) }},
		{keys: bind("", "Home", "home"), help: "go to the oldest event", why: whyNotDetails, do: (*model).pointOldest},
		{keys: bind("", "End", "end", "G"), help: "follow the newest event", do: func(m *model) { m.timeline.follow() }},
	}
}

func whyNotDetails(m *model) string {
	if len(m.timeline.entries) == 0 {
		return "there is no event yet"
	}
	return ""
}

func (m *model) filterBy(by int) {
	m.timeline.choose(by)
	m.say("the timeline shows "+timelineFilter(m), calm)
}

func timelineFilter(m *model) string {
	if name := filters[m.timeline.filter].name; name != "" {
		return name
	}
	return "everything but messages and frames"
}

func (m *model) showMoment() {
	at, ok := m.timeline.target()
	if !ok {
		return
	}
	m.dialog = &reader{title: at.name, draw: func(m *model, width int) []string {
		rows := []detail{
			{"what", at.words()}, {"where", laneNames[at.lane]},
			{"when", at.at.In(m.zone).Format("2006-01-02 15:04:05.000")}, {"offset", at.offset() + " after the first event"},
		}
		return m.detailLines(append(rows, at.rows()...), width)
	}}
}

// detailLines draws names and values below each other.
func (p pen) detailLines(rows []detail, width int) []string {
	column := 0
	for _, row := range rows {
		column = max(column, min(len(row.Name), 16)+2)
	}
	var lines []string
	for _, row := range rows {
		for i, line := range p.wrap(row.Value, max(width-column, 8), 100) {
			head := strings.Repeat(" ", column)
			if i == 0 {
				head = p.dim.Render(p.fit(row.Name, column))
			}
			lines = append(lines, head+line)
		}
	}
	return lines
}

func timelineTitle(m *model) string {
	if name := filters[m.timeline.filter].name; name != "" {
		return "timeline: " + name
	}
	return "timeline"
}

func timelineNote(m *model) string { return m.behind(m.timeline.away, m.timeline.below()) }

func (m *model) timelineLook(a area) look {
	return look{pen: m.pen, width: a.width, offsets: m.timeline.offsetCells()}
}

func viewTimeline(m *model, a area) []string {
	l := m.timelineLook(a)
	inner := l
	inner.width -= 2
	return append([]string{"  " + legend(inner)}, m.timeline.pointed(l, a.height-1)...)
}

// moveTimeline points at another event; the wheel and whole pages scroll.
func moveTimeline(m *model, a area, lines int) {
	l := m.timelineLook(a)
	l.width -= 2
	if lines == 1 || lines == -1 {
		m.timeline.step(l, a.height-1, lines)
		return
	}
	m.timeline.scroll(l, a.height-1, lines)
}

func (m *model) pointOldest() {
	if a, ok := m.areaOf(timelinePanel); ok {
		l := m.timelineLook(a)
		l.width -= 2
		m.timeline.point(l, a.height-1, 0)
	}
}

func clickTimeline(m *model, _ area, line int) {
	if marked, was := m.timeline.marked, m.timeline.pointing; m.timeline.click(line-1) && was && marked == m.timeline.marked {
		m.showMoment() // a second click
	}
}

func timelineBar(m *model) (float64, float64) { return m.timeline.bar() }

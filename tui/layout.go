package tui

import (
	"slices"
	"strings"
	"time"
)

// This file is the one place that knows sizes. Below narrow cells or short rows only the essentials are shown; from wide cells and tall
// rows on the token and its life have a place of their own; from huge cells and high rows on every panel is shown at once.
const (
	least, lowest = 20, 6
	narrow, short = 60, 18
	wide, tall    = 110, 30
	huge, high    = 180, 48
)

func (m *model) tooSmall() bool { return m.width < least || m.height < lowest }
func (m *model) small() bool    { return m.width < narrow || m.height < short }
func (m *model) large() bool    { return m.width >= wide && m.height >= tall }
func (m *model) largest() bool  { return m.width >= huge && m.height >= high }

// margin is the empty column at both sides of a screen that has room for it.
func (m *model) margin() int {
	if m.small() {
		return 0
	}
	return 1
}

// inputLines is how high the input may grow.
func (m *model) inputLines() int { return min(max(m.height/5, 1), 6) }

// Boxes that are no panels: the card of the token, and the picture of its life.
const (
	cardBox = -1 - iota
	lifeBox
)

// slot is a place on the screen with what stands in it.
type slot struct {
	content             int // a panel, or one of the boxes
	x, y, width, height int // with its frame
}

// frame is how one frame divides the terminal.
type frame struct {
	top, bottom []string
	input       int // rows of the input within bottom, above status
	status      int // rows below the input
	columns     [][]slot
	tabs        bool // one panel is shown, below the names of all
	bare        bool // not even the names
}

// inner is the room for the lines of a slot, and where it begins.
func (f frame) inner(s slot) (a area, x, y int) {
	switch {
	case f.bare:
		return area{s.width, s.height}, s.x, s.y
	case f.tabs:
		return area{s.width - 2, s.height - 1}, s.x + 1, s.y + 1
	default:
		return area{s.width - 4, s.height - 2}, s.x + 2, s.y + 1
	}
}

// divide lays out the frame for the instant now.
func (m *model) divide(now time.Time) frame {
	f := frame{tabs: !m.large(), bare: m.small()}
	v := m.tokenView(now)
	f.top = m.header(v)
	if m.small() && m.play.on() {
		f.top = append(f.top, m.playLine())
	}
	input := strings.Split(m.viewInput(), "\n")
	f.input = len(input)
	room := m.height - len(f.top) - f.input - 1
	status := m.status(min(max(room-2, 1), 3))
	f.status = len(status)
	above := m.above(max(room-f.status, 0))
	pad := strings.Repeat(" ", m.margin())
	f.bottom = above
	for _, line := range input { // the input counts the cells of some characters otherwise; what is too much then is blank
		f.bottom = append(f.bottom, m.fit(m.cut(pad+line, m.width, ""), m.width))
	}
	f.bottom = append(f.bottom, status...)
	y, height := len(f.top), max(m.height-len(f.top)-len(f.bottom), 0)
	switch {
	case m.largest():
		f.columns = m.threeColumns(v, y, height)
	case m.large():
		f.columns = m.twoColumns(v, y, height)
	default:
		f.columns = [][]slot{{{m.focus, 0, y, m.width, height}}}
	}
	return f
}

// twoColumns has the chat at the left, and at the right the token, its life, and one of the other panels.
func (m *model) twoColumns(v tokenView, y, height int) [][]slot {
	left, right := m.chatWidth(), m.middleWidth()
	return [][]slot{
		m.chatColumn(y, left, height),
		stack(left, y, right, height, m.boxes(v, right, height, 8), m.side),
	}
}

// chatWidth is how wide the chat's column is on large screens.
func (m *model) chatWidth() int {
	if m.largest() {
		return m.width * 3 / 10
	}
	return m.width - m.middleWidth()
}

// middleWidth is how wide the column of the card is on large screens.
func (m *model) middleWidth() int {
	if m.largest() {
		return max(m.width*3/10, lifeWidth+5)
	}
	return min(max(m.width*11/20, lifeWidth+5), 84)
}

// sentenceWidth is how wide the sentence on the situation can be.
func (m *model) sentenceWidth() int {
	if m.large() {
		return m.middleWidth() - 4
	}
	return m.width - 2*m.margin()
}

// threeColumns has the chat at the left, the timeline at the right with the faults below it, which have long lines too, and everything else
// in between.
func (m *model) threeColumns(v tokenView, y, height int) [][]slot {
	left, middle := m.chatWidth(), m.middleWidth()
	right := m.width - left - middle
	others := slices.DeleteFunc(m.sidePanels(), func(i int) bool { return i == faultPanel })
	return [][]slot{
		m.chatColumn(y, left, height),
		stack(left, y, middle, height, m.boxes(v, middle, height, 8*len(others)), others...),
		{
			{timelinePanel, left + middle, y, right, height * 3 / 5},
			{faultPanel, left + middle, y + height*3/5, right, height - height*3/5},
		},
	}
}

// boxes are the card and, where it leaves enough rows for others, the life.
func (m *model) boxes(v tokenView, width, height, others int) []slot {
	boxes := []slot{{content: cardBox, height: min(len(v.card(width-4, m.sentenceRows))+2, max(height-4, 0))}}
	if rows := lifeHeight + 3; boxes[0].height+rows+others <= height {
		boxes = append(boxes, slot{content: lifeBox, height: rows})
	}
	return boxes
}

// stack places boxes of their own height on top of panels that share the rest.
func stack(x, y, width, height int, boxes []slot, panels ...int) []slot {
	var slots []slot
	for _, s := range boxes {
		s.x, s.y, s.width = x, y, width
		y, height = y+s.height, height-s.height
		slots = append(slots, s)
	}
	for i, p := range panels {
		rows := height / (len(panels) - i)
		slots = append(slots, slot{p, x, y, width, rows})
		y, height = y+rows, height-rows
	}
	return slots
}

// areaOf is the room of a panel, or false when the panel is not on the screen.
func (m *model) areaOf(panel int) (area, bool) {
	if m.tooSmall() || m.session == nil {
		return area{}, false
	}
	f := m.divide(m.session.Now())
	for _, column := range f.columns {
		for _, s := range column {
			if s.content == panel {
				a, _, _ := f.inner(s)
				return a, true
			}
		}
	}
	return area{}, false
}

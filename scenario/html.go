package scenario

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed report.html.tmpl
var reportPage string

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("report").Parse(reportPage)) })

// Measures of a drawing, in units of its own; the page scales it.
const (
	drawWidth   = 1000.0
	drawLeft    = 120.0
	drawRight   = 20.0
	laneHeight  = 30.0
	lifeHeight  = 16.0
	axisHeight  = 26.0
	maxDrawn    = 400 // marks of one lane; more would be one black bar
	maxRows     = 400 // lines of one timeline
	maxLifeRows = 12  // bars; of a herd only the first ones are drawn
)

type (
	page struct {
		When           string
		Took           string
		Total          int
		Passed, Failed int
		Reports        []pageReport
	}
	pageReport struct {
		*Report
		ID          string
		Open        bool
		TTLText     string
		TookText    string
		Drawing     drawing
		Rows        []pageRow
		RowsLeftOff int
	}
	pageRow struct {
		At, Lane, Event, Text string
		Kind                  string // the class of the lane
		Marked                bool
	}
	drawing struct {
		Width, Height, Bottom float64
		Left, Right           float64
		LifeHeight            float64
		Lanes                 []drawnLane
		Lives                 []drawnLife
		Ticks                 []drawnTick
		Checks                []drawnCheck
	}
	drawnLane struct {
		Name, Kind string
		Y          float64
		Marks      []drawnMark
	}
	drawnMark struct {
		X     float64
		Kind  string // good, bad, or plain
		Title string
	}
	drawnLife struct {
		Name string
		// Width is the whole life, Used how much of it the token was in use, and Late how much of that after will-expire, at Warn.
		X, Width, Used, Warn, Late, Y float64
		Title                         string
	}
	drawnTick struct {
		X    float64
		Text string
		Life bool // of the first life
	}
	drawnCheck struct {
		X     float64
		Title string
	}
)

// WriteHTML writes the reports as one page that needs nothing else: for each scenario the timeline drawn as lanes, the life of each token as
// a bar, the checks, and the timeline in words.
func WriteHTML(w io.Writer, reports []*Report, took time.Duration) error {
	p := page{When: time.Now().Format("2006-01-02 15:04:05 MST"), Took: fmt.Sprintf("%.1f s", took.Seconds()), Total: len(reports)}
	for i, r := range reports {
		if r.Verdict == VerdictPassed {
			p.Passed++
		} else {
			p.Failed++
		}
		p.Reports = append(p.Reports, pageReport{
			Report: r, ID: fmt.Sprintf("s%d", i+1), Open: r.Verdict != VerdictPassed || len(reports) == 1, TTLText: shortDuration(r.TTL),
			TookText: fmt.Sprintf("%.1f s", r.Took.Seconds()), Drawing: r.draw(), Rows: r.rows(), RowsLeftOff: max(len(r.Timeline)-maxRows, 0),
		})
	}
	return pageTemplate().Execute(w, p)
}

func (r *Report) rows() []pageRow {
	var rows []pageRow
	marked := map[int]bool{}
	for _, c := range r.Failed() {
		for _, i := range r.about(c) {
			marked[i] = true
		}
	}
	for i, m := range r.Timeline[:min(len(r.Timeline), maxRows)] {
		row := pageRow{At: seconds(m.At), Lane: m.Lane, Event: m.Event, Text: m.Text, Kind: laneKind(m.Lane)}
		if m.Lane == LaneScript {
			row.Event = ""
		}
		row.Marked = marked[i]
		rows = append(rows, row)
	}
	return rows
}

func laneKind(lane string) string {
	switch lane {
	case LaneScript, LaneEmulator, LaneTokenServer:
		return lane
	default:
		return "client"
	}
}

// scale maps the time of the run to the drawing.
type scale struct{ from, to time.Duration }

func (s scale) x(at time.Duration) float64 {
	at = max(min(at, s.to), s.from)
	return round(drawLeft + float64(at-s.from)/float64(s.to-s.from)*(drawWidth-drawLeft-drawRight))
}

func round(x float64) float64 { return math.Round(x*10) / 10 }

// draw lays the lanes out: script, token server, the users, emulator, and below them the lives.
func (r *Report) draw() drawing {
	s := scale{0, max(r.Lasted, time.Second)}
	d := drawing{Width: drawWidth, Left: drawLeft, Right: drawWidth - drawRight, LifeHeight: lifeHeight}
	y := 8.0
	for _, lane := range r.lanesDrawn() {
		drawn := drawnLane{Name: lane, Kind: laneKind(lane), Y: y + laneHeight/2}
		for _, m := range r.Timeline {
			if m.Lane == lane && len(drawn.Marks) < maxDrawn {
				drawn.Marks = append(drawn.Marks, drawnMark{s.x(m.At), markKind(m), strings.TrimSpace(seconds(m.At) + "  " + m.Event + "  " + m.Text)})
			}
		}
		// What went wrong is drawn last, so that nothing covers it.
		slices.SortStableFunc(drawn.Marks, func(a, b drawnMark) int { return markWeight(a.Kind) - markWeight(b.Kind) })
		d.Lanes = append(d.Lanes, drawn)
		y += laneHeight
	}
	y += 6
	for _, l := range r.Lives[:min(len(r.Lives), maxLifeRows)] {
		name := l.Lane + ": login"
		if l.Renewal {
			name = l.Lane + ": renewed"
		}
		x, warn, gone := s.x(l.From), s.x(l.WillExpire), s.x(min(l.Until, l.Expires))
		d.Lives = append(d.Lives, drawnLife{
			Name: name, X: x, Width: round(max(s.x(l.Expires)-x, 2)), Used: round(max(gone-x, 2)), Warn: warn, Late: round(max(gone-warn, 0)), Y: y,
			Title: fmt.Sprintf("%s, accepted at %s, will expire at %s, expires at %s", l.Token, seconds(l.From), seconds(l.WillExpire), seconds(l.Expires)),
		})
		y += lifeHeight + 4
	}
	d.Bottom = y + 2
	d.Height = d.Bottom + axisHeight
	d.Ticks = r.ticks(s)
	for _, c := range r.Failed() {
		if c.HasAt {
			d.Checks = append(d.Checks, drawnCheck{s.x(c.At), c.Name + ": " + c.Seen})
		}
	}
	return d
}

// lanesDrawn puts who causes things above who suffers them. Of a herd the first users stand for all.
func (r *Report) lanesDrawn() []string {
	var users []string
	for _, m := range r.Timeline {
		if laneKind(m.Lane) == "client" && !slices.Contains(users, m.Lane) {
			users = append(users, m.Lane)
		}
	}
	slices.Sort(users)
	lanes := []string{LaneScript, LaneTokenServer}
	return append(append(lanes, users[:min(len(users), 6)]...), LaneEmulator)
}

// markKind tells what went wrong from what went well, as far as a name can.
func markKind(m Moment) string {
	switch {
	case m.Lane == LaneScript:
		return "act"
	case strings.Contains(m.Event, "failed") || strings.Contains(m.Event, "expired") || strings.Contains(m.Event, "rejected") ||
		strings.Contains(m.Event, "refused") || strings.Contains(m.Event, "kicked") || m.Event == "disconnected" ||
		strings.HasSuffix(m.Event, ".stopped") || m.Event == "fault.applied":
		return "bad"
	case strings.Contains(m.Event, "will_expire") || strings.HasPrefix(m.Event, "state."):
		return "warn"
	default:
		return "good"
	}
}

func markWeight(kind string) int { return slices.Index([]string{"good", "warn", "bad"}, kind) }

// ticks are the scale below: will-expire and the end of the first life, the whole run, and round instants between them.
func (r *Report) ticks(s scale) []drawnTick {
	var ticks []drawnTick
	add := func(at time.Duration, text string, life bool) {
		x := s.x(at)
		near := slices.ContainsFunc(ticks, func(t drawnTick) bool { return math.Abs(t.X-x) < 60 })
		if at >= s.from && at <= s.to && !near {
			ticks = append(ticks, drawnTick{X: x, Text: text, Life: life})
		}
	}
	add(r.TTL, "1T = "+shortDuration(r.TTL), true)
	add(r.TTL*4/5, "0.8T", true)
	add(0, "0", false)
	for i := 1; i <= 40; i++ {
		at := r.TTL * time.Duration(i) / 5
		add(at, fmt.Sprintf("%.4gT", float64(i)/5), false)
	}
	add(s.to, shortDuration(s.to.Round(100*time.Millisecond)), false)
	return ticks
}

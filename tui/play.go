package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Play is a scenario that is played on the screen, instead of a session that a person logs in.
type Play struct {
	// Name and Story are the scenario's, and may come from outside.
	Name, Story string
	// Run is the run to begin with.
	Run PlayRun
	// Restart begins another run, after the last one has been closed. The screen calls it outside Update.
	Restart func(context.Context) (PlayRun, error)
}

// PlayRun is one run of a scenario.
type PlayRun struct {
	// Session is the first user's. Closing it ends the whole run.
	Session  Session
	Emulator Emulator
	Faults   Faults
	// Next waits until the run stands in another way, and returns how. It fails when ctx ends.
	Next func(context.Context) (Standing, error)
	// Ask hands over a wish, without waiting for what comes of it.
	Ask func(Wish)
}

// Wish is what a person can ask of a run.
type Wish string

// The wishes. A held run does none of its steps; StepOn does the next one at once; SkipOn jumps all clocks to the next instant; TakeOver
// leaves everything to the person from then on.
const (
	HoldOn   Wish = "hold"
	GoOn     Wish = "go"
	StepOn   Wish = "step"
	SkipOn   Wish = "skip"
	TakeOver Wish = "take-over"
)

// Standing is how a run stands. Its texts may come from outside.
type Standing struct {
	// Now is the scenario's own time, and Until when it ends.
	Now, Until time.Duration
	// Next is the next step, "" when none is left; NextAt is when it comes, unless Waits says what it waits for.
	Next, Waits string
	NextAt      time.Duration
	// Held tells that no step is done for the time being, Taken that none will be.
	Held, Taken bool
	Checks      []PlayCheck
	// Verdict is what came of it, "" until the run has been judged; Problem says why there is no real one.
	Verdict PlayVerdict
	Problem string
}

// PlayVerdict is what came of a run.
type PlayVerdict string

// The verdicts.
const (
	PlayPassed PlayVerdict = "passed"
	PlayFailed PlayVerdict = "failed"
	PlayBroken PlayVerdict = "broken"
)

// PlayCheck is one expectation of a scenario.
type PlayCheck struct {
	State CheckState
	// Expected and Seen are what was expected and what was seen of it, in words.
	Expected, Seen string
}

// CheckState is how a check stands, in the word that the screen shows.
type CheckState string

// The states of a check.
const (
	CheckMet    CheckState = "met"
	CheckOpen   CheckState = "open"
	CheckFailed CheckState = "failed"
)

// playing is the run on the screen. The zero value is a screen that plays nothing.
type playing struct {
	Standing
	run        PlayRun
	count      int       // of runs on this screen
	told       time.Time // when the standing came, by the session's clock
	restarting bool
	top        int // the first check that is shown
}

// on tells whether a scenario is played at all, going whether it has yet to be judged, and scripted whether it acts by itself.
func (p *playing) on() bool       { return p.count > 0 }
func (p *playing) going() bool    { return p.on() && p.Verdict == "" }
func (p *playing) scripted() bool { return p.going() && !p.Taken }

// clock is the time of the scenario.
func (p *playing) clock(now time.Time) time.Duration {
	if !p.going() || p.told.IsZero() {
		return p.Now
	}
	return p.Now + now.Sub(p.told)
}

// step is how often the numbers of the panel change, 0 when nothing is counted.
func (p *playing) step(now time.Time) time.Duration {
	if !p.going() {
		return 0
	}
	at := p.clock(now)
	for _, deadline := range []time.Duration{p.NextAt, p.Until} {
		if d := deadline - at; d > 0 && d <= soon {
			return soonStep
		}
	}
	return time.Second
}

// tally counts the checks in a state.
func (p *playing) tally(state CheckState) int {
	n := 0
	for _, c := range p.Checks {
		if c.State == state {
			n++
		}
	}
	return n
}

// stage puts a run on the screen, in the place of the last one.
func (m *model) stage(run PlayRun) {
	m.play = playing{run: run, count: m.play.count + 1}
	m.cfg.Emulator, m.cfg.Faults = run.Emulator, run.Faults
	m.emulator, m.faults.source = run.Emulator, run.Faults
	filter := m.timeline.filter
	m.timeline = newTimeline()
	m.timeline.filter = filter
	m.policy = run.Session.Snapshot().Policy
	m.begin(run.Session, m.cfg.Form.Peer)
	m.focusOn(playPanel)
	m.watchFaults(nil)
	m.queue(m.awaitEmulator(0))
	m.queue(m.awaitStanding())
}

// standingMsg brings news of the run that was the count-th.
type standingMsg struct {
	count int
	Standing
	err error // there will be no more
}

func (m *model) awaitStanding() tea.Cmd {
	ctx, run, count := m.ctx, m.play.run, m.play.count
	return func() tea.Msg {
		standing, err := run.Next(ctx)
		return standingMsg{count, standing, err}
	}
}

func (m *model) takeStanding(msg standingMsg) {
	if msg.count != m.play.count || msg.err != nil {
		return
	}
	if m.play.scripted() && msg.Verdict != "" {
		t := playTones[msg.Verdict]
		m.timeline.happened(&moment{at: m.session.Now(), lane: clientLane, kind: lifeKind, name: "scenario " + string(msg.Verdict),
			text: "the scenario has " + verdictWords[msg.Verdict], tone: t})
	}
	m.play.Standing, m.play.told = msg.Standing, m.session.Now()
	m.queue(m.awaitStanding())
}

// stagedMsg brings the next run, or says why there is none.
type stagedMsg struct {
	run PlayRun
	err error
}

// restart ends the run and begins another. The old one stays on the screen until then.
func (m *model) restart() {
	if m.play.restarting {
		return
	}
	m.play.restarting = true
	ctx, old, again := m.ctx, m.session, m.cfg.Play.Restart
	m.queue(func() tea.Msg {
		old.Close()
		run, err := again(ctx)
		return stagedMsg{run, err}
	})
}

func (m *model) takeStaged(msg stagedMsg) {
	if msg.err != nil {
		m.play.restarting = false
		m.say("the scenario cannot be played again: "+msg.err.Error(), late)
		return
	}
	m.stage(msg.run)
	m.say("from the beginning", calm)
}

func playKeys() []action {
	wish := func(w Wish) func(*model) { return func(m *model) { m.play.run.Ask(w) } }
	return []action{
		{keys: bind("pause/go", "Space", "space"), command: "/pause", can: "pause", help: "hold the scenario's steps back, or let them go on; the token lives on meanwhile",
			why: whyNotScripted, do: (*model).pausePlay},
		{keys: bind("step", "s", "s"), command: "/step", help: "do the next step of the scenario now", why: whyNotStep, do: wish(StepOn)},
		{keys: bind("", "n", "n"), help: "skip to the next instant, the scenario's or the token's, as ^N does: all clocks jump", why: whyNotGoing,
			do: wish(SkipOn)},
		{keys: bind("take over", "t", "t"), command: "/take-over", help: "end the scenario here and act oneself; there is no verdict then",
			why: whyNotScripted, do: wish(TakeOver)},
		{keys: bind("restart", "r", "r"), command: "/restart", help: "play the scenario from the beginning, with a new emulator", why: whyNotRestart,
			do: (*model).restart},
	}
}

func (m *model) pausePlay() {
	if m.play.Held {
		m.play.run.Ask(GoOn)
	} else {
		m.play.run.Ask(HoldOn)
	}
}

func whyNotGoing(m *model) string {
	if !m.play.going() {
		return "the run is over, /restart plays it again"
	}
	return ""
}

func whyNotScripted(m *model) string {
	if m.play.Taken {
		return "you have taken over, /restart plays it again"
	}
	return whyNotGoing(m)
}

func whyNotStep(m *model) string {
	if why := whyNotScripted(m); why != "" {
		return why
	}
	switch {
	case m.play.Next == "":
		return "no step is left"
	case m.play.Waits != "":
		return "the next step waits for " + m.play.Waits
	default:
		return ""
	}
}

func whyNotRestart(m *model) string {
	if m.play.restarting {
		return "the next run is about to begin"
	}
	return ""
}

// whyNotAct says why a person cannot act on the session while a scenario does.
func (m *model) whyNotAct() string {
	if m.play.scripted() {
		return "the scenario acts until /take-over (t in the panel play)"
	}
	return ""
}

// playStates are the words for how a run stands, with their tones.
func (p *playing) state() (string, tone) {
	switch {
	case p.restarting:
		return "restarting", late
	case p.Verdict != "":
		return string(p.Verdict), playTones[p.Verdict]
	case p.Taken:
		return "taken over", calm
	case p.Held:
		return "paused", late
	default:
		return "playing", alive
	}
}

var (
	playTones    = map[PlayVerdict]tone{PlayPassed: alive, PlayFailed: dead, PlayBroken: dead}
	verdictWords = map[PlayVerdict]string{PlayPassed: "passed", PlayFailed: "failed", PlayBroken: "broken off"}
)

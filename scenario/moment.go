package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
)

// The lanes of a timeline beside those of the users.
const (
	LaneScript      = "script"
	LaneEmulator    = "emulator"
	LaneTokenServer = "token-server"
)

// Moment is one thing that happened in a run.
type Moment struct {
	// At counts from the start of the first token's life, by the emulator's clock.
	At time.Duration
	// Lane is a user, emulator, token-server, or script for what the scenario did.
	Lane string
	// Event is the name by which expectations know it.
	Event string
	// Text says more, for a person; it is safe to print.
	Text     string
	Code     int
	Callback string
	Reason   string
	// Why is the name of the reason when something was given up.
	Why string
	// Left is how much of the token's life was left; it means something when HasLife is set.
	Left    time.Duration
	HasLife bool
	// Life is set for a token that was accepted.
	Life *Life
	// message is what a message event is about.
	message string
	from    string
	to      string
}

// Life is the span of a token that the emulator accepted, counted as [Moment.At].
type Life struct {
	Lane                      string
	From, WillExpire, Expires time.Duration
	Token                     string
	Renewal                   bool
	// Until is when the next token took its place, or the run ended.
	Until time.Duration
}

// sessionEvents are the events of a user's lane. A change of state is state.NAME.
func sessionEvents() []string {
	list := []string{
		string(session.TokenRequested), string(session.TokenReceived), string(session.TokenRejected), string(session.LoginStarted),
		string(session.LoginSucceeded), string(session.LoginFailed), string(session.Connected), string(session.Disconnected),
		string(session.ReconnectingNow), string(session.TokenWillExpire), string(session.TokenExpired), string(session.RenewStarted),
		string(session.RenewSucceeded), string(session.RenewFailed), string(session.Kicked), string(session.LoggedOutNow),
		string(session.MessageSent), string(session.MessageDelivered), string(session.MessageFailed), string(session.MessageReceived),
		string(session.ClockSkewed),
	}
	for _, s := range session.States() {
		list = append(list, "state."+string(s))
	}
	return list
}

// emulatorEvents are the journal's entries, without frames.
func emulatorEvents() []string {
	var list []string
	for _, n := range fakeserver.EntryNames() {
		if n != fakeserver.FrameIn && n != fakeserver.FrameOut && n != fakeserver.TokenIssued {
			list = append(list, string(n))
		}
	}
	return list
}

// request is a call that the token server saw.
const request = "request"

// receipt is the journal's reason for a message that only confirms another one.
const receipt = "receipt"

func tokenServerEvents() []string { return []string{request, string(fakeserver.TokenIssued)} }

// ofSession turns an event of a user's session into a moment.
func ofSession(lane string, at time.Duration, e session.Event) Moment {
	m := Moment{
		At: at, Lane: lane, Event: string(e.Name), Code: int(e.Code), Callback: e.Callback, Reason: printable.Line(e.Reason, 400), Why: string(e.Why),
		message: e.Text, from: e.From, to: e.To,
	}
	if e.Name == session.StateChanged {
		m.Event = "state." + string(e.New)
	}
	if !e.ExpiresAt.IsZero() {
		m.Left, m.HasLife = e.Remaining(), true
	}
	var parts []string
	if e.Callback != "" {
		parts = append(parts, e.Callback)
	}
	if e.Code != 0 {
		parts = append(parts, e.Code.String())
	}
	if e.Text != "" {
		parts = append(parts, fmt.Sprintf("%s → %s: %s", e.From, e.To, printable.Line(e.Text, 60)))
	}
	if e.Token != "" {
		parts = append(parts, e.Token)
	}
	if m.HasLife {
		parts = append(parts, leftWords(m.Left))
	}
	if e.Attempt > 1 {
		parts = append(parts, fmt.Sprintf("attempt %d", e.Attempt))
	}
	if m.Reason != "" && (e.Callback == "" || m.Reason != e.Callback) {
		parts = append(parts, m.Reason)
	}
	m.Text = printable.Line(strings.Join(parts, ", "), 300)
	return m
}

// leftWords says how much of a life is left, or how long it has been over.
func leftWords(left time.Duration) string {
	if left = left.Round(time.Millisecond); left < 0 {
		return fmt.Sprintf("%v past its end", -left)
	}
	return fmt.Sprintf("%v left", left)
}

// ofJournal turns an entry of the emulator's journal into a moment.
func ofJournal(zero time.Time, e fakeserver.Entry) Moment {
	at := e.At.Sub(zero)
	m := Moment{
		At: at, Lane: LaneEmulator, Event: string(e.Name), Code: e.Code, Reason: printable.Line(e.Reason, 400), from: e.From, to: e.To,
	}
	var parts []string
	if e.User != "" {
		parts = append(parts, e.User)
	}
	switch {
	case e.Name == fakeserver.TokenIssued:
		m.Lane = LaneTokenServer
	case isTokenRequest(e):
		m.Lane, m.Event = LaneTokenServer, request
	}
	if e.Method != "" {
		parts = append(parts, e.Call())
	}
	if e.From != "" {
		parts = append(parts, e.From+" → "+e.To)
	}
	if e.Fault != nil {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", e.Fault.Target, e.Fault.Kind, e.Fault.ID))
	}
	if e.Token != "" {
		parts = append(parts, e.Token)
	}
	if !e.ExpiresAt.IsZero() {
		m.Left, m.HasLife = e.ExpiresAt.Sub(e.At), true
		parts = append(parts, leftWords(m.Left))
	}
	if e.Code != 0 {
		parts = append(parts, fmt.Sprintf("code %d", e.Code))
	}
	if e.Reason != "" && e.Reason != "token server" {
		parts = append(parts, e.Reason)
	}
	m.Text = printable.Line(strings.Join(parts, ", "), 300)
	if (e.Name == fakeserver.SessionOpened || e.Name == fakeserver.SessionRenewed) && m.HasLife {
		lane := e.User
		if e.Device != "" {
			lane += "@" + e.Device
		}
		m.Life = &Life{
			Lane: lane, From: at, Expires: e.ExpiresAt.Sub(zero), Token: e.Token, Renewal: e.Name == fakeserver.SessionRenewed,
			WillExpire: at + m.Left*4/5,
		}
		if !e.WillExpireAt.IsZero() {
			m.Life.WillExpire = e.WillExpireAt.Sub(zero)
		}
	}
	return m
}

// isTokenRequest tells the calls of the token server from those of the REST API: the journal says who answered.
func isTokenRequest(e fakeserver.Entry) bool {
	return e.Name == fakeserver.RESTRequest && e.OfTokenServer()
}

// place is where an event stands: its lane and its name.
type place struct{ lane, event string }

// index knows when events happened, in order, so that nobody has to look through a long timeline for them.
type index map[place][]time.Duration

// timeline is what happened, in order. What came at one instant stays in the order in which it was noticed.
type timeline struct {
	moments []Moment
	index   index
}

func (t *timeline) add(m Moment) {
	// Nearly everything comes in order, so the place is looked for from the end.
	i := len(t.moments)
	for i > 0 && t.moments[i-1].At > m.At {
		i--
	}
	t.moments = slices.Insert(t.moments, i, m)
	if t.index == nil {
		t.index = make(index)
	}
	at := place{m.Lane, m.Event}
	times := t.index[at]
	i = len(times)
	for i > 0 && times[i-1] > m.At {
		i--
	}
	t.index[at] = slices.Insert(times, i, m.At)
}

// lives are the tokens that were accepted, with the end of each as the next one of the same device, or the end of the run, set it.
//
// The service renews all devices of a user when one of them trades a token. What another device's token gives to this one is no life of its own
// when it ends with the token that this one has: the devices renew at once, and each would seem to do so as often as there are devices.
func (s *Scenario) lives(moments []Moment, end time.Duration) []Life {
	lanes := s.lanes()
	devices := map[string]int{}
	for _, lane := range lanes {
		devices[userOf(lane)]++
	}
	var list []Life
	open := map[string]int{} // by lane, the life that goes on
	for _, m := range moments {
		if m.Life == nil {
			continue
		}
		life := *m.Life
		if !slices.Contains(lanes, life.Lane) { // one of ours without a device, or a foreign client with one that only it knows
			life.Lane = userOf(life.Lane)
		}
		i, goesOn := open[life.Lane]
		if goesOn && life.Renewal && devices[userOf(life.Lane)] > 1 && list[i].Expires == life.Expires {
			continue
		}
		if goesOn {
			list[i].Until = life.From
		}
		life.Until = end
		open[life.Lane] = len(list)
		list = append(list, life)
	}
	return list
}

// Package scenario turns expiry bugs into files: what happens and when, and what a client must make of it.
//
// A [Scenario] is read from YAML by [Parse], played by [Run] with an emulator and sessions of its own, or by [Watch] against a client under test,
// and judged: a [Report] holds the checks, what was expected and seen, and the timeline. Every instant is written relative to the life of
// the first token, so the same file runs with a token of ten seconds on real sockets and with one of 24 hours in a testing/synctest bubble.
// The built-in scenarios are in the directory library; see [Library].
//
// The way of a run: format (decode.go, validate.go) → driver (run.go) on a stage (stage.go), which is an emulator with its sessions, →
// moments (moment.go) → checks (judge.go) → report.
package scenario

import (
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// DefaultTTL is the lifetime of tokens where a scenario names none. Will-expire at 0.8T then falls on a whole second, as tokens count them.
const DefaultTTL = 10 * time.Second

// Scenario is one bug as a file. The tags doc describe the fields to editors, through the JSON Schema.
type Scenario struct {
	Name      string           `yaml:"name,required" doc:"Short name in kebab-case, unique among the scenarios that are run together."`
	Story     string           `yaml:"story,required" doc:"What happens and what a client must make of it, in one or two sentences."`
	Source    string           `yaml:"source" doc:"The issue or document that the bug comes from."`
	Tags      []string         `yaml:"tags" doc:"Words to choose scenarios by, with run --tag."`
	Profile   string           `yaml:"profile" doc:"The SDK that the client behaves like; native when absent."`
	App       string           `yaml:"app" doc:"How the app on top of the SDK behaves; correct when absent."`
	TTL       time.Duration    `yaml:"ttl" doc:"Lifetime of the tokens, in whole seconds; 10s when absent. run --ttl overrides it."`
	FixedTTL  bool             `yaml:"fixed_ttl" doc:"The bug needs this very lifetime, so run --ttl leaves it alone."`
	Users     []string         `yaml:"users" doc:"Who logs in at the start: user, or user@device. The first one is whom unqualified events are about. alice when absent."`
	Later     []string         `yaml:"later" doc:"Who has a client too, but logs in by a step only."`
	Herd      int              `yaml:"herd" doc:"That many more users, who log in at the start as well."`
	Spread    float64          `yaml:"spread" doc:"From 0 to 1: spreads the renewals of a herd over that part of the time between will-expire and the end."`
	Seed      int              `yaml:"seed" doc:"Makes the clients' pauses between tries, which chance spreads, the same in every run; the first user's, and one more for each after that."`
	Policy    *Policy          `yaml:"policy" doc:"The app's answers to the token events."`
	Clocks    Clocks           `yaml:"clocks" doc:"How far the clocks are ahead of the machine's at the start."`
	Emulator  EmulatorSettings `yaml:"emulator" doc:"Settings of the emulator."`
	Steps     []Step           `yaml:"steps" doc:"What happens and when. Each step happens once; steps at 0s are done before the login."`
	Until     Span             `yaml:"until,required" doc:"When the run ends and is judged, such as 1.5T."`
	StopAfter *Instant         `yaml:"stop_after" doc:"Ends the run before until, for example renew.succeeded+2s."`
	Expect    Expect           `yaml:"expect,required" doc:"What must have been seen in the end."`
	FailsWith []FailsWith      `yaml:"fails_with" doc:"Sample behaviours that get this wrong, and the checks that show it."`

	// File is where the scenario was read from.
	File string `yaml:"-"`
}

// Policy is the app's answers to the token events; what is empty stays as it is.
type Policy struct {
	OnWillExpire string         `yaml:"on_will_expire" doc:"renew, ignore or ask."`
	OnExpired    string         `yaml:"on_expired" doc:"relogin, renew or ignore."`
	RenewEvery   *time.Duration `yaml:"renew_every" doc:"Renew at a fixed interval as well; 0s ends that."`
}

// PolicyOf is a whole policy as scenarios write it.
func PolicyOf(p session.Policy) *Policy {
	return &Policy{OnWillExpire: string(p.OnWillExpire), OnExpired: string(p.OnExpired), RenewEvery: &p.RenewEvery}
}

// over puts the policy over another one.
func (p *Policy) over(base session.Policy) session.Policy {
	if p == nil {
		return base
	}
	if p.OnWillExpire != "" {
		base.OnWillExpire = session.OnWillExpire(p.OnWillExpire)
	}
	if p.OnExpired != "" {
		base.OnExpired = session.OnExpired(p.OnExpired)
	}
	if p.RenewEvery != nil {
		base.RenewEvery = *p.RenewEvery
	}
	return base
}

// Clocks are the offsets at the start.
type Clocks struct {
	Client   Span `yaml:"client" doc:"The clients' clocks, such as 10m or -0.5T."`
	Emulator Span `yaml:"emulator" doc:"The emulator's clock."`
}

// EmulatorSettings are the settings of the emulator that a scenario may choose.
type EmulatorSettings struct {
	MaxDevices         int    `yaml:"max_devices" doc:"Devices of one user that may be online; one more kicks the oldest with 206. 4 when absent."`
	Over24h            string `yaml:"over_24h" doc:"What becomes of tokens that ask for more than 24 h: cap or refuse."`
	ExpiredStatus      string `yaml:"expired_status" doc:"How a login with an expired token is refused: reason or enum."`
	EnforceExpiry      string `yaml:"enforce_expiry" doc:"What becomes of an open connection whose token has ended: none, close or refuse-sends."`
	ClosedRegistration bool   `yaml:"closed_registration" doc:"Only the users of the scenario exist."`
}

// Step is one thing that happens. Exactly one of the fields below At says what.
type Step struct {
	At      Instant  `yaml:"at,required" doc:"When: an offset (8s), a fraction of the life (0.8T), a named event (token.will_expire), or a sum (0.8T-1s, renew.started+2s)."`
	Fault   *Fault   `yaml:"fault" doc:"Something starts to go wrong in the emulator."`
	Clear   string   `yaml:"clear" doc:"A fault ends: its id, or all."`
	Trigger *Trigger `yaml:"trigger" doc:"The emulator makes an event happen now."`
	Jump    *Jump    `yaml:"jump" doc:"Clocks jump, as a clock that is set does."`
	Sleep   *Span    `yaml:"sleep" doc:"The machine sleeps: client's and emulator's clocks jump together, and no timer runs meanwhile."`
	Network string   `yaml:"network" doc:"down: every connection breaks and none can be made; up: it works again; cut: every connection breaks once."`
	Send    *Send    `yaml:"send" doc:"A user sends a message."`
	Do      *Do      `yaml:"do" doc:"A user asks for something."`
	Policy  *Policy  `yaml:"policy" doc:"The app's answers to the token events change."`
}

// Fault is a fault of the emulator, in the words of [fakeserver.Fault]. Durations among the parameters may be written with T.
type Fault struct {
	ID          string            `yaml:"id" doc:"A name to clear it by."`
	Target      string            `yaml:"target,required" doc:"The part of the emulator; ttlchat ctl fault add knows them all."`
	Kind        string            `yaml:"kind,required" doc:"What goes wrong there."`
	Params      map[string]string `yaml:"params" doc:"The kind's parameters; a duration may be written as 0.1T."`
	User        string            `yaml:"user" doc:"Only for this user."`
	Count       int               `yaml:"count" doc:"How often it applies; until it is cleared when absent."`
	Probability float64           `yaml:"probability" doc:"The chance that it applies when it could."`
	Seed        int               `yaml:"seed" doc:"Makes the draws of probability the same in every run."`
	On          string            `yaml:"on" doc:"Waits for the first journal entry of that name."`
	After       Span              `yaml:"after" doc:"Lets that much time pass first."`
}

// Trigger makes the emulator do something now.
type Trigger struct {
	Event  string `yaml:"event,required,short" doc:"What is to happen."`
	User   string `yaml:"user" doc:"To whom; the first user when absent, everybody when all."`
	Code   int    `yaml:"code" doc:"The code of a kick; 206 when absent."`
	Reason string `yaml:"reason" doc:"The reason of a kick."`
}

// Jump moves clocks.
type Jump struct {
	Client   Span `yaml:"client" doc:"How far the clients' clocks jump."`
	Emulator Span `yaml:"emulator" doc:"How far the emulator's clock jumps."`
}

// Send is a message.
type Send struct {
	From string `yaml:"from" doc:"The sender; the first user when absent."`
	To   string `yaml:"to" doc:"The receiver; echo, who answers by itself, when absent."`
	Text string `yaml:"text,required,short" doc:"The text."`
}

// Do is a wish of a user.
type Do struct {
	Action string `yaml:"action,required,short" doc:"login, renew or logout."`
	User   string `yaml:"user" doc:"Whose; the first user's when absent."`
}

// Expect is what must have been seen.
type Expect struct {
	Events    []Event          `yaml:"events" doc:"These events, in this order within each lane; others may come in between."`
	Never     []Event          `yaml:"never" doc:"Events that must not happen."`
	Counts    map[string]Range `yaml:"counts" doc:"How often events happen: 2, 1..3 or 2.."`
	Requests  *Range           `yaml:"requests" doc:"How many requests the token server sees."`
	PerSecond int              `yaml:"per_second" doc:"How many requests the token server sees in any one second, at most."`
	Final     string           `yaml:"final" doc:"The state of the first user's session in the end."`
	Why       string           `yaml:"why" doc:"The name of the reason why the first user's session was given up."`
	Delivered string           `yaml:"delivered" doc:"once: each message that a step sends arrives exactly once."`
}

// Event describes an event that is expected, or that must not happen.
type Event struct {
	Event    string `yaml:"event,required,short" doc:"LANE/NAME, or NAME for an event of the first user; lanes are the users, emulator and token-server."`
	In       Window `yaml:"in" doc:"When, such as 0.8T..0.8T+1s, ..1T, or token.expired..token.expired+2s."`
	Left     Window `yaml:"left" doc:"How much of the token's life is left then, such as 24h-5s..24h."`
	Code     int    `yaml:"code" doc:"The code that comes with it."`
	Callback string `yaml:"callback" doc:"The SDK's name of the callback."`
	Reason   string `yaml:"reason" doc:"Words that the reason contains."`
	Why      string `yaml:"why" doc:"The name of the reason when something was given up, such as token_foreign."`
}

// FailsWith names a sample behaviour that gets the scenario wrong.
type FailsWith struct {
	App   string   `yaml:"app,required" doc:"The behaviour, as for run --app."`
	Check []string `yaml:"check,required" doc:"The checks that must fail then, by their names in the report."`
	Why   string   `yaml:"why" doc:"What the behaviour does wrong."`
}

// MainUser is the lane of the user whom unqualified events are about.
func (s *Scenario) MainUser() string { return s.Users[0] }

// config is the emulator that the scenario wants.
func (s *Scenario) config(ttl time.Duration) fakeserver.Config {
	cfg := fakeserver.Config{
		MaxDevices: s.Emulator.MaxDevices, Over24h: fakeserver.Over24h(s.Emulator.Over24h),
		ExpiredStatus: fakeserver.ExpiredStatus(s.Emulator.ExpiredStatus), EnforceExpiry: fakeserver.Enforcement(s.Emulator.EnforceExpiry),
		ClosedRegistration: s.Emulator.ClosedRegistration, ClockOffset: s.Clocks.Emulator.Of(ttl), JournalSize: 200_000,
	}
	for _, lane := range s.lanes() {
		user, _ := splitLane(lane)
		cfg.Users = append(cfg.Users, fakeserver.User{Name: user})
	}
	return cfg
}

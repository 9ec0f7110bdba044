package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
	"github.com/ttlchat/ttlchat/tui"
)

// newPlay runs one scenario on the screen.
func newPlay(o *options) *cobra.Command {
	var change scenario.Options
	cmd := &cobra.Command{
		Use:   "play NAME|FILE",
		Short: "Watch a scenario happen on the screen, step by step",
		Long: `Play one scenario on the screen, at human speed: its story, what comes next, and its checks as they are met. Space holds its steps back, s does the next one at once, n skips to the next instant, t takes over, r plays it from the beginning.

It exits with 0 when the scenario passed or somebody took over, with 1 when it failed or was left before its end, and with 2 when a file or a flag is wrong. Where there is no screen it does what ttlchat run does.`,
		Example: `
# watch a careless app log itself out
ttlchat play s04-renew-after-expiry --app docs-web-2021

# a scenario of your own, with tokens that live a minute
ttlchat play bug.yaml --ttl 1m`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("play wants the name of one scenario, or a file; ttlchat run --list shows what is built in")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.checkDrawing(); err != nil {
				return err
			}
			f := &runFlags{options: o, jobs: 1, app: change.App, profile: change.Profile, ttl: change.TTL, seed: change.Seed, stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr()}
			if !isTerminal(f.stdout) {
				_, _ = fmt.Fprintln(f.stderr, "ttlchat: standard output is no terminal, so this runs without a screen, as ttlchat run does")
				return f.run(cmd.Context(), args)
			}
			if err := f.check(); err != nil {
				return err
			}
			list, err := f.choose(args)
			if err != nil {
				return err
			}
			return f.onScreen(cmd.Context(), list[0], change)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarioNames(), cobra.ShellCompDirectiveDefault
		},
	}
	flags := cmd.Flags()
	o.logFlag(flags)
	flags.StringVar(&change.App, "app", "", "how the app behaves, whatever the scenario says: "+strings.Join(scenario.Apps(), ", "))
	flags.StringVar(&change.Profile, "profile", "", "which SDK to behave like, whatever the scenario says: "+strings.Join(scenario.Profiles(), ", "))
	flags.DurationVar(&change.TTL, "ttl", 0, "lifetime of the tokens, whatever the scenario says")
	flags.Uint64Var(&change.Seed, "seed", 0, "what chance decides, as the report of a run that failed names it, to have the same again")
	o.drawingFlags(flags)
	completeWords(cmd, map[string][]string{"app": scenario.Apps(), "profile": scenario.Profiles(), "theme": themeNames()})
	return cmd
}

// onScreen plays a scenario in the TUI, as often as the person wants to see it, and tells how the last run ended.
func (f *runFlags) onScreen(ctx context.Context, s *scenario.Scenario, change scenario.Options) error {
	log, closeLog, err := f.openLog()
	if err != nil {
		return err
	}
	defer closeLog.Close()
	ctx, release := endOnPanic(ctx, log, f.logFile != "")
	defer release()
	stage := &stage{scenario: s, change: change}
	first, err := stage.begin(ctx)
	if err != nil {
		return err
	}
	config := tui.Config{
		Form: tui.Form{User: f.user, Peer: "echo", Service: tui.BuiltIn}, Where: "emulator",
		Play: &tui.Play{Name: s.Name, Story: s.Story, Run: first, Restart: stage.begin},
	}
	f.draw(&config)
	err = tui.Run(ctx, config)
	last := stage.end()
	if ctx.Err() != nil {
		err = fmt.Errorf("the screen was closed: %w", context.Cause(ctx))
	}
	return errors.Join(err, last.verdict(f.stdout, s.Name))
}

// stage holds the run that is on the screen: one at a time, each with an emulator of its own.
type stage struct {
	scenario *scenario.Scenario
	change   scenario.Options

	mu    sync.Mutex
	now   *performance
	ended bool
}

// begin starts a run. The one before has been closed.
func (st *stage) begin(ctx context.Context) (tui.PlayRun, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return tui.PlayRun{}, errors.New("the screen has gone")
	}
	var run tui.PlayRun
	var err error
	st.now, run, err = perform(ctx, st.scenario, st.change)
	return run, err
}

// end closes the last run, and lets no other one begin.
func (st *stage) end() *performance {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ended = true
	st.now.close()
	return st.now
}

// performance is one run of a scenario on the screen.
type performance struct {
	stop     context.CancelFunc
	over     chan struct{} // closed when everything has ended
	commands chan scenario.Command

	mu     sync.Mutex
	latest scenario.Progress
	told   time.Time
	news   chan struct{} // holds a token when latest is new
}

// perform starts a run, and returns when its first user and its emulator are there.
func perform(ctx context.Context, s *scenario.Scenario, change scenario.Options) (*performance, tui.PlayRun, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &performance{stop: stop, over: make(chan struct{}), commands: make(chan scenario.Command, 16), news: make(chan struct{}, 1)}
	user, _, _ := strings.Cut(s.MainUser(), "@")
	w := &wiring{appID: fakeserver.DemoAppID, hasChat: true}
	tokens := newScreenTokens(w, &options{}, user)
	met := make(chan tui.PlayRun, 1)
	change.Tokens = func(source tokenclient.Source) tokenclient.Source { return tokens.watch(source) }
	change.Meet = func(first *session.Session, server *fakeserver.Server) {
		w.server = server
		met <- tui.PlayRun{
			Session:  playedSession{screenSession{Session: first, tokens: tokens}, p},
			Emulator: &emulator{server: server, journal: server.Journal(0), wiring: w}, Faults: screenFaults{server}, Next: p.next, Ask: p.ask,
		}
	}
	change.Progress, change.Commands, change.Stay = p.tell, p.commands, true
	var report *scenario.Report
	go func() {
		defer close(p.over)
		report = scenario.Run(ctx, s, change)
	}()
	select {
	case run := <-met:
		return p, run, nil
	case <-p.over:
		stop()
		return p, tui.PlayRun{}, errors.New(report.Problem)
	}
}

// playedSession is a user's session in a scenario: it ends with the whole run.
type playedSession struct {
	screenSession
	run *performance
}

// Close ends the run.
func (s playedSession) Close() { s.run.close() }

func (p *performance) close() {
	p.stop()
	within(2*drainTimeout, func() { <-p.over })
}

// ask hands over a wish. Nobody has made more of them than there is room for; else it is lost, as a key that a busy program never sees.
func (p *performance) ask(w tui.Wish) {
	select {
	case p.commands <- scenario.Command(w):
	default:
	}
}

func (p *performance) tell(latest scenario.Progress) {
	p.mu.Lock()
	p.latest, p.told = latest, time.Now()
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default: // there are some already
	}
}

// next implements tui.PlayRun.
func (p *performance) next(ctx context.Context) (tui.Standing, error) {
	select {
	case <-p.news:
	case <-ctx.Done():
		return tui.Standing{}, ctx.Err()
	case <-p.over:
		return tui.Standing{}, errors.New("the run has ended")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return standing(p.latest, p.told), nil
}

// standing is what the screen shows of a run that was told of a while ago.
func standing(p scenario.Progress, told time.Time) tui.Standing {
	st := tui.Standing{Now: p.Now, Until: p.Until, Next: p.Next, NextAt: p.NextAt, Waits: p.Waits, Held: p.Held, Taken: p.Taken}
	if p.Report != nil {
		st.Verdict, st.Problem = tui.PlayVerdict(p.Report.Verdict), p.Report.Problem
	} else {
		st.Now += time.Since(told)
	}
	words := map[scenario.CheckState]tui.CheckState{scenario.Waiting: tui.CheckOpen, scenario.Passed: tui.CheckMet, scenario.Failed: tui.CheckFailed}
	for _, c := range p.Checks {
		st.Checks = append(st.Checks, tui.PlayCheck{State: words[c.State], Expected: c.Expected, Seen: c.Seen})
	}
	return st
}

// errLeft is the end of a run that was left before its own.
var errLeft = errors.New("left before its end, so there is no verdict; ttlchat run gives one without a screen")

// verdict tells how the run ended: in words on out, and as an error unless it passed or somebody took over.
func (p *performance) verdict(out io.Writer, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch r := p.latest.Report; {
	case p.latest.Taken:
		_, err := fmt.Fprintf(out, "ttlchat: %s: taken over, so there is no verdict\n", name)
		return err
	case r == nil && slices.ContainsFunc(p.latest.Checks, func(c scenario.Check) bool { return c.State == scenario.Failed }):
		return fmt.Errorf("%s: failed, and left before its end", name)
	case r == nil:
		return fmt.Errorf("%s: %w", name, errLeft)
	default:
		if _, err := io.WriteString(out, r.Text()); err != nil || r.Verdict == scenario.VerdictPassed {
			return err
		}
		return fmt.Errorf("%s: %s", name, r.Verdict)
	}
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/scenario"
)

// defaultJobs is how many scenarios run side by side: they mostly wait.
const defaultJobs = 24

// runFlags are the flags of run.
type runFlags struct {
	*options
	all, list, printed, schema, asJSON bool
	tags                               []string
	jobs                               int
	app, profile, junit, html          string
	ttl                                time.Duration
	seed                               uint64
	watch, controlToken, user          string
	patience                           time.Duration
	stdout, stderr                     io.Writer
}

// newRun plays scenarios and judges them.
func newRun(o *options) *cobra.Command {
	f := &runFlags{options: o}
	cmd := &cobra.Command{
		Use:   "run NAME|FILE…",
		Short: "Replay expiry bugs from files, and get a verdict",
		Long: `Run scenarios: each one is an expiry bug as a file, with what happens and when, and with what a client must make of it. Every scenario gets an emulator and clients of its own, so many run side by side. NAME is a built-in one, FILE one of your own; docs/scenarios.md tells how to write it.

It exits with 0 when all passed, with 1 when some failed, and with 2 when a file is broken (FILE:LINE:COL: …) or the flags are.

With --watch a running ttlchat serve gets the faults and triggers, and the client under test is yours: start this first, then log in as --user. Only what the emulator can see is judged; the rest is reported as not seen.`,
		Example: `
# all built-in scenarios, with a report for CI and one for people
ttlchat run --all --junit junit.xml --html report.html

# what a careless app makes of a token that comes too late
ttlchat run s04-renew-after-expiry --app docs-web-2021

# start a scenario of your own from a built-in one
ttlchat run --print s03-server-down-past-expiry >mine.yaml
ttlchat run mine.yaml

# a verdict on an app under test that talks to ttlchat serve
ttlchat run s23-kicked-by-another-device --watch http://127.0.0.1:8081/_ctl/v1 --user alice`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.stdout, f.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return f.run(cmd.Context(), args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarioNames(), cobra.ShellCompDirectiveDefault
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "run all built-in scenarios")
	flags.StringSliceVar(&f.tags, "tag", nil, "run the built-in scenarios with one of these tags")
	flags.BoolVar(&f.list, "list", false, "list scenarios, one a line, and run nothing")
	flags.BoolVar(&f.printed, "print", false, "print the files of the built-in scenarios that are named, and run nothing")
	flags.BoolVar(&f.schema, "schema", false, "print the JSON Schema of scenario files, for editors, and run nothing")
	flags.IntVar(&f.jobs, "jobs", defaultJobs, "how many scenarios run side by side")
	flags.StringVar(&f.app, "app", "", "how the app behaves, whatever the scenario says: "+strings.Join(scenario.Apps(), ", "))
	flags.StringVar(&f.profile, "profile", "", "which SDK to behave like, whatever the scenario says: "+strings.Join(scenario.Profiles(), ", "))
	flags.DurationVar(&f.ttl, "ttl", 0, "lifetime of the tokens, whatever the scenario says")
	flags.Uint64Var(&f.seed, "seed", 0, "what chance decides, as the report of a run that failed names it, to have the same again")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object for each scenario: verdict, checks and timeline; with --list what it is about")
	flags.StringVar(&f.junit, "junit", "", "file to write a JUnit report to")
	flags.StringVar(&f.html, "html", "", "file to write a page to: each scenario's timeline drawn as lanes")
	flags.StringVar(&f.watch, "watch", "", "watch a client under test through the control API at this address")
	flags.StringVar(&f.controlToken, "control-token", "", "what the control API wants as a token; better set in the environment")
	flags.StringVar(&f.user, "user", "alice", "with --watch: who logs in with the client under test")
	flags.DurationVar(&f.patience, "patience", 2*time.Minute, "with --watch: how long to wait for the login")
	completeWords(cmd, map[string][]string{"app": scenario.Apps(), "profile": scenario.Profiles()})
	// The library is only read when somebody asks for it: every start of the program comes by here.
	_ = cmd.RegisterFlagCompletionFunc("tag", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return scenarioTags(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenario.Library() {
		names = append(names, s.Name)
	}
	return names
}

func scenarioTags() []string {
	var tags []string
	for _, s := range scenario.Library() {
		tags = append(tags, s.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

func (f *runFlags) run(ctx context.Context, args []string) error {
	if f.schema {
		_, err := f.stdout.Write(scenario.SchemaFile)
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	list, err := f.choose(args)
	if err != nil {
		return err
	}
	switch {
	case f.printed:
		return f.print(args)
	case f.list:
		return f.tellAll(list)
	case len(list) == 0:
		return usage("nothing to run; name a scenario or a file, or use --all (--list shows what is built in)")
	}
	start := time.Now()
	reports, err := f.play(ctx, list)
	if err != nil {
		return err
	}
	if err := f.write(f.withInterrupted(ctx, list, reports), time.Since(start)); err != nil {
		return err
	}
	return f.verdict(ctx, reports, len(list), time.Since(start))
}

// check says what is wrong with the flags before anything runs.
func (f *runFlags) check() error {
	for _, word := range []struct {
		flag, value string
		known       []string
	}{{"app", f.app, scenario.Apps()}, {"profile", f.profile, scenario.Profiles()}} {
		if word.value != "" && !slices.Contains(word.known, word.value) {
			return usage("%s: there is no %s %q; use %s", setting(word.flag), word.flag, word.value, strings.Join(word.known, ", "))
		}
	}
	for _, tag := range f.tags {
		if !slices.Contains(scenarioTags(), tag) {
			return usage("%s: no scenario has the tag %q; there are %s", setting("tag"), tag, strings.Join(scenarioTags(), ", "))
		}
	}
	if f.ttl != 0 {
		if err := checkLifetime(f.ttl); err != nil {
			return usage("%s: %w", setting("ttl"), err)
		}
	}
	if f.jobs < 1 {
		return usage("%s: want 1 or more", setting("jobs"))
	}
	if f.patience < 0 {
		return usage("%s: want a duration such as 30s; 0 is two minutes", setting("patience"))
	}
	for flag, file := range map[string]string{"junit": f.junit, "html": f.html} {
		if err := checkWritable(file); err != nil {
			return usage("%s: %w", setting(flag), err)
		}
	}
	if f.watch == "" {
		return nil
	}
	if f.app != "" || f.profile != "" || f.ttl != 0 || f.seed != 0 {
		return usage("%s watches a client that is not ours, so --app, --profile, --ttl and --seed mean nothing with it", setting("watch"))
	}
	if err := command.ValidUser(f.user); err != nil {
		return usage("%s: %w", setting("user"), err)
	}
	if err := checkAddress(f.watch, []string{"http", "https"}); err != nil {
		return usage("%s: %w", setting("watch"), err)
	}
	return nil
}

// choose is what the arguments and flags name. What is wrong with files is printed, all of it.
func (f *runFlags) choose(args []string) ([]*scenario.Scenario, error) {
	var list []*scenario.Scenario
	for _, s := range scenario.Library() {
		if f.all || slices.ContainsFunc(f.tags, func(tag string) bool { return slices.Contains(s.Tags, tag) }) || f.list && len(args) == 0 && f.tags == nil {
			list = append(list, s)
		}
	}
	broken := 0
	for _, arg := range args {
		s, err := findScenario(arg)
		if problems, ok := errors.AsType[scenario.Problems](err); ok {
			broken++
			_, _ = fmt.Fprintln(f.stderr, problems)
			continue
		}
		if err != nil {
			return nil, usageError{err}
		}
		if !slices.ContainsFunc(list, func(other *scenario.Scenario) bool { return other.Name == s.Name && other.File == s.File }) {
			list = append(list, s)
		}
	}
	if broken > 0 {
		return nil, usage("%d of the files cannot be read as scenarios", broken)
	}
	return list, nil
}

// findScenario reads a file, or finds a built-in scenario.
func findScenario(arg string) (*scenario.Scenario, error) {
	if ext := filepath.Ext(arg); ext != ".yaml" && ext != ".yml" && !strings.ContainsRune(arg, filepath.Separator) {
		s, err := scenario.Find(arg)
		if _, none := os.Stat(arg); err == nil || none != nil {
			return s, err
		}
	}
	return scenario.Read(arg)
}

func (f *runFlags) print(args []string) error {
	if len(args) == 0 {
		return usage("--print wants the names of built-in scenarios; --list shows them")
	}
	for _, name := range args {
		text, err := scenario.Source(name)
		if err != nil {
			return usageError{err}
		}
		if _, err := io.WriteString(f.stdout, text); err != nil {
			return err
		}
	}
	return nil
}

// listed is what run --list --json prints. The names are a contract.
type listed struct {
	Name      string   `json:"name"`
	Story     string   `json:"story"`
	Tags      []string `json:"tags,omitempty"`
	FailsWith []string `json:"fails_with,omitempty"` // apps of --app
}

// tellAll lists scenarios, one a line.
func (f *runFlags) tellAll(list []*scenario.Scenario) error {
	for _, s := range list {
		var fails []string
		for _, b := range s.FailsWith {
			fails = append(fails, b.App)
		}
		if f.asJSON {
			if err := writeJSON(f.stdout, listed{s.Name, s.Story, s.Tags, fails}); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-34s %s", s.Name, strings.Join(s.Tags, ","))
		if fails != nil {
			line += "  fails with " + strings.Join(fails, ", ")
		}
		if _, err := fmt.Fprintln(f.stdout, printable.Line(line, 0)); err != nil {
			return err
		}
	}
	return nil
}

// withInterrupted adds what did not come to its end: who reads the written report must not take it for passed.
func (f *runFlags) withInterrupted(ctx context.Context, list []*scenario.Scenario, ended []*scenario.Report) []*scenario.Report {
	all := slices.Clone(ended)
	if len(ended) == len(list) {
		return all
	}
	for _, s := range list {
		if !slices.ContainsFunc(ended, func(r *scenario.Report) bool { return r.Scenario == s.Name && r.File == s.File }) {
			all = append(all, scenario.Interrupted(s, fmt.Errorf("it was cut short: %w", context.Cause(ctx))))
		}
	}
	return all
}

// play runs the scenarios, and tells of each as it ends. When that cannot be written, nothing more is begun.
func (f *runFlags) play(ctx context.Context, list []*scenario.Scenario) ([]*scenario.Report, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mute error
	progress := newProgressLine(f.stderr, len(list))
	defer progress.clear()
	play := func(ctx context.Context, s *scenario.Scenario) *scenario.Report {
		progress.started(s.Name)
		if f.watch != "" {
			return scenario.Watch(ctx, s, scenario.WatchOptions{
				Client: &control.Client{URL: f.watch, Token: f.controlToken}, User: f.user, Patience: f.patience,
				Ready: func() { _, _ = fmt.Fprintf(f.stderr, "ttlchat: %s: log in as %s now\n", s.Name, f.user) },
			})
		}
		return scenario.Run(ctx, s, scenario.Options{TTL: f.ttl, App: f.app, Profile: f.profile, Seed: f.seed})
	}
	jobs := f.jobs
	if f.watch != "" {
		jobs = 1 // there is one client under test
	}
	reports := scenario.Batch(ctx, list, jobs, play, func(r *scenario.Report) {
		progress.clear()
		if f.asJSON {
			mute = cmp.Or(mute, writeJSON(f.stdout, r))
		} else {
			_, err := io.WriteString(f.stdout, r.Text())
			mute = cmp.Or(mute, err)
		}
		if mute != nil {
			stop()
		}
		progress.ended(r.Scenario)
	})
	return reports, mute
}

func (f *runFlags) write(reports []*scenario.Report, took time.Duration) error {
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{f.junit, func(w io.Writer) error { return scenario.WriteJUnit(w, reports, took) }},
		{f.html, func(w io.Writer) error { return scenario.WriteHTML(w, reports, took) }},
	} {
		if file.name == "" {
			continue
		}
		out, err := os.Create(file.name)
		if err != nil {
			return usage("the report cannot be written: %w", err)
		}
		err = errors.Join(file.write(out), out.Close())
		if err != nil {
			return fmt.Errorf("the report cannot be written: %w", err)
		}
	}
	return nil
}

// verdict is the last line and the exit code.
func (f *runFlags) verdict(ctx context.Context, reports []*scenario.Report, wanted int, took time.Duration) error {
	bad := 0
	for _, r := range reports {
		if r.Verdict != scenario.VerdictPassed {
			bad++
		}
	}
	if len(reports) < wanted {
		return fmt.Errorf("%s; %d of %d scenarios had ended, %d of them failed", context.Cause(ctx).Error(), len(reports), wanted, bad)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d scenarios failed, in %.1fs", bad, len(reports), took.Seconds())
	}
	if !f.asJSON && len(reports) > 1 {
		_, err := fmt.Fprintf(f.stdout, "all %d scenarios passed, in %.1fs\n", len(reports), took.Seconds())
		return err
	}
	return nil
}

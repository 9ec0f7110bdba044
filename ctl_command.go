package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// ctl is what the commands share that control a running emulator.
type ctl struct {
	url, token string
	asJSON     bool
	stdout     io.Writer
}

// newControl is the client of the control API.
func newControl() *cobra.Command {
	c := new(ctl)
	cmd := &cobra.Command{
		Use:   "ctl",
		Short: "Control a running emulator: faults, events, clock, journal",
		Long:  `Control a running ttlchat serve through its control API: look into it, make things go wrong, make events happen now, turn its clock and wait for what happens. A failed call exits with 1 and says why.`,
		Example: `
# the next token comes four seconds late
ttlchat ctl fault add token-server delay --delay 4s --count 1

# alice's app lives through an expiry now, however long her token lives
ttlchat ctl trigger expire --user alice

# a day passes
ttlchat ctl clock jump 24h

# in a script: wait until it has happened
ttlchat ctl wait session.expired --user alice --timeout 30s`,
		Args: words(),
		RunE: wantsSubcommand,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			c.stdout = cmd.OutOrStdout()
			if err := checkAddress(c.client().URL, []string{"http", "https"}); err != nil {
				return usage("%s: %w", setting("control-url"), err)
			}
			return nil
		},
	}
	cmd.PersistentFlags().StringVar(&c.url, "control-url", "", "address of the control API ("+control.DefaultURL+")")
	cmd.PersistentFlags().StringVar(&c.token, "control-token", "", "what serve was given as --control-token; better set in the environment")
	cmd.PersistentFlags().BoolVar(&c.asJSON, "json", false, "print JSON, one object a line")
	cmd.AddCommand(c.state(), c.faultCommand(), c.trigger(), c.clock(), c.journal(), c.wait(), c.reset(), c.health())
	return cmd
}

// client takes from the environment what the flags leave out; it may be needed before they are all read, for a completion.
func (c *ctl) client() *control.Client {
	return &control.Client{
		URL: orElse(c.url, os.Getenv(variable("control-url"))), Token: orElse(c.token, os.Getenv(variable("control-token"))),
	}
}

// print shows an answer: as JSON, or as text makes of it.
func (c *ctl) print(answer any, text func(io.Writer) error) error {
	if c.asJSON {
		return writeJSON(c.stdout, answer)
	}
	return text(c.stdout)
}

// say is print with one line.
func (c *ctl) say(answer any, format string, args ...any) error {
	return c.print(answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		return err
	})
}

func (c *ctl) health() *cobra.Command {
	return &cobra.Command{
		Use: "health", Short: "Tell whether the emulator answers", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := c.client().Health(cmd.Context())
			if err != nil {
				return err
			}
			return c.say(h, "%s, app key %s", shown(h.Status), shown(h.AppKey))
		},
	}
}

func (c *ctl) state() *cobra.Command {
	return &cobra.Command{
		Use: "state", Short: "Show users, devices, sessions, queues, faults and the clock", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.client().State(cmd.Context())
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) error { return printState(w, s) })
		},
	}
}

func (c *ctl) reset() *cobra.Command {
	return &cobra.Command{
		Use: "reset", Short: "Make the emulator what it was after its start", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.client().Reset(cmd.Context())
			if err != nil {
				return err
			}
			return c.say(s, "as after the start: %s, no faults, no connections", printable.Count(len(s.Users), "user", "users"))
		},
	}
}

func (c *ctl) trigger() *cobra.Command {
	var t fakeserver.TriggerRequest
	cmd := &cobra.Command{
		Use: "trigger EVENT", Short: "Make an event happen now: " + strings.Join(fakeserver.TriggerEvents(), ", "),
		Long: `Make an event happen now, for one user or for everybody.

will-expire and expire make the SDKs believe that it is that late, however long their token lives. kick says why, with --code, and closes. cut closes without a word. revoke makes every token void that was issued until now; connections stay.`,
		Args: words("an event: " + strings.Join(fakeserver.TriggerEvents(), ", ")), ValidArgsFunction: complete(fakeserver.TriggerEvents()...),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.Validate(args[0]); err != nil {
				return usageError{err}
			}
			done, err := c.client().Trigger(cmd.Context(), args[0], t)
			if err != nil {
				return err
			}
			if done.Connections == 0 && args[0] != "revoke" {
				who := "nobody has an open connection"
				if t.User != "" {
					who = t.User + " has no open connection"
				}
				return fmt.Errorf("%s reached nobody: %s", args[0], who)
			}
			return c.say(done, "%s: %s", shown(done.Event), printable.Count(done.Connections, "connection", "connections"))
		},
	}
	cmd.Flags().StringVar(&t.User, "user", "", "for this user; everybody without it")
	cmd.Flags().IntVar(&t.Code, "code", 0, fmt.Sprintf("code of a kick, one of %v (206)", fakeserver.KickCodes()))
	cmd.Flags().StringVar(&t.Reason, "reason", "", "reason of a kick, for the SDK to show")
	var codes []string
	for _, code := range fakeserver.KickCodes() {
		codes = append(codes, strconv.Itoa(code))
	}
	completeWords(cmd, map[string][]string{"code": codes})
	c.completeUsers(cmd)
	return cmd
}

func (c *ctl) clock() *cobra.Command {
	change := func(use, short string, what func(arg string) (fakeserver.ClockChange, error)) *cobra.Command {
		args := noArgs
		if strings.Contains(use, " ") {
			args = words("a duration such as 10m or -24h")
		}
		return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			arg := strings.Join(args, "")
			changed, err := what(arg)
			if err != nil { // it is too long to be read, too
				return usage("%q is no duration; write one such as 10m or -24h, of at most ten years", arg)
			}
			if changed == (fakeserver.ClockChange{}) {
				return usage("a jump of %s changes nothing; write a duration such as 10m or -24h", arg)
			}
			if err := changed.Validate(); err != nil {
				return usageError{err}
			}
			state, err := c.client().ChangeClock(cmd.Context(), changed)
			if err != nil {
				return err
			}
			return c.say(state, "%s", clockText(state))
		}}
	}
	show := &cobra.Command{Use: "show", Short: "Show the emulator's time", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		state, err := c.client().Clock(cmd.Context())
		if err != nil {
			return err
		}
		return c.say(state, "%s", clockText(state))
	}}
	cmd := &cobra.Command{Use: "clock", Short: "Show or turn the emulator's clock", Args: words(), RunE: show.RunE}
	cmd.AddCommand(show,
		change("jump DURATION", "Let that much time pass at once; negative goes back, as in jump -24h", func(arg string) (fakeserver.ClockChange, error) {
			d, err := time.ParseDuration(arg)
			return fakeserver.ClockChange{Jump: d}, err
		}),
		change("offset DURATION", "Set the clock that far ahead of the machine's; negative is behind, as in offset -24h", func(arg string) (fakeserver.ClockChange, error) {
			d, err := time.ParseDuration(arg)
			return fakeserver.ClockChange{Offset: &d}, err
		}),
		change("freeze", "Stop the clock", func(string) (fakeserver.ClockChange, error) {
			return fakeserver.ClockChange{Freeze: new(true)}, nil
		}),
		change("unfreeze", "Let the clock go on from where it stopped", func(string) (fakeserver.ClockChange, error) {
			return fakeserver.ClockChange{Freeze: new(false)}, nil
		}))
	return cmd
}

func (c *ctl) journal() *cobra.Command {
	var q fakeserver.JournalQuery
	var since uint64
	var follow bool
	cmd := &cobra.Command{
		Use: "journal", Short: "Show what happened, or with --follow what happens", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("since") {
				q.Since = &since
			}
			if err := q.Validate(); err != nil {
				return usageError{err}
			}
			if follow {
				err := c.client().Follow(cmd.Context(), q, c.entry, func(n uint64) {
					_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "ttlchat: %s gone before they could be shown\n", printable.Count(int(n), "entry was", "entries were")) //nolint:gosec // far below what an int holds
				})
				if errors.Is(err, context.Canceled) { // Ctrl+C is how it ends
					return nil
				}
				return err
			}
			page, err := c.client().Journal(cmd.Context(), q)
			if err != nil {
				return err
			}
			if n := int(page.Missed) + page.LeftOff; n > 0 { //nolint:gosec // far below what an int holds
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "ttlchat: %s not shown\n", printable.Count(n, "older entry is", "older entries are"))
			}
			for _, e := range page.Entries {
				if err := c.entry(e); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what happens, until Ctrl+C")
	cmd.Flags().Uint64Var(&since, "since", 0, "only entries after the one with this number")
	cmd.Flags().StringSliceVar(&q.Names, "filter", nil, "only entries with these names, such as session.*; all but frames without it")
	cmd.Flags().StringVar(&q.User, "user", "", "only entries of this user")
	cmd.Flags().IntVar(&q.Limit, "limit", 0, "the most entries to show, the newest ones (1000); not with --follow")
	completeWords(cmd, map[string][]string{"filter": entryNames()})
	c.completeUsers(cmd)
	return cmd
}

func (c *ctl) wait() *cobra.Command {
	var q fakeserver.JournalQuery
	var since uint64
	cmd := &cobra.Command{
		Use: "wait EVENT", Short: "Wait for an entry of the journal, such as session.expired",
		Long: `Wait until an entry of that name comes into the journal, print it, and exit with 0; exit with 1 when it does not come in time. What happened before the call does not count, unless --since says from where on it does.`,
		Args: words("the name of an entry: " + strings.Join(entryNames(), ", ")), ValidArgsFunction: complete(entryNames()...),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("since") {
				q.Since = &since
			}
			q.Wait, q.Names = args[0], args
			if q.Timeout <= 0 {
				return usage("%s: want a duration such as 30s, at most 10m", setting("timeout"))
			}
			if err := q.Validate(); err != nil {
				return usageError{err}
			}
			page, err := c.client().Journal(cmd.Context(), q)
			if err != nil {
				return err
			}
			if page.TimedOut || len(page.Entries) == 0 {
				return fmt.Errorf("%s did not come within %v", args[0], q.Timeout)
			}
			return c.entry(page.Entries[len(page.Entries)-1])
		},
	}
	cmd.Flags().StringVar(&q.User, "user", "", "only an entry of this user")
	cmd.Flags().DurationVar(&q.Timeout, "timeout", 30*time.Second, "how long to wait, at most 10m")
	cmd.Flags().Uint64Var(&since, "since", 0, "also take an entry that came after the one with this number")
	c.completeUsers(cmd)
	return cmd
}

func (c *ctl) entry(e fakeserver.Entry) error { return c.say(e, "%s", entryText(e)) }

func entryNames() []string {
	var names []string
	for _, n := range fakeserver.EntryNames() {
		names = append(names, string(n))
	}
	return names
}

// complete lets the shell complete the first argument.
func complete(values ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

// completionTimeout is how long a shell may wait for an emulator.
const completionTimeout = time.Second

// completeUsers completes --user with who there is, if an emulator answers.
func (c *ctl) completeUsers(cmd *cobra.Command) {
	// It fails only for a flag that does not exist or has a function already.
	_ = cmd.RegisterFlagCompletionFunc("user", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		var names []string
		if s, err := c.client().State(ctx); err == nil {
			for _, u := range s.Users {
				names = append(names, shown(u.Name))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

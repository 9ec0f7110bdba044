package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// failure is how a command ended that did not do what it was asked for.
type failure struct {
	err error
	of  *cobra.Command
}

// catch lets the errors of every command come here and to nobody else: what draws the help would ask the terminal for its colours first, and
// wait for seconds where that does not answer. What is right for all commands is done here, too: flags that are not given come from the
// environment.
func (f *failure) catch(root *cobra.Command) {
	note := func(cmd *cobra.Command, err error) error {
		if err != nil {
			f.err, f.of = err, cmd
		}
		return nil
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return note(cmd, usageError{wrongValue(err)}) })
	var wrap func(cmd *cobra.Command, before func(*cobra.Command, []string) error)
	wrap = func(cmd *cobra.Command, before func(*cobra.Command, []string) error) {
		if cmd.PersistentPreRunE != nil { // where cobra calls it, its error goes elsewhere
			before, cmd.PersistentPreRunE = cmd.PersistentPreRunE, nil
		}
		args, run := cmd.Args, cmd.RunE
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, words []string) error {
			if args != nil {
				if err := args(cmd, words); err != nil {
					return note(cmd, err)
				}
			}
			if err := fromEnvironment(cmd); err != nil {
				return note(cmd, err)
			}
			if before != nil {
				if err := before(cmd, words); err != nil {
					return note(cmd, err)
				}
			}
			return note(cmd, run(cmd, words))
		}
		for _, sub := range cmd.Commands() {
			wrap(sub, before)
		}
	}
	wrap(root, nil)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil && completion != root {
		completion.Args, completion.RunE = cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
			if err := words()(cmd, args); err != nil {
				return note(cmd, err)
			}
			return note(cmd, wantsSubcommand(cmd, args))
		}
	}
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil && help != root {
		show := help.Run
		help.Args, help.Run = cobra.ArbitraryArgs, nil
		help.RunE = func(cmd *cobra.Command, args []string) error {
			if err := knownTopic(cmd, args); err != nil {
				return note(root, err)
			}
			show(cmd, args)
			return nil
		}
	}
}

// code is the exit code of the program.
func (f *failure) code() int {
	switch {
	case f.err == nil:
		return exitFine
	case errors.As(f.err, new(usageError)), errors.Is(f.err, errUnreadable):
		return exitUsage
	default:
		return exitFailed
	}
}

// print says what went wrong, and where it stands how it is done right.
func (f *failure) print(ctx context.Context, w io.Writer) {
	if f.err == nil {
		return
	}
	_, _ = fmt.Fprintf(w, "ttlchat: %v\n", interrupted(ctx, f.err))
	if errors.As(f.err, new(usageError)) {
		_, _ = fmt.Fprintf(w, "Try %s --help.\n", f.of.CommandPath())
	}
}

// interrupted says in words that a signal was the end of it, and not what was under way then.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))) {
		return fmt.Errorf("ended before it was done: %w", context.Cause(ctx))
	}
	return err
}

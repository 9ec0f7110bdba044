package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// words takes exactly the named arguments, as a usage error otherwise. A command with subcommands takes none of its own.
func words(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case cmd.HasSubCommands() && len(args) > 0:
			return usage("there is no %q; %s wants one of %s", args[0], cmd.CommandPath(), subcommands(cmd))
		case !cmd.HasSubCommands() && len(args) != len(names):
			return usage("%s wants %s", cmd.CommandPath(), strings.Join(names, " and "))
		}
		return nil
	}
}

func subcommands(cmd *cobra.Command) string {
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return strings.Join(names, ", ")
}

// knownTopic takes the path of a command, for help.
func knownTopic(help *cobra.Command, args []string) error {
	cmd, rest, err := help.Root().Find(args)
	if err == nil && len(rest) > 0 && cmd.HasSubCommands() {
		err = words()(cmd, rest)
	}
	return err
}

// wrongValue says what a flag takes that was given something else.
func wrongValue(err error) error {
	wrong, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	wants := map[string]string{
		"bool": "true or false", "duration": "a duration such as 30s or 24h", "float64": "a number", "int": "a whole number",
		"uint32": "a whole number from 0 to 4294967295", "uint64": "a whole number, 0 or more",
	}[wrong.GetFlag().Value.Type()]
	if wants == "" {
		return fmt.Errorf("%s: %w", setting(wrong.GetFlag().Name), wrong.Unwrap())
	}
	return fmt.Errorf("%s: want %s, not %q", setting(wrong.GetFlag().Name), wants, wrong.GetValue())
}

// wantsSubcommand is what a command does that only has subcommands.
func wantsSubcommand(cmd *cobra.Command, _ []string) error {
	return usage("%s wants one of %s", cmd.CommandPath(), subcommands(cmd))
}

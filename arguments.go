package main

import (
	"strings"

	"github.com/spf13/cobra"
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

// wantsSubcommand is what a command does that only has subcommands.
func wantsSubcommand(cmd *cobra.Command, _ []string) error {
	return usage("%s wants one of %s", cmd.CommandPath(), subcommands(cmd))
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
)

func (c *ctl) faultCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "fault", Short: "Make things go wrong, list and clear what goes wrong", Args: words(), RunE: wantsSubcommand,
	}
	cmd.AddCommand(c.faultAdd(), c.faultList(), c.faultClear(), faultKinds(c))
	return cmd
}

func (c *ctl) faultAdd() *cobra.Command {
	var f fakeserver.Fault
	var on string
	cmd := &cobra.Command{
		Use: "add TARGET KIND", Short: "Make something go wrong",
		Long: `Make something go wrong on one of the targets: ` + strings.Join(targets(), ", ") + `. ` + "`ttlchat ctl fault kinds`" + ` lists the kinds of each with their parameters, which are flags here.`,
		Example: `
ttlchat ctl fault add token-server status --status 503 --retry-after 5s --count 2
ttlchat ctl fault add rest status --path token --status 429
ttlchat ctl fault add link freeze --for 30s --on session.will_expire --user alice
ttlchat ctl fault add message no-answer --probability 0.2 --seed 1`,
		Args: words("a target ("+strings.Join(targets(), ", ")+")", "a kind"), ValidArgsFunction: completeFault,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Target, f.Kind, f.On, f.Params = fakeserver.FaultTarget(args[0]), args[1], fakeserver.EntryName(on), nil
			for name := range faultParams() {
				if flag := cmd.Flags().Lookup(name); flag.Changed {
					if f.Params == nil {
						f.Params = make(fakeserver.FaultParams)
					}
					f.Params[name] = flag.Value.String()
				}
			}
			if err := f.Validate(); err != nil {
				return usageError{err}
			}
			added, err := c.client().AddFault(cmd.Context(), f)
			if err != nil {
				return err
			}
			return c.say(added, "%s", faultText(added))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.ID, "id", "", "name of the fault, for fault clear (f1, f2, …)")
	flags.StringVar(&f.User, "user", "", "only for this user")
	flags.IntVar(&f.Count, "count", 0, "how often it applies; 0 is until it is cleared")
	flags.DurationVar(&f.After, "after", 0, "let that much time of the emulator's clock pass first")
	flags.StringVar(&on, "on", "", "wait for a journal entry of this name first, such as session.will_expire")
	flags.Float64Var(&f.Probability, "probability", 0, "the chance that it applies when it could; 0 is always")
	flags.Uint64Var(&f.Seed, "seed", 0, "makes the draws the same in every run")
	choices := map[string][]string{"on": {}}
	for _, name := range fakeserver.FaultEvents() {
		choices["on"] = append(choices["on"], string(name))
	}
	params := faultParams()
	for _, name := range slices.Sorted(maps.Keys(params)) {
		p := params[name]
		flags.String(name, "", p.usage())
		flags.Lookup(name).Annotations = map[string][]string{lineOnly: {}}
		if p.onlyBool {
			flags.Lookup(name).NoOptDefVal = "true"
		}
		if p.choices != nil {
			choices[name] = p.choices
		}
	}
	completeWords(cmd, choices)
	c.completeUsers(cmd)
	return cmd
}

// faultParam is a parameter of one or more kinds, as a flag.
type faultParam struct {
	kinds, meanings []string
	choices         []string
	onlyBool        bool
}

func (p faultParam) usage() string {
	meanings := slices.Compact(slices.Sorted(slices.Values(p.meanings)))
	if len(p.kinds) > 4 {
		return strings.Join(meanings, "; or ")
	}
	return strings.Join(p.kinds, ", ") + ": " + strings.Join(meanings, "; or ")
}

// faultParams are the parameters of all kinds by their names.
func faultParams() map[string]faultParam {
	params := make(map[string]faultParam)
	for _, k := range fakeserver.FaultKinds() {
		for _, p := range k.Params {
			all := params[p.Name]
			all.kinds = append(all.kinds, string(k.Target)+" "+k.Name)
			all.meanings = append(all.meanings, p.Meaning)
			all.onlyBool = p.Type == "boolean"
			if p.Type == "choice" {
				all.choices = p.Choices
			}
			params[p.Name] = all
		}
	}
	return params
}

func targets() []string {
	var names []string
	for _, t := range fakeserver.FaultTargets() {
		names = append(names, string(t))
	}
	return names
}

func completeFault(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var words []string
	switch len(args) {
	case 0:
		words = targets()
	case 1:
		for _, k := range fakeserver.FaultKinds() {
			if string(k.Target) == args[0] {
				words = append(words, cobra.CompletionWithDesc(k.Name, k.Meaning))
			}
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

func (c *ctl) faultList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List what goes wrong", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.client().Faults(cmd.Context())
			if err != nil {
				return err
			}
			if len(list) == 0 && !c.asJSON {
				return c.say(nil, "no faults")
			}
			for _, f := range list {
				if err := c.say(f, "%s", faultText(f)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *ctl) faultClear() *cobra.Command {
	return &cobra.Command{
		Use: "clear [ID]", Short: "Lift one fault, or all of them",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s wants one ID, or none to clear all", cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
			defer cancel()
			var ids []string
			if list, err := c.client().Faults(ctx); err == nil && len(args) == 0 {
				for _, f := range list {
					ids = append(ids, cobra.CompletionWithDesc(shown(f.ID), shown(string(f.Target)+" "+f.Kind)))
				}
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			n := 1
			var err error
			if len(args) == 0 {
				n, err = c.client().ClearFaults(cmd.Context())
			} else {
				err = c.client().ClearFault(cmd.Context(), args[0])
			}
			if err != nil {
				return err
			}
			return c.say(fakeserver.Cleared{Cleared: n}, "%d cleared", n)
		},
	}
}

func faultKinds(c *ctl) *cobra.Command {
	return &cobra.Command{
		Use: "kinds [TARGET]", Short: "List the kinds of faults with their parameters",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && !slices.Contains(targets(), args[0]) {
				return usage("%s wants one target or none; known: %s", cmd.CommandPath(), strings.Join(targets(), ", "))
			}
			return nil
		},
		ValidArgsFunction: complete(targets()...),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, k := range fakeserver.FaultKinds() {
				if len(args) > 0 && string(k.Target) != args[0] {
					continue
				}
				if err := c.print(k, func(w io.Writer) error { return printKind(w, k) }); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func printKind(w io.Writer, k fakeserver.FaultKind) error {
	if _, err := fmt.Fprintf(w, "%s %s: %s\n", k.Target, k.Name, k.Meaning); err != nil {
		return err
	}
	for _, p := range k.Params {
		about := cmp.Or(p.Default, `""`)
		if p.Choices != nil {
			about = strings.Join(p.Choices, "|")
		}
		if _, err := fmt.Fprintf(w, "    --%s %s (%s)  %s\n", p.Name, p.Type, about, p.Meaning); err != nil {
			return err
		}
	}
	return nil
}

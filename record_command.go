package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/scenario"
)

// newRecord writes what is done with a running emulator as a scenario.
func newRecord(o *options) *cobra.Command {
	var address, token, user string
	var forHowLong time.Duration
	cmd := &cobra.Command{
		Use:   "record FILE",
		Short: "Write what is done with a running emulator as a scenario file",
		Long: `Follow a running ttlchat serve through its control API, until SIGINT or --for, and write what was done with it as a scenario that does it again: faults, triggers and jumps of the clock, messages and renewals, and as expectations what the emulator saw of the client. Start this first, then log in.

The emulator does not know the texts of messages, nor why a client logged out; read the file over before handing it on.`,
		Example: `
ttlchat serve &
ttlchat record bug.yaml          # then do it: ttlchat ctl fault add …, ttlchat ctl trigger …
ttlchat run bug.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("record wants the name of one file to write")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkAddress(address, []string{"http", "https"}); err != nil {
				return usage("%s: %w", setting("control-url"), err)
			}
			if user != "" {
				if err := command.ValidUser(user); err != nil {
					return usage("%s: %w", setting("user"), err)
				}
			}
			if forHowLong < 0 {
				return usage("%s: want a duration such as 30s; 0 is until SIGINT", setting("for"))
			}
			if err := checkWritable(args[0]); err != nil {
				return usage("the recording cannot be written: %w", err)
			}
			ctx := cmd.Context()
			if forHowLong > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, forHowLong)
				defer cancel()
			}
			return record(ctx, &control.Client{URL: address, Token: token}, user, args[0], cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&address, "control-url", control.DefaultURL, "address of the control API")
	cmd.Flags().StringVar(&token, "control-token", "", "what the control API wants as a token; better set in the environment")
	cmd.Flags().StringVar(&user, "user", "", "whose session it is about (the first one who logs in)")
	cmd.Flags().DurationVar(&forHowLong, "for", 0, "end after this time; 0 is until SIGINT")
	return cmd
}

func record(ctx context.Context, client *control.Client, user, file string, stderr io.Writer) error {
	recording, err := scenario.Record(ctx, client, user, func() {
		_, _ = fmt.Fprintf(stderr, "ttlchat: recording; log in now, and end it with Ctrl+C\n")
	})
	if err != nil {
		return err
	}
	return writeRecording(file, recording.Write, stderr)
}

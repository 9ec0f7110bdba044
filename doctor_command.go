package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/doctor"
	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// doctorCommand are the flags of doctor.
type doctorCommand struct {
	*options
	user, other, url string
	ttl, timeout     time.Duration
	shape            shapeFlags
	asJSON           bool
	junit            string
}

// newDoctor examines a token server.
func newDoctor(o *options) *cobra.Command {
	d := &doctorCommand{options: o}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a token server and say what to mend",
		Long: `Examine a token server as a contract test does: ask it for tokens in all the ways in which apps do, and in some in which they should not, and say of every defect what it means for users and how to mend it. With --app-id and --app-certificate the signature is checked too, and the tokens log in and renew against an emulator in memory. Nothing but the token server is called.

The server gets about thirty requests, twenty of them at once. Some are for users who do not exist, whom a server may register.

The exit code is 0 when no check failed (warnings are allowed), 1 when one did, 2 for a mistake in the flags.`,
		Example: `
# the token server of a running ttlchat serve
ttlchat doctor

# one of your own, in CI; the credentials come from the environment
export AGORA_APP_ID=… AGORA_APP_CERTIFICATE=…
ttlchat doctor --token-url https://example.test/token \
  --token-shape shape.json --junit doctor.xml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	d.credentialFlags(flags, judgeWithout)
	flags.StringVar(&d.user, "user", "alice", "user to get tokens for")
	flags.StringVar(&d.other, "second-user", "", "another user who exists (a made-up one, whom the server may refuse)")
	flags.DurationVar(&d.ttl, "ttl", time.Hour, "lifetime to ask for, 1m to 24h")
	flags.DurationVar(&d.timeout, "timeout", 30*time.Second, "time for all checks together")
	flags.StringVar(&d.url, "token-url", serveTokenAddress, "token server: address to ask, {user} and {expire} in it are filled in")
	d.shape.register(flags, tokenclient.Presets())
	flags.BoolVar(&d.asJSON, "json", false, "print the report as one JSON object")
	flags.StringVar(&d.junit, "junit", "", "file to write the report to as JUnit XML too")
	completeWords(cmd, map[string][]string{"token-preset": tokenclient.Presets()})
	return cmd
}

func (d *doctorCommand) run(ctx context.Context, stdout io.Writer) error {
	cfg, err := d.config()
	if err != nil {
		return err
	}
	var junit io.WriteCloser
	if d.junit != "" {
		if junit, err = os.Create(d.junit); err != nil {
			return usage("%s: %w", setting("junit"), err)
		}
		defer junit.Close()
	}
	report, err := doctor.Run(ctx, cfg)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("the examination was stopped")
	case err != nil:
		return usageError{err}
	case d.asJSON:
		err = writeJSON(stdout, report)
	default:
		err = writeDoctorReport(stdout, report)
	}
	if err == nil && junit != nil {
		err = errors.Join(report.WriteJUnit(junit), junit.Close())
	}
	if err != nil || report.OK {
		return err
	}
	return fmt.Errorf("%d of %d checks failed: %s", report.Failed, len(report.Checks), strings.Join(failedChecks(report), ", "))
}

// config turns the flags into the doctor's configuration; whatever is wrong with them is a usage error.
func (d *doctorCommand) config() (doctor.Config, error) {
	shape, password, err := d.shape.load(tokenclient.Preset, tokenclient.Presets())
	if err != nil {
		return doctor.Config{}, err
	}
	for flag, user := range map[string]string{"user": d.user, "second-user": d.other} {
		if err := command.ValidUser(user); err != nil && (flag == "user" || user != "") {
			return doctor.Config{}, usage("%s: %w", setting(flag), err)
		}
	}
	if err := checkLifetime(d.ttl); err != nil {
		return doctor.Config{}, usage("%s: %w", setting("ttl"), err)
	}
	if d.timeout <= 0 {
		return doctor.Config{}, usage("%s: want some time, such as 30s", setting("timeout"))
	}
	return doctor.Config{
		URL: d.url, Shape: shape, Password: password, AppID: d.appID, Certificate: d.appCertificate, User: d.user, OtherUser: d.other,
		Lifetime: d.ttl, Timeout: d.timeout,
	}, nil
}

func failedChecks(r doctor.Report) []string {
	var ids []string
	for c := range slices.Values(r.Checks) {
		if c.Verdict == doctor.Fail {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/judge"
)

// newTokenCommand is everything about tokens that needs no session.
func newTokenCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Build, read, judge and fetch Agora tokens",
		Long: `Build tokens for chat, rtc and rtm, read any token and judge whether it would log in, or ask a token server for one.

Tokens are built with --app-id and --app-certificate, better set in the environment as AGORA_APP_ID and AGORA_APP_CERTIFICATE; without them they are for the demo project, which is the one of ttlchat serve.`,
		Args: words(),
		RunE: wantsSubcommand,
	}
	cmd.AddCommand(newTokenUser(o), newTokenApp(o), newTokenRTC(o), newTokenRTM(o), newTokenInspect(o), newTokenFetchCommand(o))
	return cmd
}

// tokenBuild are the flags that all commands have which build a token.
type tokenBuild struct {
	*options
	needed       string // a flag without which there is no token, or ""
	life, issued string
	asJSON       bool
}

// builtToken is what the building commands print with --json. The names are a contract.
type builtToken struct {
	Token     string    `json:"token"`
	Version   string    `json:"version"`
	Service   string    `json:"service"`
	AppID     string    `json:"app_id"`
	User      string    `json:"user,omitempty"`
	Channel   string    `json:"channel,omitempty"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresIn uint32    `json:"expires_in"` // seconds, as asked for
}

// command makes a command that builds a token. build gets the credentials, the life and the time of issue, and fills in the rest.
func (b *tokenBuild) command(use, short, example string, build func(agoratoken.Credentials, *builtToken) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: noArgs,
		Long: short + ".\n\n" + `Any lifetime and any time of issue are allowed, so that wrong tokens can be built too; token inspect says what is wrong with them.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.needed != "" && !cmd.Flags().Changed(b.needed) {
				return usage("%s is missing", setting(b.needed))
			}
			t := builtToken{Version: "007"}
			var err error
			if t.ExpiresIn, err = parseLife(b.life); err != nil {
				return usage("%s: %w", setting("expire"), err)
			}
			if t.IssuedAt, err = parseIssue(b.issued); err != nil {
				return usage("%s: %w", setting("issued-at"), err)
			}
			project, err := b.credentials(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			t.AppID = project.AppID
			if err := build(project, &t); err != nil {
				return usageError{err}
			}
			if b.asJSON {
				return writeJSON(cmd.OutOrStdout(), t)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), t.Token)
			return err
		},
	}
	b.credentialFlags(cmd.Flags(), demoWithout)
	cmd.Flags().StringVar(&b.life, "expire", "1h", "lifetime in seconds, or as a duration such as 10m")
	cmd.Flags().StringVar(&b.issued, "issued-at", "", "time of issue, RFC 3339 or seconds since 1970 (now)")
	cmd.Flags().BoolVar(&b.asJSON, "json", false, "print one JSON object")
	return cmd
}

func newTokenUser(o *options) *cobra.Command {
	var user string
	cmd := (&tokenBuild{options: o, needed: "user"}).command("user", "Build a chat token that logs a user in", `
ttlchat token user --user alice --expire 600
ttlchat token user --user alice --expire 24h --issued-at 2026-01-31T12:00:00Z --json`,
		func(c agoratoken.Credentials, t *builtToken) (err error) {
			t.Service, t.User = judge.Chat, user
			t.Token, err = agoratoken.BuildUser(c, user, t.ExpiresIn, t.IssuedAt)
			return err
		})
	cmd.Flags().StringVar(&user, "user", "", "name of the user; older token servers put the UUID here")
	return cmd
}

func newTokenApp(o *options) *cobra.Command {
	return (&tokenBuild{options: o}).command("app", "Build a chat token for an app's server, to call the REST API with", `
ttlchat token app --expire 1h`,
		func(c agoratoken.Credentials, t *builtToken) (err error) {
			t.Service = judge.Chat
			t.Token, err = agoratoken.BuildApp(c, t.ExpiresIn, t.IssuedAt)
			return err
		})
}

func newTokenRTM(o *options) *cobra.Command {
	var user string
	cmd := (&tokenBuild{options: o, needed: "user"}).command("rtm", "Build a token for signalling", `
ttlchat token rtm --user alice --expire 1h`,
		func(c agoratoken.Credentials, t *builtToken) (err error) {
			t.Service, t.User = judge.RTM, user
			t.Token, err = agoratoken.BuildRTM(c, user, t.ExpiresIn, t.IssuedAt)
			return err
		})
	cmd.Flags().StringVar(&user, "user", "", "name of the user")
	return cmd
}

func newTokenRTC(o *options) *cobra.Command {
	var (
		version, role string
		rtc           agoratoken.RTC
	)
	cmd := (&tokenBuild{options: o, needed: "channel"}).command("rtc", "Build a token that joins an audio or video channel", `
ttlchat token rtc --channel room --uid 7 --role publisher
ttlchat token rtc --channel room --account alice --version 006 --expire 10m`,
		func(c agoratoken.Credentials, t *builtToken) (err error) {
			build, ok := map[string]func(agoratoken.Credentials, agoratoken.RTC, time.Time) (string, error){
				"006": agoratoken.BuildRTC006, "007": agoratoken.BuildRTC,
			}[version]
			if !ok {
				return fmt.Errorf("%s: want 006 or 007", setting("version"))
			}
			if role != "publisher" && role != "subscriber" {
				return fmt.Errorf("%s: want publisher or subscriber", setting("role"))
			}
			rtc.Publisher, rtc.Expire, rtc.PrivilegeExpire = role == "publisher", t.ExpiresIn, t.ExpiresIn
			t.Version, t.Service, t.Channel, t.User = version, judge.RTC, rtc.Channel, rtc.Account
			if rtc.Account == "" {
				t.User = strconv.FormatUint(uint64(rtc.UID), 10)
			}
			t.Token, err = build(c, rtc, t.IssuedAt)
			return err
		})
	f := cmd.Flags()
	f.StringVar(&version, "version", "007", "007 is AccessToken2, 006 the old AccessToken, where a lifetime of 0 means 24 h")
	f.StringVar(&rtc.Channel, "channel", "", "name of the channel, at most 63 letters, digits and some marks")
	f.Uint32Var(&rtc.UID, "uid", 0, "number of the user; 0 is everybody")
	f.StringVar(&rtc.Account, "account", "", "name of the user, in place of --uid")
	f.StringVar(&role, "role", "publisher", "publisher or subscriber")
	completeWords(cmd, map[string][]string{"version": {"007", "006"}, "role": {"publisher", "subscriber"}})
	return cmd
}

// credentials are those of the flags, or of the demo project, which is said on stderr.
func (o *options) credentials(stderr io.Writer) (agoratoken.Credentials, error) {
	if o.appID == "" && o.appCertificate == "" {
		_, _ = fmt.Fprintln(stderr, "ttlchat: this token is for the demo project, the one of ttlchat serve; set AGORA_APP_ID and AGORA_APP_CERTIFICATE for yours")
		return agoratoken.Credentials{AppID: fakeserver.DemoAppID, Certificate: fakeserver.DemoAppCertificate}, nil
	}
	c := agoratoken.Credentials{AppID: o.appID, Certificate: agoratoken.Certificate(o.appCertificate)}
	if err := c.Validate(); err != nil {
		return c, usageError{err}
	}
	return c, nil
}

// parseLife reads seconds or a duration of whole seconds. A token has 32 bits for it.
func parseLife(text string) (uint32, error) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return uint32(n), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d%time.Second != 0 || d > (1<<32-1)*time.Second {
		return 0, errors.New("want whole seconds such as 600, or a duration such as 10m; at most 4294967295 seconds")
	}
	return uint32(d / time.Second), nil
}

// parseIssue reads a time of issue; "" is now.
func parseIssue(text string) (time.Time, error) {
	if text == "" {
		return time.Now().Truncate(time.Second), nil
	}
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Unix(int64(n), 0).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, errors.New("want a time such as 2026-01-31T12:00:00Z, or seconds since 1970")
	}
	return at.Truncate(time.Second), nil
}

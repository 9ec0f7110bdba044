// Command ttlchat is a terminal chat client that shows the life of an Agora Chat token, with an emulator of the service built in.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// Exit codes.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

// processStart is the zero of elapsed_ms.
var processStart = time.Now()

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is the whole program; it returns the exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Whatever hangs in spite of a signal, such as a file that nobody writes to, is ended by the next one.
	context.AfterFunc(ctx, func() { time.AfterFunc(shutdownPatience, stop) })
	root, failed := newRoot(wantsCommands(args)), new(failure)
	failed.catch(root)
	root.SetArgs(withNegative(args))
	err := fang.Execute(ctx, root, fang.WithVersion(version()), fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}))
	if failed.err == nil && err != nil { // of a command that is not ours, such as completion
		failed.err, failed.of = usageError{err}, root
		if errors.As(err, new(*os.PathError)) { // of what it writes to
			failed.err = err
		}
	}
	failed.print(ctx, os.Stderr)
	return failed.code()
}

// shutdownPatience is how long everything may take to end after a signal before the next one ends the process at once.
const shutdownPatience = 5 * time.Second

// usageError is a mistake in how the program was called; it exits with 2.
type usageError struct{ error }

// Unwrap returns what was wrong.
func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// noArgs refuses words that are not flags, as a usage error and not as an unknown command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("%q means nothing here; %s takes flags only", args[0], cmd.CommandPath())
}

// version is the module's version as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// wantsCommands tells whether the arguments may name a command. The screen's first frame comes sooner when none has to be made.
func wantsCommands(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "-") || arg == "-h" || arg == "--help" })
}

// withNegative lets a clock be turned back as it is turned forward: what begins like a negative number after jump or offset is no flag.
func withNegative(args []string) []string {
	i := slices.IndexFunc(args, func(arg string) bool { return len(arg) > 1 && arg[0] == '-' && '0' <= arg[1] && arg[1] <= '9' })
	if i < 1 || args[i-1] != "jump" && args[i-1] != "offset" {
		return args
	}
	return slices.Concat(args[:i], args[i+1:], []string{"--", args[i]})
}

// newRoot is the program's command, with those below it where they are wanted.
func newRoot(commands bool) *cobra.Command {
	o := new(options)
	root := &cobra.Command{
		Use:   "ttlchat",
		Short: "Watch an Agora Chat token live and die",
		Long: `A terminal chat client that shows the life of an Agora Chat token (log in, will expire, expired, renew or log in again), with an emulator of the Agora Chat service built in.

Without flags everything runs here: no account is needed, nothing leaves this machine. Each flag can be set in the environment too, as TTLCHAT_ and its name in capitals with _ for -; the credentials are AGORA_APP_ID and AGORA_APP_CERTIFICATE.`,
		Example: `
# the screen, with the emulator inside and a token that lives 30 seconds
ttlchat

# the same session without a screen, one JSON object a line
ttlchat --headless --ttl 10s --for 12s --on-will-expire ignore </dev/null

# a token server of your own, the emulator for the rest
ttlchat --token-url https://example.test/generate-user-token \
  --app-id ID --app-certificate CERTIFICATE

# the emulator alone, for an app under test
ttlchat serve`,
		Args: words(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.readProperties(cmd.Flags()); err != nil {
				return err
			}
			return runClient(cmd.Context(), o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.emulatorFlags(root.Flags())
	o.clientFlags(root.Flags())
	if commands {
		root.AddCommand(newServe(o), newControl(), newUsers(o), newTokenCommand(o), newDoctor(o), newRun(o), newPlay(o), newRecord(o))
	}
	completeWords(root, map[string][]string{
		"profile": chat.ProfileNames(), "theme": themeNames(), "app": behaviourNames(), "on-will-expire": {"renew", "ignore", "ask"}, "on-expired": {"relogin", "renew", "ignore"},
		"over-24h": over24hWords, "expired-status": expiredStatusWords, "enforce-expiry": enforceWords, "token-preset": tokenclient.Presets(),
	})
	return root
}

// completeWords lets the shell complete the values of flags that take one of a few words.
func completeWords(cmd *cobra.Command, words map[string][]string) {
	for flag, values := range words {
		if cmd.Flags().Lookup(flag) != nil {
			// It fails only for a flag that does not exist or has a function already.
			_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

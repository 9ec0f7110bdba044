package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/judge"
)

// tokenInspect are the flags of token inspect.
type tokenInspect struct {
	*options
	user, channel, service string
	asJSON                 bool
}

// newTokenInspect reads tokens and judges them.
func newTokenInspect(o *options) *cobra.Command {
	i := &tokenInspect{options: o}
	cmd := &cobra.Command{
		Use:   "inspect [TOKEN|-]",
		Short: "Read any Agora token and say whether it would log in, and if not why",
		Long: `Read a token of kind 006 or 007, of any service, say what each field means and when the token ends, and judge it. Whatever is known of what it should be is compared: the project with --app-id, the signature with --app-certificate (a 006 token needs --channel and --user for that), the user, the channel and the service. A token that was damaged, wrapped or mistaken for another kind is recognized.

Without TOKEN, or with -, tokens are read from standard input, one a line; that keeps them out of the shell's history and of the list of processes. The whole token is never printed. A token server's whole answer, in JSON, is one text on however many lines: the token in it is read, and the verdict is that the answer as it is would not work.

The exit code is 0 when every token would work as far as is known, 1 when one would not (it is expired, for somebody else, in quotes, in JSON, …), 2 when one cannot be read at all.`,
		Example: `
pbpaste | ttlchat token inspect
ttlchat token inspect --user alice --service chat - <token.txt
ttlchat token user --user alice --expire 600 | ttlchat token inspect --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s reads one token, or - for standard input", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := i.check(); err != nil {
				return err
			}
			text := "-"
			if len(args) == 1 {
				text = args[0]
			}
			return i.run(cmd.Context(), text, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	i.credentialFlags(f, judgeWithout)
	f.StringVar(&i.user, "user", "", "name of the user who is to log in, or the uid for rtc")
	f.StringVar(&i.channel, "channel", "", "name of the channel to join, for rtc")
	f.StringVar(&i.service, "service", "", "service to log in to: chat, rtc or rtm")
	f.BoolVar(&i.asJSON, "json", false, "print one JSON object a line, one for each token")
	completeWords(cmd, map[string][]string{"service": {judge.Chat, judge.RTC, judge.RTM}})
	return cmd
}

func (i *tokenInspect) check() error {
	switch i.service {
	case "", judge.Chat, judge.RTC, judge.RTM:
	default:
		return usage("%s: want chat, rtc or rtm", setting("service"))
	}
	placeholder := strings.Repeat("0", 32)
	id, certificate := orElse(i.appID, placeholder), orElse(i.appCertificate, placeholder)
	if err := (agoratoken.Credentials{AppID: id, Certificate: agoratoken.Certificate(certificate)}).Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

// errUnreadable ends an inspection with a code of its own.
var errUnreadable = errors.New("cannot be read")

// inspected is what token inspect --json prints. The names are a contract.
type inspected struct {
	Works bool `json:"would_work"`
	judge.Verdict
}

func (i *tokenInspect) run(ctx context.Context, text string, stdin io.Reader, stdout, stderr io.Writer) error {
	var all, failed, unreadable int
	reason := ""
	inspect := func(text string) error {
		now := time.Now()
		v := judge.Judge(text, judge.Expectation{
			AppID: i.appID, Certificate: agoratoken.Certificate(i.appCertificate), User: i.user, Channel: i.channel, Service: i.service, Now: now,
		})
		all++
		if !v.WouldWork() {
			failed++
			reason = firstReason(v)
		}
		if v.Token == nil {
			unreadable++
		}
		if i.asJSON {
			return writeJSON(stdout, inspected{v.WouldWork(), v})
		}
		if all > 1 {
			if _, err := fmt.Fprintln(stdout); err != nil {
				return err
			}
		}
		return writeVerdict(stdout, v, now)
	}
	if text != "-" {
		if err := inspect(text); err != nil {
			return err
		}
	} else {
		if f, ok := stdin.(*os.File); ok && isTerminal(f) {
			_, _ = fmt.Fprintln(stderr, "ttlchat: paste the token, then Enter and Ctrl+D")
		}
		if err := eachToken(ctx, stdin, inspect); err != nil {
			return err
		}
	}
	switch {
	case unreadable > 0 && all > 1:
		return fmt.Errorf("%d of %d tokens would not work, %d of them %w", failed, all, unreadable, errUnreadable)
	case unreadable > 0:
		return fmt.Errorf("%s; it %w", reason, errUnreadable)
	case failed > 0 && all > 1:
		return fmt.Errorf("%d of %d tokens would not work", failed, all)
	case failed > 0:
		return errors.New(reason)
	}
	return nil
}

// eachToken calls do for every line, without what ends it, or once for a JSON text of many lines. No input at all is one empty token.
// Lines longer than maxLine are cut, which leaves them far too long for a token.
func eachToken(ctx context.Context, stdin io.Reader, do func(text string) error) error {
	in := bufio.NewReaderSize(readerUntil{ctx, stdin}, maxLine)
	begin, err := in.Peek(maxLine)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	whole := bytes.TrimSpace(begin)
	if len(begin) == 0 || json.Valid(whole) && bytes.ContainsAny(whole[:1], "{[") {
		return do(string(whole))
	}
	for {
		line, err := in.ReadSlice('\n')
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil && len(line) == 0 {
			return nil
		}
		if failed := do(text); failed != nil {
			return failed
		}
	}
}

// readerUntil reads until ctx ends.
type readerUntil struct {
	ctx context.Context //nolint:containedctx // a reader has no place for it in its calls
	in  io.Reader
}

func (r readerUntil) Read(p []byte) (int, error) {
	b, err := unlessEnded(r.ctx, func() ([]byte, error) {
		b := make([]byte, len(p)) // p is not ours any more when the read was given up
		n, err := r.in.Read(b)
		return b[:n], err
	})
	return copy(p, b), err
}

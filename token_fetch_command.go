package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/judge"
	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// serveTokenAddress is where serve has its token server unless it is told otherwise.
const serveTokenAddress = "http://127.0.0.1:8080" //nolint:gosec // an address, no token

// tokenFetch are the flags of token fetch.
type tokenFetch struct {
	*options
	user, url   string
	ttl         time.Duration
	shape       shapeFlags
	asJSON, raw bool
}

// newTokenFetchCommand asks a token server for one token and shows what happens.
func newTokenFetchCommand(o *options) *cobra.Command {
	f := &tokenFetch{options: o}
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Ask a token server for a user token and judge it",
		Long: `Ask a token server for a user token, as the client app would, and show the request, the answer and what the token is worth. Secrets are hidden and tokens shortened. With --app-id and --app-certificate the token's project and its signature are checked too.

The exit code is 0 for a token that would log in, 1 for anything else, 2 for a mistake in the flags.`,
		Example: `
# the token server of a running ttlchat serve
ttlchat token fetch --user alice --ttl 10m

# as the Flutter sample would ask the Go sample
ttlchat token fetch --token-preset flutter \
  --token-url http://127.0.0.1:8080/generate-user-token

# a server that wants a key, described by a file
ACME_KEY=… ttlchat token fetch --token-url https://acme.test \
  --token-shape acme.json --token-header 'Authorization=Bearer env:ACME_KEY'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	f.credentialFlags(flags, judgeWithout)
	flags.StringVar(&f.user, "user", "alice", "user to get a token for")
	flags.DurationVar(&f.ttl, "ttl", time.Hour, "lifetime to ask for, such as 30s or 24h")
	flags.StringVar(&f.url, "token-url", serveTokenAddress, "token server: address to ask, {user} and {expire} in it are filled in; a host alone gets the preset's path")
	f.shape.register(flags, tokenclient.Presets())
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	flags.BoolVar(&f.raw, "raw", false, "print the whole token and nothing else")
	completeWords(cmd, map[string][]string{"token-preset": tokenclient.Presets()})
	return cmd
}

// fetched is what token fetch --json prints. The names are a contract.
type fetched struct {
	Preset   string           `json:"preset"`
	Request  fetchedRequest   `json:"request"`
	Response *fetchedResponse `json:"response,omitempty"`
	// StatedExpiry is what the server says beside the token.
	StatedExpiry string         `json:"stated_expiry,omitempty"`
	Verdict      *judge.Verdict `json:"verdict,omitempty"`
	Usable       bool           `json:"usable"`
	ErrorKind    string         `json:"error_kind,omitempty"`
	Error        string         `json:"error,omitempty"`
}

type fetchedRequest struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body,omitempty"`
}

type fetchedResponse struct {
	Status     int         `json:"status"`
	Headers    http.Header `json:"headers"`
	Body       string      `json:"body,omitempty"`
	Bytes      int         `json:"bytes"`
	DurationMS int64       `json:"duration_ms"`
}

// errUnusable is the exit code of a token that was fetched and would not log in; the reasons have been printed.
var errUnusable = errors.New("this token would not log in")

func (f *tokenFetch) run(ctx context.Context, stdout io.Writer) error {
	client, shape, err := f.client()
	if err != nil {
		return err
	}
	defer client.Close()
	x, failed := client.Exchange(ctx, tokenclient.Request{User: f.user, Lifetime: f.ttl})
	if e, ok := errors.AsType[*tokenclient.Error](failed); ok && e.Kind == tokenclient.KindBadConfig {
		return usageError{failed}
	}
	report, now := describe(shape, x, failed), time.Now()
	if failed == nil {
		verdict := judge.Judge(x.Token.Reveal(), judge.Expectation{
			AppID: f.appID, Certificate: agoratoken.Certificate(f.appCertificate), User: f.user, Service: judge.Chat, Now: now,
		})
		compareStated(&verdict, x.StatedExpiry)
		report.Verdict, report.Usable = &verdict, verdict.WouldWork()
		if !report.Usable {
			failed = errUnusable
		}
	}
	switch {
	case f.raw:
		if err = writeToken(stdout, x.Token); err != nil && failed == nil {
			failed = err
		}
		if errors.Is(failed, errUnusable) {
			failed = errors.New(firstReason(*report.Verdict))
		}
	case f.asJSON:
		err = writeJSON(stdout, report)
	default:
		err = report.write(stdout, now)
	}
	if err != nil {
		return err
	}
	return failed
}

// compareStated warns when what the server says beside the token is not what the token says.
func compareStated(v *judge.Verdict, stated time.Time) {
	if v.Token == nil {
		return
	}
	if d := tokenclient.StatedOff(stated, v.Token.ExpiresAt).Abs(); d > 0 {
		v.Findings = append(v.Findings, judge.Finding{
			Code: "stated-end", Severity: judge.Warning, What: fmt.Sprintf("the server states an end that is %v from the token's own", d.Round(time.Second)),
			Fix: "check its units, seconds or milliseconds",
		})
	}
}

// client returns a client of the token server; whatever is wrong with it is a mistake in the flags.
func (f *tokenFetch) client() (*tokenclient.Client, tokenclient.Shape, error) {
	shape, password, err := f.shape.load(tokenclient.Preset, tokenclient.Presets())
	if err != nil {
		return nil, shape, err
	}
	if f.user == "" || len(f.user) > 255 {
		return nil, shape, usage("%s: want 1 to 255 bytes", setting("user"))
	}
	if err := checkLifetime(f.ttl); err != nil {
		return nil, shape, usage("%s: %w", setting("ttl"), err)
	}
	if f.asJSON && f.raw {
		return nil, shape, usage("--json and --raw exclude each other; leave one out")
	}
	client, err := tokenclient.New(tokenclient.Config{URL: f.url, Shape: shape, Password: password})
	if err != nil {
		return nil, shape, usageError{err}
	}
	return client, shape, nil
}

func describe(shape tokenclient.Shape, x tokenclient.Exchange, failed error) fetched {
	report := fetched{
		Preset:       printable.Line(shape.Name, 64),
		Request:      fetchedRequest{Method: x.Method, URL: x.URL, Headers: shortened(x.RequestHeader), Body: x.RequestBody},
		StatedExpiry: stamp(x.StatedExpiry),
	}
	if x.Status != 0 {
		report.Response = &fetchedResponse{
			Status: x.Status, Headers: shortened(x.Header), Body: x.Body, Bytes: x.Size, DurationMS: x.Duration.Milliseconds(),
		}
	}
	if e, ok := errors.AsType[*tokenclient.Error](failed); ok {
		report.ErrorKind, report.Error = string(e.Kind), e.Detail
	}
	return report
}

// longestHeader is how many characters of a header's value are printed.
const longestHeader = 512

// shortened are headers of which nothing is too long to be read.
func shortened(header http.Header) http.Header {
	short := header.Clone()
	for _, values := range short {
		for i := range values {
			values[i] = printable.Line(values[i], longestHeader)
		}
	}
	return short
}

// write prints the report for a person. What failed is left to the error.
func (r fetched) write(w io.Writer, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Request.Method, r.Request.URL)
	writeMessage(&b, r.Request.Headers, r.Request.Body)
	if r.Response != nil {
		fmt.Fprintf(&b, "\n%d %s, %d bytes after %d ms\n", r.Response.Status, http.StatusText(r.Response.Status), r.Response.Bytes, r.Response.DurationMS)
		writeMessage(&b, r.Response.Headers, r.Response.Body)
	}
	if r.Verdict != nil {
		b.WriteString("\n")
	}
	if r.StatedExpiry != "" {
		fmt.Fprintf(&b, "%-10s %s\n", "stated end", r.StatedExpiry)
	}
	if _, err := io.WriteString(w, b.String()); err != nil || r.Verdict == nil {
		return err
	}
	return writeVerdict(w, *r.Verdict, now)
}

func writeMessage(b *strings.Builder, header http.Header, body string) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		fmt.Fprintf(b, "  %s: %s\n", name, strings.Join(header[name], ", "))
	}
	for line := range strings.Lines(body) {
		fmt.Fprintf(b, "  | %s\n", strings.TrimSuffix(line, "\n"))
	}
}

// bareToken is what may go to a terminal as it is: every kind of token consists of these.
var bareToken = pattern.New(`^[0-9A-Za-z+/=_.-]+$`)

func writeToken(w io.Writer, token tokenclient.Secret) error {
	if token == "" {
		return nil
	}
	if !bareToken().MatchString(token.Reveal()) {
		return errors.New("what the server calls a token has characters that no token has; look at it without --raw")
	}
	_, err := fmt.Fprintln(w, token.Reveal())
	return err
}

// firstReason is the gravest finding, as an error's text.
func firstReason(v judge.Verdict) string {
	for _, f := range v.Findings {
		if f.Severity == judge.Fatal {
			return strings.TrimSuffix("this token would not log in: "+f.What+"; "+f.Fix, "; ")
		}
	}
	return errUnusable.Error()
}

// Package control is the client of the emulator's control API (fakeserver/openapi.json): what can be done to a running emulator from
// outside, with the same types as from inside.
package control

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// DefaultURL is the control API of `ttlchat serve` on its usual port.
const DefaultURL = "http://127.0.0.1:8081" + fakeserver.ControlPath

// maxAnswer bounds an answer in bytes.
const maxAnswer = 16 << 20

// Client calls the control API. It is safe for concurrent use.
type Client struct {
	// URL ends in /_ctl/v1; empty means [DefaultURL].
	URL string
	// Token is the emulator's --control-token, where it has one.
	Token string
	// HTTP makes the calls; nil means [http.DefaultClient]. It needs no time limit of its own.
	HTTP *http.Client
}

// patience is how long an answer may take, beside what the call itself is to wait for. A stream may be silent for thrice its heartbeat.
const (
	patience      = 20 * time.Second
	streamSilence = 3 * fakeserver.StreamHeartbeat
)

// silence is the cause of a call's end when nothing came for too long.
type silence struct{ time.Duration }

func (s silence) Error() string { return fmt.Sprintf("it has said nothing for %v", s.Duration) }

// Health asks whether the emulator answers.
func (c *Client) Health(ctx context.Context) (fakeserver.Health, error) {
	return call[fakeserver.Health](ctx, c, http.MethodGet, "/health", nil)
}

// State returns what the emulator knows.
func (c *Client) State(ctx context.Context) (fakeserver.State, error) {
	return call[fakeserver.State](ctx, c, http.MethodGet, "/state", nil)
}

// Reset makes the emulator what it was after its start, and returns its state.
func (c *Client) Reset(ctx context.Context) (fakeserver.State, error) {
	return call[fakeserver.State](ctx, c, http.MethodPost, "/reset", nil)
}

// Clock returns the emulator's time.
func (c *Client) Clock(ctx context.Context) (fakeserver.ClockState, error) {
	return call[fakeserver.ClockState](ctx, c, http.MethodGet, "/clock", nil)
}

// ChangeClock sets, jumps, stops or releases the emulator's clock, and returns its time.
func (c *Client) ChangeClock(ctx context.Context, change fakeserver.ClockChange) (fakeserver.ClockState, error) {
	return call[fakeserver.ClockState](ctx, c, http.MethodPut, "/clock", change)
}

// Faults lists the faults.
func (c *Client) Faults(ctx context.Context) ([]fakeserver.FaultStatus, error) {
	list, err := call[fakeserver.FaultList](ctx, c, http.MethodGet, "/faults", nil)
	return list.Faults, err
}

// AddFault makes something go wrong, and returns the fault with its ID.
func (c *Client) AddFault(ctx context.Context, f fakeserver.Fault) (fakeserver.FaultStatus, error) {
	return call[fakeserver.FaultStatus](ctx, c, http.MethodPost, "/faults", f)
}

// ClearFault lifts one fault.
func (c *Client) ClearFault(ctx context.Context, id string) error {
	_, err := call[fakeserver.Cleared](ctx, c, http.MethodDelete, "/faults/"+url.PathEscape(id), nil)
	return err
}

// ClearFaults lifts all faults, and returns how many those were.
func (c *Client) ClearFaults(ctx context.Context) (int, error) {
	answer, err := call[fakeserver.Cleared](ctx, c, http.MethodDelete, "/faults", nil)
	return answer.Cleared, err
}

// FaultKinds lists the kinds of faults that this emulator knows.
func (c *Client) FaultKinds(ctx context.Context) ([]fakeserver.FaultKind, error) {
	list, err := call[fakeserver.FaultKindList](ctx, c, http.MethodGet, "/fault-kinds", nil)
	return list.Kinds, err
}

// Trigger makes an event of [fakeserver.TriggerEvents] happen now.
func (c *Client) Trigger(ctx context.Context, event string, t fakeserver.TriggerRequest) (fakeserver.Triggered, error) {
	return call[fakeserver.Triggered](ctx, c, http.MethodPost, "/trigger/"+url.PathEscape(event), t)
}

// Journal returns entries of the journal, perhaps after waiting for one.
func (c *Client) Journal(ctx context.Context, q fakeserver.JournalQuery) (fakeserver.JournalPage, error) {
	wait := time.Duration(0)
	if q.Wait != "" {
		wait = cmp.Or(q.Timeout, fakeserver.DefaultJournalWait)
	}
	return callWithin[fakeserver.JournalPage](ctx, c, wait+patience, http.MethodGet, "/journal?"+q.Values().Encode(), nil)
}

// call makes one call and reads its answer. Errors of the API are *[fakeserver.ControlError].
func call[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	return callWithin[T](ctx, c, patience, method, path, body)
}

func callWithin[T any](ctx context.Context, c *Client, limit time.Duration, method, path string, body any) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, silence{limit})
	defer cancel()
	var answer T
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer, c.brokeOff(ctx, "answer", err)
	case len(b) > maxAnswer:
		return answer, fmt.Errorf("the answer of %s is longer than %d bytes", c.shown(), maxAnswer)
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return answer, notTheAPI(c.shown())
	}
	return answer, nil
}

func (c *Client) address() string {
	if c.URL == "" {
		return DefaultURL
	}
	return strings.TrimRight(c.URL, "/")
}

// shown is the address as it may be shown.
func (c *Client) shown() string { return printable.Line(printable.Address(c.address()), 300) }

// do makes one call; the answer has status 200.
func (c *Client) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.address()+path, sent)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		if quiet, ok := errors.AsType[silence](context.Cause(ctx)); ok {
			return nil, fmt.Errorf("something listens at %s, and %w; is it `ttlchat serve`?", c.shown(), quiet)
		}
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, fmt.Errorf("the certificate of %s is not trusted: %s; set SSL_CERT_FILE to a file with it, in PEM", c.shown(), printable.Cause(err))
		}
		if wrapped, ok := errors.AsType[*url.Error](err); ok && ctx.Err() == nil {
			return nil, fmt.Errorf("no emulator answers at %s: %w; is `ttlchat serve` running?", c.shown(), wrapped.Err)
		}
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, apiError(c.shown(), resp)
	}
	return resp, nil
}

// brokeOff says why an answer or a stream ended too soon.
func (c *Client) brokeOff(ctx context.Context, what string, err error) error {
	if quiet, ok := errors.AsType[silence](context.Cause(ctx)); ok {
		err = quiet
	}
	return fmt.Errorf("the %s of %s broke off: %w", what, c.shown(), err)
}

// apiError reads the error that an answer holds.
func apiError(address string, resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if bytes.Contains(b, []byte("HTTP request to an HTTPS server")) { // net/http's own words
		return fmt.Errorf("what answers at %s speaks TLS; its address begins with https", address)
	}
	e := &fakeserver.ControlError{Status: resp.StatusCode}
	if err != nil || json.Unmarshal(b, e) != nil || e.Message == "" {
		return fmt.Errorf("%w (status %d)", notTheAPI(address), resp.StatusCode)
	}
	e.Message = printable.Line(e.Message, 2000)
	return e
}

func notTheAPI(address string) error {
	return fmt.Errorf("what answers at %s is no control API of ttlchat; its address ends in %s", address, fakeserver.ControlPath)
}

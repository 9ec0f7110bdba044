package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

const (
	// restTimeout is the Web SDK's patience with a REST call (protocol.md a.1).
	restTimeout = 15 * time.Second
	// maxAnswer bounds an answer's body.
	maxAnswer = 64 << 10
)

// rest makes the two calls that a token needs.
type rest struct {
	base     string // without org, app and a trailing slash
	org, app string
	client   *http.Client
	now      func() time.Time
	// learn gets what each answer says about the service's clock.
	learn func(reading)
}

// exchange trades a 007 token for a Chat token (token-lifecycle.md section 3).
func (r rest) exchange(ctx context.Context, phase Phase, p Profile, token string) (credential string, expires time.Time, err *Error) {
	var answer struct {
		AccessToken     string `json:"access_token"`
		ExpireTimestamp *int64 `json:"expire_timestamp"` // Unix ms
	}
	if err := r.call(ctx, phase, p, http.MethodPost, "token", token, []byte(`{"grant_type":"agora"}`), &answer); err != nil {
		return "", time.Time{}, err
	}
	if answer.AccessToken == "" || answer.ExpireTimestamp == nil {
		return "", time.Time{}, &Error{
			Phase: PhaseProtocol, Kind: KindProtocol, Code: ServerUnknownError,
			Reason: "the service answered the token exchange without access_token or expire_timestamp",
		}
	}
	return answer.AccessToken, instant(*answer.ExpireTimestamp), nil
}

// instant reads a Unix time in ms; 0 is no end at all, as Easemob's permanent tokens have it (token-lifecycle.md section 3).
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// expires asks when a new token ends, which is the Web SDK's renewal (protocol.md d.4).
func (r rest) expires(ctx context.Context, p Profile, user, token string) (time.Time, *Error) {
	var answer struct {
		ExpireTimestamp *int64 `json:"expire_timestamp"` // Unix ms
	}
	path := "sdk/users/" + url.PathEscape(user) + "/token/expires"
	if err := r.call(ctx, PhaseRenew, p, http.MethodGet, path, token, nil, &answer); err != nil {
		if err.Kind == KindInvalid || err.Kind == KindExpired {
			err.Code = WebRenewUnauthorized
		}
		return time.Time{}, err
	}
	if answer.ExpireTimestamp == nil {
		return time.Time{}, &Error{
			Phase: PhaseProtocol, Kind: KindProtocol, Code: ServerUnknownError, Reason: "the service answered the renewal without expire_timestamp",
		}
	}
	return instant(*answer.ExpireTimestamp), nil
}

func (r rest) call(ctx context.Context, phase Phase, p Profile, method, path, token string, body []byte, into any) *Error {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	target := fmt.Sprintf("%s/%s/%s/%s", r.base, url.PathEscape(r.org), url.PathEscape(r.app), path)
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return &Error{Phase: phase, Kind: KindProtocol, Reason: "the REST address is no address: " + shown(r.base), Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	asked := r.now()
	resp, err := r.client.Do(req)
	if err != nil {
		return r.unreachable(phase, err)
	}
	defer resp.Body.Close()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil && resp.Header.Get("Age") == "" { // the Date of a cache is old
		r.learn(reading{asked: asked, heard: r.now(), from: date, to: date.Add(time.Second)})
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return r.unreachable(phase, err)
	}
	if resp.StatusCode != http.StatusOK {
		return r.refusal(phase, p, resp.StatusCode, answer)
	}
	if len(answer) > maxAnswer || json.Unmarshal(answer, into) != nil {
		return &Error{
			Phase: PhaseProtocol, Kind: KindProtocol, Code: ServerUnknownError,
			Reason: "the service at " + shown(r.base) + " did not answer with the JSON of the chat REST API",
		}
	}
	return nil
}

func (r rest) unreachable(phase Phase, err error) *Error {
	where := shown(r.base)
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Phase: phase, Kind: KindCanceled, Code: NotLoggedIn, Reason: "the call was canceled", Err: err}
	case isTimeout(err):
		return &Error{Phase: phase, Kind: KindTimeout, Code: ServerTimeout, Reason: "the REST service at " + where + " does not answer", Err: err}
	}
	return &Error{
		Phase: phase, Kind: KindUnreachable, Code: ServerNotReachable, Err: err,
		Reason: "the REST service at " + where + " cannot be reached: " + printable.Cause(err),
	}
}

// refusal reads the service's error body (token-lifecycle.md section 3). The "(OAuth)" sentence says nothing about the cause.
func (r rest) refusal(phase Phase, p Profile, status int, body []byte) *Error {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &answer) // what is not the service's error body has no description
	description := printable.Discreet(answer.Description, 200)
	if description == "" {
		description = "no reason given"
	}
	e := &Error{Phase: phase, Kind: KindRefused, Code: ServerUnknownError, Reason: fmt.Sprintf("the service answered HTTP %d: %s", status, description)}
	switch {
	case status == http.StatusUnauthorized && strings.Contains(answer.Description, "expired"):
		e.Kind, e.Code = KindExpired, p.ExpiredCode
	case status == http.StatusUnauthorized:
		e.Kind, e.Code = KindInvalid, p.InvalidCode
		e.Reason += checkToken
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError || status == http.StatusRequestTimeout:
		e.Kind = KindBusy
	case status == http.StatusNotFound && answer.Error == "organization_application_not_found":
		e.Reason += "; check --app-key"
	}
	return e
}

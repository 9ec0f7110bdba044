package appclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Phase is where a call failed.
type Phase string

// The phases of [Error].
const (
	PhaseConfig   Phase = "config"   // the configuration cannot work
	PhaseFetch    Phase = "fetch"    // getting the app token
	PhaseExchange Phase = "exchange" // trading it for a Chat token
	PhaseCall     Phase = "call"     // the call itself
)

// Error says why a call failed. Its text is for a person, names the next step, and is safe to show.
type Error struct {
	Phase  Phase
	Status int    // the HTTP status of the service; 0 when it did not answer
	Code   string // the service's own word for it, such as service_resource_not_found; may be empty
	Detail string
	Err    error // the cause, if there is one
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// The service's words (token-lifecycle.md section 3).
const (
	codeExpired     = "unauthorized"          // an expired token, or none
	codeBadToken    = "auth_bad_access_token" //nolint:gosec // a word of the service, no token
	codeNoApp       = "organization_application_not_found"
	codeNoResource  = "service_resource_not_found"
	codeUserExists  = "duplicate_unique_property_exists"
	codeIllegal     = "illegal_argument"
	codeRate        = "reach_limit"
	codePlanExceeds = "resource_limited"
)

func (e *Error) expired() bool {
	return e.Phase == PhaseCall && e.Status == http.StatusUnauthorized && e.Code == codeExpired
}

func asError(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// unanswered explains an exchange that broke.
func unanswered(phase Phase, host string, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	host = show(printable.Address(host))
	e := &Error{Phase: phase, Err: err}
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		e.Detail = "the call was canceled; try again when needed"
	case errors.Is(err, context.DeadlineExceeded) || isNet && netErr.Timeout():
		e.Detail = host + " gave no complete answer in time; check that it runs and is not overloaded"
	default:
		e.Detail = fmt.Sprintf("%s cannot be reached (%s); check the address and that the service runs", host, show(err.Error()))
	}
	return e
}

// refused explains an answer that is not 2xx.
func refused(phase Phase, response *http.Response, body []byte, token chatToken) error {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	parsed := json.Unmarshal(body, &said) == nil && said.Error != ""
	e := &Error{Phase: phase, Status: response.StatusCode, Code: show(said.Error)}
	e.Detail = fmt.Sprintf("the service answers %d", e.Status)
	switch {
	case !parsed:
		e.Detail += " without its usual error body; check the REST address"
		return e
	case said.Description != "":
		e.Detail += " and says: " + show(said.Description)
	default:
		e.Detail += " and says: " + e.Code
	}
	e.Detail += "; " + e.next(response.Header.Get("Retry-After"), token)
	return e
}

// next is what a person can do about a refusal.
func (e *Error) next(retryAfter string, token chatToken) string {
	switch {
	case e.Status == http.StatusUnauthorized && token.user != nil:
		return fmt.Sprintf("the token server gave a user token (for %q), and this needs an app token: ask it at its address for app tokens, such as /generate-app-token",
			show(*token.user))
	case e.Code == codeBadToken:
		return "the app token is of another project or damaged: compare the App ID and the certificate of the token server with the app key's project"
	case e.Status == http.StatusUnauthorized:
		return "the app token is expired or not accepted: compare the clocks, and the token server's project with the app key's"
	case e.Code == codeNoApp:
		return "check the app key, org#app"
	case e.Code == codeNoResource:
		return "there is no such user"
	case e.Code == codeUserExists:
		return "the user exists already"
	case e.Code == codeIllegal:
		return "user names have 1 to 64 of a-z, 0-9, _ - . and passwords 1 to 64 bytes"
	case e.Code == codePlanExceeds:
		return "the project's plan allows no more"
	case e.Code == codeRate, e.Status == http.StatusTooManyRequests:
		if n, err := strconv.ParseUint(retryAfter, 10, 20); err == nil {
			return fmt.Sprintf("try again in %v", time.Duration(n)*time.Second)
		}
		return "try again a little later"
	case e.Status >= 500:
		return "the service is in trouble or limits the rate: try again later"
	}
	return "check the call and the address"
}

// show makes text from outside short and safe.
func show(s string) string { return printable.Discreet(s, 300) }

// name makes a name from outside short and safe. It is no secret, even where it looks like one: a UUID may begin like a token.
func name(s string) string { return printable.Line(s, 300) }

package fakeserver

import (
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// restError is the service's error body with its HTTP status (token-lifecycle.md section 3).
type restError struct {
	status      int
	Error       string `json:"error"`
	Exception   string `json:"exception"`
	Timestamp   int64  `json:"timestamp"`
	Duration    int64  `json:"duration"`
	Description string `json:"error_description"`
	// Code 40001 is what agora-chat 1.0.4 needs to settle a refused token (protocol-versions.md note 1).
	Code int `json:"error_code,omitempty"`
}

const (
	securityException = "EasemobSecurityException"
	notFoundException = "ServiceResourceNotFoundException"
	tokenErrorCode    = 40001
)

var (
	errOAuth = restError{
		status: 401, Error: "unauthorized", Exception: securityException, Description: "Unable to authenticate (OAuth)", Code: tokenErrorCode,
	}
	errExpiredToken = restError{
		status: 401, Error: "unauthorized", Exception: securityException,
		Description: "Unable to authenticate due to expired access token", Code: tokenErrorCode,
	}
	errCorruptToken = restError{
		status: 401, Error: "auth_bad_access_token", Exception: securityException,
		Description: "Unable to authenticate due to corrupt access token", Code: tokenErrorCode,
	}
	errForeignToken = restError{
		status: 401, Error: "auth_bad_access_token", Exception: securityException, Description: "Unable to authenticate", Code: tokenErrorCode,
	}
	errNotOpen = restError{
		status: 401, Error: "unauthorized", Exception: securityException,
		Description: "Registration is not open, please contact the app admin",
	}
	errNoSuchResource = restError{
		status: 404, Error: "service_resource_not_found", Exception: notFoundException, Description: "Service resource not found",
	}
	errJSON = restError{
		status: 400, Error: "json_parse", Exception: "JsonParseException", Description: "The request body is not the JSON that this call takes",
	}
	errBodyTooLarge = restError{
		status: 413, Error: "request_entity_too_large", Exception: "RequestEntityTooLargeException", Description: "The request body is too large",
	}
)

func errAppNotFound(org, app string) restError {
	name := printable.Line(org+"/"+app, 140)
	return restError{
		status: 404, Error: "organization_application_not_found", Exception: "OrganizationApplicationNotFoundException",
		Description: "Could not find application for " + name + " from URI: " + name,
	}
}

func errIllegal(description string) restError {
	return restError{status: 400, Error: "illegal_argument", Exception: "IllegalArgumentException", Description: description}
}

// errToken is how a REST call other than a renewal refuses a token. A missing one is answered like an expired one, as the service does.
func errToken(bad *authError) restError {
	switch bad.kind {
	case authMissing, authExpired:
		return errExpiredToken
	case authCorrupt:
		return errCorruptToken
	default:
		return errForeignToken
	}
}

func (c *call) fail(e restError) {
	e.Timestamp, e.Duration = c.srv.clock.Now().UnixMilli(), time.Since(c.start).Milliseconds()
	c.answer(e.status, e)
}

package fakeserver

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func statusFault(target FaultTarget) *faultKind {
	return &faultKind{
		FaultKind: FaultKind{target, "status", "an error status is the answer", append([]FaultParam{
			numberParam("status", 503, 200, 599, "the HTTP status"),
			textParam("body", "", "the body; what the service says with that status when empty"),
			textParam("content-type", "", "its content type; application/json for a body that begins with {, else text/plain, when empty"),
			durationParam("retry-after", 0, "what the header Retry-After says, in whole seconds; 0s leaves it out"),
		}, callParams()...)},
		answer: func(f *fault, w http.ResponseWriter, _ *http.Request) {
			status := f.values.number("status")
			body := cmp.Or(f.values["body"], usualError(target, status))
			kind := "text/plain; charset=utf-8"
			if strings.HasPrefix(body, "{") {
				kind = "application/json;charset=UTF-8"
			}
			w.Header().Set("Content-Type", cmp.Or(f.values["content-type"], kind))
			w.Header().Set("Cache-Control", "no-store")
			if d := f.values.duration("retry-after"); d > 0 {
				w.Header().Set("Retry-After", fmt.Sprint(int64((d+time.Second-1)/time.Second)))
				w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // the client may be gone; a status such as 204 has no body
		},
	}
}

// usualError is the body that goes with a status: the service's error envelope, or a token server's plain words.
func usualError(target FaultTarget, status int) string {
	if target == FaultTokenServer {
		return http.StatusText(status) + "\n"
	}
	e := restError{Error: "internal_server_error", Exception: "java.lang.RuntimeException", Description: http.StatusText(status)}
	switch status {
	case http.StatusUnauthorized:
		e = errOAuth
	case http.StatusTooManyRequests:
		e = errReachLimit
	case http.StatusNotFound:
		e = errNoSuchResource
	}
	e.Timestamp = time.Now().UnixMilli()
	body, err := json.Marshal(e)
	if err != nil {
		return "" // cannot happen: all fields are plain
	}
	return string(body)
}

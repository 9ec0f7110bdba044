package fakeserver

import (
	"bytes"
	"net/http"
	"slices"
)

// tokenServerFaults are the faults of the token server. What changes an answer works on the finished one, so it does not matter which shape
// the token server has.
func tokenServerFaults() []*faultKind {
	return slices.Concat(
		[]*faultKind{
			refuseFault(FaultTokenServer), statusFault(FaultTokenServer), delayFault(FaultTokenServer), hangFault(FaultTokenServer),
		},
		tokenBodyFaults(), tokenForgeries(), []*faultKind{sameTokenFault()},
	)
}

// restFaults are the faults of the REST calls. The exchange of tokens is path=token, the Web SDK's renewal path=sdk/users/*/token/expires.
func restFaults() []*faultKind {
	return []*faultKind{
		refuseFault(FaultREST), statusFault(FaultREST), delayFault(FaultREST), hangFault(FaultREST), restSecondsFault(),
	}
}

// spoilBody is a fault that changes the body of a finished answer, and perhaps its header.
func spoilBody(k FaultKind, change func(s *Server, f *fault, h http.Header, body []byte) []byte) *faultKind {
	k.Params = append(k.Params, callParams()...)
	return &faultKind{
		FaultKind: k,
		spoil: func(s *Server, f *fault, w http.ResponseWriter, r *http.Request, next http.Handler) {
			answer := &keptAnswer{header: make(http.Header), status: http.StatusOK}
			next.ServeHTTP(answer, r)
			body := change(s, f, answer.header, answer.body.Bytes())
			for name, values := range answer.header {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.status)
			_, _ = w.Write(body) // the client may be gone
		},
	}
}

// keptAnswer holds an answer back. Its size is bounded by what the handlers of this package write.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *keptAnswer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *keptAnswer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *keptAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }

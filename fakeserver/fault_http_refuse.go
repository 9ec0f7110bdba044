package fakeserver

import "net/http"

func refuseFault(target FaultTarget) *faultKind {
	return &faultKind{
		FaultKind: FaultKind{target, "refuse", "the connection is closed without an answer", callParams()},
		answer: func(*fault, http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler) // the one way to tell net/http to close the connection
		},
	}
}

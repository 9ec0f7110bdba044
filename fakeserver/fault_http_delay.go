package fakeserver

import (
	"cmp"
	"net/http"
	"time"
)

func delayFault(target FaultTarget) *faultKind {
	return &faultKind{
		FaultKind: FaultKind{target, "delay", "the answer comes late", append([]FaultParam{
			durationParam("delay", 4*time.Second, "how long the call waits before it is handled"),
		}, callParams()...)},
		spoil: func(_ *Server, f *fault, w http.ResponseWriter, r *http.Request, next http.Handler) {
			stay(w)
			if f.wait(r.Context().Done(), f.values.duration("delay")) {
				next.ServeHTTP(w, r)
			}
		},
	}
}

func hangFault(target FaultTarget) *faultKind {
	return &faultKind{
		FaultKind: FaultKind{target, "hang", "no answer comes; the connection stays open until the client leaves or the fault is cleared", append([]FaultParam{
			durationParam("for", 0, "close the connection after that time; 0s waits for ever"),
		}, callParams()...)},
		answer: func(f *fault, _ http.ResponseWriter, r *http.Request) {
			f.wait(r.Context().Done(), cmp.Or(f.values.duration("for"), endless))
			panic(http.ErrAbortHandler)
		},
	}
}

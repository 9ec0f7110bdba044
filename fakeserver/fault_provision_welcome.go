package fakeserver

import "time"

// welcomeFaults change the answer to a login that succeeds. Each is one assignment.
func welcomeFaults() []*faultKind {
	return []*faultKind{
		{
			FaultKind: FaultKind{FaultProvision, "no-status", "the answer has no status; the Web SDK waits for ever then", nil},
			welcome:   func(_ *fault, w *welcome) { w.reply.Status = nil },
		},
		{
			FaultKind: FaultKind{FaultProvision, "no-auth-token", "the answer has no auth_token, so no SDK hears of an expiry", nil},
			welcome:   func(_ *fault, w *welcome) { w.token = nil },
		},
		{
			FaultKind: FaultKind{FaultProvision, "relative-expiry", "expires_in has the seconds left where an instant in milliseconds belongs", nil},
			welcome: func(_ *fault, w *welcome) {
				w.expires(int64(w.grant.expiresAt.Sub(w.srv.Now()) / time.Second))
			},
		},
		{
			FaultKind: FaultKind{FaultProvision, "expiry", "the session ends at an instant of the fault's choice, whatever the token says", []FaultParam{
				{
					Name: "in", Type: "duration", Default: "1m0s", Meaning: "how far from now, by the emulator's clock; it may be negative",
					min: -int64(maxFaultWait), max: int64(maxFaultWait),
				},
			}},
			welcome: func(f *fault, w *welcome) {
				w.grant.expiresAt = w.srv.Now().Add(f.values.duration("in"))
				w.expires(w.grant.expiresAt.UnixMilli())
			},
		},
	}
}

// expires puts the field expires_in into the answer, unless a fault has taken away what it stands in.
func (w *welcome) expires(value int64) {
	if w.token != nil {
		w.token.ExpiresIn = value
	}
}

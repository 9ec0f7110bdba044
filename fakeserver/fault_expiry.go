package fakeserver

import (
	"github.com/ttlchat/ttlchat/internal/msync"
)

// Enforcement says what becomes of an open connection whose token has ended.
type Enforcement string

// By default nothing happens, because nothing shows that the service does anything (token-lifecycle.md section 0, fact 10).
const (
	EnforceNothing     Enforcement = "none"
	EnforceClose       Enforcement = "close"
	EnforceRefuseSends Enforcement = "refuse-sends"
)

// expiryFaults enforce the end of tokens on demand. Config.EnforceExpiry does the same for good.
func expiryFaults() []*faultKind {
	return []*faultKind{
		{FaultKind: FaultKind{FaultExpiry, string(EnforceClose), "a connection is closed when its token ends", nil}},
		{FaultKind: FaultKind{FaultExpiry, string(EnforceRefuseSends), "messages are refused with TOKEN_EXPIRED after the token has ended", nil}},
	}
}

// enforces reports whether an expiry is enforced in that way on this connection.
func (l *link) enforces(how Enforcement) bool {
	return l.srv.cfg.EnforceExpiry == how || l.srv.faults.asking.Load() && l.srv.faults.ask(question{
		target: FaultExpiry, user: l.userName(), session: l.id, fits: func(f *fault) bool { return f.Kind == string(how) },
	}) != nil
}

// expired does what is to be done when a connection's token ends. It never blocks; the schedule's mu is held.
func (l *link) expired() {
	if l.enforces(EnforceClose) {
		l.closeWith(closePolicy, "the token has expired")
	}
}

// sendAfterExpiry refuses a message when the token has ended and that is to count.
func (l *link) sendAfterExpiry(id uint64) fateOfSend {
	if l.srv.cfg.EnforceExpiry != EnforceRefuseSends && !l.srv.faults.asking.Load() {
		return sendAsUsual // without taking any lock
	}
	if l.srv.Now().Before(l.srv.schedule.grantOf(l).expiresAt) || !l.enforces(EnforceRefuseSends) {
		return sendAsUsual
	}
	l.refuse(id, msync.Status_TOKEN_EXPIRED, reasonExpired)
	return sendHandled
}

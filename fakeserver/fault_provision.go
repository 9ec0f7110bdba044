package fakeserver

import (
	"slices"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// provisionFaults are the faults of the login on a socket, and of every reconnect.
func provisionFaults() []*faultKind {
	return slices.Concat([]*faultKind{provisionStatusFault(), provisionSilenceFault(), provisionCloseFault()}, welcomeFaults())
}

// faultyLogin reports whether a fault has handled the provision of that user.
func (l *link) faultyLogin(user string) bool {
	user = printable.Line(user, 64)
	f := l.srv.faults.ask(question{
		target: FaultProvision, user: user, session: l.id, fits: func(f *fault) bool { return f.kind.login != nil },
	})
	if f != nil {
		f.kind.login(l, f, user)
	}
	return f != nil
}

// welcome is the answer to an accepted provision, before it is sent.
type welcome struct {
	srv   *Server
	grant *grant
	token *msync.AuthToken // what auth_token will hold; left out when it is nil
	reply *msync.Provision
}

// finish puts the token into the answer.
func (w *welcome) finish() error {
	if w.token == nil {
		return nil
	}
	var err error
	w.reply.AuthToken, err = msync.EncodeAuthToken(*w.token)
	return err
}

// faultyWelcome lets the faults change an answer.
func (l *link) faultyWelcome(user string, w *welcome) {
	for after := 0; ; {
		f := l.srv.faults.ask(question{
			target: FaultProvision, user: user, session: l.id, after: after, fits: func(f *fault) bool { return f.kind.welcome != nil },
		})
		if f == nil {
			return
		}
		f.kind.welcome(f, w)
		after = f.serial
	}
}

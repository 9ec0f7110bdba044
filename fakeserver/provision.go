package fakeserver

import (
	"fmt"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// The sentences by which the Web SDK tells refusals apart; it compares them to the letter (protocol.md d.5).
const (
	reasonExpired  = "Sorry, token expired"
	reasonMismatch = "Sorry, token or password does not match login info"
	reasonNoUser   = "Sorry, user not found"
)

// maxResource is how long the name of a device may be, in runes. It stands in journal entries as it is, so it is shorter than any token.
// SDKs adopt the name that the answer gives them.
const maxResource = 64

// refusal is a login that is turned away.
type refusal struct {
	status *msync.Status
	code   int    // the Web SDK's error type
	detail string // what really was wrong, for the journal
}

// provision is the login of a connection: one PROVISION with a token is answered with a status; a refused connection is closed, because
// the SDK hangs otherwise (protocol.md c and d.7).
func (l *link) provision(m *msync.MSync) {
	var p msync.Provision
	if err := msync.Payload(m, &p); err != nil {
		l.closeWith(closeInvalid, "not a provision payload")
		return
	}
	if l.user != nil {
		l.closeWith(closePolicy, "provisioned already")
		return
	}
	name := m.GetGuid().GetName()
	if l.faultyLogin(name) {
		return
	}
	credential := msync.Credential(m, &p)
	u, g, no := l.srv.admit(m, credential)
	if no != nil {
		l.srv.journal.add(&Entry{
			Name: SessionRefused, User: printable.Line(name, 64), Session: l.id, Code: no.code, Reason: no.detail,
			Token: printable.Token(credential),
		})
		l.push(msync.MSync_PROVISION, &msync.Provision{Status: no.status})
		l.closeWith(closeRefused, "login refused: "+no.detail)
		return
	}
	resource := p.GetResource()
	if resource == "" {
		resource = m.GetGuid().GetClientResource()
	}
	if resource == "" || printable.Line(resource, maxResource) != resource {
		resource = "ttlchat_" + l.id
	}
	reply := &msync.Provision{Status: okStatus(), Resource: &resource, DeviceUuid: p.DeviceUuid, SessionId: &l.id}
	w := &welcome{
		srv: l.srv, grant: &g, reply: reply, token: &msync.AuthToken{Token: credential, ExpiresIn: g.expiresAt.UnixMilli()},
	}
	l.faultyWelcome(u.name, w)
	if err := w.finish(); err != nil {
		l.closeWith(closeInvalid, "the token cannot be written back")
		return
	}
	// The answer goes out before the link is attached: from then on notices may be queued behind it.
	l.push(msync.MSync_PROVISION, reply)
	if !l.srv.hub.attach(l, u, resource, printable.Line(p.GetDeviceUuid(), 256), printable.Line(p.GetDeviceName(), 256)) {
		l.kick(msync.StatisticsBody_USER_REMOVED, "the account was deleted during the login")
		return
	}
	l.srv.schedule.arm(l, g)
	l.srv.journal.add(&Entry{
		Name: SessionOpened, User: u.name, Device: resource, Session: l.id, Token: g.short,
		ExpiresAt: g.expiresAt, WillExpireAt: g.willExpireAt(),
	})
}

// admit decides a login. It changes nothing but that a new user appears where registration is open.
func (s *Server) admit(m *msync.MSync, credential string) (*user, grant, *refusal) {
	wrong := func(format string, args ...any) *refusal {
		detail := fmt.Sprintf(format, args...)
		return &refusal{status(msync.Status_WRONG_PARAMETER, detail), -3, detail}
	}
	if key := m.GetGuid().GetAppKey(); key != "" && key != s.cfg.appKey() {
		return nil, grant{}, wrong("the app key %q is not served here, only %q", printable.Line(key, 64), s.cfg.appKey())
	}
	name := m.GetGuid().GetName()
	if !userName.MatchString(name) {
		return nil, grant{}, wrong("%q is no user id: 1 to 64 of a-z, 0-9, _ - .", printable.Line(name, 64))
	}
	g, bad := s.authenticate(credential)
	if bad != nil {
		if bad.kind == authExpired {
			no := &refusal{status(msync.Status_FAIL, reasonExpired), 56, bad.detail}
			if s.cfg.ExpiredStatus == ExpiredAsEnum {
				no.status, no.code = status(msync.Status_TOKEN_EXPIRED, reasonExpired), 2
			}
			return nil, grant{}, no
		}
		return nil, grant{}, &refusal{status(msync.Status_FAIL, reasonMismatch), 28, bad.detail}
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	mismatch := func(format string, args ...any) *refusal {
		return &refusal{status(msync.Status_FAIL, reasonMismatch), 28, fmt.Sprintf(format, args...)}
	}
	if g.app {
		return nil, grant{}, mismatch("an app token cannot log a user in")
	}
	known := s.hub.users[name]
	if g.identity != name && (known == nil || g.identity != known.uuid) {
		return nil, grant{}, mismatch("the token is for %q, not for %q", printable.Line(g.identity, 64), name)
	}
	u, err := s.hub.ensure(name)
	if err != nil {
		return nil, grant{}, &refusal{status(msync.Status_FAIL, reasonNoUser), 204, err.Error()}
	}
	if u.deactivated {
		return nil, grant{}, &refusal{status(msync.Status_IM_FORBIDDEN, "Sorry, user is deactivated"), 57, "the user is deactivated"}
	}
	return u, g, nil
}

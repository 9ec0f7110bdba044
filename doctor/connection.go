package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/tokenclient"
)

// renewCertificate is how many days before its end a certificate should have been replaced; one that lives for less than three times as long
// has its last third.
const renewCertificate = 14 * 24 * time.Hour

func (p *patient) reachable(ctx context.Context) finding {
	p.first = p.ask(ctx, p.cfg.User, p.cfg.Lifetime)
	p.limited = nil // it answers, and what it says is for the check of the status
	switch {
	case p.first.answered():
		return pass("it answers after %v", p.first.Duration.Round(time.Millisecond))
	case tlsTrouble(p.first.err):
		return pass("something is there; what it is, the next check tells")
	}
	return fail(p.first.complaint(), "No app gets a token: nobody can log in, and who is online loses the connection when the token ends.",
		sentence(p.first.advice()))
}

func tlsTrouble(err *tokenclient.Error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(tls.AlertError))
}

func (p *patient) tls(context.Context) finding {
	if !p.first.answered() {
		return p.tlsRefused()
	}
	state := p.first.TLS
	if state == nil {
		return p.unencrypted()
	}
	leaf := state.PeerCertificates[0]
	left := leaf.NotAfter.Sub(p.first.end)
	seen := fmt.Sprintf("%s, and the certificate is good for another %s", tls.VersionName(state.Version), days(left))
	if left < min(renewCertificate, leaf.NotAfter.Sub(leaf.NotBefore)/3) {
		return warn(seen, "When it ends no app gets a token any more, all at once.", "Renew the certificate now, and let it be renewed by a program.")
	}
	return pass("%s", seen)
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Hour).String()
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

func (p *patient) unencrypted() finding {
	u, err := url.Parse(p.first.URL)
	if err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		return pass("plain HTTP, which does not leave this machine")
	}
	return warn("plain HTTP to another machine",
		"Whoever listens on the way has the tokens and is the user for as long as they live; iOS and Android refuse such calls.",
		"Serve it over HTTPS.")
}

// tlsRefused explains a connection that ended with the handshake.
func (p *patient) tlsRefused() finding {
	const means = "No app gets a token: iOS, Android and browsers all refuse such a connection."
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch err := p.first.err; {
	case errors.Is(err, http.ErrSchemeMismatch):
		return fail("the server speaks plain HTTP at an https address", means, "Turn TLS on, or correct the address.")
	case errors.As(err, &name):
		return fail("the certificate is for another host: "+strings.Join(name.Certificate.DNSNames, ", "), means,
			"Get a certificate that names this host.")
	case errors.As(err, &unknown):
		return fail("nobody who is trusted here has signed the certificate", means,
			"Use a certificate of a public authority, and send its intermediate certificates along. To trust your own, set SSL_CERT_FILE.")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		from, to := invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly)
		return fail("the certificate is good from "+from+" to "+to+" alone", means, "Renew the certificate, and let it be renewed by a program.")
	}
	return fail(p.first.complaint(), means, "Look into the server's TLS configuration.")
}

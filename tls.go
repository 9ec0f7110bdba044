package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// transportSecurity is how serve speaks TLS: with a certificate from files, with one that it makes, or not at all.
type transportSecurity struct {
	certFile, keyFile string
	selfSigned        bool
}

// load returns the certificate, or nil when TLS is off, and for one that was made its PEM form, for clients to trust.
func (t transportSecurity) load() (certificate *tls.Certificate, madePEM string, err error) {
	switch {
	case t.selfSigned && (t.certFile != "" || t.keyFile != ""):
		return nil, "", usage("%s makes a certificate; leave out --tls-cert and --tls-key", setting("tls-self-signed"))
	case t.selfSigned:
		return selfSigned()
	case (t.certFile == "") != (t.keyFile == ""):
		return nil, "", usage("%s and %s go together", setting("tls-cert"), setting("tls-key"))
	case t.certFile != "":
		pair, err := tls.LoadX509KeyPair(t.certFile, t.keyFile)
		if err != nil {
			return nil, "", usage("%s and %s: %w", setting("tls-cert"), setting("tls-key"), err)
		}
		return &pair, "", nil
	}
	return nil, "", nil
}

// selfSigned makes a certificate for this machine's own names that lives a week and is kept nowhere. The bootstrap hosts of the SDKs are
// in it too, so that a browser that is told to find them here can use it.
func selfSigned() (*tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, "", err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "ttlchat emulator"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "ars.chat.agora.io", "rs.chat.agora.io", "rs.easemob.com"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, "", err
	}
	made := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(made), nil
}

// secure puts TLS on a listener, when there is a certificate.
func secure(l net.Listener, certificate *tls.Certificate) net.Listener {
	if certificate == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, // WebSocket needs HTTP/1.1
	})
}

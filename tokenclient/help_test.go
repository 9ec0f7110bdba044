package tokenclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// project is made up.
var project = agoratoken.Credentials{AppID: "970ca35de60c44645bbae8a215061b33", Certificate: "5cfd2fd1755d40ecb72977518be15d3b"}

// noon is when the tokens of these tests are looked at.
var noon = time.Unix(noonSecond, 0)

const noonSecond = 1_700_000_000

func userToken(t testing.TB, user string, expire uint32, at time.Time) string {
	t.Helper()
	text, err := agoratoken.BuildUser(project, user, expire, at)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// tokenOf builds a token of any service.
func tokenOf(t testing.TB, service accesstoken2.IService) string {
	t.Helper()
	token := accesstoken2.NewAccessToken(project.AppID, string(project.Certificate), 600)
	token.IssueTs = noonSecond
	token.AddService(service)
	text, err := token.Build()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkError holds for every error of this package: it has the wanted kind, and its text is short, safe and gives no token away.
func checkError(t testing.TB, err error, want Kind, token string) Error {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatal(err)
		}
		return Error{}
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != want {
		t.Fatalf("error %v, want kind %q", err, want)
	}
	text := e.Error()
	if strings.ContainsFunc(text, unicode.IsControl) || len(text) > 1600 || !strings.ContainsAny(text, ";,") {
		t.Errorf("%q is not fit for a person", text)
	}
	if token = strings.Trim(token, " \n\"'"); len(token) > 24 && strings.Contains(text, token[:24]) {
		t.Errorf("%q gives the token away", text)
	}
	return *e
}

// pipes is a listener and a network in one that works inside a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve runs a token server for the length of a test and returns the network that leads to it.
func serve(t *testing.T, handler http.HandlerFunc) *pipes {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	go func() { _ = server.Serve(p) }()
	t.Cleanup(func() { _ = server.Close() })
	return p
}

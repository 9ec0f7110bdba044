package doctor

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/pipenet"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// project and another are made up.
var (
	project = agoratoken.Credentials{AppID: "970ca35de60c44645bbae8a215061b33", Certificate: "5cfd2fd1755d40ecb72977518be15d3b"}
	another = agoratoken.Credentials{AppID: "11111111111111111111111111111111", Certificate: "22222222222222222222222222222222"}
)

// bubbleStart is where the clock of a synctest bubble begins.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// authority signs the certificates of these tests; the client trusts it as it trusts the system's.
var authority = newAuthority()

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate[0]})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"SSL_CERT_FILE": file, "SSL_CERT_DIR": dir} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func newAuthority() tls.Certificate {
	return sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, NotBefore: bubbleStart.AddDate(-1, 0, 0), NotAfter: bubbleStart.AddDate(100, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
}

// certificate is one for a host, signed by the authority or by nobody known.
func certificate(host string, from, to time.Time, by *tls.Certificate) tls.Certificate {
	return sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: from, NotAfter: to, KeyUsage: x509.KeyUsageDigitalSignature,
	}, by)
}

func sign(template *x509.Certificate, by *tls.Certificate) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template.SerialNumber = big.NewInt(1)
	parent, signer := template, any(key)
	if by != nil {
		signer = by.PrivateKey
		if parent, err = x509.ParseCertificate(by.Certificate[0]); err != nil {
			panic(err)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// call is one request that the server understands.
type call struct {
	n    int // counts those for the same user and the same life, from 1
	user string
	life uint32 // seconds
}

// tokenServer is a sound token server in the manner of the Go sample. Each of its parts can be replaced by a defect.
type tokenServer struct {
	// before sees every request; true means that it has answered.
	before func(w http.ResponseWriter, r *http.Request) bool
	// method accepts a method.
	method func(method string) bool
	// lost answers a request without a user; nil refuses it.
	lost func(w http.ResponseWriter)
	// token makes a token.
	token func(c call) string
	// write answers with a token.
	write func(w http.ResponseWriter, token string)

	inFlight atomic.Int32
	mu       sync.Mutex
	counts   map[call]int
}

func newTokenServer() *tokenServer {
	return &tokenServer{
		before: func(http.ResponseWriter, *http.Request) bool { return false },
		method: func(method string) bool { return method == http.MethodPost },
		token:  good,
		write:  func(w http.ResponseWriter, token string) { writeJSON(w, http.StatusOK, map[string]any{"token": token}) },
		counts: map[call]int{},
	}
}

func good(c call) string { return build(project, c.user, c.life, time.Now()) }

func build(by agoratoken.Credentials, user string, life uint32, at time.Time) string {
	token, err := agoratoken.BuildUser(by, user, life, at)
	if err != nil {
		panic(err)
	}
	return token
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// ServeHTTP implements http.Handler. The user and the life come in JSON, in a query or not at all, as the method wants it.
func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	if s.before(w, r) {
		return
	}
	if !s.method(r.Method) {
		writeJSON(w, http.StatusMethodNotAllowed, map[string]any{"error": "another method"})
		return
	}
	asked := struct {
		User string `json:"user_uuid"`
		Life uint32 `json:"expire"`
	}{User: r.URL.Query().Get("account"), Life: 3600}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &asked)
	if asked.User == "" {
		if s.lost != nil {
			s.lost(w)
			return
		}
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "who are you?"})
		return
	}
	c := call{user: asked.User, life: asked.Life}
	s.mu.Lock()
	s.counts[c]++
	c.n = s.counts[c]
	s.mu.Unlock()
	s.write(w, s.token(c))
}

// examineIn runs the doctor in a bubble against a handler that listens at an address of a network in memory.
func examineIn(t *testing.T, cfg Config, address string, with *tls.Certificate, handler http.Handler) Report {
	t.Helper()
	network := pipenet.New()
	listener := network.Listen(address)
	if with != nil {
		listener = tls.NewListener(unblocked{listener}, &tls.Config{Certificates: []tls.Certificate{*with}, MinVersion: tls.VersionTLS12})
	}
	serve(t, listener, handler)
	cfg.DialContext = network.DialContext
	report, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report)
	return report
}

// unblocked gives connections whose server never waits for the client to read: in a handshake that fails, both sides write at once.
type unblocked struct{ net.Listener }

// Accept implements net.Listener.
func (u unblocked) Accept() (net.Conn, error) {
	conn, err := u.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &queued{Conn: conn, queue: make(chan []byte, 64), done: make(chan struct{})}
	go c.drain()
	return c, nil
}

type queued struct {
	net.Conn
	queue chan []byte
	once  sync.Once
	done  chan struct{}
}

func (c *queued) drain() {
	for {
		select {
		case b := <-c.queue:
			_, _ = c.Conn.Write(b)
		case <-c.done:
			return
		}
	}
}

// Write implements net.Conn.
func (c *queued) Write(b []byte) (int, error) {
	select {
	case c.queue <- bytes.Clone(b):
		return len(b), nil
	case <-c.done:
		return 0, net.ErrClosed
	}
}

// Close implements net.Conn.
func (c *queued) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}

func serve(t *testing.T, listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with the server
	}()
	t.Cleanup(func() {
		_ = server.Shutdown(context.Background()) // waits for handlers that still sleep
		<-done
	})
}

// standard asks as the Go sample's clients do.
func standard(t *testing.T) Config {
	t.Helper()
	shape, ok := tokenclient.Preset("go")
	if !ok {
		t.Fatal("no preset go")
	}
	return Config{
		URL: "http://localhost/token", Shape: shape, AppID: project.AppID, Certificate: string(project.Certificate), User: "alice",
	}
}

// getShape asks with GET.
var getShape = tokenclient.Shape{
	Name: "get", Method: http.MethodGet, Query: "account={{query .User}}", Accept: tokenclient.AcceptJSON, TokenField: "token", ErrorField: "error",
}

// findings are the checks that did not pass and were not skipped.
func findings(r Report) map[string]Verdict {
	found := map[string]Verdict{}
	for _, c := range r.Checks {
		if c.Verdict == Warn || c.Verdict == Fail {
			found[c.ID] = c.Verdict
		}
	}
	return found
}

func (r Report) check(id string) Result {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return Result{}
}

// checkReport holds for every report: it is complete, tells what to do, gives no secret away, and is well-formed in both its forms.
func checkReport(t *testing.T, r Report) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var junit bytes.Buffer
	if err := r.WriteJUnit(&junit); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{string(text), junit.String()} {
		if strings.Contains(out, string(project.Certificate)) || tokenText(out) {
			t.Errorf("the report has a secret:\n%s", out)
		}
	}
	if len(r.Checks) != len(checks) || r.OK != (r.Failed == 0) || r.Passed+r.Warnings+r.Failed+r.Skipped != len(checks) {
		t.Errorf("the numbers do not fit: %+v", r)
	}
	for i, c := range r.Checks {
		bad := c.Verdict == Warn || c.Verdict == Fail
		if c.ID != checks[i].id || c.Title == "" || c.Seen == "" || bad != (c.Means != "") || bad != (c.Mend != "") {
			t.Errorf("incomplete: %+v", c)
		}
		if bad && (!strings.HasSuffix(c.Means, ".") || !strings.HasSuffix(c.Mend, ".") || strings.HasSuffix(c.Mend, "..")) {
			t.Errorf("no sentences: %+v", c)
		}
	}
	checkJUnit(t, r, junit.Bytes())
}

// tokenText reports whether there is more than the beginning of a token.
func tokenText(s string) bool {
	for _, part := range strings.Split(s, "007e")[1:] {
		if len(part) > 20 && !strings.ContainsAny(part[:20], " …\"<{}") {
			return true
		}
	}
	return false
}

func checkJUnit(t *testing.T, r Report, text []byte) {
	t.Helper()
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string  `xml:"name,attr"`
			Failure *string `xml:"failure"`
			Skipped *string `xml:"skipped"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(text, &suite); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	failures, skipped := 0, 0
	for i, c := range suite.Cases {
		if c.Name != r.Checks[i].ID {
			t.Errorf("case %d is called %s", i, c.Name)
		}
		if c.Failure != nil {
			failures++
			if !strings.Contains(*c.Failure, "mend: ") {
				t.Errorf("the failure of %s does not tell: %s", c.Name, *c.Failure)
			}
		}
		if c.Skipped != nil {
			skipped++
		}
	}
	if got, want := fmt.Sprint(suite.Tests, suite.Failures, suite.Skipped, len(suite.Cases), failures, skipped),
		fmt.Sprint(len(r.Checks), r.Failed, r.Skipped, len(r.Checks), r.Failed, r.Skipped); got != want {
		t.Errorf("the numbers of JUnit are %s, want %s", got, want)
	}
}

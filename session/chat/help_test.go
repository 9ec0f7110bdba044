package chat

import (
	"context"
	stdnet "net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

// app is a client with what it has called back so far.
type app struct {
	*Client
	clock *clock.Clock

	mu     sync.Mutex
	events []Event
}

// newApp starts a client for the service at chat:80 of the network. A new connection takes a second.
func newApp(t testing.TB, net *pipenet.Network, p Profile, changes ...func(*Config)) *app {
	dial := func(ctx context.Context, network, address string) (stdnet.Conn, error) {
		select {
		case <-time.After(time.Second):
			return net.DialContext(ctx, network, address)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	a := &app{clock: clock.New(0)}
	cfg := Config{
		Profile: p, RESTURL: "http://chat", WSURL: "ws://chat/websocket", Org: fakeserver.DemoOrg, App: fakeserver.DemoApp, Resource: "device",
		Clock: a.clock, DialContext: dial,
		OnEvent: func(e Event) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.events = append(a.events, e)
		},
	}
	for _, change := range changes {
		change(&cfg)
	}
	a.Client = New(cfg)
	t.Cleanup(a.Close)
	return a
}

// login logs in and waits for the answer.
func (a *app) login(user, token string) (Life, *Error) {
	type answer struct {
		life Life
		err  *Error
	}
	done := make(chan answer, 1)
	a.Login(1, user, token, func(life Life, err *Error) { done <- answer{life, err} })
	got := <-done
	return got.life, got.err
}

// names lists what has been called back, without the messages sent.
func (a *app) names() string {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	for _, e := range a.events {
		names = append(names, string(e.Name))
	}
	return strings.Join(names, " ")
}

func (a *app) find(name EventName) []Event {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []Event
	for _, e := range a.events {
		if e.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// emulator starts a real one at chat:80.
func emulator(t testing.TB, net *pipenet.Network, cfg fakeserver.Config) *fakeserver.Server {
	t.Helper()
	server, err := fakeserver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	listener := net.Listen("chat:80")
	go func() { served <- server.Serve(listener, nil) }()
	t.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return server
}

// token builds a token of the demo project for alice, issued at an age.
func token(t testing.TB, lifetime, age time.Duration) string {
	t.Helper()
	text, err := agoratoken.BuildUser(agoratoken.Credentials{
		AppID: fakeserver.DemoAppID, Certificate: fakeserver.DemoAppCertificate,
	}, "alice", uint32(lifetime.Seconds()), time.Now().Add(-age))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// serve starts an HTTP service of the test's own at chat:80.
func serve(t testing.TB, net *pipenet.Network, h http.HandlerFunc) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	listener := net.Listen("chat:80")
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-over
	})
}

// gate is one connection of a gateway that does what a test wants.
type gate struct {
	t testing.TB
	*websocket.Conn
}

// gateway starts a service whose every connection is handed to f, with a number from 1. The connection is closed when f returns.
func gateway(t testing.TB, net *pipenet.Network, f func(n int, g gate)) {
	var mu sync.Mutex
	n := 0
	var open sync.WaitGroup
	conns := make(map[*websocket.Conn]bool)
	serve(t, net, func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		mu.Lock()
		n++
		mine := n
		conns[conn] = true
		mu.Unlock()
		open.Go(func() {
			defer conn.Close()
			f(mine, gate{t, conn})
		})
	})
	t.Cleanup(func() {
		mu.Lock()
		for c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		open.Wait()
	})
}

// read returns the next frame, or nil when the client is gone.
func (g gate) read() *msync.MSync {
	_, raw, err := g.ReadMessage()
	if err != nil {
		return nil
	}
	m, err := msync.Decode(raw)
	if err != nil {
		g.t.Error(err)
		return nil
	}
	return m
}

// until reads on until a frame of the command comes, and returns it; nil when the client is gone.
func (g gate) until(cmd msync.MSync_Command) *msync.MSync {
	for {
		if m := g.read(); m == nil || m.GetCommand() == cmd {
			return m
		}
	}
}

func (g gate) raw(b []byte) { _ = g.WriteMessage(websocket.BinaryMessage, b) }

func (g gate) say(cmd msync.MSync_Command, payload proto.Message) { g.raw(frame(g.t, cmd, payload)) }

// welcome answers the login; expires may be zero.
func (g gate) welcome(expires time.Time) {
	if g.until(msync.MSync_PROVISION) == nil {
		return
	}
	answer := &msync.Provision{Status: ok()}
	if !expires.IsZero() {
		answer.AuthToken, _ = msync.EncodeAuthToken(msync.AuthToken{Token: "x", ExpiresIn: expires.UnixMilli()})
	}
	g.say(msync.MSync_PROVISION, answer)
}

// batch says that a queue holds one message, whose id is the key.
func (g gate) batch(queue string, key uint64, text string) {
	body := msync.TextBody(queue, "alice", text)
	payload, err := proto.Marshal(body)
	if err != nil {
		g.t.Error(err)
	}
	g.say(msync.MSync_SYNC, &msync.CommSyncDL{
		Status: ok(), Queue: jid(queue), NextKey: &key, IsLast: new(false),
		Metas: []*msync.Meta{{Id: &key, From: jid(queue), To: jid("alice"), Ns: msync.Meta_CHAT.Enum(), Payload: payload}},
	})
}

func (g gate) drained(queue string) {
	g.say(msync.MSync_SYNC, &msync.CommSyncDL{Status: ok(), Queue: jid(queue), IsLast: new(true)})
}

func (g gate) notice(queue string) { g.say(msync.MSync_NOTICE, &msync.CommNotice{Queue: jid(queue)}) }

// awaitPull reads until the client pulls the queue, and returns what it confirms.
func (g gate) awaitPull(queue string) (key uint64, alive bool) {
	for {
		m := g.until(msync.MSync_SYNC)
		if m == nil {
			return 0, false
		}
		var up msync.CommSyncUL
		if msync.Payload(m, &up) == nil && up.GetQueue().GetName() == queue {
			return up.GetKey(), true
		}
	}
}

func frame(t testing.TB, cmd msync.MSync_Command, payload proto.Message) []byte {
	m, err := msync.Pack(cmd, payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := msync.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func jid(name string) *msync.JID {
	return msync.NewJID(fakeserver.DemoOrg+"#"+fakeserver.DemoApp, name, "")
}

func ok() *msync.Status { return &msync.Status{ErrorCode: msync.Status_OK.Enum()} }

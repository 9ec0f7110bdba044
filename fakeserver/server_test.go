package fakeserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

func TestConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  Config
		want string // part of the error, "" for none
	}{
		"zero":                  {Config{}, ""},
		"everything":            {Config{otherHex, otherHex, "org", "app", []User{{"a", ""}}, true, 16, "refuse", "enum", true, "close", "secret", "parrot", -time.Hour, 1, 10, "sdk.js", new(Properties), nil}, ""},
		"App ID alone":          {Config{AppID: DemoAppID}, "fakeserver: app credentials: the App Certificate is missing"},
		"certificate alone":     {Config{AppCertificate: otherHex}, "fakeserver: app credentials: the App ID is missing"},
		"App ID no hex":         {Config{AppID: strings.Repeat("x", 32), AppCertificate: otherHex}, "the App ID is not"},
		"certificate too short": {Config{AppID: DemoAppID, AppCertificate: otherHex[1:]}, "the App Certificate is not"},
		"org alone":             {Config{Org: "org"}, `app key "org#"`},
		"app alone":             {Config{App: "app"}, `app key "#app"`},
		"org with a slash":      {Config{Org: "a/b", App: "c"}, `app key "a/b#c"`},
		"no devices":            {Config{MaxDevices: -1}, "max devices -1: want 1 to 16"},
		"too many devices":      {Config{MaxDevices: 17}, "max devices 17: want 1 to 16"},
		"negative journal":      {Config{JournalSize: -1}, "journal size: want 1 or more"},
		"negative exchanges":    {Config{Exchanges: -1}, "exchanges: want 0 or more"},
		"over 24 h":             {Config{Over24h: "no"}, `over 24 h "no": want cap or refuse`},
		"expired status":        {Config{ExpiredStatus: "no"}, `expired status "no": want reason or enum`},
		"enforcement":           {Config{EnforceExpiry: "no"}, `enforce expiry "no": want none, close or refuse-sends`},
		"user":                  {Config{Users: []User{{Name: "Alice"}}}, `user "Alice": want 1 to 64`},
		"empty user":            {Config{Users: []User{{}}}, `user ""`},
		"echo user":             {Config{EchoUser: "Echo!"}, `echo user "Echo!": want 1 to 64`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(tt.cfg)
			if tt.want == "" {
				if err != nil || s == nil {
					t.Errorf("New = %v", err)
				}
				return
			}
			if err == nil || s != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want %q in it", err, tt.want)
			}
			if err != nil && tt.cfg.AppCertificate != "" && strings.Contains(err.Error(), tt.cfg.AppCertificate) {
				t.Errorf("the certificate is in %q", err)
			}
		})
	}
}

// serving starts an emulator in the bubble that the test closes itself.
func serving(t *testing.T, cfg Config) (w *world, served <-chan error) {
	t.Helper()
	s := newServer(t, cfg)
	w = &world{t: t, net: pipenet.New(), srv: s, start: s.Now()}
	done := make(chan error, 1)
	listener := w.net.Listen("chat:80")
	go func() { done <- s.Serve(listener, nil) }()
	return w, done
}

// TestCloseDrains: frames that are queued when the emulator closes still arrive, before the close frame 1001.
func TestCloseDrains(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.dial()
		c.provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
		idle := w.dial()
		c.hold <- struct{}{} // nothing is read now
		synctest.Wait()
		const n = 100
		for range n {
			w.srv.TriggerExpire("alice")
		}
		closed := make(chan error, 1)
		go func() {
			time.Sleep(time.Second)
			<-c.hold
		}()
		go func() { closed <- w.srv.Close(context.Background()) }()
		if err := <-closed; err != nil {
			t.Errorf("Close = %v", err)
		}
		if got := len(c.take()); got != n {
			t.Errorf("%d of %d frames arrived", got, n)
		}
		c.wantClosed(closeGoingAway)
		idle.wantClosed(closeGoingAway)
		if e := w.only(SessionClosed); e.Reason != "the emulator is shutting down" {
			t.Errorf("the journal has %+v", e)
		}
		if err := w.srv.Close(context.Background()); err != nil {
			t.Errorf("a second Close = %v", err)
		}
	})
}

// TestCloseCuts: what does not end in time, a socket or a call, is cut.
func TestCloseCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, served := serving(t, Config{})
		c := w.dial()
		c.provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
		c.hold <- struct{}{}
		defer func() { <-c.hold }()
		w.srv.TriggerExpire("alice") // a frame is being written for ever
		w.srv.TriggerExpire("alice")
		call, err := w.net.DialContext(t.Context(), "", "chat:80")
		if err != nil {
			t.Fatal(err)
		}
		defer call.Close()
		_, _ = call.Write([]byte("POST /ttlchat/demo/token HTTP/1.1\r\nHost: chat\r\nContent-Length: 9\r\n\r\n")) // and no body
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.srv.Close(ctx); err == nil || err.Error() != context.DeadlineExceeded.Error() {
			t.Errorf("Close = %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
		answered := make(chan error, 1)
		go func() {
			_ = call.SetReadDeadline(time.Now().Add(time.Minute))
			for {
				if _, err := call.Read(make([]byte, 1024)); err != nil {
					answered <- err
					return
				}
			}
		}()
		var timeout net.Error
		if err := <-answered; errors.As(err, &timeout) {
			t.Errorf("the call went on: %v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("everything ended after %v", took)
		}
	})
}

// TestCloseFinishesCalls: a call that is under way when the emulator closes gets its answer, on either listener.
func TestCloseFinishesCalls(t *testing.T) {
	for address, path := range map[string]string{"chat:80": "/ttlchat/demo/token", "tokens:80": "/generate-user-token"} {
		t.Run(address, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network, s := pipenet.New(), newServer(t, Config{})
				served := make(chan error, 1)
				go func() { served <- s.Serve(network.Listen("chat:80"), network.Listen("tokens:80")) }()
				synctest.Wait()
				call, err := network.DialContext(t.Context(), "", address)
				if err != nil {
					t.Fatal(err)
				}
				defer call.Close()
				_, _ = call.Write([]byte("POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{"))
				synctest.Wait()
				closed := make(chan error, 1)
				go func() { closed <- s.Close(context.Background()) }()
				time.Sleep(drainTime)
				_, _ = call.Write([]byte("}"))
				answer, err := io.ReadAll(call)
				if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 ")) || !bytes.HasSuffix(bytes.TrimSpace(answer), []byte("}")) {
					t.Errorf("the answer is %q, %v", answer, err)
				}
				if err := <-closed; err != nil {
					t.Errorf("Close = %v", err)
				}
				if err := <-served; err != nil {
					t.Errorf("Serve = %v", err)
				}
			})
		})
	}
}

// TestCloseWhileConnecting: whoever comes while the emulator closes is turned away or closed, and nothing is left.
func TestCloseWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, served := serving(t, Config{})
		token := w.srv.userToken(t, "alice", 600)
		var clients sync.WaitGroup
		for i := range 20 {
			clients.Go(func() {
				time.Sleep(time.Duration(i/4) * time.Millisecond)
				dialer := websocket.Dialer{NetDialContext: w.net.DialContext}
				conn, resp, err := dialer.DialContext(t.Context(), "ws://chat/", nil)
				if err != nil {
					return // turned away
				}
				defer conn.Close()
				_ = resp.Body.Close()
				_ = conn.WriteMessage(websocket.BinaryMessage, login{user: "alice", resource: fmt.Sprint(i), token: token}.frame(t))
				for err == nil {
					_, _, err = conn.ReadMessage()
				}
			})
		}
		time.Sleep(2 * time.Millisecond)
		if err := w.srv.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
		clients.Wait()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
}

// TestLateUpgrade: a connection whose upgrade ends after Close has begun is not kept.
func TestLateUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, Config{})
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
		w := &world{t: t, net: pipenet.New(), srv: s, start: s.Now()}
		late := &http.Server{Handler: s.chat.Handler, ReadHeaderTimeout: time.Second}
		served := make(chan error, 1)
		go func() { served <- late.Serve(w.net.Listen("chat:80")) }()
		synctest.Wait()
		w.dial().wantClosed(websocket.CloseAbnormalClosure)
		if err := late.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve = %v", err)
		}
	})
}

// TestCloseBeforeServe: Serve may come late, or be on its way, when the emulator is closed.
func TestCloseBeforeServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			w, served := serving(t, Config{JournalSize: 1})
			if err := w.srv.Close(t.Context()); err != nil {
				t.Errorf("Close = %v", err)
			}
			if err := <-served; err != nil {
				t.Errorf("Serve = %v", err)
			}
			if _, err := w.net.DialContext(t.Context(), "", "chat:80"); err == nil {
				t.Error("somebody still listens")
			}
		}
	})
}

// TestServeOne: either listener may be missing; without both Serve has nothing to do.
func TestServeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New()
		for _, listeners := range [][2]net.Listener{{nil, network.Listen("tokens:80")}, {network.Listen("chat:80"), nil}, {nil, nil}} {
			s := newServer(t, Config{})
			served := make(chan error, 1)
			go func() { served <- s.Serve(listeners[0], listeners[1]) }()
			synctest.Wait()
			if err := s.Close(t.Context()); err != nil {
				t.Errorf("Close = %v", err)
			}
			if err := <-served; err != nil {
				t.Errorf("Serve = %v", err)
			}
		}
	})
}

// brokenListener fails at once.
type brokenListener struct{ net.Listener }

var errBroken = errors.New("broken")

// Accept implements net.Listener.
func (brokenListener) Accept() (net.Conn, error) { return nil, errBroken }

// TestServeFails: when one listener fails the other half does not go on alone.
func TestServeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, s := pipenet.New(), newServer(t, Config{})
		if err := s.Serve(network.Listen("chat:80"), brokenListener{network.Listen("tokens:80")}); !errors.Is(err, errBroken) {
			t.Errorf("Serve = %v", err)
		}
		if _, err := network.DialContext(t.Context(), "", "chat:80"); err == nil {
			t.Error("the chat service goes on")
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

// TestNow: the emulator's clock is the machine's and the offset.
func TestNow(t *testing.T) {
	inWorld(t, Config{ClockOffset: time.Hour}, func(t *testing.T, w *world) {
		w.srv.JumpClock(-time.Minute)
		if got := time.Until(w.srv.Now()); got != 59*time.Minute {
			t.Errorf("%v ahead", got)
		}
	})
}

// TestConfiguredUsers exist from the start, the echo user with them.
func TestConfiguredUsers(t *testing.T) {
	s := newServer(t, Config{Users: []User{{Name: "alice"}, {Name: "echo", Password: "polly"}}})
	var got []string
	for _, e := range s.hub.list("", 10) {
		got = append(got, e.Username)
	}
	if diff := cmp.Diff([]string{"alice", "echo"}, got); diff != "" {
		t.Errorf("the users (-want +got):\n%s", diff)
	}
	if _, right := s.hub.checkPassword("echo", "polly"); !right {
		t.Error("the echo user lost its password")
	}
}

// TestKickCode has the Web SDK's numbers (protocol.md c, "Kick").
func TestKickCode(t *testing.T) {
	for op, want := range map[msync.StatisticsBody_Operation]int{0: 0, 1: 207, 2: 206, 3: 216, 4: 217} {
		if got := kickCode(op); got != want {
			t.Errorf("%v is %d, want %d", op, got, want)
		}
	}
}

package appclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/appclient"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

var project = agoratoken.Credentials{AppID: fakeserver.DemoAppID, Certificate: fakeserver.DemoAppCertificate}

// world is an emulator and a client of its REST API in a bubble. The app tokens live 10,000 seconds.
type world struct {
	t       *testing.T
	srv     *fakeserver.Server
	client  *appclient.Client
	fetches atomic.Int64 // of app tokens
	fail    atomic.Bool  // of the next fetches
}

func inWorld(t *testing.T, cfg fakeserver.Config, change func(*appclient.Config, *world), test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := fakeserver.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		network := pipenet.New()
		chat := network.Listen("chat:80")
		served := make(chan error, 1)
		go func() { served <- srv.Serve(chat, nil) }()
		w := &world{t: t, srv: srv}
		config := appclient.Config{
			RESTURL: "http://chat/", Org: fakeserver.DemoOrg, App: fakeserver.DemoApp, DialContext: network.DialContext, Now: srv.Now,
			AppToken: func(context.Context) (string, error) {
				w.fetches.Add(1)
				time.Sleep(time.Second)
				if w.fail.Load() {
					return "", errors.New("\x1b[31mno luck")
				}
				return agoratoken.BuildApp(project, 10_000, srv.Now())
			},
		}
		if change != nil {
			change(&config, w)
		}
		w.client, err = appclient.New(config)
		if err != nil {
			t.Fatal(err)
		}
		test(t, w)
		w.client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := srv.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// TestFlow: users are registered, listed, asked about and deleted with an exchanged app token (sources/001).
func TestFlow(t *testing.T) {
	inWorld(t, fakeserver.Config{ClosedRegistration: true}, nil, func(t *testing.T, w *world) {
		ctx := t.Context()
		added, failed, err := w.client.AddUsers(ctx, appclient.NewUser{Name: "user1", Password: "123", Nickname: "test\x1buser"})
		if err != nil || len(failed) != 0 || len(added) != 1 || added[0].Name != "user1" || added[0].UUID == "" || !added[0].Activated {
			t.Fatalf("%v %v %+v", err, failed, added)
		}
		if _, _, err = w.client.AddUsers(ctx, appclient.NewUser{Name: "user1", Password: "123"}); status(t, err) != 400 || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("a second user1: %v", err)
		}
		var many []appclient.NewUser
		for i := range 130 {
			many = append(many, appclient.NewUser{Name: fmt.Sprintf("many%03d", i), Password: "x"})
		}
		many[7].Name = "user1"
		added, failed, err = w.client.AddUsers(ctx, many...)
		if err != nil || len(added) != 129 || len(failed) != 1 || failed[0].Name != "user1" {
			t.Fatalf("%v, %d added, failed %v", err, len(added), failed)
		}
		// The 130 and the echo user.
		for _, tt := range []struct {
			limit, want int
			more        bool
		}{{5, 5, true}, {101, 101, true}, {130, 130, true}, {131, 131, false}, {1000, 131, false}} {
			list, more, err := w.client.Users(ctx, tt.limit)
			if err != nil || len(list) != tt.want || more != tt.more {
				t.Errorf("limit %d: %v, %d users, more %v", tt.limit, err, len(list), more)
			}
		}
		if online, err := w.client.Online(ctx, "user1"); online || err != nil {
			t.Errorf("user1 is online: %v, %v", online, err)
		}
		if err := w.client.DeleteUser(ctx, "user1"); err != nil {
			t.Error(err)
		}
		if err := w.client.DeleteUser(ctx, "user1"); status(t, err) != 404 || !strings.Contains(err.Error(), "no such user") {
			t.Errorf("deleted twice: %v", err)
		}
		if _, err := w.client.Online(ctx, "user1"); status(t, err) != 404 {
			t.Errorf("a deleted user has a status: %v", err)
		}
		for _, name := range []string{"", ".", "..", "a/b", "A", "é", "a?b"} {
			if err := w.client.DeleteUser(ctx, name); status(t, err) != 0 {
				t.Errorf("%q went to the service: %v", name, err)
			}
			if _, err := w.client.Online(ctx, name); status(t, err) != 0 {
				t.Errorf("%q went to the service: %v", name, err)
			}
		}
		if n := w.fetches.Load(); n != 1 {
			t.Errorf("%d app tokens were fetched", n)
		}
	})
}

// TestTokenLife: what is left of the app token is what the Chat token gets; it is renewed at 80 % of that, once for all who wait.
func TestTokenLife(t *testing.T) {
	var built string
	inWorld(t, fakeserver.Config{}, func(c *appclient.Config, w *world) {
		fresh := c.AppToken
		c.AppToken = func(ctx context.Context) (string, error) {
			if w.fetches.Load() == 0 {
				w.fetches.Add(1)
				return built, nil
			}
			return fresh(ctx)
		}
	}, func(t *testing.T, w *world) {
		var err error
		if built, err = agoratoken.BuildApp(project, 10_000, w.srv.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Second)
		start := w.srv.Now()
		all := func() {
			t.Helper()
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					if _, _, err := w.client.Users(t.Context(), 1); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		all()
		token, err := w.client.Token(t.Context())
		if left := token.ExpiresAt.Sub(start); err != nil || left != 9900*time.Second || w.fetches.Load() != 1 {
			t.Fatalf("%v, %v left, %d fetches; want 9900 s and 1", err, left, w.fetches.Load())
		}
		if text := fmt.Sprintf("%v %+v %#v", token, token, []any{token}); regexp.MustCompile(`YWMt[\w-]{8}`).MatchString(text) {
			t.Errorf("the token is shown: %s", text)
		}
		time.Sleep(7919 * time.Second)
		all()
		if n := w.fetches.Load(); n != 1 {
			t.Fatalf("renewed before 80 %%: %d fetches", n)
		}
		time.Sleep(2 * time.Second)
		all()
		if n := w.fetches.Load(); n != 2 {
			t.Fatalf("%d fetches after 80 %%, want 2", n)
		}
		// While renewal fails the old token serves, and nobody storms the token server.
		w.fail.Store(true)
		time.Sleep(8500 * time.Second)
		for range 5 {
			all()
		}
		if n := w.fetches.Load(); n != 3 {
			t.Fatalf("%d fetches while renewal fails, want 3", n)
		}
		time.Sleep(1600 * time.Second)
		if _, _, err := w.client.Users(t.Context(), 1); phase(t, err) != appclient.PhaseFetch {
			t.Errorf("%v after the end of the token", err)
		}
		w.fail.Store(false)
		all()
	})
}

// TestUserTokenIsRefused: the service refuses a user token, and the error says what it is.
func TestUserTokenIsRefused(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(c *appclient.Config, w *world) {
		c.AppToken = func(context.Context) (string, error) { return agoratoken.BuildUser(project, "bob", 600, w.srv.Now()) }
	}, func(t *testing.T, w *world) {
		_, _, err := w.client.Users(t.Context(), 1)
		if status(t, err) != 401 || phase(t, err) != appclient.PhaseCall || !strings.Contains(err.Error(), `user token (for "bob")`) {
			t.Errorf("%v", err)
		}
	})
}

// TestRefusals: what the service, or somebody in its place, refuses is explained by phase.
func TestRefusals(t *testing.T) {
	other := agoratoken.Credentials{AppID: strings.Repeat("ab", 16), Certificate: agoratoken.Certificate(strings.Repeat("cd", 16))}
	for name, tt := range map[string]struct {
		change func(*appclient.Config, *world)
		phase  appclient.Phase
		status int
		says   string
	}{
		"another project": {func(c *appclient.Config, w *world) {
			c.AppToken = func(context.Context) (string, error) { return agoratoken.BuildApp(other, 600, w.srv.Now()) }
		}, appclient.PhaseExchange, 401, "another project"},
		"expired": {func(c *appclient.Config, w *world) {
			c.AppToken = func(context.Context) (string, error) {
				return agoratoken.BuildApp(project, 600, w.srv.Now().Add(-time.Hour))
			}
		}, appclient.PhaseExchange, 401, "clocks"},
		"no token at all": {func(c *appclient.Config, _ *world) {
			c.AppToken = func(context.Context) (string, error) { return "<html>", nil }
		}, appclient.PhaseFetch, 0, "no app token"},
		"no app":           {func(c *appclient.Config, _ *world) { c.App = "nope" }, appclient.PhaseExchange, 404, "app key"},
		"fetch that fails": {func(_ *appclient.Config, w *world) { w.fail.Store(true) }, appclient.PhaseFetch, 0, "no luck"},
		"nobody there":     {func(c *appclient.Config, _ *world) { c.RESTURL = "http://elsewhere" }, appclient.PhaseExchange, 0, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, tt.change, func(t *testing.T, w *world) {
				_, _, err := w.client.Users(t.Context(), 1)
				if phase(t, err) != tt.phase || status(t, err) != tt.status || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestOddServices: a server that is no chat service, or that counts in milliseconds, or that never answers.
func TestOddServices(t *testing.T) {
	const granted = `{"access_token":"YWMtAAAA","expires_in":%d}`
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		says    string
		left    time.Duration
	}{
		"web page":      {answer(200, "<html>"), "not the JSON", 0},
		"refusing page": {answer(502, "<html>"), "without its usual error body", 0},
		"empty object":  {answer(200, "{}"), "no access_token", 0},
		"huge":          {answer(200, strings.Repeat(" ", 1<<20+1)), "1 MiB", 0},
		"rate":          {answer(429, `{"error":"reach_limit","error_description":"slow\u001b[31m down"}`), "slow down; try again", 0},
		"in trouble":    {answer(503, `{"error":"x"}`), "says: x; the service is in trouble", 0},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.example/", http.StatusTemporaryRedirect)
		}, "answers 307", 0},
		"hangs":          {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "in time", 0},
		"breaks off":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be reached", 0},
		"seconds":        {answer(200, fmt.Sprintf(granted, 9900)), "", 9900 * time.Second},
		"milliseconds":   {answer(200, fmt.Sprintf(granted, 9_900_000)), "", 9900 * time.Second},
		"no end":         {answer(200, fmt.Sprintf(granted, 0)), "", 9999 * time.Second},
		"absurdly long":  {answer(200, fmt.Sprintf(granted, int64(1)<<60)), "", 9999 * time.Second},
		"a timestamp":    {answer(200, `{"access_token":"YWMtAAAA","expire_timestamp":946684900000}`), "", 99 * time.Second},
		"a past instant": {answer(200, `{"access_token":"YWMtAAAA","expire_timestamp":1}`), "over already", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, fakeserver.Config{}, func(c *appclient.Config, w *world) {
				network := pipenet.New()
				server := &http.Server{Handler: tt.handler, ReadHeaderTimeout: time.Hour}
				listener := network.Listen("odd:80")
				go func() { _ = server.Serve(listener) }()
				w.t.Cleanup(func() { _ = server.Close() })
				c.RESTURL, c.DialContext = "http://odd", network.DialContext
			}, func(t *testing.T, w *world) {
				start := w.srv.Now()
				token, err := w.client.Token(t.Context())
				if tt.says != "" {
					if err == nil || !strings.Contains(err.Error(), tt.says) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
						t.Errorf("%v, want %q", err, tt.says)
					}
					return
				}
				// The token was fetched a second after it was asked for.
				if left := token.ExpiresAt.Sub(start) - time.Second; err != nil || left != tt.left && left != tt.left+time.Second {
					t.Errorf("%v, %v left, want %v", err, left, tt.left)
				}
			})
		})
	}
}

// TestExpiredByTheServicesClock: a token that the service calls expired is replaced once, though this machine's clock says it lives.
func TestExpiredByTheServicesClock(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(c *appclient.Config, _ *world) { c.Now = time.Now }, func(t *testing.T, w *world) {
		if _, _, err := w.client.Users(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		w.srv.JumpClock(3 * time.Hour)
		if _, _, err := w.client.Users(t.Context(), 1); err != nil || w.fetches.Load() != 2 {
			t.Errorf("%v, %d fetches", err, w.fetches.Load())
		}
	})
}

// TestGivingUp: a caller who gives up does not fail the others, and Close ends an attempt that is under way.
func TestGivingUp(t *testing.T) {
	inWorld(t, fakeserver.Config{}, nil, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, cancel)
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := w.client.Token(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
		group.Go(func() {
			if _, err := w.client.Token(t.Context()); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		if n := w.fetches.Load(); n != 1 {
			t.Errorf("%d fetches", n)
		}
	})
	inWorld(t, fakeserver.Config{}, func(c *appclient.Config, _ *world) {
		c.AppToken = func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	}, func(t *testing.T, w *world) {
		start := time.Now()
		time.AfterFunc(time.Second, w.client.Close)
		if _, err := w.client.Token(t.Context()); err == nil || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for name, config := range map[string]appclient.Config{
		"no address": {Org: "o", App: "a"}, "no scheme": {RESTURL: "chat:80", Org: "o", App: "a"}, "no app": {RESTURL: "http://chat", Org: "o"},
		"a socket": {RESTURL: "ws://chat", Org: "o", App: "a"},
	} {
		if _, err := appclient.New(config); phase(t, err) != appclient.PhaseConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func phase(t *testing.T, err error) appclient.Phase {
	t.Helper()
	e, ok := errors.AsType[*appclient.Error](err)
	if !ok || strings.ContainsFunc(e.Detail, unicode.IsControl) || !strings.ContainsAny(e.Detail, ";:") {
		t.Errorf("%v is no error for a person", err)
		return ""
	}
	return e.Phase
}

func status(t *testing.T, err error) int {
	t.Helper()
	phase(t, err)
	e, ok := errors.AsType[*appclient.Error](err)
	if !ok {
		return -1
	}
	return e.Status
}

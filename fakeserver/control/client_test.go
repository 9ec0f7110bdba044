package control_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

// inWorld runs a test in a bubble with an emulator and a client of its control API.
func inWorld(t *testing.T, cfg fakeserver.Config, test func(t *testing.T, s *fakeserver.Server, c *control.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := fakeserver.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		net := pipenet.New()
		listener, served := net.Listen("chat:80"), make(chan error, 1)
		go func() { served <- s.Serve(listener, nil) }()
		client := &http.Client{Transport: &http.Transport{DialContext: net.DialContext}}
		t.Cleanup(func() {
			client.CloseIdleConnections()
			if err := s.Close(context.Background()); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := <-served; err != nil {
				t.Errorf("serve: %v", err)
			}
		})
		test(t, s, &control.Client{URL: "http://chat/_ctl/v1/", Token: cfg.ControlToken, HTTP: client})
	})
}

// TestClient: every call does what the same method of the server does.
func TestClient(t *testing.T) {
	inWorld(t, fakeserver.Config{ControlToken: "secret"}, func(t *testing.T, s *fakeserver.Server, c *control.Client) {
		ctx := t.Context()
		health, err := c.Health(ctx)
		if err != nil || health.Status != "ok" || health.AppKey != "ttlchat#demo" {
			t.Errorf("Health = %+v, %v", health, err)
		}
		kinds, err := c.FaultKinds(ctx)
		if err != nil || len(kinds) != len(fakeserver.FaultKinds()) {
			t.Errorf("FaultKinds = %d, %v", len(kinds), err)
		}
		added, err := c.AddFault(ctx, fakeserver.Fault{
			Target: fakeserver.FaultTokenServer, Kind: "delay", Params: fakeserver.FaultParams{"delay": "4s"}, Count: 2, On: fakeserver.SessionWillExpire,
		})
		if err != nil || added.ID == "" || added.Active || added.Left() != 2 {
			t.Errorf("AddFault = %+v, %v", added, err)
		}
		list, err := c.Faults(ctx)
		if diff := cmp.Diff(s.Faults(), list); diff != "" || err != nil {
			t.Errorf("Faults: %v (-want +got):\n%s", err, diff)
		}
		state, err := c.State(ctx)
		if diff := cmp.Diff(s.State(), state); diff != "" || err != nil {
			t.Errorf("State: %v (-want +got):\n%s", err, diff)
		}
		if err := c.ClearFault(ctx, added.ID); err != nil {
			t.Error(err)
		}
		if n, err := c.ClearFaults(ctx); n != 0 || err != nil {
			t.Errorf("ClearFaults = %d, %v", n, err)
		}
		clock, err := c.ChangeClock(ctx, fakeserver.ClockChange{Offset: new(time.Hour), Jump: time.Minute, Freeze: new(true)})
		if err != nil || clock.Offset != time.Hour+time.Minute || !clock.Frozen {
			t.Errorf("ChangeClock = %+v, %v", clock, err)
		}
		triggered, err := c.Trigger(ctx, "kick", fakeserver.TriggerRequest{User: "alice", Code: 217})
		if diff := cmp.Diff(fakeserver.Triggered{Event: "kick", User: "alice"}, triggered); diff != "" || err != nil {
			t.Errorf("Trigger: %v (-want +got):\n%s", err, diff)
		}
		if _, err := c.Reset(ctx); err != nil {
			t.Error(err)
		}
		if clock, err := c.Clock(ctx); err != nil || clock.Frozen || clock.Offset != 0 {
			t.Errorf("Clock = %+v, %v", clock, err)
		}
		page, err := c.Journal(ctx, fakeserver.JournalQuery{Names: []string{"control.*", "emulator.reset"}})
		if err != nil || len(page.Entries) != 2 || page.Entries[0].Name != fakeserver.ControlTriggered || page.Entries[0].Code != 217 {
			t.Errorf("Journal = %+v, %v", page, err)
		}
	})
}

// TestWait: what happens while somebody waits ends the wait; what does not is told.
func TestWait(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(t *testing.T, s *fakeserver.Server, c *control.Client) {
		s.Revoke("alice") // before the wait, so it does not count
		go func() {
			time.Sleep(45 * time.Second) // longer than the server's own limits
			s.Revoke("bob")
			s.Revoke("alice")
		}()
		q := fakeserver.JournalQuery{Wait: "token.revoked", User: "alice", Timeout: time.Minute}
		start := time.Now()
		page, err := c.Journal(t.Context(), q)
		if err != nil || page.TimedOut || len(page.Entries) != 1 || page.Last != 3 || time.Since(start) != 45*time.Second {
			t.Errorf("Journal = %+v, %v after %v", page, err, time.Since(start))
		}
		page, err = c.Journal(t.Context(), q)
		if err != nil || !page.TimedOut || time.Since(start) != 105*time.Second {
			t.Errorf("Journal = %+v, %v after %v", page, err, time.Since(start))
		}
		q.Since = new(uint64(0))
		if page, err = c.Journal(t.Context(), q); err != nil || page.Last != 1 {
			t.Errorf("since 0: %+v, %v", page, err)
		}
	})
}

// TestFollow: the stream tells what comes, lives through silence, and ends with the emulator.
func TestFollow(t *testing.T) {
	inWorld(t, fakeserver.Config{JournalSize: 5}, func(t *testing.T, s *fakeserver.Server, c *control.Client) {
		for range 8 {
			s.Revoke("old")
		}
		var users []string
		var gone uint64
		ended := make(chan error, 1)
		go func() {
			ended <- c.Follow(t.Context(), fakeserver.JournalQuery{Since: new(uint64(0)), Names: []string{"token.*"}}, func(e fakeserver.Entry) error {
				users = append(users, e.User)
				return nil
			}, func(n uint64) { gone += n })
		}()
		time.Sleep(10 * time.Minute)
		s.Revoke("alice")
		synctest.Wait()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Follow = %v", err)
		}
		if !slices.Equal(users, []string{"old", "old", "old", "old", "old", "alice"}) || gone != 3 {
			t.Errorf("got %v, missed %d", users, gone)
		}
	})
}

// TestFollowEnds: the follower can end it.
func TestFollowEnds(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(t *testing.T, s *fakeserver.Server, c *control.Client) {
		go func() {
			time.Sleep(time.Second)
			s.Revoke("alice")
		}()
		enough := errors.New("enough")
		if err := c.Follow(t.Context(), fakeserver.JournalQuery{}, func(fakeserver.Entry) error { return enough }, nil); !errors.Is(err, enough) {
			t.Errorf("Follow = %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Follow(ctx, fakeserver.JournalQuery{}, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Follow = %v", err)
		}
	})
}

// TestFollowTheUnusual: a follower whom nothing of what happens concerns hears that the emulator is there all the same.
func TestFollowTheUnusual(t *testing.T) {
	inWorld(t, fakeserver.Config{}, func(t *testing.T, s *fakeserver.Server, c *control.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Follow(ctx, fakeserver.JournalQuery{Names: []string{"session.*"}}, nil, nil) }()
		for range 120 {
			time.Sleep(time.Second)
			s.Revoke("somebody")
		}
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow = %v", err)
		}
	})
}

// TestSilence: what listens and says nothing, or nothing more, is not waited for without end; a wait for an entry has its own time.
func TestSilence(t *testing.T) {
	for name, tc := range map[string]struct {
		begins bool // the answer, and no more
		call   func(ctx context.Context, c *control.Client) error
		after  time.Duration
	}{
		"a call": {false, func(ctx context.Context, c *control.Client) error {
			_, err := c.Health(ctx)
			return err
		}, 20 * time.Second},
		"half an answer": {true, func(ctx context.Context, c *control.Client) error {
			_, err := c.State(ctx)
			return err
		}, 20 * time.Second},
		"a wait": {false, func(ctx context.Context, c *control.Client) error {
			_, err := c.Journal(ctx, fakeserver.JournalQuery{Wait: "session.opened", Timeout: time.Minute})
			return err
		}, 80 * time.Second},
		"a stream": {true, func(ctx context.Context, c *control.Client) error {
			return c.Follow(ctx, fakeserver.JournalQuery{}, nil, nil)
		}, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network, ended := pipenet.New(), make(chan struct{})
				server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if tc.begins {
						_, _ = w.Write([]byte(": the journal\n\n"))
						_ = http.NewResponseController(w).Flush()
					}
					<-ended
				})}
				l := network.Listen("chat:80")
				go func() { _ = server.Serve(l) }()
				transport := &http.Transport{DialContext: network.DialContext}
				start := time.Now()
				err := tc.call(t.Context(), &control.Client{URL: "http://chat/_ctl/v1", HTTP: &http.Client{Transport: transport}})
				if took := time.Since(start); err == nil || !strings.Contains(err.Error(), "said nothing for "+tc.after.String()) || took != tc.after {
					t.Errorf("after %v: %v", took, err)
				}
				close(ended)
				transport.CloseIdleConnections()
				_ = server.Close()
			})
		})
	}
}

func TestErrors(t *testing.T) {
	inWorld(t, fakeserver.Config{ControlToken: "secret"}, func(t *testing.T, _ *fakeserver.Server, c *control.Client) {
		for name, tt := range map[string]struct {
			call func() error
			want string
		}{
			"fault":   {func() error { _, err := c.AddFault(t.Context(), fakeserver.Fault{Target: "moon"}); return err }, `there is no target "moon"; known: token-server`},
			"id":      {func() error { return c.ClearFault(t.Context(), "f9") }, `there is no fault "f9"`},
			"trigger": {func() error { _, err := c.Trigger(t.Context(), "boom", fakeserver.TriggerRequest{}); return err }, `there is no event "boom" to trigger; known: will-expire, expire, kick, cut, revoke`},
			"token": {func() error {
				other := *c
				other.Token = "guess"
				_, err := other.Health(t.Context())
				return err
			}, "wants its token"},
		} {
			err := tt.call()
			if e, ok := errors.AsType[*fakeserver.ControlError](err); !ok || e.Status < 400 || !strings.Contains(e.Message, tt.want) {
				t.Errorf("%s: %v, want %q", name, err, tt.want)
			}
		}
	})
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of both
	secure.StartTLS()
	defer secure.Close()
	for url, want := range map[string]string{secure.URL: "set SSL_CERT_FILE", strings.Replace(secure.URL, "https", "http", 1): "speaks TLS"} {
		if _, err := (&control.Client{URL: url}).Health(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("TLS at %s: %v, want %q", url, err, want)
		}
	}
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/nothing/health" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte("<html>"))
	}))
	defer stranger.Close()
	for _, url := range []string{stranger.URL, stranger.URL + "/nothing"} {
		if _, err := (&control.Client{URL: url}).Health(t.Context()); err == nil || !strings.Contains(err.Error(), "no control API of ttlchat") {
			t.Errorf("a stranger at %s: %v", url, err)
		}
	}
	if _, err := (&control.Client{URL: "http://127.0.0.1:1"}).Health(t.Context()); err == nil || !strings.Contains(err.Error(), "is `ttlchat serve` running?") {
		t.Errorf("nobody: %v", err)
	}
}

package fakeserver

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

// world is a real emulator and the network to it, inside a synctest bubble. It begins on a whole second.
type world struct {
	t     *testing.T
	net   *pipenet.Network
	srv   *Server
	http  *http.Client
	start time.Time
}

// inWorld runs a test in a bubble with an emulator, which is closed at the end; a goroutine that outlives it fails the test.
func inWorld(t *testing.T, cfg Config, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, net: pipenet.New(), srv: srv, start: srv.Now()}
		w.http = &http.Client{Transport: &http.Transport{DialContext: w.net.DialContext}}
		chat, tokens := w.net.Listen("chat:80"), w.net.Listen("tokens:80")
		served := make(chan error, 1)
		go func() { served <- srv.Serve(chat, tokens) }()
		t.Cleanup(func() {
			w.http.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := srv.Close(ctx); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := <-served; err != nil {
				t.Errorf("serve: %v", err)
			}
		})
		synctest.Wait()
		test(t, w)
	})
}

// answer is what an HTTP call brought, and after how long.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
	took   time.Duration
}

// request makes an HTTP call. The answer's err is why there is none, or why its body broke off.
func (w *world) request(method, url string, header map[string]string, body string) answer {
	w.t.Helper()
	start := time.Now()
	req, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	if host := header["Host"]; host != "" {
		req.Host = host
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return answer{err: err, took: time.Since(start)}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b), err, time.Since(start)}
}

// whole is a request that must be answered in full.
func (w *world) whole(method, url string, header map[string]string, body string) answer {
	w.t.Helper()
	a := w.request(method, url, header, body)
	if a.err != nil {
		w.t.Fatal(a.err)
	}
	return a
}

// userToken is a 007 token for the user that is issued now by the emulator's clock; expire is in seconds.
func (s *Server) userToken(t testing.TB, user string, expire uint32) string {
	t.Helper()
	token, err := agoratoken.BuildUser(s.cfg.credentials(), user, expire, s.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s *Server) appToken(t testing.TB, expire uint32) string {
	t.Helper()
	token, err := agoratoken.BuildApp(s.cfg.credentials(), expire, s.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// entries returns what the journal holds, of the given names only when there are any.
func (s *Server) entries(names ...EntryName) []Entry {
	records, _ := s.journal.log.Since(0)
	var entries []Entry
	for _, r := range records {
		if len(names) == 0 || slices.Contains(names, r.name) {
			entries = append(entries, r.Entry())
		}
	}
	return entries
}

// only returns the one journal entry of that name.
func (w *world) only(name EntryName) Entry {
	w.t.Helper()
	synctest.Wait()
	entries := w.srv.entries(name)
	if len(entries) != 1 {
		w.t.Fatalf("%d entries %s, want 1: %+v", len(entries), name, entries)
	}
	return entries[0]
}

// told lists the sessions' entries, one line each: the instant from the start by the emulator's clock, name, user, device.
func (w *world) told(names ...EntryName) []string {
	w.t.Helper()
	synctest.Wait()
	var lines []string
	for _, e := range w.srv.entries(names...) {
		lines = append(lines, strings.Join([]string{e.At.Sub(w.start).String(), string(e.Name), e.User, e.Device}, " "))
	}
	return lines
}

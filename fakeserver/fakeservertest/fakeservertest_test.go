package fakeservertest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/fakeservertest"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// client is a session that talks to an emulator, as the code under test would.
func client(t testing.TB, e *fakeservertest.Emulator, user string, lifetime time.Duration) *session.Session {
	t.Helper()
	shape, _ := tokenclient.Preset("go")
	tokens, err := tokenclient.New(tokenclient.Config{URL: e.TokenURL, Shape: shape, AppID: e.AppID, DialContext: e.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Start(session.Config{
		User: user, Lifetime: lifetime, Tokens: tokens, RESTURL: e.RESTURL, WSURL: e.WSURL, Org: e.Org, App: e.App, DialContext: e.DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		tokens.Close()
	})
	return s
}

func TestOverTCP(t *testing.T) {
	t.Parallel()
	e := fakeservertest.Start(t, fakeserver.Config{})
	s := client(t, e, "alice", time.Hour)
	s.Login()
	opened := e.Wait(fakeserver.SessionOpened, "alice", 10*time.Second)
	if left := opened.ExpiresAt.Sub(opened.At); left < 59*time.Minute || left > time.Hour {
		t.Errorf("%v of the life left at login", left)
	}
	e.TriggerWillExpire("alice")
	e.Wait(fakeserver.SessionRenewed, "alice", 10*time.Second)
	if got := e.Requests("/generate-user-token"); got != 2 {
		t.Errorf("%d tokens fetched, want 2\n%s", got, e.Timeline())
	}
}

// A day in a bubble, with a token server that is down when the token is to be renewed.
func TestADayInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := fakeservertest.StartInMemory(t, fakeserver.Config{})
		lift := e.Fault(fakeserver.Fault{Target: fakeserver.FaultTokenServer, Kind: "status", On: fakeserver.SessionWillExpire})
		s := client(t, e, "alice", 24*time.Hour)
		s.Login()
		e.Wait(fakeserver.SessionOpened, "alice", time.Minute)
		e.NoMore(19*time.Hour, fakeserver.SessionWillExpire, fakeserver.SessionClosed)
		e.Wait(fakeserver.SessionWillExpire, "alice", time.Hour)
		e.Wait(fakeserver.FaultApplied, "", time.Hour)
		lift()
		e.Wait(fakeserver.SessionRenewed, "alice", time.Hour)
		if e.Count(fakeserver.SessionOpened, "alice") != 1 {
			t.Errorf("the client logged in again\n%s", e.Timeline())
		}
	})
}

func TestTokenLogsIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := fakeservertest.StartInMemory(t, fakeserver.Config{})
		body := strings.NewReader(`{"grant_type":"agora"}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.RESTURL+"/"+e.Org+"/"+e.App+"/token", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+e.Token("alice", time.Hour))
		resp, err := e.HTTPClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || e.Requests("/token") != 1 {
			t.Errorf("%s, %d exchanges\n%s", resp.Status, e.Requests("/token"), e.Timeline())
		}
	})
}

// recorder is a test that wants to fail.
type recorder struct {
	failed   string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failed += fmt.Sprintf(format, args...)
}
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }
func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

// What fails says what the emulator saw.
func TestFailuresTellTheStory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		defer r.end()
		e := fakeservertest.StartInMemory(r, fakeserver.Config{})
		s := client(t, e, "alice", time.Hour)
		s.Login()
		e.Wait(fakeserver.SessionOpened, "alice", time.Minute)
		if r.failed != "" {
			t.Fatal(r.failed)
		}
		for _, tc := range []struct {
			do   func()
			want string
		}{
			{func() { e.Wait(fakeserver.SessionRenewed, "alice", time.Second) }, "no session.renewed of alice within 1s; the emulator saw\n"},
			{func() { e.NoMore(time.Hour, fakeserver.SessionRenewed) }, "there is a session.renewed of alice within 1h0m0s; the emulator saw\n"},
			{func() { e.Fault(fakeserver.Fault{Target: "link", Kind: "melt"}) }, "no such fault: there is no fault \"melt\" on link; known: "},
		} {
			r.failed = ""
			tc.do()
			if !strings.Contains(r.failed, tc.want) || strings.Contains(tc.want, "saw") && !strings.Contains(r.failed, "session.opened       alice") {
				t.Errorf("said\n%s\nwant %q and the timeline", r.failed, tc.want)
			}
		}
	})
}

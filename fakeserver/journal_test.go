package fakeserver

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// TestJournalBound: the journal holds the newest entries and tells a reader how many it came too late for.
func TestJournalBound(t *testing.T) {
	s := newServer(t, Config{JournalSize: 5})
	early := s.Journal(0)
	for i := range 8 {
		s.journal.add(&Entry{Name: SessionOpened, User: fmt.Sprint(i + 1)})
	}
	for name, tt := range map[string]struct {
		reader *Reader
		first  uint64
		missed uint64
	}{"from the start": {early, 4, 3}, "later": {s.Journal(0), 4, 3}, "after 5": {s.Journal(5), 6, 0}} {
		entries, err := tt.reader.Next(t.Context())
		if err != nil || len(entries) != int(8-tt.first+1) || entries[0].Seq != tt.first || entries[0].User != fmt.Sprint(tt.first) || tt.reader.Missed() != tt.missed {
			t.Errorf("%s: %+v, %v, missed %d", name, entries, err, tt.reader.Missed())
		}
	}
}

// TestJournalReader: Next waits for what comes, ends with its context, and at last with the emulator.
func TestJournalReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, Config{})
		r := s.Journal(0)
		go func() {
			time.Sleep(time.Second)
			s.journal.add(&Entry{Name: SessionOpened})
		}()
		entries, err := r.Next(t.Context())
		if err != nil || len(entries) != 1 || !entries[0].At.Equal(s.Now()) {
			t.Errorf("Next = %+v, %v", entries, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Next(ctx); err == nil || err.Error() != context.DeadlineExceeded.Error() {
			t.Errorf("Next = %v", err)
		}
		s.journal.add(&Entry{Name: SessionClosed})
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
		s.journal.add(&Entry{Name: SessionOpened}) // too late
		if entries, err := r.Next(t.Context()); err != nil || len(entries) != 1 || entries[0].Name != SessionClosed {
			t.Errorf("what was left: %+v, %v", entries, err)
		}
		if entries, err := r.Next(t.Context()); err == nil {
			t.Errorf("after the end: %+v", entries)
		}
	})
}

// TestJournalFrames: both directions are rendered on one line each; a long frame too, without being kept.
func TestJournalFrames(t *testing.T) {
	s := newServer(t, Config{})
	l := s.attached(t, "alice", "web")
	l.receive(pack(t, msync.MSync_UNREAD, nil))
	l.receive(pack(t, msync.MSync_SYNC, &msync.CommSyncUL{
		Meta: chatMeta(t, 1, "bob", msync.TextBody("", "bob", strings.Repeat("a", maxJournalFrame)), nil),
	}))
	l.receive(garbage)
	var got []string
	for _, e := range s.entries(FrameIn, FrameOut)[2:] {
		got = append(got, string(e.Name)+" "+e.User+" "+e.Device+" "+e.Session+" "+e.Frame)
	}
	for i, want := range []string{
		"frame.in alice web c1 UNREAD", "frame.out alice web c1 UNREAD ts=", "frame.in alice web c1 SYNC up ",
		"frame.out alice web c1 SYNC ", "frame.in alice web c1 malformed: frame of 2 bytes",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) || strings.Contains(got[i], "\n") {
			t.Fatalf("line %d of %q, want %q", i, got, want)
		}
	}
	records, _ := s.journal.log.Since(0)
	for _, r := range records {
		if len(r.raw) > maxJournalFrame {
			t.Errorf("a frame of %d bytes is kept", len(r.raw))
		}
	}
}

// TestJournalLog: at debug level every entry goes to the log, with the fields that are set.
func TestJournalLog(t *testing.T) {
	var out bytes.Buffer
	s := newServer(t, Config{Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	l := s.attached(t, "alice", "web")
	l.kick(msync.StatisticsBody_USER_REMOVED, "test")
	l.ended("")
	for _, want := range []string{
		"msg=frame.in", "msg=session.opened", "entry.user=alice", "entry.device=web", "entry.session=c1", "entry.expires_at=", "entry.token=",
		`entry.reason="kicked with 207: test"`, "entry.seq=1 ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, &out)
		}
	}
}

// TestNoWholeToken: wherever a client puts its tokens, where they belong and where they do not, no entry of the journal holds one whole.
func TestNoWholeToken(t *testing.T) {
	places := map[string]func(w *world, token string){
		"login": func(w *world, token string) {
			w.dial().write(2, login{user: "alice", resource: "web", token: token}.frame(w.t))
		},
		"as the user": func(w *world, token string) {
			w.dial().write(2, login{user: token, resource: "web", token: token}.frame(w.t))
		},
		"as the resource": func(w *world, token string) {
			w.dial().write(2, login{user: "alice", resource: token, token: w.srv.userToken(w.t, "alice", 600)}.frame(w.t))
		},
		"in every other field": func(w *world, token string) {
			w.dial().write(2, login{user: "alice", resource: "web", token: token, change: func(m *msync.MSync, p *msync.Provision) {
				m.Guid.AppKey, p.DeviceUuid, p.DeviceName, p.SessionId = &token, &token, &token, &token
				m.UserAgent, p.Version, p.Auth, p.Reason = &token, &token, &token, &token
			}}.frame(w.t))
		},
		"in a message": func(w *world, token string) {
			w.login("bob", "web").post(1, "alice", msync.TextBody("", "alice", token), nil)
		},
		"to a token": func(w *world, token string) {
			w.login("bob", "web").post(1, token, msync.TextBody("", token, "x"), nil)
		},
		"as a queue": func(w *world, token string) {
			w.login("bob", "web").send(msync.MSync_SYNC, &msync.CommSyncUL{Queue: &msync.JID{Name: &token}})
		},
		"REST": func(w *world, token string) { w.rest(http.MethodGet, "/ttlchat/demo/users", token, "") },
		"exchange": func(w *world, token string) {
			w.rest(http.MethodPost, "/ttlchat/demo/token", token, `{"grant_type":"agora"}`)
		},
		"in a path":       func(w *world, token string) { w.rest(http.MethodGet, "/ttlchat/demo/users/"+token, token, "") },
		"in another path": func(w *world, token string) { w.rest(http.MethodGet, "/"+token+"/"+token, token, "") },
		"as a method": func(w *world, token string) {
			w.rest(strings.NewReplacer("/", "", "=", "").Replace(token), "/", "", "")
		},
		"as a user name": func(w *world, token string) {
			w.rest(http.MethodPost, "/ttlchat/demo/token", "", fmt.Sprintf(`{"grant_type":"password","username":%q,"password":%q}`, token, token))
		},
		"register": func(w *world, token string) {
			w.rest(http.MethodPost, "/ttlchat/demo/users", "", fmt.Sprintf(`{"username":%q,"password":%q}`, token, token))
		},
		"token server": func(w *world, token string) {
			w.ask(http.MethodPost, "/generate-user-token", fmt.Sprintf(`{"user_uuid":%q,"expire":60}`, token))
		},
		"token server's path": func(w *world, token string) { w.ask(http.MethodGet, "/"+token, "") },
		"renewal": func(w *world, token string) {
			w.rest(http.MethodGet, "/ttlchat/demo/sdk/users/alice/token/expires", token, "")
		},
	}
	kinds := map[string]func(w *world) string{
		"007":     func(w *world) string { return w.srv.userToken(w.t, "alice", 600) },
		"app":     func(w *world) string { return w.srv.appToken(w.t, 600) },
		"expired": func(w *world) string { return w.srv.userToken(w.t, "alice", 0) },
		"Chat": func(w *world) string {
			return w.srv.chatTokens.issue(grant{identity: "alice", expiresAt: w.start.Add(time.Hour)})
		},
		"other": func(w *world) string {
			return newChatTokens().issue(grant{app: true, expiresAt: w.start.Add(time.Hour)})
		},
		"short one": func(w *world) string { return newChatTokens().issue(grant{expiresAt: w.start}) },
	}
	names := func(n int) string { return fmt.Sprintf("step %d", n) }
	rapid.Check(t, func(rt *rapid.T) {
		var steps [][2]string
		for n := range rapid.IntRange(1, 6).Draw(rt, "steps") {
			steps = append(steps, [2]string{
				rapid.SampledFrom(sorted(places)).Draw(rt, names(n)), rapid.SampledFrom(sorted(kinds)).Draw(rt, names(n)),
			})
		}
		inWorld(t, Config{}, func(t *testing.T, w *world) {
			var tokens []string
			for _, step := range steps {
				token := kinds[step[1]](w)
				tokens = append(tokens, token)
				places[step[0]](w, token)
				synctest.Wait()
			}
			for _, e := range w.srv.entries() {
				v := reflect.ValueOf(e)
				for i := range v.NumField() {
					for _, token := range tokens {
						if v.Field(i).Kind() == reflect.String && strings.Contains(v.Field(i).String(), token) {
							rt.Errorf("after %v: %s holds a whole token: %+v", steps, v.Type().Field(i).Name, e)
						}
					}
				}
			}
		})
	})
}

// TestOfTokenServer tells what the token server did from what the chat service did.
func TestOfTokenServer(t *testing.T) {
	for name, tt := range map[string]struct {
		entry Entry
		want  bool
	}{
		"its call":             {Entry{Name: RESTRequest, Reason: tokenServerReason}, true},
		"a call that it broke": {Entry{Name: RESTRequest, Reason: "fault f1: token-server status"}, true},
		"a REST call":          {Entry{Name: RESTRequest}, false},
		"a broken REST call":   {Entry{Name: RESTRequest, Reason: "fault f1: rest status"}, false},
		"its fault":            {Entry{Name: FaultApplied, Fault: &FaultName{Target: FaultTokenServer}}, true},
		"another fault":        {Entry{Name: FaultApplied, Fault: &FaultName{Target: FaultLink}}, false},
		"its token":            {Entry{Name: TokenIssued, Token: "007eJx…"}, true},
		"an exchanged one":     {Entry{Name: TokenIssued, Token: "YWMtPB…"}, false},
		"a login":              {Entry{Name: SessionOpened, Reason: tokenServerReason}, false},
	} {
		if got := tt.entry.OfTokenServer(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

package chat

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/pipenet"
)

func TestLoginWithAnExpiredToken(t *testing.T) {
	for _, form := range []fakeserver.ExpiredStatus{fakeserver.ExpiredAsReason, fakeserver.ExpiredAsEnum} {
		for _, p := range Profiles() {
			t.Run(string(form)+"/"+p.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					net := pipenet.New()
					emulator(t, net, fakeserver.Config{ExpiredStatus: form})
					a := newApp(t, net, p)
					_, err := a.login("alice", token(t, time.Hour, 2*time.Hour))
					if err == nil || err.Kind != KindExpired || err.Code != p.ExpiredCode || !strings.Contains(err.Reason, "expired") {
						t.Fatalf("%v, want expired with code %d", err, p.ExpiredCode)
					}
					if got := a.names(); got != "" {
						t.Errorf("called back %s, want nothing: a refused login is the call's own answer", got)
					}
				})
			})
		}
	}
}

func TestLoginTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		emulator(t, net, fakeserver.Config{})
		a := newApp(t, net, Native)
		text := token(t, time.Hour, 0)
		var errs []*Error
		for range 2 { // the second while the first is under way
			a.Login(1, "alice", text, func(_ Life, err *Error) { errs = append(errs, err) })
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(errs) != 2 || errs[0] == nil || errs[0].Kind != KindRefused || errs[1] != nil {
			t.Fatalf("%v, want the second refused at once and the first done", errs)
		}
		if _, err := a.login("alice", text); err == nil || err.Code != AlreadyLoggedIn {
			t.Errorf("%v, want 200", err)
		}
		if _, err := a.login("bob", text); err == nil || err.Code != OtherUserLoggedIn {
			t.Errorf("%v, want 218", err)
		}
		if got := a.names(); got != "connected" {
			t.Errorf("called back %s, want one connected", got)
		}
	})
}

func TestRenewTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		emulator(t, net, fakeserver.Config{})
		a := newApp(t, net, Native)
		if _, err := a.login("alice", token(t, time.Hour, 0)); err != nil {
			t.Fatal(err)
		}
		var errs []*Error
		time.Sleep(time.Minute) // idle connections are gone, so that the first renewal takes its time
		for range 2 {
			a.RenewToken(token(t, 2*time.Hour, 0), func(_ Life, err *Error) { errs = append(errs, err) })
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(errs) != 2 || errs[0] == nil || errs[0].Kind != KindRefused || errs[1] != nil {
			t.Errorf("%v, want the second refused at once and the first done", errs)
		}
	})
}

// A renewal with a useless token is refused, and the session goes on with the old one.
func TestRefusedRenewal(t *testing.T) {
	for _, tc := range []struct {
		profile Profile
		age     time.Duration
		kind    Kind
		code    Code
	}{
		{Native, 2 * time.Hour, KindExpired, TokenExpired},
		{Web, 2 * time.Hour, KindInvalid, WebRenewUnauthorized}, // the service's sentence does not tell why
	} {
		t.Run(tc.profile.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := pipenet.New()
				emulator(t, net, fakeserver.Config{})
				a := newApp(t, net, tc.profile)
				before, err := a.login("alice", token(t, time.Hour, 0))
				if err != nil {
					t.Fatal(err)
				}
				var life Life
				var got *Error
				a.RenewToken(token(t, time.Hour, tc.age), func(l Life, err *Error) { life, got = l, err })
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got == nil || got.Kind != tc.kind || got.Code != tc.code || got.Phase != PhaseRenew || life != before {
					t.Errorf("%+v with life %v, want %s with code %d and the old life", got, life, tc.kind, tc.code)
				}
				time.Sleep(49 * time.Minute)
				if len(a.find(WillExpire)) == 0 {
					t.Error("the old token's warning is gone")
				}
			})
		})
	}
}

// What a gateway can do instead of a proper answer to the login.
func TestLoginTrouble(t *testing.T) {
	for _, tc := range []struct {
		name  string
		act   func(g gate)
		kind  Kind
		words string
	}{
		{"silence", func(g gate) { _ = g.until(msync.MSync_NOTICE) }, KindTimeout, "did not answer the login"},
		{"close", func(g gate) { _ = g.read() }, KindUnreachable, "connection was lost during the login"},
		{"garbage", func(g gate) { _ = g.read(); g.raw([]byte{0xff}); _ = g.read() }, KindProtocol, "something else than MSync"},
		{"text", func(g gate) { _ = g.read(); _ = g.WriteMessage(websocket.TextMessage, []byte("[]")); _ = g.read() }, KindProtocol, "something else than MSync"},
		{"no status", func(g gate) { _ = g.read(); g.say(msync.MSync_PROVISION, &msync.Provision{}); _ = g.read() }, KindProtocol, "something else than MSync"},
		{"refusal left open", func(g gate) {
			_ = g.read()
			g.say(msync.MSync_PROVISION, &msync.Provision{Status: status(msync.Status_FAIL, "Sorry, user not found")})
			_ = g.read()
		}, KindUnknownUser, "user not found"},
		{"too large", func(g gate) { _ = g.read(); g.raw(make([]byte, msync.MaxFrame+1)); _ = g.read() }, KindUnreachable, "connection was lost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := pipenet.New()
				gateway(t, net, func(_ int, g gate) { tc.act(g) })
				_, err := newApp(t, net, Web).login("alice", "007")
				if err == nil || err.Kind != tc.kind || !strings.Contains(err.Reason, tc.words) {
					t.Errorf("%+v, want %s and %q", err, tc.kind, tc.words)
				}
			})
		})
	}
}

func TestNoGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		serve(t, net, http.NotFound)
		_, err := newApp(t, net, Web).login("alice", "007")
		if err == nil || err.Kind != KindProtocol || !strings.Contains(err.Reason, "no chat gateway at ws://chat/websocket") {
			t.Errorf("%v", err)
		}
	})
}

// What a REST service can answer to the token exchange.
func TestExchangeTrouble(t *testing.T) {
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	hangs := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // the client is gone
	}
	const corrupt = `{"error":"auth_bad_access_token","error_description":"Unable to authenticate due to corrupt access token"}`
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		kind   Kind
		code   Code
		words  string
	}{
		{"expired", says(401, `{"error_description":"Unable to authenticate due to expired access token"}`), KindExpired, 108, "expired"},
		{"corrupt", says(401, corrupt), KindInvalid, 104, "check that the token is for this user"},
		{"HTML 401", says(401, "<html>"), KindInvalid, 104, "no reason given"},
		{"escape sequence", says(400, "{\"error_description\":\"a\\u001b[31mb\"}"), KindRefused, 303, "HTTP 400"},
		{"app not found", says(404, `{"error":"organization_application_not_found"}`), KindRefused, 303, "check --app-key"},
		{"busy", says(429, ""), KindBusy, 303, "HTTP 429"},
		{"broken", says(500, "{"), KindBusy, 303, "HTTP 500"},
		{"HTML", says(200, "<html>"), KindProtocol, 303, "did not answer with the JSON"},
		{"no token", says(200, `{"expire_timestamp":1}`), KindProtocol, 303, "without access_token"},
		{"no expiry", says(200, `{"access_token":"x"}`), KindProtocol, 303, "without access_token or expire_timestamp"},
		{"huge", says(200, `{"access_token":"`+strings.Repeat("x", maxAnswer)+`"}`), KindProtocol, 303, "JSON"},
		{"hangs", hangs, KindTimeout, ServerTimeout, "does not answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := pipenet.New()
				serve(t, net, tc.answer)
				_, err := newApp(t, net, Native).login("alice", "007")
				if err == nil || err.Kind != tc.kind || err.Code != tc.code || !strings.Contains(err.Reason, tc.words) {
					t.Errorf("%+v, want %s, %d and %q", err, tc.kind, tc.code, tc.words)
				}
				if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
					t.Errorf("%q holds an escape character", err.Error())
				}
			})
		})
	}
}

// A service that names no expiry: no token event ever fires, and messages go through.
func TestNoAuthToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		gateway(t, net, func(_ int, g gate) {
			g.welcome(time.Time{})
			for m := g.read(); m != nil; m = g.read() {
				switch m.GetCommand() {
				case msync.MSync_UNREAD:
					g.say(msync.MSync_UNREAD, &msync.CommUnreadDL{Status: ok(), Timestamp: new(uint64(time.Now().UnixMilli()))})
				case msync.MSync_SYNC:
					var up msync.CommSyncUL
					if err := msync.Payload(m, &up); err != nil || up.Meta == nil {
						continue
					}
					g.say(msync.MSync_SYNC, &msync.CommSyncDL{Status: ok(), MetaId: up.GetMeta().Id, ServerId: new(uint64(77))})
				}
			}
		})
		a := newApp(t, net, Web)
		life, err := a.login("alice", "007")
		if err != nil || !life.ExpiresAt.IsZero() || !life.WillExpireAt.IsZero() || life.AcceptedAt.IsZero() {
			t.Fatalf("%v, %v", life, err)
		}
		time.Sleep(25 * time.Hour) // no token lives longer
		a.Send(a.find(Connected)[0].Link, a.NextID(), "bob", "hello")
		if got := a.names(); got != "connected message_sent" {
			t.Errorf("called back %s", got)
		}
	})
}

// After each of these the client still takes a message, on the same link or on the next one.
func TestBadFrames(t *testing.T) {
	for _, tc := range []struct {
		name   string
		act    func(g gate)
		breaks bool
	}{
		{"unknown command", func(g gate) { g.say(99, &msync.CommNotice{}) }, false},
		{"truncated sync", func(g gate) { g.raw([]byte{0x40, 0, 0x4a, 1, 0xff}) }, false},
		{"no payload", func(g gate) {
			g.say(msync.MSync_SYNC, nil)
			g.say(msync.MSync_NOTICE, nil)
			g.say(msync.MSync_UNREAD, nil)
		}, false},
		{"batch without status", func(g gate) {
			g.notice("carol")
			g.awaitPull("carol")
			g.say(msync.MSync_SYNC, &msync.CommSyncDL{Queue: jid("carol"), NextKey: new(uint64(3))})
		}, false},
		{"unreadable batch", func(g gate) {
			g.notice("carol")
			g.awaitPull("carol")
			whole := frame(g.t, msync.MSync_SYNC, &msync.CommSyncDL{Status: ok(), Queue: jid("carol")})
			m, err := msync.Decode(whole)
			if err != nil {
				g.t.Error(err)
			}
			m.Payload = m.Payload[:len(m.Payload)-1]
			if whole, err = msync.Encode(m); err != nil {
				g.t.Error(err)
			}
			g.raw(whole)
		}, false},
		{"repeated key", func(g gate) {
			g.notice("carol")
			g.awaitPull("carol")
			g.batch("carol", 3, "again")
			g.awaitPull("carol")
			g.batch("carol", 3, "again") // another pull of carol's queue would be one for ever, and keep bob's waiting
		}, false},
		{"batch of another queue", func(g gate) { g.batch("mallory", 4, "unasked") }, false},
		{"not MSync", func(g gate) { g.raw([]byte("HTTP/1.1 500")) }, true},
		{"text frame", func(g gate) { _ = g.WriteMessage(websocket.TextMessage, []byte("hi")) }, true},
		{"oversized frame", func(g gate) { g.raw(make([]byte, msync.MaxFrame+1)) }, true},
		{"reserved bits", func(g gate) { _, _ = g.NetConn().Write([]byte{0xf2, 0x01, 0x00}) }, true},
		{"close frame", func(g gate) {
			_ = g.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4000, "bye\x1b[2J"), time.Now().Add(time.Second))
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := pipenet.New()
				gateway(t, net, func(n int, g gate) {
					g.welcome(time.Now().Add(time.Hour))
					if n == 1 {
						_ = g.until(msync.MSync_UNREAD)
						tc.act(g)
					}
					g.notice("bob")
					if _, alive := g.awaitPull("bob"); !alive {
						return
					}
					g.batch("bob", 5, "after all")
					if key, alive := g.awaitPull("bob"); alive && key != 5 {
						t.Errorf("the client confirms %d, want 5", key)
					}
					g.drained("bob")
					_ = g.until(msync.MSync_NOTICE) // till the client is gone
				})
				a := newApp(t, net, Web)
				if _, err := a.login("alice", "007"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Second)
				found := 0
				for _, e := range a.find(MessageReceived) {
					if e.Text == "after all" {
						found++
					}
				}
				if found != 1 {
					t.Errorf("the message after it came %d times; called back: %s", found, a.names())
				}
				if broken := a.find(Reconnecting); (len(broken) == 1) != tc.breaks {
					t.Errorf("%d breaks of the link: %s", len(broken), a.names())
				} else if tc.breaks && (broken[0].Reason == "" || strings.ContainsRune(broken[0].Reason, '\x1b')) {
					t.Errorf("the reason is %q", broken[0].Reason)
				}
			})
		})
	}
}

func TestKickEndsTheSession(t *testing.T) {
	for op, code := range map[msync.StatisticsBody_Operation]Code{
		msync.StatisticsBody_USER_REMOVED: 207, msync.StatisticsBody_USER_LOGIN_ANOTHER_DEVICE: 206,
		msync.StatisticsBody_USER_KICKED_BY_CHANGE_PASSWORD: 216, msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE: 217,
	} {
		l, events := standing(Native)
		l.statistic(&msync.StatisticsBody{Operation: &op, Reason: new("said\x1b[31m 007eJxTYPj3p2Tn\u200bb4tznzx9f2a")})
		if len(*events) != 1 || (*events)[0].Name != Kicked || (*events)[0].Code != code || l.link != nil {
			t.Errorf("%s: %+v, want one kick with %d", op, *events, code)
			continue
		}
		if reason := (*events)[0].Reason; !strings.Contains(reason, "said 007e…") || strings.ContainsRune(reason, '\x1b') {
			t.Errorf("%s: the reason is %q", op, reason)
		}
	}
}

// sleeper is a clock that nobody is woken by, as after a system sleep.
type sleeper struct{ now atomic.Pointer[time.Time] }

func (s *sleeper) Now() time.Time               { return *s.now.Load() }
func (s *sleeper) Changed() <-chan struct{}     { return nil }
func (s *sleeper) Wait(time.Time) time.Duration { return 24 * time.Hour }

func TestCheckLooksAtTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		server := emulator(t, net, fakeserver.Config{})
		clk, events := new(sleeper), make(chan EventName, 10)
		clk.now.Store(new(time.Now()))
		c := New(Config{
			Profile: Native, RESTURL: "http://chat", WSURL: "ws://chat/websocket", Org: fakeserver.DemoOrg, App: fakeserver.DemoApp, Resource: "device",
			Clock: clk, DialContext: net.DialContext, OnEvent: func(e Event) { events <- e.Name },
		})
		t.Cleanup(c.Close)
		if _, err := (&app{Client: c}).login("alice", token(t, time.Hour, 0)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		server.JumpClock(2 * time.Hour)
		clk.now.Store(new(time.Now().Add(2 * time.Hour)))
		c.Check()
		synctest.Wait()
		close(events)
		var got []EventName
		for e := range events {
			got = append(got, e)
		}
		if want := []EventName{Connected, TokenHasExpired, Disconnected}; !slices.Equal(got, want) {
			t.Errorf("called back %v, want %v", got, want)
		}
	})
}

func TestLateLinkIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := pipenet.New()
		closed := make(chan struct{})
		gateway(t, net, func(_ int, g gate) {
			_ = g.read()
			close(closed)
		})
		dialer := websocket.Dialer{NetDialContext: net.DialContext}
		conn, resp, err := dialer.DialContext(t.Context(), "ws://chat/websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		l, events := standing(Native)
		l.handle(gotLink{inConnected{gen: 0}, &link{conn: conn}})
		<-closed // or the bubble is stuck
		if len(*events) != 0 || l.link.gen != 1 {
			t.Errorf("a late link changed something: %v", *events)
		}
	})
}

func TestIDsGrow(t *testing.T) {
	c := new(Client)
	last := uint64(0)
	for range 10_000 {
		id := c.NextID()
		if id <= last {
			t.Fatalf("%d after %d", id, last)
		}
		last = id
	}
	if later := new(Client).NextID(); later <= last && last-later > 20_000 {
		t.Errorf("the next run starts far below: %d after %d", later, last)
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	net := pipenet.New()
	emulator(b, net, fakeserver.Config{})
	back, connected := make(chan struct{}, 1), make(chan uint64, 1)
	a := &app{Client: New(Config{
		Profile: Web, RESTURL: "http://chat", WSURL: "ws://chat/websocket", Org: fakeserver.DemoOrg, App: fakeserver.DemoApp, Resource: "device",
		Clock: clock.New(0), DialContext: net.DialContext,
		OnEvent: func(e Event) {
			switch e.Name {
			case Connected:
				connected <- e.Link
			case MessageReceived:
				back <- struct{}{}
			}
		},
	})}
	defer a.Close()
	if _, err := a.login("alice", token(b, time.Hour, 0)); err != nil {
		b.Fatal(err)
	}
	link := <-connected
	b.ReportAllocs()
	for b.Loop() {
		a.Send(link, a.NextID(), "echo", "hello")
		<-back
	}
}

// Where the environment names a proxy, the gateway is reached through it as the REST service is.
func TestGatewayThroughAProxy(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	through, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := connect(t.Context(), target{url: "ws://chat.test/websocket", proxy: http.ProxyURL(through)}, Native); err == nil {
		t.Fatal("a proxy that refuses has let somebody through")
	}
	select {
	case got := <-asked:
		if got != "CONNECT chat.test:80" {
			t.Errorf("the proxy was asked %q", got)
		}
	default:
		t.Error("the proxy was not asked")
	}
	if (Config{}).proxy() == nil || (Config{DialContext: new(net.Dialer).DialContext}).proxy() != nil {
		t.Error("the environment's proxy is for those, and only those, who do not dial themselves")
	}
}

// A batch of more messages than frames can wait is confirmed message by message as fast as the service takes that, and ends nothing.
func TestLargeBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, events := standing(Native)
		const many = 3 * queuedFrames
		text, err := proto.Marshal(msync.TextBody("bob", "alice", "hello"))
		if err != nil {
			t.Fatal(err)
		}
		batch := &msync.CommSyncDL{Status: ok(), Queue: jid("bob"), NextKey: new(uint64(many))}
		for n := range uint64(many) {
			batch.Metas = append(batch.Metas, &msync.Meta{Id: new(n + 1), From: jid("bob"), Ns: msync.Meta_CHAT.Enum(), Payload: text, Timestamp: new(n)})
		}
		m, err := msync.Pack(msync.MSync_SYNC, batch)
		if err != nil {
			t.Fatal(err)
		}
		writing := l.link
		go func() {
			for {
				select {
				case <-writing.out:
					time.Sleep(time.Second)
				case <-writing.ending:
					return
				}
			}
		}()
		l.frame(m)
		if l.link == nil || len(*events) != many {
			t.Errorf("%d messages were told of, the link is %v", len(*events), l.link)
		}
		select {
		case <-writing.ending:
			t.Error("the link has ended")
		default:
		}
		writing.end()
		time.Sleep(time.Minute)
	})
}

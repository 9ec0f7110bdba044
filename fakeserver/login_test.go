package fakeserver

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// otherHex is a well-formed App ID or App Certificate that belongs to nobody here.
const otherHex = "00000000000000000000000000000000"

// serviceToken is a token of the demo project with services that the chat token builder does not make.
func serviceToken(t testing.TB, services ...accesstoken2.IService) string {
	t.Helper()
	token := accesstoken2.NewAccessToken(DemoAppID, DemoAppCertificate, 600)
	for _, s := range services {
		token.AddService(s)
	}
	text, err := token.Build()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func chatService(user string) accesstoken2.IService {
	s := accesstoken2.NewServiceChat(user)
	s.AddPrivilege(accesstoken2.PrivilegeChatUser, 600)
	return s
}

func builtWith(t testing.TB, c agoratoken.Credentials, at time.Time) string {
	t.Helper()
	token, err := agoratoken.BuildUser(c, "alice", 600, at)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestProvisionRefused has each refusal of protocol.md d.5 that the emulator makes: what the client is told, to the letter, what the
// journal says instead, and that the socket is closed after it.
func TestProvisionRefused(t *testing.T) {
	type refused struct {
		cfg    Config
		user   string // alice when empty
		token  func(t *testing.T, w *world) string
		change func(m *msync.MSync, p *msync.Provision)

		status msync.Status_ErrorCode
		reason string
		code   int
		detail string // part of the journal's reason
	}
	good := func(t *testing.T, w *world) string { return w.srv.userToken(t, "alice", 600) }
	expired := func(t *testing.T, w *world) string {
		token := w.srv.userToken(t, "alice", 10)
		time.Sleep(10 * time.Second)
		return token
	}
	mismatch := func(detail string, token func(*testing.T, *world) string) refused {
		return refused{token: token, status: msync.Status_FAIL, reason: reasonMismatch, code: 28, detail: detail}
	}
	text := func(s string) func(*testing.T, *world) string { return func(*testing.T, *world) string { return s } }
	badUser := func(user string) refused {
		return refused{
			user: user, token: good, status: msync.Status_WRONG_PARAMETER, code: -3, detail: "is no user id",
			change: func(m *msync.MSync, _ *msync.Provision) { m.Guid.Name = &user },
		}
	}
	refuse24h := mismatch("24 hours", func(t *testing.T, w *world) string { return w.srv.userToken(t, "alice", 86_401) })
	refuse24h.cfg = Config{Over24h: Over24hRefuse}

	for name, tt := range map[string]refused{
		"expired":         {token: expired, status: msync.Status_FAIL, reason: "Sorry, token expired", code: 56, detail: "the token expired at"},
		"expired as enum": {cfg: Config{ExpiredStatus: ExpiredAsEnum}, token: expired, status: msync.Status_TOKEN_EXPIRED, reason: "Sorry, token expired", code: 2, detail: "the token expired at"},
		"expired Chat token": {
			token: func(_ *testing.T, w *world) string {
				token := w.srv.chatTokens.issue(grant{identity: "alice", expiresAt: w.start.Add(time.Second)})
				time.Sleep(time.Second)
				return token
			},
			status: msync.Status_FAIL, reason: "Sorry, token expired", code: 56, detail: "the Chat token expired at",
		},
		"Chat token of another emulator": mismatch("not issued by this emulator", func(_ *testing.T, w *world) string {
			return newChatTokens().issue(grant{identity: "alice", expiresAt: w.start.Add(time.Hour)})
		}),
		"Chat token of another user": mismatch(`for "bob", not for "alice"`, func(_ *testing.T, w *world) string {
			return w.srv.chatTokens.issue(grant{identity: "bob", expiresAt: w.start.Add(time.Hour)})
		}),
		"Chat token of an app": mismatch("an app token cannot log a user in", func(_ *testing.T, w *world) string {
			return w.srv.chatTokens.issue(grant{app: true, expiresAt: w.start.Add(time.Hour)})
		}),
		"wrong certificate": mismatch("signature", func(t *testing.T, w *world) string {
			return builtWith(t, agoratoken.Credentials{AppID: DemoAppID, Certificate: otherHex}, w.start)
		}),
		"other App ID": mismatch("App ID", func(t *testing.T, w *world) string {
			return builtWith(t, agoratoken.Credentials{AppID: otherHex, Certificate: DemoAppCertificate}, w.start)
		}),
		"issued in the future": mismatch("compare the clocks", func(t *testing.T, w *world) string {
			return builtWith(t, w.srv.cfg.credentials(), w.start.Add(2*time.Hour))
		}),
		"RTC token": mismatch("0 chat services", func(t *testing.T, _ *world) string {
			return serviceToken(t, accesstoken2.NewServiceRtc("room", "alice"))
		}),
		"two chat services": mismatch("2 chat services", func(t *testing.T, _ *world) string {
			return serviceToken(t, chatService("alice"), chatService("bob"))
		}),
		"app token":          mismatch("an app token cannot log a user in", func(t *testing.T, w *world) string { return w.srv.appToken(t, 600) }),
		"other user's token": mismatch(`for "bob", not for "alice"`, func(t *testing.T, w *world) string { return w.srv.userToken(t, "bob", 600) }),
		"garbage":            mismatch("007", text("hello")),
		"damaged":            mismatch("cut off", text("007eJxTYPj3p2Tnb4t")),
		"empty token":        mismatch("no token", text("")),
		"over 24 h":          refuse24h,
		"unknown user, closed registration": {
			cfg: Config{ClosedRegistration: true}, token: good,
			status: msync.Status_FAIL, reason: "Sorry, user not found", code: 204, detail: "user not found",
		},
		"wrong app key": {
			token: good, status: msync.Status_WRONG_PARAMETER, code: -3, detail: `"other#app" is not served here`,
			change: func(m *msync.MSync, _ *msync.Provision) { m.Guid.AppKey = new("other#app") },
		},
		"no user id":         badUser(""),
		"user id too long":   badUser(strings.Repeat("a", 65)),
		"upper-case user id": badUser("Alice"),
		"hostile user id":    badUser("al\x1b[2Jice"),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tt.cfg, func(t *testing.T, w *world) {
				token := tt.token(t, w)
				c := w.dial()
				reply := c.provision(login{user: "alice", resource: "web", token: token, change: tt.change})
				if tt.reason == "" {
					tt.reason = reply.GetStatus().GetReason()
				}
				want := &msync.Provision{Status: status(tt.status, tt.reason)}
				if diff := cmp.Diff(want, reply, protocmp.Transform()); diff != "" {
					t.Errorf("the answer (-want +got):\n%s", diff)
				}
				if code, text := c.closed(); code != closeNormal || !strings.HasPrefix(text, "login refused: ") {
					t.Errorf("closed with %d %q", code, text)
				}
				e := w.only(SessionRefused)
				if e.Code != tt.code || !strings.Contains(e.Reason, tt.detail) {
					t.Errorf("the journal has %d %q, want %d and %q in it", e.Code, e.Reason, tt.code, tt.detail)
				}
				if strings.ContainsRune(e.User+e.Reason, '\x1b') {
					t.Errorf("an escape sequence in %+v", e)
				}
				if got := w.srv.entries(SessionOpened, SessionClosed); got != nil {
					t.Errorf("a refused login made sessions: %+v", got)
				}
				if _, _, known := w.srv.hub.find("alice"); known {
					t.Error("a refused login made a user")
				}
			})
		})
	}
}

// TestProvisionAccepted has what logs in, and the places where the SDKs of all ages put their token (protocol-versions.md, "must do" 3).
func TestProvisionAccepted(t *testing.T) {
	auth := func(t testing.TB, token string) []byte {
		b, err := msync.EncodeAuthToken(msync.AuthToken{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	type accepted struct {
		cfg    Config
		token  func(t *testing.T, w *world) string
		place  func(m *msync.MSync, p *msync.Provision, token string)
		expire time.Duration // from the start
	}
	good := func(t *testing.T, w *world) string { return w.srv.userToken(t, "alice", 600) }
	for name, tt := range map[string]accepted{
		"007 token":           {token: good, expire: 10 * time.Minute},
		"over 24 h is capped": {token: func(t *testing.T, w *world) string { return w.srv.userToken(t, "alice", 1<<31) }, expire: 24 * time.Hour},
		"24 h where more is refused": {
			cfg:   Config{Over24h: Over24hRefuse},
			token: func(t *testing.T, w *world) string { return w.srv.userToken(t, "alice", 86_400) }, expire: 24 * time.Hour,
		},
		"known user, closed registration": {
			cfg: Config{ClosedRegistration: true, Users: []User{{Name: "alice"}}}, token: good, expire: 10 * time.Minute,
		},
		"UUID as the identity": {
			cfg: Config{Users: []User{{Name: "alice"}}},
			token: func(t *testing.T, w *world) string {
				e, _, _ := w.srv.hub.find("alice")
				return w.srv.userToken(t, e.UUID, 600)
			},
			expire: 10 * time.Minute,
		},
		"Chat token": {
			token: func(_ *testing.T, w *world) string {
				return w.srv.chatTokens.issue(grant{identity: "alice", expiresAt: w.start.Add(1500 * time.Millisecond)})
			},
			expire: 1500 * time.Millisecond,
		},
		"no app key": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, _ *msync.Provision, _ string) { m.Guid.AppKey = nil },
		},
		"auth_token only": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, p *msync.Provision, token string) {
				m.Auth, p.AuthToken = nil, auth(t, "$t$"+token)
			},
		},
		"auth_token without $t$": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, p *msync.Provision, token string) { m.Auth, p.AuthToken = nil, auth(t, token) },
		},
		"Provision.auth": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, p *msync.Provision, token string) {
				m.Auth, p.AuthToken, p.Auth = nil, nil, new("$t$"+token)
			},
		},
		"Provision.auth without $t$": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, p *msync.Provision, token string) { m.Auth, p.AuthToken, p.Auth = nil, nil, &token },
		},
		"MSync.auth": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, p *msync.Provision, token string) { m.Auth, p.AuthToken = new("$t$"+token), nil },
		},
		"MSync.auth without $t$": {
			token: good, expire: 10 * time.Minute,
			place: func(m *msync.MSync, p *msync.Provision, token string) { m.Auth, p.AuthToken = &token, nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tt.cfg, func(t *testing.T, w *world) {
				token := tt.token(t, w)
				c := w.dial()
				reply := c.provision(login{user: "alice", resource: "webim_web_1", token: token, change: func(m *msync.MSync, p *msync.Provision) {
					if tt.place != nil {
						tt.place(m, p, token)
					}
				}})
				expires := w.start.Add(tt.expire)
				given, err := msync.DecodeAuthToken(reply.GetAuthToken())
				if err != nil || given != (msync.AuthToken{Token: token, ExpiresIn: expires.UnixMilli()}) {
					t.Errorf("auth_token %+v, %v; want the token and %d", given, err, expires.UnixMilli())
				}
				e := w.only(SessionOpened)
				want := &msync.Provision{
					Status: okStatus(), Resource: new("webim_web_1"), DeviceUuid: new("uuid of webim_web_1"), SessionId: &e.Session,
					AuthToken: reply.GetAuthToken(),
				}
				if diff := cmp.Diff(want, reply, protocmp.Transform()); diff != "" || e.Session == "" {
					t.Errorf("the answer of session %q (-want +got):\n%s", e.Session, diff)
				}
				if e.User != "alice" || e.Device != "webim_web_1" || !e.ExpiresAt.Equal(expires) || !e.WillExpireAt.Equal(w.start.Add(tt.expire*8/10)) {
					t.Errorf("the journal has %+v", e)
				}
				c.wantOpen()
			})
		})
	}
}

// TestResource: the device is known by its resource, so a missing one is made up, as is one that is not fit to be shown in a journal.
func TestResource(t *testing.T) {
	token := "007" + strings.Repeat("x", 130)
	for name, tt := range map[string]struct {
		provision, guid *string
		want            string // "" means made up
	}{
		"in the provision":    {new("a"), new("b"), "a"},
		"in the guid only":    {nil, new("b"), "b"},
		"none":                {nil, nil, ""},
		"too long":            {new(strings.Repeat("a", 257)), nil, ""},
		"with an escape":      {new("web\x1b[2J"), nil, ""},
		"with a line break":   {new("web\n"), nil, ""},
		"long as a token is":  {&token, nil, ""},
		"as iOS may write it": {new("ios_0F8FAD5B-D9CB-469F-A165-70867728950E"), nil, "ios_0F8FAD5B-D9CB-469F-A165-70867728950E"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				reply := w.dial().provision(login{
					user: "alice", token: w.srv.userToken(t, "alice", 600),
					change: func(m *msync.MSync, p *msync.Provision) { p.Resource, m.Guid.ClientResource = tt.provision, tt.guid },
				})
				want := tt.want
				if want == "" {
					want = "ttlchat_" + reply.GetSessionId()
				}
				if got := w.only(SessionOpened).Device; reply.GetResource() != want || got != want {
					t.Errorf("answered %q, journal %q, want %q", reply.GetResource(), got, want)
				}
			})
		})
	}
}

// TestProvisionMakesTheUser: where registration is open a user appears at the first login.
func TestProvisionMakesTheUser(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		if _, online, known := w.srv.hub.find("alice"); !known || !online {
			t.Errorf("known %v, online %v", known, online)
		}
	})
}

// TestStrayProvision: an SDK whose token has expired may come back without one (protocol.md d.8).
func TestStrayProvision(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.dial()
		c.write(2, login{user: "alice", resource: "web"}.frame(t))
		synctest.Wait()
		if e := w.only(SessionRefused); e.Reason != "no token" || e.Code != 28 {
			t.Errorf("the journal has %+v", e)
		}
		c.wantClosed(closeNormal)
	})
}

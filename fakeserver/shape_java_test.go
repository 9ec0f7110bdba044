package fakeserver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// TestJavaMisconfigured: the Java servers answer 200 with a complaint, or with nothing, when their properties are no good.
func TestJavaMisconfigured(t *testing.T) {
	const app, user, uuid = "/chat/app/token", "/chat/user/alice/token", "/chat/user/uuid/u-1/token"
	good := "appid=" + DemoAppID + "\nappcert=" + DemoAppCertificate + "\nexpire.second=60\n"
	for name, tt := range map[string]struct {
		properties, path string
		status           int
		want             string // of the answer
	}{
		"sources/002 as printed":            {"server.port=8090\nappid=\"\"\nappcert=\"\"\nappkey=\"\"\nexpire.second=60\n", uuid, 200, complaintAppID},
		"sources/001 without credentials":   {"server.port=8090\nappid=\nappcert=\nexpire.second=6000\ndomain=\n", app, 200, complaintAppID},
		"the same for a user":               {"appid=\nappcert=\nexpire.second=6000\n", user, 200, complaintAppID},
		"no certificate":                    {"appid=" + DemoAppID + "\nappcert= \nexpire.second=60\n", app, 200, complaintAppID},
		"credentials in quotes":             {"appid=\"" + DemoAppID + "\"\nappcert=\"" + DemoAppCertificate + "\"\nexpire.second=60\n", app, 200, ""},
		"a space behind the App ID":         {"appid=" + DemoAppID + " \nappcert=" + DemoAppCertificate + "\nexpire.second=60\n", uuid, 200, ""},
		"credentials":                       {good, app, 200, "TOKEN"},
		"a UUID needs no more":              {good, uuid, 200, "TOKEN"},
		"a name needs appkey and domain":    {good + "appkey=ttlchat#demo\n", user, 200, complaintAppKey},
		"an appkey that is none":            {good + "appkey=ttlchat\ndomain=localhost\n", user, 200, complaintIllegal},
		"everything":                        {good + "appkey=ttlchat#demo\ndomain=localhost\n", user, 200, "TOKEN"},
		"another app":                       {good + "appkey=other#demo\ndomain=localhost\n", user, 500, springBody(500, user)},
		"a blank name":                      {good + "appkey=ttlchat#demo\ndomain=localhost\n", "/chat/user/%20/token", 200, "chatUserName is not empty"},
		"a blank UUID":                      {good, "/chat/user/uuid/%20/token", 200, "chatUserUuid is not empty"},
		"a name that cannot be registered":  {good + "appkey=ttlchat#demo\ndomain=localhost\n", "/chat/user/Zoe/token", 500, springBody(500, "/chat/user/Zoe/token")},
		"REST refuses another certificate":  {"appid=" + DemoAppID + "\nappcert=" + otherHex + "\nappkey=ttlchat#demo\ndomain=d\nexpire.second=60\n", user, 500, springBody(500, user)},
		"the UUID path does not ask REST":   {"appid=" + DemoAppID + "\nappcert=" + otherHex + "\nexpire.second=60\n", uuid, 200, "TOKEN"},
		"an app token that is over at once": {strings.Replace(good, "=60", "=0", 1) + "appkey=ttlchat#demo\ndomain=localhost\n", user, 500, springBody(500, user)},
	} {
		t.Run(name, func(t *testing.T) {
			kind := textKind
			if tt.status != http.StatusOK {
				kind = springKind
			}
			checkShape(t, Config{Properties: withProperties(t, tt.properties)}, []shapeAnswer{{"", http.MethodGet, tt.path, "", tt.status, kind, tt.want}})
		})
	}
}

// TestJavaAppToken lives as long as the configuration says, a life of 0 s too.
func TestJavaAppToken(t *testing.T) {
	for _, life := range []string{"0", "60", "-1"} {
		inWorld(t, Config{Properties: withProperties(t, properties(life))}, func(t *testing.T, w *world) {
			_, _, answer := w.ask(http.MethodGet, "/chat/app/token", "")
			token, err := agoratoken.Read(answer)
			if err != nil {
				t.Fatal(err)
			}
			if chat, err := token.Claims().Chat(); err != nil || !chat.AppPrivilege || token.Claims().Expire != w.srv.configuredLife(1) {
				t.Errorf("%+v, %v", token.Claims(), err)
			}
		})
	}
}

// TestJavaUserToken: the token is for the UUID of the named user, who is registered with the password 123 on the first call, also where
// registration is closed, and it opens the chat service for that name.
func TestJavaUserToken(t *testing.T) {
	inWorld(t, Config{ClosedRegistration: true}, func(t *testing.T, w *world) {
		var uuid string
		for range 2 {
			_, _, answer := w.ask(http.MethodGet, "/chat/user/zoe/token", "")
			g, bad := w.srv.authenticate(answer)
			if bad != nil || g.identity == "zoe" || w.srv.hub.nameOf(g.identity) != "zoe" || g.expiresAt.Sub(w.start).Seconds() != javaLife {
				t.Fatalf("%+v, %v", g, bad)
			}
			if uuid != "" && g.identity != uuid {
				t.Errorf("the UUID became %s, was %s", g.identity, uuid)
			}
			uuid = g.identity
		}
		if _, right := w.srv.hub.checkPassword("zoe", "123"); !right {
			t.Error("the password is not 123")
		}
		_, _, older := w.ask(http.MethodGet, "/chat/user/uuid/"+uuid+"/token", "")
		if g, bad := w.srv.authenticate(older); bad != nil || g.identity != uuid || g.expiresAt.Sub(w.start).Seconds() != olderJavaLife {
			t.Errorf("%+v, %v", g, bad)
		}
	})
}

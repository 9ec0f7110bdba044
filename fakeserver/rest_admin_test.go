package fakeserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// as makes a call below /{org}/{app}; who is "app" or a user.
func (w *world) as(who, method, path, body string) (status int, answer string) {
	w.t.Helper()
	token := ""
	switch who {
	case "":
	case "app":
		token = w.srv.appToken(w.t, 600)
	default:
		token = w.srv.userToken(w.t, who, 600)
	}
	return w.rest(method, "/ttlchat/demo/"+path, token, body)
}

// data makes a call that must succeed and returns what it has under "data", compact.
func (w *world) data(who, method, path, body string) string {
	w.t.Helper()
	status, answer := w.as(who, method, path, body)
	var got struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return string(got.Data)
}

// wantStatus makes a call whose answer matters only in so far.
func (w *world) wantStatus(want int, who, method, path, body string) string {
	w.t.Helper()
	status, answer := w.as(who, method, path, body)
	if status != want {
		w.t.Errorf("%s %s by %q: %d %s, want %d", method, path, who, status, answer, want)
	}
	return answer
}

// pulled is the one message that waits in a queue.
func (c *client) pulled(peer string) *msync.Meta {
	c.t.Helper()
	batch := c.pull(peer, 0)
	if len(batch.GetMetas()) != 1 {
		c.t.Fatalf("%d messages from %s", len(batch.GetMetas()), peer)
	}
	c.pull(peer, batch.GetNextKey())
	return batch.GetMetas()[0]
}

// TestPostMessages: each type of message arrives as an SDK would have sent it (protocol.md b.4 and e).
func TestPostMessages(t *testing.T) {
	kind := func(k msync.MessageBody_Content_Type) *msync.MessageBody_Content_Type { return &k }
	str := func(key, value string) *msync.KeyValue {
		return &msync.KeyValue{Key: &key, Type: msync.KeyValue_STRING.Enum(), StringValue: &value}
	}
	for name, tt := range map[string]struct {
		kind, body string
		want       *msync.MessageBody_Content
	}{
		"txt": {"txt", `{"msg":"hi"}`, &msync.MessageBody_Content{Type: kind(msync.MessageBody_Content_TEXT), Text: new("hi")}},
		"cmd": {"cmd", `{"action":"go"}`, &msync.MessageBody_Content{Type: kind(msync.MessageBody_Content_COMMAND), Action: new("go")}},
		"custom": {"custom", `{"customEvent":"gift","customExts":{"b":"2","a":"1"}}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_CUSTOM), CustomEvent: new("gift"), CustomExts: []*msync.KeyValue{str("a", "1"), str("b", "2")},
		}},
		"custom, list": {"custom", `{"customEvent":"gift","customExts":[{"b":"2"},{"a":"1"}]}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_CUSTOM), CustomEvent: new("gift"), CustomExts: []*msync.KeyValue{str("b", "2"), str("a", "1")},
		}},
		"loc": {"loc", `{"lat":"52.25","lng":-21,"addr":"there"}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_LOCATION), Latitude: new(52.25), Longitude: new(-21.0), Address: new("there"),
		}},
		"img": {"img", `{"filename":"a.png","secret":"s","url":"u","size":{"width":3,"height":4}}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_IMAGE), DisplayName: new("a.png"), SecretKey: new("s"), RemotePath: new("u"),
			Size: &msync.MessageBody_Content_Size{Width: new(3.0), Height: new(4.0)},
		}},
		"audio": {"audio", `{"filename":"a.amr","secret":"s","url":"u","length":9}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_VOICE), DisplayName: new("a.amr"), SecretKey: new("s"), RemotePath: new("u"), Duration: new(int32(9)),
		}},
		"video": {"video", `{"url":"u","length":9,"file_length":5,"thumb":"tu","thumb_secret":"ts"}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_VIDEO), RemotePath: new("u"), Duration: new(int32(9)), FileLength: new(int32(5)),
			ThumbnailRemotePath: new("tu"), ThumbnailSecretKey: new("ts"),
		}},
		"file": {"file", `{"filename":"a","secret":"s","url":"u"}`, &msync.MessageBody_Content{
			Type: kind(msync.MessageBody_Content_FILE), DisplayName: new("a"), SecretKey: new("s"), RemotePath: new("u"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				alice := w.login("alice", "web")
				data := w.data("app", http.MethodPost, "messages/users", fmt.Sprintf(`{"to":["alice"],"type":%q,"body":%s}`, tt.kind, tt.body))
				alice.noticed()
				meta := alice.pulled("admin")
				body := bodyOf(t, meta)
				if diff := cmp.Diff([]*msync.MessageBody_Content{tt.want}, body.GetContents(), protocmp.Transform()); diff != "" {
					t.Errorf("the content (-want +got):\n%s", diff)
				}
				if want := fmt.Sprintf(`{"alice":"%d"}`, meta.GetId()); data != want || body.GetFrom().GetName() != "admin" || body.GetType() != msync.MessageBody_CHAT {
					t.Errorf("answered %s, want %s; the message is %v", data, want, body)
				}
			})
		})
	}
}

// TestPostMessagesExt: every JSON type has a form on the wire (protocol.md b.1).
func TestPostMessagesExt(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		const ext = `{"a":true,"b":false,"c":-7,"d":1.5,"e":"x\"y","f":{"g":[1]},"h":[],"i":null,"j":1e400,"k":18446744073709551615}`
		w.data("app", http.MethodPost, "messages/users", `{"from":"support","to":["alice"],"type":"txt","body":{"msg":"hi"},"ext":`+ext+`}`)
		alice.noticed()
		var got []string
		for _, kv := range bodyOf(t, alice.pulled("support")).GetExt() {
			got = append(got, fmt.Sprintf("%s %v %v %v %v", kv.GetKey(), kv.GetType(), kv.GetVarintValue(), kv.GetDoubleValue(), kv.GetStringValue()))
		}
		want := []string{
			"a BOOL 1 0 ", "b BOOL 0 0 ", "c INT -7 0 ", "d DOUBLE 0 1.5 ", `e STRING 0 0 x"y`, `f JSON_STRING 0 0 {"g":[1]}`, "h JSON_STRING 0 0 []",
			"i JSON_STRING 0 0 null", "j JSON_STRING 0 0 1e400", "k DOUBLE 0 1.8446744073709552e+19 ",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the ext (-want +got):\n%s", diff)
		}
	})
}

func TestPostMessagesRefused(t *testing.T) {
	text := func(more string) string { return `{"to":["alice"],"type":"txt","body":{"msg":"hi"}` + more + `}` }
	many := `{"to":["alice"` + strings.Repeat(`,"bob"`, maxReceivers) + `],"type":"txt","body":{"msg":"hi"}}`
	for name, tt := range map[string]struct {
		who, body string
		status    int
		want      string // part of the answer
	}{
		"by a user":             {"alice", text(""), 401, "auth_bad_access_token"},
		"by nobody":             {"", text(""), 401, "expired access token"},
		"no JSON":               {"app", "hi", 400, "json_parse"},
		"empty from":            {"app", text(`,"from":""`), 400, "from must be a user id"},
		"hostile from":          {"app", text(`,"from":"\u001b[2J"`), 400, "from must be a user id"},
		"nobody to write to":    {"app", `{"to":[],"type":"txt","body":{"msg":"hi"}}`, 400, "1 to 600 receivers"},
		"too many":              {"app", many, 400, "1 to 600 receivers"},
		"hostile receiver":      {"app", `{"to":["A B"],"type":"txt","body":{"msg":"hi"}}`, 400, `\"A B\" is no user id`},
		"unknown type":          {"app", `{"to":["alice"],"type":"smell","body":{}}`, 400, "type must be one of audio, cmd,"},
		"no text":               {"app", `{"to":["alice"],"type":"txt","body":{}}`, 400, "body.msg is missing"},
		"no body":               {"app", `{"to":["alice"],"type":"txt"}`, 400, "not that of a txt message"},
		"no action":             {"app", `{"to":["alice"],"type":"cmd","body":{}}`, 400, "body.action is missing"},
		"no longitude":          {"app", `{"to":["alice"],"type":"loc","body":{"lat":1}}`, 400, "body.lng is missing"},
		"latitude is no number": {"app", `{"to":["alice"],"type":"loc","body":{"lat":"NaN","lng":1}}`, 400, "not that of a loc message"},
		"no file":               {"app", `{"to":["alice"],"type":"file","body":{"filename":"x"}}`, 400, "body.url is missing"},
		"unknown route":         {"app", text(`,"routetype":"ROUTE_SCENIC"`), 400, "routetype"},
		"ext is a list":         {"app", text(`,"ext":[1]`), 400, "json_parse"},
		"over 5 KB":             {"app", text(`,"ext":{"x":"` + strings.Repeat("x", maxMessage) + `"}`), 400, "message is too large"},
		"over the body's limit": {"app", text(`,"ext":{"x":"` + strings.Repeat("x", maxBody) + `"}`), 413, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				if answer := w.wantStatus(tt.status, tt.who, http.MethodPost, "messages/users", tt.body); !strings.Contains(answer, tt.want) {
					t.Errorf("answered %s", answer)
				}
				if stored := w.srv.entries(MessageStored); len(stored) > 0 {
					t.Errorf("stored %+v", stored)
				}
			})
		})
	}
}

// TestPostMessagesRoutes: ROUTE_ONLINE misses who is away, sync_device shows the message to its sender, and where registration is closed
// the answer names only those who exist.
func TestPostMessagesRoutes(t *testing.T) {
	inWorld(t, Config{Users: []User{{Name: "alice"}, {Name: "support"}}, ClosedRegistration: true}, func(t *testing.T, w *world) {
		send := func(more string) string {
			return w.data("app", http.MethodPost, "messages/users", `{"from":"support","to":["alice","nobody","alice"],"type":"txt","body":{"msg":"hi"}`+more+`}`)
		}
		if data := send(`,"routetype":"ROUTE_ONLINE"`); strings.Contains(data, "nobody") || !strings.Contains(data, "alice") {
			t.Errorf("answered %s", data)
		}
		alice, support := w.login("alice", "web"), w.login("support", "desk")
		if got := alice.drain("support"); got != nil {
			t.Errorf("who was away got %q", got)
		}
		send("")
		if got := alice.noticed(); !cmp.Equal(got, []string{"support"}) {
			t.Errorf("alice was told of %q", got)
		}
		support.quiet()
		send(`,"sync_device":true`)
		if got := support.noticed(); !cmp.Equal(got, []string{"alice"}) {
			t.Errorf("support was told of %q", got)
		}
		if meta := support.pulled("alice"); meta.GetFrom().GetName() != "support" || meta.GetTo().GetName() != "alice" {
			t.Errorf("support sees %v", meta)
		}
		if got := alice.drain("support"); !cmp.Equal(got, []string{"hi", "hi"}) {
			t.Errorf("alice got %q", got)
		}
	})
}

// TestPassword: a new password kicks with 216 and voids the Chat tokens issued before it, not the 007 tokens that the app's server signed.
func TestPassword(t *testing.T) {
	inWorld(t, Config{Users: []User{{Name: "alice", Password: "old"}}}, func(t *testing.T, w *world) {
		buy := func(password string) (token string) {
			status, answer := w.rest(http.MethodPost, "/ttlchat/demo/token", "", fmt.Sprintf(`{"grant_type":"password","username":"alice","password":%q}`, password))
			var got tokenAnswer
			if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
			return got.AccessToken
		}
		renewal := func(token string) int {
			status, _ := w.rest(http.MethodGet, "/ttlchat/demo/sdk/users/alice/token/expires", token, "")
			return status
		}
		old, signed := buy("old"), w.srv.userToken(t, "alice", 600)
		alice := w.login("alice", "web")
		if got := w.wantStatus(400, "app", http.MethodPut, "users/alice/password", `{"newpassword":""}`); !strings.Contains(got, "1 to 64 bytes") {
			t.Error(got)
		}
		w.wantStatus(404, "app", http.MethodPut, "users/zoe/password", `{"newpassword":"new"}`)
		w.wantStatus(401, "alice", http.MethodPut, "users/alice/password", `{"newpassword":"new"}`)
		alice.wantOpen()
		if got := w.wantStatus(200, "app", http.MethodPut, "users/alice/password", `{"newpassword":"new"}`); !strings.HasPrefix(got, `{"action":"set user password"`) {
			t.Error(got)
		}
		if op := alice.kicked(); op != msync.StatisticsBody_USER_KICKED_BY_CHANGE_PASSWORD {
			t.Errorf("kicked with %v", op)
		}
		if got := []int{renewal(old), renewal(buy("new")), renewal(signed)}; !cmp.Equal(got, []int{401, 200, 200}) {
			t.Errorf("the old Chat token, a new one and the 007 token are answered with %v", got)
		}
		reply := w.dial().provision(login{user: "alice", resource: "web", token: old})
		if reply.GetStatus().GetReason() != reasonMismatch {
			t.Errorf("a login with the old Chat token: %v", reply.GetStatus())
		}
	})
}

// TestDeactivate: no login until the user is activated again (protocol.md d.5: 57).
func TestDeactivate(t *testing.T) {
	inWorld(t, Config{Users: []User{{Name: "alice", Password: "secret"}}}, func(t *testing.T, w *world) {
		const grantBody = `{"grant_type":"password","username":"alice","password":"secret"}`
		if got := w.wantStatus(200, "app", http.MethodPost, "users/alice/deactivate", ""); !strings.Contains(got, `"activated":false`) {
			t.Error(got)
		}
		reply := w.dial().provision(login{user: "alice", resource: "web", token: w.srv.userToken(t, "alice", 600)})
		if reply.GetStatus().GetErrorCode() != msync.Status_IM_FORBIDDEN || w.only(SessionRefused).Code != 57 {
			t.Errorf("the login is answered with %v", reply.GetStatus())
		}
		if got := w.wantStatus(400, "", http.MethodPost, "token", grantBody); !strings.Contains(got, "user not activated") {
			t.Error(got)
		}
		w.wantStatus(200, "app", http.MethodPost, "users/alice/activate", "")
		w.wantStatus(200, "", http.MethodPost, "token", grantBody)
		w.login("alice", "web").wantOpen()
		w.wantStatus(404, "app", http.MethodPost, "users/zoe/deactivate", "")
		w.wantStatus(401, "alice", http.MethodPost, "users/alice/deactivate", "")
	})
}

// TestDevicesOverREST: who is online, on what, and what waits; one device of several can be thrown out.
func TestDevicesOverREST(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		web, phone, bob := w.login("alice", "web"), w.login("alice", "phone"), w.login("bob", "pad")
		want := `[{"res":"web","device_uuid":"uuid of web","device_name":"webim"},{"res":"phone","device_uuid":"uuid of phone","device_name":"webim"}]`
		for _, who := range []string{"app", "alice"} {
			if got := w.data(who, http.MethodGet, "users/alice/resources", ""); got != want {
				t.Errorf("the devices are %s", got)
			}
		}
		w.wantStatus(401, "bob", http.MethodGet, "users/alice/resources", "")
		w.wantStatus(404, "app", http.MethodGet, "users/zoe/resources", "")
		if got := w.data("app", http.MethodPost, "users/batch/status", `{"usernames":["alice","zoe","echo"]}`); got != `[{"alice":"online"},{"zoe":"offline"},{"echo":"offline"}]` {
			t.Errorf("the states are %s", got)
		}
		w.wantStatus(400, "app", http.MethodPost, "users/batch/status", `{"usernames":[]}`)
		w.wantStatus(400, "app", http.MethodPost, "users/batch/status", `{"usernames":["a"`+strings.Repeat(`,"a"`, maxBatchStatus)+`]}`)
		w.wantStatus(401, "alice", http.MethodPost, "users/batch/status", `{"usernames":["a"]}`)

		bob.say(1, "alice", "one")
		bob.say(2, "alice", "two")
		if got := w.data("app", http.MethodGet, "users/alice/offline_msg_count", ""); got != `{"alice":2}` {
			t.Errorf("waiting: %s", got)
		}
		web.take()
		web.drain("bob")
		if got := w.data("app", http.MethodGet, "users/alice/offline_msg_count", ""); got != `{"alice":0}` {
			t.Errorf("waiting: %s", got)
		}
		phone.take()

		if got := w.data("app", http.MethodDelete, "users/alice/disconnect/fridge", ""); got != `{"result":false}` {
			t.Errorf("answered %s", got)
		}
		if got := w.data("app", http.MethodDelete, "users/alice/disconnect/phone", ""); got != `{"result":true}` {
			t.Errorf("answered %s", got)
		}
		if op := phone.kicked(); op != msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE {
			t.Errorf("kicked with %v", op)
		}
		web.wantOpen()
		w.wantStatus(404, "app", http.MethodDelete, "users/zoe/disconnect/web", "")
		w.wantStatus(401, "alice", http.MethodDelete, "users/alice/disconnect/web", "")
	})
}

// TestRateLimits: a second's calls are let through, the next one is not, and a second later they are again; without the option nothing is.
func TestRateLimits(t *testing.T) {
	for _, on := range []bool{false, true} {
		inWorld(t, Config{RateLimits: on}, func(t *testing.T, w *world) {
			app := w.srv.appToken(t, 600)
			burst := func() (refused int, answer string) {
				for range rateStatus + 5 {
					status, got := w.rest(http.MethodPost, "/ttlchat/demo/users/batch/status", app, `{"usernames":["a"]}`)
					if status == http.StatusTooManyRequests {
						refused, answer = refused+1, got
					}
				}
				return refused, answer
			}
			want := 0
			if on {
				want = 5
			}
			for range 2 {
				refused, answer := burst()
				if refused != want || on && !strings.Contains(answer, `"error":"reach_limit"`) {
					t.Errorf("limits %v: %d refused, %s", on, refused, answer)
				}
				time.Sleep(time.Second)
			}
			to := strings.TrimSuffix(strings.Repeat(`"alice",`, maxReceivers), ",")
			for i := range 11 {
				status, _ := w.rest(http.MethodPost, "/ttlchat/demo/messages/users", app, `{"to":[`+to+`],"type":"txt","body":{"msg":"hi"}}`)
				if (status == http.StatusTooManyRequests) != (on && i == 10) {
					t.Errorf("limits %v: message %d is answered with %d", on, i, status)
				}
			}
		})
	}
}

// TestBucketClock: a clock that goes back gives nothing away and takes nothing for good.
func TestBucketClock(t *testing.T) {
	b, now := newBucket(2, time.Second), time.Now()
	var got []bool
	for _, at := range []time.Duration{0, 0, 0, -time.Hour, -time.Hour + time.Second/2, -time.Hour + time.Second/2} {
		got = append(got, b.take(1, now.Add(at)))
	}
	if want := []bool{true, true, false, false, true, false}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

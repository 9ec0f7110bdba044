package fakeserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// TestAppCalls: what apps ask right after login, with answers in the shape that SDKs need, and what becomes of the settings that they
// make (app-calls.md). Each line is a call of alice's; bob is online.
func TestAppCalls(t *testing.T) {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.login("bob", "pad")
		hour := w.start.Add(time.Hour).UnixMilli()
		for _, tt := range []struct{ method, path, body, want string }{
			{get, "users/alice/joined_chatgroups?pagenum=1&pagesize=200", "", `[]`},
			{get, "chatgroups/user/alice?needRole=true", "", `[]`},
			{get, "chatgroups/user/alice/joined_count", "", `0`},
			{get, "users/alice/joined_chatrooms", "", `[]`},
			{get, "users/alice/contacts/users?needReturnRemark=true", "", `[]`},
			{get, "users/alice/contacts?limit=20&cursor=", "", `{"contacts":[],"cursor":""}`},
			{get, "users/alice/user_channels/page?pageNum=1&pageSize=20", "", `{"channel_infos":[],"cursor":""}`},
			{get, "users/alice/user_channels", "", `{"channel_infos":[],"cursor":""}`},
			{get, "sdk/user/alice/user_channels/list?&limit=50&cursor=&is_top=true", "", `{"channel_infos":[],"cursor":""}`},
			{post, "users/alice/messageroaming", `{"queue":"bob@easemob.com","start":-1,"pull_number":25,"end":-1,"startTime":null}`, `{"msgs":[],"next_key":"","is_last":true}`},
			{post, "users/alice/messageroaming", `{"queue":"1@conference.easemob.com","start":-1}`, `{"msgs":[],"next_key":"","is_last":true}`},
			{get, "sdk/user/alice/user_channel/pin?to=bob&type=chat&limit=10&cursor=", "", `{"msg_infos":[],"cursor":""}`},
			{del, "user/alice/user_channel?resource=web", `{"channel":"bob","type":"chat","delete_roam":true}`, `{"result":"ok"}`},

			{post, "metadata/user/get", `{"targets":["bob","alice"],"properties":["nickname"]}`, `{"alice":{},"bob":{}}`},
			{put, "metadata/user/alice", "nickname=Al%20Ice&ext=%7B%7D", `{"ext":"{}","nickname":"Al Ice"}`},
			{put, "metadata/user/alice", "mail=a%40b", `{"ext":"{}","mail":"a@b","nickname":"Al Ice"}`},
			{post, "metadata/user/get", `{"targets":["alice"],"properties":["nickname","mail"]}`, `{"alice":{"mail":"a@b","nickname":"Al Ice"}}`},
			{get, "metadata/user/alice", "", `{"ext":"{}","mail":"a@b","nickname":"Al Ice"}`},
			{del, "metadata/user/alice", "", `true`},
			{get, "metadata/user/alice", "", `{}`},

			{get, "users/alice/notification/user/alice", "", `{"type":"ALL"}`},
			{put, "users/alice/notification/user/alice?resource=web", `{"ignoreInterval":"22:30-7:00"}`, `{"type":"ALL","ignoreInterval":"22:30-7:00"}`},
			{put, "users/alice/notification/user/bob?resource=web", `{"type":"NONE"}`, `{"type":"NONE"}`},
			{put, "users/alice/notification/chatgroup/7", `{"ignoreDuration":3600000}`, fmt.Sprintf(`{"ignoreDuration":%d}`, hour)},
			{get, "users/alice/notification?user=bob,carol&group=7", "", fmt.Sprintf(`{"group":{"7":{"ignoreDuration":%d}},"user":{"bob":{"type":"NONE"},"carol":{}}}`, hour)},
			{get, "users/alice/notification?user=&group=", "", `{"group":{},"user":{}}`},
			{get, "users/alice/notification/mute/type?limit=10", "", `[{"user":"bob","value":"NONE"}]`},
			{put, "users/alice/notification/user/bob", `{"type":"DEFAULT"}`, `{}`},
			{get, "users/alice/notification/mute/type?limit=10", "", `[]`},
			{get, "users/alice/notification/language", "", `{"language":""}`},
			{put, "users/alice/notification/language", `{"translationLanguage":"EU"}`, `{"language":"EU"}`},
			{get, "users/alice/notification/language", "", `{"language":"EU"}`},

			{get, "users/alice/blocks/users", "", `[]`},
			{post, "sdk/user/alice/blocks?resource=web", `{"usernames":["mallory","eve"]}`, `["mallory","eve"]`},
			{get, "users/alice/blocks/users", "", `["eve","mallory"]`},
			{del, "sdk/user/alice/blocks?resource=web", `{"usernames":["eve"]}`, `["eve"]`},
			{del, "users/alice/blocks/users/mallory", "", `["mallory"]`},
			{get, "users/alice/blocks/users", "", `[]`},
		} {
			if got := w.data("alice", tt.method, tt.path, tt.body); got != tt.want {
				t.Errorf("%s %s: %s, want %s", tt.method, tt.path, got, tt.want)
			}
		}
		if got := w.wantStatus(200, "alice", get, "users/alice/joined_chatgroups", ""); !strings.Contains(got, `"uri":"http://chat/ttlchat/demo/users/alice/joined_chatgroups"`) {
			t.Errorf("the SDK needs the uri: %s", got)
		}
		if got := w.wantStatus(200, "alice", put, "users/alice", `{"device_id":"d","device_token":"t","notifier_name":"n"}`); !strings.Contains(got, `"device_id":"d","notifier_name":"n"}]`) {
			t.Errorf("a push token: %s", got)
		}
		if got := w.wantStatus(200, "alice", put, "users/alice", `{"nickname":"Al"}`); !strings.Contains(got, `"nickname":"Al"`) {
			t.Errorf("a nickname: %s", got)
		}
	})
}

// TestPresence is answered from who is online.
func TestPresence(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		bob := w.login("bob", "pad")
		ask := func(method, path, body, want string) {
			t.Helper()
			if got := w.wantStatus(200, "alice", method, "users/alice/"+path, body); got != want {
				t.Errorf("%s %s: %s, want %s", method, path, got, want)
			}
		}
		w.wantStatus(200, "bob", http.MethodPost, "users/bob/presence/pad/1", `{"ext":"busy"}`)
		ask(http.MethodPost, "presence/3600", `{"usernames":["bob","zoe"]}`,
			`{"result":[{"uid":"bob","ext":"busy","status":{"pad":"1"},"expiry":3600,"last_time":946684800},{"uid":"zoe","ext":"","status":{},"expiry":3600,"last_time":946684800}]}`)
		bob.leave()
		time.Sleep(time.Minute)
		ask(http.MethodPost, "presence", `{"usernames":["bob"]}`, `{"result":[{"uid":"bob","ext":"busy","status":{},"expiry":3540,"last_time":946684860}]}`)
		ask(http.MethodGet, "presence/sublist?pageNum=0&pageSize=1", "", `{"result":{"sublist":[{"uid":"bob","expiry":946688400}],"totalnum":2}}`)
		ask(http.MethodGet, "presence/sublist?pageNum=1&pageSize=1", "", `{"result":{"sublist":[{"uid":"zoe","expiry":946688400}],"totalnum":2}}`)
		ask(http.MethodDelete, "presence", `["zoe"]`, `{"result":"ok"}`)
		w.srv.JumpClock(59 * time.Minute)
		ask(http.MethodGet, "presence/sublist?pageNum=0&pageSize=1", "", `{"result":{"sublist":[],"totalnum":0}}`)
	})
}

// TestAppCallsRefused: nobody reads or changes what is another's, and everything has a limit.
func TestAppCallsRefused(t *testing.T) {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.login("bob", "pad")
		for _, r := range routes() {
			if !strings.Contains(r.path, "{user}") {
				continue
			}
			path := strings.NewReplacer("{user}", "bob", "{peer}", "eve", "{kind}", "user", "{seconds}", "60", "{resource}", "pad", "{status}", "1").Replace(r.path)
			for _, who := range []string{"", "alice"} {
				if r.method == get && r.path == "metadata/user/{user}" && who == "alice" {
					continue // profiles are for everybody who is logged in
				}
				if status, answer := w.as(who, r.method, path+"?delTime=1", `{}`); status != http.StatusUnauthorized {
					t.Errorf("%s %s by %q: %d %s", r.method, path, who, status, answer)
				}
			}
		}
		long, many := strings.Repeat("x", maxAttributes), `"u"`+strings.Repeat(`,"u"`, maxSubscriptions)
		for _, tt := range []struct {
			method, path, body string
			status             int
		}{
			{put, "metadata/user/alice", "ext=" + long, 400},
			{put, "metadata/user/alice", "%zz", 400},
			{put, "metadata/user/alice", "", 400},
			{put, "metadata/user/alice", "ext=" + strings.Repeat("x", maxBody), 413},
			{post, "metadata/user/get", `{"targets":[]}`, 400},
			{post, "users/alice/presence", `{"usernames":[` + many + `]}`, 400},
			{post, "users/alice/presence", `{"usernames":["\u001b"]}`, 400},
			{post, "users/alice/presence/0", `{"usernames":["bob"]}`, 400},
			{post, "users/alice/presence/2592001", `{"usernames":["bob"]}`, 400},
			{post, "users/alice/presence/web/1", `{"ext":"` + strings.Repeat("x", maxPresenceText+1) + `"}`, 400},
			{post, "sdk/user/alice/blocks", `{"usernames":["A B"]}`, 400},
			{post, "sdk/user/alice/blocks", `{"usernames":[` + many + `]}`, 400},
			{put, "users/alice/notification/user/bob", `{"type":"SOME"}`, 400},
			{put, "users/alice/notification/user/bob", `{"ignoreDuration":-1}`, 400},
			{put, "users/alice/notification/planet/bob", `{"type":"ALL"}`, 404},
			{post, "users/alice/messageroaming", `{"queue":"bob","start":"x"}`, 400},
			{post, "users/alice/messageroaming", `{"queue":"bob","pull_number":51}`, 400},
			{post, "sdk/user/alice/user_channel/top", `{"to":"nobody"}`, 404},
			{post, "sdk/user/alice/user_channel/pin", `{"to":"bob","pin_msg_id":"1"}`, 404},
			{del, "sdk/message/roaming/chat/user/alice/time?userId=bob&delTime=soon", "", 400},
		} {
			w.wantStatus(tt.status, "alice", tt.method, tt.path, tt.body)
		}
		for i := range maxSilenced + 1 {
			want := 200
			if i == maxSilenced {
				want = 400
			}
			w.wantStatus(want, "alice", put, fmt.Sprintf("users/alice/notification/user/u%d", i), `{"type":"NONE"}`)
		}
	})
}

// roaming asks for a page and returns the texts, the next key and whether it was the last.
func (w *world) roaming(who, body string) (texts []string, next string, isLast bool) {
	w.t.Helper()
	var page struct {
		Messages []struct {
			Meta string `json:"msg"`
		} `json:"msgs"`
		NextKey string `json:"next_key"`
		IsLast  bool   `json:"is_last"`
	}
	if err := json.Unmarshal([]byte(w.data(who, http.MethodPost, "users/"+who+"/messageroaming", body)), &page); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range page.Messages {
		raw, err := base64.StdEncoding.DecodeString(m.Meta)
		meta := new(msync.Meta)
		if err == nil {
			err = proto.Unmarshal(raw, meta)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		text, _ := msync.Text(bodyOf(w.t, meta))
		texts = append(texts, text)
	}
	return texts, page.NextKey, page.IsLast
}

// TestRoaming: history comes newest first, page by page, as each side still sees it.
func TestRoaming(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		var ids []string
		for i := range uint64(5) {
			ids = append(ids, messageID(alice.say(i+1, "bob", fmt.Sprint(i)).GetServerId()))
			time.Sleep(time.Second)
		}
		alice.post(6, "bob", msync.DeliveryAck("alice", "bob", 1), nil)
		alice.post(7, "bob", &msync.MessageBody{Type: msync.MessageBody_CHAT.Enum(), Contents: []*msync.MessageBody_Content{{
			Type: msync.MessageBody_Content_COMMAND.Enum(), Action: new("TypingBegin"),
		}}}, nil)
		alice.post(8, "bob", msync.TextBody("", "bob", "now or never"), func(m *msync.Meta) { m.Routetype = msync.Meta_ROUTE_ONLINE.Enum() })
		alice.take()
		check := func(who, more, wantNext string, wantLast bool, want ...string) {
			t.Helper()
			peer := map[string]string{"alice": "bob", "bob": "alice"}[who]
			got, next, isLast := w.roaming(who, fmt.Sprintf(`{"queue":"%s@easemob.com"%s}`, peer, more))
			if !slices.Equal(got, want) || next != wantNext || isLast != wantLast {
				t.Errorf("%s%s: %q, next %s, last %v", who, more, got, next, isLast)
			}
		}
		check("bob", `,"start":-1`, ids[0], true, "4", "3", "2", "1", "0")
		check("bob", `,"start":"","pull_number":2`, ids[3], false, "4", "3")
		check("bob", `,"pull_number":2,"start":"`+ids[3]+`"`, ids[1], false, "2", "1")
		check("bob", `,"pull_number":2,"start":"`+ids[1]+`"`, ids[0], true, "0")
		check("bob", `,"pull_number":2,"start":"`+ids[0]+`"`, "", true)
		check("alice", `,"pull_number":2,"is_positive":true,"start":"`+ids[1]+`"`, ids[3], false, "2", "3")
		check("alice", `,"pull_number":9,"is_positive":true`, ids[4], true, "0", "1", "2", "3", "4")
		at := w.start.UnixMilli()
		check("bob", fmt.Sprintf(`,"startTime":%d,"endTime":%d`, at+1000, at+2000), ids[1], true, "2", "1")
		check("bob", `,"msgType":"img,file"`, "", true)
		check("bob", `,"msgType":"img,txt","pull_number":1`, ids[4], false, "4")

		w.done("bob", http.MethodDelete, "sdk/message/roaming/chat/user/bob?userId=alice&msgIdList="+ids[2]+","+ids[4])
		check("bob", "", ids[0], true, "3", "1", "0")
		w.done("bob", http.MethodDelete, fmt.Sprintf("sdk/message/roaming/chat/user/bob/time?userId=alice&delTime=%d", at))
		check("bob", "", ids[1], true, "3", "1")
		check("alice", "", ids[0], true, "4", "3", "2", "1", "0")

		recalled, edited, mine := uint64(0), uint64(0), uint64(0)
		for i, id := range []*uint64{&recalled, &edited, &mine} {
			if _, err := fmt.Sscan(ids[i+1], id); err != nil {
				t.Fatal(err)
			}
		}
		alice.post(9, "bob", &msync.MessageBody{Type: msync.MessageBody_RECALL.Enum(), AckMessageId: &recalled}, nil)
		edit := msync.TextBody("", "bob", "edited")
		edit.Type, edit.EditMessageId = msync.MessageBody_EDIT.Enum(), &edited
		alice.post(10, "bob", edit, nil)
		alice.take() // both are stored before bob comes
		bob := w.login("bob", "pad")
		bob.post(1, "alice", &msync.MessageBody{Type: msync.MessageBody_RECALL.Enum(), AckMessageId: &mine}, nil)
		check("alice", "", ids[0], true, "4", "3", "edited", "0")

		w.done("alice", http.MethodPost, "sdk/message/roaming/user/alice/delete/all?resource=web")
		check("alice", "", "", true)
		check("bob", "", ids[3], true, "3")
	})
}

// done makes a call without a body that must succeed.
func (w *world) done(who, method, path string) {
	w.t.Helper()
	w.wantStatus(200, who, method, path, "")
}

// TestConversations: the list, its counts of unread messages, top and pins.
func TestConversations(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, carol := w.login("alice", "web"), w.login("carol", "web")
		carol.post(1, "alice", &msync.MessageBody{
			Type: msync.MessageBody_CHAT.Enum(),
			Contents: []*msync.MessageBody_Content{{
				Type: msync.MessageBody_Content_CUSTOM.Enum(), CustomEvent: new("gift"), CustomExts: keyValues(map[string]json.RawMessage{"n": []byte(`"1"`)}),
			}},
			Ext: keyValues(map[string]json.RawMessage{"urgent": []byte("true")}),
		}, nil)
		time.Sleep(time.Second)
		bob := w.login("bob", "pad")
		bob.say(1, "alice", "one")
		last := bob.say(2, "alice", "two").GetServerId()
		alice.take()
		message := func(id uint64, from string, at int64, payload string) string {
			return fmt.Sprintf(`{"id":"%d","from":"ttlchat#demo_%s@easemob.com","to":"ttlchat#demo_alice@easemob.com","timestamp":%d,"payload":%q}`, id, from, at, payload)
		}
		alice.drain("bob")
		first := alice.pulled("carol").GetId()
		two := message(last, "bob", 946684801000, `{"bodies":[{"type":"txt","msg":"two"}],"ext":{},"from":"bob","to":"alice","type":"chat"}`)
		gift := message(first, "carol", 946684800000,
			`{"bodies":[{"type":"custom","customEvent":"gift","customExts":[{"n":"1"}]}],"ext":{"urgent":true},"from":"carol","to":"alice","type":"chat"}`)
		list := func(query, want string) {
			t.Helper()
			if got := w.data("alice", http.MethodGet, "sdk/user/alice/user_channels/list?"+query, ""); got != want {
				t.Errorf("%s: %s\nwant %s", query, got, want)
			}
		}
		entry := func(peer string, unread int, top, meta string) string {
			if top == "" {
				top = `"is_top":false,"update_top_status_time":0`
			}
			return fmt.Sprintf(`{"session_type":"chat","session_to":%q,"unread_num":%d,%s,"meta":%s}`, peer, unread, top, meta)
		}
		infos := func(cursor string, entries ...string) string {
			return fmt.Sprintf(`{"channel_infos":[%s],"cursor":%q}`, strings.Join(entries, ","), cursor)
		}
		list("limit=20&cursor=&need_mark=true", infos("", entry("bob", 2, "", two), entry("carol", 1, "", gift)))
		list("limit=1", infos(messageID(last), entry("bob", 2, "", two)))
		list("limit=1&cursor="+messageID(last), infos("", entry("carol", 1, "", gift)))
		page := `{"channel_infos":[{"channel_id":"ttlchat#demo_carol@easemob.com","unread_num":1,"is_top":false,"update_top_status_time":0,"meta":` + gift + `}],"cursor":""}`
		if got := w.data("alice", http.MethodGet, "users/alice/user_channels/page?pageNum=2&pageSize=1", ""); got != page {
			t.Errorf("page 2: %s\nwant %s", got, page)
		}

		alice.post(1, "bob", &msync.MessageBody{Type: msync.MessageBody_READ_ACK.Enum(), AckMessageId: &last}, nil)
		alice.post(2, "carol", &msync.MessageBody{Type: msync.MessageBody_CHANNEL_ACK.Enum()}, nil)
		synctest.Wait()
		list("", infos("", entry("bob", 0, "", two), entry("carol", 0, "", gift)))

		if got := w.data("alice", http.MethodPost, "sdk/user/alice/user_channel/top?resource=web", `{"type":"chat","to":"carol"}`); got != `{"is_top":true,"update_top_status_time":946684801000}` {
			t.Errorf("top: %s", got)
		}
		list("is_top=true", infos("", entry("carol", 0, `"is_top":true,"update_top_status_time":946684801000`, gift)))
		if got := w.data("alice", http.MethodDelete, "sdk/user/alice/user_channel/top?type=chat&to=carol&resource=web", ""); got != `{"is_top":false,"update_top_status_time":0}` {
			t.Errorf("no top: %s", got)
		}
		list("is_top=true", infos(""))

		w.wantStatus(200, "alice", http.MethodPost, "sdk/user/alice/user_channel/pin?resource=web", fmt.Sprintf(`{"to":"bob","type":"chat","pin_msg_id":"%d"}`, last))
		pins := `{"msg_infos":[{"message":` + two + `,"pin_opt_at":946684801000,"pin_operator":"alice"}],"cursor":""}`
		if got := w.data("bob", http.MethodGet, "sdk/user/bob/user_channel/pin?to=alice&type=chat&limit=10&cursor=", ""); got != pins {
			t.Errorf("pins: %s\nwant %s", got, pins)
		}
		w.wantStatus(200, "bob", http.MethodDelete, "sdk/user/bob/user_channel/pin?resource=pad", fmt.Sprintf(`{"to":"alice","type":"chat","pin_msg_id":"%d"}`, last))
		if got := w.data("alice", http.MethodGet, "sdk/user/alice/user_channel/pin?to=bob", ""); got != `{"msg_infos":[],"cursor":""}` {
			t.Errorf("pins: %s", got)
		}

		w.wantStatus(200, "alice", http.MethodDelete, "user/alice/user_channel?resource=web", `{"channel":"bob","type":"chat","delete_roam":false}`)
		w.wantStatus(200, "alice", http.MethodDelete, "user/alice/user_channel?resource=web", `{"channel":"carol","type":"chat","delete_roam":true}`)
		list("", infos(""))
		alice.take()
		third := alice.say(3, "carol", "back").GetServerId()
		back := strings.Replace(message(third, "alice", 946684801000,
			`{"bodies":[{"type":"txt","msg":"back"}],"ext":{},"from":"alice","to":"carol","type":"chat"}`), "demo_alice@easemob.com\",\"timestamp", "demo_carol@easemob.com\",\"timestamp", 1)
		list("", infos("", entry("carol", 0, "", back)))
		if got, _, _ := w.roaming("alice", `{"queue":"carol@easemob.com"}`); !slices.Equal(got, []string{"back"}) {
			t.Errorf("what was deleted is back: %q", got)
		}
		w.wantStatus(200, "app", http.MethodDelete, "users/alice", "")
		if got, _, _ := w.roaming("bob", `{"queue":"alice@easemob.com"}`); !slices.Equal(got, []string{"two", "one"}) {
			t.Errorf("a deleted user's peer sees %q", got)
		}
	})
}

// TestBlocked: a blocked sender is told so, and nothing arrives (protocol.md d.5: 603).
func TestBlocked(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web"), w.login("bob", "pad")
		w.data("alice", http.MethodPost, "sdk/user/alice/blocks", `{"usernames":["bob"]}`)
		if got := bob.say(1, "alice", "hello?"); got.GetStatus().GetErrorCode() != msync.Status_FAIL || got.GetStatus().GetReason() != "blocked" || got.GetMetaId() != 1 {
			t.Errorf("the blocked sender is told %v", got)
		}
		alice.quiet()
		if got := alice.say(1, "bob", "bye"); got.GetStatus().GetErrorCode() != msync.Status_OK {
			t.Errorf("the blocker is told %v", got)
		}
		bob.take()
		w.data("alice", http.MethodDelete, "users/alice/blocks/users/bob", "")
		if got := bob.say(2, "alice", "hello"); got.GetStatus().GetErrorCode() != msync.Status_OK {
			t.Errorf("after all: %v", got)
		}
	})
}

// TestGaps: what is not simulated is refused in the service's own shape, and the journal says why.
func TestGaps(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, g := range Gaps() {
			for _, pattern := range g.Calls {
				path := strings.NewReplacer("**", "x/y", "*", "alice").Replace(pattern)
				for _, method := range []string{http.MethodPost, http.MethodPatch} {
					before := len(w.srv.entries(RESTRequest))
					answer := w.wantStatus(404, "alice", method, path, "{}")
					if !strings.Contains(answer, `"error":"service_resource_not_found"`) || !strings.Contains(answer, "does not simulate "+g.Feature) {
						t.Errorf("%s: %s", path, answer)
					}
					if e := w.srv.entries(RESTRequest)[before]; e.Reason != "not simulated: "+g.Feature {
						t.Errorf("%s: the journal has %+v", path, e)
					}
				}
			}
		}
		if got := w.wantStatus(404, "alice", http.MethodGet, "chatgroups", ""); !strings.Contains(got, "does not simulate groups") {
			t.Errorf("the bare path: %s", got)
		}
		if got := w.wantStatus(404, "alice", http.MethodGet, "users/alice/dreams", ""); strings.Contains(got, "simulate") {
			t.Errorf("what nobody knows: %s", got)
		}
	})
}

// TestBootstrap: everything is where the request came to (protocol.md a.1).
func TestBootstrap(t *testing.T) {
	s := newServer(t, Config{})
	for name, tt := range map[string]struct {
		target, query string
		status        int
		want          string // protocol, domain, port
	}{
		"App ID":             {"http://chat.local:8081", "app_id=" + DemoAppID + "&sdk_version=4.10.0", 200, "http chat.local 8081"},
		"TLS":                {"https://chat.local:8443", "app_id=" + DemoAppID, 200, "https chat.local 8443"},
		"TLS, usual port":    {"https://ars.chat.agora.io", "app_key=ttlchat%23demo", 200, "https ars.chat.agora.io 443"},
		"key encoded twice":  {"http://chat.local", "app_key=ttlchat%2523demo", 200, "http chat.local 80"},
		"IPv6":               {"http://[::1]:8081", "app_key=ttlchat%23demo", 200, "http [::1] 8081"},
		"another app":        {"http://chat.local", "app_id=" + otherHex, 404, ""},
		"another key":        {"http://chat.local", "app_key=a%23b", 404, ""},
		"nothing":            {"http://chat.local", "", 404, ""},
		"a key of bad bytes": {"http://chat.local", "app_key=%25zz", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			s.chat.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.target+"/easemob/server.json?"+tt.query, nil))
			type hosts struct {
				Hosts []struct{ Protocol, Domain, Port string }
			}
			var got struct {
				AppKey string `json:"app_key"`
				REST   hosts  `json:"rest"`
				WX     hosts  `json:"msync-wx"`
				WS     hosts  `json:"msync-ws"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if tt.status != 200 {
				return
			}
			for _, h := range []hosts{got.REST, got.WX, got.WS} {
				if len(h.Hosts) != 1 || fmt.Sprintf("%s %s %s", h.Hosts[0].Protocol, h.Hosts[0].Domain, h.Hosts[0].Port) != tt.want || got.AppKey != "ttlchat#demo" {
					t.Errorf("%s", w.Body)
				}
			}
		})
	}
}

// TestHistory against a model: whatever is said and deleted, each side's view and the bounds are right.
func TestHistory(t *testing.T) {
	type line struct {
		id   uint64
		from string
	}
	rapid.Check(t, func(t *rapid.T) {
		p := newHistory()
		p.max = rapid.IntRange(1, 30).Draw(t, "max")
		names := []string{"a", "b", "c"}
		views := make(map[string][]line) // "a b" is how a sees the talk with b
		next := uint64(1)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			x, y := rapid.SampledFrom(names).Draw(t, "x"), rapid.SampledFrom(names).Draw(t, "y")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				p.forget(x)
				for _, n := range names {
					delete(views, x+" "+n)
				}
			case 1:
				if c := p.between(x, y); c != nil {
					c.clear(c.side(x), func(r remembered) bool { return r.id%2 == 0 })
					views[x+" "+y] = slices.DeleteFunc(views[x+" "+y], func(l line) bool { return l.id%2 == 0 })
				}
			default:
				c := p.between(x, y)
				if c == nil {
					c = p.begin(x, y)
				}
				p.add(c, x, next, nil)
				for _, v := range slices.Compact([]string{x + " " + y, y + " " + x}) {
					views[v] = append(views[v], line{next, x})
				}
				next++
			}
			total := 0
			for e := p.active.Front(); e != nil; e = e.Next() {
				total += len(e.Value.(*conversation).entries)
			}
			if total != p.total || p.active.Len() > 1 && total+p.active.Len() > p.max {
				t.Fatalf("%d messages, counted as %d, at most %d", total, p.total, p.max)
			}
			for v, want := range views {
				who, peer, _ := strings.Cut(v, " ")
				c := p.between(who, peer)
				if c == nil { // dropped as a whole
					delete(views, v)
					continue
				}
				var got []line
				for _, r := range c.seen(c.side(who)) {
					got = append(got, line{r.id, r.from})
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s sees %v of the talk with %s, want %v", who, got, peer, want)
				}
			}
		}
	})
}

// TestHistoryBounds: a conversation keeps its newest thousand, silent ones go for others, and the journal tells once.
func TestHistoryBounds(t *testing.T) {
	s := newServer(t, Config{})
	alice := s.attached(t, "alice", "web")
	for i := range uint64(maxRemembered + 3) {
		alice.send(chatMeta(t, i+1, "bob", msync.TextBody("", "bob", fmt.Sprint(i)), nil))
	}
	c := s.hub.past.between("bob", "alice")
	if text, _ := msync.Text(bodyOf(t, c.entries[0].meta())); len(c.entries) != maxRemembered || text != "3" {
		t.Errorf("%d are kept, from %q", len(c.entries), text)
	}
	if got := s.entries(HistoryTrimmed); len(got) != 1 || got[0].From != "alice" || got[0].To != "bob" {
		t.Errorf("the journal has %+v", got)
	}
	s.hub.past.max = 10
	alice.send(chatMeta(t, maxRemembered+4, "carol", msync.TextBody("", "carol", "hi"), nil))
	if got := s.entries(HistoryTrimmed); len(got) != 2 || s.hub.past.between("alice", "bob") != nil || s.hub.past.total != 1 {
		t.Errorf("the journal has %+v", got)
	}
}

// TestForgottenHistory: what was forgotten costs nothing, even while the receiver's queue knows the conversation; and so does what has no word
// left, beyond the bound.
func TestForgottenHistory(t *testing.T) {
	s := newServer(t, Config{})
	s.hub.past.max = 10
	alice := s.attached(t, "alice", "web")
	var first *conversation
	for i := range uint64(30) {
		peer := fmt.Sprintf("peer%d", i)
		alice.send(chatMeta(t, 2*i+1, peer, msync.TextBody("", peer, "hello"), nil))
		c := s.hub.past.between("alice", peer)
		if first == nil {
			first = c
		}
		said := c.last()
		alice.send(chatMeta(t, 2*i+2, peer, &msync.MessageBody{Type: msync.MessageBody_RECALL.Enum(), AckMessageId: &said}, nil))
		if i%2 == 0 {
			alice.send(chatMeta(t, 1000+i, peer, msync.TextBody("", peer, "hello again"), nil))
		}
	}
	if n := s.hub.past.total + s.hub.past.active.Len(); n > 10 {
		t.Errorf("%d messages and conversations are kept, at most 10", n)
	}
	if first.place != nil || first.entries != nil || first.room != nil {
		t.Errorf("a forgotten conversation still has %d messages", cap(first.entries))
	}
}

// TestPages: pages of any size, in either direction, hold every message once and in order.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.Uint64Range(1, 1000), 0, 40, rapid.ID).Draw(t, "ids")
		slices.Sort(ids)
		q := roamingRequest{Limit: rapid.IntRange(1, 10).Draw(t, "limit"), Positive: rapid.Bool().Draw(t, "positive")}
		var got []uint64
		for {
			var all []remembered
			for _, id := range ids {
				all = append(all, remembered{id: id})
			}
			page, isLast := q.page(all)
			for _, r := range page {
				got = append(got, r.id)
				q.Start = cursor(r.id)
			}
			if isLast {
				break
			}
			if len(page) != q.Limit {
				t.Fatalf("a page of %d that is not the last", len(page))
			}
		}
		want := slices.Clone(ids)
		if !q.Positive {
			slices.Reverse(want)
		}
		if diff := cmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// FuzzContent: what is accepted over REST survives the wire and the way back into a list.
func FuzzContent(f *testing.F) {
	f.Add("txt", `{"msg":"hi"}`)
	f.Add("custom", `{"customEvent":"e","customExts":[{"a":{"b":1e999}},{}]}`)
	f.Add("loc", `{"lat":"1e400","lng":-0}`)
	f.Add("img", `{"url":"u","size":{"width":1}}`)
	f.Fuzz(func(t *testing.T, kind, raw string) {
		content, err := parseContent(kind, []byte(raw))
		if err != nil {
			if content != nil || err.Error() == "" || strings.ContainsAny(err.Error(), "\x1b\n") && !strings.ContainsAny(kind, "\x1b\n") {
				t.Errorf("%v with %q", content, err)
			}
			return
		}
		if kindOfContent(content) != kind {
			t.Errorf("%q became %q", kind, kindOfContent(content))
		}
		rendered, err := json.Marshal(renderContent(content)) //nolint:gosec // the secret of a file that does not exist
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseContent(kind, rendered)
		if err != nil {
			t.Fatalf("%s: %v", rendered, err)
		}
		twice, err := json.Marshal(renderContent(again)) //nolint:gosec // as above
		if err != nil || string(twice) != string(rendered) {
			t.Errorf("%s became %s: %v", rendered, twice, err)
		}
	})
}

// FuzzAppCalls: whatever a logged-in user sends to whatever route, the answer is JSON with a status that the service has.
func FuzzAppCalls(f *testing.F) {
	table := routes()
	for i := range table {
		f.Add(uint8(i), "bob", `{"usernames":["bob"],"to":["bob"],"type":"txt","body":{"msg":"x"},"queue":"bob@easemob.com","start":"1"}`, "to=bob&delTime=1&limit=1")
		f.Add(uint8(i), "7", "\x00", "cursor=-1&pageNum=9223372036854775807&pageSize=9223372036854775807")
	}
	s := newServer(f, Config{JournalSize: 16})
	f.Fuzz(func(t *testing.T, route uint8, name, body, query string) {
		r := table[int(route)%len(table)]
		path := strings.NewReplacer(
			"{user}", "alice", "{peer}", url.PathEscape(name), "{kind}", "user", "{seconds}", url.PathEscape(name), "{file}", url.PathEscape(name),
			"{resource}", url.PathEscape(name), "{status}", "1",
		).Replace(r.path)
		req := httptest.NewRequestWithContext(t.Context(), r.method, "/ttlchat/demo/"+path, strings.NewReader(body))
		req.URL.RawQuery = query
		req.Header.Set("Authorization", "Bearer "+s.appToken(t, 600))
		w := httptest.NewRecorder()
		s.chat.Handler.ServeHTTP(w, req)
		if !slices.Contains([]int{200, 400, 401, 403, 404, 413, 415}, w.Code) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %q", r.method, path, w.Code, w.Body)
		}
	})
}

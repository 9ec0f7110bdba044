package msync

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

const sampleToken = "007eJxTYBBbsMMnKq7p9Hf7f9f2a"

type renderTest struct {
	name  string
	dir   Direction
	frame *MSync
	want  string
}

// renderTests is one frame of every kind with its line.
func renderTests(t testing.TB) []renderTest {
	t.Helper()
	login := pack(t, MSync_PROVISION, &Provision{
		OsType: Provision_OS_OTHER.Enum(), Version: proto.String("1.4.0"), Resource: proto.String("webim_1"),
		AuthToken: []byte(`{"token":"$t$` + sampleToken + `"}`), Password: proto.String("secret"),
	})
	login.Guid = NewJID("org#app", "alice", "webim_1")
	login.Auth = proto.String("$t$" + sampleToken)
	ok := &Status{ErrorCode: Status_OK.Enum()}
	alice, bob := NewJID("org#app", "alice", ""), NewJID("org#app", "bob", "")
	hello := encoded(t, TextBody("alice", "bob", "hello"))
	up := func(id uint64, ns Meta_NameSpace, payload []byte) *MSync {
		return pack(t, MSync_SYNC, &CommSyncUL{Meta: &Meta{Id: &id, To: bob, Ns: &ns, Payload: payload}})
	}
	content := func(c *MessageBody_Content) *MSync {
		return up(1, Meta_CHAT, encoded(t, &MessageBody{Type: MessageBody_CHAT.Enum(), Contents: []*MessageBody_Content{c}}))
	}
	metas := func(n int) (all []*Meta) {
		for i := range n {
			all = append(all, &Meta{Id: proto.Uint64(uint64(i)), From: alice, Ns: Meta_NOTIFY.Enum(), Payload: []byte("{}")})
		}
		return all
	}
	return []renderTest{
		{"login", In, login, `PROVISION alice/webim_1 os=OTHER v=1.4.0 token=007eJx…9f2a`},
		{"empty login", In, pack(t, MSync_PROVISION, nil), `PROVISION ""/"" os=IOS v="" token=…`},
		{"login taken", Out, pack(t, MSync_PROVISION, &Provision{
			Status: ok, Resource: proto.String("webim_1"), AuthToken: []byte(`{"token":"` + sampleToken + `","expires_in":1700000000000}`),
		}), `PROVISION status=OK resource=webim_1 token=007eJx…9f2a expires=1700000000000`},
		{"login without clock", Out, pack(t, MSync_PROVISION, &Provision{Status: ok, Resource: proto.String("r")}),
			`PROVISION status=OK resource=r`},
		{"login refused", Out, pack(t, MSync_PROVISION, &Provision{
			Status: &Status{ErrorCode: Status_FAIL.Enum(), Reason: proto.String("Sorry, token expired")},
		}), `PROVISION status=FAIL "Sorry, token expired"`},
		{"login without status", Out, pack(t, MSync_PROVISION, nil), `PROVISION status=missing resource=""`},
		{"heartbeat", In, pack(t, MSync_UNREAD, nil), `UNREAD`},
		{"unread", Out, pack(t, MSync_UNREAD, &CommUnreadDL{
			Status: ok, Unread: []*MetaQueue{{Queue: bob, N: proto.Uint32(3)}}, Timestamp: proto.Uint64(1700000000000),
		}), `UNREAD ts=1700000000000 queues=[bob:3]`},
		{"notice", Out, pack(t, MSync_NOTICE, &CommNotice{Queue: alice}), `NOTICE queue=alice`},
		{"send", In, up(17, Meta_CHAT, hello), `SYNC up meta=17 chat bob txt "hello"`},
		{"largest id", In, up(1<<64-1, Meta_CHAT, hello), `SYNC up meta=18446744073709551615 chat bob txt "hello"`},
		{"send picture", In, content(&MessageBody_Content{Type: MessageBody_Content_IMAGE.Enum(), DisplayName: proto.String("a.png")}),
			`SYNC up meta=1 chat bob image "a.png"`},
		{"send command", In, content(&MessageBody_Content{Type: MessageBody_Content_COMMAND.Enum(), Action: proto.String("ring")}),
			`SYNC up meta=1 chat bob cmd "ring"`},
		{"send custom", In, content(&MessageBody_Content{Type: MessageBody_Content_CUSTOM.Enum(), CustomEvent: proto.String("gift")}),
			`SYNC up meta=1 chat bob custom "gift"`},
		{"send place", In, content(&MessageBody_Content{Type: MessageBody_Content_LOCATION.Enum(), Address: proto.String("Oslo")}),
			`SYNC up meta=1 chat bob loc "Oslo"`},
		{"send combined", In, content(&MessageBody_Content{
			SubType: MessageBody_Content_SUB_COMBINE.Enum(), Title: proto.String("Chat"),
		}), `SYNC up meta=1 chat bob combine "Chat"`},
		{"read", In, up(18, Meta_CHAT, encoded(t, &MessageBody{Type: MessageBody_READ_ACK.Enum(), AckMessageId: proto.Uint64(99)})),
			`SYNC up meta=18 chat bob read_ack 99`},
		{"send garbage", In, up(19, Meta_CHAT, []byte("hello")), `SYNC up meta=19 chat bob 5 bytes`},
		{"report", In, up(20, Meta_STATISTIC, nil), `SYNC up meta=20 statistic bob INFORMATION`},
		{"unknown name space", In, up(21, 42, []byte("abc")), `SYNC up meta=21 42 bob 3 bytes`},
		{"pull", In, pack(t, MSync_SYNC, &CommSyncUL{Queue: alice}), `SYNC up queue=alice`},
		{"acknowledge", In, pack(t, MSync_SYNC, &CommSyncUL{Queue: alice, Key: proto.Uint64(17)}), `SYNC up queue=alice key=17`},
		{"answer", Out, pack(t, MSync_SYNC, &CommSyncDL{Status: ok, MetaId: proto.Uint64(17), ServerId: proto.Uint64(99)}),
			`SYNC answer meta=17 server=99 status=OK`},
		{"batch", Out, pack(t, MSync_SYNC, &CommSyncDL{
			Status: ok, Queue: alice, NextKey: proto.Uint64(17), IsLast: proto.Bool(false),
			Metas: []*Meta{
				{Id: proto.Uint64(98), From: alice, Ns: Meta_CHAT.Enum(), Payload: hello},
				{Id: proto.Uint64(99), From: alice, Ns: Meta_MUC.Enum()},
			},
		}), `SYNC down queue=alice metas=2 next=17 last=false [98 chat alice txt "hello", 99 muc alice 0 bytes]`},
		{"long batch", Out, pack(t, MSync_SYNC, &CommSyncDL{Status: ok, Queue: alice, Metas: metas(6)}),
			`SYNC down queue=alice metas=6 next=0 last=false ` +
				`[0 notify alice 2 bytes, 1 notify alice 2 bytes, 2 notify alice 2 bytes, 3 notify alice 2 bytes, 2 more]`},
		{"drained", Out, pack(t, MSync_SYNC, &CommSyncDL{Status: ok, Queue: alice, IsLast: proto.Bool(true)}),
			`SYNC down queue=alice metas=0 next=0 last=true`},
		{"batch without status", Out, pack(t, MSync_SYNC, &CommSyncDL{Queue: alice}),
			`SYNC down queue=alice metas=0 next=0 last=false status=missing`},
		{"kick", Out, pack(t, MSync_SYNC, &CommSyncDL{Status: ok, Queue: NewJID("", "", ""), IsLast: proto.Bool(true), Metas: []*Meta{{
			Id: proto.Uint64(5), From: NewJID("", "", ""), Ns: Meta_STATISTIC.Enum(),
			Payload: encoded(t, &StatisticsBody{Operation: StatisticsBody_USER_REMOVED.Enum()}),
		}}}), `SYNC down queue=easemob.com metas=1 next=0 last=true [5 statistic easemob.com USER_REMOVED]`},
		{"logout", In, pack(t, MSync_LOGOUT, &Logout{SessionId: proto.String("s1")}), `LOGOUT session=s1`},
		{"unknown command", In, &MSync{Command: MSync_Command(42).Enum(), Payload: []byte("abc")}, `42 3 bytes`},
		{"payload of another kind", In, &MSync{Command: MSync_SYNC.Enum(), Payload: []byte("hello")},
			`SYNC malformed: payload of 5 bytes`},
		{"forged name", Out, pack(t, MSync_NOTICE, &CommNotice{Queue: NewJID("", "bob status=OK\n\x1b[31m", "")}),
			`NOTICE queue="bob status=OK "`},
		{"text with a token", In, up(1, Meta_CHAT, encoded(t, TextBody("alice", "bob", "my token is "+sampleToken))),
			`SYNC up meta=1 chat bob txt "my token is 007e…"`},
		{"long text", In, up(1, Meta_CHAT, encoded(t, TextBody("alice", "bob", strings.Repeat("ab ", 1000)))),
			`SYNC up meta=1 chat bob txt "` + strings.Repeat("ab ", 27)[:79] + `…"`},
	}
}

func encoded(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLine(t *testing.T) {
	for _, tt := range renderTests(t) {
		t.Run(tt.name, func(t *testing.T) {
			raw, err := Encode(tt.frame)
			if err != nil {
				t.Fatal(err)
			}
			if got := LineOf(tt.dir, raw); got != tt.want {
				t.Errorf("LineOf:\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLineOfGarbage(t *testing.T) {
	if got, want := LineOf(In, []byte("hello")), "malformed: frame of 5 bytes"; got != want {
		t.Errorf("LineOf = %q, want %q", got, want)
	}
}

// No piece of a token beyond its ends may show, wherever a frame carries it.
func TestLineHidesTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringMatching(`[0-9A-Za-z+/]{40,200}={0,2}`).Draw(t, "token")
		authToken, err := EncodeAuthToken(AuthToken{Token: token, ExpiresIn: 1})
		if err != nil {
			t.Fatal(err)
		}
		p := &Provision{Status: &Status{}}
		m := &MSync{Command: MSync_PROVISION.Enum()}
		switch rapid.IntRange(0, 2).Draw(t, "place") {
		case 0:
			p.AuthToken = authToken
		case 1:
			p.Auth = proto.String("$t$" + token)
		case 2:
			m.Auth = proto.String("$t$" + token)
		}
		if m.Payload, err = proto.Marshal(p); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []Direction{In, Out} {
			line := Line(dir, m)
			for i := range len(token) - 16 {
				if strings.Contains(line, token[i:i+16]) {
					t.Fatalf("%s shows %q", line, token[i:i+16])
				}
			}
		}
	})
}

func FuzzLine(f *testing.F) {
	for _, frame := range seedFrames(f) {
		f.Add(true, frame)
		f.Add(false, frame)
	}
	f.Fuzz(func(t *testing.T, in bool, frame []byte) {
		dir := Out
		if in {
			dir = In
		}
		line := LineOf(dir, frame)
		if line == "" || !utf8.ValidString(line) || utf8.RuneCountInString(line) > maxLine {
			t.Fatalf("line %q", line)
		}
		if i := slices.IndexFunc([]rune(line), unicode.IsControl); i >= 0 {
			t.Fatalf("control character in %q", line)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	m := textFrame(b)
	b.ReportAllocs()
	for b.Loop() {
		Line(In, m)
	}
}

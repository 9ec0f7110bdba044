package chat

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/msync"
)

// standing returns a loop that is online on a link without a socket, and what it calls back.
func standing(p Profile) (*loop, *[]Event) {
	events := new([]Event)
	l := newLoop(&Client{cfg: Config{
		Profile: p, Org: "org", App: "app", Clock: clock.New(0), OnEvent: func(e Event) { *events = append(*events, e) }, Log: slog.New(slog.DiscardHandler),
	}})
	now := l.cfg.Clock.Now()
	l.state = state{phase: online, user: "alice", credential: "x", gen: 1, acceptedAt: now, expiresAt: now.Add(time.Hour)}
	l.link = &link{gen: 1, out: make(chan []byte, queuedFrames), ending: make(chan struct{})}
	return l, events
}

func seedFrames(t testing.TB) [][]byte {
	text, err := proto.Marshal(msync.TextBody("bob", "alice", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	kick, err := proto.Marshal(&msync.StatisticsBody{Operation: msync.StatisticsBody_USER_REMOVED.Enum(), Reason: new("gone\x1b[31m")})
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := proto.Marshal(msync.DeliveryAck("bob", "alice", 7))
	if err != nil {
		t.Fatal(err)
	}
	metas := func(ns msync.Meta_NameSpace, payload []byte) *msync.CommSyncDL {
		return &msync.CommSyncDL{
			Status: ok(), Queue: jid("bob"), NextKey: new(uint64(9)),
			Metas: []*msync.Meta{{Id: new(uint64(9)), From: jid("bob"), Ns: &ns, Payload: payload, Timestamp: new(^uint64(0))}},
		}
	}
	hello := metas(msync.Meta_CHAT, text)
	noStatus := proto.CloneOf(hello)
	noStatus.Status = nil
	frames := [][]byte{
		nil, {0xff},
		frame(t, msync.MSync_UNREAD, &msync.CommUnreadDL{Status: ok(), Unread: []*msync.MetaQueue{{Queue: jid("bob")}}, Timestamp: new(uint64(1))}),
		frame(t, msync.MSync_UNREAD, &msync.CommUnreadDL{Timestamp: new(uint64(time.Now().Add(2 * time.Hour).UnixMilli()))}),
		frame(t, msync.MSync_UNREAD, &msync.CommUnreadDL{Timestamp: new(^uint64(0))}),
		frame(t, msync.MSync_NOTICE, &msync.CommNotice{Queue: jid("bob")}),
		frame(t, msync.MSync_NOTICE, &msync.CommNotice{}),
		frame(t, msync.MSync_SYNC, hello), frame(t, msync.MSync_SYNC, noStatus),
		frame(t, msync.MSync_SYNC, metas(msync.Meta_STATISTIC, kick)), frame(t, msync.MSync_SYNC, metas(msync.Meta_CHAT, receipt)),
		frame(t, msync.MSync_SYNC, metas(msync.Meta_CHAT, []byte{0xff})), frame(t, msync.MSync_SYNC, metas(msync.Meta_STATISTIC, []byte{0xff})),
		frame(t, msync.MSync_SYNC, &msync.CommSyncDL{Status: ok(), MetaId: new(uint64(5)), ServerId: new(uint64(6))}),
		frame(t, msync.MSync_SYNC, &msync.CommSyncDL{Status: status(msync.Status_FAIL, "blocked"), MetaId: new(uint64(5))}),
		frame(t, msync.MSync_PROVISION, &msync.Provision{Status: ok()}), frame(t, 99, &msync.CommNotice{}),
	}
	for _, whole := range slices.Clone(frames) {
		if len(whole) > 8 {
			frames = append(frames, whole[:len(whole)/2], whole[:len(whole)-1])
		}
	}
	return frames
}

// Whatever the service sends, the client does not fall over, answers with sound frames, and still takes a message after it.
func FuzzFrame(f *testing.F) {
	seeds := seedFrames(f)
	for i, s := range seeds {
		f.Add(s, seeds[(i+5)%len(seeds)])
	}
	text, err := proto.Marshal(msync.TextBody("carol", "alice", "after all"))
	if err != nil {
		f.Fatal(err)
	}
	id := uint64(1) << 60
	last, err := msync.Pack(msync.MSync_SYNC, &msync.CommSyncDL{
		Status: ok(), Queue: jid("carol"), IsLast: new(true),
		Metas: []*msync.Meta{{Id: &id, From: jid("carol"), Ns: msync.Meta_CHAT.Enum(), Payload: text}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		l, events := standing(Web)
		l.mail.unconfirmed = []unconfirmed{{5, time.Now()}}
		for _, raw := range [][]byte{first, second} {
			m, err := msync.Decode(raw)
			if err != nil || l.link == nil { // a kick or the token's end has ended the session
				continue
			}
			l.frame(m)
		}
		if l.link == nil {
			if l.state.phase != loggedOut {
				t.Fatalf("no link, and %s", l.state.phase)
			}
			return
		}
		for len(l.link.out) > 0 {
			if _, err := msync.Decode(<-l.link.out); err != nil {
				t.Fatalf("the client sent something unreadable: %v", err)
			}
		}
		if len(l.mail.unconfirmed) > 1 || len(l.mail.seen) != len(l.mail.order) {
			t.Fatalf("the mailbox is in disorder: %+v", l.mail)
		}
		known := l.mail.seen[id]
		l.frame(last)
		if newest := (*events)[max(len(*events)-1, 0):]; !known && (len(newest) == 0 || newest[0].Text != "after all") {
			t.Fatalf("the message after it is lost; called back: %v", *events)
		}
	})
}

func TestDescribe(t *testing.T) {
	content := func(c *msync.MessageBody_Content) *msync.MessageBody {
		return &msync.MessageBody{Type: msync.MessageBody_CHAT.Enum(), Contents: []*msync.MessageBody_Content{c}}
	}
	for want, body := range map[string]*msync.MessageBody{
		"hello":             msync.TextBody("a", "b", "hello"),
		"[empty message]":   {Type: msync.MessageBody_CHAT.Enum()},
		"[image a.png]":     content(&msync.MessageBody_Content{Type: msync.MessageBody_Content_IMAGE.Enum(), DisplayName: new("a.png")}),
		"[command go]":      content(&msync.MessageBody_Content{Type: msync.MessageBody_Content_COMMAND.Enum(), Action: new("go")}),
		"[custom]":          content(&msync.MessageBody_Content{Type: msync.MessageBody_Content_CUSTOM.Enum()}),
		"[unknown content]": content(&msync.MessageBody_Content{Type: msync.MessageBody_Content_Type(77).Enum()}),
	} {
		if got := describe(body); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestMailboxIsBounded(t *testing.T) {
	b := newMailbox()
	for id := range uint64(3 * rememberedIDs) {
		if !b.first(id) {
			t.Fatalf("message %d is no news", id)
		}
	}
	if len(b.seen) != rememberedIDs || len(b.order) != rememberedIDs {
		t.Errorf("%d and %d ids are remembered, want %d", len(b.seen), len(b.order), rememberedIDs)
	}
	if b.first(3*rememberedIDs - 1) {
		t.Error("the newest id is forgotten")
	}
	l, _ := standing(Web)
	for i := range 2 * maxWaiting {
		l.mail.announce(l.link, fmt.Sprint("peer", i), l.cfg)
	}
	if len(l.mail.waiting) != maxWaiting || len(l.link.out) != 1 {
		t.Errorf("%d queues wait and %d are pulled, want %d and 1", len(l.mail.waiting), len(l.link.out), maxWaiting)
	}
}

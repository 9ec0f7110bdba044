package fakeserver

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ttlchat/ttlchat/internal/msync"
)

func BenchmarkChatTokenIssue(b *testing.B) {
	tokens := newChatTokens()
	g := grant{identity: "alice", expiresAt: time.Now().Add(time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		tokens.issue(g)
	}
}

func BenchmarkChatTokenOpen(b *testing.B) {
	tokens, now := newChatTokens(), time.Now()
	token := tokens.issue(grant{identity: "alice", expiresAt: now.Add(time.Hour)})
	b.ReportAllocs()
	for b.Loop() {
		if _, bad := tokens.open(token, now); bad != nil {
			b.Fatal(bad)
		}
	}
}

func BenchmarkJournalAppend(b *testing.B) {
	s := newServer(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		s.journal.add(&Entry{Name: MessageStored, User: "bob", MessageID: "1", From: "alice", To: "bob"})
	}
}

// BenchmarkJournalFrame: frames are rendered only when somebody reads them.
func BenchmarkJournalFrame(b *testing.B) {
	s := newServer(b, Config{})
	l := s.attached(b, "alice", "web")
	raw := pack(b, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(b, 1, "bob", msync.TextBody("", "bob", "hello"), nil)})
	b.ReportAllocs()
	for b.Loop() {
		s.journal.frame(time.Time{}, msync.In, l, raw)
	}
}

// sender is a link with a frame that sends a text, as SDKs write it.
type sender struct {
	*link
	frame []byte
	id    int // where the message's id is in it
}

func (l *link) sender(tb testing.TB, to string) sender {
	tb.Helper()
	const id = 1 << 56
	frame := pack(tb, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(tb, id, to, msync.TextBody("", to, "hello, how are you?"), nil)})
	return sender{l, frame, bytes.Index(frame, protowire.AppendVarint(nil, id))}
}

// say sends message n, and lets the receiver fetch and confirm it.
func (s sender) say(n int, to *link) {
	frame := bytes.Clone(s.frame)
	protowire.AppendVarint(frame[:s.id], 1<<56+uint64(n)) //nolint:gosec // it counts up
	s.receive(frame)
	hub, peer := s.srv.hub, []byte(s.user.name)
	hub.pull(to, peer, 0)
	hub.pull(to, peer, to.user.queues[s.user.name].placeOf(to).sent)
	s.wire.(*tape).frames, to.wire.(*tape).frames = nil, nil
}

// BenchmarkMessage is a message's whole way without sockets: sent, stored, noticed, pulled, confirmed.
func BenchmarkMessage(b *testing.B) {
	s := newServer(b, Config{})
	bob := s.attached(b, "bob", "phone")
	alice := s.attached(b, "alice", "web").sender(b, "bob")
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		alice.say(n, bob)
	}
	if q := bob.user.queues["alice"]; len(q.entries) != 0 {
		b.Fatalf("%d messages are kept", len(q.entries))
	}
}

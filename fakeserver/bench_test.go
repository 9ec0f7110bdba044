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
		s.journal.add(Entry{Name: MessageStored, User: "bob", MessageID: "1", From: "alice", To: "bob"})
	}
}

// BenchmarkJournalFrame: frames are rendered only when somebody reads them.
func BenchmarkJournalFrame(b *testing.B) {
	s := newServer(b, Config{})
	l := s.attached(b, "alice", "web")
	raw := pack(b, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(b, 1, "bob", msync.TextBody("", "bob", "hello"), nil)})
	b.ReportAllocs()
	for b.Loop() {
		s.journal.frame(msync.In, l, raw)
	}
}

// BenchmarkMessage is a message's whole way without sockets: sent, stored, noticed, pulled, confirmed.
func BenchmarkMessage(b *testing.B) {
	s := newServer(b, Config{})
	alice, bob := s.attached(b, "alice", "web"), s.attached(b, "bob", "phone")
	// The SDK's frames. A message's id differs from the one before, which the wire has at its beginning.
	send := pack(b, msync.MSync_SYNC, &msync.CommSyncUL{Meta: chatMeta(b, 1<<56, "bob", msync.TextBody("", "bob", "hello, how are you?"), nil)})
	pull := pack(b, msync.MSync_SYNC, &msync.CommSyncUL{Queue: msync.NewJID("", "alice", "")})
	out := bob.wire.(*tape)
	id := bytes.Index(send, protowire.AppendVarint(nil, 1<<56))
	b.ReportAllocs()
	for n := uint64(1 << 56); b.Loop(); n++ {
		send = bytes.Clone(send)
		protowire.AppendVarint(send[:id], n)
		alice.receive(send)
		bob.receive(pull)
		s.hub.pull(bob, []byte("alice"), bob.reading["alice"].sent)
		alice.wire.(*tape).frames, out.frames = nil, nil
	}
	if q := s.hub.users["bob"].queues["alice"]; len(q.entries) != 0 {
		b.Fatalf("%d messages are kept", len(q.entries))
	}
}

package msync

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// TestFrameIsEncode: Frame writes what Encode writes of what Pack makes.
func TestFrameIsEncode(t *testing.T) {
	for name, payload := range map[string]proto.Message{
		"none": nil, "empty": &CommSyncDL{}, "answer": &CommSyncDL{Status: &Status{ErrorCode: Status_OK.Enum()}, MetaId: new(uint64(7))},
		"long": &CommSyncUL{Meta: &Meta{Payload: make([]byte, 70_000)}}, "not UTF-8": &CommNotice{Queue: &JID{Name: new("\xff")}},
		"too long": &CommSyncUL{Meta: &Meta{Payload: make([]byte, MaxFrame)}}, "just too long": &CommSyncUL{Meta: &Meta{Payload: make([]byte, MaxFrame-12)}},
	} {
		for _, cmd := range []MSync_Command{MSync_SYNC, MSync_PROVISION, 99, -1} {
			var want []byte
			m, wantErr := Pack(cmd, payload)
			if wantErr == nil {
				want, wantErr = Encode(m)
			}
			got, err := Frame(cmd, payload)
			if (err != nil) != (wantErr != nil) {
				t.Errorf("%s %v: Frame says %v, Encode %v", name, cmd, err, wantErr)
			} else if err == nil && !bytes.Equal(got, want) {
				t.Errorf("%s %v: Frame = %x, Encode = %x", name, cmd, got, want)
			}
		}
	}
}

// TestHandWrittenFrames: what is written by hand is what the generated code writes.
func TestHandWrittenFrames(t *testing.T) {
	ok := &Status{ErrorCode: Status_OK.Enum()}
	rapid.Check(t, func(t *rapid.T) {
		id, server, at := rapid.Uint64().Draw(t, "id"), rapid.Uint64().Draw(t, "server id"), rapid.Uint64().Draw(t, "timestamp")
		jid := NewJID("org#app", rapid.StringMatching(`[a-z]{0,200}`).Draw(t, "name"), "")
		queue, err := proto.Marshal(jid)
		if err != nil {
			t.Fatal(err)
		}
		batch := &CommSyncDL{Status: ok, Queue: jid, IsLast: new(true)}
		var metas [][]byte
		for _, size := range rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 50).Draw(t, "metas") {
			meta := &Meta{Id: &id, Payload: make([]byte, size)}
			raw, err := proto.Marshal(meta)
			if err != nil {
				t.Fatal(err)
			}
			batch.Metas, batch.NextKey, batch.IsLast = append(batch.Metas, meta), &server, new(false)
			metas = append(metas, raw)
		}
		for _, tt := range []struct {
			got     []byte
			cmd     MSync_Command
			payload proto.Message
		}{
			{AnswerFrame(id, server, at), MSync_SYNC, &CommSyncDL{Status: ok, MetaId: &id, ServerId: &server, Timestamp: &at}},
			{ClockFrame(at), MSync_UNREAD, &CommUnreadDL{Status: ok, Timestamp: &at}},
			{NoticeFrame(queue), MSync_NOTICE, &CommNotice{Queue: jid}},
			{BatchFrame(queue, metas, server), MSync_SYNC, batch},
		} {
			want, err := Frame(tt.cmd, tt.payload)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(tt.got, want) || cap(tt.got) != len(tt.got) {
				t.Fatalf("by hand %x (%d), want %x", tt.got, cap(tt.got), want)
			}
		}
	})
}

// checkPeek holds the short ways to the generated code: what they take, it takes, and it says the same.
func checkPeek(t interface{ Fatalf(string, ...any) }, frame []byte) (frameOK, pullOK bool) {
	cmd, payload, frameOK := Peek(frame)
	if !frameOK {
		return false, false
	}
	m, err := Decode(frame)
	if err != nil || m.Command == nil || m.GetCommand() != cmd || !bytes.Equal(m.GetPayload(), payload) || m.Guid != nil || m.Auth != nil {
		t.Fatalf("Peek(%x) = %v, %x; Decode = %v, %v", frame, cmd, payload, m, err)
	}
	name, key, pullOK := PeekPull(payload)
	if !pullOK {
		return true, false
	}
	var up CommSyncUL
	if err := Payload(m, &up); err != nil || up.Meta != nil || up.GetQueue().GetName() != string(name) || up.GetKey() != key {
		t.Fatalf("PeekPull(%x) = %q, %d; Payload = %v, %v", payload, name, key, &up, err)
	}
	return true, true
}

func TestPeek(t *testing.T) {
	frame := func(cmd MSync_Command, payload proto.Message) []byte {
		b, err := Frame(cmd, payload)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	pull := frame(MSync_SYNC, &CommSyncUL{Queue: NewJID("org#app", "alice", ""), Key: new(uint64(1 << 63))})
	if frameOK, pullOK := checkPeek(t, pull); !frameOK || !pullOK {
		t.Error("a pull takes the long way")
	}
	if frameOK, pullOK := checkPeek(t, frame(MSync_SYNC, &CommSyncUL{Meta: &Meta{Id: new(uint64(1))}})); !frameOK || pullOK {
		t.Error("a send takes the long way, or is taken for a pull")
	}
	if frameOK, _ := checkPeek(t, frame(MSync_UNREAD, nil)); !frameOK {
		t.Error("a heartbeat takes the long way")
	}
	rapid.Check(t, func(rt *rapid.T) { // a pull with changes in it
		b := slices.Clone(pull)
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			at := rapid.IntRange(0, len(b)-1).Draw(rt, "at")
			switch rapid.IntRange(0, 2).Draw(rt, "how") {
			case 0:
				b[at] = rapid.Byte().Draw(rt, "byte")
			case 1:
				b = slices.Insert(b, at, rapid.SliceOfN(rapid.Byte(), 1, 4).Draw(rt, "more")...)
			case 2:
				b = b[:at+1]
			}
		}
		checkPeek(rt, b)
	})
}

func FuzzPeek(f *testing.F) {
	pull, err := Frame(MSync_SYNC, &CommSyncUL{Queue: NewJID("org#app", "alice", "web"), Key: new(uint64(5))})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pull)
	f.Add([]byte{0x40, 0x00})
	f.Add([]byte{0x08, 0x00, 0x40, 0x01, 0x4a, 0x00})
	f.Add([]byte{0x40, 0x00, 0x4a, 0x04, 0x1a, 0x02, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, frame []byte) { checkPeek(t, frame) })
}

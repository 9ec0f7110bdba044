package msync

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

func TestEncodeJID(t *testing.T) {
	for _, j := range [][3]string{{"org#app", "alice", "web"}, {"org#app", "alice", ""}, {"", "", ""}} {
		want, err := proto.Marshal(NewJID(j[0], j[1], j[2]))
		if err != nil {
			t.Fatal(err)
		}
		got := EncodeJID(j[0], j[1], j[2])
		if !bytes.Equal(got, want) || cap(got) != len(got) {
			t.Errorf("%v: %x (%d), want %x", j, got, cap(got), want)
		}
		if bare, want := BareJID(got), EncodeJID(j[0], j[1], ""); !bytes.Equal(bare, want) {
			t.Errorf("%v: the user is %x, want %x", j, bare, want)
		}
	}
}

// TestEncodeMeta: it is what the generated code writes.
func TestEncodeMeta(t *testing.T) {
	from, to := NewJID("org#app", "alice", "web"), NewJID("org#app", "bob", "")
	rapid.Check(t, func(t *rapid.T) {
		want := &Meta{Id: new(rapid.Uint64().Draw(t, "id")), Timestamp: new(rapid.Uint64().Draw(t, "timestamp")), From: from, To: to, Ns: Meta_CHAT.Enum(),
			Payload: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")}
		var rest *Meta
		if rapid.Bool().Draw(t, "rest") {
			want.Routetype, want.Ext, want.Meta = Meta_ROUTE_ONLINE.Enum(), []*KeyValue{{Key: new("k")}}, []byte("meta")
			rest = &Meta{Routetype: want.Routetype, Ext: want.Ext, Meta: want.Meta}
		}
		got, err := EncodeMeta(want.GetId(), want.GetTimestamp(), EncodeJID("org#app", "alice", "web"), EncodeJID("org#app", "bob", ""), want.Payload, rest)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := proto.Marshal(want); err != nil || !bytes.Equal(got, raw) || cap(got) != len(got) {
			t.Fatalf("%x, want %x, %v", got, raw, err)
		}
	})
}

// checkReaddress: what is written is the body with the other names, as the generated code would have it.
func checkReaddress(t testing.TB, body []byte) {
	t.Helper()
	got, ok := Readdress(body, EncodeJID("org#app", "alice", ""), EncodeJID("org#app", "bob", ""))
	var want, have MessageBody
	if err := proto.Unmarshal(body, &want); err != nil || !ok {
		return // it has been refused before, or takes the long way
	}
	want.From, want.To = NewJID("org#app", "alice", ""), NewJID("org#app", "bob", "")
	if err := proto.Unmarshal(got, &have); err != nil || !proto.Equal(&want, &have) {
		t.Errorf("%x became %x: %v, %v, want %v", body, got, &have, err, &want)
	}
}

func FuzzReaddress(f *testing.F) {
	raw, err := proto.Marshal(TextBody("mallory", "somebody", "hello"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte{})
	f.Add([]byte{0x08, 0x01})
	f.Add([]byte{0x12, 0x00, 0x12, 0x00, 0x1a, 0x00, 0x08, 0x01})
	f.Add([]byte{0x10, 0x01, 0x22, 0x02, 0x08, 0x00})
	f.Fuzz(func(t *testing.T, body []byte) { checkReaddress(t, body) })
}

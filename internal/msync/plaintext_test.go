package msync

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
)

// checkPlainText: whatever Peek takes is what the generated code reads, and its Meta what the long way writes.
func checkPlainText(t testing.TB, payload []byte) bool {
	t.Helper()
	var text PlainText
	if !text.Peek(payload) {
		return false
	}
	var up CommSyncUL
	var body MessageBody
	if err := proto.Unmarshal(payload, &up); err != nil {
		t.Fatalf("%x: %v", payload, err)
	}
	meta := up.GetMeta()
	if err := proto.Unmarshal(meta.GetPayload(), &body); err != nil {
		t.Fatalf("%x: %v", payload, err)
	}
	for _, c := range body.GetContents() {
		if c.GetType() != MessageBody_Content_TEXT {
			t.Errorf("%x holds a %v", payload, c.GetType())
		}
	}
	if meta.GetNs() != Meta_CHAT || text.ID != meta.GetId() || string(text.To) != meta.GetTo().GetName() || !bytes.Equal(text.Body, meta.GetPayload()) ||
		body.GetType() > MessageBody_CHAT || meta.GetRoutetype() != Meta_ROUTE_ALL {
		t.Errorf("%x was read as %+v, it is %v", payload, text, &up)
	}
	sender, from, to := EncodeJID("org#app", "alice", "web"), EncodeJID("org#app", "alice", ""), EncodeJID("org#app", string(text.To), "")
	written, ok := Readdress(meta.GetPayload(), from, to)
	if !ok {
		t.Fatalf("%x has a body that cannot be readdressed", payload)
	}
	var rest *Meta
	if meta.Routetype != nil {
		rest = &Meta{Routetype: meta.Routetype}
	}
	want, err := EncodeMeta(1<<62, 1_700_000_000_000, sender, to, written, rest)
	if err != nil {
		t.Fatal(err)
	}
	if got := text.Meta(1<<62, 1_700_000_000_000, "org#app", sender); !bytes.Equal(got, want) || cap(got) != len(got) {
		t.Errorf("%x becomes %x (%d), want %x", payload, got, cap(got), want)
	}
	return true
}

// sends are payloads of sends, and whether Peek takes them.
func sends(t testing.TB) map[string]struct {
	payload []byte
	want    bool
} {
	t.Helper()
	body := wire{}.num(1, 1).msg(2, wire{}.str(2, "alice")).msg(3, wire{}.str(2, "bob")).msg(4, wire{}.num(1, 0).str(2, "hello"))
	head := wire{}.num(1, 1<<63+17).msg(3, wire{}.str(1, "org#app").str(2, "bob").str(3, "easemob.com")).num(5, 1)
	plain := func(meta wire) []byte { return wire{}.msg(1, meta) }
	all := map[string]struct {
		payload []byte
		want    bool
	}{
		"the SDK's":            {plain(append(head, wire{}.msg(6, body).num(7, 0)...)), true},
		"without a route":      {plain(append(head, wire{}.msg(6, body)...)), true},
		"without JIDs":         {plain(append(head, wire{}.msg(6, wire{}.num(1, 1).msg(4, wire{}.str(2, "x")))...)), true},
		"without a type":       {plain(append(head, wire{}.msg(6, wire{}.msg(4, wire{}.str(2, "x")))...)), true},
		"two texts":            {plain(append(head, wire{}.msg(6, append(body, wire{}.msg(4, wire{}.str(2, "x"))...))...)), true},
		"online only":          {plain(append(head, wire{}.msg(6, body).num(7, 1)...)), false},
		"an extension":         {plain(append(head, wire{}.msg(6, body).msg(8, wire{}.str(1, "k"))...)), false},
		"two metas":            {append(plain(append(head, wire{}.msg(6, body)...)), plain(head)...), false},
		"to a group":           {plain(append(head, wire{}.msg(6, wire{}.num(1, 2).msg(4, wire{}.str(2, "x")))...)), false},
		"a command":            {plain(append(head, wire{}.msg(6, wire{}.num(1, 1).msg(4, wire{}.num(1, 6)))...)), false},
		"a broken text":        {plain(append(head, wire{}.msg(6, wire{}.num(1, 1).str(4, "\x12\x05x"))...)), false},
		"fields in disorder":   {plain(append(head, wire{}.msg(6, wire{}.msg(3, wire{}).num(1, 1))...)), false},
		"a statistic":          {plain(wire{}.num(1, 7).num(5, 0)), false},
		"no namespace":         {plain(wire{}.num(1, 7)), false},
		"a pull":               {wire{}.num(2, 7).msg(3, wire{}.str(2, "bob")), false},
		"nothing":              {nil, false},
		"an extended body":     {plain(append(head, wire{}.msg(6, append(body, wire{}.msg(5, wire{}.str(1, "k"))...))...)), false},
		"a text with more":     {plain(append(head, wire{}.msg(6, wire{}.num(1, 1).msg(4, wire{}.str(2, "x").str(5, "y")))...)), false},
		"a JID of numbers":     {plain(append(head, wire{}.msg(6, wire{}.num(1, 1).msg(2, wire{}.num(2, 1)))...)), false},
		"a type of two bytes":  {plain(append(head, wire{}.msg(6, wire{}.num(1, 128))...)), false},
		"a sender in the meta": {plain(append(head, wire{}.msg(2, wire{}.str(2, "mallory"))...)), false},
	}
	return all
}

func TestPlainText(t *testing.T) {
	for name, tt := range sends(t) {
		t.Run(name, func(t *testing.T) {
			if got := checkPlainText(t, tt.payload); got != tt.want {
				t.Errorf("%x: taken %v, want %v", tt.payload, got, tt.want)
			}
			for cut := range tt.payload {
				checkPlainText(t, tt.payload[:cut])
			}
		})
	}
}

func FuzzPlainText(f *testing.F) {
	for _, tt := range sends(f) {
		f.Add(tt.payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) { checkPlainText(t, payload) })
}

func BenchmarkPlainText(b *testing.B) {
	payload := sends(b)["the SDK's"].payload
	jid := EncodeJID("org#app", "alice", "web")
	b.ReportAllocs()
	for b.Loop() {
		var text PlainText
		if !text.Peek(payload) {
			b.Fatal("not taken")
		}
		text.Meta(1<<62, 1_700_000_000_000, "org#app", jid)
	}
}

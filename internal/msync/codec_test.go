package msync

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

func TestDecodeErrors(t *testing.T) {
	tests := map[string]struct {
		frame []byte
		want  error
	}{
		"empty":                {nil, nil},
		"text":                 {[]byte("hello"), ErrMalformed},
		"truncated":            {wire{}.msg(9, wire("0123456789"))[:5], ErrMalformed},
		"tag of field 0":       {[]byte{0x00, 0x00}, ErrMalformed},
		"longest":              {wire{}.msg(9, make(wire, MaxFrame-4)), nil},
		"one byte beyond":      {wire{}.msg(9, make(wire, MaxFrame-3)), ErrTooLarge},
		"payload is no string": {wire{}.msg(9, wire("\xff\xfe")), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(tt.frame); !errors.Is(err, tt.want) {
				t.Errorf("Decode of %d bytes: %v, want %v", len(tt.frame), err, tt.want)
			}
		})
	}
}

func TestEncodeTooLarge(t *testing.T) {
	if _, err := Encode(&MSync{Payload: make([]byte, MaxFrame)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Encode: %v, want ErrTooLarge", err)
	}
	if _, err := Pack(MSync_SYNC, &Meta{Payload: make([]byte, MaxFrame)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Pack: %v, want ErrTooLarge", err)
	}
}

func TestPayload(t *testing.T) {
	heartbeat := pack(t, MSync_UNREAD, nil)
	if heartbeat.Payload != nil {
		t.Errorf("Pack(nil) has a payload of %d bytes, want none", len(heartbeat.Payload))
	}
	if err := Payload(heartbeat, new(CommUnreadUL)); err != nil {
		t.Errorf("absent payload: %v", err)
	}
	if err := Payload(&MSync{Payload: []byte("hello")}, new(CommSyncUL)); !errors.Is(err, ErrMalformed) {
		t.Errorf("payload that is text: %v, want ErrMalformed", err)
	}
}

func TestUnknownSurvives(t *testing.T) {
	frame := wire{}.num(1, 77).num(8, 42).msg(9, wire("x")).num(11, 9).num(99, 5).str(100, "future")
	m, err := Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	if m.GetCommand() != 42 {
		t.Errorf("command %d, want 42", m.GetCommand())
	}
	again, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(frame, again) {
		t.Errorf("encoded again % x, want % x", again, frame)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		down := &CommSyncDL{
			Status:   &Status{ErrorCode: Status_ErrorCode(rapid.Int32().Draw(t, "code")).Enum(), Reason: drawText(t, "reason")},
			MetaId:   drawID(t, "meta"),
			ServerId: drawID(t, "server"),
			NextKey:  drawID(t, "next"),
			Queue:    NewJID(rapid.String().Draw(t, "app"), rapid.String().Draw(t, "name"), rapid.String().Draw(t, "resource")),
			IsLast:   proto.Bool(rapid.Bool().Draw(t, "last")),
		}
		for range rapid.IntRange(0, 5).Draw(t, "metas") {
			down.Metas = append(down.Metas, &Meta{Id: drawID(t, "id"), Payload: rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "payload")})
		}
		packed, err := Pack(MSync_Command(rapid.Int32().Draw(t, "command")), down)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Encode(packed)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		got := new(CommSyncDL)
		if err := Payload(m, got); err != nil {
			t.Fatal(err)
		}
		if m.GetCommand() != packed.GetCommand() || !proto.Equal(down, got) {
			t.Fatalf("command %d, got %v, want command %d, %v", m.GetCommand(), got, packed.GetCommand(), down)
		}
	})
}

func drawText(t *rapid.T, label string) *string { return proto.String(rapid.String().Draw(t, label)) }

func drawID(t *rapid.T, label string) *uint64 { return proto.Uint64(rapid.Uint64().Draw(t, label)) }

func FuzzDecode(f *testing.F) {
	for _, frame := range seedFrames(f) {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := Decode(frame)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		b, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(m, again) {
			t.Fatalf("second decoding %v, first %v", again, m)
		}
	})
}

// textFrame is what a client sends for a short message.
func textFrame(t testing.TB) *MSync {
	t.Helper()
	body, err := proto.Marshal(TextBody("alice", "bob", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, MSync_SYNC, &CommSyncUL{Meta: &Meta{
		Id: proto.Uint64(17), To: NewJID("org#app", "bob", ""), Ns: Meta_CHAT.Enum(), Payload: body,
	}})
}

// seedFrames is one frame of every kind, and some that are none.
func seedFrames(t testing.TB) [][]byte {
	t.Helper()
	seeds := [][]byte{nil, []byte("hello"), {0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f}, wire{}.num(8, 42)}
	for _, tt := range renderTests(t) {
		b, err := Encode(tt.frame)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	return seeds
}

func BenchmarkEncodeText(b *testing.B) {
	m := textFrame(b)
	up := new(CommSyncUL)
	if err := Payload(m, up); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m, err := Pack(MSync_SYNC, up)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeText(b *testing.B) {
	frame, err := Encode(textFrame(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(frame)
		if err != nil {
			b.Fatal(err)
		}
		if err := Payload(m, new(CommSyncUL)); err != nil {
			b.Fatal(err)
		}
	}
}

package msync

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

func TestText(t *testing.T) {
	got, ok := Text(TextBody("alice", "bob", "hello"))
	if got != "hello" || !ok {
		t.Errorf("Text = %q, %v, want hello", got, ok)
	}
	ack := TextBody("alice", "bob", "")
	ack.Type = MessageBody_READ_ACK.Enum()
	combined := TextBody("alice", "bob", "hello")
	combined.Contents[0].SubType = MessageBody_Content_SUB_COMBINE.Enum()
	picture := &MessageBody{Contents: []*MessageBody_Content{{Type: MessageBody_Content_IMAGE.Enum(), Text: proto.String("x")}}}
	for name, b := range map[string]*MessageBody{"nil": nil, "no content": {}, "read ack": ack, "combined": combined, "picture": picture} {
		if got, ok := Text(b); ok {
			t.Errorf("Text of %s = %q, want none", name, got)
		}
	}
}

func TestDeliveryAck(t *testing.T) {
	got, err := proto.Marshal(DeliveryAck("bob", "alice", 99))
	if err != nil {
		t.Fatal(err)
	}
	want := wire{}.num(1, 5).msg(2, wire{}.str(2, "bob")).msg(3, wire{}.str(2, "alice")).msg(4, wire{}.num(1, 0)).num(6, 99)
	if diff := cmp.Diff([]byte(want), got); diff != "" {
		t.Errorf("encoded (-want +got):\n%s", diff)
	}
}

func TestNewJIDLeavesEmptyPartsOut(t *testing.T) {
	if got, want := NewJID("", "", ""), (&JID{Domain: proto.String("easemob.com")}); !proto.Equal(got, want) {
		t.Errorf("NewJID = %v, want %v", got, want)
	}
}

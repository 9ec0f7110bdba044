package fakeserver

import (
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// TestEdit: the receiver and the editor learn who edited what, how often, and when; nobody edits what is not theirs.
func TestEdit(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		alice, bob := w.login("alice", "web1"), w.login("bob", "web2")
		first := alice.say(1, "bob", "helo")
		bob.take()
		edit := func(c *client, id uint64, to, text string) *msync.CommSyncDL {
			body := msync.TextBody("", to, text)
			body.Type, body.EditMessageId = msync.MessageBody_EDIT.Enum(), first.ServerId
			body.EditScope = msync.MessageBody_BODY.Enum()
			c.post(id, to, body, nil)
			answer := new(msync.CommSyncDL)
			c.one(msync.MSync_SYNC, answer)
			return answer
		}
		for count := 1; count <= 2; count++ {
			answer := edit(alice, uint64(1+count), "bob", "hello")
			if answer.GetStatus().GetErrorCode() != msync.Status_OK || len(answer.GetMetas()) != 1 {
				t.Fatalf("the answer is %v", answer)
			}
			var note editNote
			if err := json.Unmarshal(answer.GetMetas()[0].GetPayload(), &note); err != nil {
				t.Fatal(err)
			}
			if e := note.Edit; e.Count != count || e.Operator != "alice" || e.SendTime != first.GetTimestamp() || e.ChatType != "chat:user" {
				t.Errorf("edit %d says %+v", count, e)
			}
		}
		kept := w.srv.hub.past.between("alice", "bob").entries
		var body msync.MessageBody
		if len(kept) != 1 || proto.Unmarshal(kept[0].meta().GetPayload(), &body) != nil || body.GetContents()[0].GetText() != "hello" || body.Meta == nil {
			t.Errorf("the history holds %v", kept)
		}
		bob.take()
		if answer := edit(bob, 9, "alice", "mine now"); answer.GetStatus().GetErrorCode() != msync.Status_FAIL {
			t.Errorf("bob edited alice's message: %v", answer)
		}
	})
}

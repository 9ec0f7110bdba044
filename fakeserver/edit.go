package fakeserver

import (
	"encoding/json"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// editNote is what the Web SDK 1.4.0 wants to be told about an edited message, in the body's meta and, for the editor, in the answer to the
// edit (read in its bundle). Times are in ms.
type editNote struct {
	Edit struct {
		Count    int    `json:"count"`
		Operator string `json:"operator"`
		EditTime uint64 `json:"edit_time"`
		Sender   string `json:"sender"`
		SendTime uint64 `json:"send_time"`
		ChatType string `json:"chat_type"`
	} `json:"edit_msg"`
}

// noteEdit writes the note into an edit. It is false when the sender has no such message in the conversation.
func (h *hub) noteEdit(from, to string, edit *msync.MessageBody) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.past.between(from, to)
	if c == nil {
		return false
	}
	i := c.find(edit.GetEditMessageId())
	if i < 0 || c.entries[i].from != from {
		return false
	}
	var note editNote
	note.Edit.Count, note.Edit.Operator, note.Edit.Sender, note.Edit.ChatType = int(c.entries[i].edits)+1, from, from, "chat:user"
	note.Edit.EditTime, note.Edit.SendTime = millis(h.clock.Now()), c.entries[i].meta().GetTimestamp()
	text, err := json.Marshal(note)
	if err != nil {
		return false // cannot happen: numbers and names
	}
	edit.Meta = new(string(text))
	return true
}

// editAnswer is what the answer to an edit carries beside the usual; nothing for other messages.
func (h *hub) editAnswer(body *msync.MessageBody, rec receipt) []*msync.Meta {
	if body.GetType() != msync.MessageBody_EDIT {
		return nil
	}
	return []*msync.Meta{{Id: &rec.id, Timestamp: &rec.timestamp, Ns: msync.Meta_NOTIFY.Enum(), Payload: []byte(body.GetMeta())}}
}

package fakeserver

import (
	"github.com/ttlchat/ttlchat/internal/msync"
)

// messageFaults are the faults of sending. Receipts, which SDKs send by themselves, are left alone.
func messageFaults() []*faultKind {
	return []*faultKind{
		{FaultKind: FaultKind{FaultMessage, "status", "the message is refused", []FaultParam{
			choiceParam("status", "the status of the answer", statusNames(msync.Status_FAIL)...),
			textParam("reason", "blocked", "the sentence in the answer; SDKs tell some refusals apart by it"),
		}}},
		{FaultKind: FaultKind{FaultMessage, "no-answer", "the message gets no answer", []FaultParam{
			boolParam("stored", true, "the receiver gets the message all the same: only the answer is lost"),
		}}},
	}
}

// fateOfSend is what a fault makes of a send.
type fateOfSend int

const (
	sendAsUsual    fateOfSend = iota
	sendHandled               // it has been answered, or is lost
	sendUnanswered            // it is stored, but not answered
)

// faultySend asks what becomes of a send.
func (l *link) faultySend(id uint64, body *msync.MessageBody) fateOfSend {
	if !isContent(body) {
		return sendAsUsual
	}
	f := l.srv.faults.ask(question{target: FaultMessage, user: l.user.name, session: l.id})
	switch {
	case f == nil:
		return l.sendAfterExpiry(id)
	case f.Kind == "status":
		l.refuse(id, statusOf(f.values), f.values["reason"])
		return sendHandled
	case f.values.yes("stored"):
		return sendUnanswered
	default:
		return sendHandled
	}
}

package fakeserver

import (
	"maps"
	"slices"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// statusNames lists the statuses of the wire, OK first (protocol.md b.1).
func statusNames(first msync.Status_ErrorCode) []string {
	names := []string{first.String()}
	for _, n := range slices.Sorted(maps.Keys(msync.Status_ErrorCode_name)) {
		if name := msync.Status_ErrorCode_name[n]; name != names[0] {
			names = append(names, name)
		}
	}
	return names
}

// statusOf is the status that the parameters of a fault name.
func statusOf(v faultValues) msync.Status_ErrorCode {
	return msync.Status_ErrorCode(msync.Status_ErrorCode_value[v["status"]])
}

func provisionStatusFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultProvision, "status", "the login is refused", []FaultParam{
			choiceParam("status", "the status of the answer", statusNames(msync.Status_FAIL)...),
			textParam("reason", reasonExpired, "the sentence in the answer; SDKs tell some refusals apart by it"),
			boolParam("keep-open", false, "leave the connection open afterwards, which hangs the Web SDK"),
		}},
		login: func(l *link, f *fault, user string) {
			code, reason := statusOf(f.values), f.values["reason"]
			l.srv.journal.add(&Entry{Name: SessionRefused, User: user, Session: l.id, Code: sdkCode(code, reason), Reason: "fault " + f.ID})
			l.push(msync.MSync_PROVISION, &msync.Provision{Status: status(code, reason)})
			if !f.values.yes("keep-open") {
				l.closeWith(closeRefused, "login refused: fault "+f.ID)
			}
		},
	}
}

// sdkCode is the error type that the Web SDK makes of a refused login (protocol.md d.5).
func sdkCode(code msync.Status_ErrorCode, reason string) int {
	switch code {
	case msync.Status_FAIL:
		switch reason {
		case reasonExpired:
			return 56
		case reasonMismatch:
			return 28
		case reasonNoUser:
			return 204
		case "Sorry, user register limit", "Sorry, user register rate limit":
			return 50
		}
	case msync.Status_PERMISSION_DENIED:
		if reason == "Sorry, the app online count limit" {
			return 50
		}
	case msync.Status_WRONG_PARAMETER:
		return -3
	case msync.Status_IM_FORBIDDEN:
		return 57
	}
	return 2
}

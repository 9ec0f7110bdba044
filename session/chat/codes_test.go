package chat

import (
	"testing"

	"github.com/ttlchat/ttlchat/internal/msync"
)

func status(code msync.Status_ErrorCode, reason string) *msync.Status {
	return &msync.Status{ErrorCode: &code, Reason: &reason}
}

func TestRefusedLogin(t *testing.T) {
	for _, tc := range []struct {
		status      *msync.Status
		kind        Kind
		web, native Code
	}{
		{status(msync.Status_FAIL, "Sorry, token expired"), KindExpired, 56, 108},
		{status(msync.Status_TOKEN_EXPIRED, "token expired"), KindExpired, 56, 108},
		{status(msync.Status_FAIL, "Sorry, token or password does not match login info"), KindInvalid, 28, 104},
		{status(msync.Status_UNAUTHORIZED, ""), KindInvalid, 28, 104},
		{status(msync.Status_FAIL, "Sorry, user not found"), KindUnknownUser, 204, 204},
		{status(msync.Status_FAIL, "Sorry, token expired."), KindRefused, 2, 2},
		{status(msync.Status_FAIL, "anything else"), KindRefused, 2, 2},
		{status(msync.Status_PERMISSION_DENIED, ""), KindRefused, 2, 2},
		{status(msync.Status_IM_FORBIDDEN, ""), KindRefused, 57, 57},
		{status(msync.Status_REDIRECT, ""), KindRefused, 2, 2},
		{status(99, "new"), KindRefused, 2, 2},
	} {
		for _, p := range Profiles() {
			want := tc.native
			if p.Name == "web" {
				want = tc.web
			}
			got := refused(p, tc.status)
			if got == nil || got.Kind != tc.kind || got.Code != want || got.Reason == "" {
				t.Errorf("%s: %v is %+v, want %s with code %d", p.Name, tc.status, got, tc.kind, want)
			}
		}
	}
	if got := refused(Web, ok()); got != nil {
		t.Errorf("OK is %v", got)
	}
}

func TestRefusedMessage(t *testing.T) {
	for _, tc := range []struct {
		status *msync.Status
		want   Code
	}{
		{status(msync.Status_FAIL, "blocked"), 603},
		{status(msync.Status_FAIL, "group not found"), 605},
		{status(msync.Status_FAIL, "not in group or chatroom"), 602},
		{status(msync.Status_FAIL, "exceed recall time limit"), 504},
		{status(msync.Status_FAIL, "message recall disabled"), 505},
		{status(msync.Status_FAIL, "not in group or chatroom white list"), 506},
		{status(msync.Status_FAIL, "nonroster"), 221},
		{status(msync.Status_FAIL, "refused by moderation service"), 508},
		{status(msync.Status_FAIL, "anything else"), 503},
		{status(msync.Status_PERMISSION_DENIED, "sensitive words"), 501},
		{status(msync.Status_PERMISSION_DENIED, "blocked by mod_antispam"), 501},
		{status(msync.Status_PERMISSION_DENIED, "user is mute"), 219},
		{status(msync.Status_PERMISSION_DENIED, "traffic limit"), 509},
		{status(msync.Status_PERMISSION_DENIED, "Sorry, data is too large"), MessageTooLarge},
		{status(msync.Status_PERMISSION_DENIED, "anything else"), 503},
		{status(msync.Status_USER_MUTED, ""), 507},
		{status(msync.Status_PERMISSION_DENIED_EXTERNAL, ""), 502},
		{status(msync.Status_UNAUTHORIZED, ""), 604},
		{status(msync.Status_TOKEN_EXPIRED, ""), 604},
		{nil, 604},
	} {
		if got := sendCode(tc.status); got != tc.want {
			t.Errorf("%v is %d, want %d", tc.status, got, tc.want)
		}
	}
}

func TestCodeNames(t *testing.T) {
	for code, want := range map[Code]string{TokenExpired: "108 TOKEN_EXPIRED", WebTokenExpired: "56 WEBIM_TOKEN_EXPIRED", 12345: "12345", OK: "0 OK"} {
		if got := code.String(); got != want {
			t.Errorf("%d is %q, want %q", int(code), got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Phase: PhaseLogin, Kind: KindExpired, Code: TokenExpired, Reason: "the token expired"}
	if got, want := e.Error(), "login: the token expired (code 108 TOKEN_EXPIRED)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for kind, want := range map[Kind]bool{
		KindUnreachable: true, KindTimeout: true, KindBusy: true, KindProtocol: true, KindExpired: false, KindInvalid: false,
		KindUnknownUser: false, KindRefused: false, KindNotLoggedIn: false, KindAlreadyLoggedIn: false, KindCanceled: false,
	} {
		if got := (&Error{Kind: kind}).Temporary(); got != want {
			t.Errorf("%s: temporary %v, want %v", kind, got, want)
		}
	}
}

func TestProfileByName(t *testing.T) {
	for _, p := range Profiles() {
		if got, ok := ProfileByName(p.Name); !ok || got != p {
			t.Errorf("%s is not found", p.Name)
		}
	}
	if _, ok := ProfileByName("windows"); ok {
		t.Error("an unknown profile is found")
	}
}

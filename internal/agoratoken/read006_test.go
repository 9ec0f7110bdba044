package agoratoken

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	accesstoken "github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/AccessToken"
	rtmtokenbuilder "github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/RtmTokenBuilder"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestRead006(t *testing.T) {
	text, err := BuildRTC006(project, RTC{Channel: "room", UID: 7, Publisher: true, Expire: 5, PrivilegeExpire: 600}, time.Unix(issued, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read006(text)
	if err != nil {
		t.Fatal(err)
	}
	want := Token006{
		AppID: project.AppID, ExpiresAt: issued + 86_400, Salt: got.Salt, ChannelCRC: CRC006("room"), UserCRC: CRC006("7"),
		Privileges: []Privilege006{
			{1, "join channel", issued + 600}, {2, "publish audio", issued + 600}, {3, "publish video", issued + 600}, {4, "publish data", issued + 600},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Token006{})); diff != "" {
		t.Error(diff)
	}
	tests := map[string]struct {
		certificate   Certificate
		channel, user string
		isFor         bool
		want          Kind
	}{
		"genuine":           {project.Certificate, "room", "7", true, ""},
		"other certificate": {Certificate(strings.Repeat("0", 32)), "room", "7", true, KindSignature},
		"no certificate":    {"", "room", "7", true, KindBadCredentials},
		"other channel":     {project.Certificate, "rooms", "7", false, KindSignature},
		"other user":        {project.Certificate, "room", "8", false, KindSignature},
		"everybody":         {project.Certificate, "room", "", false, KindSignature},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := got.Verify(tt.certificate, tt.channel, tt.user); kindOf(t, err) != tt.want {
				t.Errorf("Verify = %v, want kind %q", err, tt.want)
			}
			if got.IsFor(tt.channel, tt.user) != tt.isFor {
				t.Errorf("IsFor is not %v", tt.isFor)
			}
		})
	}
}

func TestRead006OfRTM(t *testing.T) {
	text, err := rtmtokenbuilder.BuildToken(project.AppID, string(project.Certificate), "alice", rtmtokenbuilder.RoleRtmUser, issued)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read006(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Privilege006{{PrivilegeLogin006, "log in", issued}}, got.Privileges); diff != "" || !got.IsFor("alice", "") {
		t.Errorf("%+v %s", got, diff)
	}
	if err := got.Verify(project.Certificate, "alice", ""); err != nil {
		t.Error(err)
	}
}

func TestRead006Refuses(t *testing.T) {
	text, err := BuildRTC006(project, RTC{Channel: "room"}, time.Unix(issued, 0))
	if err != nil {
		t.Fatal(err)
	}
	head := text[:len(version006)+appIDSize]
	raw, err := base64.StdEncoding.DecodeString(text[len(head):])
	if err != nil {
		t.Fatal(err)
	}
	encode := func(b []byte) string { return head + base64.StdEncoding.EncodeToString(b) }
	const countAt = 2 + signatureSize + 8 + 2 + 8
	grown := func(extra ...byte) []byte { // the message is longer by extra
		b := slices.Concat(raw, extra)
		for range extra {
			b[countAt-10]++
		}
		return b
	}
	twice := grown(1, 0, 9, 9, 9, 9)
	twice[countAt] = 2
	many := grown()
	many[countAt+1] = 1
	tests := map[string]struct {
		text string
		want Kind
		cut  bool
	}{
		"empty":             {"", KindVersion, false},
		"007":               {version + text[3:], KindVersion, false},
		"version alone":     {version006, KindMalformed, true},
		"app id cut":        {text[:30], KindMalformed, true},
		"nothing behind":    {head, KindMalformed, true},
		"cut in a group":    {text[:len(text)-5], KindMalformed, true},
		"cut at a group":    {strings.TrimRight(text, "=")[:len(head)+40], KindMalformed, true},
		"line break":        {text[:50] + "\n" + text[50:], KindMalformed, false},
		"altered":           {text[:50] + "!" + text[51:], KindMalformed, false},
		"app id not hex":    {version006 + strings.Repeat("x", 32) + text[len(head):], KindMalformed, false},
		"junk":              {encode(append(slices.Clone(raw), 0)), KindMalformed, false},
		"junk in message":   {encode(grown(0)), KindMalformed, false},
		"short signature":   {encode(slices.Concat([]byte{31, 0}, raw[3:])), KindMalformed, false},
		"privilege twice":   {encode(twice), KindMalformed, false},
		"privileges lie":    {encode(many), KindMalformed, false},
		"long":              {head + strings.Repeat("A", maxText), KindTooLong, false},
		"no message at all": {encode(slices.Concat([]byte{32, 0}, make([]byte, 42))), KindMalformed, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read006(tt.text)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != tt.want || e.Cut != tt.cut {
				t.Fatalf("Read006 = %v (%+v), want kind %q", err, e, tt.want)
			}
			checkErrorText(t, err, tt.text)
		})
	}
}

// agree006 fails when the official reader and ours read something else.
func agree006(t interface{ Fatalf(string, ...any) }, text string) {
	got, err := Read006(text)
	if err != nil {
		return
	}
	var theirs accesstoken.AccessToken
	if !theirs.FromString(text) {
		t.Fatalf("we read %q, the official package does not", text)
	}
	privileges := map[uint16]uint32{}
	for _, p := range got.Privileges {
		privileges[p.ID] = p.ExpiresAt
	}
	if theirs.Salt != got.Salt || theirs.Ts != got.ExpiresAt || theirs.CrcChannelName != got.ChannelCRC || theirs.CrcUid != got.UserCRC ||
		theirs.Signature != string(got.signature[:]) || !cmp.Equal(theirs.Message, privileges) {
		t.Fatalf("we read %+v, they %+v", got, theirs)
	}
}

func Test006RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomRTC(t)
		text, err := BuildRTC006(project, r, time.Unix(issued, 0))
		if err != nil {
			t.Fatal(err)
		}
		agree006(t, text)
		got, err := Read006(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Verify(project.Certificate, r.Channel, r.user()); err != nil || !got.IsFor(r.Channel, r.user()) {
			t.Fatalf("%+v became %+v: %v", r, got, err)
		}
		b := []byte(text)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 6).Draw(t, "bit")
		agree006(t, string(b))
		if altered, err := Read006(string(b)); err == nil && altered.Verify(project.Certificate, r.Channel, r.user()) == nil &&
			altered.IsFor(r.Channel, r.user()) {
			t.Fatalf("an altered token is genuine")
		}
	})
}

func FuzzRead006(f *testing.F) {
	text, err := BuildRTC006(project, RTC{Channel: "room", UID: 7, Publisher: true, PrivilegeExpire: 600}, time.Unix(issued, 0))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "006", text, text[:60], text + "AAAA", text[:len(text)-6] + "\n", version006 + project.AppID} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { agree006(t, text) })
}

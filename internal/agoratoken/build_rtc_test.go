package agoratoken

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestBuildRTC(t *testing.T) {
	at := time.Unix(issued, 0)
	publish := []Privilege{{1, "join channel", 60}, {2, "publish audio", 60}, {3, "publish video", 60}, {4, "publish data", 60}}
	tests := map[string]struct {
		r    RTC
		want Service
	}{
		"publisher":  {RTC{Channel: "room", UID: math.MaxUint32, Publisher: true}, Service{User: "4294967295", Channel: "room", Privileges: publish}},
		"subscriber": {RTC{Channel: "room", UID: 7}, Service{User: "7", Channel: "room", Privileges: publish[:1]}},
		"everybody":  {RTC{Channel: "room"}, Service{Channel: "room", Privileges: publish[:1]}},
		"account":    {RTC{Channel: "a b!", Account: "alice"}, Service{User: "alice", Channel: "a b!", Privileges: publish[:1]}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.r.Expire, tt.r.PrivilegeExpire = 600, 60
			text, err := BuildRTC(project, tt.r, at)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Read(text)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Type, tt.want.Name = ServiceRTC, "rtc"
			want := Claims{AppID: project.AppID, IssuedAt: issued, Expire: 600, Salt: got.Claims().Salt, Services: []Service{tt.want}}
			if diff := cmp.Diff(want, got.Claims()); diff != "" {
				t.Error(diff)
			}
			if life := got.Claims().Life(ServiceRTC); life != 60 {
				t.Errorf("it lives %d s", life)
			}
			if err := Verify(text, project.Certificate); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBuildRTM(t *testing.T) {
	text, err := BuildRTM(project, "alice", 600, time.Unix(issued, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	want := []Service{{Type: ServiceRTM, Name: "rtm", User: "alice", Privileges: []Privilege{{1, "log in", 600}}}}
	if diff := cmp.Diff(want, got.Claims().Services); diff != "" || got.Claims().IssuedAt != issued {
		t.Error(got.Claims(), diff)
	}
	_, err = BuildRTM(project, strings.Repeat("u", 65_541), 600, time.Unix(issued, 0))
	if kindOf(t, err) != KindBadRequest {
		t.Errorf("a user id that wraps gives %v", err)
	}
}

func TestBuildRTCRefuses(t *testing.T) {
	tests := map[string]struct {
		c    Credentials
		r    RTC
		at   int64
		want Kind
	}{
		"credentials":       {Credentials{}, RTC{Channel: "room"}, issued, KindBadCredentials},
		"no channel":        {project, RTC{}, issued, KindBadRequest},
		"63 bytes":          {project, RTC{Channel: strings.Repeat("c", 63)}, issued, ""},
		"64 bytes":          {project, RTC{Channel: strings.Repeat("c", 64)}, issued, KindBadRequest},
		"every mark":        {project, RTC{Channel: channelMarks + "azAZ09"}, issued, ""},
		"other mark":        {project, RTC{Channel: "a*b"}, issued, KindBadRequest},
		"slash":             {project, RTC{Channel: "a/b"}, issued, KindBadRequest},
		"other letter":      {project, RTC{Channel: "zażółć"}, issued, KindBadRequest},
		"control":           {project, RTC{Channel: "a\x1b"}, issued, KindBadRequest},
		"uid and account":   {project, RTC{Channel: "room", UID: 1, Account: "1"}, issued, KindBadRequest},
		"account of 255":    {project, RTC{Channel: "room", Account: strings.Repeat("a", 255)}, issued, ""},
		"account of 256":    {project, RTC{Channel: "room", Account: strings.Repeat("a", 256)}, issued, KindBadRequest},
		"before 1970":       {project, RTC{Channel: "room"}, -1, KindBadRequest},
		"ends after 2106":   {project, RTC{Channel: "room"}, math.MaxUint32 + 1, KindBadRequest},
		"the last second":   {project, RTC{Channel: "room"}, math.MaxUint32 - 86_400, ""},
		"lives the longest": {project, RTC{Channel: "room", PrivilegeExpire: math.MaxUint32 - issued}, issued, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, build := range []func(Credentials, RTC, time.Time) (string, error){BuildRTC, BuildRTC006} {
				text, err := build(tt.c, tt.r, time.Unix(tt.at, 0))
				if got := kindOf(t, err); got != tt.want || (text == "") != (err != nil) {
					t.Errorf("built %q, %v, want kind %q", text, err, tt.want)
				}
				if err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
					t.Errorf("%q has a control character", err)
				}
			}
		})
	}
	_, err := BuildRTC006(project, RTC{Channel: "room", PrivilegeExpire: math.MaxUint32 - issued + 1}, time.Unix(issued, 0))
	if kindOf(t, err) != KindBadRequest {
		t.Errorf("a date of 33 bits gives %v", err)
	}
}

// randomRTC draws what [BuildRTC] and [BuildRTC006] accept.
func randomRTC(t *rapid.T) RTC {
	letters := rapid.SampledFrom([]rune("abcxyzABCXYZ0189" + channelMarks))
	r := RTC{
		Channel:   rapid.StringOfN(letters, 1, maxChannel, maxChannel).Draw(t, "channel"),
		Publisher: rapid.Bool().Draw(t, "publisher"), Expire: rapid.Uint32().Draw(t, "expire"),
		PrivilegeExpire: rapid.Uint32Range(0, 2_000_000_000).Draw(t, "privilege expire"),
	}
	if rapid.Bool().Draw(t, "by account") {
		r.Account = rapid.StringN(1, 40, maxAccount).Draw(t, "account")
	} else {
		r.UID = rapid.Uint32().Draw(t, "uid")
	}
	return r
}

func TestRTCRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomRTC(t)
		text, err := BuildRTC(project, r, time.Unix(issued, 0))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(text)
		if err != nil {
			t.Fatal(err)
		}
		s := got.Claims().Services[0]
		if s.Channel != r.Channel || s.User != r.user() || (len(s.Privileges) == 4) != r.Publisher || got.Claims().Expire != r.Expire ||
			s.Privileges[0].Expire != r.PrivilegeExpire || Verify(text, project.Certificate) != nil {
			t.Fatalf("%+v became %+v", r, got.Claims())
		}
	})
}

package agoratoken

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
)

func TestCertificateIsHidden(t *testing.T) {
	secret := string(project.Certificate)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		args := []any{project, project}
		fmt.Fprintf(&out, verb+"\n", args[:strings.Count(verb, "%")]...)
		fmt.Fprintf(&out, verb+"\n", []any{project.Certificate, project.Certificate}[:strings.Count(verb, "%")]...)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", "c", project.Certificate, "p", project)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "c", project.Certificate, "p", project)
	marshalled, err := json.Marshal(project)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(marshalled)
	out.WriteString(project.Certificate.String() + project.Certificate.GoString())
	for _, leak := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the certificate leaks:\n%s", out.String())
		}
	}
	if !strings.Contains(out.String(), hidden) {
		t.Errorf("nothing stands for the certificate:\n%s", out.String())
	}
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		c    Credentials
		want Kind
	}{
		"good":              {project, ""},
		"upper case":        {Credentials{strings.ToUpper(project.AppID), project.Certificate}, ""},
		"no app id":         {Credentials{"", project.Certificate}, KindBadCredentials},
		"app id not hex":    {Credentials{strings.Repeat("x", 32), project.Certificate}, KindBadCredentials},
		"no certificate":    {Credentials{project.AppID, ""}, KindBadCredentials},
		"short certificate": {Credentials{project.AppID, project.Certificate[1:]}, KindBadCredentials},
		"long certificate":  {Credentials{project.AppID, project.Certificate + "00"}, KindBadCredentials},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.c.Validate()
			if got := kindOf(t, err); got != tt.want {
				t.Errorf("Validate() = %v, want kind %q", err, tt.want)
			}
			if err != nil && tt.c.Certificate != "" && strings.Contains(err.Error(), string(tt.c.Certificate)) {
				t.Errorf("%q holds the certificate", err)
			}
		})
	}
}

func TestBuildAt(t *testing.T) {
	for _, at := range []time.Time{time.Now(), time.Unix(0, 0), time.Unix(1_700_000_000, 999), time.Unix(math.MaxUint32, 0)} {
		for _, expire := range []uint32{0, 600, 86_401, math.MaxUint32} {
			text, err := BuildUser(project, "alice", expire, at)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Read(text)
			if err != nil {
				t.Fatal(err)
			}
			chat, err := got.Claims().Chat()
			if err != nil {
				t.Fatal(err)
			}
			if want := (Chat{User: "alice", UserPrivilege: true, Lifetime: time.Duration(expire) * time.Second}); chat != want {
				t.Errorf("chat claims %+v, want %+v", chat, want)
			}
			if issued := int64(got.Claims().IssuedAt); issued != at.Unix() {
				t.Errorf("issued at %d, want %d", issued, at.Unix())
			}
			if alive := expire > 0; alive {
				if _, err := Admit(text, project, at, Cap); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestBuildApp(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	text, err := BuildApp(project, 600, at)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Admit(text, project, at, Cap)
	if err != nil || !got.App || got.User != "" {
		t.Errorf("Admit = %+v, %v, want an app token of no user", got, err)
	}
}

func TestBuildRefuses(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	tests := map[string]struct {
		c    Credentials
		user string
		at   time.Time
		want Kind
	}{
		"bad credentials":    {Credentials{}, "alice", at, KindBadCredentials},
		"user id that wraps": {project, strings.Repeat("u", 65_541), at, KindBadRequest},
		"before 1970":        {project, "alice", time.Unix(-1, 0), KindBadRequest},
		"after 2106":         {project, "alice", time.Unix(math.MaxUint32+1, 0), KindBadRequest},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := BuildUser(tt.c, tt.user, 600, tt.at)
			if got := kindOf(t, err); got != tt.want || text != "" {
				t.Errorf("BuildUser = %q, %v, want kind %q", text, err, tt.want)
			}
		})
	}
	if _, err := BuildUser(project, strings.Repeat("u", math.MaxUint16), 600, at); err != nil {
		t.Errorf("the longest user id is refused: %v", err)
	}
}

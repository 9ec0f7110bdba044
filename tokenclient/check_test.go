package tokenclient

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

func TestCheck(t *testing.T) {
	valid := userToken(t, "alice", 600, noon)
	app, err := agoratoken.BuildApp(project, 600, noon)
	if err != nil {
		t.Fatal(err)
	}
	const id = "0F8FAD5B-d9cb-469f-a165-70867728950e"
	tests := map[string]struct {
		text    string
		appID   string
		want    Kind
		says    string // in the error or in the only warning
		expires time.Duration
	}{
		"valid":                {valid, project.AppID, "", "", 10 * time.Minute},
		"app id unknown":       {valid, "", "", "", 10 * time.Minute},
		"other app":            {valid, strings.Repeat("0", 32), KindWrongApp, "App ID", 0},
		"empty":                {"", "", KindEmptyToken, "empty", 0},
		"blank":                {" \n", "", KindEmptyToken, "empty", 0},
		"white space":          {valid + "\n", "", KindNotAToken, "white space", 0},
		"quotes":               {`"` + valid + `"`, "", KindNotAToken, "quotes", 0},
		"single quotes":        {"'" + valid + "'", "", KindNotAToken, "quotes", 0},
		"chat token":           {"YWMtXbC0_jZlEe6x-w0123456789", "", KindNotAToken, "Chat token", 0},
		"old token":            {"006" + project.AppID + "IAAAAAA", "", KindNotAToken, "006", 0},
		"jwt":                  {"eyJhbGciOiJub25lIn0.e30.", "", KindNotAToken, "JSON Web Token", 0},
		"sentence":             {"appid or appcert is not empty", "", KindNotAToken, "007", 0},
		"cut":                  {valid[:60], "", KindNotAToken, "cut", 0},
		"rtm token":            {tokenOf(t, accesstoken2.NewServiceRtm("alice")), "", KindNotAToken, "chat service", 0},
		"app token":            {app, "", KindNotAToken, "app token", 0},
		"other user":           {userToken(t, "bob", 600, noon), "", KindWrongUser, `"bob", not "alice"`, 0},
		"hostile user":         {userToken(t, "\x1b]0;x\abob", 600, noon), "", KindWrongUser, `"bob"`, 0},
		"no user":              {userToken(t, "", 600, noon), "", KindWrongUser, "field names", 0},
		"uuid":                 {userToken(t, id, 600, noon), "", "", "UUID", 10 * time.Minute},
		"zero life":            {userToken(t, "alice", 0, noon), "", KindBadLifetime, "0 seconds", 0},
		"expired":              {userToken(t, "alice", 600, noon.Add(-15*time.Minute)), "", KindExpired, "5 min ago", 0},
		"expires now":          {userToken(t, "alice", 600, noon.Add(-10*time.Minute)), "", KindExpired, "0 s ago", 0},
		"last second":          {userToken(t, "alice", 600, noon.Add(-599*time.Second)), "", "", "", time.Second},
		"24 h":                 {userToken(t, "alice", 86_400, noon), "", "", "", 24 * time.Hour},
		"7 days":               {userToken(t, "alice", 7*86_400, noon), "", "", "24 hours", 24 * time.Hour},
		"7 days, used for one": {userToken(t, "alice", 7*86_400, noon.Add(-25*time.Hour)), "", KindExpired, "1 h ago", 0},
		"milliseconds":         {userToken(t, "alice", 3_600_000, noon), "", KindBadLifetime, "41 days", 0},
		"a date":               {userToken(t, "alice", 1_700_000_600, noon), "", KindBadLifetime, "a date", 0},
		"a minute ahead":       {userToken(t, "alice", 600, noon.Add(time.Minute)), "", "", "", 11 * time.Minute},
		"ten minutes ahead":    {userToken(t, "alice", 600, noon.Add(10*time.Minute)), "", "", "in the future", 20 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Check(tt.text, Expectation{AppID: tt.appID, User: "alice", Now: noon})
			if e := checkError(t, err, tt.want, tt.text); e.Kind != "" {
				if !strings.Contains(e.Detail, tt.says) {
					t.Errorf("%q does not say %q", e.Detail, tt.says)
				}
				return
			}
			if got.Text.Reveal() != tt.text || got.AppID != project.AppID || !got.ExpiresAt.Equal(noon.Add(tt.expires)) {
				t.Errorf("got %+v", got)
			}
			if (tt.says == "") != (len(got.Warnings) == 0) || !strings.Contains(strings.Join(got.Warnings, "|"), tt.says) {
				t.Errorf("warnings %q, want %q", got.Warnings, tt.says)
			}
		})
	}
}

func TestSameAs(t *testing.T) {
	one, other := userToken(t, "alice", 600, noon), userToken(t, "alice", 601, noon)
	tests := []struct {
		a, b string
		want bool
	}{{one, one, true}, {one, other, false}, {one, "x", false}, {"x", "y", false}, {"x", "x", true}}
	for _, tt := range tests {
		if got := (Token{Text: Secret(tt.a)}).SameAs(Token{Text: Secret(tt.b)}); got != tt.want {
			t.Errorf("SameAs(%v, %v) = %v", Secret(tt.a), Secret(tt.b), got)
		}
	}
}

func TestSecretIsShort(t *testing.T) {
	text := userToken(t, "alice", 600, noon)
	token := Token{Text: Secret(text)}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb+"\n", token)
		fmt.Fprintf(&out, verb+"\n", token.Text)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "token", token, "text", token.Text)
	marshalled, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(marshalled)
	if strings.Contains(out.String(), text[:12]) || strings.Contains(out.String(), fmt.Sprintf("%x", text[:12])) {
		t.Errorf("the token leaks:\n%s", out.String())
	}
	if token.Text.GoString() != text[:6]+"…"+text[len(text)-4:] {
		t.Errorf("short form %q", token.Text.GoString())
	}
}

func TestPasted(t *testing.T) {
	now := noon
	text := userToken(t, "alice", 600, noon)
	source := Pasted(" "+text+"\n", Config{AppID: project.AppID, Now: func() time.Time { return now }})
	if source.Renewable() {
		t.Error("a pasted token is called renewable")
	}
	first, err := source.Fetch(t.Context(), Request{User: "alice"})
	checkError(t, err, "", text)
	again, err := source.Fetch(t.Context(), Request{User: "alice"})
	checkError(t, err, "", text)
	if !first.SameAs(again) {
		t.Error("the pasted token changes")
	}
	_, err = source.Fetch(t.Context(), Request{User: "bob"})
	checkError(t, err, KindWrongUser, text)
	now = noon.Add(10 * time.Minute)
	_, err = source.Fetch(t.Context(), Request{User: "alice"})
	checkError(t, err, KindNotRenewable, text)
	_, err = source.Fetch(t.Context(), Request{User: "alice", Now: func() time.Time { return noon }})
	checkError(t, err, "", text)
	_, err = Pasted(text, Config{Now: func() time.Time { return now }}).Fetch(t.Context(), Request{User: "alice"})
	checkError(t, err, KindExpired, text)
}

func TestPresets(t *testing.T) {
	for _, name := range Presets() {
		s, ok := Preset(name)
		if !ok || s.Name != name {
			t.Errorf("Preset(%q) = %+v, %v", name, s, ok)
		}
		if s.Header != nil {
			s.Header["Content-Type"] = "changed"
			if again, _ := Preset(name); again.Header["Content-Type"] == "changed" {
				t.Errorf("the preset %q can be changed", name)
			}
		}
	}
	if _, ok := Preset("unknown"); ok || slices.Contains(Presets(), "unknown") {
		t.Error("there is a preset that does not exist")
	}
}

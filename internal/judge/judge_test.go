package judge

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	accesstoken "github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/AccessToken"
	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// chatLogin is what alice's client expects of a token.
var chatLogin = Expectation{AppID: project.AppID, Certificate: project.Certificate, User: "alice", Service: Chat, Now: noon}

// TestChat judges what a client of chat may be handed.
func TestChat(t *testing.T) {
	const id = "0F8FAD5B-d9cb-469f-a165-70867728950e"
	user := map[uint16]uint32{1: 600}
	app, err := agoratoken.BuildApp(project, 600, noon)
	must(t, app, err)
	old, err := agoratoken.BuildRTC006(project, agoratoken.RTC{Channel: "room"}, noon)
	must(t, old, err)
	rtc, err := agoratoken.BuildRTC(project, agoratoken.RTC{Channel: "room", Account: "alice", Expire: 600}, noon)
	must(t, rtc, err)
	tests := map[string]struct {
		text  string
		codes string // of the findings that are not ok
		works bool
		says  string
	}{
		"valid":                   {userToken(t, "alice", 600, noon), "", true, "another 10 min"},
		"expired":                 {userToken(t, "alice", 600, noon.Add(-time.Hour)), "expired", false, "expired 50 min ago"},
		"expires now":             {userToken(t, "alice", 600, noon.Add(-600*time.Second)), "expired", false, "0 s ago"},
		"last second":             {userToken(t, "alice", 600, noon.Add(-599*time.Second)), "", true, "another 1 s"},
		"a minute ahead":          {userToken(t, "alice", 600, noon.Add(time.Minute)), "", true, ""},
		"ten minutes ahead":       {userToken(t, "alice", 600, noon.Add(10*time.Minute)), "clock-ahead", true, "10 min in the future"},
		"not yet valid":           {userToken(t, "alice", 600, noon.Add(61*time.Minute)), "not-yet-valid", false, "1 h 1 min in the future"},
		"wrong app id":            {otherProject(t, otherHex, string(project.Certificate)), "wrong-app-id", false, "000000…0000, not 970ca3…1b33"},
		"wrong certificate":       {otherProject(t, project.AppID, otherHex), "wrong-certificate", false, "another App Certificate"},
		"uuid":                    {userToken(t, id, 600, noon), "uuid", true, "UUID"},
		"another user":            {userToken(t, "bob", 600, noon), "wrong-user", false, `"bob", not "alice"`},
		"another case":            {userToken(t, "Alice", 600, noon), "wrong-user", false, "upper and lower case"},
		"nobody":                  {userToken(t, "", 600, noon), "no-user", false, "field names"},
		"nobody, zero life":       {userToken(t, "", 0, noon), "no-user zero-life", false, ""},
		"hostile user":            {userToken(t, "\x1b]0;x\abob", 600, noon), "wrong-user", false, `"bob"`},
		"app token":               {app, "app-token", false, "app token"},
		"user and app token":      {official(t, 600, chatService("alice", map[uint16]uint32{1: 600, 2: 600})), "", true, ""},
		"no privilege":            {official(t, 600, chatService("alice", nil)), "no-privilege", false, ""},
		"other privilege":         {official(t, 600, chatService("alice", map[uint16]uint32{3: 600})), "no-privilege", false, ""},
		"two chat services":       {official(t, 600, chatService("alice", user), chatService("bob", user)), "repeated-service", false, "more than once"},
		"chat and rtm":            {official(t, 600, chatService("alice", user), accesstoken2.NewServiceRtm("bob")), "", true, ""},
		"rtc token":               {rtc, "wrong-service", false, "is for rtc and has no chat service"},
		"006":                     {old, "old-token", false, "006"},
		"zero life":               {userToken(t, "alice", 0, noon), "zero-life", false, "0 seconds"},
		"privilege of zero life":  {official(t, 600, chatService("alice", map[uint16]uint32{1: 0})), "zero-life", false, ""},
		"24 h":                    {userToken(t, "alice", 86_400, noon), "", true, ""},
		"over 24 h":               {userToken(t, "alice", 86_401, noon), "over-24h", true, "24 hours"},
		"7 days, on day 2":        {userToken(t, "alice", 7*86_400, noon.Add(-25*time.Hour)), "over-24h expired", false, "7 days (604800 s)"},
		"milliseconds":            {userToken(t, "alice", 3_600_000, noon), "milliseconds", true, "41 days"},
		"a date":                  {userToken(t, "alice", noonSecond+600, noon), "date-for-duration", true, "a date"},
		"minus one":               {userToken(t, "alice", math.MaxUint32, noon), "over-a-month", true, "units"},
		"empty":                   {"", "empty", false, "empty"},
		"blank":                   {" \r\n", "empty", false, "empty"},
		"chat token":              {"YWMtXbC0_jZlEe6x-w0123456789", "chat-token", false, "Chat token"},
		"jwt":                     {"eyJhbGciOiJub25lIn0.e30.", "jwt", false, "JSON Web Token"},
		"complaint with 200":      {"appid or appcert is not empty", "not-a-token", false, "does not begin with 007"},
		"page":                    {"<html><body>007</body></html>", "not-a-token", false, ""},
		"json with empty token":   {`{"token":"","error":"check appId or appCertificate"}`, "json empty", false, ""},
		"json that is no answer":  {`[[[[`, "json empty", false, ""},
		"json with a chat token":  {`{"access_token":"YWMtXbC0_jZlEe6x-w0123456789","expires_in":1}`, "json chat-token", false, "access_token"},
		"huge":                    {strings.Repeat(" ", maxText+1), "too-long", false, "8193 bytes"},
		"unknown service":         {withService(t, 99), "damaged", false, "unknown type 99"},
		"far more text than 2 KB": {"007" + strings.Repeat("A", 2048), "too-long", false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Judge(tt.text, chatLogin)
			if got := strings.Join(grave(v), " "); got != tt.codes || v.WouldWork() != tt.works {
				t.Errorf("works is %v, %q, want %v, %q", v.WouldWork(), got, tt.works, tt.codes)
			}
			if !strings.Contains(fmt.Sprint(v.Findings), tt.says) {
				t.Errorf("%+v does not say %q", v.Findings, tt.says)
			}
			checkVerdict(t, tt.text, v)
		})
	}
}

func otherProject(t *testing.T, appID, certificate string) string {
	t.Helper()
	text, err := agoratoken.BuildUser(agoratoken.Credentials{AppID: appID, Certificate: agoratoken.Certificate(certificate)}, "alice", 600, noon)
	return must(t, text, err)
}

// withService is a genuine token whose only service has this type.
func withService(t *testing.T, id uint16) string {
	t.Helper()
	return official(t, 600, accesstoken2.NewService(id))
}

// checkVerdict holds for every verdict: see checkSafe; and it gives no secret away.
func checkVerdict(t testing.TB, text string, v Verdict) {
	t.Helper()
	for _, s := range checkSafe(t, v) {
		if len(text) > 40 && strings.Contains(s, text[:20]) || strings.Contains(s, string(project.Certificate)) {
			t.Errorf("%q gives a secret away", s)
		}
	}
}

// checkSafe holds for the verdict on any text: what a person is shown is safe on a terminal, and every finding that matters says what to
// do. It returns what a person is shown.
func checkSafe(t testing.TB, v Verdict) (shown []string) {
	t.Helper()
	for _, f := range v.Findings {
		if f.Code == "" || f.What == "" || f.Severity != OK && f.Fix == "" || f.Severity != OK && f.Severity != Warning && f.Severity != Fatal {
			t.Errorf("incomplete finding %+v", f)
		}
		shown = append(shown, f.Code, f.What, f.Fix)
	}
	if len(v.Findings) == 0 {
		t.Error("nothing was found out")
	}
	if v.Token != nil {
		for _, f := range v.Token.Describe() {
			shown = append(shown, f.Name, f.Text(noon), f.Meaning)
		}
		shown = append(shown, v.Token.Short)
	} else if v.WouldWork() {
		t.Error("what cannot be read is said to work")
	}
	for _, s := range shown {
		if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e }) {
			t.Errorf("%q would act on a terminal", s)
		}
	}
	return shown
}

// TestWrapped judges tokens that were damaged on their way. What is inside must be judged too.
func TestWrapped(t *testing.T) {
	text := userToken(t, "alice", 600, noon)
	// One that has what gets lost on the way, but not at its end, where it would look like mere white space.
	for i := uint32(600); !strings.Contains(text, "+") || strings.HasSuffix(text, "+"); i++ {
		text = userToken(t, "alice", i, noon)
	}
	b64, once := base64.StdEncoding.EncodeToString([]byte(text)), url.QueryEscape(text)
	slashed := strings.NewReplacer("/", `\/`, "=", `\u003d`).Replace(text)
	tests := map[string]struct{ text, codes string }{
		"line feed":           {text + "\n", "white-space"},
		"spaces":              {" \t" + text + " ", "white-space"},
		"byte order mark":     {"\ufeff" + text, "white-space"},
		"double quotes":       {`"` + text + `"`, "quotes"},
		"one quote":           {text + `"`, "quotes"},
		"single quotes":       {"'" + text + "'", "quotes"},
		"backquotes":          {"`" + text + "`", "quotes"},
		"typographic quotes":  {"“" + text + "”", "quotes"},
		"json string":         {`"` + slashed + `"`, "quotes"},
		"escaped quotes":      {`"\"` + text + `\""`, "quotes"},
		"bearer":              {"Bearer " + text, "bearer"},
		"header":              {"authorization: bearer  " + text, "bearer"},
		"json":                {`{"code":0,"token":"` + text + `"}`, "json"},
		"json, pretty":        {"{\n  \"data\": {\n    \"token\" : \"" + slashed + "\"\n  }\n}\n", "white-space json"},
		"json list":           {`["` + string(project.Certificate) + `","` + text + `"]`, "json"},
		"url":                 {once, "url-encoded"},
		"url, twice":          {url.QueryEscape(once), "url-encoded"},
		"plus became a space": {strings.ReplaceAll(text, "+", " "), "space-for-plus"},
		"wrapped lines":       {text[:64] + "\r\n" + text[64:], "line-break"},
		"base64":              {b64, "base64"},
		"base64, no padding":  {strings.TrimRight(b64, "="), "base64"},
		"base64 of json":      {base64.URLEncoding.EncodeToString([]byte(`{"token":"` + text + `"}`)), "base64 json"},
		"everything":          {` "Bearer ` + base64.StdEncoding.EncodeToString([]byte(once)) + `" `, "white-space quotes bearer base64 url-encoded"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Judge(tt.text, chatLogin)
			if got := strings.Join(grave(v), " "); got != tt.codes || v.WouldWork() {
				t.Errorf("works is %v, found %q, want %q", v.WouldWork(), got, tt.codes)
			}
			if v.Token == nil || v.Token.Services[0].User != "alice" || v.Token.Genuine != Yes || !v.Has("alive") {
				t.Errorf("the token inside is judged %+v %+v", v.Token, v.Findings)
			}
			checkVerdict(t, tt.text, v)
		})
	}
	for n := 3; n < len(text); n++ {
		if got := strings.Join(grave(Judge(text[:n], chatLogin)), " "); got != "truncated" {
			t.Errorf("the first %d bytes are found %q", n, got)
		}
	}
	v := Judge(`"`+userToken(t, "bob", 600, noon.Add(-time.Hour))+`"`, chatLogin)
	if diff := cmp.Diff([]string{"quotes", "wrong-user", "expired"}, grave(v)); diff != "" {
		t.Error(diff)
	}
}

// TestRTC judges tokens for the media service, of both kinds, and for signalling.
func TestRTC(t *testing.T) {
	join := Expectation{AppID: project.AppID, Certificate: project.Certificate, User: "7", Channel: "room", Service: RTC, Now: noon}
	with := func(change func(*Expectation)) Expectation {
		e := join
		change(&e)
		return e
	}
	rtc := agoratoken.RTC{Channel: "room", UID: 7, Publisher: true, Expire: 600, PrivilegeExpire: 600}
	everybody, weekly, unlimited := rtc, rtc, rtc
	everybody.UID = 0
	weekly.Expire, weekly.PrivilegeExpire = 7*86_400, 7*86_400
	unlimited.PrivilegeExpire = 0
	build := func(r agoratoken.RTC, at time.Time) string {
		text, err := agoratoken.BuildRTC(project, r, at)
		return must(t, text, err)
	}
	build006 := func(r agoratoken.RTC, at time.Time) string {
		text, err := agoratoken.BuildRTC006(project, r, at)
		return must(t, text, err)
	}
	rtm, err := agoratoken.BuildRTM(project, "alice", 600, noon)
	must(t, rtm, err)
	rtm006 := func(until uint32) string {
		token := accesstoken.CreateAccessToken2(project.AppID, string(project.Certificate), "alice", "")
		token.Ts = noonSecond + 86_400
		token.AddPrivilege(accesstoken.KLoginRtm, until)
		text, err := token.Build()
		return must(t, text, err)
	}
	rtmLogin := with(func(e *Expectation) { e.Service, e.User, e.Channel = RTM, "alice", "" })
	bad := accesstoken2.NewServiceRtc("*", "7")
	bad.AddPrivilege(1, 600)
	const soon = noonSecond + 600
	tests := map[string]struct {
		text    string
		want    Expectation
		codes   string
		genuine Genuine
		life    time.Duration // from now to the end
	}{
		"valid":                   {build(rtc, noon), join, "", Yes, 10 * time.Minute},
		"nothing expected":        {build(rtc, noon), Expectation{Now: noon}, "", Unchecked, 10 * time.Minute},
		"everybody":               {build(everybody, noon), join, "", Yes, 10 * time.Minute},
		"uid 0":                   {build(rtc, noon), with(func(e *Expectation) { e.User = "0" }), "", Yes, 10 * time.Minute},
		"other user":              {build(rtc, noon), with(func(e *Expectation) { e.User = "8" }), "wrong-user", Yes, 10 * time.Minute},
		"other channel":           {build(rtc, noon), with(func(e *Expectation) { e.Channel = "Room" }), "wrong-channel", Yes, 10 * time.Minute},
		"a week":                  {build(weekly, noon), join, "over-24h", Yes, 24 * time.Hour},
		"privilege 0":             {build(unlimited, noon), join, "", Yes, 10 * time.Minute},
		"expired":                 {build(rtc, noon.Add(-time.Hour)), join, "expired", Yes, -50 * time.Minute},
		"impossible channel":      {official(t, 600, bad), with(func(e *Expectation) { e.Channel = "*" }), "channel-name", Yes, 10 * time.Minute},
		"may not join":            {official(t, 600, accesstoken2.NewServiceRtc("room", "7")), join, "no-privilege", Yes, 10 * time.Minute},
		"no service":              {pack(append(unpack(t, official(t, 600, accesstoken2.NewServiceFpa()))[:80], 0, 0)), Expectation{Now: noon}, "no-service", Unchecked, 10 * time.Minute},
		"another service":         {official(t, 600, accesstoken2.NewServiceFpa()), Expectation{Now: noon}, "", Unchecked, 10 * time.Minute},
		"another service's user":  {official(t, 600, accesstoken2.NewServiceStreaming("c", "bob")), Expectation{Now: noon, User: "alice"}, "wrong-user", Unchecked, 10 * time.Minute},
		"chat for rtc":            {userToken(t, "7", 600, noon), join, "wrong-service", Yes, 10 * time.Minute},
		"rtm":                     {rtm, rtmLogin, "", Yes, 10 * time.Minute},
		"rtm of nobody":           {official(t, 600, rtmService("")), rtmLogin, "no-user", Yes, 10 * time.Minute},
		"rtm for another":         {rtm, with(func(e *Expectation) { e.Service, e.User = RTM, "bob" }), "wrong-user", Yes, 10 * time.Minute},
		"006":                     {build006(rtc, noon), join, "", Yes, 10 * time.Minute},
		"006, 0 is 24 h":          {build006(unlimited, noon), join, "", Yes, 24 * time.Hour},
		"006, a week":             {build006(weekly, noon), join, "over-24h", Yes, 24 * time.Hour},
		"006, everybody":          {build006(everybody, noon), join, "", Yes, 10 * time.Minute},
		"006, other user":         {build006(rtc, noon), with(func(e *Expectation) { e.User = "8" }), "wrong-user", Unchecked, 10 * time.Minute},
		"006, uid 0":              {build006(rtc, noon), with(func(e *Expectation) { e.User = "0" }), "wrong-user", Unchecked, 10 * time.Minute},
		"006, other channel":      {build006(rtc, noon), with(func(e *Expectation) { e.Channel = "Room" }), "wrong-channel", Unchecked, 10 * time.Minute},
		"006, channel not known":  {build006(rtc, noon), with(func(e *Expectation) { e.Channel = "" }), "", Unchecked, 10 * time.Minute},
		"006, other certificate":  {build006(rtc, noon), with(func(e *Expectation) { e.Certificate = otherHex }), "wrong-certificate", No, 10 * time.Minute},
		"006, expired":            {build006(rtc, noon.Add(-time.Hour)), join, "expired", Yes, -50 * time.Minute},
		"006, ten minutes ahead":  {build006(rtc, noon.Add(10*time.Minute)), join, "clock-ahead", Yes, 20 * time.Minute},
		"006, not yet valid":      {build006(rtc, noon.Add(2*time.Hour)), join, "not-yet-valid", Yes, 130 * time.Minute},
		"006, a duration":         {rtm006(3600), rtmLogin, "duration-for-date", Yes, time.Duration(3600-noon.Unix()) * time.Second},
		"006 for rtm":             {rtm006(soon), rtmLogin, "", Yes, 10 * time.Minute},
		"006 for rtm, another":    {rtm006(soon), with(func(e *Expectation) { e.Service, e.User = RTM, "bob" }), "wrong-user", Unchecked, 10 * time.Minute},
		"006 for rtm, not rtc":    {rtm006(soon), with(func(e *Expectation) { e.User = "alice" }), "wrong-service", Yes, 10 * time.Minute},
		"006 without a privilege": {without006(t), join, "no-privilege", Yes, 24 * time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Judge(tt.text, tt.want)
			if got := strings.Join(grave(v), " "); got != tt.codes {
				t.Fatalf("found %q, want %q: %+v", got, tt.codes, v.Findings)
			}
			if v.Token.Genuine != tt.genuine || v.Token.ExpiresAt.Sub(noon) != tt.life {
				t.Errorf("the signature is %s, it ends after %v", v.Token.Genuine, v.Token.ExpiresAt.Sub(noon))
			}
			checkVerdict(t, tt.text, v)
		})
	}
	for n := 3; n < 60; n++ {
		if got := strings.Join(grave(Judge(build006(rtc, noon)[:n], join)), " "); got != "truncated" {
			t.Errorf("the first %d bytes of a 006 token are found %q", n, got)
		}
	}
}

func rtmService(user string) accesstoken2.IService {
	s := accesstoken2.NewServiceRtm(user)
	s.AddPrivilege(accesstoken2.PrivilegeLogin, 600)
	return s
}

func without006(t *testing.T) string {
	t.Helper()
	token := accesstoken.CreateAccessToken2(project.AppID, string(project.Certificate), "room", "7")
	token.Ts = noonSecond + 86_400
	token.AddPrivilege(accesstoken.KPublishAudioStream, 0)
	text, err := token.Build()
	return must(t, text, err)
}

// TestPrinted reads the token of sources/001. At its time it was good, though it asks for more than two months.
func TestPrinted(t *testing.T) {
	v := Judge(printed, Expectation{AppID: "38a7d3fb783b40839ce1df8f7744f33b", Service: Chat, Now: time.Unix(1640744653, 0)})
	if !v.WouldWork() || strings.Join(grave(v), " ") != "milliseconds" {
		t.Errorf("found %+v", v.Findings)
	}
	want := [][3]string{
		{"token", "007eJx…0CGG", ""},
		{"version", "007", "AccessToken2, for every service"},
		{"app id", "38a7d3fb783b40839ce1df8f7744f33b", "the project"},
		{"issued", "2021-12-29 02:24:13 UTC (now)", "by the clock of the token server"},
		{"life", "69 days (6000000 s)", "from the issue"},
		{"salt", "2503331629", "random, tells tokens of the same second apart"},
		{"service", "chat", "text chat"},
		{"  may", "act as the app", "for 69 days (6000000 s)"},
		{"expires", "2021-12-30 02:24:13 UTC (in 24 h)", "the earliest of all ends, at most 24 h after the issue"},
		{"signature", "unchecked", "needs the App Certificate, and for a 006 token its channel and user"},
	}
	if diff := cmp.Diff(want, texts(v.Token.Describe(), time.Unix(1640744653, 0))); diff != "" {
		t.Error(diff)
	}
	if today := Judge(printed, Expectation{Now: noon}); !today.Has("expired") || today.WouldWork() {
		t.Errorf("two years later: %+v", today.Findings)
	}
}

// texts are the fields as a person reads them.
func texts(fields []Field, now time.Time) [][3]string {
	var all [][3]string
	for _, f := range fields {
		all = append(all, [3]string{f.Name, f.Text(now), f.Meaning})
	}
	return all
}

func TestDescribe(t *testing.T) {
	permissions := accesstoken2.NewRtm2Permissions()
	permissions.Add(accesstoken2.Rtm2ResourceUsers, accesstoken2.Rtm2PermissionRead, []string{"a", "\x1b[31mb"})
	text := official(t, 600, accesstoken2.NewServiceRtc("room", ""), accesstoken2.NewServiceApaas("class", "u", -1), accesstoken2.NewServiceRtm2("u", permissions))
	fields := texts(Judge(text, Expectation{Now: noon}).Token.Describe(), noon)
	want := [][3]string{
		{"service", "rtc", "audio and video calls"},
		{"  user", "uid 0", "everybody may use the token"},
		{"  channel", "room", "or room, the only one it opens"},
		{"service", "apaas", "flexible classroom and other ready-made apps"},
		{"  channel", "class", "or room, the only one it opens"},
		{"  user", "u", "the only one who may use it"},
		{"  role", "-1", "in the room"},
		{"service", "rtm2", "signalling, with permissions"},
		{"  user", "u", "the only one who may use it"},
		{"  may", "read users", "a, b"},
	}
	if diff := cmp.Diff(want, fields[6:len(fields)-2]); diff != "" {
		t.Error(diff)
	}
	old, err := agoratoken.BuildRTC006(project, agoratoken.RTC{Channel: "room", UID: 7, PrivilegeExpire: 600}, noon)
	must(t, old, err)
	fields = texts(Judge(old, Expectation{Now: noon}).Token.Describe(), noon)
	want = [][3]string{
		{"service", "rtc", "audio and video calls"},
		{"  channel", fmt.Sprintf("%08x", agoratoken.CRC006("room")), "a checksum, the token does not have the name"},
		{"  user", fmt.Sprintf("%08x", agoratoken.CRC006("7")), "a checksum; 00000000 is uid 0, everybody"},
		{"  may", "join channel until 2023-11-14 12:10:00 UTC (in 10 min)", ""},
	}
	if diff := cmp.Diff(want, fields[4:len(fields)-2]); diff != "" {
		t.Error(diff)
	}
}

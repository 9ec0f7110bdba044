package judge

import (
	"compress/zlib"
	"encoding/base64"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/chatTokenBuilder"
	"pgregory.net/rapid"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// most is how many bytes a judgement may allocate, whatever it is given.
const most = 64 << 10

// trap is one row of the table in reference/baselines.md 3: what it is, and what must be found out about it.
type trap struct{ name, text, code string }

// head is how far the raw token goes before its count of services: signature, App ID and three numbers.
const head = 2 + 32 + 2 + 32 + 3*4

func traps(t testing.TB) []trap {
	t.Helper()
	user := map[uint16]uint32{1: 600}
	valid := userToken(t, "alice", 600, noon)
	raw := unpack(t, valid)
	edited := func(change func(raw []byte) []byte) string { return pack(change(slices.Clone(raw))) }
	packed, err := base64.StdEncoding.DecodeString(valid[3:])
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := chatTokenBuilder.BuildChatUserToken(project.AppID, string(project.Certificate), strings.Repeat("u", 65_541), 600)
	must(t, wrapped, err)
	last := accesstoken2.NewAccessToken(project.AppID, string(project.Certificate), math.MaxUint32)
	last.IssueTs = math.MaxUint32
	last.AddService(chatService("alice", map[uint16]uint32{1: math.MaxUint32}))
	overflow, err := last.Build()
	must(t, overflow, err)
	return []trap{
		{"forged user, signature left as it was", edited(func(b []byte) []byte { return []byte(strings.Replace(string(b), "alice", "mable", 1)) }), "wrong-certificate"},
		{"expired", userToken(t, "alice", 600, noon.Add(-time.Hour)), "expired"},
		{"unknown service first", edited(func(b []byte) []byte { return slices.Concat(b[:head], []byte{2, 0, 99, 0, 0, 0}, b[head+2:]) }), "damaged"},
		{"line break inside the base64", valid[:40] + "\n" + valid[40:], "line-break"},
		{"junk behind the compressed data", "007" + base64.StdEncoding.EncodeToString(append(slices.Clone(packed), "junk"...)), "damaged"},
		{"junk behind the services", edited(func(b []byte) []byte { return append(b, 0) }), "damaged"},
		{"two chat services with different users", official(t, 600, chatService("alice", user), chatService("bob", user)), "repeated-service"},
		{"sum of 33 bits", overflow, "not-yet-valid"},
		{"user id of 65,541 bytes", wrapped, "too-long"},
		{"1 MiB of zeros", pack(make([]byte, 1<<20)), "too-long"},
		{"128 MiB of zeros", bomb(), "too-long"},
		{"RTM2 with counts that lie", edited(func(b []byte) []byte {
			return slices.Concat(b[:head], []byte{1, 0, 8, 0, 0, 0, 1, 0, 'u'}, slices.Repeat([]byte{0xff, 0xff}, 900))
		}), "damaged"},
	}
}

// bomb packs 128 MiB of zeros without holding them.
var bomb = sync.OnceValue(func() string {
	var text strings.Builder
	text.WriteString("007")
	encoder := base64.NewEncoder(base64.StdEncoding, &text)
	w, _ := zlib.NewWriterLevel(encoder, zlib.BestSpeed)
	zeros := make([]byte, 1<<20)
	for range 128 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	_ = encoder.Close()
	return text.String()
})

func TestTraps(t *testing.T) {
	for _, tt := range traps(t) {
		t.Run(tt.name, func(t *testing.T) {
			v := Judge(tt.text, chatLogin)
			if !v.Has(tt.code) || v.WouldWork() {
				t.Errorf("found %+v, want %q", v.Findings, tt.code)
			}
			checkVerdict(t, tt.text, v)
		})
	}
	// At its own time the sum of 33 bits is no trouble: it must not wrap into the past.
	for _, tt := range traps(t) {
		if tt.name != "sum of 33 bits" {
			continue
		}
		at := chatLogin
		at.Now = time.Unix(math.MaxUint32, 0)
		if v := Judge(tt.text, at); !v.WouldWork() || v.Token.ExpiresAt.Unix() != math.MaxUint32+86_400 {
			t.Errorf("%+v %+v", v.Token, v.Findings)
		}
	}
}

// TestMemory measures what judging and describing costs, for the traps and for texts that are wrapped as often as they can be.
func TestMemory(t *testing.T) {
	inputs := traps(t)
	add := func(name, text string) { inputs = append(inputs, trap{name: name, text: text}) }
	valid := userToken(t, "alice", 600, noon)
	add("valid", valid)
	add("printed", printed)
	add("quotes without end", strings.Repeat(`"`, maxText))
	add("white space", strings.Repeat(" ", maxText))
	add("brackets", strings.Repeat("[", maxText))
	add("strings", strings.Repeat(`{"007`, maxText/5))
	add("escapes", `{"t":"007`+strings.Repeat(`\u003d`, maxText/6-4)+`"}`)
	add("broken escapes", `{"t":"007456789012345`+strings.Repeat(`\x`, maxText/2-20)+`"}`)
	add("percent", "007"+strings.Repeat("%25", maxText/3-1))
	add("line breaks", "007"+strings.Repeat("A\n", maxText/2-2))
	add("spaces", "007"+strings.Repeat("A ", maxText/2-2)+"A")
	add("base64", base64.StdEncoding.EncodeToString([]byte("007"+strings.Repeat("A", maxText/4*3-4))))
	nested := "007" + strings.Repeat("=", 900)
	for range 3 {
		nested = strings.ReplaceAll(nested, "=", "%3D")
	}
	add("encoded many times", nested[:min(len(nested), maxText)])
	add("far too long", strings.Repeat("0", 10<<20))
	raw := unpack(t, valid)
	names := slices.Concat(raw[:head], []byte{1, 0, 8, 0, 0, 0, 1, 0, 'u', 1, 0, 4, 0, 1, 0, 0, 0, 0xb0, 3}, make([]byte, 2*0x3b0))
	add("RTM2 with a thousand empty names", pack(names))
	add("as many services as go", pack(slices.Concat(raw[:head], []byte{32, 0}, slices.Repeat([]byte{7, 0, 0, 0, 1, 0, 'c', 1, 0, 'u', 0, 0}, 32))))
	Judge(valid, chatLogin).Token.Describe() // whatever is allocated once
	for _, tt := range inputs {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		const runs = 10
		start := time.Now()
		for range runs {
			if v := Judge(tt.text, chatLogin); v.Token != nil {
				v.Token.Describe()
			}
		}
		took := time.Since(start) / runs
		runtime.ReadMemStats(&after)
		per := (after.TotalAlloc - before.TotalAlloc) / runs
		t.Logf("%-40s %7d bytes of text, %6d bytes allocated, %v", tt.name, len(tt.text), per, took)
		if per > most {
			t.Errorf("%s: %d bytes of text make a judgement allocate %d bytes", tt.name, len(tt.text), per)
		}
	}
}

// TestAgreesWithTheService holds the verdict to what a server that admits tokens does with the same text.
func TestAgreesWithTheService(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		life := rapid.SampledFrom([]uint32{0, 1, 60, 600, 86_400, 86_401, 3_600_000, 1_700_000_000, math.MaxUint32})
		name := rapid.SampledFrom([]string{"alice", "bob", "", "Alice"})
		privileges := rapid.MapOfN(rapid.Uint16Range(1, 3), life, 0, 3)
		services := []accesstoken2.IService{
			chatService(name.Draw(rt, "user"), privileges.Draw(rt, "privileges")), chatService(name.Draw(rt, "user"), privileges.Draw(rt, "privileges")),
			accesstoken2.NewServiceRtm("alice"), accesstoken2.NewServiceRtc("room", "1"), accesstoken2.NewService(99),
		}
		var chosen []accesstoken2.IService
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(services)-1), 1, 2, rapid.ID[int]).Draw(rt, "services") {
			chosen = append(chosen, services[i])
		}
		text := official(t, life.Draw(rt, "life"), chosen...)
		switch rapid.IntRange(0, 9).Draw(rt, "damage") {
		case 0:
			text = text[:rapid.IntRange(0, len(text)).Draw(rt, "cut")]
		case 1:
			raw := unpack(t, text)
			raw[rapid.IntRange(0, len(raw)-1).Draw(rt, "at")] ^= 1
			text = pack(raw)
		case 2:
			text = rapid.SampledFrom([]string{" ", `"`, "Bearer ", "\n"}).Draw(rt, "before") + text
		}
		want := chatLogin
		want.Now = noon.Add(time.Duration(rapid.SampledFrom([]int{-3601, -3600, -61, 0, 59, 60, 599, 600, 86_399, 86_400}).Draw(rt, "now")) * time.Second)
		admitted, err := agoratoken.Admit(text, project, want.Now, agoratoken.Cap)
		// Where the clock is behind, a server admits even a token that never lives.
		works := err == nil && admitted.User == want.User && admitted.ExpiresAt.After(admitted.IssuedAt) && slices.ContainsFunc(admitted.Claims.Services, isUserService)
		v := Judge(text, want)
		if v.WouldWork() != works {
			rt.Fatalf("the service says %v for %q, the verdict is %+v", err, admitted.User, v.Findings)
		}
		if works && !v.Token.ExpiresAt.Equal(admitted.ExpiresAt) {
			rt.Fatalf("it ends at %v, the verdict says %v", admitted.ExpiresAt, v.Token.ExpiresAt)
		}
		checkVerdict(t, text, v)
	})
}

func isUserService(s agoratoken.Service) bool {
	return s.Type == agoratoken.ServiceChat &&
		slices.ContainsFunc(s.Privileges, func(p agoratoken.Privilege) bool { return p.ID == agoratoken.PrivilegeUser })
}

// FuzzJudge feeds text of every kind. What is inside the tokens is fuzzed by agoratoken.FuzzToken.
func FuzzJudge(f *testing.F) {
	valid := userToken(f, "alice", 600, noon)
	rtc, err := agoratoken.BuildRTC006(project, agoratoken.RTC{Channel: "room", UID: 7, PrivilegeExpire: 600}, noon)
	must(f, rtc, err)
	for _, seed := range []string{
		"", " ", `"`, "{", "Bearer ", "007", "006", printed, valid, rtc, valid[:60], rtc[:60], "YWMtXbC0", "eyJ0b2tlbiI6IjAwN2VKeFQifQ", "eyJ.e30.",
		`{"token":"` + valid + `"}`, `"Bearer ` + valid + "\"\n", valid[:20] + "%2B" + valid[20:], valid[:20] + " " + valid[20:],
		base64.StdEncoding.EncodeToString([]byte(valid)), base64.StdEncoding.EncodeToString([]byte(`{"a":"` + rtc + `"}`)), `{"a\"b":"007\u003d\/aaaaaaaaaaaaaa`,
	} {
		f.Add(seed, "alice", "room")
	}
	f.Fuzz(func(t *testing.T, text, user, channel string) {
		for _, service := range []string{"", Chat, RTC, RTM} {
			want := Expectation{AppID: project.AppID, Certificate: project.Certificate, User: user, Channel: channel, Service: service, Now: noon}
			checkSafe(t, Judge(text, want))
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	text := userToken(b, "alice", 600, noon)
	b.ReportAllocs()
	for b.Loop() {
		Judge(text, chatLogin)
	}
}

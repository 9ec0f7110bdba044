package agoratoken

import (
	"encoding/base64"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestReadPrinted(t *testing.T) {
	got, err := Read(printed)
	if err != nil {
		t.Fatal(err)
	}
	want := Claims{
		AppID: "38a7d3fb783b40839ce1df8f7744f33b", IssuedAt: 1640744653, Expire: 6_000_000, Salt: 2_503_331_629,
		Services: []Service{{Type: ServiceChat, Name: "chat", Privileges: []Privilege{{PrivilegeApp, "act as the app", 6_000_000}}}},
	}
	if diff := cmp.Diff(want, got.Claims()); diff != "" {
		t.Error(diff)
	}
}

func TestReadEveryService(t *testing.T) {
	permissions := accesstoken2.NewRtm2Permissions()
	permissions.Add(accesstoken2.Rtm2ResourceUsers, accesstoken2.Rtm2PermissionRead, []string{"a", "b"})
	permissions.Add(accesstoken2.Rtm2ResourceUsers, accesstoken2.Rtm2PermissionWrite, []string{"c"})
	permissions.Add(accesstoken2.Rtm2ResourceStreamChannels, 7, nil)
	permissions.Add(9, accesstoken2.Rtm2PermissionRead, []string{""})
	services := []accesstoken2.IService{
		accesstoken2.NewServiceRtc("room", "1"), accesstoken2.NewServiceRtm("u2"), accesstoken2.NewServiceStreaming("room", "u3"),
		accesstoken2.NewServiceFpa(), chatService("u5", map[uint16]uint32{1: 10, 2: 20, 9: 30}), accesstoken2.NewServiceFCdn("room", "u6"),
		accesstoken2.NewServiceApaas("room", "u7", -1), accesstoken2.NewServiceRtm2("u8", permissions),
		accesstoken2.NewService(9), accesstoken2.NewService(10), // which the package does not name
	}
	got, err := Read(official(t, 1, 2, services...))
	if err != nil {
		t.Fatal(err)
	}
	none := []Privilege{}
	want := []Service{
		{Type: 1, Name: "rtc", Privileges: none, User: "1", Channel: "room"}, {Type: 2, Name: "rtm", Privileges: none, User: "u2"},
		{Type: 3, Name: "streaming", Privileges: none, User: "u3", Channel: "room"}, {Type: 4, Name: "fpa", Privileges: none},
		{Type: 5, Name: "chat", Privileges: []Privilege{{1, "act as the user", 10}, {2, "act as the app", 20}, {9, "privilege 9", 30}}, User: "u5"},
		{Type: 6, Name: "fcdn", Privileges: none, User: "u6", Channel: "room"},
		{Type: 7, Name: "apaas", Privileges: none, User: "u7", Channel: "room", Role: new(int16(-1))},
		{Type: 8, Name: "rtm2", Privileges: none, User: "u8", Permissions: []Permission{
			{"stream channels", "number 7", []string{}}, {"users", "read", []string{"a", "b"}}, {"users", "write", []string{"c"}}, {"number 9", "read", []string{""}},
		}},
		{Type: 9, Name: "convoai", Privileges: none}, {Type: 10, Name: "stt", Privileges: none},
	}
	if diff := cmp.Diff(want, got.Claims().Services); diff != "" {
		t.Error(diff)
	}
}

// TestReadRefuses holds the traps of reference/baselines.md 3 that concern reading.
func TestReadRefuses(t *testing.T) {
	text := official(t, 1, 600, chatService("alice", map[uint16]uint32{1: 600}))
	raw := unpack(t, text)
	packed := deflate(raw)
	signature, signed := raw[:2+signatureSize], raw[2+signatureSize:]
	const countAt = 2 + 32 + 3*4 // of the services, in signed
	unknownFirst := slices.Concat(signature, signed[:countAt], []byte{2, 0, 99, 0}, signed[countAt+2:])
	twice := slices.Concat(signature, signed[:countAt+4], []byte{2, 0, 1, 0, 9, 0, 0, 0}, signed[countAt+6:])
	encode := func(b []byte) string { return version + base64.StdEncoding.EncodeToString(b) }
	tests := map[string]struct {
		text string
		want Kind
	}{
		"empty":                    {"", KindVersion},
		"short":                    {"00", KindVersion},
		"version alone":            {version, KindMalformed},
		"other version":            {"006" + text[3:], KindVersion},
		"chat token":               {"YWMt" + text[3:], KindVersion},
		"white space before":       {" " + text, KindVersion},
		"white space behind":       {text + " ", KindMalformed},
		"line break inside":        {text[:20] + "\n" + text[20:], KindMalformed},
		"line break behind":        {text + "\r\n", KindMalformed},
		"no padding":               {strings.TrimRight(encode(append(slices.Clone(packed), make([]byte, 3-len(packed)%3+1)...)), "="), KindMalformed},
		"url alphabet":             {version + "eJx_-A==", KindMalformed},
		"loose padding bits":       {version + "eJ9=", KindMalformed},
		"not zlib":                 {encode(raw), KindMalformed},
		"cut":                      {text[:len(text)-8], KindMalformed},
		"junk after the stream":    {encode(append(slices.Clone(packed), 0)), KindMalformed},
		"wrong checksum":           {encode(append(slices.Clone(packed[:len(packed)-1]), packed[len(packed)-1]^1)), KindMalformed},
		"empty content":            {pack(nil), KindMalformed},
		"more permissions than go": {pack(manyPermissions(signature, signed[:countAt])), KindMalformed},
		"short signature":          {pack(slices.Concat([]byte{31, 0}, raw[3:])), KindMalformed},
		"trailing byte":            {pack(append(slices.Clone(raw), 0)), KindMalformed},
		"user cut":                 {pack(raw[:len(raw)-1]), KindMalformed},
		"fields cut":               {pack(raw[:60]), KindMalformed},
		"unknown service first":    {pack(unknownFirst), KindMalformed},
		"privilege listed twice":   {pack(twice), KindMalformed},
		"more services than bytes": {pack(slices.Concat(signature, signed[:countAt], []byte{2, 0}, signed[countAt+2:])), KindMalformed},
		"too many services":        {pack(slices.Concat(signature, signed[:countAt], []byte{0xff, 0xff}, signed[countAt+2:])), KindMalformed},
		"too many privileges":      {pack(slices.Concat(signature, signed[:countAt+4], []byte{0xff, 0xff}, signed[countAt+6:])), KindMalformed},
		"long text":                {version + strings.Repeat("A", maxText), KindTooLong},
		"bomb":                     {pack(make([]byte, 1<<20)), KindTooLong},
		"long user":                {official(t, 1, 600, chatService(strings.Repeat("u", 2_000), nil)), KindTooLong},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read(tt.text)
			if got := kindOf(t, err); got != tt.want {
				t.Errorf("Read = %v, want kind %q", err, tt.want)
			}
			checkErrorText(t, err, tt.text)
		})
	}
}

// manyPermissions is a token with an RTM2 service that has more lists of permissions than are read.
func manyPermissions(signature, head []byte) []byte {
	lists := slices.Repeat([]byte{1, 0, 0, 0}, maxEntries+1) // may write, names nothing
	return slices.Concat(signature, head, []byte{1, 0, 8, 0, 0, 0, 1, 0, 'u', 1, 0, 4, 0, maxEntries + 1, 0}, lists)
}

// TestCut finds out for a token cut anywhere that its end is missing, and for one that was altered that it is not.
func TestCut(t *testing.T) {
	text := official(t, 1, 600, chatService("alice", map[uint16]uint32{1: 600}))
	for n := len(version); n < len(text); n++ {
		_, err := Read(text[:n])
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindMalformed || !e.Cut {
			t.Errorf("the first %d bytes are refused with %v", n, err)
		}
	}
	for name, altered := range map[string]string{
		"letter": text[:20] + "!" + text[21:], "stored": text[:len(version)] + base64.StdEncoding.EncodeToString([]byte{0x78, 0x9c, 1, 1, 0, 1, 0, 9, 0, 0, 0, 0}),
	} {
		_, err := Read(altered)
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindMalformed || e.Cut {
			t.Errorf("%s: refused with %v", name, err)
		}
	}
	stored := version + base64.StdEncoding.EncodeToString([]byte{0x78, 0x9c, 1, 9, 0, 0xf6, 0xff, 1, 2, 3, 4})
	if _, err := Read(stored); !strings.Contains(err.Error(), "cut") {
		t.Errorf("a block that is not there entirely is refused with %v", err)
	}
}

// checkErrorText holds for every error: it is for a person and gives no token away.
func checkErrorText(t *testing.T, err error, text string) {
	t.Helper()
	message := err.Error()
	if !strings.ContainsAny(message, ";,") || strings.ContainsAny(message, "\n\x1b") {
		t.Errorf("%q does not say what to do next, or has a control character", message)
	}
	if len(text) > 10 && strings.Contains(message, text[:10]) || strings.Contains(message, string(project.Certificate)) {
		t.Errorf("%q gives a secret away", message)
	}
}

// blockBomb is a zlib stream of many empty blocks whose codes make the standard library build large tables for each.
func blockBomb(blocks int) []byte {
	var out []byte
	var hold byte
	held := 0
	put := func(v uint64, n int) {
		for i := range n {
			hold |= byte(v>>i&1) << held
			if held++; held == 8 {
				out, hold, held = append(out, hold), 0, 0
			}
		}
	}
	// 256 symbols of length 10 fill a quarter of the code; the lengths 1 and 2 fill the rest and the end of block is one of them.
	for range blocks {
		put(0, 1)
		put(2, 2)
		put(258-257, 5)
		put(0, 5)
		put(18-4, 4)
		// The meta code: 1, 2, 10 and 16 have two bits each, in canonical order 00, 01, 10, 11.
		for _, symbol := range lengthOrder[:18] {
			put(map[int]uint64{1: 2, 2: 2, 10: 2, 16: 2}[symbol], 3)
		}
		put(0b01, 2) // symbol 0 has 10 bits: the code 10, reversed
		for n := 255; n > 0; {
			run := min(n, 6)
			if n-run == 1 || n-run == 2 {
				run = 3
			}
			put(0b11, 2)
			put(uint64(run-3), 2)
			n -= run
		}
		put(0b00, 2) // symbol 256 has 1 bit
		put(0b10, 2) // symbol 257 has 2 bits
		put(0b00, 2) // the one distance has 1 bit
		put(0, 1)    // the end of the block
	}
	put(0b011, 3)
	put(0, 7)
	put(0, (8-held)%8)
	return slices.Concat([]byte{0x78, 0x9c}, out, []byte{0, 0, 0, 1})
}

func TestHostileInputIsCheap(t *testing.T) {
	header := unpack(t, official(t, 1, 600, chatService("a", nil)))[:2+signatureSize+2+32+12]
	rtm2 := slices.Concat(header, []byte{1, 0, 8, 0, 0, 0, 1, 0, 'u'}, slices.Repeat([]byte{0xff, 0xff}, 900))
	names := slices.Concat(header, []byte{1, 0, 8, 0, 0, 0, 1, 0, 'u', 1, 0, 4, 0, 1, 0, 0, 0, 0xb0, 3}, make([]byte, 2*0x3b0))
	old := slices.Concat([]byte{32, 0}, make([]byte, 40), []byte{0xb0, 4}, make([]byte, 8), slices.Repeat([]byte{0xff}, 0x4b0-8))
	fpa := slices.Concat(header, []byte{32, 0}, slices.Repeat([]byte{4, 0, 0, 0}, 32))
	tests := map[string]string{
		"1 MiB of zeros":         pack(make([]byte, 1<<20)),
		"4 MiB, long text":       pack(make([]byte, 1<<22)),
		"many blocks":            version + base64.StdEncoding.EncodeToString(blockBomb(20)),
		"rtm2 counts that lie":   pack(rtm2),
		"rtm2 names":             pack(names),
		"old, privileges lie":    version006 + project.AppID + base64.StdEncoding.EncodeToString(old),
		"old, garbage":           version006 + strings.Repeat("A", 2_000),
		"as many services as go": pack(fpa),
		"garbage":                version + strings.Repeat("eJzA", 500),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			const runs = 20
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range runs {
				_, _ = Read(text)
				_, _ = Admit(text, project, time.Unix(1, 0), Cap)
				_, _ = Read006(text)
			}
			runtime.ReadMemStats(&after)
			if per := (after.TotalAlloc - before.TotalAlloc) / runs; per > 64<<10 {
				t.Errorf("%d bytes of text make each call allocate %d bytes", len(text), per)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	chat := func(privileges ...Privilege) []Service { return []Service{{Type: ServiceChat, Privileges: privileges}} }
	tests := map[string]struct {
		c    Claims
		want int64
	}{
		"token life":                {Claims{IssuedAt: 100, Expire: 50}, 150},
		"user privilege is shorter": {Claims{IssuedAt: 100, Expire: 50, Services: chat(Privilege{ID: 1, Expire: 20})}, 120},
		"app privilege is shorter":  {Claims{IssuedAt: 100, Expire: 50, Services: chat(Privilege{ID: 1, Expire: 40}, Privilege{ID: 2, Expire: 20})}, 120},
		"other privilege":           {Claims{IssuedAt: 100, Expire: 50, Services: chat(Privilege{ID: 7, Expire: 20})}, 150},
		"other service":             {Claims{IssuedAt: 100, Expire: 50, Services: []Service{{Type: 1, Privileges: []Privilege{{ID: 1, Expire: 20}}}}}, 150},
		"capped":                    {Claims{IssuedAt: 100, Expire: 86_401}, 86_500},
		"sum over 32 bits":          {Claims{IssuedAt: math.MaxUint32, Expire: math.MaxUint32}, math.MaxUint32 + 86_400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.c.Expiry(); got != tt.want {
				t.Errorf("Expiry() = %d, want %d", got, tt.want)
			}
		})
	}
}

// TestReadAgreesWithOfficial builds random tokens with the official package and compares what both say.
func TestReadAgreesWithOfficial(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := randomToken(t, rt)
		theirs := accesstoken2.CreateAccessToken()
		if ok, err := theirs.Parse(text); !ok || err != nil {
			rt.Fatal(ok, err)
		}
		ours, err := Read(text)
		if err != nil {
			rt.Fatal(err)
		}
		c := ours.Claims()
		if c.AppID != theirs.AppId || c.IssuedAt != theirs.IssueTs || c.Expire != theirs.Expire || c.Salt != theirs.Salt || len(c.Services) != len(theirs.Services) {
			rt.Fatalf("we read %+v, they %+v", c, theirs)
		}
		for i, s := range c.Services {
			if chat, ok := theirs.Services[i].(*accesstoken2.ServiceChat); ok {
				got := map[uint16]uint32{}
				for _, p := range s.Privileges {
					got[p.ID] = p.Expire
				}
				if diff := cmp.Diff(chat.Privileges, got); diff != "" || chat.UserId != s.User {
					rt.Fatalf("user %q, want %q, privileges %s", s.User, chat.UserId, diff)
				}
			}
		}
	})
}

// randomToken draws a well-formed token, mostly with one chat service.
func randomToken(t *testing.T, rt *rapid.T) string {
	small := rapid.Uint32Range(0, 200_000)
	privileges := rapid.MapOfN(rapid.Uint16Range(0, 4), small, 0, 4)
	services := []accesstoken2.IService{chatService(rapid.StringN(0, 40, 200).Draw(rt, "user"), privileges.Draw(rt, "privileges"))}
	for range rapid.IntRange(0, 2).Draw(rt, "more") {
		name := rapid.StringN(0, 10, 40).Draw(rt, "name")
		services = append(services, rapid.SampledFrom([]accesstoken2.IService{
			accesstoken2.NewServiceRtc(name, "1"), accesstoken2.NewServiceRtm(name), accesstoken2.NewServiceApaas("r", name, 2),
			accesstoken2.NewServiceRtm2(name, nil), chatService(name, map[uint16]uint32{1: 600}),
		}).Draw(rt, "service"))
	}
	return official(t, 1_700_000_000+small.Draw(rt, "issued"), small.Draw(rt, "expire"), services...)
}

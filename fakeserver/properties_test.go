package fakeserver

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestReadProperties(t *testing.T) {
	const rest = "\nexpire.second=60\n"
	for name, tt := range map[string]struct {
		text string
		want Properties
	}{
		"sources/002 as printed": {
			"## Server port\nserver.port=8090\n## Fill the App ID of your Agora project\nappid=\"\"\n## Fill the app certificate of your Agora project\nappcert=\"\"\n" +
				"## Fill the app key of the Agora Chat service\nappkey=\"\"\n## Set the valid duration (in seconds) for the token\nexpire.second=60\n",
			Properties{`""`, `""`, `""`, "", 60},
		},
		"sources/001 with the example's lifetime": {
			"## server port\nserver.port=8090\nappid=\nappcert=\nexpire.second=6000\n## domain\ndomain=\n", Properties{Expire: 6000},
		},
		"separators":             {"appid:a\nappcert b\nappkey\t=\tc\ndomain = d\nexpire.second  60", Properties{"a", "b", "c", "d", 60}},
		"space around":           {"  appid = a b \t\n\fappcert=\fb" + rest, Properties{AppID: "a b \t", AppCertificate: "b", Expire: 60}},
		"comments":               {"! appid=x\n#appid=y\nappid=a#b\nappcert=!" + rest, Properties{AppID: "a#b", AppCertificate: "!", Expire: 60}},
		"the last one counts":    {"appid=a\nappcert=b\nappid=c" + rest, Properties{AppID: "c", AppCertificate: "b", Expire: 60}},
		"a key alone":            {"appid\nappcert" + rest, Properties{Expire: 60}},
		"line ends":              {"appid=a\r\nappcert=b\rappkey=c\nexpire.second=60", Properties{AppID: "a", AppCertificate: "b", AppKey: "c", Expire: 60}},
		"continued":              {"app\\\n  id=a\\\r\n   b\nappcert=c\\\\\nappkey=d\\" + rest, Properties{AppID: "ab", AppCertificate: `c\`, AppKey: "dexpire.second=60", Expire: 1}},
		"escapes":                {`app\id=\u0061\t\:\=` + "\n" + `appcert=\ud83d\ude00\é` + rest, Properties{AppID: "a\t:=", AppCertificate: "😀Ã©", Expire: 60}},
		"Latin-1":                {"appid=\xe9\nappcert=b" + rest, Properties{AppID: "é", AppCertificate: "b", Expire: 60}},
		"hexadecimal":            {"appid=a\nappcert=b\nexpire.second= 0x3c", Properties{"a", "b", "", "", 60}},
		"negative":               {"appid=a\nappcert=b\nexpire.second=-1", Properties{"a", "b", "", "", -1}},
		"a backslash at the end": {"appid=a\nappcert=b\nexpire.second=60\\", Properties{"a", "b", "", "", 60}},
		"a comment after an empty line that goes on": {"\\\n# appid=x\\\nappid=a\nappcert=b" + rest, Properties{AppID: "a", AppCertificate: "b", Expire: 60}},
		"an escaped separator":                       {"appid\\==x\nappid=a\nappcert=b" + rest, Properties{"a", "b", "", "", 60}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "continued" {
				tt.text += "expire.second=1"
			}
			got, err := ReadProperties(strings.NewReader(tt.text))
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestReadPropertiesRefuses: a file that no Java server starts with is refused with the line, and without its secrets.
func TestReadPropertiesRefuses(t *testing.T) {
	const secret = "5cfd0123"
	for name, tt := range map[string]struct {
		text string
		line int
		want string
	}{
		"sources/001 as printed": {"server.port=8090\nappid=\nappcert=\nexpire.second=\ndomain=\n", 4, "expire.second is no whole number"},
		"empty":                  {"", 0, "there is no appid"},
		"no certificate":         {"appid=a\nexpire.second=60", 0, "there is no appcert"},
		"no lifetime":            {"appid=a\nappcert=" + secret, 0, "there is no expire.second"},
		"quotes":                 {"appid=a\nappcert=" + secret + "\n\nexpire.second=\"60\"", 4, "no whole number"},
		"fraction":               {"appid=a\nappcert=b\nexpire.second=1.5", 3, "no whole number"},
		"over 31 bits":           {"appid=a\nappcert=b\nexpire.second=2147483648", 3, "no whole number"},
		"a broken escape":        {"appid=a\nappcert=" + secret + `\u12`, 2, `\u is not followed`},
		"a broken key":           {"# one\n\n" + `\uxyzw=1`, 3, `\u is not followed`},
		"a placeholder":          {"appid=${AGORA_APP_ID}", 1, "appid has a ${placeholder}"},
		"after a continued line": {"appid=a\\\n\\\n\nappcert=b\nexpire.second=x", 5, "no whole number"},
		"too large":              {"#" + strings.Repeat("x", maxProperties), 0, "larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadProperties(strings.NewReader(tt.text))
			bad, ok := errors.AsType[*PropertiesError](err)
			if !ok || bad.Line != tt.line || !strings.Contains(bad.Reason, tt.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v", err)
			}
			if tt.line != 0 && !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d: ", tt.line)) {
				t.Errorf("the error is %q", err)
			}
		})
	}
	if _, err := ReadProperties(failingReader{}); !errors.Is(err, errFailing) {
		t.Errorf("%v", err)
	}
}

var errFailing = errors.New("the disk is gone")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errFailing }

// TestPropertiesRoundTrip: what is written by Java's rules is read as it was.
func TestPropertiesRoundTrip(t *testing.T) {
	escape := func(text string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(text)) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return b.String()
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != '$' }))
		want := Properties{
			text.Draw(t, "appid"), text.Draw(t, "appcert"), text.Draw(t, "appkey"), text.Draw(t, "domain"), rapid.Int32().Draw(t, "expire"),
		}
		separator := rapid.SampledFrom([]string{"=", ":", " ", "\t= ", " : "})
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r", "\n\n# comment\n"})
		var b strings.Builder
		for key, value := range map[string]string{
			"appid": want.AppID, "appcert": want.AppCertificate, "appkey": want.AppKey, "domain": want.Domain,
		} {
			b.WriteString(key + separator.Draw(t, "separator") + escape(value) + end.Draw(t, "end"))
		}
		fmt.Fprintf(&b, "expire.second=%d", want.Expire)
		got, err := ReadProperties(strings.NewReader(b.String()))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// FuzzReadProperties: any file is read or refused with an error of its own kind, and what is read gives a token server that answers.
func FuzzReadProperties(f *testing.F) {
	f.Add([]byte("## Server port\nserver.port=8090\nappid=\"\"\nappcert=\"\"\nappkey=\"\"\nexpire.second=60\n"))
	f.Add([]byte(properties("6000")))
	f.Add([]byte("appid\\\n:\\u0061\\\\\\\r\nappcert = \xff\rexpire.second\f#-7fffffff"))
	f.Add([]byte("appid=${x}\nappcert=\\u12"))
	f.Add([]byte("\\"))
	f.Add([]byte("=\n:\n \\\n!\n#"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ReadProperties(strings.NewReader(string(file)))
		if err != nil {
			bad, ok := errors.AsType[*PropertiesError](err)
			if !ok || bad.Line < 0 || bad.Line > strings.Count(string(file), "\n")+strings.Count(string(file), "\r")+1 {
				t.Errorf("%v", err)
			}
			return
		}
		s := newServer(t, Config{Properties: &p, JournalSize: 4})
		if _, ok := s.javaCredentials(); ok != (filledIn(p.AppID) && filledIn(p.AppCertificate)) {
			t.Errorf("%+v is judged wrong", p)
		}
		s.javaProject()
	})
}

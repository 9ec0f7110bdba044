package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/judge"
	"github.com/ttlchat/ttlchat/tokenclient"
)

func TestParseLife(t *testing.T) {
	tests := map[string]uint32{
		"0": 0, "600": 600, "10m": 600, "24h": 86_400, "4294967295": 1<<32 - 1, "4294967295s": 1<<32 - 1, "1h30m": 5400, "0s": 0,
	}
	for text, want := range tests {
		if got, err := parseLife(text); err != nil || got != want {
			t.Errorf("parseLife(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "-1s", "1.5", "1500ms", "4294967296", "4294967296s", "1d", "999999999999h", "0x10"} {
		if got, err := parseLife(text); err == nil {
			t.Errorf("parseLife(%q) = %d", text, got)
		}
	}
}

func TestEachToken(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := map[string]struct {
		input string
		want  []string
	}{
		"nothing":             {"", []string{""}},
		"one":                 {"a", []string{"a"}},
		"one line":            {"a\n", []string{"a"}},
		"from Windows":        {"a\r\nb\r\n", []string{"a", "b"}},
		"blank line":          {"\n", []string{""}},
		"blank in between":    {"a\n\nb", []string{"a", "", "b"}},
		"white space is kept": {" a \n", []string{" a "}},
		"pretty JSON":         {" {\n\"a\": 1\n}\n", []string{"{\n\"a\": 1\n}"}},
		"JSON lines":          {"{\"a\":1}\n{\"a\":2}\n", []string{`{"a":1}`, `{"a":2}`}},
		"JSON string":         {"\"a\"\n", []string{`"a"`}},
		"endless line":        {long + long + "y\nb\n", []string{long, "b"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := eachToken(t.Context(), strings.NewReader(tt.input), func(text string) error { got = append(got, text); return nil })
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Error(err, diff)
			}
		})
	}
}

// FuzzInspect reads anything from standard input. What a person sees has no escape sequences and no whole token.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{"", "a\n\"007eJx\"\n", "{\n\"token\":\"007eJxaaaaaaaaaaaaaaaaa\"\n}", "006\x1b[31m" + strings.Repeat("0", 80)} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, asJSON bool) {
		var out, errs bytes.Buffer
		i := &tokenInspect{options: new(options), asJSON: asJSON}
		_ = i.run(t.Context(), "-", strings.NewReader(text), &out, &errs)
		if out.Len() == 0 || bytes.ContainsFunc(out.Bytes(), func(r rune) bool { return r < 0x20 && r != '\n' || unsafe(r) }) {
			t.Errorf("%q is inspected as %q", text, out.String())
		}
	})
}

func TestWriteVerdict(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var out strings.Builder
	v := judge.Judge("\"007", judge.Expectation{Now: now})
	if err := writeVerdict(&out, v, now); err != nil {
		t.Fatal(err)
	}
	want := `fatal   there are quotes around the token [quotes]
        pass the token alone
fatal   the token's compressed data ends too early, it was cut [truncated]
        copy it completely
It would not work.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// What reads the standard input ends with the context, whether anything comes or not.
func TestInputEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, read := range map[string]func(ctx context.Context, in io.Reader) error{
			"token inspect": func(ctx context.Context, in io.Reader) error {
				return eachToken(ctx, in, func(string) error { return errors.New("there was a token") })
			},
			"--token-stdin": func(ctx context.Context, in io.Reader) error {
				_, err := (&options{tokenStdin: true}).pastedToken(ctx, bufio.NewReader(in))
				return err
			},
		} {
			in, out := io.Pipe()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := read(ctx, in); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
			_ = out.Close() // or the read would never end
		}
	})
}

// What is fetched has whole headers; those of a page and more are cut when they are printed.
func TestDescribeCutsHeaders(t *testing.T) {
	long := http.Header{"X-Long": {"short", strings.Repeat("x", 5000)}}
	report := describe(tokenclient.Shape{}, tokenclient.Exchange{Status: 200, RequestHeader: long, Header: long}, nil)
	want := http.Header{"X-Long": {"short", strings.Repeat("x", longestHeader-1) + "…"}}
	for _, got := range []http.Header{report.Request.Headers, report.Response.Headers} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if len(long["X-Long"][1]) != 5000 {
		t.Error("the exchange itself is cut")
	}
}

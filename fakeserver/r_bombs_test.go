package fakeserver

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// bomb is a 007 token of so many zeros behind a head: small as text, large once it is inflated.
func bomb(t testing.TB, head []byte, zeros int) string {
	t.Helper()
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := w.Write(append(slices.Clone(head), make([]byte, zeros)...)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return "007" + base64.StdEncoding.EncodeToString(packed.Bytes())
}

// TestTokenBombs is fault test R15: tokens that inflate to a million times what the official package expects are refused at every door, with
// 401 or a refused login, for at most 64 KiB and 1 ms of work each. A token too large for a frame does not
// get that far.
func TestTokenBombs(t *testing.T) {
	const memory, patience, runs = 64 << 10, time.Millisecond, 20
	s := newServer(t, Config{JournalSize: 100})
	rtm2 := slices.Concat(make([]byte, 2), []byte{32, 0}, make([]byte, 32+32+12), []byte{1, 0, 8, 0}, slices.Repeat([]byte{0xff}, 1200))
	chat := s.chatHandler()
	doors := map[string]func() *http.Request{
		"POST token": func() *http.Request {
			return httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/"+DemoOrg+"/"+DemoApp+"/token", strings.NewReader(`{"grant_type":"agora"}`))
		},
		"GET token/expires": func() *http.Request {
			return httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+DemoOrg+"/"+DemoApp+"/sdk/users/alice/token/expires", nil)
		},
	}
	for name, token := range map[string]string{
		"1 MiB of zeros":     bomb(t, nil, 1<<20),
		"128 MiB of zeros":   bomb(t, nil, 128<<20),
		"counts that lie":    bomb(t, rtm2, 0),
		"2 KiB of no base64": "007" + strings.Repeat("-", 2<<10),
	} {
		authorization := []string{"Bearer " + token}
		for door, request := range doors {
			t.Run(name+"/"+door, func(t *testing.T) {
				cheap(t, memory, patience, runs, func() bool {
					r, w := request(), httptest.NewRecorder()
					r.Header["Authorization"] = authorization
					chat.ServeHTTP(w, r)
					return w.Code == http.StatusUnauthorized
				})
			})
		}
		if len(token) > maxLogin {
			continue // ends the connection with 1009: TestHostileFrames
		}
		frame := login{user: "alice", resource: "web", token: token}.frame(t)
		t.Run(name+"/login", func(t *testing.T) {
			cheap(t, memory, patience, runs, func() bool {
				w := new(tape)
				l := s.newLink(w)
				l.receive(bytes.Clone(frame))
				if len(w.frames) == 0 {
					return false
				}
				answer := new(msync.Provision)
				unpack(t, w.last(t), answer)
				return answer.GetStatus().GetErrorCode() != msync.Status_OK && l.user == nil
			})
		})
	}
}

// cheap tries something that must be refused, and bounds what each try costs: memory in the mean, and work for the cheapest of them, because
// some of what the runtime does meanwhile is counted too.
func cheap(t *testing.T, memory uint64, patience time.Duration, runs int, try func() bool) {
	t.Helper()
	work := worked(t)
	before, least := allocated(), time.Hour
	for range runs {
		began := work()
		if !try() {
			t.Fatal("it is not refused")
		}
		least = min(least, work()-began)
	}
	per := (allocated() - before) / uint64(runs) //nolint:gosec // a small number
	if per > memory {
		t.Errorf("each one allocates %d bytes, want at most %d", per, memory)
	}
	if least > patience {
		t.Errorf("each one takes %v of work, want at most %v", least, patience)
	}
	t.Logf("%d bytes, %v", per, least)
}

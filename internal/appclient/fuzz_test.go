package appclient

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// FuzzRefused: whatever a service says, the error is short, safe on a terminal and ends in what to do.
func FuzzRefused(f *testing.F) {
	for _, body := range []string{
		"", "<html>", "null", `{"error":7}`, `{"error":"unauthorized","error_description":"Unable to authenticate (OAuth)"}`,
		`{"error":"auth_bad_access_token"}`, `{"error":"\u001b[31mx\n"}`, `{"error":"reach_limit","error_description":"YWMt0123456789abcdef"}`,
	} {
		f.Add(401, "", body)
		f.Add(429, "7", body)
		f.Add(500, "99999999999999999999", body)
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		response := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}}}
		for _, token := range []chatToken{{}, {user: &body}} {
			text := refused(PhaseCall, response, []byte(body), token).Error()
			if strings.ContainsFunc(text, unicode.IsControl) || len([]rune(text)) > 1000 || !strings.Contains(text, "; ") {
				t.Errorf("%q is not fit for a person", text)
			}
		}
	})
}

// FuzzTimeLeft: an exchanged token never outlives the longest life that there is, whatever the service states.
func FuzzTimeLeft(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 9900, 9_900_000, 1 << 40, 1<<63 - 1, -1 << 63} {
		f.Add(n, int64(0), uint32(10_000))
		f.Add(int64(0), n, uint32(10_000))
		f.Add(n, n, uint32(1<<32-1))
	}
	const issued = 1_700_000_000
	now := time.Unix(issued, 0)
	f.Fuzz(func(t *testing.T, expiresIn, timestamp int64, life uint32) {
		claims := agoratoken.Claims{IssuedAt: issued, Expire: life}
		if left := timeLeft(claims, expiresIn, timestamp, now); left > agoratoken.MaxLife {
			t.Errorf("%v left", left)
		}
	})
}

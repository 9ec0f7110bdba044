package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/tokenclient"
)

// TestNoTime: the check at which the time ends fails, and what comes after it is skipped.
func TestNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, cfg := newTokenServer(), standard(t)
		server.token = func(c call) string { time.Sleep(time.Second); return good(c) }
		cfg.Timeout = 3500 * time.Millisecond
		start := time.Now()
		report := examineIn(t, cfg, "localhost:80", nil, server)
		if took := time.Since(start); took != cfg.Timeout {
			t.Errorf("it took %v", took)
		}
		fresh, clock, user := report.check("fresh"), report.check("unknown-user"), report.check("user")
		if report.Failed != 1 || fresh.Verdict != Fail || clock.Verdict != Skip || user.Verdict != Pass {
			t.Errorf("findings:\n%s", describe(report))
		}
		if !strings.Contains(fresh.Seen, "3.5s") || !strings.Contains(clock.Seen, "no time") {
			t.Errorf("%q and %q", fresh.Seen, clock.Seen)
		}
	})
}

func TestRunRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(c *Config)
		says   string
	}{
		"no user":            {func(c *Config) { c.User = "" }, "two different users"},
		"one user":           {func(c *Config) { c.OtherUser = c.User }, "two different users"},
		"a short life":       {func(c *Config) { c.Lifetime = time.Second }, "1m0s"},
		"a long life":        {func(c *Config) { c.Lifetime = 25 * time.Hour }, "24h"},
		"negative time":      {func(c *Config) { c.Timeout = -1 }, "negative"},
		"no certificate":     {func(c *Config) { c.Certificate = "nonsense" }, "32"},
		"no address":         {func(c *Config) { c.URL = "localhost" }, "full URL"},
		"a header that lies": {func(c *Config) { c.Shape.Header["X-Key"] = "cmd:false" }, "command for the header"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := standard(t)
			tt.change(&cfg)
			_, err := Run(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "nonsense") {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
}

func TestRunIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, standard(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// hostile is what a server says that sends secrets back, beside its own.
func hostile() string {
	return "\x1b[31m" + good(call{user: "alice", life: 3600}) + " " + string(project.Certificate) + " s3cr3tvalue \u202e"
}

// discreet reports whether a report has nothing of what the hostile say but that something is hidden.
func discreet(t *testing.T, r Report) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("s3cr3t")) || bytes.Contains(text, []byte(`\u001b`)) || bytes.Contains(text, []byte("\u202e")) {
		t.Errorf("the report has what it should not:\n%s", text)
	}
}

// secretive asks with a secret in a header.
func secretive(t *testing.T) Config {
	t.Setenv("DOCTOR_KEY", "s3cr3tvalue")
	cfg := standard(t)
	cfg.URL += "?key=s3cr3tvalue"
	cfg.Shape.Header["Authorization"] = "Bearer env:DOCTOR_KEY"
	return cfg
}

// TestSecrets: whatever the server complains of, the report has none of the secrets in it.
func TestSecrets(t *testing.T) {
	cfg := secretive(t)
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{http.StatusOK, http.StatusForbidden} {
			report := examineIn(t, cfg, "localhost:80", nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, status, map[string]any{"error": hostile()})
			}))
			discreet(t, report)
			if report.Failed != 1 || !strings.Contains(describe(report), "hidden") {
				t.Errorf("the complaint is lost:\n%s", describe(report))
			}
		}
	})
}

// TestSecretsInHeaders: a server that gives tokens may send the secrets back in a header. The check that reads it tells of it, without them.
func TestSecretsInHeaders(t *testing.T) {
	cfg := secretive(t)
	for header, readBy := range map[string]string{
		"Age": "cache-control", "Cache-Control": "cache-control", "Content-Type": "content-type", "Access-Control-Allow-Origin": "cors", "Date": "",
	} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newTokenServer()
				server.write = func(w http.ResponseWriter, token string) {
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set(header, "no-store "+strings.Trim(hostile(), "\x1b"))
					w.WriteHeader(http.StatusOK)
					_ = json.NewEncoder(w).Encode(map[string]any{"token": token})
				}
				server.before = func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodOptions {
						allow(w.Header())
						w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Authorization")
						w.WriteHeader(http.StatusNoContent)
					}
					return r.Method == http.MethodOptions
				}
				report := examineIn(t, cfg, "localhost:80", nil, server)
				discreet(t, report)
				if readBy != "" && !strings.Contains(report.check(readBy).Seen, "hidden") {
					t.Errorf("%s does not tell of the header:\n%s", readBy, describe(report))
				}
			})
		})
	}
}

func TestPercentile(t *testing.T) {
	twenty := make([]time.Duration, 20)
	for i := range twenty {
		twenty[i] = time.Duration(i + 1)
	}
	for _, tt := range []struct {
		values []time.Duration
		p      int
		want   time.Duration
	}{{twenty, 50, 10}, {twenty, 90, 18}, {twenty, 100, 20}, {twenty[:1], 50, 1}, {twenty[:1], 90, 1}, {twenty[:3], 50, 2}} {
		if got := percentile(tt.values, tt.p); got != tt.want {
			t.Errorf("percentile %d of %d values is %d, want %d", tt.p, len(tt.values), got, tt.want)
		}
	}
}

func TestHeadersToAsk(t *testing.T) {
	for header, want := range map[[2]string]string{
		{"Content-Type", "application/json"}:                      "content-type",
		{"Content-Type", "application/x-www-form-urlencoded"}:     "",
		{"Content-Type", "Text/Plain; charset=utf-8"}:             "",
		{"Content-Type", "multipart/form-data; boundary=\"(a)\""}: "content-type",
		{"Accept", "application/json, text/*;q=0.5"}:              "",
		{"accept", "text/plain"}:                                  "",
		{"Accept", "application/json; profile=\"http://a.test\""}: "accept",
		{"Accept", "text/plain, " + strings.Repeat("x", 128)}:     "accept",
		{"Accept-Language", "de-DE, en;q=0.5, *"}:                 "",
		{"Accept-Language", "de_DE"}:                              "accept-language",
		{"Content-Language", "en"}:                                "",
		{"X-Requested-With", "XMLHttpRequest"}:                    "x-requested-with",
	} {
		shape := tokenclient.Shape{Header: map[string]string{header[0]: header[1]}}
		if got := strings.Join(headersToAsk(shape), " "); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
		shape.Header["A-Key"] = "Bearer env:X"
		if got := strings.Join(headersToAsk(shape), " "); got != strings.TrimSpace("a-key "+want) {
			t.Errorf("%s: %q", header, got)
		}
	}
}

// limiting lets some requests through in each span of time, and asks the others to wait for it to end.
func limiting(requests int, span time.Duration, retryAfter string) *tokenServer {
	server := newTokenServer()
	var mu sync.Mutex
	var begun time.Time
	let := 0
	server.before = func(w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(begun) >= span {
			begun, let = time.Now(), 0
		}
		if let++; let <= requests {
			return false
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	return server
}

// TestRateLimit: a limit of requests is no defect of what cannot be asked because of it. What needs no further request is looked at.
func TestRateLimit(t *testing.T) {
	const unasked = "second-user lifetime stated-expiry fresh renewal unknown-user missing-field wrong-method cors"
	for name, tt := range map[string]struct {
		server  *tokenServer
		skipped string
		seen    string // part of what wrong-method says
		want    map[string]Verdict
		took    time.Duration
	}{
		"too long to wait": {
			limiting(1, time.Hour, "60"), unasked + " latency", "429 with Retry-After, and 1m0s is too long to wait", map[string]Verdict{}, 0,
		},
		"from the third on": {
			limiting(2, time.Hour, "3600"), strings.TrimPrefix(unasked, "second-user ") + " latency", "429 with Retry-After", map[string]Verdict{}, 0,
		},
		"in silence": {
			limiting(1, time.Hour, ""), unasked + " latency", "429 without Retry-After", map[string]Verdict{"burst": Warn}, 0,
		},
		"worth the wait": {limiting(3, 2*time.Second, "2"), "stated-expiry", "", map[string]Verdict{}, 6 * time.Second},
		"waited long enough": {
			limiting(1, 4*time.Second, "4"), "stated-expiry unknown-user missing-field wrong-method cors latency", "4s is too long to wait", map[string]Verdict{}, 12 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				report := examineIn(t, standard(t), "localhost:80", nil, tt.server)
				if took := time.Since(start); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if diff := cmp.Diff(tt.want, findings(report)); diff != "" {
					t.Errorf("findings (-want +got):\n%s\n%s", diff, describe(report))
				}
				if got := skipped(report); got != tt.skipped {
					t.Errorf("skipped %q, want %q\n%s", got, tt.skipped, describe(report))
				}
				if seen := report.check("wrong-method").Seen; !strings.Contains(seen, tt.seen) {
					t.Errorf("%q does not say %q", seen, tt.seen)
				}
			})
		})
	}
}

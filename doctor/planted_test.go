package doctor

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// TestPlanted: the doctor finds exactly the defect that a server has, and every check has one that it finds.
func TestPlanted(t *testing.T) {
	planting := map[string]bool{}
	for name, d := range defects {
		planting[d.id] = true
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, cfg := newTokenServer(), standard(t)
				if d.change != nil {
					d.change(server)
				}
				if d.config != nil {
					d.config(&cfg)
				}
				address := d.address
				if address == "" {
					address = "localhost:80"
				}
				report := examineIn(t, cfg, address, d.tls, server)
				if diff := cmp.Diff(map[string]Verdict{d.id: d.verdict}, findings(report)); diff != "" {
					t.Errorf("findings (-want +got):\n%s\n%s", diff, describe(report))
				}
				if seen := report.check(d.id).Seen; !strings.Contains(seen, d.seen) {
					t.Errorf("%q does not say %q", seen, d.seen)
				}
			})
		})
	}
	for _, c := range checks {
		if !planting[c.id] {
			t.Errorf("no defect is planted for %s", c.id)
		}
	}
}

func describe(r Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		b.WriteString(string(c.Verdict) + " " + c.ID + ": " + c.Seen + " (" + strconv.FormatInt(c.MS, 10) + " ms)\n")
	}
	return b.String()
}

// TestSound: a server without a defect passes everything, in whatever way it may differ.
func TestSound(t *testing.T) {
	for name, d := range map[string]planted{
		"as it is":          {},
		"pages may call it": {id: "cors", seen: "any site", change: pages(allow, allow)},
		"pages may call it with GET": {
			id: "cors", seen: "any site", change: func(s *tokenServer) {
				get(s)
				pages(nil, func(h http.Header) { allow(h); h.Set("Cache-Control", "no-store") })(s)
			},
			config: func(c *Config) {
				c.Shape = getShape
				c.Shape.Header = map[string]string{"Accept": "application/json", "Accept-Language": "en"}
			},
		},
		"pages may send many headers": {id: "cors", seen: "any site", change: pages(func(h http.Header) {
			allow(h)
			h.Set("Access-Control-Allow-Headers", strings.Repeat("X-Some-Header, ", 100)+"Content-Type")
		}, allow)},
		"one page may call it": {id: "cors", seen: "https://app.example", change: pages(allow, allowOne)},
		"TLS": https("tls", Pass, "another 366 days",
			certificate("localhost", year(-1), bubbleStart.Add(366*24*time.Hour+time.Hour), &authority)),
		"GET, not cached": {
			id: "cache-control", seen: "No-Store",
			change: cached("Cache-Control", "No-Store"), config: withShape(getShape),
		},
		"a page for people": {id: "wrong-method", seen: "without a token", change: on(isGET, body(200, "text/html", "<p>Hello</p>"))},
		"not too many at once": {id: "burst", seen: "8 times 429", change: crowded(12, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		})},
		"states its end": {id: "stated-expiry", seen: "the same", change: stating(time.Millisecond), config: statedShape},
		"strangers refused": {id: "second-user", seen: "name a user who exists", change: func(s *tokenServer) {
			s.write = func(w http.ResponseWriter, token string) {
				if read, _ := agoratoken.Read(token); !strings.Contains(fmt.Sprint(read.Claims()), "alice") {
					writeJSON(w, 404, map[string]any{})
					return
				}
				writeJSON(w, 200, map[string]any{"token": token})
			}
		}},
		"strangers refused in words": {id: "second-user", seen: "no such user", change: func(s *tokenServer) {
			s.write = func(w http.ResponseWriter, token string) {
				if read, _ := agoratoken.Read(token); strings.Contains(fmt.Sprint(read.Claims()), somebodyElse) {
					// The one who is asked for later is refused with a status.
					status := http.StatusOK
					if strings.Contains(fmt.Sprint(read.Claims()), nobodyKnown) {
						status = http.StatusNotFound
					}
					writeJSON(w, status, map[string]any{"code": 1001, "error": "no such user"})
					return
				}
				writeJSON(w, 200, map[string]any{"token": token})
			}
		}},
		"knows who calls": {id: "missing-field", seen: "does not name the user", change: func(s *tokenServer) {
			s.lost = func(w http.ResponseWriter) { s.write(w, good(call{user: "alice", life: 3600})) }
		}, config: func(c *Config) { c.Shape.Body = "{}" }},
		"no credentials": {id: "login", seen: "needs the App ID", config: func(c *Config) { c.AppID, c.Certificate = "", "" }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, cfg, address := newTokenServer(), standard(t), "localhost:80"
				if d.change != nil {
					d.change(server)
				}
				if d.config != nil {
					d.config(&cfg)
				}
				if d.address != "" {
					address = d.address
				}
				report := examineIn(t, cfg, address, d.tls, server)
				if len(findings(report)) > 0 {
					t.Errorf("findings:\n%s", describe(report))
				}
				if seen := report.check(d.id).Seen; !strings.Contains(seen, d.seen) {
					t.Errorf("%q does not say %q", seen, d.seen)
				}
			})
		})
	}
}

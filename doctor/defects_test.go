package doctor

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// planted is a server with one defect, and which check must find it.
type planted struct {
	id      string
	verdict Verdict
	seen    string // part of what the check says
	change  func(s *tokenServer)
	config  func(c *Config)
	address string // empty is localhost:80
	tls     *tls.Certificate
}

// https makes the address one with TLS, and gives the server a certificate.
func https(id string, verdict Verdict, seen string, with tls.Certificate) planted {
	return planted{
		id: id, verdict: verdict, seen: seen, address: "localhost:443", tls: &with, config: func(c *Config) { c.URL = "https://localhost/token" },
	}
}

func year(n int) time.Time { return bubbleStart.AddDate(n, 0, 0) }

func on(condition func(r *http.Request) bool, answer func(w http.ResponseWriter)) func(s *tokenServer) {
	return func(s *tokenServer) {
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if !condition(r) {
				return false
			}
			answer(w)
			return true
		}
	}
}

func always(*http.Request) bool { return true }

func body(status int, kind, text string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func tokens(f func(c call) string) func(s *tokenServer) { return func(s *tokenServer) { s.token = f } }

func lives(f func(asked uint32) uint32) func(s *tokenServer) {
	return tokens(func(c call) string { c.life = f(c.life); return good(c) })
}

func issued(shift time.Duration) func(s *tokenServer) {
	return tokens(func(c call) string { return build(project, c.user, c.life, time.Now().Add(shift)) })
}

func writes(f func(w http.ResponseWriter, token string)) func(s *tokenServer) {
	return func(s *tokenServer) { s.write = f }
}

// answers writes the token as another status, or into another field.
func answers(status int, field string) func(s *tokenServer) {
	return writes(func(w http.ResponseWriter, token string) { writeJSON(w, status, map[string]any{field: token}) })
}

// misnamed makes tokens for somebody else.
func misnamed(f func(user string) string) func(s *tokenServer) {
	return tokens(func(c call) string { c.user = f(c.user); return good(c) })
}

// forged is good with another certificate.
func forged(c call) string {
	return build(agoratoken.Credentials{AppID: project.AppID, Certificate: another.Certificate}, c.user, c.life, time.Now())
}

// built makes tokens of another kind.
func built(f func(c call) (string, error)) func(s *tokenServer) {
	return tokens(func(c call) string {
		token, err := f(c)
		if err != nil {
			panic(err)
		}
		return token
	})
}

func isGET(r *http.Request) bool { return r.Method == http.MethodGet }

func known(c call) bool { return c.user == "alice" || c.user == somebodyElse }

func withShape(shape tokenclient.Shape) func(c *Config) { return func(c *Config) { c.Shape = shape } }

func get(s *tokenServer) { s.method = func(method string) bool { return method == http.MethodGet } }

// cached answers to GET with these headers.
func cached(headers ...string) func(s *tokenServer) {
	return func(s *tokenServer) {
		get(s)
		s.write = func(w http.ResponseWriter, token string) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			writeJSON(w, http.StatusOK, map[string]any{"token": token})
		}
	}
}

// stating sends the end of the token's life in a unit of nanoseconds.
func stating(unit time.Duration) func(s *tokenServer) {
	return writes(func(w http.ResponseWriter, token string) {
		read, _ := agoratoken.Read(token)
		writeJSON(w, http.StatusOK, map[string]any{"token": token, "ends": read.Claims().Expiry() * int64(time.Second/unit)})
	})
}

func statedShape(c *Config) {
	c.Shape.ExpiryField, c.Shape.ExpiryUnit = "ends", tokenclient.ExpiryUnixMillis
}

func lifeless(c *Config) { c.Shape.Body = `{"user_uuid":{{json .User}}}` }

// pages allows pages in the preflight and in the answer, as far as told.
func pages(preflight, actual func(h http.Header)) func(s *tokenServer) {
	return func(s *tokenServer) {
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodOptions {
				if preflight == nil {
					return false
				}
				preflight(w.Header())
				w.WriteHeader(http.StatusNoContent)
				return true
			}
			actual(w.Header())
			return false
		}
	}
}

func allow(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "Content-Type")
}

func allowOne(h http.Header) { h.Set("Access-Control-Allow-Origin", "https://app.example") }

// crowded answers differently what comes while others are under way: each call takes a second, and nobody but the burst calls at once.
func crowded(more int32, answer func(w http.ResponseWriter)) func(s *tokenServer) {
	return func(s *tokenServer) {
		s.before = func(w http.ResponseWriter, _ *http.Request) bool {
			full := s.inFlight.Load() > more
			time.Sleep(time.Second)
			if full {
				answer(w)
			}
			return full
		}
	}
}

// shared keeps the user of a request where other requests overwrite it.
func shared(s *tokenServer) {
	var mu sync.Mutex
	var last string
	s.token = func(c call) string {
		mu.Lock()
		last = c.user
		mu.Unlock()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		c.user = last
		return good(c)
	}
}

var defects = map[string]planted{
	"nobody listens": {id: "reachable", verdict: Fail, seen: "cannot be reached", address: "localhost:81"},
	"it never answers": {id: "reachable", verdict: Fail, seen: "no complete answer in time", change: func(s *tokenServer) {
		s.before = func(_ http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body) // without it the server does not see that the client is gone
			<-r.Context().Done()
			return true
		}
	}},
	"plain http to elsewhere": {
		id: "tls", verdict: Warn, seen: "another machine", address: "tokens.example:80", config: func(c *Config) { c.URL = "http://tokens.example/token" },
	},
	"certificate ends soon": https("tls", Warn, "another 6 days",
		certificate("localhost", year(-1), bubbleStart.Add(6*24*time.Hour+time.Hour), &authority)),
	"certificate has ended": https("tls", Fail, "from 1999-01-01 to 1999-12-31",
		certificate("localhost", year(-1), bubbleStart.Add(-time.Hour), &authority)),
	"certificate of nobody": https("tls", Fail, "nobody who is trusted", certificate("localhost", year(-1), year(1), nil)),
	"certificate of another": https("tls", Fail, "for another host: other.example",
		certificate("other.example", year(-1), year(1), &authority)),
	"no TLS behind https": {
		id: "tls", verdict: Fail, seen: "plain HTTP",
		address: "localhost:443", config: func(c *Config) { c.URL = "https://localhost/token" },
	},
	"out of order":  {id: "status", verdict: Fail, seen: "503", change: on(always, body(503, "text/plain", "no"))},
	"no such path":  {id: "status", verdict: Fail, seen: "404", change: on(always, body(404, "text/html", "<p>no</p>"))},
	"created":       {id: "status", verdict: Warn, seen: "201", change: answers(201, "token")},
	"another field": {id: "shape", verdict: Fail, seen: `no field "token"`, change: answers(200, "Token")},
	"a web page":    {id: "shape", verdict: Fail, seen: "HTML", change: on(always, body(200, "text/html", "<p>Sign in</p>"))},
	"a complaint": {
		id: "shape", verdict: Fail, seen: "certificate is missing",
		change: on(always, body(200, "application/json", `{"token":"","error":"certificate is missing"}`)),
	},
	"an empty token": {id: "shape", verdict: Fail, seen: "empty", change: tokens(func(call) string { return "" })},
	"an endless answer": {
		id: "shape", verdict: Fail, seen: "64 KiB",
		change: on(always, body(200, "application/json", strings.Repeat(" ", 65<<10))),
	},
	"JSON called text": {
		id: "content-type", verdict: Warn, seen: "text/plain; charset=utf-8",
		change: writes(func(w http.ResponseWriter, token string) { _, _ = fmt.Fprintf(w, `{"token":%q}`, token) }),
	},
	"quotes": {
		id: "token", verdict: Fail, seen: "quotes",
		change: tokens(func(c call) string { return `"` + good(c) + `"` }),
	},
	"cut": {id: "token", verdict: Fail, seen: "cut", change: tokens(func(c call) string { return good(c)[:80] })},
	"a Chat token": {
		id: "token", verdict: Fail, seen: "Chat token",
		change: tokens(func(call) string { return "YWMtXbC0_jZlEe6x-w0123456789" }),
	},
	"an app token": {
		id: "token", verdict: Fail, seen: "app token",
		change: built(func(c call) (string, error) { return agoratoken.BuildApp(project, c.life, time.Now()) }),
	},
	"a token for signalling": {id: "token", verdict: Fail, seen: "no chat service", change: tokens(func(c call) string {
		token, _ := agoratoken.BuildRTM(project, c.user, c.life, time.Now())
		return token
	})},
	"another project": {
		id: "app-id", verdict: Fail, seen: "App ID",
		change: tokens(func(c call) string { return build(another, c.user, c.life, time.Now()) }),
	},
	"another certificate":  {id: "genuine", verdict: Fail, seen: "signature", change: tokens(forged)},
	"everybody is mallory": {id: "user", verdict: Fail, seen: "mallory", change: misnamed(func(string) string { return "mallory" })},
	"a token for nobody":   {id: "user", verdict: Fail, seen: "no user", change: misnamed(func(string) string { return "" })},
	"upper case":           {id: "user", verdict: Fail, seen: "upper and lower case", change: misnamed(strings.ToUpper)},
	"a UUID for each": {id: "user", verdict: Warn, seen: "UUID", change: tokens(func(c call) string {
		c.user = fmt.Sprintf("00000000-0000-0000-0000-%012x", c.user[len(c.user)-4:])
		c.user = c.user[:36]
		return good(c)
	})},
	"everybody is alice": {
		id: "second-user", verdict: Fail, seen: "a token for alice",
		change: misnamed(func(string) string { return "alice" }),
	},
	"the second user is lost": {id: "second-user", verdict: Fail, seen: "500", change: func(s *tokenServer) {
		s.write = func(w http.ResponseWriter, token string) {
			if read, _ := agoratoken.Read(token); strings.Contains(fmt.Sprint(read.Claims()), "bob") {
				writeJSON(w, 500, map[string]any{})
				return
			}
			writeJSON(w, 200, map[string]any{"token": token})
		}
	}, config: func(c *Config) { c.OtherUser = "bob" }},
	"always an hour": {
		id: "lifetime", verdict: Fail, seen: "asked for 30m1s it gives 1h0m0s",
		change: lives(func(uint32) uint32 { return 3600 }),
	},
	"a bit less": {
		id: "lifetime", verdict: Fail, seen: "asked for 1h0m0s it gives 59m58s",
		change: lives(func(n uint32) uint32 { return n - 2 }),
	},
	"0 seconds": {id: "lifetime", verdict: Fail, seen: "0 seconds", change: lives(func(uint32) uint32 { return 0 })},
	"milliseconds": {
		id: "lifetime", verdict: Fail, seen: "milliseconds",
		change: lives(func(n uint32) uint32 { return n * 1000 }),
	},
	"a date": {
		id: "lifetime", verdict: Fail, seen: "nobody asks for",
		change: lives(func(n uint32) uint32 { return n + 946_684_800 }),
	},
	"seven days": {
		id: "lifetime", verdict: Fail, seen: "were asked for",
		change: lives(func(uint32) uint32 { return 7 * 86400 }),
	},
	"seven days unasked": {
		id: "lifetime", verdict: Warn, seen: "24 hours",
		change: lives(func(uint32) uint32 { return 7 * 86400 }), config: lifeless,
	},
	"seconds stated as milliseconds": {
		id: "stated-expiry", verdict: Warn, seen: "before the token's own",
		change: stating(time.Second), config: statedShape,
	},
	"no end stated": {id: "stated-expiry", verdict: Warn, seen: "missing", config: statedShape},
	"one token for all time": {id: "fresh", verdict: Fail, seen: "the same token", change: func(s *tokenServer) {
		var mu sync.Mutex
		kept := map[call]string{}
		s.token = func(c call) string {
			mu.Lock()
			defer mu.Unlock()
			c.n = 0
			if kept[c] == "" {
				kept[c] = good(c)
			}
			return kept[c]
		}
	}},
	"GET may be cached": {id: "cache-control", verdict: Warn, seen: "does not forbid", change: get, config: withShape(getShape)},
	"GET is to be cached": {
		id: "cache-control", verdict: Fail, seen: "max-age=60",
		change: cached("Cache-Control", "public, max-age=60"), config: withShape(getShape),
	},
	"GET out of a cache": {
		id: "cache-control", verdict: Fail, seen: "17 s old",
		change: cached("Cache-Control", "no-store", "Age", "17"), config: withShape(getShape),
	},
	"the Date is ahead": {id: "clock", verdict: Warn, seen: "Date is 10m0s ahead", change: writes(func(w http.ResponseWriter, token string) {
		w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
		writeJSON(w, 200, map[string]any{"token": token})
	})},
	"tokens are issued behind": {id: "clock", verdict: Warn, seen: "issue is 10m0s behind", change: issued(-10 * time.Minute)},
	"tokens are issued ahead":  {id: "clock", verdict: Warn, seen: "issue is 10m0s ahead", change: issued(10 * time.Minute)},
	"tokens come expired":      {id: "clock", verdict: Fail, seen: "expired 1 h ago", change: issued(-2 * time.Hour)},
	"tokens of the future":     {id: "clock", verdict: Fail, seen: "in the future", change: issued(2 * time.Hour)},
	"over before it is used": {id: "login", verdict: Fail, seen: "expired", change: func(s *tokenServer) {
		s.token = func(c call) string { time.Sleep(time.Second); c.life = 2; return good(c) }
	}, config: lifeless},
	"the second is not genuine": {id: "renewal", verdict: Fail, seen: "104", change: tokens(func(c call) string {
		if c.n == 2 && c.user == "alice" {
			return forged(c)
		}
		return good(c)
	})},
	"an unknown user breaks it": {
		id: "unknown-user", verdict: Warn, seen: "500",
		change: func(s *tokenServer) { unknownGets(s, body(500, "text/plain", "oops")) },
	},
	"an unknown user is a success": {id: "unknown-user", verdict: Warn, seen: "200 without a token", change: func(s *tokenServer) {
		unknownGets(s, body(200, "application/json", `{"error":"who?"}`))
	}},
	"every unknown user is a success": {id: "unknown-user", verdict: Warn, seen: "200 without a token", change: func(s *tokenServer) {
		s.write = func(w http.ResponseWriter, token string) {
			if read, _ := agoratoken.Read(token); !strings.Contains(fmt.Sprint(read.Claims()), "alice") {
				writeJSON(w, http.StatusOK, map[string]any{"code": 1001, "error": "no such user"})
				return
			}
			writeJSON(w, http.StatusOK, map[string]any{"token": token})
		}
	}},
	"an unknown user is a guest": {id: "unknown-user", verdict: Fail, seen: "a token for guest", change: tokens(func(c call) string {
		if !known(c) {
			c.user = "guest"
		}
		return good(c)
	})},
	"an unknown user ends it": {id: "unknown-user", verdict: Fail, seen: "cannot be reached", change: func(s *tokenServer) {
		unknownGets(s, func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
	}},
	"no user, and a token": {id: "missing-field", verdict: Fail, seen: "without a user: 200", change: func(s *tokenServer) {
		s.lost = func(w http.ResponseWriter) { s.write(w, good(call{life: 60})) }
	}},
	"an empty user, and a token": {id: "missing-field", verdict: Fail, seen: "with an empty user: 200", change: func(s *tokenServer) {
		first := true
		s.lost = func(w http.ResponseWriter) {
			if first {
				writeJSON(w, 400, map[string]any{})
			} else {
				s.write(w, good(call{life: 60}))
			}
			first = false
		}
	}},
	"no user breaks it": {
		id: "missing-field", verdict: Warn, seen: "500",
		change: func(s *tokenServer) { s.lost = body(500, "text/plain", "oops") },
	},
	"any method": {
		id: "wrong-method", verdict: Warn, seen: "GET: 200 and a token for alice",
		change: func(s *tokenServer) { s.method = func(string) bool { return true } },
	},
	"GET is for nobody": {
		id: "wrong-method", verdict: Fail, seen: "a token for nobody",
		change: on(isGET, func(w http.ResponseWriter) { writeJSON(w, 200, map[string]any{"token": good(call{life: 60})}) }),
	},
	"GET breaks it": {id: "wrong-method", verdict: Warn, seen: "500", change: on(isGET, body(500, "text/plain", ""))},
	"CORS in the preflight": {
		id: "cors", verdict: Warn, seen: "the answer itself allows nobody",
		change: pages(allow, func(http.Header) {}),
	},
	"CORS without preflight": {id: "cors", verdict: Warn, seen: "answered with 405", change: pages(nil, allow)},
	"CORS without the header": {
		id: "cors", verdict: Warn, seen: "header content-type",
		change: pages(func(h http.Header) { h.Set("Access-Control-Allow-Origin", "*") }, allow),
	},
	"CORS twice": {id: "cors", verdict: Warn, seen: "more than once", change: pages(allow, func(h http.Header) {
		allow(h)
		h.Add("Access-Control-Allow-Origin", "*")
	})},
	"few at once":         {id: "burst", verdict: Fail, seen: "503", change: crowded(12, body(503, "text/plain", ""))},
	"429 alone":           {id: "burst", verdict: Warn, seen: "without Retry-After", change: crowded(12, body(429, "text/plain", ""))},
	"requests share data": {id: "burst", verdict: Fail, seen: `, not "`, change: shared},
	"one node is different": {id: "burst", verdict: Fail, seen: "signature", change: tokens(func(c call) string {
		if c.n == 7 {
			return forged(c)
		}
		return good(c)
	})},
	"slow": {
		id: "latency", verdict: Warn, seen: "90 % within 2.1s",
		change: tokens(func(c call) string { time.Sleep(2100 * time.Millisecond); return good(c) }),
	},
}

func unknownGets(s *tokenServer, answer func(w http.ResponseWriter)) {
	s.write = func(w http.ResponseWriter, token string) {
		read, _ := agoratoken.Read(token)
		if chat, _ := read.Claims().Chat(); !known(call{user: chat.User}) {
			answer(w)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"token": token})
	}
}

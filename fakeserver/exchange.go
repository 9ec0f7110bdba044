package fakeserver

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// maxExchangeBody bounds what is kept of a body.
const maxExchangeBody = 4 << 10

// Exchange is one HTTP call to the chat service or to the token server, as it went over the wire. Tokens and passwords are shortened, and of a
// body at most 4 KiB are kept.
type Exchange struct {
	// Authorization is the header of the request.
	Authorization string
	// Query is the URL's, as the client wrote it.
	Query string
	// Request and Response are the bodies.
	Request, Response string
}

// Exchange returns the call of a RESTRequest entry, by the entry's Session. It knows the newest calls, as many as Config.Exchanges says.
func (s *Server) Exchange(session string) (Exchange, bool) {
	number, err := strconv.ParseUint(strings.TrimPrefix(session, "r"), 10, 64)
	if err != nil || !strings.HasPrefix(session, "r") {
		return Exchange{}, false
	}
	return s.exchanges.find(number)
}

// exchanges is the emulator's memory of HTTP calls: a ring in which call n stands at n % len.
type exchanges struct {
	mu   sync.Mutex
	last uint64
	ring []Exchange
}

func (e *exchanges) add(x Exchange) (number uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	e.ring[e.last%uint64(len(e.ring))] = x
	return e.last
}

func (e *exchanges) find(number uint64) (Exchange, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if number == 0 || number > e.last || e.last-number >= uint64(len(e.ring)) {
		return Exchange{}, false
	}
	return e.ring[number%uint64(len(e.ring))], true
}

// overheard is a call under way: what has been read of the request and written of the response.
type overheard struct {
	http.ResponseWriter
	request, response excerpt
}

type overheardKey struct{}

// overhearing keeps what goes through the handler, when the emulator is to remember that.
func (s *Server) overhearing(next http.Handler) http.Handler {
	if len(s.exchanges.ring) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &overheard{ResponseWriter: w}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, &o.request), r.Body}
		next.ServeHTTP(o, r.WithContext(context.WithValue(r.Context(), overheardKey{}, o)))
	})
}

// exchanged remembers the call and returns its name for the journal, "" when it was not overheard.
func (s *Server) exchanged(r *http.Request) string {
	o, ok := r.Context().Value(overheardKey{}).(*overheard)
	if !ok {
		return ""
	}
	number := s.exchanges.add(Exchange{
		Authorization: credential(r.Header.Get("Authorization")), Query: discreet(printable.Line(r.URL.RawQuery, 400)),
		Request: o.request.text(), Response: o.response.text(),
	})
	return "r" + strconv.FormatUint(number, 10)
}

// credential is an Authorization header as it may be shown: its scheme, and of the rest as much as is shown of a token if it is one.
func credential(header string) string {
	scheme, secret, found := strings.Cut(printable.Line(header, 0), " ")
	if !found {
		scheme, secret = "", scheme
	}
	if at := printable.Secrets(secret); len(at) == 1 && at[0][0] == 0 && at[0][1] == len(secret) {
		secret = printable.Stub(secret)
	} else if secret != "" {
		secret = "…"
	}
	return strings.TrimLeft(printable.Line(scheme, 20)+" "+secret, " ")
}

// Write implements http.ResponseWriter.
func (o *overheard) Write(p []byte) (int, error) {
	_, _ = o.response.Write(p)
	return o.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (o *overheard) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// excerpt is the beginning of what is written to it.
type excerpt struct {
	begin bytes.Buffer
	cut   bool
}

// Write implements io.Writer.
func (e *excerpt) Write(p []byte) (int, error) {
	room := maxExchangeBody - e.begin.Len()
	e.cut = e.cut || len(p) > room
	e.begin.Write(p[:min(len(p), room)])
	return len(p), nil
}

// text is the excerpt, fit to be shown. A secret that was cut through is left out as a whole.
func (e *excerpt) text() string {
	text := e.begin.String()
	if e.cut {
		text = strings.TrimRightFunc(text, func(r rune) bool { return !strings.ContainsRune(" \t\r\n\",;&?", r) }) + " …"
	}
	return discreet(printable.Line(text, 0))
}

// passwords matches the values of passwords, secrets and certificates in JSON, also in broken JSON, and in forms.
var passwords = pattern.New(`(?i)(\w*(?:password|secret|certificate)\w*"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|[^&\s",}]*)`)

// discreet shortens the tokens in a text and hides passwords.
func discreet(text string) string {
	return passwords().ReplaceAllString(printable.Scrub(text), "$1…")
}

package fakeserver

import (
	"crypto/subtle"
	_ "embed" // for the description of the API
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// ControlPath is where the control API stands on the chat listener.
const ControlPath = "/_ctl/v1"

// maxControlBody bounds a request's body.
const maxControlBody = 64 << 10

//go:embed openapi.json
var openAPI []byte

// ControlError is how the control API says that something is wrong.
type ControlError struct {
	Status  int    `json:"-"`
	Code    string `json:"error"` // such as bad_request
	Message string `json:"message"`
}

// Error implements error.
func (e *ControlError) Error() string { return e.Message }

func controlError(status int, format string, args ...any) *ControlError {
	code := strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	return &ControlError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// controlRoute is one line of the control API.
type controlRoute struct {
	method, path string // below ControlPath
	// handle returns what is answered with 200 in JSON, or nil when it has answered itself.
	handle func(*Server, http.ResponseWriter, *http.Request) (any, error)
}

// controlRoutes is the control API. openapi.json describes it; a test holds the two together.
func controlRoutes() []controlRoute {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []controlRoute{
		{get, "/health", (*Server).getHealth},
		{get, "/state", (*Server).getState},
		{post, "/reset", (*Server).postReset},
		{get, "/clock", (*Server).getClock},
		{put, "/clock", (*Server).putClock},
		{get, "/faults", (*Server).getFaults},
		{post, "/faults", (*Server).postFault},
		{del, "/faults", (*Server).deleteFaults},
		{del, "/faults/{id}", (*Server).deleteFault},
		{get, "/fault-kinds", (*Server).getFaultKinds},
		{post, "/trigger/{event}", (*Server).postTrigger},
		{get, "/journal", (*Server).getJournal},
		{get, "/journal/stream", (*Server).streamJournal},
		{get, "/openapi.json", (*Server).getOpenAPI},
	}
}

// controlHandler is the control API behind its guard.
func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range controlRoutes() {
		mux.HandleFunc(route.method+" "+ControlPath+route.path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := route.handle(s, w, r)
			if err != nil {
				answerControl(w, asControlError(err))
			} else if answer != nil {
				answerControl(w, answer)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { answerControl(w, unknownRoute(r)) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if refused := s.guard(r); refused != nil {
			s.journal.add(&Entry{
				Name: ControlRefused, Method: printable.Line(r.Method, 16), Path: printable.Discreet(r.URL.Path, 200),
				Status: refused.Status, Reason: refused.Message,
			})
			answerControl(w, refused)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
		mux.ServeHTTP(w, r)
	})
}

// guard keeps out everybody but this machine's own programs, or whoever has the token. A browser says which page a call comes from, and a
// page that got here by a name of its own (DNS rebinding) has that name in Host.
func (s *Server) guard(r *http.Request) *ControlError {
	forbidden := func(format string, args ...any) *ControlError {
		return controlError(http.StatusForbidden, format, args...)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Host != r.Host {
			return forbidden("the control API does not answer pages from %s", printable.Line(origin, 80))
		}
	}
	if token := s.cfg.ControlToken; token != "" {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(given)), []byte(token)) != 1 {
			return controlError(http.StatusUnauthorized, "the control API wants its token: Authorization: Bearer, the one of --control-token")
		}
		return nil
	}
	s.mu.Lock()
	own, reachable := s.chatAddress, s.chatAddress != nil && !isLocal(s.chatAddress)
	s.mu.Unlock()
	if reachable {
		return forbidden("the control API is off, because other machines can reach %s: start with --control-token, or listen on 127.0.0.1", own)
	}
	if !isOwnHost(r.Host, own) {
		return forbidden("the control API does not answer to the host %s; use 127.0.0.1", printable.Line(r.Host, 80))
	}
	return nil
}

// ControlEnabled reports whether the control API answers on a listener with that address: it does on this machine's own, and elsewhere only
// with Config.ControlToken.
func (s *Server) ControlEnabled(chat net.Addr) bool { return s.cfg.ControlToken != "" || isLocal(chat) }

// isLocal reports whether only this machine can reach an address; what is not TCP is in memory.
func isLocal(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// isOwnHost reports whether a Host header names this machine or the listener itself.
func isOwnHost(host string, own net.Addr) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() || name == "localhost" {
		return true
	}
	if own == nil {
		return false
	}
	ownName, _, err := net.SplitHostPort(own.String())
	return err == nil && name == ownName
}

func answerControl(w http.ResponseWriter, answer any) {
	status := http.StatusOK
	if e, ok := answer.(*ControlError); ok {
		status = e.Status
	}
	b, err := json.Marshal(answer)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"internal","message":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client may be gone
}

// asControlError makes of every other error a bad request: what handlers return is what the caller did wrong.
func asControlError(err error) *ControlError {
	if e, ok := errors.AsType[*ControlError](err); ok {
		return e
	}
	return controlError(http.StatusBadRequest, "%s", err)
}

// unknownRoute names what there is instead.
func unknownRoute(r *http.Request) *ControlError {
	var methods, paths []string
	for _, route := range controlRoutes() {
		if matchesControl(route.path, strings.TrimPrefix(r.URL.Path, ControlPath)) {
			methods = append(methods, route.method)
		}
		if !slices.Contains(paths, route.path) {
			paths = append(paths, route.path)
		}
	}
	if methods != nil {
		return controlError(http.StatusMethodNotAllowed, "%s is not possible here; use %s", printable.Line(r.Method, 16), strings.Join(methods, " or "))
	}
	return controlError(http.StatusNotFound, "there is no %s; known below %s: %s", printable.Line(r.URL.Path, 80), ControlPath, strings.Join(paths, " "))
}

func matchesControl(pattern, path string) bool {
	head, _, isParam := strings.Cut(pattern, "{")
	if !isParam {
		return pattern == path
	}
	rest, ok := strings.CutPrefix(path, head)
	return ok && rest != "" && !strings.Contains(rest, "/")
}

// decodeControl reads a JSON object; an empty body is an empty object.
func decodeControl(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return controlError(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", maxControlBody)
	}
	if len(body) == 0 {
		return nil
	}
	return decodeStrictly(body, into)
}

// Health is the answer of GET health.
type Health struct {
	Status  string `json:"status"` // ok
	AppKey  string `json:"app_key"`
	Version string `json:"version"` // of the control API
}

func (s *Server) getHealth(http.ResponseWriter, *http.Request) (any, error) {
	return Health{Status: "ok", AppKey: s.cfg.appKey(), Version: "v1"}, nil
}

func (s *Server) getState(http.ResponseWriter, *http.Request) (any, error) { return s.State(), nil }

func (s *Server) postReset(http.ResponseWriter, *http.Request) (any, error) {
	s.Reset()
	return s.State(), nil
}

func (s *Server) getOpenAPI(w http.ResponseWriter, _ *http.Request) (any, error) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI) // the client may be gone
	return nil, nil
}

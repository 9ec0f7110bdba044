// Package fakeserver emulates the Agora Chat service for the sake of token expiry: the MSync gateway, the REST calls around tokens and
// users, and the token server that an app's own backend would run.
//
// It speaks the real protocol over real HTTP and WebSocket, on listeners that the caller supplies, so it serves the official SDKs, the
// client in package session, and tests over net.Pipe inside a testing/synctest bubble alike:
//
//	s, err := fakeserver.New(fakeserver.Config{})
//	go s.Serve(chatListener, tokenListener)
//	defer s.Close(ctx)
//
// A frame's way: socket (WebSocket only) → link (one connection's commands) → hub (users, devices, queues) → link.push → socket. What
// happens is in the journal. Nothing is kept beyond the process.
package fakeserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/guard"
)

// Server is one emulator. Make it with New.
type Server struct {
	cfg        Config
	clock      *clock.Clock
	journal    *journal
	hub        *hub
	schedule   *schedule
	chatTokens *chatTokens
	faults     *faults
	handedOut  handedOut
	revoked    revocations
	exchanges  exchanges
	files      *fileStore
	appUUID    string

	chat, token *http.Server
	linkSeq     atomic.Uint64
	closing     context.Context // ends when Close begins
	close       context.CancelFunc
	done        chan struct{}
	work        sync.WaitGroup
	sockets     sync.WaitGroup

	mu           sync.Mutex
	open         map[*link]*socket
	tokenAddress string
	chatAddress  net.Addr
	closed       bool
}

// New makes an emulator. It fails when the configuration makes no sense; nothing is listening yet.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("fakeserver: %w", err)
	}
	clk := clock.New(cfg.ClockOffset)
	j := newJournal(cfg.JournalSize, clk.Now, cfg.Log)
	s := &Server{
		cfg: cfg, clock: clk, journal: j, hub: newHub(cfg, clk, j), schedule: newSchedule(clk, j), chatTokens: newChatTokens(),
		faults: newFaults(clk, j), files: newFileStore(j), appUUID: newUUID(), done: make(chan struct{}), open: make(map[*link]*socket),
	}
	s.exchanges.ring = make([]Exchange, cfg.Exchanges)
	s.closing, s.close = context.WithCancel(context.Background())
	j.heard, s.faults.started = s.faults.hear, s.startFault
	s.chat = s.httpServer(s.chatHandler())
	s.token = s.httpServer(s.overhearing(s.handedOut.remembering(s.withFaults(FaultTokenServer, s.tokenHandler()))))
	return s, nil
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: s.dated(h), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
	}
}

// dated gives answers the date by the emulator's clock, which is what clients know that clock by. What is due at that instant has happened
// before the call: a client that asks for a new token the moment its own will expire meets the faults that wait for just that.
func (s *Server) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.clock.Now()
		s.schedule.fire(now)
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// Serve answers on both listeners until Close: the chat service (gateway and REST) and the token server. Either may be nil when that part
// is not wanted. It returns nil after Close, or the first listener's error; it must be called once.
func (s *Server) Serve(chat, token net.Listener) error {
	s.mu.Lock()
	if token != nil {
		s.tokenAddress = token.Addr().String()
	}
	if chat != nil {
		s.chatAddress = chat.Addr()
	}
	if !s.closed {
		for _, run := range []func(<-chan struct{}){s.schedule.run, s.faults.run} {
			s.work.Go(func() {
				defer guard.Catch()
				run(s.done)
			})
		}
	}
	s.mu.Unlock()
	errs := make(chan error, 2)
	serving := 0
	for _, part := range []struct {
		server   *http.Server
		listener net.Listener
	}{{s.chat, chat}, {s.token, token}} {
		if part.listener == nil {
			continue
		}
		serving++
		go func() { errs <- part.server.Serve(roomy{part.listener}) }()
	}
	var first error
	for range serving {
		if err := <-errs; first == nil && !errors.Is(err, http.ErrServerClosed) {
			first = err
			_ = s.chat.Close() // one half alone would be a puzzle to its users
			_ = s.token.Close()
		}
	}
	return first
}

// Close ends the emulator: no new connections and messages, running REST calls finish, connected clients get a second to fetch what was
// acknowledged, and then their queued frames and a close frame 1001. It waits for all of it until ctx ends, and then cuts what is left and
// returns the context's error.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	open := maps.Clone(s.open)
	s.mu.Unlock()
	if again {
		return nil
	}
	s.close()
	s.faults.stop() // nothing may wait for them any more
	s.drain(ctx)
	for l := range open {
		l.closeWith(closeGoingAway, "the emulator is shutting down")
	}
	err := cmp.Or(s.chat.Shutdown(ctx), s.token.Shutdown(ctx))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.sockets.Wait()
	}()
	select {
	case <-gone:
	case <-ctx.Done():
		err = ctx.Err()
		for _, sock := range open {
			sock.frames.cut()
		}
		<-gone
	}
	if err != nil { // Shutdown only stops waiting for calls that go on
		_ = s.chat.Close()
		_ = s.token.Close()
	}
	close(s.done)
	s.work.Wait()
	s.journal.log.Close()
	return err
}

// track notes a new connection for Close; false means that the emulator is closing already.
func (s *Server) track(l *link, sock *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[l] = sock
	s.sockets.Add(1)
	return true
}

func (s *Server) untrack(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, l)
}

// chatHandler is the chat listener: SockJS below /ws, WebSockets on any other path, as the service takes them, the demo page, the
// control API, and REST for the rest.
func (s *Server) chatHandler() http.Handler {
	control := s.controlHandler()
	rest, demo := s.overhearing(s.withFaults(FaultREST, s.restHandler())), s.demoHandler()
	gateway, old := s.refuseLinks(s.serveGateway), s.refuseLinks(s.sockjsHandler().ServeHTTP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == ControlPath || strings.HasPrefix(r.URL.Path, ControlPath+"/"):
			control.ServeHTTP(w, r)
		case r.URL.Path == sockjsPath || strings.HasPrefix(r.URL.Path, sockjsPath+"/"):
			old.ServeHTTP(w, r)
		case websocket.IsWebSocketUpgrade(r):
			gateway(w, r)
		case strings.HasPrefix(r.URL.Path, demoPath):
			demo.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// Now returns the emulator's time.
func (s *Server) Now() time.Time { return s.clock.Now() }

// JumpClock moves the emulator's clock; everything that becomes due by it happens at once.
func (s *Server) JumpClock(d time.Duration) { s.clock.Jump(d) }

// TriggerExpire makes the user's SDKs believe that their token is past its end, however long it still lives: each open connection gets an
// UNREAD answer dated one second after the expiry (protocol.md d.3). An empty user means everybody. It returns how many connections it
// reached.
func (s *Server) TriggerExpire(user string) int {
	return s.push(user, func(g grant) time.Time { return g.expiresAt.Add(time.Second) })
}

// TriggerWillExpire is the same for the will-expire callback: the UNREAD answer is dated in the last tenth of the life.
func (s *Server) TriggerWillExpire(user string) int {
	return s.push(user, func(g grant) time.Time { return g.expiresAt.Add(-g.expiresAt.Sub(g.acceptedAt) / 10) })
}

func (s *Server) push(user string, at func(grant) time.Time) int {
	links := s.hub.links(user)
	// Some goroutines write to everybody. One for each client would need thousands of stacks, and each would be woken for one write.
	var writers sync.WaitGroup
	for part := range slices.Chunk(links, len(links)/runtime.GOMAXPROCS(0)+1) {
		writers.Go(func() {
			defer guard.Catch()
			for _, l := range part {
				l.queueClock(at(s.schedule.grantOf(l)))
				l.wire.Flush()
			}
		})
	}
	writers.Wait()
	return len(links)
}

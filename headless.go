package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/scenario"
	"github.com/ttlchat/ttlchat/session"
)

// maxLine bounds one line of input.
const maxLine = 64 << 10

// line is one event as headless mode prints it. The names are a contract.
type line struct {
	At           string `json:"at"`         // RFC 3339 with milliseconds
	ElapsedMS    int64  `json:"elapsed_ms"` // since the process started
	Event        string `json:"event"`
	User         string `json:"user"`
	Old          string `json:"old,omitempty"`
	New          string `json:"new,omitempty"`
	Callback     string `json:"callback,omitempty"`
	Code         int    `json:"code,omitempty"`
	Reason       string `json:"reason,omitempty"`
	Why          string `json:"why,omitempty"` // the reason's name
	ClockAheadMS int64  `json:"clock_ahead_ms,omitempty"`
	Token        string `json:"token,omitempty"` // short form
	ExpiresAt    string `json:"expires_at,omitempty"`
	WillExpireAt string `json:"will_expire_at,omitempty"`
	RemainingMS  *int64 `json:"remaining_ms,omitempty"`
	Attempt      int    `json:"attempt,omitempty"`
	RetryAt      string `json:"retry_at,omitempty"`
	MessageID    string `json:"message_id,omitempty"`
	ServerID     string `json:"server_id,omitempty"`
	From         string `json:"from,omitempty"`
	To           string `json:"to,omitempty"`
	Text         string `json:"text,omitempty"`
}

func (h *headless) line(e session.Event) line {
	l := line{
		At: stamp(e.At), ElapsedMS: time.Since(h.start).Milliseconds(), Event: string(e.Name), User: e.User, Old: string(e.Old), New: string(e.New),
		Callback: e.Callback, Code: int(e.Code), Reason: e.Reason, Why: string(e.Why), ClockAheadMS: e.ClockAhead.Milliseconds(), Token: e.Token, ExpiresAt: stamp(e.ExpiresAt),
		WillExpireAt: stamp(e.WillExpireAt), Attempt: e.Attempt, RetryAt: stamp(e.RetryAt), MessageID: e.MessageID, ServerID: e.ServerID,
		From: e.From, To: e.To, Text: e.Text,
	}
	if !e.ExpiresAt.IsZero() {
		l.RemainingMS = new(e.Remaining().Milliseconds())
	}
	return l
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}

// writeJSON prints one object a line. Control and format characters that JSON would let through are escaped, so that text from outside
// cannot act on a terminal and still arrives unchanged at whoever reads the JSON.
func writeJSON(w io.Writer, v any) error {
	var in, out bytes.Buffer
	encoder := json.NewEncoder(&in)
	encoder.SetEscapeHTML(false) // nobody puts this into a page, and people read it
	if err := encoder.Encode(v); err != nil {
		return err
	}
	b := in.Bytes()
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if unsafe(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.Write(b[:n])
		}
		b = b[n:]
	}
	_, err := w.Write(out.Bytes())
	return err
}

// unsafe characters change what a terminal does or shows: DEL, C1 controls, and the bidirectional controls.
func unsafe(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0x61c || r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// headless is a run without a screen.
type headless struct {
	*wiring
	session *session.Session
	start   time.Time
	stderr  io.Writer
	quit    context.CancelFunc

	mu   sync.Mutex
	peer string
}

// errNotOnline ends a headless run that had no session when its time was up.
var errNotOnline = errors.New("the time is up and nobody is logged in")

func runHeadless(ctx context.Context, o *options, w *wiring, input *bufio.Reader, stdout, stderr io.Writer) error {
	s, closeTokens, err := w.open(o.person(w), o)
	if err != nil {
		return err
	}
	defer closeTokens()
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	h := &headless{wiring: w, session: s, start: processStart, stderr: stderr, quit: quit, peer: o.peer}
	ended := make(chan struct{})
	printed := make(chan error, 1)
	go func() { printed <- h.print(stdout, ended) }()
	h.Login()
	inputEnded := make(chan struct{})
	go func() {
		defer close(inputEnded)
		h.read(ctx, input)
	}()
	wait := o.forHowLong
	if wait == 0 {
		wait = o.ttl
	}
	var timer <-chan time.Time
	for waiting := true; waiting; {
		select {
		case <-inputEnded:
			inputEnded = nil
			timer = time.After(wait)
		case <-timer:
			waiting = false
		case <-ended:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
	last := s.Snapshot()
	h.stopRecording()
	s.Close()
	if err := <-printed; err != nil {
		return err
	}
	return verdict(last)
}

// verdict says whether a run went well: not when the session ended for good, was still trying in vain, or kept messages back.
func verdict(s session.Snapshot) error {
	switch {
	case s.State == session.Stopped:
		return errors.New(s.Reason)
	case s.Attempt > 0 && (s.State == session.Waiting || s.State == session.Fetching || s.State == session.LoggingIn):
		return fmt.Errorf("%w: %s", errNotOnline, s.Reason)
	case s.State == session.Fetching || s.State == session.LoggingIn:
		return errNotOnline
	case s.Unsent > 0:
		return errors.New(strings.TrimSuffix(
			fmt.Sprintf("%s not sent; the last state was %s: %s", printable.Count(s.Unsent, "message was", "messages were"), s.State, s.Reason), ": "))
	}
	return nil
}

// print writes every event until the session is closed. It closes ended when the session has ended for good.
func (h *headless) print(stdout io.Writer, ended chan struct{}) error {
	events := h.session.Follow()
	for over := false; ; {
		batch, err := events.Next(context.Background()) // ends with the session
		if err != nil {
			return nil //nolint:nilerr // the end of the stream is the normal end
		}
		for _, e := range batch {
			if err := writeJSON(stdout, h.line(e)); err != nil {
				h.quit()
				return err
			}
			if e.Name == session.StateChanged && e.New == session.Stopped && !over {
				over = true
				close(ended)
			}
		}
	}
}

// read takes messages and slash commands from the input until it ends.
func (h *headless) read(ctx context.Context, input *bufio.Reader) {
	for ctx.Err() == nil {
		text, err := input.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			h.say("a line of input is longer than %d bytes and was left out", maxLine)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = input.ReadSlice('\n')
			}
			text = nil
		}
		if trimmed := strings.TrimRight(string(text), "\r\n"); trimmed != "" {
			if command.IsCommand(trimmed) {
				h.settle(ctx)
			}
			h.obey(trimmed)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				h.say("the input cannot be read: %v", err)
			}
			return
		}
	}
}

// settling is how long a command waits for what was begun before it.
const settling = 10 * time.Second

// settle waits until the login has been answered and the messages that were written before have left: whoever pipes lines in cannot know when that
// is. Messages wait by themselves.
func (h *headless) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for events := h.session.Follow(); !settled(h.session.Snapshot()); {
		if _, err := events.Next(ctx); err != nil {
			return
		}
	}
}

// settled reports whether nothing is under way that was begun for the first time.
func settled(s session.Snapshot) bool {
	switch s.State {
	case session.LoggedOut:
		return s.Reason != "" // otherwise the login is just about to begin
	case session.Fetching, session.LoggingIn:
		return s.Attempt > 0 // it has failed before
	case session.Waiting, session.Stopped, session.Reconnecting, session.Expired:
		return true // messages are kept back
	}
	return s.Unsent == 0
}

func (h *headless) obey(text string) {
	if command.IsCommand(text) {
		reply, err := command.Run(text, h)
		if err != nil {
			h.say("%v", err)
		} else if reply != "" {
			h.say("%s", reply)
		}
		return
	}
	if message, ok := command.Message(text); ok {
		h.mu.Lock()
		peer := h.peer
		h.mu.Unlock()
		if err := h.send(peer, message); err != nil {
			h.say("not sent: %v", err)
		}
	}
}

func (h *headless) send(peer, message string) error {
	_, err := h.session.Send(peer, message)
	if err == nil {
		h.did(scenario.Step{Send: &scenario.Send{To: peer, Text: message}})
	}
	return err
}

func (h *headless) say(format string, args ...any) {
	_, _ = fmt.Fprintf(h.stderr, "ttlchat: "+format+"\n", args...)
}

// Login implements command.Target, like the methods below.
func (h *headless) Login() {
	h.didAsk("login")
	h.session.Login()
}

// Renew asks for a renewal.
func (h *headless) Renew() {
	h.didAsk("renew")
	h.session.Renew()
}

// Logout ends the session.
func (h *headless) Logout() {
	h.didAsk("logout")
	h.session.Logout()
}

// Expire makes the emulator tell the client that its token is over.
func (h *headless) Expire() error { return h.expire(h.session.Snapshot().User) }

// Skip jumps to the next event.
func (h *headless) Skip() (string, error) { return h.skip(h.session) }

// Policy returns the answers to the token events.
func (h *headless) Policy() session.Policy { return h.session.Snapshot().Policy }

// SetPolicy changes them.
func (h *headless) SetPolicy(p session.Policy) error {
	err := h.session.SetPolicy(p)
	if err == nil {
		h.didSet(p)
	}
	return err
}

// SetPeer chooses who gets the messages that follow.
func (h *headless) SetPeer(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peer = name
	return nil
}

// Commands lists what can be typed.
func (h *headless) Commands() []command.Command { return command.Table() }

// Quit ends the run.
func (h *headless) Quit() { h.quit() }

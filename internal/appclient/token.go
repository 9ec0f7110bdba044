package appclient

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// renewAfter is the part of a Chat token's life after which it is renewed, in tenths.
const renewAfter = 8

// renewalPause is how long a failed renewal is not tried again while the old token still works.
const renewalPause = 10 * time.Second

// chatToken is a Chat app token.
type chatToken struct {
	text string
	// ExpiresAt is when it ends by this machine's clock: it is reckoned from what was left at the exchange.
	ExpiresAt time.Time
	renewAt   time.Time
	// user is set when the token server gave a user token.
	user *string
}

// String returns the short form.
func (t chatToken) String() string { return printable.Token(t.text) }

// Format writes the short form for every fmt verb.
func (t chatToken) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// tokens holds the current token, and the one attempt to get another.
type tokens struct {
	mu      sync.Mutex
	current chatToken
	flight  *flight
}

// flight is an attempt that several callers wait for.
type flight struct {
	done  chan struct{}
	token chatToken
	err   error
}

// drop forgets a token that turned out to be worthless.
func (t *tokens) drop(bad chatToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.text == bad.text {
		t.current = chatToken{}
	}
}

// token returns the Chat token that calls are made with, after getting or renewing it where that is due.
func (c *Client) token(ctx context.Context) (chatToken, error) {
	now := c.config.Now()
	t := &c.tokens
	t.mu.Lock()
	current := t.current
	if now.Before(current.renewAt) && now.Before(current.ExpiresAt) {
		t.mu.Unlock()
		return current, nil
	}
	f := t.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		t.flight = f
		c.flying.Go(func() { c.fly(f) })
	}
	t.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return chatToken{}, unanswered(PhaseFetch, c.base, ctx.Err())
	}
	if f.err != nil && now.Before(current.ExpiresAt) {
		return current, nil // The old one works a little longer.
	}
	return f.token, f.err
}

// fly gets a new token for everybody who waits. It belongs to no caller, so that one who gives up does not fail the others.
func (c *Client) fly(f *flight) {
	ctx, cancel := context.WithTimeout(c.ctx, c.config.Timeout)
	defer cancel()
	f.token, f.err = c.exchange(ctx)
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	if f.err == nil {
		c.tokens.current = f.token
	} else {
		c.tokens.current.renewAt = c.config.Now().Add(renewalPause)
	}
	c.tokens.flight = nil
	close(f.done)
}

// exchange gets an app token and trades it for a Chat token.
func (c *Client) exchange(ctx context.Context) (chatToken, error) {
	text, err := c.config.AppToken(ctx)
	if err != nil {
		return chatToken{}, &Error{Phase: PhaseFetch, Err: err, Detail: "there is no app token: " + printable.Discreet(err.Error(), 600)}
	}
	read, err := agoratoken.Read(text)
	if err != nil {
		return chatToken{}, &Error{Phase: PhaseFetch, Err: err, Detail: fmt.Sprintf("what the token server gave is no app token: %v", err)}
	}
	agora := chatToken{text: text}
	if chat, err := read.Claims().Chat(); err == nil && chat.UserPrivilege && !chat.AppPrivilege {
		agora.user = &chat.User
	}
	var answer struct {
		AccessToken     string `json:"access_token"`
		ExpiresIn       int64  `json:"expires_in"`       // seconds
		ExpireTimestamp int64  `json:"expire_timestamp"` // Unix ms
	}
	if err := c.send(ctx, PhaseExchange, agora, http.MethodPost, "token", map[string]string{"grant_type": "agora"}, &answer); err != nil {
		return chatToken{}, err
	}
	if answer.AccessToken == "" {
		return chatToken{}, &Error{Phase: PhaseExchange, Detail: "the exchange gave no access_token; check the REST address"}
	}
	now := c.config.Now()
	left := timeLeft(read.Claims(), answer.ExpiresIn, answer.ExpireTimestamp, now)
	if left <= 0 {
		return chatToken{}, &Error{Phase: PhaseExchange, Detail: "the exchanged token is over already; compare the clocks, and stop the token server from caching app tokens"}
	}
	return chatToken{text: answer.AccessToken, ExpiresAt: now.Add(left), renewAt: now.Add(left * renewAfter / 10), user: agora.user}, nil
}

// timeLeft reckons how long an exchanged token lives. What is left is told most reliably as a duration, which no clock can distort. An
// exchange extends no life: a duration over the app token's own is in milliseconds, as some clusters have it (token-lifecycle.md section 3).
func timeLeft(claims agoratoken.Claims, expiresIn, timestamp int64, now time.Time) time.Duration {
	expiry := claims.Expiry()
	life := expiry - int64(claims.IssuedAt)
	switch {
	case expiresIn > 0 && expiresIn <= life:
		return time.Duration(expiresIn) * time.Second
	case expiresIn > 0 && expiresIn <= life*1000:
		return time.Duration(expiresIn) * time.Millisecond
	case timestamp > 0:
		return min(time.UnixMilli(timestamp).Sub(now), time.Duration(life)*time.Second)
	}
	return time.Unix(expiry, 0).Sub(now)
}

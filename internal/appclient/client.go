// Package appclient calls the service's REST API as an app's server does: it gets an app token, trades it for a Chat app token at
// POST /{org}/{app}/token, and sends that with every call (sources/001). The Chat token is renewed when most of its life is over, once
// for all callers who wait for it.
package appclient

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	maxBody        = 1 << 20 // bytes of an answer; a page of users has some 30 KiB
)

// Config says whose REST API is called. Everything but Now, DialContext and Timeout is required.
type Config struct {
	RESTURL  string // without org and app
	Org, App string
	// AppToken returns an app token, as a token server or the token builder gives it.
	AppToken func(context.Context) (string, error)
	Now      func() time.Time // nil means time.Now
	// DialContext replaces the network, for tests. Proxies of the environment are ignored then.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Timeout     time.Duration // for one call; 0 means ten seconds
}

// Client calls the REST API of one app. It is safe for concurrent use. Close it when done.
type Client struct {
	config Config
	base   string
	http   *http.Client
	tokens tokens
	flying sync.WaitGroup
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
}

// New returns a client, or an *[Error] when the address cannot be one. Nothing is sent yet.
func New(config Config) (*Client, error) {
	u, err := url.Parse(config.RESTURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || config.Org == "" || config.App == "" {
		return nil, &Error{Phase: PhaseConfig, Detail: "the REST address or the app key is incomplete; write them like http://localhost:8081 and org#app"}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Timeout <= 0 {
		config.Timeout = defaultTimeout
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: config.DialContext, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
	}
	if config.DialContext != nil {
		transport.Proxy = nil
	}
	c := &Client{
		config: config, base: strings.TrimRight(config.RESTURL, "/") + "/" + url.PathEscape(config.Org) + "/" + url.PathEscape(config.App) + "/",
		// A redirect would carry the token elsewhere, or turn a POST into a GET.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Close ends what is under way and waits for it.
func (c *Client) Close() {
	c.cancel()
	c.flying.Wait()
	c.http.CloseIdleConnections()
}

// call sends one request with the Chat token and reads the answer into the given value. A token that the service calls expired although
// it is not, because the clocks differ, is replaced once.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	token, err := c.token(ctx)
	if err != nil {
		return err
	}
	err = c.send(ctx, PhaseCall, token, method, path, body, answer)
	if e, ok := asError(err); ok && e.expired() {
		c.tokens.drop(token)
		if token, err = c.token(ctx); err != nil {
			return err
		}
		err = c.send(ctx, PhaseCall, token, method, path, body, answer)
	}
	return err
}

// send makes one request. The path is relative to the app's and quoted already.
func (c *Client) send(ctx context.Context, phase Phase, token chatToken, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return &Error{Phase: PhaseConfig, Detail: "the REST address makes no valid request; correct it"}
	}
	request.Header.Set("Authorization", "Bearer "+token.text)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "ttlchat")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return unanswered(phase, request.URL.Host, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return unanswered(phase, request.URL.Host, err)
	case len(text) > maxBody:
		return &Error{Phase: phase, Status: response.StatusCode, Detail: "the answer has more than 1 MiB; check the REST address, this is not the chat service"}
	case response.StatusCode/100 != 2:
		return refused(phase, response, text, token)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return &Error{Phase: phase, Status: response.StatusCode, Err: err, Detail: "the answer is not the JSON of the chat service; check the REST address"}
	}
	return nil
}

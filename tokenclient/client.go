package tokenclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	maxBody        = 64 << 10 // bytes of an answer
	maxRedirects   = 3
	maxRetryAfter  = 24 * time.Hour // no token lives longer
)

// Config says where tokens come from. URL and Shape are required.
type Config struct {
	URL   string // the address; {user} and {expire} in it stand for the request's values
	Shape Shape
	AppID string           // the expected App ID; empty when it is not known
	Now   func() time.Time // the clock that tokens are checked with; nil means time.Now
	// DialContext replaces the network, for tests and for the embedded emulator. Proxies of the environment are ignored then.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Timeout     time.Duration // for a whole request; 0 means ten seconds
}

func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Client is a [Source] that asks a token server. It is safe for concurrent use. Close it when done.
type Client struct {
	config Config
	shape  *compiled
	http   *http.Client
}

// New returns a client, or an *[Error] of kind bad_config when the address or the shape cannot work.
func New(config Config) (*Client, error) {
	shape, err := config.Shape.compile(config.URL)
	if err != nil {
		return nil, err
	}
	if config.Timeout <= 0 {
		config.Timeout = defaultTimeout
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            config.DialContext,
		DisableCompression:     true,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxBody,
	}
	if config.DialContext != nil {
		transport.Proxy = nil
	}
	c := &Client{config: config, shape: shape, http: &http.Client{Transport: transport, CheckRedirect: sameServer}}
	if _, err := c.request(context.Background(), Request{}); err != nil {
		return nil, err
	}
	return c, nil
}

// sameServer follows a few redirects within one server and keeps any other as the answer. A token request must not wander off to another
// host, lose its encryption, or lose its body by turning into a GET.
func sameServer(next *http.Request, via []*http.Request) error {
	first := via[0]
	if next.URL.Host != first.URL.Host || next.Method != first.Method || len(via) > maxRedirects ||
		first.URL.Scheme == "https" && next.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	return nil
}

// Renewable reports true.
func (c *Client) Renewable() bool { return true }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Fetch asks the server for a token and checks it.
func (c *Client) Fetch(ctx context.Context, r Request) (Token, error) {
	text, err := c.ask(ctx, r)
	if err != nil {
		return Token{}, err
	}
	return Check(text, Expectation{AppID: c.config.AppID, User: r.User, Now: r.now(c.config)})
}

// ask returns the text that the server calls a token.
func (c *Client) ask(ctx context.Context, r Request) (string, error) {
	limited, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := c.request(limited, r)
	if err != nil {
		return "", err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", c.unanswered(ctx, request.URL.Host, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return "", c.unanswered(ctx, request.URL.Host, err)
	case len(body) > maxBody:
		return "", fail(KindTooLarge, nil, "the token server's answer has more than %d KiB; check the address, it is no token", maxBody>>10)
	case response.StatusCode/100 != 2:
		return "", c.refused(response, body, r.now(c.config))
	}
	return c.shape.read(response.Header.Get("Content-Type"), body)
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	target, body, err := c.shape.fill(c.config.URL, r)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, c.shape.Method, target, strings.NewReader(body))
	if err != nil {
		return nil, fail(KindBadConfig, nil, "the shape %q makes no valid request of its method and its URL; correct it", quote(c.shape.Name))
	}
	request.Header.Set("User-Agent", "ttlchat")
	request.Header.Set("Cache-Control", "no-cache")
	for name, value := range c.shape.Header {
		request.Header.Set(name, value)
	}
	return request, nil
}

// unanswered explains an exchange that broke. The caller's own context tells a cancellation from the client's timeout.
func (c *Client) unanswered(ctx context.Context, host string, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // It would repeat the whole address, which may hold a secret.
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fail(KindCanceled, ctx.Err(), "fetching the token was canceled; try again when needed")
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fail(KindTimeout, err, "the token server %s gave no complete answer in time; check that it runs and is not overloaded", quote(host))
	}
	return fail(KindUnreachable, err, "the token server %s cannot be reached (%s); check the address and that the server runs", quote(host), quote(err.Error()))
}

// refused explains an answer that is not 2xx.
func (c *Client) refused(response *http.Response, body []byte, now time.Time) error {
	e := fail(KindHTTPStatus, nil, "the token server answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	e.Status = response.StatusCode
	e.RetryAfter = retryAfter(response.Header.Get("Retry-After"), now)
	if text := c.shape.complaint(response.Header.Get("Content-Type"), body); text != "" {
		e.Detail += " and says: " + text
	}
	next := "check the address and the shape"
	switch {
	case response.StatusCode/100 == 3:
		next = "redirects elsewhere are not followed: use the final address"
		if to, err := response.Location(); err == nil {
			next += fmt.Sprintf(" (at %s)", quote(to.Host))
		}
	case e.RetryAfter > 0:
		next = fmt.Sprintf("try again in %v, as it asks", e.RetryAfter)
	case e.Temporary():
		next = "try again later, and look into the server's log"
	}
	e.Detail += "; " + next
	return e
}

// retryAfter reads a Retry-After header: a number of seconds, or a date. It returns 0 for anything else.
func retryAfter(header string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(strings.TrimSpace(header), 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now).Round(time.Second)
	}
	return min(max(wait, 0), maxRetryAfter)
}

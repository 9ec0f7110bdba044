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

	"github.com/ttlchat/ttlchat/internal/printable"
)

const (
	defaultTimeout = 10 * time.Second
	maxBody        = 64 << 10 // bytes of an answer
	maxRedirects   = 3
	maxRetryAfter  = 24 * time.Hour // no token lives longer
)

// Config says where tokens come from. URL and Shape are required.
type Config struct {
	URL   string // the address, or a host alone for the shape's usual path; {user} and {expire} in it stand for the request's values
	Shape Shape
	AppID string // the expected App ID; empty when it is not known
	// Service is what the tokens are for: ServiceChat, which empty means too, or ServiceRTC, where only a user that is a number is compared.
	Service string
	// Password is the user's, for the shapes that send one.
	Password Secret
	Now      func() time.Time // the clock that tokens are checked with; nil means time.Now
	// DialContext replaces the network, for tests and for the embedded emulator. Proxies of the environment are ignored then.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Timeout     time.Duration // for a whole request; 0 means ten seconds
}

// expectedUser is whom a token must be for: the uid of a media token stands for nobody else, and one that is no number for anybody.
func (c Config) expectedUser(user string) string {
	if c.Service == ServiceRTC {
		if n := uid(user); n != 0 {
			return strconv.FormatUint(uint64(n), 10)
		}
		return ""
	}
	return user
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
	if shape.NeedsPassword() && config.Password == "" {
		return nil, fail(KindBadConfig, nil, "the shape %q sends the user's password, and there is none; set it", quote(shape.Name))
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
	return &Client{config: config, shape: shape, http: &http.Client{Transport: transport, CheckRedirect: sameServer}}, nil
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
	x, err := c.Exchange(ctx, r)
	if err != nil {
		return Token{}, err
	}
	now := r.now(c.config)
	if date, err := http.ParseTime(x.Header.Get("Date")); err == nil && r.ByServer && x.Header.Get("Age") == "" { // the date of a cache is old
		now = date
	}
	token, err := Check(x.Token.Reveal(), Expectation{AppID: c.config.AppID, User: c.config.expectedUser(r.User), Service: c.config.Service, Now: now})
	if err == nil {
		token.compareStated(x.StatedExpiry)
	}
	return token, err
}

// Exchange asks the server for a token and returns what went over the wire. The token in it is not checked. The error is an *[Error]; the
// exchange beside it tells as much as happened.
func (c *Client) Exchange(ctx context.Context, r Request) (Exchange, error) {
	limited, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := c.request(limited, r)
	if err != nil {
		return Exchange{}, err
	}
	x := request.shown
	start := time.Now()
	response, err := c.http.Do(request.Request)
	if err != nil {
		x.Duration = time.Since(start)
		return x, c.unanswered(ctx, request, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	x.Duration = time.Since(start)
	x.Status, x.TLS, x.Size = response.StatusCode, response.TLS, len(body)
	x.Header, x.Body = request.secrets.header(response.Header), request.secrets.body(body)
	kind := response.Header.Get("Content-Type")
	switch {
	case err != nil:
		return x, c.unanswered(ctx, request, err)
	case len(body) > maxBody:
		return x, fail(KindTooLarge, nil, "the token server's answer has more than %d KiB; check the address, it is no token", maxBody>>10)
	case response.StatusCode/100 != 2:
		return x, c.refused(response, body, request.secrets, r.now(c.config))
	}
	text, err := c.shape.read(kind, body, request.secrets)
	if err != nil {
		return x, err
	}
	x.Token, x.StatedExpiry = Secret(text), c.shape.statedExpiry(body, r.now(c.config))
	return x, nil
}

// outgoing is a request, how it may be shown, and what must not be shown.
type outgoing struct {
	*http.Request
	shown   Exchange
	secrets *hider
}

func (c *Client) request(ctx context.Context, r Request) (*outgoing, error) {
	now := r.now(c.config)
	target, body, err := c.shape.fill(r, c.config.Password.Reveal(), now)
	if err != nil {
		return nil, err
	}
	if r.Fresh {
		target = unlike(target)
	}
	request, err := http.NewRequestWithContext(ctx, c.shape.Method, target, strings.NewReader(body))
	if err != nil {
		return nil, fail(KindBadConfig, nil, "the shape %q makes no valid request for this user; correct it", quote(c.shape.Name))
	}
	out := &outgoing{Request: request, secrets: new(hider)}
	out.secrets.addURL(request.URL)
	request.Header.Set("User-Agent", "ttlchat")
	request.Header.Set("Cache-Control", "no-cache")
	for name, value := range c.shape.header {
		text, err := value.resolve(ctx, name)
		if err != nil {
			return nil, err
		}
		if value.source != "" {
			out.secrets.add(text)
		}
		request.Header.Set(name, value.word+text)
	}
	shownBody := body
	if c.shape.NeedsPassword() {
		// Filled again rather than searched: a short password may occur by chance.
		if _, shownBody, err = c.shape.fill(r, hidden, now); err != nil {
			return nil, err
		}
		out.secrets.add(c.config.Password.Reveal())
	}
	out.shown = Exchange{
		Method: request.Method, URL: out.secrets.url(request.URL), RequestHeader: out.secrets.header(request.Header),
		RequestBody: new(hider).body([]byte(shownBody)),
	}
	return out, nil
}

// unlike makes an address that no cache has an answer for, and that a server reads as the same one.
func unlike(address string) string {
	return withQuery(address, "_="+strconv.FormatInt(time.Now().UnixNano(), 36))
}

// unanswered explains an exchange that broke. The caller's own context tells a cancellation from the client's timeout.
func (c *Client) unanswered(ctx context.Context, request *outgoing, err error) error {
	host := quote(request.URL.Host)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // It would repeat the whole address, which may hold a secret.
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fail(KindCanceled, ctx.Err(), "fetching the token was canceled; try again when needed")
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fail(KindTimeout, err, "the token server %s gave no complete answer in time; check that it runs and is not overloaded", host)
	}
	return fail(KindUnreachable, err, "the token server %s cannot be reached (%s); check the address and that the server runs", host, request.secrets.quote(printable.Cause(err)))
}

// refused explains an answer that is not 2xx.
func (c *Client) refused(response *http.Response, body []byte, h *hider, now time.Time) error {
	e := fail(KindHTTPStatus, nil, "the token server answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	e.Status = response.StatusCode
	e.RetryAfter = retryAfter(response.Header.Get("Retry-After"), now)
	if text := c.shape.complaint(response.Header.Get("Content-Type"), body, h); text != "" && text != http.StatusText(response.StatusCode) {
		e.Detail += " and says: " + text
	}
	next := "check the address and the shape"
	switch {
	case response.StatusCode/100 == 3:
		next = "redirects elsewhere are not followed: use the final address"
		if to, err := response.Location(); err == nil {
			next += fmt.Sprintf(" (at %s)", h.quote(to.Host))
		}
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		next = "check the credentials of the request, its headers and the password, and then the address and the shape"
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

package tokenclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// The values of [Shape.Accept].
const (
	AcceptJSON = "json" // the token is in a field of a JSON object
	AcceptText = "text" // the answer is the token, white space aside
)

// Shape describes as data how to ask one kind of token server and how to read its answer.
//
// URL, Query and Body are templates of text/template. They see .User, .Password, .URL (the configured address), and the asked lifetime
// as .Expire (whole seconds), .ExpireMillis and .ExpireAt (the Unix second at which it ends), and the functions json, query and path,
// which quote a value for that place. In every configured address {user} and {expire} stand for the quoted values.
type Shape struct {
	Name   string
	Method string
	URL    string // empty means {{.URL}}
	// Path completes an address that names a host alone, such as http://localhost:8080. It may hold {user} and {expire}.
	Path string
	// Query is added to the address, unless the address itself says {user}: then it is complete.
	Query string
	Body  string
	// Header values may be env:NAME or cmd:PROGRAM ARGUMENT …, after a word such as Bearer where there is one. Headers that carry secrets
	// must be: a secret that is written down is refused.
	Header     map[string]string
	Accept     string // AcceptJSON or AcceptText
	TokenField string // where the token is in JSON; dots lead into nested objects
	ErrorField string // where the server's error text is, read only when there is no token; may be empty
	// ExpiryField is where the server states the end of the token's life, in ExpiryUnit; empty means that it does not. The token itself is
	// what counts, so that a statement which differs is only warned about.
	ExpiryField string
	ExpiryUnit  ExpiryUnit
}

// Address completes an address that names a host alone with the shape's usual path, and returns any other as it is.
func (s Shape) Address(address string) string {
	scheme, host, found := strings.Cut(address, "://")
	host = strings.TrimSuffix(host, "/")
	if s.Path == "" || !found || strings.ContainsAny(host, "/?#") {
		return address
	}
	return scheme + "://" + host + s.Path
}

// NeedsPassword reports whether the shape sends the user's password.
func (s Shape) NeedsPassword() bool { return strings.Contains(s.URL+s.Query+s.Body, ".Password") }

// NeedsAddress reports whether the shape has to be told where the server is.
func (s Shape) NeedsAddress() bool { return s.URL == "" || strings.Contains(s.URL, ".URL") }

// compiled is a shape whose templates are known to work.
type compiled struct {
	Shape
	address          string
	url, query, body *template.Template
	header           map[string]headerValue
}

// values is what the templates see.
type values struct {
	User         string
	Password     string
	Expire       int64
	ExpireMillis int64
	ExpireAt     int64
	URL          string
}

var functions = template.FuncMap{
	"json": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	},
	"query": url.QueryEscape,
	"path":  url.PathEscape,
	"uid":   uid,
}

// uid is the number that a name is, as users of media channels have one, or 0, which stands for any user.
func uid(name string) uint32 {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// compile checks everything about the shape that can be checked without asking a server.
func (s Shape) compile(address string) (*compiled, error) {
	if s.Accept != AcceptText && (s.Accept != AcceptJSON || s.TokenField == "") {
		return nil, fail(KindBadConfig, nil, "the shape %q must accept json with a token field, or text; correct it", quote(s.Name))
	}
	if err := s.checkExpiry(); err != nil {
		return nil, err
	}
	if s.URL == "" {
		s.URL = "{{.URL}}"
	}
	c := &compiled{Shape: s, address: s.Address(address)}
	for _, t := range []struct {
		what, text string
		into       **template.Template
	}{{"URL", s.URL, &c.url}, {"query", s.Query, &c.query}, {"body", s.Body, &c.body}} {
		parsed, err := template.New(t.what).Funcs(functions).Parse(t.text)
		if err != nil {
			return nil, fail(KindBadConfig, err, "the %s of the shape %q is no valid template (%s); correct it", t.what, quote(s.Name), quote(err.Error()))
		}
		*t.into = parsed
	}
	var err error
	if c.header, err = parseHeader(s.Header); err != nil {
		return nil, err
	}
	return c, c.try()
}

// try fills the shape with sample values.
func (c *compiled) try() error {
	target, body, err := c.fill(Request{User: `a user/"?&`, Lifetime: time.Hour}, "a password", time.Now())
	if err != nil {
		return err
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fail(KindBadConfig, nil, "the token server's address is no full URL; write it like http://localhost:8080/generate-user-token")
	}
	if c.Header["Content-Type"] == "application/json" && !json.Valid([]byte(body)) {
		return fail(KindBadConfig, nil, "the body of the shape %q is not the JSON that its header announces; quote values with json", quote(c.Name))
	}
	if _, err := http.NewRequestWithContext(context.Background(), c.Method, target, http.NoBody); err != nil {
		return fail(KindBadConfig, nil, "the shape %q makes no valid request of its method and its URL; correct it", quote(c.Name))
	}
	return nil
}

// fill returns the URL and the body of a request.
func (c *compiled) fill(r Request, password string, now time.Time) (target, body string, err error) {
	v := values{
		User: r.User, Password: password, Expire: int64(r.Lifetime / time.Second),
		ExpireMillis: r.Lifetime.Truncate(time.Second).Milliseconds(), ExpireAt: now.Add(r.Lifetime).Unix(),
	}
	v.URL = expand(c.address, v)
	var t, q, b strings.Builder
	if err = c.url.Execute(&t, v); err == nil {
		if err = c.query.Execute(&q, v); err == nil {
			err = c.body.Execute(&b, v)
		}
	}
	if err != nil {
		return "", "", fail(KindBadConfig, err, "a template of the shape %q fails (%s); correct it", quote(c.Name), quote(err.Error()))
	}
	target = t.String()
	if q.Len() > 0 && !strings.Contains(c.address, "{user}") {
		target = withQuery(target, q.String())
	}
	return target, b.String(), nil
}

// withQuery adds fields to those that an address may have already.
func withQuery(address, fields string) string {
	if strings.Contains(address, "?") {
		return address + "&" + fields
	}
	return address + "?" + fields
}

// expand puts the values into the placeholders of an address, quoted as the part of the address wants it.
func expand(address string, v values) string {
	fill := func(s string, escape func(string) string) string {
		return strings.NewReplacer("{user}", escape(v.User), "{expire}", strconv.FormatInt(v.Expire, 10)).Replace(s)
	}
	path, query, found := strings.Cut(address, "?")
	if !found {
		return fill(path, url.PathEscape)
	}
	return fill(path, url.PathEscape) + "?" + fill(query, url.QueryEscape)
}

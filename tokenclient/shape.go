package tokenclient

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
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
// URL and Body are templates of text/template. They see .User, .Expire (whole seconds) and .URL, the configured address, and the
// functions json, query and path, which quote a value for that place. In every configured address {user} and {expire} stand for
// the quoted values.
type Shape struct {
	Name       string
	Method     string
	URL        string
	Body       string
	Header     map[string]string
	Accept     string // AcceptJSON or AcceptText
	TokenField string // where the token is in JSON; dots lead into nested objects
	ErrorField string // where the server's error text is, read only when there is no token; may be empty
}

// presets are made anew for every caller, so that nobody can change them.
func presets() []Shape {
	return []Shape{
		{
			// The Go server of the official documentation (reference/token-lifecycle.md 4).
			Name: "go", Method: http.MethodPost, URL: "{{.URL}}",
			Body:   `{"user_uuid":{{json .User}},"expire":{{.Expire}}}`,
			Header: map[string]string{"Content-Type": "application/json"},
			Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// Servers that take everything from the address, such as http://host:8090/chat/user/{user}/token.
			Name: "text", Method: http.MethodGet, URL: "{{.URL}}", Accept: AcceptText,
		},
	}
}

// Preset returns the built-in shape of that name.
func Preset(name string) (Shape, bool) {
	all := presets()
	i := slices.IndexFunc(all, func(s Shape) bool { return s.Name == name })
	if i < 0 {
		return Shape{}, false
	}
	return all[i], true
}

// Presets returns the names of the built-in shapes, the usual one first.
func Presets() []string {
	var names []string
	for _, s := range presets() {
		names = append(names, s.Name)
	}
	return names
}

// compiled is a shape whose templates are known to work.
type compiled struct {
	Shape
	url, body *template.Template
}

// values is what the templates see.
type values struct {
	User   string
	Expire int64
	URL    string
}

var functions = template.FuncMap{
	"json": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	},
	"query": url.QueryEscape,
	"path":  url.PathEscape,
}

// compile checks everything about the shape that can be checked without asking a server.
func (s Shape) compile(address string) (*compiled, error) {
	if s.Accept != AcceptText && (s.Accept != AcceptJSON || s.TokenField == "") {
		return nil, fail(KindBadConfig, nil, "the shape %q must accept json with a token field, or text; correct it", quote(s.Name))
	}
	var err error
	c := &compiled{Shape: s}
	if c.url, err = template.New("url").Funcs(functions).Parse(s.URL); err != nil {
		return nil, fail(KindBadConfig, err, "the URL of the shape %q is no valid template (%s); correct it", quote(s.Name), quote(err.Error()))
	}
	if c.body, err = template.New("body").Funcs(functions).Parse(s.Body); err != nil {
		return nil, fail(KindBadConfig, err, "the body of the shape %q is no valid template (%s); correct it", quote(s.Name), quote(err.Error()))
	}
	target, body, err := c.fill(address, Request{User: `a user/"?&`, Lifetime: time.Hour})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fail(KindBadConfig, nil, "the token server's address is no full URL; write it like http://localhost:8080/generate-user-token")
	}
	if s.Header["Content-Type"] == "application/json" && !json.Valid([]byte(body)) {
		return nil, fail(KindBadConfig, nil, "the body of the shape %q is not the JSON that its header announces; quote values with json", quote(s.Name))
	}
	return c, nil
}

// fill returns the URL and the body of a request.
func (c *compiled) fill(address string, r Request) (target, body string, err error) {
	v := values{User: r.User, Expire: int64(r.Lifetime / time.Second)}
	v.URL = expand(address, v)
	var t, b strings.Builder
	if err = c.url.Execute(&t, v); err == nil {
		err = c.body.Execute(&b, v)
	}
	if err != nil {
		return "", "", fail(KindBadConfig, err, "a template of the shape %q fails (%s); correct it", quote(c.Name), quote(err.Error()))
	}
	return t.String(), b.String(), nil
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

package fakeserver

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// maxBody bounds a REST request's body.
const maxBody = 64 << 10

// call is one REST call on its way through the emulator.
type call struct {
	rest   *rest
	srv    *Server
	w      http.ResponseWriter
	r      *http.Request
	path   string            // below /{org}/{app}, with a leading slash
	params map[string]string // what stands for {name} in the route
	start  time.Time
	status int
	user   string // who calls, as the token or the body names it
	reason string // what the journal says beyond the status
}

// route is one line of the REST table. Who may call is the handler's first line.
type route struct {
	method, path string
	rate         int // documented calls a second
	handle       func(*call)
}

// routes is what the emulator answers below /{org}/{app}. What it knows but does not do is in gaps; everything else gets the service's own
// 404.
func routes() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []route{
		{post, "token", unlimited, (*call).postToken},
		{get, "sdk/users/{user}/token/expires", unlimited, (*call).getTokenExpires},

		{post, "users", ratePlain, (*call).postUsers},
		{get, "users", ratePlain, (*call).getUsers},
		{get, "users/{user}", ratePlain, (*call).getUser},
		{put, "users/{user}", ratePlain, (*call).putUser},
		{del, "users/{user}", ratePlain, (*call).deleteUser},
		{put, "users/{user}/password", ratePlain, (*call).putPassword},
		{post, "users/{user}/deactivate", ratePlain, (*call).deactivateUser},
		{post, "users/{user}/activate", ratePlain, (*call).activateUser},
		{get, "users/{user}/status", ratePlain, (*call).getUserStatus},
		{post, "users/batch/status", rateStatus, (*call).postBatchStatus},
		{get, "users/{user}/resources", unlimited, (*call).getResources},
		{get, "users/{user}/offline_msg_count", ratePlain, (*call).getOfflineCount},
		{get, "users/{user}/disconnect", ratePlain, (*call).disconnectUser},
		{post, "users/{user}/disconnect", ratePlain, (*call).disconnectUser},
		{del, "users/{user}/disconnect/{resource}", ratePlain, (*call).disconnectDevice},

		{post, "messages/users", ratePlain, (*call).postMessages},
		{post, "chatfiles", unlimited, (*call).postFile},
		{get, "chatfiles/{file}", unlimited, (*call).getFile},

		{get, "users/{user}/user_channels", unlimited, (*call).getConversationPage},
		{get, "users/{user}/user_channels/page", unlimited, (*call).getConversationPage},
		{get, "sdk/user/{user}/user_channels/list", unlimited, (*call).getConversationList},
		{del, "user/{user}/user_channel", unlimited, (*call).deleteConversation},
		{post, "sdk/user/{user}/user_channel/top", unlimited, (*call).topConversation},
		{del, "sdk/user/{user}/user_channel/top", unlimited, (*call).untopConversation},
		{get, "sdk/user/{user}/user_channel/pin", unlimited, (*call).getPins},
		{post, "sdk/user/{user}/user_channel/pin", unlimited, (*call).pinMessage},
		{del, "sdk/user/{user}/user_channel/pin", unlimited, (*call).unpinMessage},
		{post, "users/{user}/messageroaming", unlimited, (*call).postRoaming},
		{del, "sdk/message/roaming/chat/user/{user}", unlimited, (*call).deleteMessages},
		{del, "sdk/message/roaming/chat/user/{user}/time", unlimited, (*call).deleteMessagesBefore},
		{post, "sdk/message/roaming/user/{user}/delete/all", unlimited, (*call).deleteAllMessages},

		{get, "users/{user}/contacts", unlimited, (*call).getContactPage},
		{get, "users/{user}/contacts/users", unlimited, (*call).getContacts},
		{get, "users/{user}/blocks/users", unlimited, (*call).getBlocks},
		{post, "users/{user}/blocks/users", unlimited, (*call).postBlocks},
		{del, "users/{user}/blocks/users/{peer}", unlimited, (*call).deleteBlock},
		{post, "sdk/user/{user}/blocks", unlimited, (*call).postBlocks},
		{del, "sdk/user/{user}/blocks", unlimited, (*call).deleteBlocks},
		{get, "users/{user}/joined_chatgroups", unlimited, (*call).getNoGroups},
		{get, "users/{user}/joined_chatrooms", unlimited, (*call).getNoGroups},
		{get, "chatgroups/user/{user}", unlimited, (*call).getNoGroups},
		{get, "chatgroups/user/{user}/joined_count", unlimited, (*call).getNoGroupsCount},

		{post, "metadata/user/get", unlimited, (*call).postAttributesGet},
		{get, "metadata/user/{user}", unlimited, (*call).getAttributes},
		{put, "metadata/user/{user}", unlimited, (*call).putAttributes},
		{del, "metadata/user/{user}", unlimited, (*call).deleteAttributes},
		{post, "users/{user}/presence", unlimited, (*call).postPresence},
		{del, "users/{user}/presence", unlimited, (*call).unwatchPresence},
		{get, "users/{user}/presence/sublist", unlimited, (*call).getWatched},
		{post, "users/{user}/presence/{seconds}", unlimited, (*call).watchPresence},
		{post, "users/{user}/presence/{resource}/{status}", unlimited, (*call).publishPresence},
		{get, "users/{user}/notification", unlimited, (*call).getSilences},
		{get, "users/{user}/notification/language", unlimited, (*call).getLanguage},
		{put, "users/{user}/notification/language", unlimited, (*call).putLanguage},
		{get, "users/{user}/notification/mute/type", unlimited, (*call).getSilenced},
		{get, "users/{user}/notification/{kind}/{peer}", unlimited, (*call).getSilence},
		{put, "users/{user}/notification/{kind}/{peer}", unlimited, (*call).putSilence},
	}
}

// rest is the REST surface with what is only its own.
type rest struct {
	srv       *Server
	routes    []route
	rates     []*bucket // of the routes; nil where there is none
	receivers *bucket   // of messages
}

func (s *Server) restHandler() http.Handler {
	r := &rest{srv: s, routes: routes(), receivers: newBucket(maxReceiversPerMinute, time.Minute)}
	for _, route := range r.routes {
		var b *bucket
		if route.rate != unlimited {
			b = newBucket(route.rate, time.Second)
		}
		r.rates = append(r.rates, b)
	}
	return r
}

// ServeHTTP routes by hand, because the paths of a client that knows only its App ID begin with "///" (protocol.md a.1), which
// http.ServeMux would answer with a redirect.
func (r *rest) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	c := &call{rest: r, srv: r.srv, w: w, r: req, path: "/", start: time.Now()}
	defer c.note()
	c.allowAnyPage()
	if req.Method == http.MethodOptions {
		c.status = http.StatusOK
		w.WriteHeader(c.status)
		return
	}
	if req.URL.Path == bootstrapPath && req.Method == http.MethodGet {
		c.getBootstrap()
		return
	}
	org, app, path := splitPath(req.URL.Path)
	if (org != "" || app != "") && (org != r.srv.cfg.Org || app != r.srv.cfg.App) {
		c.fail(errAppNotFound(org, app))
		return
	}
	c.path = "/" + path
	for i, route := range r.routes {
		if route.method == req.Method && c.match(route.path) {
			if c.limit(r.rates[i], 1) {
				route.handle(c)
			}
			return
		}
	}
	if g, ok := gapAt(path); ok {
		c.reason = "not simulated: " + g.Feature
		c.fail(errNotSimulated(g))
		return
	}
	c.fail(errNoSuchResource)
}

// allowAnyPage answers CORS: the page of a web app never comes from the service's own origin (protocol.md a.1).
func (c *call) allowAnyPage() {
	h := c.w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "authorization, content-type, restrict-access, share-secret, thumbnail, x-requested-with")
	h.Set("Access-Control-Max-Age", "600")
	h.Set("Cache-Control", "no-store")
}

// splitPath cuts /{org}/{app}/rest. Both names are empty in the "///" form.
func splitPath(p string) (org, app, rest string) {
	parts := strings.SplitN(strings.TrimPrefix(p, "/"), "/", 3)
	parts = append(parts, "", "", "")
	return parts[0], parts[1], strings.TrimSuffix(parts[2], "/")
}

// match reports whether the path has the route's form, and keeps what stands for its names.
func (c *call) match(pattern string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.TrimPrefix(c.path, "/"), "/")
	if len(want) != len(got) {
		return false
	}
	params := make(map[string]string)
	for i, w := range want {
		name, isParam := strings.CutPrefix(w, "{")
		switch {
		case isParam && got[i] != "":
			params[strings.TrimSuffix(name, "}")] = got[i]
		case w != got[i]:
			return false
		}
	}
	c.params = params
	return true
}

// bearer authenticates the caller's token.
func (c *call) bearer() (grant, *authError) {
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	g, bad := c.srv.authenticate(strings.TrimSpace(token))
	if bad == nil && !g.app {
		c.user = c.srv.hub.nameOf(g.identity)
	}
	return g, bad
}

// admin lets only an app token through; everybody else has been answered when it returns false.
func (c *call) admin() bool {
	g, bad := c.bearer()
	switch {
	case bad != nil:
		c.fail(errToken(bad))
	case !g.app:
		c.fail(errForeignToken)
	default:
		return true
	}
	return false
}

// own lets an app token through, and the token of the user in the path; everybody else has been answered when it returns false.
func (c *call) own() bool {
	g, bad := c.bearer()
	switch {
	case bad != nil:
		c.fail(errToken(bad))
	case !g.app && c.user != c.params["user"]:
		c.fail(errForeignToken)
	default:
		return true
	}
	return false
}

// read returns a body of at most limit bytes; it has answered when ok is false.
func (c *call) read(limit int64) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	if err != nil {
		c.fail(errBodyTooLarge)
		return nil, false
	}
	return body, true
}

// decode reads a JSON body; it has answered when it returns false.
func (c *call) decode(into any) bool {
	body, ok := c.read(maxBody)
	if !ok {
		return false
	}
	if err := json.Unmarshal(body, into); err != nil {
		c.fail(errJSON)
		return false
	}
	return true
}

// envelope is what most successful answers share (protocol.md e).
type envelope struct {
	Action          string `json:"action"`
	Application     string `json:"application"`
	Path            string `json:"path"`
	URI             string `json:"uri"`
	Entities        any    `json:"entities"`
	Data            any    `json:"data,omitempty"`
	Cursor          string `json:"cursor,omitempty"`
	Count           int    `json:"count,omitempty"`
	Timestamp       int64  `json:"timestamp"`
	Duration        int64  `json:"duration"`
	Organization    string `json:"organization"`
	ApplicationName string `json:"applicationName"`
}

// ok answers with the envelope around what the call found.
func (c *call) ok(e envelope) {
	e.Action = cmp.Or(e.Action, strings.ToLower(c.r.Method))
	e.Application, e.Organization, e.ApplicationName = c.srv.appUUID, c.srv.cfg.Org, c.srv.cfg.App
	e.Path = "/" + strings.SplitN(strings.TrimPrefix(c.path, "/"), "/", 2)[0]
	e.URI = c.scheme() + "://" + c.r.Host + c.r.URL.Path
	if e.Entities == nil {
		e.Entities = []any{}
	}
	e.Timestamp, e.Duration = c.srv.clock.Now().UnixMilli(), time.Since(c.start).Milliseconds()
	c.answer(http.StatusOK, e)
}

// scheme is how the client reached the emulator.
func (c *call) scheme() string {
	if c.r.TLS != nil {
		return "https"
	}
	return "http"
}

// answer writes any JSON. The SDK takes nothing but 200 for a success (protocol.md a.1).
func (c *call) answer(status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"internal"}`)
	}
	c.status = status
	c.w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b) // the client may be gone
}

// note writes the call into the journal.
func (c *call) note() {
	c.srv.journal.add(&Entry{
		Name: RESTRequest, Method: printable.Line(c.r.Method, 16), Path: printable.Discreet(c.r.URL.Path, 200),
		Status: c.status, User: printable.Line(c.user, 64), Reason: c.reason, Session: c.srv.exchanged(c.r),
	})
}

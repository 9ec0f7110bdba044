package fakeserver

import (
	"net"
	"net/http"
	"net/url"
)

// bootstrapPath is the document that tells an SDK where the service is. SDKs ask for it at hosts of the service's own, so a test makes
// those names lead to the emulator (protocol.md a.1).
const bootstrapPath = "/easemob/server.json"

// getBootstrap answers that everything is where the request came to.
func (c *call) getBootstrap() {
	q := c.r.URL.Query()
	appKey := q.Get("app_key")
	if decoded, err := url.QueryUnescape(appKey); err == nil { // the Web SDK encodes it twice
		appKey = decoded
	}
	if q.Get("app_id") != c.srv.cfg.AppID && appKey != c.srv.cfg.appKey() {
		c.fail(restError{
			status: http.StatusNotFound, Error: "organization_application_not_found", Exception: "OrganizationApplicationNotFoundException",
			Description: "Could not find the application: neither app_id nor app_key is the one that is served here",
		})
		return
	}
	type host struct {
		Protocol string `json:"protocol"`
		Domain   string `json:"domain"`
		Port     string `json:"port"`
	}
	type hosts struct {
		Hosts []host `json:"hosts"`
	}
	domain, port := c.where()
	here := hosts{[]host{{c.scheme(), domain, port}}}
	c.answer(http.StatusOK, struct {
		AppKey  string `json:"app_key"`
		REST    hosts  `json:"rest"`
		Binary  hosts  `json:"msync-wx"` // where frames are binary
		SockJS  hosts  `json:"msync-ws"` // where frames are base64 text (protocol-versions.md)
		InParts string `json:"uploadinparts_enable"`
	}{c.srv.cfg.appKey(), here, here, here, "false"})
}

// where is the host and the port that the request came to, as a URL has them.
func (c *call) where() (domain, port string) {
	host, port, err := net.SplitHostPort(c.r.Host)
	if err != nil {
		port = "80"
		if c.r.TLS != nil {
			port = "443"
		}
		return c.r.Host, port
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		host = "[" + host + "]"
	}
	return host, port
}

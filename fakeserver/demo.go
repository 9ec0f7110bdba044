package fakeserver

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"strings"
)

// demoPath is where the demo page is: the web page of the official documents, with their handling of a token's end and one that works.
const demoPath = "/demo/"

//go:embed demo
var demoFiles embed.FS

// demoHandler serves the page, and the SDK bundle from the file that Config.WebSDK names, read anew for each visit. The SDK is not ours to
// ship; without it the page says where to get it.
func (s *Server) demoHandler() http.Handler {
	page, err := fs.Sub(demoFiles, "demo")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /demo/", http.StripPrefix(demoPath, http.FileServerFS(page)))
	mux.HandleFunc("GET /demo/sdk.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		if s.cfg.WebSDK != "" {
			http.ServeFile(w, r, s.cfg.WebSDK)
		}
	})
	mux.HandleFunc("GET /demo/config.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		secure := ""
		if r.TLS != nil {
			secure = "s"
		}
		_ = json.NewEncoder(w).Encode(map[string]string{ // the visitor may be gone
			"app_key": s.cfg.appKey(), "rest_url": "http" + secure + "://" + r.Host, "ws_url": "ws" + secure + "://" + r.Host + "/websocket",
			"token_url": "http" + secure + "://" + s.tokenHost(r.Host) + "/token",
		})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// The SDK's protobuf library compiles its readers and writers from text, so it does not run without unsafe-eval.
		h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-eval'; connect-src *; img-src 'self' data:; style-src 'self' 'unsafe-inline'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// tokenHost is the token server's address as the page's visitor can reach it: its port, on the host that the page came from.
func (s *Server) tokenHost(pageHost string) string {
	s.mu.Lock()
	address := s.tokenAddress
	s.mu.Unlock()
	host := pageHost
	if i := strings.LastIndexByte(pageHost, ':'); i >= 0 {
		host = pageHost[:i]
	}
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		return host + address[i:]
	}
	return address
}

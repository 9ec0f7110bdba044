package fakeserver

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// sockjsClient is an SDK from before agora-chat 1.4.0, as far as its frames go.
type sockjsClient struct {
	t    *testing.T
	conn *websocket.Conn
}

func (w *world) sockjs() *sockjsClient {
	w.t.Helper()
	dialer := websocket.Dialer{NetDialContext: w.net.DialContext}
	conn, resp, err := dialer.DialContext(w.t.Context(), "ws://chat/ws/123/abcdefgh/websocket", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	w.t.Cleanup(func() { _ = conn.Close() })
	c := &sockjsClient{w.t, conn}
	if got := c.text(); got != "o" {
		w.t.Fatalf("the first frame is %q, want o", got)
	}
	return c
}

// text reads the next SockJS frame, "" at the end of the connection.
func (c *sockjsClient) text() string {
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Minute))
	_, text, err := c.conn.ReadMessage()
	if err != nil {
		return ""
	}
	return string(text)
}

func (c *sockjsClient) send(frames ...string) {
	text, err := json.Marshal(frames)
	if err != nil {
		panic(err) // strings always can be marshalled
	}
	_ = c.conn.WriteMessage(websocket.TextMessage, text) // the emulator may have closed
}

// provision logs in and returns the answer.
func (c *sockjsClient) provision(l login) *msync.Provision {
	c.t.Helper()
	c.send(base64.StdEncoding.EncodeToString(l.frame(c.t)))
	var frames []string
	text := c.text()
	if !strings.HasPrefix(text, "a") || json.Unmarshal([]byte(text[1:]), &frames) != nil || len(frames) != 1 {
		c.t.Fatalf("got %q, want one frame", text)
	}
	raw, err := base64.StdEncoding.DecodeString(frames[0])
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := msync.Decode(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	reply := new(msync.Provision)
	if err := msync.Payload(m, reply); err != nil {
		c.t.Fatal(err)
	}
	return reply
}

// TestSockJS: the gateway of the older SDKs is the same one (protocol-versions.md).
func TestSockJS(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.sockjs()
		// The token stands in Provision.auth, as family E sends it.
		reply := c.provision(login{user: "alice", resource: "webim_1", change: func(m *msync.MSync, p *msync.Provision) {
			token := "$t$" + w.srv.userToken(t, "alice", 1000)
			p.Auth, p.AuthToken, m.Auth = &token, nil, nil
		}})
		if reply.GetStatus().GetErrorCode() != msync.Status_OK {
			t.Fatalf("refused: %v", reply.GetStatus())
		}
		if e := w.only(SessionOpened); e.User != "alice" || e.Device != "webim_1" {
			t.Errorf("opened %+v", e)
		}
		// Two MSync frames in one SockJS message, and a heartbeat of SockJS's own after 25 s.
		unread := base64.StdEncoding.EncodeToString(pack(t, msync.MSync_UNREAD, &msync.CommUnreadUL{}))
		c.send(unread, unread)
		for range 2 {
			if got := c.text(); !strings.HasPrefix(got, "a[") {
				t.Errorf("got %q, want an answer", got)
			}
		}
		if got := c.text(); got != "h" {
			t.Errorf("got %q, want a heartbeat", got)
		}
		_ = c.conn.Close()
		synctest.Wait()
		if e := w.only(SessionClosed); e.User != "alice" {
			t.Errorf("closed %+v", e)
		}
	})
}

// TestSockJSRefusal: the close code 401 is what makes the SDKs stop trying.
func TestSockJSRefusal(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		c := w.sockjs()
		reply := c.provision(login{user: "alice", resource: "webim_1", token: "nonsense"})
		if reply.GetStatus().GetReason() != reasonMismatch {
			t.Errorf("status %v", reply.GetStatus())
		}
		if got := c.text(); got != `c[401,"normal closed"]` {
			t.Errorf("the end is %q", got)
		}
	})
}

// TestSockJSBounds: what is too large, not base64 or late ends the connection.
func TestSockJSBounds(t *testing.T) {
	for name, tt := range map[string]struct {
		frame  string
		within time.Duration
	}{
		"too large":      {strings.Repeat("x", maxFrame*2), time.Second},
		"not base64":     {"\x00!", time.Second},
		"not MSync":      {base64.StdEncoding.EncodeToString([]byte{0xff}), time.Second},
		"nothing at all": {"", provisionTimeout + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				c := w.sockjs()
				start := time.Now()
				if tt.frame != "" {
					go c.send(tt.frame)
				}
				for c.text() != "" { // heartbeats and the goodbye
				}
				if took := time.Since(start); took > tt.within {
					t.Errorf("the connection lived %v", took)
				}
			})
		})
	}
}

// TestSockJSInfo: the request is credentialed, so the answer has to name the page's origin; other transports do not exist.
func TestSockJSInfo(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		resp, body := w.do(http.MethodGet, "http://chat/ws/info?t=1", map[string]string{"Origin": "http://page.test"}, nil)
		h := resp.header
		if h.Get("Access-Control-Allow-Origin") != "http://page.test" || h.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("CORS: %v", h)
		}
		var info struct{ Websocket bool }
		if json.Unmarshal(body, &info) != nil || !info.Websocket {
			t.Errorf("info: %s", body)
		}
		if resp, _ := w.do(http.MethodPost, "http://chat/ws/123/abcdefgh/xhr_streaming", nil, nil); resp.status != http.StatusNotFound {
			t.Errorf("xhr_streaming answers %d", resp.status)
		}
	})
}

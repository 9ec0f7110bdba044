package main

import (
	"net/http"
	"strings"
	"sync"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"github.com/gorilla/websocket"

	"github.com/ttlchat/ttlchat/fakeserver"
)

// relay is what one writes in an afternoon: it checks a login with the official package, stores a message, acknowledges it and passes it on.
type relay struct {
	mu    sync.Mutex
	users map[string]*relayUser
}

type relayUser struct {
	mu     sync.Mutex
	conn   *websocket.Conn
	stored [][]byte // the newest relayKeeps messages
}

const relayKeeps = 1000

func newRelay() (server, error) {
	r := &relay{users: make(map[string]*relayUser)}
	return server{serve: serveHTTP(r.handle), push: r.push}, nil
}

func (r *relay) user(name string) *relayUser {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.users[name]
	if u == nil {
		u = new(relayUser)
		r.users[name] = u
	}
	return u
}

func (r *relay) handle(w http.ResponseWriter, req *http.Request) {
	conn, err := plain.Upgrade(w, req, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	u := r.login(conn)
	if u == nil {
		return
	}
	for {
		_, frame, err := conn.ReadMessage()
		if err == nil && len(frame) == 1 && frame[0] == relayBeat {
			if u.write(frame) != nil {
				return
			}
			continue
		}
		if err != nil || len(frame) < 10 || frame[0] != relayMessage || len(frame) < 10+int(frame[9]) {
			return
		}
		to, text := string(frame[10:10+frame[9]]), frame[10+int(frame[9]):]
		r.user(to).store(text)
		ack := append([]byte{relayAck}, frame[1:9]...)
		if u.write(ack) != nil {
			return
		}
	}
}

// login takes the first frame: a name and a token for it.
func (r *relay) login(conn *websocket.Conn) *relayUser {
	_, hello, err := conn.ReadMessage()
	if err != nil || len(hello) == 0 || hello[0] != relayLogin {
		return nil
	}
	name, text, _ := strings.Cut(string(hello[1:]), "\x00")
	token := accesstoken2.CreateAccessToken()
	if _, err := token.Parse(text); err != nil {
		return nil
	}
	if ok, err := token.VerifySignature(fakeserver.DemoAppCertificate); !ok || err != nil {
		return nil
	}
	chat := token.GetServices(accesstoken2.ServiceTypeChat)
	if len(chat) != 1 || chat[0].(*accesstoken2.ServiceChat).UserId != name {
		return nil
	}
	u := r.user(name)
	u.mu.Lock()
	u.conn = conn
	u.mu.Unlock()
	if u.write([]byte{relayWelcome}) != nil {
		return nil
	}
	return u
}

func (u *relayUser) store(text []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.stored) == relayKeeps {
		u.stored = u.stored[1:]
	}
	u.stored = append(u.stored, text)
	if u.conn != nil {
		_ = u.conn.WriteMessage(websocket.BinaryMessage, append([]byte{relayText}, text...))
	}
}

func (u *relayUser) write(frame []byte) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.conn.WriteMessage(websocket.BinaryMessage, frame)
}

func (r *relay) push() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range r.users {
		_ = u.write([]byte{relayPush})
	}
}

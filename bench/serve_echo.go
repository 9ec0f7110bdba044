package main

import (
	"net/http"

	"github.com/gorilla/websocket"
)

// plain is the library as its examples use it, with its own buffers.
var plain = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

// echo sends every message back.
func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := plain.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

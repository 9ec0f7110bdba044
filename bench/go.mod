module github.com/ttlchat/ttlchat/bench

go 1.26.0

require (
	github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src v0.0.0-20260726132416-da06bfb83556
	github.com/gorilla/websocket v1.5.3
	github.com/ttlchat/ttlchat v0.0.0
	google.golang.org/protobuf v1.36.12
)

require github.com/igm/sockjs-go/v3 v3.0.3 // indirect

replace github.com/ttlchat/ttlchat => ../

package scenario

import (
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// Apps lists the behaviours of the app on top of the SDK, the right one first.
func Apps() []string {
	var names []string
	for _, b := range session.Behaviours() {
		names = append(names, b.Name)
	}
	return names
}

// Profiles lists the SDKs that a scenario's client can behave like, the default one first. They all need a chat service.
func Profiles() []string { return []string{chat.Native.Name, chat.Web.Name, chat.Classic.Name} }

package chat

import (
	"slices"
	"time"
)

// A Profile says how one family of Agora Chat SDKs behaves around a token. It is data: the client reads it and has no other
// branches by platform.
type Profile struct {
	// Name is web, native, classic or rtc.
	Name string
	// Exchange: the 007 token is traded at POST /{org}/{app}/token for a Chat token, which then logs in. Without it the 007 token
	// itself logs in (protocol.md a.2, token-lifecycle.md section 0).
	Exchange bool
	// WillExpire is the fraction of the life left at login after which OnTokenWillExpire fires.
	WillExpire float64
	// Lead is how long before the end OnTokenWillExpire fires instead, in profiles that have a fixed lead. It never fires in a life that is
	// no longer than that.
	Lead time.Duration
	// WillExpireCode comes with OnTokenWillExpire.
	WillExpireCode Code
	// Local: there is no service. The token is read, its life is counted, and a new one is handed in; nothing is sent.
	Local bool
	// Heartbeat is the silence after which the SDK asks whether anybody is there (protocol.md a.4).
	Heartbeat time.Duration
	// RepeatsWillExpire: the callback fires again at every heartbeat answer in the rest of the life (protocol.md d.3).
	RepeatsWillExpire bool
	// StaysOnline: expiry fires the callback and nothing else; the link stays up (the Java page of 2021).
	StaysOnline bool
	// RenewNeedsLink: RenewToken is refused while the link is down, not only while logged out.
	RenewNeedsLink bool
	// MaxReconnects is how many attempts in a row fail before the SDK gives up; 0 means that only the token's expiry ends them.
	MaxReconnects int
	// RetriesRefused: a refusal during a reconnect counts as one more failed attempt instead of ending the session (protocol.md d.7).
	RetriesRefused bool
	// ExpiredCode and InvalidCode are the SDK's codes for a login refused because the token expired or is not good for this user.
	ExpiredCode, InvalidCode Code
	// WillExpireCallback and ExpiredCallback are the SDK's own names.
	WillExpireCallback, ExpiredCallback string
	// ConnectedCallback, DisconnectedCallback and LogoutCallback are the SDK's own names; LogoutCallback reports a kick.
	ConnectedCallback, DisconnectedCallback, LogoutCallback string
}

// Callbacks lists every name that can come with an event.
func (p Profile) Callbacks() []string {
	list := []string{p.WillExpireCallback, p.ExpiredCallback, p.ConnectedCallback, p.DisconnectedCallback, p.LogoutCallback, errorCallback}
	slices.Sort(list)
	return slices.Compact(list)
}

// errorCallback reports, in every profile, what the SDK goes on after.
const errorCallback = "onError"

// The profiles.
var (
	// Web is agora-chat 1.4.0 (protocol.md). Its timer looks every 30 s and finds itself a moment early each time after an answer, so that
	// it beats once a minute (protocol.md a.4).
	Web = Profile{
		Name: "web", WillExpireCode: TokenWillExpire, Heartbeat: time.Minute, WillExpire: 0.8, RepeatsWillExpire: true, RenewNeedsLink: true, MaxReconnects: 5, RetriesRefused: true,
		ExpiredCode: WebTokenExpired, InvalidCode: WebTokenNotAssigned,
		WillExpireCallback: "onTokenWillExpire", ExpiredCallback: "onTokenExpired",
		ConnectedCallback: "onConnected", DisconnectedCallback: "onDisconnected", LogoutCallback: "onError",
	}
	// Native is Android, iOS and Flutter from 1.4 on; the callback names are Android's. What native SDKs send beyond the exchange is
	// not public; its heartbeat is ours, slow enough for a phone and well within the gateway's patience.
	Native = Profile{
		Name: "native", WillExpireCode: TokenWillExpire, Heartbeat: 3 * time.Minute, Exchange: true, WillExpire: 0.8,
		ExpiredCode: TokenExpired, InvalidCode: InvalidToken,
		WillExpireCallback: "onTokenWillExpire", ExpiredCallback: "onTokenExpired",
		ConnectedCallback: "onConnected", DisconnectedCallback: "onDisconnected", LogoutCallback: "onLogout",
	}
	// Classic is what the documents of 2021 describe: half the life, and a user who stays online when the token lapses.
	Classic = Profile{
		Name: "classic", WillExpireCode: TokenWillExpire, Heartbeat: 3 * time.Minute, Exchange: true, WillExpire: 0.5, StaysOnline: true,
		ExpiredCode: TokenExpired, InvalidCode: InvalidToken,
		WillExpireCallback: "onTokenWillExpire", ExpiredCallback: "onTokenExpired",
		ConnectedCallback: "onConnected", DisconnectedCallback: "onDisconnected", LogoutCallback: "onLogout",
	}
	// RTC is Agora's media SDK as far as a token's life goes, over a real RTC token and without a channel: the warning comes a fixed 30 s
	// before the end, and a new token is taken after the end, too (sources/003). Other platforms than the Web call the expired callback
	// onRequestToken. The codes are the reasons of its connection changes.
	RTC = Profile{
		Name: "rtc", Local: true, Lead: 30 * time.Second, StaysOnline: true, ExpiredCode: RTCTokenExpired, InvalidCode: RTCInvalidToken,
		WillExpireCallback: "onTokenPrivilegeWillExpire", ExpiredCallback: "onTokenPrivilegeDidExpire",
		ConnectedCallback: "onJoinChannelSuccess", DisconnectedCallback: "onLeaveChannel", LogoutCallback: "onLeaveChannel",
	}
)

// Profiles returns the profiles of the chat SDKs, the default one first. RTC stands beside them: it has no service.
func Profiles() []Profile { return []Profile{Native, Web, Classic} }

// ProfileNames lists every name that [ProfileByName] finds.
func ProfileNames() []string {
	var names []string
	for _, p := range append(Profiles(), RTC) {
		names = append(names, p.Name)
	}
	return names
}

// ProfileByName finds a profile by its Name.
func ProfileByName(name string) (Profile, bool) {
	for _, p := range append(Profiles(), RTC) {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

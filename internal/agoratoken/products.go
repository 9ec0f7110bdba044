package agoratoken

import "strconv"

// product describes one type of service: its privileges, numbered from 1, and the fields behind them.
type product struct {
	name       string
	privileges []string
	fields     []field
}

type field int

const (
	channel field = iota
	user
	role
	permissions
)

// products are the services that the official packages know; the last two are known to npm agora-token 2.0.6 alone.
var products = map[uint16]product{
	ServiceRTC:  {"rtc", []string{"join channel", "publish audio", "publish video", "publish data"}, []field{channel, user}},
	ServiceRTM:  {"rtm", []string{"log in"}, []field{user}},
	3:           {"streaming", []string{"publish mixed stream", "publish raw stream"}, []field{channel, user}},
	4:           {"fpa", []string{"log in"}, nil},
	ServiceChat: {"chat", []string{"act as the user", "act as the app"}, []field{user}},
	6:           {"fcdn", []string{"publish", "play"}, []field{channel, user}},
	7:           {"apaas", []string{"be a user in the room", "act as the user", "act as the app"}, []field{channel, user, role}},
	ServiceRTM2: {"rtm2", []string{"log in"}, []field{user, permissions}},
	9:           {"convoai", nil, nil},
	10:          {"stt", nil, nil},
}

func (p product) privilege(id uint16) string {
	if i := int(id) - 1; i >= 0 && i < len(p.privileges) {
		return p.privileges[i]
	}
	return "privilege " + strconv.Itoa(int(id))
}

// What an RTM2 permission is about, numbered from 0.
var (
	rtm2Resources = []string{"message channels", "stream channels", "group channels", "server groups", "users"}
	rtm2Rights    = []string{"read", "write"}
)

func nameOf(names []string, id uint16) string {
	if int(id) < len(names) {
		return names[id]
	}
	return "number " + strconv.Itoa(int(id))
}

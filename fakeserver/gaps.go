package fakeserver

import "strings"

// Gap is a feature of the service that the emulator does not have. Its calls are refused, with a line in the journal.
type Gap struct {
	// Feature says what is missing, in words that fit into a list.
	Feature string
	// Calls are the REST paths below /{org}/{app} that are refused for it, with any method: * stands for one name, ** for the rest of a
	// path. A feature that is no REST call has none.
	Calls []string
}

// Gaps is everything that the emulator knows of and does not simulate: the table behind the answers, and behind what the README says.
func Gaps() []Gap {
	return []Gap{
		{"groups", []string{
			"chatgroups/**", "users/*/joined_chatgroups/**", "messages/chatgroups/**", "sdk/metadata/chatgroup/**",
			"sdk/message/roaming/group/**", "sdk/chatgroups/**",
		}},
		{"chat rooms", []string{"chatrooms/**", "messages/chatrooms/**", "metadata/chatroom/**", "sdk/chatrooms/**"}},
		{"threads", []string{"thread/**", "threads/**"}},
		{"reactions", []string{"reaction/**"}},
		{"translation", []string{"users/*/translate/**"}},
		{"contact requests and remarks", []string{"users/*/contacts/**", "user/*/roster/**"}},
		{"marks on conversations", []string{"sdk/user/*/user_channels/mark/**"}},
		{"reports to a moderator", []string{"user/*/moderation/**"}},
		{"uploads in parts", []string{"sdk/chatfiles/part-upload/**"}},
		{"tokens for calls", []string{"users/*/token/rtc/**", "rtc_mapper/**"}},
		{"log uploads of the SDK", []string{"sdk/users/*/client/logs"}},
		{"push notifications, of which only the settings are kept", nil},
		{"presence events: presence is told when it is asked for", nil},
	}
}

var gaps = Gaps()

// gapAt finds the gap that a path falls into.
func gapAt(path string) (Gap, bool) {
	parts := strings.Split(path, "/")
	for _, g := range gaps {
		for _, pattern := range g.Calls {
			if covers(strings.Split(pattern, "/"), parts) {
				return g, true
			}
		}
	}
	return Gap{}, false
}

func covers(pattern, parts []string) bool {
	for i, want := range pattern {
		switch {
		case want == "**":
			return true
		case i == len(parts) || want != "*" && want != parts[i]:
			return false
		}
	}
	return len(pattern) == len(parts)
}

func errNotSimulated(g Gap) restError {
	e := errNoSuchResource
	e.Description = "Service resource not found: this emulator does not simulate " + g.Feature
	return e
}

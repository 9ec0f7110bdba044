package session

import "time"

// Behaviour is how an app deals with its token beyond its [Policy]: the right way, or one that is out there and goes wrong. It is data
// that the machine reads; the zero value is [Correct].
type Behaviour struct {
	// Name is the behaviour's own, Meaning says what it does, Source where it was met.
	Name, Meaning, Source string // more of the kind in token-lifecycle.md section 5

	// RenewsWhenExpired answers both callbacks with a renewal, whatever the policy says.
	RenewsWhenExpired bool
	// IgnoresFetchErrors goes on with the token that it has when no new one came.
	IgnoresFetchErrors bool
	// NoSingleFlight fetches at each will-expire, also while a fetch is under way.
	NoSingleFlight bool
	// TrustsLocalClock counts and judges by the device's own clock.
	TrustsLocalClock bool
	// FixedLead renews that long before the end, by a look at the clock once a second, and leaves the will-expire callback alone.
	FixedLead time.Duration
	// RetriesForever tries again after every failure, each second, whatever failed.
	RetriesForever bool
}

// lookInterval is how often an app with a FixedLead looks at the clock.
const lookInterval = time.Second

// Correct does everything right.
var Correct = Behaviour{Name: "correct", Meaning: "handles everything", Source: "nowhere often enough"}

// Behaviours lists all behaviours, the right one first.
func Behaviours() []Behaviour {
	return []Behaviour{
		Correct,
		{
			Name: "docs-web-2021", RenewsWhenExpired: true,
			Meaning: "renews in both callbacks, so that it renews a session that has ended",
			Source:  "the web quickstart of 2021: the same fetch and renewToken in onTokenWillExpire and in onTokenExpired",
		},
		{
			Name: "docs-flutter", IgnoresFetchErrors: true,
			Meaning: "ignores errors of the fetch and goes on with the token that it has, the old one or none",
			Source:  "the Flutter sample of the token documents: fetchToken only prints its error, and renewToken follows",
		},
		{
			Name: "no-single-flight", NoSingleFlight: true,
			Meaning: "fetches at each will-expire, also while a fetch is under way",
			Source:  "GetStream/stream-chat-swift#2255 and others",
		},
		{
			Name: "trusts-local-clock", TrustsLocalClock: true,
			Meaning: "counts the life, and judges tokens, by the device's clock",
			Source:  "ably/ably-js#203, and the timers of the SDKs themselves",
		},
		{
			Name: "fixed-lead-60s", FixedLead: time.Minute,
			Meaning: "renews 60 s before the end, however short the life",
			Source:  "twilio/twilio-chat-demo-js#44, openfga/java-sdk#388",
		},
		{
			Name: "retry-forever", RetriesForever: true,
			Meaning: "tries again each second, whatever failed",
			Source:  "GetStream/stream-chat-swift#1351, twilio/conversations-ios#19",
		},
	}
}

// BehaviourByName finds a behaviour by its Name.
func BehaviourByName(name string) (Behaviour, bool) {
	for _, b := range Behaviours() {
		if b.Name == name {
			return b, true
		}
	}
	return Behaviour{}, false
}

// onWillExpire is the app's answer to will-expire.
func (t *turn) onWillExpire() OnWillExpire {
	switch {
	case t.app.FixedLead > 0:
		return WillExpireIgnore
	case t.app.RenewsWhenExpired:
		return WillExpireRenew
	}
	return t.policy.OnWillExpire
}

// onExpired is the app's answer to an expired token.
func (t *turn) onExpired() OnExpired {
	if t.app.RenewsWhenExpired {
		return ExpiredRenew
	}
	return t.policy.OnExpired
}

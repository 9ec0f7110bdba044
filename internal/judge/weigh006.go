package judge

import "github.com/ttlchat/ttlchat/internal/agoratoken"

// weigh006 judges a token of the old kind. It has checksums in place of names, and dates in place of durations (sources/003).
func (w *weigher) weigh006(t agoratoken.Token006) {
	name := name006(t)
	w.appID(t.AppID)
	channel, user, named := w.names006(t, name)
	if w.want.Certificate != "" && named {
		w.signature(t.Verify(w.want.Certificate, channel, user))
	}
	switch w.want.Service {
	case "", name, Chat: // chat has been told already
	default:
		w.fatal("wrong-service", "the token is for "+name+", not for "+w.want.Service, "build it with the "+w.want.Service+" token builder")
	}
	w.dates006(t)
}

// names006 compares the checksums with the wanted names. It returns the names, and whether they are the token's: only then can the
// signature, which covers them, be checked.
func (w *weigher) names006(t agoratoken.Token006, name string) (channel, user string, named bool) {
	channel, user = w.want.Channel, w.want.User
	if user == "0" || t.UserCRC == 0 {
		user = ""
	}
	if name == RTM { // the user stands where the channel does
		channel, user = w.want.User, ""
	}
	switch {
	case channel == "":
	case t.ChannelCRC == agoratoken.CRC006(channel):
	case name == RTM:
		w.fatal("wrong-user", "the token is not for "+quote(channel), "check how the token server tells users apart")
	default:
		w.fatal("wrong-channel", "the token is not for the channel "+quote(channel),
			"ask for a token for the channel that is joined, in the same upper and lower case")
	}
	if w.want.User != "" && t.UserCRC != agoratoken.CRC006(user) {
		w.fatal("wrong-user", "the token is not for the user "+quote(w.want.User), "check how the token server tells users apart")
	}
	return channel, user, t.IsFor(channel, user)
}

// dates006 judges the end of the token, and that of the privilege to come in.
func (w *weigher) dates006(t agoratoken.Token006) {
	end, may := int64(t.ExpiresAt), false
	for _, p := range t.Privileges {
		if p.ID != agoratoken.PrivilegeEnter && p.ID != agoratoken.PrivilegeLogin006 {
			continue
		}
		may = true
		switch at := int64(p.ExpiresAt); {
		case at != 0 && at < earliestDate:
			w.fatal("duration-for-date", "the privileges end in "+date(at).Format("2006")+": a duration was given where a date belongs",
				"add the current time in seconds, as 006 builders want it")
			end = min(end, at)
		case at > end:
			w.warn("over-24h", "the privileges outlive the token, which the service ends after 24 hours", "ask for 24 hours at most, and renew")
		case at != 0:
			end = at
		}
	}
	if !may {
		w.fatal("no-privilege", "the token does not have the privilege to come in", "build it with the token builder of the service")
	}
	w.Token.ExpiresAt = *date(end)
	// The builders end a token 24 hours after its issue, which is the only trace of the issue.
	w.issued(date(int64(t.ExpiresAt)).Add(-agoratoken.MaxLife))
	w.alive(!w.Has("duration-for-date"))
}

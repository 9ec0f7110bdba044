package agoratoken

import (
	"math"
	"time"

	accesstoken "github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/AccessToken"
)

// BuildRTC006 returns an AccessToken of the old kind 006 for the media service, issued at the given time. The token itself lives 24
// hours as with the official builders. r.Expire does not matter; r.PrivilegeExpire becomes a date, and 0 stays 0, which means 24 hours
// (sources/003). The error is of kind bad_request when the SDK would refuse the channel name or the account.
func BuildRTC006(c Credentials, r RTC, at time.Time) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	if err := r.validate(); err != nil {
		return "", err
	}
	expires, until := at.Unix()+int64(MaxLife/time.Second), int64(0)
	if r.PrivilegeExpire != 0 {
		until = at.Unix() + int64(r.PrivilegeExpire)
	}
	if at.Unix() < 0 || max(expires, until) > math.MaxUint32 {
		return "", fail(KindBadRequest, "a 006 token cannot expire at %v: its dates have 32 bits; set the clock between 1970 and 2106",
			time.Unix(max(expires, until), 0).UTC())
	}
	token := accesstoken.CreateAccessToken2(c.AppID, string(c.Certificate), r.Channel, r.user())
	token.Ts = uint32(expires) //nolint:gosec // checked above
	token.AddPrivilege(accesstoken.KJoinChannel, uint32(until))
	if r.Publisher {
		for _, p := range []accesstoken.Privileges{accesstoken.KPublishAudioStream, accesstoken.KPublishVideoStream, accesstoken.KPublishDataStream} {
			token.AddPrivilege(p, uint32(until))
		}
	}
	return token.Build()
}

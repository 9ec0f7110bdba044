package fakeserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// rtcLife is how many seconds a media token of the sample lives: ten more than the SDK's warning comes early, so that one sees a renewal.
const rtcLife = 40

// rtcShape is the Go token server of Agora's media documents. Its answer has the status as text in code, and an error in place of the token.
// The sample's handler shares variables between calls; ours does not. expire is ours, and so is the refusal of a channel name that the SDK
// would not take.
func rtcShape() shape {
	return shape{
		TokenShape: TokenShape{
			Name: "rtc", Source: "the Go sample of Agora's media documents, for RTC tokens", Browsers: true,
			Lifetimes: Lifetimes{
				Given:   "expire in the JSON body, which is ours",
				Missing: "lives 40 s", Zero: "lives 0 s", Negative: "400", Fractional: "400", Oversized: "400",
			},
		},
		routes: []shapeRoute{{http.MethodPost, "/fetch_rtc_token", (*Server).rtcToken}},
		wrongMethod: func(_ *Server, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Unsupported method. Please check.", http.StatusNotFound)
		},
	}
}

func (s *Server) rtcToken(w http.ResponseWriter, r *http.Request) {
	var req struct {
		UID     uint32  `json:"uid"`
		Channel string  `json:"channelName"`
		Role    uint32  `json:"role"`   // 1 publishes; anything else listens
		Expire  *uint32 `json:"expire"` // seconds
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		reason := "Bad request."
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			reason += " Wrong type provided for field " + wrong.Field
		}
		answerRTC(w, http.StatusBadRequest, reason)
		return
	}
	life := uint32(rtcLife)
	if req.Expire != nil {
		life = *req.Expire
	}
	token, _, err := s.issue(strconv.FormatUint(uint64(req.UID), 10), life, func(at time.Time) (string, error) {
		return agoratoken.BuildRTC(s.cfg.credentials(), agoratoken.RTC{
			Channel: req.Channel, UID: req.UID, Publisher: req.Role == 1, Expire: life, PrivilegeExpire: life,
		}, at)
	})
	if err != nil {
		answerRTC(w, http.StatusBadRequest, "Bad request. "+err.Error())
		return
	}
	answerRTC(w, http.StatusOK, token)
}

func answerRTC(w http.ResponseWriter, status int, token string) {
	answerJSON(w, "application/json", status, map[string]string{"code": strconv.Itoa(status), "token": token})
}

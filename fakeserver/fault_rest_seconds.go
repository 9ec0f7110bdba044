package fakeserver

import (
	"net/http"

	"github.com/ttlchat/ttlchat/internal/pattern"
)

var expireTimestamp = pattern.New(`("expire_timestamp":\d+)\d{3}\b`)

// restSecondsFault is the wrong unit in what SDKs take their countdown from.
func restSecondsFault() *faultKind {
	return spoilBody(FaultKind{FaultREST, "seconds", "expire_timestamp has seconds where milliseconds belong", nil},
		func(_ *Server, _ *fault, _ http.Header, body []byte) []byte {
			return expireTimestamp().ReplaceAll(body, []byte("$1"))
		})
}

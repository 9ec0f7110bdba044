package tokenclient

import (
	"crypto/tls"
	"net/http"
	"time"
)

// Exchange is what went over the wire for one request, in a form that may be shown: secrets are hidden, tokens shortened, bodies bounded,
// and nothing in it can act on a terminal. What was not reached is empty.
type Exchange struct {
	Method        string
	URL           string
	RequestHeader http.Header
	RequestBody   string

	Status int
	// Header is the answer's. Its names are canonical, as in net/http. Its values are whole; all together they have 64 KiB at most.
	Header http.Header
	Body   string
	// Size is how many bytes the answer's body has.
	Size     int
	Duration time.Duration
	// TLS tells of the connection; nil without encryption.
	TLS *tls.ConnectionState

	// Token is what the server calls a token, unchecked; see [Check].
	Token Secret
	// StatedExpiry is when the server says that the token ends; zero when it says nothing that can be understood.
	StatedExpiry time.Time
}

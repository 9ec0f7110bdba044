package tokenclient

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// ExpiryUnit is how a server writes down when a token ends.
type ExpiryUnit string

// The values of [Shape.ExpiryUnit]: the life that is left, or the instant at which it ends.
const (
	ExpirySeconds     ExpiryUnit = "seconds"
	ExpiryMillis      ExpiryUnit = "milliseconds"
	ExpiryUnixSeconds ExpiryUnit = "unix-seconds"
	ExpiryUnixMillis  ExpiryUnit = "unix-milliseconds"
)

// statedSlack is how far a server's statement may be from what the token says: both are rounded, and the clocks differ a little.
const statedSlack = time.Minute

// farFuture is the Unix millisecond beyond which no expiry is taken for an instant: the year 2106, where the tokens' own clock ends.
const farFuture = math.MaxUint32 * 1000

func (s Shape) checkExpiry() error {
	switch s.ExpiryUnit {
	case ExpirySeconds, ExpiryMillis, ExpiryUnixSeconds, ExpiryUnixMillis:
		if s.ExpiryField != "" {
			return nil
		}
	case "":
		if s.ExpiryField == "" {
			return nil
		}
	}
	return fail(KindBadConfig, nil, "the shape %q must tell its expiry's field and its unit, one of %s, %s, %s, %s; correct it",
		quote(s.Name), ExpirySeconds, ExpiryMillis, ExpiryUnixSeconds, ExpiryUnixMillis)
}

// statedExpiry returns what the answer says about the token's end, or the zero time when it says nothing that can be understood.
func (s Shape) statedExpiry(body []byte, now time.Time) time.Time {
	if s.ExpiryField == "" {
		return time.Time{}
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var root any
	if decoder.Decode(&root) != nil {
		return time.Time{}
	}
	n, err := strconv.ParseFloat(words(field(root, s.ExpiryField)), 64)
	if err != nil {
		return time.Time{}
	}
	if s.ExpiryUnit == ExpirySeconds || s.ExpiryUnit == ExpiryUnixSeconds {
		n *= 1000
	}
	if math.IsNaN(n) || n < 0 || n > farFuture {
		return time.Time{}
	}
	if s.ExpiryUnit == ExpiryUnixSeconds || s.ExpiryUnit == ExpiryUnixMillis {
		return time.UnixMilli(int64(n))
	}
	return now.Add(time.Duration(n) * time.Millisecond)
}

// StatedOff is how far behind a token's own end the one is that its server states, negative when it is ahead of it. It is 0 when they agree
// within a minute, and when nothing is stated.
func StatedOff(stated, own time.Time) time.Duration {
	off := stated.Sub(own)
	if stated.IsZero() || off.Abs() <= statedSlack {
		return 0
	}
	return off
}

// compareStated warns when the server's statement and the token differ; apps that trust the statement renew at the wrong time.
func (t *Token) compareStated(stated time.Time) {
	off, side := StatedOff(stated, t.ExpiresAt), "after"
	if off < 0 {
		side = "before"
	}
	if off != 0 {
		t.warn("the server states an end " + off.Abs().Round(time.Second).String() + " " + side + " the token's own; check its units, seconds or milliseconds")
	}
}

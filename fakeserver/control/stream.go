package control

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
)

// maxEvent bounds one line of the stream.
const maxEvent = 1 << 20

// Follow passes on the journal's entries as they come, until ctx ends, the emulator does, or entry returns an error, which it returns.
// What the query leaves open begins with what is new. missed is called with how many entries were gone before they could be sent; it
// may be nil.
func (c *Client) Follow(ctx context.Context, q fakeserver.JournalQuery, entry func(fakeserver.Entry) error, missed func(uint64)) error {
	following, give := context.WithCancelCause(ctx)
	defer give(nil)
	watch := time.AfterFunc(streamSilence, func() { give(silence{streamSilence}) })
	defer watch.Stop()
	resp, err := c.do(following, http.MethodGet, "/journal/stream?"+q.Values().Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEvent)
	name := ""
	for ; lines.Scan(); watch.Reset(streamSilence) {
		watch.Stop() // entry may take its time
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "event":
			name = value
		case field == "data" && name == "missed":
			if n, err := strconv.ParseUint(value, 10, 64); err == nil && missed != nil {
				missed(n)
			}
		case field == "data":
			var e fakeserver.Entry
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				return notTheAPI(c.shown())
			}
			if err := entry(e); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return c.brokeOff(following, "stream", err)
	}
	return ctx.Err()
}

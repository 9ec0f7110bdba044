package control

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/ttlchat/ttlchat/fakeserver"
)

// maxEvent bounds one line of the stream.
const maxEvent = 1 << 20

// Follow passes on the journal's entries as they come, until ctx ends, the emulator does, or entry returns an error, which it returns.
// What the query leaves open begins with what is new. missed is called with how many entries were gone before they could be sent; it
// may be nil.
func (c *Client) Follow(ctx context.Context, q fakeserver.JournalQuery, entry func(fakeserver.Entry) error, missed func(uint64)) error {
	resp, err := c.do(ctx, http.MethodGet, "/journal/stream?"+q.Values().Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEvent)
	name := ""
	for lines.Scan() {
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
		return fmt.Errorf("the stream of %s broke off: %w", c.shown(), err)
	}
	return ctx.Err()
}

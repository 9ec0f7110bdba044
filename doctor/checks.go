package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// check is one thing to look at. One that needs others makes no sense when they failed: the same defect would be told twice.
type check struct {
	id, title string
	needs     string // ids, separated by spaces
	run       func(*patient, context.Context) finding
}

// checks are all checks in the order in which they run. The ids are a contract.
var checks = []check{
	{"reachable", "The server answers", "", (*patient).reachable},
	{"tls", "The connection is private", "reachable", (*patient).tls},
	{"status", "The status is 200", "tls", (*patient).status},
	{"shape", "The token is where this kind of server puts it", "status", (*patient).shape},
	{"content-type", "The content type tells what the answer is", "shape", (*patient).contentType},
	{"token", "The token is one for a chat user", "shape", (*patient).token},
	{"app-id", "The token is for the right App ID", "token", (*patient).appID},
	{"genuine", "The token is signed with the App Certificate", "app-id", (*patient).genuine},
	{"user", "The token is for the user who was asked for", "token", (*patient).user},
	{"second-user", "Another user gets a token for himself", "user", (*patient).secondUser},
	{"lifetime", "The token lives as long as was asked for, 24 hours at most", "token", (*patient).lifetime},
	{"stated-expiry", "The end that the answer states is the token's own", "lifetime", (*patient).statedExpiry},
	{"fresh", "Every call gives a new token", "token", (*patient).fresh},
	{"cache-control", "No cache may keep the answer", "shape", (*patient).cacheControl},
	{"clock", "The server's clock is right", "fresh", (*patient).clock},
	{"login", "The token logs in", "genuine user lifetime clock", (*patient).login},
	{"renewal", "A session is renewed with the next token", "login", (*patient).renewal},
	{"unknown-user", "A user who does not exist is dealt with", "second-user", (*patient).unknownUser},
	{"missing-field", "A request without a user is refused", "second-user", (*patient).missingField},
	{"wrong-method", "A request with a wrong method is refused", "user", (*patient).wrongMethod},
	{"cors", "Pages in browsers may call it, or clearly may not", "shape", (*patient).cors},
	{"burst", "Many calls at once are all answered right", "token", (*patient).manyAtOnce},
	{"latency", "The answers come fast", "burst", (*patient).latency},
}

// examine runs all checks. The first one that the time is too short for fails; those after it are skipped.
func examine(ctx context.Context, p *patient) []Result {
	var results []Result
	blocked := make(map[string]string) // failed, or not run because of one that failed; and which that is
	outOfTime := false
	for _, c := range checks {
		start := time.Now()
		var f finding
		culprit := culpritOf(c.needs, blocked)
		switch {
		case culprit != "":
			f = skip("makes no sense before " + culprit + " passes")
			blocked[c.id] = culprit
		case outOfTime:
			f = skip("there was no time left")
		default:
			f = p.look(ctx, c)
			if f.verdict == Fail {
				blocked[c.id] = c.id
				outOfTime = ctx.Err() != nil
			}
		}
		results = append(results, Result{
			ID: c.id, Title: c.title, Verdict: f.verdict, Seen: clean(f.seen), Means: clean(f.means), Mend: clean(f.mend),
			MS: time.Since(start).Milliseconds(),
		})
	}
	return results
}

// look runs one check, and fails it when the time ends before it has passed. One that the server did not let ask has seen nothing.
func (p *patient) look(ctx context.Context, c check) finding {
	f := finding{seen: "it could not begin"}
	if ctx.Err() == nil {
		p.limited = nil
		f = c.run(p, ctx)
	}
	switch {
	case p.limited != nil && ctx.Err() == nil:
		return skip(limits(p.limited.err.RetryAfter))
	case ctx.Err() == nil || f.verdict == Pass:
		return f
	}
	return fail(fmt.Sprintf("the %v for all checks ended here: %s", p.cfg.Timeout, f.seen),
		"An app that waits this long for a token has lost its connection by then.",
		"Find out what the server waits for, or allow more time.")
}

// limits tells of a server that would not answer yet.
func limits(wait time.Duration) string {
	const what = "the server limits requests: 429 "
	if wait == 0 {
		return what + "without Retry-After; let it allow more of them from here"
	}
	return fmt.Sprintf("%swith Retry-After, and %v is too long to wait; allow more time, or let it allow more requests from here", what, wait)
}

// culpritOf returns the failed check that stands behind the first of the ids that did not run or failed.
func culpritOf(ids string, blocked map[string]string) string {
	for id := range strings.FieldsSeq(ids) {
		if culprit := blocked[id]; culprit != "" {
			return culprit
		}
	}
	return ""
}

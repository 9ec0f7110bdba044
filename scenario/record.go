package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
)

// looking is how often the faults and the clock of the emulator are looked at; the journal does not tell of them.
const looking = 200 * time.Millisecond

// Recording collects what is done with a running emulator, to write it as a scenario that does it again.
type Recording struct {
	client *control.Client
	user   string

	mu      sync.Mutex
	entries []fakeserver.Entry
	steps   []recordedStep
	faults  map[string]bool // by ID, those that are there
	clock   time.Duration
}

// recordedStep is something that was done from outside.
type recordedStep struct {
	at   time.Time // by the emulator's clock
	yaml string    // what stands behind at:
}

// Record follows an emulator until ctx ends. Faults that are there already count as there from the start. An empty user means the first one who
// logs in.
func Record(ctx context.Context, client *control.Client, user string) (*Recording, error) {
	r := &Recording{client: client, user: user, faults: make(map[string]bool)}
	state, err := client.Clock(ctx)
	if err != nil {
		return nil, err
	}
	r.clock = state.Offset
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	following, stop := context.WithCancel(ctx)
	var looks sync.WaitGroup
	looks.Go(func() {
		for wait(following, looking) {
			if r.look(following) != nil {
				return // the stream below fails as well, and says why
			}
		}
	})
	err = client.Follow(following, fakeserver.JournalQuery{}, func(e fakeserver.Entry) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.entries = append(r.entries, e)
		return nil
	}, nil)
	stop()
	looks.Wait()
	if ctx.Err() != nil {
		err = nil
	}
	return r, err
}

// wait lets time pass; false means that ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// look notes which faults have come and gone, and whether the clock jumped.
func (r *Recording) look(ctx context.Context) error {
	faults, err := r.client.Faults(ctx)
	if err != nil {
		return err
	}
	clock, err := r.client.Clock(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	there := make(map[string]bool)
	for _, f := range faults {
		there[f.ID] = true
		if !r.faults[f.ID] {
			r.steps = append(r.steps, recordedStep{clock.Now, "fault: " + faultYAML(f.Fault)})
		}
	}
	for _, id := range sortedKeys(r.faults) {
		if !there[id] {
			r.steps = append(r.steps, recordedStep{clock.Now, "clear: " + quoted(id)})
		}
	}
	r.faults = there
	// An offset that drifts by less than this is the two clocks' reading, not a jump.
	if jump := clock.Offset - r.clock; jump.Abs() > 10*time.Millisecond && !clock.Frozen {
		r.steps = append(r.steps, recordedStep{clock.Now, "jump: {emulator: " + shortDuration(jump.Round(time.Millisecond)) + "}"})
	}
	r.clock = clock.Offset
	return nil
}

// quoted writes a text so that YAML cannot take it for anything else.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""` // cannot happen: a text can be written
	}
	return string(b)
}

func faultYAML(f fakeserver.Fault) string {
	parts := []string{"id: " + quoted(f.ID), "target: " + string(f.Target), "kind: " + f.Kind}
	if len(f.Params) > 0 {
		var params []string
		for _, name := range sortedKeys(f.Params) {
			params = append(params, name+": "+quoted(f.Params[name]))
		}
		parts = append(parts, "params: {"+strings.Join(params, ", ")+"}")
	}
	add := func(name, value string, there bool) {
		if there {
			parts = append(parts, name+": "+value)
		}
	}
	add("user", quoted(f.User), f.User != "")
	add("count", strconv.Itoa(f.Count), f.Count != 0)
	add("probability", strconv.FormatFloat(f.Probability, 'g', -1, 64), f.Probability != 0)
	add("seed", strconv.FormatUint(f.Seed%math.MaxInt32, 10), f.Seed != 0)
	add("on", string(f.On), f.On != "")
	add("after", shortDuration(f.After), f.After != 0)
	return "{" + strings.Join(parts, ", ") + "}"
}

// facts are what a scenario needs to know of a recording.
type facts struct {
	zero, end            time.Time
	life                 time.Duration
	native, online       bool
	willExpire, onExpiry string
	// left is the number of the entry in which the client left of its own accord; 0 when it did not.
	left uint64
}

// Write writes what was recorded as a scenario. It fails when the user never logged in, because instants count from that.
func (r *Recording) Write(w io.Writer, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.facts()
	if !ok {
		return fmt.Errorf("nothing to write: %w while this was recording", ErrNobodyCame)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nstory: Recorded on %s; say here what went wrong, and what should have happened.\nsource: a recording\ntags: [recorded]\n",
		name, f.zero.UTC().Format(time.DateOnly))
	profile := chat.Web.Name
	if f.native {
		profile = chat.Native.Name
	}
	fmt.Fprintf(&b, "profile: %s\nttl: %s\nusers: [%s]\npolicy: {on_will_expire: %s, on_expired: %s}\n", profile, shortDuration(f.life), r.user, f.willExpire, f.onExpiry)
	steps := append(slices.Clone(r.steps), r.actions(f)...)
	slices.SortStableFunc(steps, func(a, b recordedStep) int { return a.at.Compare(b.at) })
	if len(steps) > 0 {
		b.WriteString("steps:\n")
	}
	for _, step := range steps {
		at := "0s"
		if step.at.After(f.zero) {
			at = f.instant(step.at, 0)
		}
		fmt.Fprintf(&b, "  - at: %s\n    %s\n", at, step.yaml)
	}
	fmt.Fprintf(&b, "until: %s\nexpect:\n", f.instant(f.end, 0))
	r.writeExpected(&b, f)
	_, err := io.WriteString(w, b.String())
	return err
}

// facts finds the first login, and how the client behaved.
func (r *Recording) facts() (f facts, ok bool) {
	exchanged, issued := false, time.Time{}
	for _, e := range r.entries {
		switch {
		case e.Name == fakeserver.RESTRequest && e.Method == "POST" && strings.HasSuffix(e.Path, "/token"):
			exchanged = true
		case e.Name == fakeserver.TokenIssued && issued.IsZero():
			issued = e.At
		}
		if e.Name != fakeserver.SessionOpened || r.user != "" && e.User != r.user || e.ExpiresAt.IsZero() {
			continue
		}
		r.user = e.User
		if issued.IsZero() {
			issued = e.At
		}
		f.life = e.ExpiresAt.Sub(issued.Truncate(time.Second))
		f.zero, f.native = e.ExpiresAt.Add(-f.life), exchanged
		break
	}
	if f.life <= 0 {
		return f, false
	}
	f.end = r.entries[len(r.entries)-1].At.Add(time.Second)
	f.willExpire, f.onExpiry = string(session.WillExpireRenew), string(session.ExpiredRelogin)
	warned, expired, asked := false, false, false
	var forced time.Time // the last trigger, which explains what follows it
	for _, e := range r.entries {
		if isTokenRequest(e) && warned && !expired {
			asked = true
		}
		if e.Name == fakeserver.ControlTriggered {
			forced = e.At
		}
		if e.User != r.user {
			continue
		}
		switch e.Name {
		case fakeserver.SessionOpened:
			f.online, f.left = true, 0
		case fakeserver.SessionClosed:
			f.online = false
			if !expired && e.At.Sub(forced) > time.Second {
				f.left = e.Seq
			}
		case fakeserver.SessionWillExpire:
			warned = true
		case fakeserver.SessionExpired:
			expired = true
			if !asked {
				f.willExpire = string(session.WillExpireIgnore)
			}
		}
	}
	if expired && !f.online {
		f.onExpiry = string(session.ExpiredIgnore)
	}
	return f, true
}

// actions are the steps that the journal gives away: triggers, messages, and renewals that nothing but a wish explains.
func (r *Recording) actions(f facts) []recordedStep {
	var steps []recordedStep
	messages, warned := 0, false
	for _, e := range r.entries {
		switch {
		case e.Name == fakeserver.ControlTriggered:
			warned = warned || e.Reason == "will-expire"
			steps = append(steps, recordedStep{e.At, "trigger: " + triggerYAML(e)})
		case e.User == r.user && e.Name == fakeserver.SessionWillExpire:
			warned = true
		case e.User == r.user && e.Name == fakeserver.SessionRenewed:
			if !warned {
				steps = append(steps, recordedStep{e.At, "do: renew"})
			}
			warned = false
		case e.Seq == f.left:
			steps = append(steps, recordedStep{e.At, "do: logout"})
		case e.Name == fakeserver.MessageStored && e.From == r.user && e.Reason != receipt && e.At.After(f.zero):
			messages++
			steps = append(steps, recordedStep{e.At, fmt.Sprintf("send: {to: %s, text: message %d}", quoted(e.To), messages)})
		}
	}
	return steps
}

func triggerYAML(e fakeserver.Entry) string {
	user := e.User
	if user == "" {
		user = "all"
	}
	text := "{event: " + e.Reason + ", user: " + quoted(user)
	if e.Code != 0 {
		text += fmt.Sprintf(", code: %d", e.Code)
	}
	return text + "}"
}

// writeExpected writes what the emulator saw of the user's session as what is expected.
func (r *Recording) writeExpected(b *strings.Builder, f facts) {
	b.WriteString("  events:\n")
	counts, requests := map[string]int{}, 0
	for _, e := range r.entries {
		if isTokenRequest(e) {
			requests++
		}
		if e.User != r.user || !strings.HasPrefix(string(e.Name), "session.") {
			continue
		}
		name := LaneEmulator + "/" + string(e.Name)
		counts[name]++
		fmt.Fprintf(b, "    - {event: %s, in: %s..%s}\n", name, f.instant(e.At, -time.Second), f.instant(e.At, 2*time.Second))
	}
	b.WriteString("  counts:\n")
	for _, name := range sortedKeys(counts) {
		fmt.Fprintf(b, "    %s: %d\n", name, counts[name])
	}
	fmt.Fprintf(b, "  requests: %d\n", requests)
	switch {
	case f.online:
		fmt.Fprintf(b, "  final: %s\n", r.finalState())
	case f.left != 0:
		fmt.Fprintf(b, "  final: %s\n", session.LoggedOut)
	}
}

// finalState is online, or will_expire after a warning that nothing answered.
func (r *Recording) finalState() session.State {
	state := session.Online
	for _, e := range r.entries {
		if e.User == r.user && e.Name == fakeserver.SessionWillExpire {
			state = session.WillExpire
		} else if e.User == r.user && (e.Name == fakeserver.SessionRenewed || e.Name == fakeserver.SessionOpened) {
			state = session.Online
		}
	}
	return state
}

// nearby is how near to a round part of the life something must have happened to be meant by it.
const nearby = 150 * time.Millisecond

// instant writes a moment, and something before or behind it, as a part of the life.
func (f facts) instant(at time.Time, plus time.Duration) string {
	d := at.Sub(f.zero)
	part := math.Round(float64(d)/float64(f.life)*1e4) / 1e4
	if round := math.Round(part*20) / 20; (d - time.Duration(round*float64(f.life))).Abs() < nearby {
		part = round
	}
	return Span{part, plus}.String()
}

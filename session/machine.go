package session

import (
	"fmt"
	"time"

	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// rules are what the machine decides by and never changes itself.
type rules struct {
	profile chat.Profile
	// renewable is false for a pasted token.
	renewable bool
}

// task is the one thing that may be under way.
type task string

const (
	idle          task = "nothing"
	fetchForLogin task = "fetching for a login"
	fetchForRenew task = "fetching for a renewal"
	sdkLogin      task = "logging in"
	sdkRenew      task = "renewing"
)

// machine is everything that the app layer decides by. It is a value: step makes the next one.
type machine struct {
	State State
	// reason and code say why the session is in its state.
	reason string
	code   chat.Code
	policy Policy

	// task is under way under the number gen; what comes back with another number is late and changes nothing.
	task task
	gen  uint64
	// sdk numbers the SDK's sessions; an event of another one is late.
	sdk uint64

	// live is true from a successful login until the SDK's session ends, linked while its link is up.
	live, linked bool
	// held is the token that the SDK lives on, fetched the one that is being handed to it.
	held, fetched   tokenclient.Token
	life            chat.Life
	ordinal         int
	warned, expired bool

	// attempts counts failures in a row, retryAt is when to try again, renewAt when the fixed interval asks for a renewal.
	attempts         int
	retryAt, renewAt time.Time
	// stale counts in a row how often the service called a new token expired.
	stale int
	// wasOnline: there has been a login before, so a failing one is worth waiting for.
	wasOnline bool
}

// What can happen to the app layer. The last three come from a person.
type (
	inFetched struct {
		gen   uint64
		token tokenclient.Token
	}
	inFetchFailed struct {
		gen uint64
		err *tokenclient.Error
	}
	inLoggedIn struct {
		gen  uint64
		life chat.Life
	}
	inLoginFailed struct {
		gen uint64
		err *chat.Error
	}
	inRenewed struct {
		gen  uint64
		life chat.Life
	}
	inRenewFailed struct {
		gen uint64
		err *chat.Error
	}
	inSDK    struct{ event chat.Event }
	inTick   struct{}
	inPolicy struct{ policy Policy }
	inLogin  struct{}
	inRenew  struct{}
	inLogout struct{ reason string }
)

// What the app layer wants done.
type (
	doFetch  struct{ gen uint64 }
	doCancel struct{} // the fetch under way
	doLogin  struct {
		gen, sdk uint64
		token    tokenclient.Token
	}
	doRenew struct {
		gen   uint64
		token tokenclient.Token
	}
	doLogout struct{}
	doEmit   struct{ event Event }
)

const (
	// firstPause and longestPause bound the wait after a failure; each one doubles it.
	firstPause, longestPause = time.Second, 30 * time.Second
	// patience is how many failures in a row a first login may have before it is given up.
	patience = 6
	// expiredPatience is how many times in a row the service may call a fresh token expired.
	expiredPatience = 3
	// notRenewable is why a pasted token is not renewed.
	notRenewable = "the pasted token cannot be renewed: there is no server to renew it; start again with a new one or with a token server"
)

// turn is one step under way: the state as it changes, and what has to be done so far.
type turn struct {
	rules
	machine
	now     time.Time
	luck    float64 // 0 to 1, spreads the waits of many clients
	effects []any
}

// step is the app's whole behaviour around a token: what happened at now, in which state, leads to which state and which actions. It reads
// no clock, no chance and no network.
func step(r rules, m machine, now time.Time, luck float64, in any) (machine, []any) {
	t := &turn{rules: r, machine: m, now: now, luck: luck}
	switch in := in.(type) {
	case inLogin:
		t.login()
	case inRenew:
		t.askedToRenew()
	case inLogout:
		t.logout(in.reason)
	case inPolicy:
		t.setPolicy(in.policy)
	case inFetched:
		if in.gen == m.gen {
			t.fetchedToken(in.token)
		}
	case inFetchFailed:
		if in.gen == m.gen {
			t.fetchFailed(in.err)
		}
	case inLoggedIn:
		if in.gen == m.gen && m.task == sdkLogin {
			t.loggedIn(in.life)
		}
	case inLoginFailed:
		if in.gen == m.gen && m.task == sdkLogin {
			t.loginFailed(in.err)
		}
	case inRenewed:
		if in.gen == m.gen && m.task == sdkRenew {
			t.renewed(in.life)
		}
	case inRenewFailed:
		if in.gen == m.gen && m.task == sdkRenew {
			t.renewFailed(in.err)
		}
	case inSDK:
		if in.event.Session == m.sdk {
			t.callback(in.event)
		}
	case inTick:
		t.tick()
	}
	return t.machine, t.effects
}

// deadline is the next instant at which a tick changes something, zero when there is none. The SDK watches the token's own instants.
func (m machine) deadline() time.Time {
	switch {
	case m.retryAt.IsZero():
		return m.renewAt
	case m.renewAt.IsZero() || m.retryAt.Before(m.renewAt):
		return m.retryAt
	default:
		return m.renewAt
	}
}

// --- what a person asks for

func (t *turn) login() {
	switch t.State {
	case LoggedOut, Stopped, Waiting, Expired:
		t.abandon() // a renewal that came too late may still be trying
		if t.live { // the classic profile, online past its token's end
			t.endSDK()
		}
		t.attempts, t.stale = 0, 0
		t.startLogin("asked to")
	case Online, WillExpire, Renewing, Reconnecting:
		t.emit(Event{Name: LoginSucceeded, Code: chat.AlreadyLoggedIn, Reason: "already logged in"}.of(t.life, t.held))
	case Fetching, LoggingIn: // it is what is being done
	}
}

func (t *turn) askedToRenew() {
	switch {
	case t.task == fetchForRenew || t.task == sdkRenew:
	case t.live || t.State == Expired && t.task == idle:
		t.startRenew("asked to")
	default:
		t.emit(Event{Name: RenewFailed, Code: chat.NotLoggedIn, Reason: "nobody is logged in; log in first"})
	}
}

func (t *turn) logout(reason string) {
	t.abandon()
	was := t.live || t.task == sdkLogin
	t.endSDK()
	t.task, t.attempts, t.held = idle, 0, tokenclient.Token{}
	if was || t.State != LoggedOut {
		t.emit(Event{Name: LoggedOutNow, Reason: reason})
	}
	t.enter(LoggedOut, reason, chat.OK)
}

// setPolicy takes effect at once when the new answer fits where the session already is.
func (t *turn) setPolicy(p Policy) {
	every := t.policy.RenewEvery
	t.policy = p
	if p.RenewEvery != every {
		t.planInterval()
	}
	switch {
	case t.task != idle:
	case t.live && t.warned && !t.expired && p.OnWillExpire == WillExpireRenew:
		t.startRenew("the policy is to renew now")
	case t.State == Expired:
		t.answerExpiry()
	}
}

// --- fetching a token

func (t *turn) startLogin(reason string) {
	t.retryAt = time.Time{}
	if t.reusable() {
		t.handToLogin(t.held, reason)
		return
	}
	t.held = tokenclient.Token{}
	t.begin(fetchForLogin)
	t.enter(Fetching, reason, chat.OK)
	t.emit(Event{Name: TokenRequested, Reason: reason, Attempt: t.attempts + 1})
	t.do(doFetch{t.gen})
}

// reusable reports whether the token of the last session would still log in, so that nobody needs to be asked for another.
func (t *turn) reusable() bool {
	return t.held.Text != "" && !t.expired && t.now.Before(t.life.ExpiresAt)
}

func (t *turn) startRenew(reason string) {
	t.retryAt = time.Time{}
	if !t.renewable {
		t.renewTrouble(Event{Name: RenewFailed, Reason: notRenewable}.of(t.life, t.held), false, 0)
		return
	}
	t.begin(fetchForRenew)
	t.settle(reason)
	t.emit(Event{Name: TokenRequested, Reason: reason, Attempt: t.attempts + 1})
	t.do(doFetch{t.gen})
}

func (t *turn) fetchedToken(token tokenclient.Token) {
	switch t.task {
	case fetchForLogin:
		t.received(token)
		t.handToLogin(token, "token received")
	case fetchForRenew:
		if token.SameAs(t.held) {
			t.fetchFailed(&tokenclient.Error{
				Kind: tokenclient.KindBadAnswer, Detail: "the token server answered with the token that is in use already; it must build a new one for each call",
			})
			return
		}
		t.received(token)
		t.begin(sdkRenew)
		t.fetched = token
		t.emit(Event{Name: RenewStarted, Token: token.Text.String()})
		t.do(doRenew{t.gen, token})
	}
}

func (t *turn) received(token tokenclient.Token) {
	t.emit(Event{Name: TokenReceived}.of(chat.Life{
		ExpiresAt: token.ExpiresAt, WillExpireAt: chat.WillExpireAt(t.profile, t.now, token.ExpiresAt),
	}, token))
}

func (t *turn) handToLogin(token tokenclient.Token, reason string) {
	t.begin(sdkLogin)
	t.sdk++
	t.fetched = token
	t.enter(LoggingIn, reason, chat.OK)
	t.emit(Event{Name: LoginStarted, Token: token.Text.String(), Attempt: t.attempts + 1})
	t.do(doLogin{t.gen, t.sdk, token})
}

func (t *turn) fetchFailed(err *tokenclient.Error) {
	rejected := Event{Name: TokenRejected, Reason: err.Error(), Attempt: t.attempts + 1}
	switch t.task {
	case fetchForLogin:
		t.loginTrouble(rejected, err.Temporary(), err.RetryAfter)
	case fetchForRenew:
		t.renewTrouble(rejected, err.Temporary(), err.RetryAfter)
	}
}

// loginTrouble waits and tries again, or stops when that mends nothing or has been tried often enough.
func (t *turn) loginTrouble(e Event, temporary bool, retryAfter time.Duration) {
	t.task = idle
	t.attempts++
	switch {
	case !temporary:
		t.emit(e)
		t.stop(e.Reason, e.Code)
	case !t.wasOnline && t.attempts >= patience:
		t.emit(e)
		t.stop(fmt.Sprintf("given up after %d attempts: %s", t.attempts, e.Reason), e.Code)
	default:
		t.retryAt = t.now.Add(t.pause(retryAfter))
		e.RetryAt = t.retryAt
		t.emit(e)
		t.enter(Waiting, e.Reason, e.Code)
	}
}

// renewTrouble tries again while the token lives. A pause that would outlast the token means that the renewal has failed.
func (t *turn) renewTrouble(e Event, temporary bool, retryAfter time.Duration) {
	t.task = idle
	t.attempts++
	left := t.life.ExpiresAt.Sub(t.now)
	wait := min(t.pause(retryAfter), max(left*3/4, 2*firstPause))
	switch {
	case temporary && t.live && t.life.ExpiresAt.IsZero():
		t.retryAt = t.now.Add(t.pause(retryAfter))
	case temporary && t.live && !t.expired && max(wait, retryAfter) < left:
		t.retryAt = t.now.Add(max(wait, retryAfter))
	}
	e.RetryAt = t.retryAt
	t.emit(e)
	if e.Name != RenewFailed && t.retryAt.IsZero() {
		t.emit(Event{Name: RenewFailed, Code: e.Code, Reason: e.Reason}.of(t.life, t.held))
	}
	if !t.live {
		t.enter(Expired, e.Reason, e.Code)
		return
	}
	t.settle(e.Reason)
	if t.expired && t.policy.OnExpired == ExpiredRelogin {
		t.answerExpiry()
	}
}

// pause is the wait after a failure: doubled with each one, spread by chance, and never shorter than the server asked for.
func (t *turn) pause(retryAfter time.Duration) time.Duration {
	wait := min(firstPause<<min(max(t.attempts-1, 0), 10), longestPause)
	wait += time.Duration(t.luck * float64(wait) / 4)
	return max(wait, retryAfter)
}

// --- what the SDK answers

func (t *turn) loggedIn(life chat.Life) {
	t.task, t.attempts, t.stale = idle, 0, 0
	t.live, t.linked, t.wasOnline = true, true, true
	t.accept(life)
	t.emit(Event{Name: LoginSucceeded}.of(life, t.held))
	t.settle("logged in")
}

func (t *turn) renewed(life chat.Life) {
	t.task, t.attempts = idle, 0
	t.accept(life)
	t.emit(Event{Name: RenewSucceeded}.of(life, t.held))
	t.settle("renewed")
}

func (t *turn) accept(life chat.Life) {
	t.held, t.fetched, t.life = t.fetched, tokenclient.Token{}, life
	t.warned, t.expired = false, false
	t.ordinal++
	t.planInterval()
}

func (t *turn) planInterval() {
	t.renewAt = time.Time{}
	if t.live && t.policy.RenewEvery > 0 {
		t.renewAt = t.now.Add(t.policy.RenewEvery)
	}
}

func (t *turn) loginFailed(err *chat.Error) {
	// A token that was not refused is kept: fetching another would mend nothing.
	t.held, t.fetched = t.fetched, tokenclient.Token{}
	t.life, t.expired = chat.Life{ExpiresAt: t.held.ExpiresAt}, false
	if !err.Temporary() {
		t.held = tokenclient.Token{}
	}
	e := Event{Name: LoginFailed, Code: err.Code, Reason: err.Reason, Attempt: t.attempts + 1}
	switch {
	case err.Kind == chat.KindExpired && t.renewable:
		if t.stale++; t.stale < expiredPatience {
			t.loginTrouble(e, true, 0)
			return
		}
		e.Reason += "; the token server's clock and the service's may disagree"
		t.loginTrouble(e, false, 0)
	default:
		t.loginTrouble(e, err.Temporary(), 0)
	}
}

func (t *turn) renewFailed(err *chat.Error) {
	if err.Kind == chat.KindCanceled {
		return // the SDK's session ended first; its next event says why, and there the app acts
	}
	t.fetched = tokenclient.Token{}
	t.renewTrouble(Event{Name: RenewFailed, Code: err.Code, Reason: err.Reason, Attempt: t.attempts + 1}.of(t.life, t.held), err.Temporary(), 0)
}

// callback is the SDK talking of its own accord.
func (t *turn) callback(e chat.Event) {
	said := Event{Callback: e.Callback, Code: e.Code, Reason: e.Reason}
	switch e.Name {
	case chat.Connected:
		said.Name = Connected
		t.emit(said)
		if t.live {
			t.linked = true
			t.settle("the link is back")
		}
	case chat.Reconnecting:
		t.linked = false
		said.Name = Disconnected
		t.emit(said)
		t.emit(Event{Name: ReconnectingNow, Reason: e.Reason})
		t.settle(e.Reason)
	case chat.Failed: // a reconnect was refused, and the SDK goes on trying
		said.Name = LoginFailed
		t.emit(said)
	case chat.Kicked:
		said.Name = Kicked
		t.emit(said)
		t.lost()
		t.stop("kicked: "+e.Reason, e.Code)
	case chat.Disconnected:
		said.Name = Disconnected
		t.emit(said)
		t.disconnected(e)
	case chat.WillExpire:
		again := t.warned
		t.warned = true
		said.Name = TokenWillExpire
		t.emit(said.of(t.life, t.held))
		if t.policy.OnWillExpire == WillExpireRenew && t.task == idle && t.retryAt.IsZero() && (t.renewable || !again) {
			t.startRenew(e.Callback)
			return
		}
		t.settle(e.Reason)
	case chat.TokenHasExpired:
		t.expired = true
		said.Name = TokenExpired
		t.emit(said.of(t.life, t.held))
		if t.profile.StaysOnline {
			t.settle(e.Reason)
			t.answerExpiry()
		}
		// Other SDKs close the session next; the Disconnected that says so is where the app acts.
	}
}

// disconnected is the end of the SDK's session.
func (t *turn) disconnected(e chat.Event) {
	wasRenewal := t.task
	fetched := t.fetched
	t.lost()
	switch {
	case t.expired || e.Kind == chat.KindExpired:
		t.expired = true
		switch {
		case t.policy.OnExpired != ExpiredRelogin || wasRenewal == idle:
		case wasRenewal == fetchForRenew: // the token that is on its way will do for the login
			t.task = fetchForLogin
			t.enter(Fetching, "the token expired while a new one was being fetched", e.Code)
			return
		case wasRenewal == sdkRenew:
			t.handToLogin(fetched, "the token expired during its renewal")
			return
		}
		t.abandon()
		t.enter(Expired, e.Reason, e.Code)
		t.answerExpiry()
	case e.Kind == chat.KindInvalid || e.Kind == chat.KindUnknownUser || e.Kind == chat.KindRefused:
		t.abandon()
		t.stop(e.Reason, e.Code)
	default: // the SDK gave up on the link; the token may still be good
		t.abandon()
		t.attempts = 1
		t.retryAt = t.now.Add(t.pause(0))
		t.enter(Waiting, e.Reason, e.Code)
	}
}

// answerExpiry does what the policy says about an expired token, unless something is under way already.
func (t *turn) answerExpiry() {
	if t.task != idle {
		return
	}
	switch t.policy.OnExpired {
	case ExpiredRelogin:
		if t.live {
			t.endSDK()
		}
		t.startLogin("the token expired") // the pauses of a renewal that failed go on growing
	case ExpiredRenew:
		t.startRenew("the token expired")
	case ExpiredIgnore:
	}
}

// tick does what has come due.
func (t *turn) tick() {
	if !t.retryAt.IsZero() && !t.now.Before(t.retryAt) {
		t.retryAt = time.Time{}
		if t.State == Waiting {
			t.startLogin("trying again")
		} else if t.live && t.task == idle {
			t.startRenew("trying again")
		}
	}
	if !t.renewAt.IsZero() && !t.now.Before(t.renewAt) {
		t.planInterval()
		if t.live && t.task == idle && t.retryAt.IsZero() {
			t.startRenew(fmt.Sprintf("every %v", t.policy.RenewEvery))
		}
	}
}

// --- small moves

// begin starts a task under a number of its own.
func (t *turn) begin(what task) {
	t.gen++
	t.task = what
}

// abandon gives up the task under way; its result will be late.
func (t *turn) abandon() {
	if t.task == fetchForLogin || t.task == fetchForRenew {
		t.do(doCancel{})
	}
	t.gen++
	t.task, t.fetched, t.retryAt = idle, tokenclient.Token{}, time.Time{}
}

// endSDK ends the SDK's session, if there is one or one is being made.
func (t *turn) endSDK() {
	t.do(doLogout{})
	t.sdk++
	t.lost()
}

// lost notes that the SDK's session is over.
func (t *turn) lost() { t.live, t.linked, t.renewAt = false, false, time.Time{} }

func (t *turn) stop(reason string, code chat.Code) {
	t.abandon()
	t.held = tokenclient.Token{}
	t.enter(Stopped, reason, code)
}

// settle names the state of a live session by its facts.
func (t *turn) settle(reason string) {
	switch {
	case !t.live && t.task == fetchForRenew || !t.live && t.task == sdkRenew:
		t.enter(Expired, reason, t.code) // a renewal that comes too late, as some samples try
	case !t.live:
	case !t.linked:
		t.enter(Reconnecting, reason, chat.OK)
	case t.task == fetchForRenew || t.task == sdkRenew:
		t.enter(Renewing, reason, chat.OK)
	case t.expired:
		t.enter(Expired, reason, t.profile.ExpiredCode)
	case t.warned:
		t.enter(WillExpire, reason, chat.TokenWillExpire)
	default:
		t.enter(Online, reason, chat.OK)
	}
}

// enter changes the state, and says so when it is another one.
func (t *turn) enter(s State, reason string, code chat.Code) {
	old := t.State
	t.State, t.reason, t.code = s, reason, code
	if old != s {
		t.emit(Event{Name: StateChanged, Old: old, New: s, Reason: reason, Code: code})
	}
}

func (t *turn) emit(e Event)  { t.do(doEmit{e}) }
func (t *turn) do(effect any) { t.effects = append(t.effects, effect) }

// of adds a token and its life to an event.
func (e Event) of(life chat.Life, token tokenclient.Token) Event {
	e.ExpiresAt, e.WillExpireAt = life.ExpiresAt, life.WillExpireAt
	if token.Text != "" {
		e.Token = token.Text.String()
	}
	return e
}

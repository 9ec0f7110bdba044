package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/internal/printable"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
	"github.com/ttlchat/ttlchat/tui"
)

// options are the flags of all commands. A flag means the same wherever it stands.
type options struct {
	// Of several commands.
	appKey, appID, appCertificate, logFile string

	// Where there is an emulator.
	maxDevices         int
	over24h, expiredAs string
	enforceExpiry      string
	controlToken       string
	closedRegistration bool
	rateLimits         bool
	users              []string
	webSDK             string
	propertiesFile     string
	properties         *fakeserver.Properties // of propertiesFile, nil without one

	// Where there is a client.
	user, peer, profile         string
	ttl, renewEvery             time.Duration
	onWillExpire, onExpired     string
	app                         string
	spread                      float64
	restURL, wsURL              string
	tokenURL                    string
	shape                       shapeFlags
	tokenStdin, headless, ascii bool
	theme                       string
	forHowLong                  time.Duration
	record                      string
}

// pastedToken is the variable that holds a token which was got elsewhere; a flag would show it to everybody who lists processes.
const pastedToken = "TTLCHAT_TOKEN" //nolint:gosec // the name of a variable

// The words that some flags take.
var (
	over24hWords       = []string{string(fakeserver.Over24hCap), string(fakeserver.Over24hRefuse)}
	expiredStatusWords = []string{string(fakeserver.ExpiredAsReason), string(fakeserver.ExpiredAsEnum)}
	enforceWords       = []string{string(fakeserver.EnforceNothing), string(fakeserver.EnforceClose), string(fakeserver.EnforceRefuseSends)}
)

func (o *options) logFlag(f *pflag.FlagSet) {
	f.StringVar(&o.logFile, "log-file", "", "file to append a log in JSON to")
}

func (o *options) appKeyFlag(f *pflag.FlagSet) {
	f.StringVar(&o.appKey, "app-key", fakeserver.DemoOrg+"#"+fakeserver.DemoApp, "app key, org#app")
}

// credentialFlags are those of the project; without tells what a command does that is not given them.
func (o *options) credentialFlags(f *pflag.FlagSet, without string) {
	f.StringVar(&o.appID, "app-id", "", "App ID, 32 hex digits ("+without+")")
	f.StringVar(&o.appCertificate, "app-certificate", "", "App Certificate, 32 hex digits ("+without+"); better set in the environment")
}

// What commands do without credentials.
const (
	demoWithout  = "the demo project's"
	judgeWithout = "not compared"
)

// emulatorFlags are those of the commands that run an emulator to be used from outside.
func (o *options) emulatorFlags(f *pflag.FlagSet) {
	o.appKeyFlag(f)
	o.credentialFlags(f, demoWithout)
	o.logFlag(f)
	f.IntVar(&o.maxDevices, "max-devices", 4, "devices of one user that may be online; one more kicks the oldest with 206")
	f.StringVar(&o.over24h, "over-24h", string(fakeserver.Over24hCap), "tokens that ask for over 24 h: cap or refuse")
	f.StringVar(&o.expiredAs, "expired-status", string(fakeserver.ExpiredAsReason), "how an expired token is refused: reason (FAIL and the sentence, as the Web SDK needs it) or enum (status 6)")
	f.StringVar(&o.enforceExpiry, "enforce-expiry", string(fakeserver.EnforceNothing), "what becomes of an open connection whose token has ended: none, close or refuse-sends")
	f.BoolVar(&o.closedRegistration, "closed-registration", false, "only the users of --users exist; without it users appear on their first login")
	f.BoolVar(&o.rateLimits, "rate-limits", false, "answer REST calls over the documented rates with 429")
	f.StringVar(&o.propertiesFile, "properties", "", "file such as the official Java servers' application.properties, for the token server to play them; its appid, appcert and appkey are the emulator's too where the flags name none")
	f.StringSliceVar(&o.users, "users", nil, "users that exist from the start: name[:password],…")
}

func (o *options) clientFlags(f *pflag.FlagSet) {
	f.StringVar(&o.user, "user", "alice", "user to log in")
	f.StringVar(&o.peer, "peer", "echo", "user to write to; echo answers by itself")
	f.DurationVar(&o.ttl, "ttl", 30*time.Second, "lifetime to ask the token server for, such as 30s or 24h")
	f.StringVar(&o.profile, "profile", chat.Native.Name, "which SDK to behave like: native, web, classic, or rtc, which only counts a media token down")
	f.StringVar(&o.onWillExpire, "on-will-expire", string(session.WillExpireRenew), "what the app does at will-expire: renew, ignore or ask")
	f.StringVar(&o.onExpired, "on-expired", string(session.ExpiredRelogin), "what the app does at expiry: relogin, renew or ignore")
	f.StringVar(&o.app, "app", session.Correct.Name, "how the app behaves beyond that: "+strings.Join(behaviourNames(), ", "))
	f.Float64Var(&o.spread, "spread", 0, "spread renewals over this part, 0 to 1, of the time between will-expire and the end; for many clients with the same end")
	f.DurationVar(&o.renewEvery, "renew-every", 0, "renew at a fixed interval as well; 0 is off")
	f.StringVar(&o.restURL, "rest-url", "", "chat service: REST address without org and app (the emulator's)")
	f.StringVar(&o.wsURL, "ws-url", "", "chat service: WebSocket address (the emulator's)")
	f.StringVar(&o.tokenURL, "token-url", "", "token server: address to ask, {user} and {expire} in it are filled in; a host alone gets the preset's path (the emulator's)")
	o.shape.register(f, tokenclient.Presets())
	f.BoolVar(&o.tokenStdin, "token-stdin", false, "the first line of standard input is a token got elsewhere; it cannot be renewed. "+pastedToken+" does the same")
	o.drawingFlags(f)
	f.BoolVar(&o.headless, "headless", false, "no screen: one JSON object a line on stdout, messages and slash commands on stdin")
	f.StringVar(&o.record, "record", "", "file to write the session to when it ends, as a scenario that does it again; it is overwritten")
	f.DurationVar(&o.forHowLong, "for", 0, "how long a headless run goes on after the end of input; 0 is one token lifetime")
}

// drawingFlags say how the screen is drawn, where there is one.
func (o *options) drawingFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII characters alone, as where TERM or the locale has no others")
	f.StringVar(&o.theme, "theme", string(tui.ThemeAuto), "colours of the screen: for a dark or a light terminal, or auto for what the terminal or COLORFGBG says")
}

func (o *options) checkDrawing() error {
	if !slices.Contains(tui.Themes(), tui.Theme(o.theme)) {
		return usage("%s: there is no theme %q; use %s", setting("theme"), o.theme, strings.Join(themeNames(), ", "))
	}
	return nil
}

func themeNames() []string {
	var names []string
	for _, t := range tui.Themes() {
		names = append(names, string(t))
	}
	return names
}

// draw puts what the flags say of the drawing into the screen's configuration.
func (o *options) draw(config *tui.Config) {
	config.ASCII = o.ascii || tui.PlainTerminal()
	config.Theme, config.LightGround = tui.Theme(o.theme), tui.LightTerminal()
}

func behaviourNames() []string {
	var names []string
	for _, b := range session.Behaviours() {
		names = append(names, b.Name)
	}
	return names
}

// variable is the environment variable that sets a flag.
func variable(flag string) string {
	switch flag {
	case "app-id", "app-certificate":
		return "AGORA_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	default:
		return "TTLCHAT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	}
}

// lineOnly marks flags that are not taken from the environment, because they stand for something else in every call.
const lineOnly = "command line only"

// fromEnvironment sets every flag that the command line left alone and whose variable is not empty.
func fromEnvironment(cmd *cobra.Command) error {
	var wrong error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value := os.Getenv(variable(f.Name))
		if f.Changed || value == "" || f.Name == "help" || f.Name == "version" || f.Annotations[lineOnly] != nil || wrong != nil {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			wrong = usageError{wrongValue(err)}
		}
	})
	return wrong
}

// setting is one flag, its variable and how it was given, for an error.
func setting(flag string) string { return fmt.Sprintf("--%s (%s)", flag, variable(flag)) }

// org and app of the app key.
func (o *options) splitAppKey() (org, app string, err error) {
	org, app, _ = strings.Cut(o.appKey, "#")
	if !fakeserver.ValidAppKeyPart(org) || !fakeserver.ValidAppKeyPart(app) {
		return "", "", usage("%s: %q is no app key; it has the form org#app, each of 1 to 64 letters, digits, _ . -", setting("app-key"), o.appKey)
	}
	return org, app, nil
}

// emulator is the configuration of the emulator that the flags describe.
func (o *options) emulator(log *slog.Logger) (fakeserver.Config, error) {
	org, app, err := o.splitAppKey()
	if err != nil {
		return fakeserver.Config{}, err
	}
	if (o.appID == "") != (o.appCertificate == "") {
		return fakeserver.Config{}, usage("the emulator signs tokens, so it needs %s and %s, or neither for the demo project",
			setting("app-id"), setting("app-certificate"))
	}
	if o.maxDevices < 1 || o.maxDevices > 16 { // 0 would be the package's own default
		return fakeserver.Config{}, usage("%s: want 1 to 16", setting("max-devices"))
	}
	for _, word := range []struct {
		flag, value string
		known       []string
	}{{"over-24h", o.over24h, over24hWords}, {"expired-status", o.expiredAs, expiredStatusWords}, {"enforce-expiry", o.enforceExpiry, enforceWords}} {
		if !slices.Contains(word.known, word.value) {
			return fakeserver.Config{}, usage("%s: there is no %q; want %s", setting(word.flag), word.value, strings.Join(word.known, " or "))
		}
	}
	cfg := fakeserver.Config{
		AppID: o.appID, AppCertificate: o.appCertificate, Org: org, App: app, ClosedRegistration: o.closedRegistration,
		MaxDevices: o.maxDevices, Over24h: fakeserver.Over24h(o.over24h), ExpiredStatus: fakeserver.ExpiredStatus(o.expiredAs),
		RateLimits: o.rateLimits, WebSDK: o.webSDK, EnforceExpiry: fakeserver.Enforcement(o.enforceExpiry), ControlToken: o.controlToken, Properties: o.properties, Log: log,
	}
	for _, u := range o.users {
		name, password, _ := strings.Cut(u, ":")
		if err := command.ValidUser(name); err != nil {
			return fakeserver.Config{}, usage("%s: %w", setting("users"), err)
		}
		cfg.Users = append(cfg.Users, fakeserver.User{Name: name, Password: password})
	}
	return cfg, nil
}

// newEmulator makes the emulator, which remembers so many HTTP calls with their bodies; what it dislikes about its configuration is a mistake in the flags.
func (o *options) newEmulator(log *slog.Logger, exchanges int) (*fakeserver.Server, error) {
	cfg, err := o.emulator(log)
	if err != nil {
		return nil, err
	}
	cfg.Exchanges = exchanges
	server, err := fakeserver.New(cfg)
	if err != nil {
		return nil, usageError{errors.Unwrap(err)}
	}
	return server, nil
}

func (o *options) policy() session.Policy {
	return session.Policy{
		OnWillExpire: session.OnWillExpire(o.onWillExpire), OnExpired: session.OnExpired(o.onExpired), RenewEvery: o.renewEvery,
	}
}

// checkClient says what is wrong with the client's flags before anything starts.
func (o *options) checkClient() error {
	if err := command.ValidUser(o.user); err != nil {
		return usage("%s: %w", setting("user"), err)
	}
	if err := command.ValidUser(o.peer); err != nil {
		return usage("%s: %w", setting("peer"), err)
	}
	if err := checkLifetime(o.ttl); err != nil {
		return usage("%s: %w", setting("ttl"), err)
	}
	if err := o.checkDrawing(); err != nil {
		return err
	}
	if _, ok := chat.ProfileByName(o.profile); !ok {
		return usage("%s: there is no profile %q; use %s", setting("profile"), o.profile, strings.Join(chat.ProfileNames(), ", "))
	}
	for flag, p := range map[string]session.Policy{
		"on-will-expire": {OnWillExpire: session.OnWillExpire(o.onWillExpire), OnExpired: session.ExpiredRelogin},
		"on-expired":     {OnWillExpire: session.WillExpireRenew, OnExpired: session.OnExpired(o.onExpired)},
		"renew-every":    {OnWillExpire: session.WillExpireRenew, OnExpired: session.ExpiredRelogin, RenewEvery: o.renewEvery},
	} {
		if err := p.Validate(); err != nil {
			return usage("%s: %w", setting(flag), err)
		}
	}
	if _, ok := session.BehaviourByName(o.app); !ok {
		return usage("%s: there is no app %q; use %s", setting("app"), o.app, strings.Join(behaviourNames(), ", "))
	}
	if !(o.spread >= 0 && o.spread <= 1) { // not a number fails here, too
		return usage("%s: %v is no part; it goes from 0 (at once) to 1 (up to the token's end)", setting("spread"), o.spread)
	}
	if _, _, err := o.shape.load(tokenclient.Preset, tokenclient.Presets()); err != nil {
		return err
	}
	if o.forHowLong < 0 {
		return usage("%s: %v is before the end of input", setting("for"), o.forHowLong)
	}
	for _, a := range []struct {
		flag, value string
		schemes     []string
	}{
		{"rest-url", o.restURL, []string{"http", "https"}},
		{"ws-url", o.wsURL, []string{"ws", "wss"}},
		{"token-url", o.tokenURL, []string{"http", "https"}},
	} {
		if err := checkAddress(a.value, a.schemes); err != nil {
			return usage("%s: %w", setting(a.flag), err)
		}
	}
	return nil
}

// checkLifetime: tokens carry whole seconds, in 32 bits.
func checkLifetime(d time.Duration) error {
	switch {
	case d < time.Second || d%time.Second != 0:
		return fmt.Errorf("%v is no token lifetime; tokens live whole seconds, at least 1s", d)
	case d > 365*24*time.Hour:
		return fmt.Errorf("%v is longer than a year; the service allows 24h", d)
	}
	return nil
}

// checkAddress accepts an empty address: then the emulator's is used.
func checkAddress(address string, schemes []string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(strings.NewReplacer("{user}", "u", "{expire}", "1").Replace(address))
	if err == nil && u.User != nil && slices.Contains(schemes, "ws") {
		return fmt.Errorf("%q is no WebSocket address: those have no user and no password in them", printable.Address(address))
	}
	if err == nil && u.Host != "" {
		for _, s := range schemes {
			if u.Scheme == s {
				return nil
			}
		}
	}
	return fmt.Errorf("%q is no address; it must begin with %s:// and name a host", printable.Address(address), strings.Join(schemes, ":// or "))
}

// openLog opens the log file, or a log that goes nowhere; nothing is ever logged to the terminal.
func (o *options) openLog() (*slog.Logger, io.Closer, error) {
	if o.logFile == "" {
		return slog.New(slog.DiscardHandler), io.NopCloser(nil), nil
	}
	f, err := os.OpenFile(o.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, usage("%s: %w", setting("log-file"), err)
	}
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil { // for what cannot be recovered
		return nil, nil, err
	}
	return slog.New(slog.NewJSONHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})), f, nil
}

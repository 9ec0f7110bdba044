package main

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/ttlchat/ttlchat/tokenclient"
	"github.com/ttlchat/ttlchat/tui"
)

// TestLoginForm: the login screen begins with what the flags say, and who chooses other servers there gets those and no others.
func TestLoginForm(t *testing.T) {
	const tokens, rest, ws = "https://t.example/token", "https://c.example", "wss://c.example/websocket"
	tests := map[string]struct {
		flags  []string
		pasted string
		form   tui.Form // what differs from no flags at all
		change func(*tui.Form)
		// want are the addresses used, "" for those of the emulator.
		tokenURL, restURL, wsURL string
	}{
		"no flags":           {form: tui.Form{Lifetime: "30s", Service: tui.BuiltIn}},
		"a day":              {flags: []string{"--ttl=24h"}, form: tui.Form{Lifetime: "24h", Service: tui.BuiltIn}},
		"an hour and a half": {flags: []string{"--ttl=90m", "--over-24h=refuse"}, form: tui.Form{Lifetime: "1h30m", Service: tui.BuiltIn, RefusesLong: true}},
		"a pasted token":     {pasted: "007", form: tui.Form{Lifetime: "30s", Service: tui.BuiltIn, Pasted: true}},
		"node":               {flags: []string{"--token-preset=node"}, form: tui.Form{Lifetime: "30s", Service: tui.BuiltIn}},
		"own token server": {
			flags: []string{"--token-url=" + tokens}, form: tui.Form{Lifetime: "30s", Service: tui.OwnTokenServer, TokenURL: tokens}, tokenURL: tokens,
		},
		"own service": {
			flags: []string{"--token-url=" + tokens, "--rest-url=" + rest, "--ws-url=" + ws}, tokenURL: tokens, restURL: rest, wsURL: ws,
			form: tui.Form{Lifetime: "30s", Service: tui.OwnService, TokenURL: tokens, RESTURL: rest, WSURL: ws},
		},
		"own token server, chosen": {
			form: tui.Form{Lifetime: "30s", Service: tui.BuiltIn}, tokenURL: tokens,
			change: func(f *tui.Form) { f.Service, f.TokenURL = tui.OwnTokenServer, tokens },
		},
		"own service, chosen": {
			form: tui.Form{Lifetime: "30s", Service: tui.BuiltIn}, tokenURL: tokens, restURL: rest, wsURL: ws,
			change: func(f *tui.Form) { f.Service, f.TokenURL, f.RESTURL, f.WSURL = tui.OwnService, tokens, rest, ws },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, flags := new(options), pflag.NewFlagSet("", pflag.ContinueOnError)
			o.emulatorFlags(flags)
			o.clientFlags(flags)
			if err := flags.Parse(test.flags); err != nil {
				t.Fatal(err)
			}
			w, err := o.wire(test.pasted, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			want := test.form
			want.User, want.Peer, want.Profile = "alice", "echo", "native"
			want.GivesNoLife = name != "node"
			f := w.form(o)
			if diff := cmp.Diff(want, f); diff != "" {
				t.Errorf("the form begins otherwise (-want +got):\n%s", diff)
			}
			if test.change != nil {
				test.change(&f)
			}
			p, err := w.chosen(f, o)
			if err != nil {
				t.Fatal(err)
			}
			used := [3]string{p.tokenURL, p.restURL, p.wsURL}
			addresses := [3]string{orElse(test.tokenURL, w.tokenURL), orElse(test.restURL, w.restURL), orElse(test.wsURL, w.wsURL)}
			if used != addresses {
				t.Errorf("the session uses %v, want %v", used, addresses)
			}
		})
	}
	if _, err := new(wiring).chosen(tui.Form{Lifetime: "soon"}, new(options)); err == nil {
		t.Error("a wrong lifetime is accepted")
	}
}

// TestGivesNoLife: the login screen says of every kind of token server whether the emulator's gives no life to a token that is asked for none.
func TestGivesNoLife(t *testing.T) {
	t.Setenv("TTLCHAT_TOKEN_PASSWORD", "secret")
	for _, preset := range tokenclient.Presets() {
		t.Run(preset, func(t *testing.T) {
			o, flags := new(options), pflag.NewFlagSet("", pflag.ContinueOnError)
			o.emulatorFlags(flags)
			o.clientFlags(flags)
			if err := flags.Parse([]string{"--token-preset=" + preset}); err != nil {
				t.Fatal(err)
			}
			w, err := o.wire("", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			client, err := tokenclient.New(tokenclient.Config{URL: w.tokenURL, Shape: w.shape, AppID: w.appID, Password: w.password})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, err = client.Fetch(t.Context(), tokenclient.Request{User: "alice"})
			wrong, ok := errors.AsType[*tokenclient.Error](err)
			if none := ok && wrong.Kind == tokenclient.KindBadLifetime; w.form(o).GivesNoLife != none {
				t.Errorf("the form says %v, and the token server answers %v", !none, err)
			}
		})
	}
}

package main

import (
	"context"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/judge"
	"github.com/ttlchat/ttlchat/tokenclient"
	"github.com/ttlchat/ttlchat/tui"
)

// screenTokens remembers the last two tokens of a session, for the screen to decode.
type screenTokens struct {
	tokenclient.Source
	want judge.Expectation

	mu   sync.Mutex
	last []tui.Token // newest first
}

func newScreenTokens(w *wiring, o *options, user string) *screenTokens {
	t := &screenTokens{want: judge.Expectation{AppID: w.appID, User: user, Service: judge.Chat, Certificate: agoratoken.Certificate(o.appCertificate)}}
	if o.appCertificate == "" && w.appID == fakeserver.DemoAppID {
		t.want.Certificate = fakeserver.DemoAppCertificate
	}
	return t
}

// watch stands between the session and the source of its tokens.
func (t *screenTokens) watch(source tokenclient.Source) tokenclient.Source {
	t.Source = source
	return t
}

// Fetch implements tokenclient.Source.
func (t *screenTokens) Fetch(ctx context.Context, r tokenclient.Request) (tokenclient.Token, error) {
	token, err := t.Source.Fetch(ctx, r)
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.last = append([]tui.Token{screenToken{token.Text, t.want}}, t.last[:min(len(t.last), 1)]...)
	}
	return token, err
}

func (t *screenTokens) newest() []tui.Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// screenToken is one token with what it should be.
type screenToken struct {
	text tokenclient.Secret
	want judge.Expectation
}

// Inspect implements tui.Token.
func (t screenToken) Inspect(now time.Time) tui.Inspection {
	t.want.Now = now
	v := judge.Judge(t.text.Reveal(), t.want)
	in := tui.Inspection{Short: t.text.String()}
	if v.Token != nil {
		in.Genuine, in.Checked = v.Token.Genuine == judge.Yes, v.Token.Genuine != judge.Unchecked
		for _, f := range v.Token.Describe() {
			if f.Name != "signature" { // the screen has words of its own for it
				in.Fields = append(in.Fields, tui.TokenField(f))
			}
		}
	}
	for _, f := range v.Findings {
		if f.Severity != judge.OK {
			in.Findings = append(in.Findings, f.What)
		}
	}
	return in
}

// Reveal returns the whole token.
func (t screenToken) Reveal() string { return t.text.Reveal() }

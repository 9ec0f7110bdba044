package tokenclient

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
)

// Pasted returns a source of the one token that a person gave, white space around it aside. Of the configuration it uses the App ID and
// the clock. Every Fetch checks the token again. It cannot be renewed: once it was given out and has expired, Fetch fails with kind
// not_renewable.
func Pasted(text string, config Config) Source {
	return &pasted{text: strings.TrimSpace(text), config: config}
}

type pasted struct {
	text   string
	config Config
	given  atomic.Bool
}

func (p *pasted) Renewable() bool { return false }

func (p *pasted) Fetch(_ context.Context, r Request) (Token, error) {
	token, err := Check(p.text, Expectation{
		AppID: p.config.AppID, User: p.config.expectedUser(r.User), Service: p.config.Service, Now: r.now(p.config),
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == KindExpired && p.given.Load() {
		return Token{}, fail(KindNotRenewable, err, "the pasted token has expired and there is no server to renew it; start again with a new one or with a token server")
	}
	if err == nil {
		p.given.Store(true)
	}
	return token, err
}

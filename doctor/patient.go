package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/judge"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// The users for whom tokens are asked who need not exist.
const (
	somebodyElse = "ttlchat-doctor"
	nobodyKnown  = "ttlchat-doctor-nobody"
)

// patient is the server under examination, and what checks leave for later ones.
type patient struct {
	cfg   Config
	plain *tokenclient.Client // asks as the shape says

	first answer   // to the first request of all
	again answer   // to the same request once more
	users []string // who certainly get tokens
	burst []answer

	// limited is an answer to the check that runs which said that the server limits requests, and with which the check cannot judge it.
	limited *answer
}

func (p *patient) client(shape tokenclient.Shape) (*tokenclient.Client, error) {
	return tokenclient.New(tokenclient.Config{URL: p.cfg.URL, Shape: shape, Password: p.cfg.Password, DialContext: p.cfg.DialContext})
}

// ask makes the normal request. As all requests but those of the burst it waits when the server asks for that.
func (p *patient) ask(ctx context.Context, user string, life time.Duration) answer {
	return p.askPatiently(ctx, p.plain, user, life)
}

// askAs makes a request of another shape.
func (p *patient) askAs(ctx context.Context, shape tokenclient.Shape, user string) answer {
	client, err := p.client(shape)
	if err != nil {
		e, _ := errors.AsType[*tokenclient.Error](err)
		return answer{err: e}
	}
	defer client.Close()
	return p.askPatiently(ctx, client, user, p.cfg.Lifetime)
}

// askPatiently asks again after the time that a server which limits requests wants to pass. Half of the time for all checks is left for them.
func (p *patient) askPatiently(ctx context.Context, client *tokenclient.Client, user string, life time.Duration) answer {
	for {
		a := p.askThrough(ctx, client, user, life)
		if a.Status != http.StatusTooManyRequests {
			return a
		}
		deadline, _ := ctx.Deadline()
		if wait := a.err.RetryAfter; wait == 0 || time.Until(deadline)-wait < p.cfg.Timeout/2 {
			p.limited = &a
			return a
		}
		select {
		case <-time.After(a.err.RetryAfter):
		case <-ctx.Done():
			return a
		}
	}
}

func (p *patient) askThrough(ctx context.Context, client *tokenclient.Client, user string, life time.Duration) answer {
	a := answer{start: time.Now()}
	var err error
	a.Exchange, err = client.Exchange(ctx, tokenclient.Request{User: user, Lifetime: life})
	a.end = time.Now()
	a.err, _ = errors.AsType[*tokenclient.Error](err)
	if a.Token != "" {
		a.verdict = judge.Judge(a.Token.Reveal(), judge.Expectation{
			AppID: p.cfg.AppID, Certificate: agoratoken.Certificate(p.cfg.Certificate), User: user, Service: judge.Chat, Now: a.end,
		})
	}
	return a
}

// address is where the shape's requests go, with its placeholders.
func (p *patient) address() string { return p.cfg.Shape.Address(p.cfg.URL) }

// says reports whether the requests carry a value: one that the templates call .Name and addresses call {name}.
func (p *patient) says(name string) bool {
	s := p.cfg.Shape
	text := s.URL + s.Body
	if !strings.Contains(p.address(), "{user}") { // otherwise the address is complete, see tokenclient.Shape
		text += s.Query
	}
	return strings.Contains(text, "."+name) || strings.Contains(p.address(), "{"+strings.ToLower(name)+"}")
}

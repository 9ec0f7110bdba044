// Package doctor examines a token server as a contract test does: it asks for tokens in all the ways in which apps do, and in some in which
// they should not, judges what comes back, and says of every defect what it means for an app's users and how to mend it.
//
// [Run] goes through a table of checks in order (checks.go). With an App ID and a certificate it also logs in and renews with the server's
// tokens, against an emulator of the chat service that lives in memory for as long as that takes. A server under examination gets some thirty
// requests. Those for users who do not exist may register them, where a server does that.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/tokenclient"
)

const (
	// MinLifetime is the shortest life that may be asked for: the tokens are used for some seconds.
	MinLifetime = time.Minute
	// defaultTimeout bounds all checks together.
	defaultTimeout = 30 * time.Second
	// defaultLifetime is what tokens are asked to live for.
	defaultLifetime = time.Hour
)

// Config says which server is examined, and as whom. URL, Shape and User are required.
type Config struct {
	URL      string // as in tokenclient.Config
	Shape    tokenclient.Shape
	Password tokenclient.Secret // of all users, for the shapes that send one
	// AppID and Certificate are the project's. What cannot be checked without them is skipped.
	AppID       string
	Certificate string
	// User exists for the server. OtherUser is a second one who does; empty takes a name whom the server may refuse.
	User, OtherUser string
	// Lifetime is what is asked for, from MinLifetime to 24 hours; 0 means an hour.
	Lifetime time.Duration
	// Timeout bounds all checks together; 0 means 30 s.
	Timeout time.Duration
	// DialContext replaces the network; see tokenclient.Config.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (c Config) validate() error {
	switch {
	case c.User == "" || c.User == c.OtherUser:
		return errors.New("two different users are needed; name them")
	case c.Lifetime < MinLifetime || c.Lifetime > agoratoken.MaxLife:
		return fmt.Errorf("a life of %v cannot be tried; ask for %v to %v", c.Lifetime, MinLifetime, agoratoken.MaxLife)
	case c.Timeout < 0:
		return errors.New("the time for all checks is negative; give some seconds")
	}
	given := strings.Repeat("0", 32) // in the place of what is not known
	return agoratoken.Credentials{AppID: cmp.Or(c.AppID, given), Certificate: agoratoken.Certificate(cmp.Or(c.Certificate, given))}.Validate()
}

// Run examines a token server. The error is about the configuration, or the context's own; what is wrong with the server is in the report.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.Lifetime == 0 {
		cfg.Lifetime = defaultLifetime
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if err := cfg.validate(); err != nil {
		return Report{}, err
	}
	p := &patient{cfg: cfg}
	client, err := p.client(cfg.Shape)
	if err != nil {
		return Report{}, err
	}
	defer client.Close()
	p.plain = client

	limited, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	start := time.Now()
	results := examine(limited, p)
	if ctx.Err() != nil {
		return Report{}, ctx.Err()
	}
	if e := p.first.err; e != nil && e.Kind == tokenclient.KindBadConfig {
		return Report{}, e
	}
	return newReport(p, start, results), nil
}

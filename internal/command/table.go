package command

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/session"
)

// Table lists the commands in the order in which a person meets them.
func Table() []Command {
	return []Command{
		{Name: "/renew", Help: "fetch a new token and renew now", run: ask(Target.Renew)},
		{Name: "/login", Help: "log in, or log in again", run: ask(Target.Login)},
		{Name: "/logout", Help: "log out", run: ask(Target.Logout)},
		{Name: "/expire", Help: "expire now: the SDK hears that the token is over", run: expire},
		{Name: "/skip", Help: "skip to the next event: both clocks jump", run: skip},
		{Name: "/policy", Args: "[will-expire renew|ignore|ask] [expired relogin|renew|ignore] [every 10s|off]",
			Help: "show or change what the app answers to the token events", run: policy, next: policyWords},
		{Name: "/to", Args: "name", Help: "send to somebody else", run: to},
		{Name: "/help", Help: "list the commands", run: help},
		{Name: "/quit", Help: "log out and leave", run: ask(Target.Quit)},
	}
}

// ask is the run function of a command whose outcome shows as events.
func ask(do func(Target)) func(Target, []string) (string, error) {
	return func(t Target, _ []string) (string, error) {
		do(t)
		return "", nil
	}
}

func expire(t Target, _ []string) (string, error) {
	if err := t.Expire(); err != nil {
		return "", err
	}
	return "the emulator says that the token has expired", nil
}

func skip(t Target, _ []string) (string, error) {
	what, err := t.Skip()
	if err != nil {
		return "", err
	}
	return "skipped to " + what, nil
}

func to(t Target, args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New("/to takes one name, such as /to bob")
	}
	if err := ValidUser(args[0]); err != nil {
		return "", err
	}
	if err := t.SetPeer(args[0]); err != nil {
		return "", err
	}
	return "messages go to " + args[0] + " now", nil
}

func help(t Target, _ []string) (string, error) {
	var b strings.Builder
	for _, c := range t.Commands() {
		fmt.Fprintf(&b, "%s: %s\n", strings.TrimSpace(c.Name+" "+c.Args), c.Help)
	}
	b.WriteString("any other line is a message; //text sends /text")
	return b.String(), nil
}

// policyWords are the events that have no answer yet, or the answers to the last one.
func policyWords(before []string) []string {
	if len(before)%2 == 1 {
		switch before[len(before)-1] {
		case "will-expire":
			return []string{string(session.WillExpireRenew), string(session.WillExpireIgnore), string(session.WillExpireAsk)}
		case "expired":
			return []string{string(session.ExpiredRelogin), string(session.ExpiredRenew), string(session.ExpiredIgnore)}
		case "every":
			return []string{"off", "10s", "30s", "1m", "5m"}
		default:
			return nil
		}
	}
	var events []string
	for _, event := range []string{"will-expire", "expired", "every"} {
		answered := false
		for i := 0; i < len(before); i += 2 {
			answered = answered || before[i] == event
		}
		if !answered {
			events = append(events, event)
		}
	}
	return events
}

// policy reads pairs such as "expired ignore" and changes all of them or, when one is wrong, none.
func policy(t Target, args []string) (string, error) {
	p := t.Policy()
	if len(args) == 0 {
		return describe(p), nil
	}
	if len(args)%2 != 0 {
		return "", fmt.Errorf("%q lacks its answer: /policy takes pairs such as will-expire ask, expired ignore, every 10s", args[len(args)-1])
	}
	for i := 0; i < len(args); i += 2 {
		if err := change(&p, args[i], args[i+1]); err != nil {
			return "", err
		}
	}
	if err := p.Validate(); err != nil {
		return "", err
	}
	if err := t.SetPolicy(p); err != nil {
		return "", err
	}
	return describe(p), nil
}

func change(p *session.Policy, event, answer string) error {
	switch event {
	case "will-expire":
		p.OnWillExpire = session.OnWillExpire(answer)
	case "expired":
		p.OnExpired = session.OnExpired(answer)
	case "every":
		if answer == "off" {
			p.RenewEvery = 0
			return nil
		}
		every, err := time.ParseDuration(answer)
		if err != nil {
			return fmt.Errorf("%q is no interval: write 10s or 5m, or off", answer)
		}
		p.RenewEvery = every
	default:
		return fmt.Errorf("%q is no token event: /policy knows will-expire, expired and every", event)
	}
	return nil
}

func describe(p session.Policy) string {
	every := "off"
	if p.RenewEvery > 0 {
		every = p.RenewEvery.String()
	}
	return fmt.Sprintf("will-expire: %s, expired: %s, renew every: %s", p.OnWillExpire, p.OnExpired, every)
}

package tui

import (
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/session"
)

// drawer is the small menu in which the policy is changed. Every change counts at once.
type drawer struct {
	open bool
	row  int
}

// choice is one row of the drawer: the words to choose from, and which one the policy holds.
type choice struct {
	label   string
	options []string
	chosen  int
	set     func(*session.Policy, int)
}

var (
	willExpireAnswers = []session.OnWillExpire{session.WillExpireRenew, session.WillExpireIgnore, session.WillExpireAsk}
	expiredAnswers    = []session.OnExpired{session.ExpiredRelogin, session.ExpiredRenew, session.ExpiredIgnore}
	intervals         = []time.Duration{0, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}
)

// answers names the app's answers as the flags and /policy do, but for relogin, which is no word.
func answers[T ~string](all []T) []string {
	names := make([]string, len(all))
	for i, answer := range all {
		names[i] = strings.ReplaceAll(string(answer), string(session.ExpiredRelogin), "log in again")
	}
	return names
}

func choices(p session.Policy) []choice {
	every := intervals
	if !slices.Contains(every, p.RenewEvery) { // it was typed
		every = append(slices.Clone(every), p.RenewEvery)
	}
	names := make([]string, len(every))
	for i, d := range every {
		names[i] = life(d)
	}
	names[0] = "off"
	return []choice{
		{"on will-expire", answers(willExpireAnswers), slices.Index(willExpireAnswers, p.OnWillExpire),
			func(p *session.Policy, i int) { p.OnWillExpire = willExpireAnswers[i] }},
		{"on expired", answers(expiredAnswers), slices.Index(expiredAnswers, p.OnExpired),
			func(p *session.Policy, i int) { p.OnExpired = expiredAnswers[i] }},
		{"renew every", names, slices.Index(every, p.RenewEvery), func(p *session.Policy, i int) { p.RenewEvery = every[i] }},
	}
}

func (m *model) togglePolicy() { m.drawer.open = !m.drawer.open }

// pressDrawer handles the keys of the open drawer, and tells whether the key was one of them.
func (m *model) pressDrawer(key string) bool {
	rows := choices(m.policy)
	by := 0
	switch key {
	case "up", "shift+tab":
		m.drawer.row = (m.drawer.row + len(rows) - 1) % len(rows)
	case "down", "tab":
		m.drawer.row = (m.drawer.row + 1) % len(rows)
	case "left":
		by = -1
	case "right":
		by = 1
	case "enter":
		m.drawer.open = false
	default:
		return false
	}
	if by != 0 {
		row := rows[m.drawer.row]
		p := m.policy
		row.set(&p, (row.chosen+by+len(row.options))%len(row.options))
		if err := (target{m}).SetPolicy(p); err != nil {
			m.say(err.Error(), late)
		}
	}
	return true
}

// view draws the drawer.
func (d drawer) view(p pen, policy session.Policy, width int) []string {
	const column = 19
	lines := []string{p.rule(p.faint.Render("─ ")+p.accent.Render("policy "), p.dim.Render(" ↑↓ row · ←→ change · Enter done "), width)}
	for i, row := range choices(policy) {
		label := p.dim.Render(p.fit("   "+row.label, column))
		if i == d.row {
			label = p.accent.Render(p.fit(" › "+row.label, column))
		}
		lines = append(lines, p.fit(label+p.options(row.options, row.chosen, p.strong, width-column), width))
	}
	return lines
}

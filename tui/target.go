package tui

import (
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ttlchat/ttlchat/session"
)

// margin is how far a skip goes past its event, so that the event is due and not about to be.
const margin = time.Millisecond

// target carries out the slash commands for the model. The actions' why-not functions have been asked before.
type target struct{ m *model }

func (t target) Login()                 { t.m.session.Login() }
func (t target) Renew()                 { t.m.session.Renew() }
func (t target) Logout()                { t.m.session.Logout() }
func (t target) Quit()                  { t.m.queue(tea.Quit) }
func (t target) Policy() session.Policy { return t.m.policy }

func (t target) SetPolicy(p session.Policy) error {
	if err := t.m.session.SetPolicy(p); err != nil {
		return err
	}
	t.m.policy = p
	return nil
}

func (t target) SetPeer(name string) error {
	t.m.enter(t.m.talkWith(name))
	return nil
}

// Expire asks the emulator outside Update; what it answers comes back as a jumpedMsg.
func (t target) Expire() error {
	emulator, user := t.m.emulator, t.m.snap.User
	t.m.jump(func() error { return emulator.Expire(user) })
	return nil
}

// Skip jumps the emulator's clock first, so that the service agrees with what the client then does.
func (t target) Skip() (string, error) {
	if t.m.play.going() { // its clocks are the scenario's
		t.m.play.run.Ask(SkipOn)
		return "the next instant", nil
	}
	name, at := t.m.snap.Next()
	if name == "" {
		return "", errors.New("nothing is coming up")
	}
	emulator, client := t.m.emulator, t.m.session
	ahead := at.Sub(client.Now()) + margin
	t.m.skipped += ahead
	t.m.jump(func() error {
		emulator.JumpClock(ahead)
		client.JumpClock(ahead)
		return nil
	})
	return name + ", " + life(ahead) + " ahead", nil
}

// jump runs what moves clocks outside Update. One at a time: the next jump is computed from what this one leads to.
func (m *model) jump(move func() error) {
	m.jumping = true
	m.queue(func() tea.Msg { return jumpedMsg{move()} })
}

// jumpedMsg reports that the clocks have moved.
type jumpedMsg struct{ err error }

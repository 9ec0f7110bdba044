package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/clock"
	"github.com/ttlchat/ttlchat/internal/pipenet"
	"github.com/ttlchat/ttlchat/session/chat"
)

// chatHost is where the emulator listens, on a network in memory.
const chatHost = "chat"

// profiles are those that differ in how they log in and renew.
var profiles = []chat.Profile{chat.Native, chat.Web}

func (p *patient) login(ctx context.Context) finding {
	return p.inEachProfile(ctx, false, "Nobody can log in with what this server gives.",
		"When it says expired, let the tokens live longer: they are over before an app can use them.")
}

func (p *patient) renewal(ctx context.Context) finding {
	if p.again.Token == "" {
		return skip("there is no second token: " + p.again.complaint())
	}
	return p.inEachProfile(ctx, true, "Who is online is thrown out when the first token ends, although the app has renewed it.",
		"Look at what differs between the server's first and its second token.")
}

func (p *patient) inEachProfile(ctx context.Context, renew bool, means, mend string) finding {
	if p.cfg.AppID == "" || p.cfg.Certificate == "" {
		return skip("the emulator needs the App ID and the App Certificate")
	}
	if _, uuid := p.first.find("uuid"); uuid {
		return skip("only the service knows whose UUID it is")
	}
	for _, profile := range profiles {
		if err := p.logIn(ctx, profile, renew); err != nil {
			return fail("as the "+profile.Name+" SDK: "+err.Error(), means, mend)
		}
	}
	return pass("as the native and as the Web SDK, against the emulator")
}

// logIn lives a session with a new emulator: a login with the first token and, if it is wanted, a renewal with the second.
func (p *patient) logIn(ctx context.Context, profile chat.Profile, renew bool) error {
	server, err := fakeserver.New(fakeserver.Config{AppID: p.cfg.AppID, AppCertificate: p.cfg.Certificate})
	if err != nil {
		return err
	}
	network := pipenet.New()
	listener := network.Listen(chatHost + ":80")
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener, nil) // a network in memory does not fail
	}()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Close(closing) // what is not done by then is cut
		<-served
	}()
	client := chat.New(chat.Config{
		Profile: profile, RESTURL: "http://" + chatHost, WSURL: "ws://" + chatHost + "/websocket", Org: fakeserver.DemoOrg, App: fakeserver.DemoApp,
		Resource: "doctor", Clock: clock.New(0), DialContext: network.DialContext, OnEvent: func(chat.Event) {},
	})
	defer client.Close()
	err = await(ctx, func(done func(chat.Life, *chat.Error)) { client.Login(1, p.cfg.User, p.first.Token.Reveal(), done) })
	if err != nil || !renew {
		return err
	}
	return await(ctx, func(done func(chat.Life, *chat.Error)) { client.RenewToken(p.again.Token.Reveal(), done) })
}

// await makes a call of the SDK and waits for its outcome.
func await(ctx context.Context, call func(done func(chat.Life, *chat.Error))) error {
	done := make(chan *chat.Error, 1)
	call(func(_ chat.Life, err *chat.Error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			return err
		}
		return nil
	case <-ctx.Done():
		return errors.New("the emulator does not answer")
	}
}

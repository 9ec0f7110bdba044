package scenario

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/pipenet"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/session/chat"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// closing bounds the end of an emulator.
const closing = 10 * time.Second

// stage is an emulator of its own and the network to it.
type stage struct {
	server               *fakeserver.Server
	served               chan error
	chatHost, tokensHost string
	dial                 func(ctx context.Context, network, address string) (net.Conn, error)
}

// newStage starts an emulator on ports of its own, or in memory, as a testing/synctest bubble needs it.
func newStage(ctx context.Context, cfg fakeserver.Config, inMemory bool) (*stage, error) {
	server, err := fakeserver.New(cfg)
	if err != nil {
		return nil, err
	}
	st := &stage{server: server, served: make(chan error, 1)}
	var chatListener, tokenListener net.Listener
	if inMemory {
		network := pipenet.New()
		st.dial = network.DialContext
		chatListener, tokenListener = network.Listen("chat:80"), network.Listen("tokens:80")
		st.chatHost, st.tokensHost = "chat", "tokens"
	} else {
		for _, l := range []struct {
			listener *net.Listener
			host     *string
		}{{&chatListener, &st.chatHost}, {&tokenListener, &st.tokensHost}} {
			listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return nil, fmt.Errorf("the emulator cannot listen: %w", err)
			}
			*l.listener, *l.host = listener, listener.Addr().String()
		}
	}
	go func() { st.served <- server.Serve(chatListener, tokenListener) }()
	return st, nil
}

func (st *stage) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	err := st.server.Close(ctx)
	if served := <-st.served; err == nil {
		err = served
	}
	return err
}

// player is one user's session.
type player struct {
	lane string
	*session.Session
	tokens *tokenclient.Client
}

// cast starts the sessions of all users; nobody logs in yet.
func (st *stage) cast(s *Scenario, o Options) (players []*player, err error) {
	defer func() {
		if err != nil {
			dismiss(players)
		}
	}()
	profile, _ := chat.ProfileByName(o.Profile)
	app, _ := session.BehaviourByName(o.App)
	for i, lane := range s.lanes() {
		user, device := splitLane(lane)
		shape, _ := tokenclient.Preset("go")
		tokens, err := tokenclient.New(tokenclient.Config{
			URL: "http://" + st.tokensHost + "/generate-user-token", Shape: shape, AppID: fakeserver.DemoAppID, DialContext: st.dial,
		})
		if err != nil {
			return players, err
		}
		ended := tokens.Close
		if device == "" {
			device = "main"
		}
		var source tokenclient.Source = tokens
		if i == 0 && o.Tokens != nil {
			source = o.Tokens(tokens)
		}
		p, err := session.Start(session.Config{
			User: user, Resource: device, Lifetime: o.TTL, Profile: profile, Behaviour: app, Spread: s.Spread, Policy: s.Policy.over(session.Policy{}),
			Seed:   o.Seed + uint64(i),
			Tokens: source, RESTURL: "http://" + st.chatHost, WSURL: "ws://" + st.chatHost + "/websocket",
			Org: fakeserver.DemoOrg, App: fakeserver.DemoApp, ClockOffset: s.Clocks.Client.Of(o.TTL), DialContext: st.dial, History: 200_000,
		})
		if err != nil {
			ended()
			return players, err
		}
		players = append(players, &player{lane: lane, Session: p, tokens: tokens})
	}
	return players, nil
}

// dismiss ends all sessions.
func dismiss(players []*player) {
	var ending sync.WaitGroup
	for _, p := range players {
		ending.Go(func() {
			p.Close()
			p.tokens.Close()
		})
	}
	ending.Wait()
}

package session_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/fakeservertest"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// exampleT stands for the *testing.T of a real test.
type exampleT struct{ ends []func() }

func (t *exampleT) Helper()                   {}
func (t *exampleT) Errorf(f string, a ...any) { fmt.Printf(f+"\n", a...) }
func (t *exampleT) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (t *exampleT) Cleanup(f func())          { t.ends = append(t.ends, f) }
func (t *exampleT) end() {
	for _, f := range t.ends {
		f()
	}
}

// A client of one's own: what happens to it comes as events, and it renews its token by itself.
func ExampleStart() {
	t := new(exampleT)
	defer t.end()
	e := fakeservertest.Start(t, fakeserver.Config{}) // or the addresses of a real service

	shape, _ := tokenclient.Preset("go")
	tokens, err := tokenclient.New(tokenclient.Config{URL: e.TokenURL, Shape: shape, AppID: e.AppID})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tokens.Close()
	alice, err := session.Start(session.Config{
		User: "alice", Lifetime: time.Hour, Tokens: tokens, RESTURL: e.RESTURL, WSURL: e.WSURL, Org: e.Org, App: e.App,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer alice.Close()
	alice.Login()
	for events := alice.Follow(); ; {
		batch, err := events.Next(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, event := range batch {
			switch event.Name {
			case session.LoginSucceeded:
				fmt.Println("logged in, with", event.Remaining().Round(time.Minute), "to go")
				e.TriggerWillExpire("alice") // what would come in 48 minutes
			case session.TokenWillExpire:
				fmt.Println(event.Callback)
			case session.RenewSucceeded:
				fmt.Println("renewed")
				return
			}
		}
	}
	// Output:
	// logged in, with 1h0m0s to go
	// onTokenWillExpire
	// renewed
}

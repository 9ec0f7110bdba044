package fakeservertest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/fakeservertest"
	"github.com/ttlchat/ttlchat/session"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// t stands for the *testing.T of a real test, which an example does not have.
type exampleT struct{ cleanups []func() }

func (t *exampleT) Helper()                           {}
func (t *exampleT) Errorf(format string, args ...any) { log.Printf(format, args...) }
func (t *exampleT) Fatalf(format string, args ...any) { log.Panicf(format, args...) }
func (t *exampleT) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) end() {
	for _, f := range t.cleanups {
		f()
	}
}

// An emulator in a test: its addresses, and what to wait for.
func ExampleStart() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()

	e := fakeservertest.Start(t, fakeserver.Config{})
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, e.ControlURL+"/health", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := e.HTTPClient().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println("control API:", resp.StatusCode)
	fmt.Println("requests so far:", e.Requests("/generate-user-token"))
	// Output:
	// control API: 200
	// requests so far: 0
}

// The client of package session against an emulator: the token server fails once, just when the token is to be renewed.
func ExampleEmulator_Fault() {
	t := new(exampleT)
	defer t.end()
	e := fakeservertest.Start(t, fakeserver.Config{})
	e.Fault(fakeserver.Fault{Target: fakeserver.FaultTokenServer, Kind: "status", Count: 1, On: fakeserver.SessionOpened})

	shape, _ := tokenclient.Preset("go")
	tokens, err := tokenclient.New(tokenclient.Config{URL: e.TokenURL, Shape: shape, AppID: e.AppID})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tokens.Close()
	s, err := session.Start(session.Config{
		User: "alice", Lifetime: time.Hour, Tokens: tokens, RESTURL: e.RESTURL, WSURL: e.WSURL, Org: e.Org, App: e.App,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	s.Login()
	e.Wait(fakeserver.SessionOpened, "alice", 10*time.Second)
	e.TriggerWillExpire("alice") // no need to wait for 48 minutes
	e.Wait(fakeserver.FaultApplied, "", 10*time.Second)
	e.Wait(fakeserver.SessionRenewed, "alice", 10*time.Second)
	fmt.Println("requests:", e.Requests("/generate-user-token"))
	// Output:
	// requests: 3
}

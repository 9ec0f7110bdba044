package main

import "github.com/ttlchat/ttlchat/fakeserver"

// newOurs is the emulator with everything at its defaults, as ttlchat serve runs it.
func newOurs() (server, error) {
	s, err := fakeserver.New(fakeserver.Config{})
	if err != nil {
		return server{}, err
	}
	return server{serve: s.Serve, push: func() { s.TriggerWillExpire("") }}, nil
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// server is what is measured, in a process of its own.
type server struct {
	// serve answers on both listeners; only ttlchat uses the second, for its token server.
	serve func(chat, token net.Listener) error
	// push sends every connection a frame of the server's own.
	push func()
}

// servers are the servers that can be measured, by name.
var servers = map[string]func() (server, error){
	"echo":    func() (server, error) { return server{serve: serveHTTP(echo), push: func() {}}, nil },
	"relay":   newRelay,
	"ttlchat": newOurs,
}

func serveHTTP(h http.HandlerFunc) func(chat, token net.Listener) error {
	return func(chat, _ net.Listener) error {
		return (&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}).Serve(chat)
	}
}

// runServer is the process of a server: it prints its addresses and obeys lines from the coordinator until those end.
func runServer(name string) error {
	build, ok := servers[name]
	if !ok {
		return fmt.Errorf("there is no server %q", name)
	}
	s, err := build()
	if err != nil {
		return err
	}
	// Without TCP's own probes for all, as ttlchat serve listens: asking for them is a twentieth of what a connection costs.
	listen := net.ListenConfig{KeepAlive: -1}
	chat, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	token, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := beside(func() error { return s.serve(chat, token) })
	fmt.Println(chat.Addr(), token.Addr())
	lines := beside(func() error { return obey(s, os.Stdin) })
	select {
	case err := <-failed:
		return err
	case err := <-lines:
		return err
	}
}

// beside runs f beside the caller.
func beside(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// obey works off the coordinator's lines, and answers each with one.
func obey(s server, r io.Reader) error {
	in := bufio.NewScanner(r)
	var profile *os.File
	for in.Scan() {
		var word, arg string
		_, _ = fmt.Sscan(in.Text(), &word, &arg)
		switch word {
		case "push":
			at := time.Now().UnixNano()
			s.push()
			fmt.Println(at)
		case "cpu":
			d, err := ownCPU()
			if err != nil {
				return err
			}
			fmt.Println(d)
		case "holds":
			runtime.GC()
			runtime.GC() // what pools keep goes with the second
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Println(m.HeapAlloc+m.StackInuse, runtime.NumGoroutine())
		case "profile": // of the processor, into a file, until "profile" comes again
			if profile == nil {
				var err error
				if profile, err = os.Create(arg); err != nil {
					return err
				}
				if err := pprof.StartCPUProfile(profile); err != nil {
					return err
				}
			} else {
				pprof.StopCPUProfile()
				if err := profile.Close(); err != nil {
					return err
				}
				profile = nil
			}
			fmt.Println("ok")
		case "heap":
			f, err := os.Create(arg)
			if err != nil {
				return err
			}
			if err := pprof.WriteHeapProfile(f); err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
			fmt.Println("ok")
		default:
			fmt.Println("what?")
		}
	}
	return in.Err()
}

// Command bench measures the emulator beside a bare gorilla/websocket echo and a minimal relay, and writes docs/performance.md.
//
//	go -C bench run .                    everything, five runs
//	go -C bench run . -runs 1 -out ""    one run, on the terminal alone
//	go -C bench run . -only logins,push  one figure or some, on the terminal
//	go -C bench run . -soak 5m           a steady load, and whether memory stays flat
//	go -C bench run . -profile /tmp      where the emulator's time and memory go, for go tool pprof
//
// It runs itself once more for each server and for each crowd of clients, so that each has its own memory and descriptors.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

const document = "../docs/performance.md"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return runServer(args[1])
	case len(args) == 4 && args[0] == "swarm":
		collectSeldom()
		return runSwarm(args[1], args[2], args[3])
	}
	collectSeldom()
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	runs := flags.Int("runs", 5, "how many runs the medians are of")
	seconds := flags.Duration("time", 5*time.Second, "how long each measurement of traffic takes")
	out := flags.String("out", document, "the document to write; empty prints it, and a part does not replace the usual one")
	only := flags.String("only", "", "measure and print only some of: "+strings.Join(kinds(), ", "))
	soaking := flags.Duration("soak", 0, "only let clients talk for so long, and watch the server's memory")
	profiles := flags.String("profile", "", "only write profiles of the emulator into this folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *profiles != "" {
		return profile(*profiles, *seconds)
	}
	if *soaking > 0 {
		return soak(*soaking)
	}
	r, err := measure(*runs, *seconds, *only)
	if err != nil {
		return err
	}
	if *out == "" || *only != "" && *out == document {
		fmt.Print(r.markdown())
	} else if err := r.write(*out); err != nil {
		return err
	}
	return r.sound()
}

// collectSeldom keeps the garbage of the clients from disturbing what they measure. The servers' own collectors are left alone.
func collectSeldom() { debug.SetGCPercent(400) }

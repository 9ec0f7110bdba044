package fakeserver

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// FaultKind describes one kind of fault.
type FaultKind struct {
	Target  FaultTarget  `json:"target"`
	Name    string       `json:"name"`
	Meaning string       `json:"meaning"`
	Params  []FaultParam `json:"params"`
}

// faultKind is a kind with what it does. Of the effects only those that its target's handlers look for are set.
type faultKind struct {
	FaultKind
	// anonymous kinds strike before a connection's user is known.
	anonymous bool
	// lasts is how long it is there once it has begun, 0 for until it is cleared; nil is always so.
	lasts func(*fault) time.Duration
	// start is called once when a fault becomes active, for kinds that do not wait to be asked.
	start func(*Server, *fault)
	// answer answers an HTTP request in the handler's place.
	answer func(*fault, http.ResponseWriter, *http.Request)
	// spoil delays or changes what the next handler answers.
	spoil func(*Server, *fault, http.ResponseWriter, *http.Request, http.Handler)
	// login handles a user's provision before it is looked at.
	login func(l *link, f *fault, user string)
	// welcome changes the answer to a provision that was accepted.
	welcome func(*fault, *welcome)
	// frame decides about a frame that was read, or is to be written.
	frame func(*faultyFrames, *fault, []byte) passage
	// takes narrows frame to frames; nil takes each. The engine's mu is held.
	takes func(*faultyFrames, *fault, msync.Direction, []byte) bool
	// beforeRead delays the reading of the next frame.
	beforeRead func(*faultyFrames, *fault)
}

// allFaultKinds is the one table of kinds, in the order in which people are shown it.
func allFaultKinds() []*faultKind {
	return slices.Concat(tokenServerFaults(), provisionFaults(), linkFaults(), restFaults(), messageFaults(), expiryFaults())
}

var faultTable = allFaultKinds()

// FaultKinds lists every kind of fault with its parameters.
func FaultKinds() []FaultKind {
	var kinds []FaultKind
	for _, k := range faultTable {
		kinds = append(kinds, k.FaultKind)
	}
	return kinds
}

// FaultTargets lists the targets, in the order of [FaultKinds].
func FaultTargets() []FaultTarget {
	var targets []FaultTarget
	for _, k := range faultTable {
		if !slices.Contains(targets, k.Target) {
			targets = append(targets, k.Target)
		}
	}
	return targets
}

// findFaultKind fails with an error that names what there is.
func findFaultKind(target FaultTarget, name string) (*faultKind, error) {
	var known []string
	for _, k := range faultTable {
		if k.Target != target {
			continue
		}
		if k.Name == name {
			return k, nil
		}
		known = append(known, k.Name)
	}
	if known == nil {
		return nil, fmt.Errorf("there is no target %q; known: %s", printable.Line(string(target), 40), joined(FaultTargets()))
	}
	return nil, fmt.Errorf("there is no fault %q on %s; known: %s", printable.Line(name, 40), target, strings.Join(known, ", "))
}

// values checks the given parameters and fills in the others.
func (k *faultKind) values(given FaultParams) (faultValues, error) {
	values := make(faultValues, len(k.Params))
	var known []string
	for _, p := range k.Params {
		values[p.Name] = p.Default
		known = append(known, p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.Index(known, name)
		if i < 0 {
			if known == nil {
				return nil, fmt.Errorf("%s %s has no parameter %q; it has none at all", k.Target, k.Name, printable.Line(name, 40))
			}
			return nil, fmt.Errorf("%s %s has no parameter %q; known: %s", k.Target, k.Name, printable.Line(name, 40), strings.Join(known, ", "))
		}
		if err := k.Params[i].check(given[name]); err != nil {
			return nil, fmt.Errorf("%s %s: %w", k.Target, k.Name, err)
		}
		values[name] = given[name]
	}
	return values, nil
}

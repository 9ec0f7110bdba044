package fakeserver

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/faults.md anew")

// TestFaultDocs: docs/faults.md is made of the table of kinds. With -update it is written.
func TestFaultDocs(t *testing.T) {
	const file = "../docs/faults.md"
	want := faultDocs()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // a document for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: go test ./fakeserver -run TestFaultDocs -update", file)
	}
}

func faultDocs() string {
	var b strings.Builder
	b.WriteString(`# Faults

What can go wrong in the emulator on demand. This page is generated from the table that the emulator checks faults against.

    ttlchat ctl fault add token-server status --status 503 --retry-after 5s --count 2
    ttlchat ctl fault add link freeze --for 30s --on session.will_expire --user alice
    ttlchat ctl fault list
    ttlchat ctl fault clear

The same over HTTP, and in Go:

    curl http://127.0.0.1:8081/_ctl/v1/faults -d '{"target":"link","kind":"freeze","params":{"for":"30s"},"on":"session.will_expire","user":"alice"}'

    id, err := server.AddFault(fakeserver.Fault{
        Target: fakeserver.FaultLink, Kind: "freeze", Params: fakeserver.FaultParams{"for": "30s"},
        On: fakeserver.SessionWillExpire, User: "alice",
    })

Every fault has these fields beside its parameters:

| field | meaning |
| --- | --- |
| ` + "`user`" + ` | only for this user. Calls are recognised by every place where a token server or a REST call can name a user |
| ` + "`count`" + ` | how often it applies; until it is cleared without one |
| ` + "`probability`, `seed`" + ` | the chance that it applies when it could; the same seed draws the same in every run |
`)
	fmt.Fprintf(&b, "| `on` | wait for the first journal entry of that name (and user): %s |\n", joined(FaultEvents()))
	b.WriteString("| `after` | let that much time of the emulator's clock pass first, from now or from the event |\n\n")
	b.WriteString("Several faults at one place apply one after the other, in the order in which they were added. Each application stands in the journal as\n`fault.applied`. What waits for a fault goes on when it is cleared, and ends with the emulator.\n")
	for _, target := range FaultTargets() {
		fmt.Fprintf(&b, "\n## %s\n\n| kind | what happens | parameters |\n| --- | --- | --- |\n", target)
		shared := sharedParams(target)
		for _, k := range FaultKinds() {
			if k.Target != target {
				continue
			}
			var params []string
			for _, p := range k.Params {
				if !shared[p.Name] {
					params = append(params, describeParam(p))
				}
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, k.Meaning, strings.Join(params, "<br>"))
		}
		if len(shared) > 0 {
			fmt.Fprintf(&b, "\nAll of them take")
			for i, p := range callParams() {
				fmt.Fprintf(&b, "%s `%s` (%s)", []string{"", " and"}[i], p.Name, p.Meaning)
			}
			b.WriteString(".\n")
		}
	}
	return b.String()
}

// sharedParams are those that every kind of an HTTP target has.
func sharedParams(target FaultTarget) map[string]bool {
	shared := make(map[string]bool)
	if target == FaultTokenServer || target == FaultREST {
		for _, p := range callParams() {
			shared[p.Name] = true
		}
	}
	return shared
}

func describeParam(p FaultParam) string {
	def := p.Default
	if def == "" {
		def = "empty"
	}
	about := p.Type + ", " + def
	if p.Choices != nil {
		about = strings.Join(p.Choices, ", ")
	}
	return fmt.Sprintf("`%s`: %s (%s)", p.Name, p.Meaning, about)
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// goBenchmark is a result of go test -bench: its values by their units, one for each time that it ran.
type goBenchmark struct {
	name   string
	values map[string][]float64
}

func (g goBenchmark) median(unit string) float64 { return spreadOf(g.values[unit]).Median }

// more is what it measured of its own.
func (g goBenchmark) more() string {
	late := g.values["ms-late"]
	if late == nil {
		return ""
	}
	return fmt.Sprintf("100,000 expiries at one instant: the last is %s ms late, %s are early", number(g.median("ms-late")), number(spreadOf(g.values["early"]).Max))
}

// goBenchmarks runs those of the product that the table is about.
func goBenchmarks() ([]goBenchmark, error) {
	var all []goBenchmark
	for _, x := range []struct{ pkg, names string }{
		{"internal/agoratoken", "^Benchmark(Admit|Floor|Official|BuildUser|Read)$"},
		{"internal/msync", "^Benchmark(EncodeText|DecodeText|PlainText|Abridge)$"},
		{"fakeserver", "^Benchmark(Message|MessageAmong|JournalAppend|JournalFrame|AskWithoutFaults|AskWithFaults|ExpiryStorm)$"},
		{"session", "^BenchmarkStep$"},
		{"tui", "^BenchmarkUpdateView$"},
	} {
		fmt.Fprintln(os.Stderr, "go test -bench:", x.pkg)
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", x.names, "-benchmem", "-count", "5", "-benchtime", "200ms", "./"+x.pkg)
		cmd.Dir = ".."
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go test -bench in %s: %w", x.pkg, err)
		}
		all = append(all, parseBenchmarks(x.pkg, string(out))...)
	}
	return all, nil
}

// parseBenchmarks reads what go test prints.
func parseBenchmarks(pkg, out string) []goBenchmark {
	var all []goBenchmark
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := pkg + " " + strings.TrimPrefix(f[0], "Benchmark")
		if i := strings.LastIndex(name, "-"); i > 0 {
			name = name[:i]
		}
		i := slices.IndexFunc(all, func(g goBenchmark) bool { return g.name == name })
		if i < 0 {
			i = len(all)
			all = append(all, goBenchmark{name, make(map[string][]float64)})
		}
		for n := 2; n+1 < len(f); n += 2 {
			var v float64
			if _, err := fmt.Sscan(f[n], &v); err == nil {
				all[i].values[f[n+1]] = append(all[i].values[f[n+1]], v)
			}
		}
	}
	return all
}

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// figures are what one server came to, by the names of what was measured, one value a run.
type figures map[string][]float64

func (f figures) add(name string, v float64) { f[name] = append(f[name], v) }

// report is everything that was measured.
type report struct {
	runs    int
	lasts   time.Duration // each measurement of traffic
	servers map[string]figures
	harm    map[string]*harm
	golang  []goBenchmark
}

// goal is a line of the table. What it measures is a ratio to another server of the same run where per names one.
type goal struct {
	name, key, must, aim string
	per                  string
	lower                bool // is better
	mustBe, aimAt        float64
}

// flat is when a cost does not grow with the number of connections or users: by no more than a quarter while that number grows tenfold or a
// thousandfold, or by that much more than the bare echo's cost grows in the same run, where there is one.
const (
	flat      = "flat: ≤ 1.25"
	flatBound = 1.25
)

var goals = []goal{
	{"KB per idle logged-in connection, 10,000 of them", "KB@10k", "≤ 14", "≤ 10", "", true, 14, 10},
	{"KB per idle logged-in connection, 1,000 of them", "KB@1k", "", "", "", true, 0, 0},
	{"how that grows from 1,000 to 10,000, ÷ the echo's growth", "KBgrown", flat, "", "echo", true, flatBound, 0},
	{"µs of server CPU per idle connection and minute, with a heartbeat each, 10,000 of them", "stand@10k", "", "", "", true, 0, 0},
	{"the same, 1,000 of them", "stand@1k", "", "", "", true, 0, 0},
	{"how that grows from 1,000 to 10,000, ÷ the echo's growth", "standgrown", flat, "", "echo", true, flatBound, 0},
	{"µs of server CPU per login, when 10,000 come and stay", "come@10k", "", "", "", true, 0, 0},
	{"the same, when 1,000 come", "come@1k", "", "", "", true, 0, 0},
	{"how that grows from 1,000 to 10,000, ÷ the echo's growth", "comegrown", flat, "", "echo", true, flatBound, 0},
	{"acknowledged, stored 1:1 messages per second, 16 in flight, ÷ echo", "w16", "≥ 0.9", "≥ 1.2", "echo", false, 0.9, 1.2},
	{"the same, 1 in flight, ÷ echo", "w1", "≥ 0.6", "≥ 0.9", "echo", false, 0.6, 0.9},
	{"messages per second of CPU, of server and clients together, 16 in flight, ÷ echo", "per16", "≥ 0.9", "≥ 1.2", "echo", false, 0.9, 1.2},
	{"the same, 1 in flight, ÷ echo", "per1", "≥ 0.6", "≥ 0.9", "echo", false, 0.6, 0.9},
	{"server CPU per message at 16 in flight, ÷ echo", "cpu16", "", "", "echo", true, 0, 0},
	{"server CPU per message at 1 in flight, ÷ echo", "cpu1", "", "", "echo", true, 0, 0},
	{"ms from when a message was due until acknowledged, at 5,000 a second, p50", "p50", "≤ 0.10", "≤ 0.05", "", true, 0.10, 0.05},
	{"the same, p99", "p99", "≤ 0.5", "≤ 0.25", "", true, 0.5, 0.25},
	{"the same, p99.9", "p999", "", "", "", true, 0, 0},
	{"of that the load generator's own lateness, p99", "late", "", "", "", true, 0, 0},
	// The goals in ms are from a machine on which the relay took 0.042 and 0.237; this one moves by a factor of two, and others are slower.
	{"ms until acknowledged at that rate, p50 ÷ relay", "p50", "≤ 2.38", "≤ 1.19", "relay", true, 0.10 / 0.042, 0.05 / 0.042},
	{"the same, p99 ÷ relay", "p99", "≤ 2.11", "≤ 1.05", "relay", true, 0.5 / 0.237, 0.25 / 0.237},
	{"ms from when it was due until delivered, p50", "delivered", "", "", "", true, 0, 0},
	{"server CPU per message among 9,800 users ÷ among 10, 5,000 messages a second", "grown", "", "", "", true, 0, 0},
	{"the same ÷ the echo's growth", "grown", flat, "", "echo", true, flatBound, 0},
	{"logins a second ÷ bare connects", "logins", "≥ 0.65", "≥ 0.8", "echo", false, 0.65, 0.8},
	{"logins per second of CPU, of server and clients together, ÷ bare connects", "perlogin", "≥ 0.65", "≥ 0.8", "echo", false, 0.65, 0.8},
	{"server CPU per login ÷ bare connect", "cpulogin", "", "", "echo", true, 0, 0},
	{"one push to 10,000 clients, p50 ms", "push50", "≤ 60", "≤ 40", "", true, 60, 40},
	{"the same, last one, ms", "pushmax", "≤ 150", "≤ 80", "", true, 150, 80},
	// The goals in ms are from a machine on which the relay took 44 and 80; this one moves by a factor of two.
	{"one push to 10,000 clients, p50 ÷ relay", "push50", "≤ 1.36", "≤ 0.91", "relay", true, 60.0 / 44, 40.0 / 44},
	{"the same, last one, ÷ relay", "pushmax", "≤ 1.88", "≤ 1.0", "relay", true, 150.0 / 80, 1},
	{"renewal storm, 10,000 clients fetch and renew, s", "renew", "≤ 3", "≤ 1.5", "", true, 3, 1.5},
	{"errors in that storm", "renewerrors", "0", "", "", true, 0, 0},
}

// A token's three HMACs take six times as long on a processor without instructions for SHA-256, so verification is also compared with those
// alone. They took 1.13 µs where the goals are from.
var (
	verification = goal{"token verification, µs", "", "≤ 3", "≤ 2", "", true, 3, 2}
	garbage      = goal{"the same, bytes allocated", "", "≤ 2048", "≤ 512", "", true, 2048, 512}
	overFloor    = goal{"the same ÷ its three HMAC-SHA256 alone", "", "", "", "", true, 0, 0}
	lateness     = goal{"lateness of 100,000 expiries at one instant, last one, ms", "", "≤ 15", "≤ 6", "", true, 15, 6}
	growth       = goal{"a message among 10,000 users ÷ one among 10, without sockets, time", "", flat, "", "", true, flatBound, 0}
)

func newReport(runs int) *report {
	r := &report{runs: runs, servers: make(map[string]figures), harm: make(map[string]*harm)}
	for _, name := range measured {
		r.servers[name], r.harm[name] = make(figures), new(harm)
	}
	return r
}

// of is a goal's figure of a server; false means that it was not measured there.
func (r *report) of(g goal, name string) (spread, bool) {
	values := slices.Clone(r.servers[name][g.key])
	if len(values) == 0 || g.per == name {
		return spread{}, false
	}
	if g.per != "" {
		for i := range values {
			values[i] /= r.servers[g.per][g.key][i]
		}
	}
	return spreadOf(values), true
}

// verdict says how a figure stands to its goal.
func (g goal) verdict(v float64) string {
	holds := func(limit float64) bool {
		if g.lower {
			return v <= limit
		}
		return v >= limit
	}
	switch {
	case g.must == "":
		return ""
	case g.aim != "" && holds(g.aimAt):
		return "aim reached"
	case holds(g.mustBe):
		return "holds"
	default:
		return "**missed**"
	}
}

// markdown is the generated part of docs/performance.md.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s on %s: %d cores shared by the server and the load generator, %s. Medians of %d runs with their range, %v of each kind\n"+
		"of traffic in each run; ratios are to the bare gorilla/websocket echo of the same run.\n\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), processor(), runtime.NumCPU(), load(), r.runs, r.lasts)
	b.WriteString("![ratios to the bare echo](performance.svg)\n\n")
	b.WriteString("| figure | must hold | aim | ttlchat | | relay | echo |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, g := range goals {
		cells := make(map[string]string)
		verdict, any := "", false
		for _, name := range measured {
			s, ok := r.of(g, name)
			if !ok {
				cells[name] = "–"
				continue
			}
			cells[name], any = s.String(), true
			if name == "ttlchat" {
				verdict = g.verdict(s.Median)
			}
		}
		if any {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", g.name, g.must, g.aim, cells["ttlchat"], verdict, cells["relay"], cells["echo"])
		}
	}
	for _, x := range []struct {
		goal
		values []float64
	}{
		{verification, r.golangValues("agoratoken Admit", "ns/op", "", 1000)},
		{garbage, r.golangValues("agoratoken Admit", "B/op", "", 1)},
		{overFloor, r.golangValues("agoratoken Admit", "ns/op", "agoratoken Floor", 1)},
		{lateness, r.golangValues("ExpiryStorm", "ms-late", "", 1)},
		{growth, r.golangValues("MessageAmong/users=10000", "ns/op", "MessageAmong/users=10", 1)},
	} {
		if len(x.values) > 0 {
			s := spreadOf(x.values)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | – | – |\n", x.name, x.must, x.aim, s, x.verdict(s.Median))
		}
	}
	for _, x := range []struct{ key, name string }{
		{"w16", "messages a second with 16 in flight"}, {"w1", "messages a second with 1 in flight"}, {"logins", "connects a second"},
	} {
		if values := r.servers["echo"][x.key]; len(values) > 0 {
			fmt.Fprintf(&b, "\nThe echo itself: %s %s.", spreadOf(values), x.name)
		}
	}
	b.WriteString("\n\n")
	b.WriteString("| server | messages sent | lost | doubled | reordered | not from their sender | unacknowledged | acknowledged again | failures |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, name := range measured {
		h := r.harm[name]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n",
			name, h.Sent, h.Lost, h.Doubled, h.Reordered, h.Foreign, h.Unacked, h.Overacked, h.Failed)
	}
	if len(r.golang) > 0 {
		b.WriteString("\nGo benchmarks, medians:\n\n| benchmark | ns | B | allocations | more |\n| --- | --- | --- | --- | --- |\n")
	}
	for _, g := range r.golang {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", g.name, number(g.median("ns/op")), number(g.median("B/op")), number(g.median("allocs/op")), g.more())
	}
	fmt.Fprintf(&b, "\nVersions: ttlchat %s, %s, %s.\n", commit(), runtime.Version(), modules())
	return b.String()
}

// sound is an error when something came to harm.
func (r *report) sound() error {
	var errs []error
	for _, name := range measured {
		if h := *r.harm[name]; h.any() {
			errs = append(errs, fmt.Errorf("something came to harm at the %s: %+v", name, h))
		}
	}
	return errors.Join(errs...)
}

// golangValues are the values of the Go benchmark whose name ends so, one for each time that it ran, divided by those of another, where that is
// named, and by a unit.
func (r *report) golangValues(name, value, per string, unit float64) []float64 {
	of := func(name string) []float64 {
		i := slices.IndexFunc(r.golang, func(g goBenchmark) bool { return strings.HasSuffix(g.name, name) })
		if i < 0 {
			return nil
		}
		return slices.Clone(r.golang[i].values[value])
	}
	values := of(name)
	for i := range values {
		values[i] /= unit
		if per != "" {
			values[i] /= of(per)[i]
		}
	}
	return values
}

// number prints three digits that count.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

func processor() string {
	raw, _ := os.ReadFile("/proc/cpuinfo") // only for the caption
	_, rest, _ := strings.Cut(string(raw), "model name\t: ")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(name)
}

// load is what else the machine had to do.
func load() string {
	raw, _ := os.ReadFile("/proc/loadavg") // only for the caption
	return "load average at the end " + strings.Join(strings.Fields(string(raw))[:min(3, len(strings.Fields(string(raw))))], " ")
}

// commit is the one that is measured, with a mark when files differ from it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return "of no known commit" // only for the caption
	}
	return strings.TrimSpace(string(out))
}

func modules() string {
	info, _ := debug.ReadBuildInfo()
	var list []string
	for _, d := range info.Deps {
		if strings.Contains(d.Path, "gorilla") || strings.Contains(d.Path, "protobuf") || strings.Contains(d.Path, "Agora") {
			list = append(list, d.Path+" "+d.Version)
		}
	}
	return strings.Join(list, ", ")
}

// The generated part of the document stands between these lines.
const (
	beginMark = "<!-- generated by bench: begin -->"
	endMark   = "<!-- generated by bench: end -->"
)

// write puts the generated part into the document, and the plot beside it.
func (r *report) write(path string) error {
	old, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		old = []byte("# Performance\n\n" + beginMark + "\n" + endMark + "\n")
	} else if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !found || !ended {
		return fmt.Errorf("%s has no lines %q and %q", path, beginMark, endMark)
	}
	text := before + beginMark + "\n" + r.markdown() + endMark + after
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(path, ".md")+".svg", []byte(r.plot()), 0o644)
}

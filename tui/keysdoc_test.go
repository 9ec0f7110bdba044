package tui

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ttlchat/ttlchat/internal/command"
)

// keysDocument is docs/keys.md, made of the table of actions and of the commands.
func keysDocument() string {
	var b strings.Builder
	b.WriteString("# Keys and commands\n\nGenerated from the table in tui/keys.go: `make keys` writes it anew.\n\n" +
		"`^R` is Ctrl+R. A key that cannot act now says why. On the screen `?` or F1 shows those that make sense where one is, and `^K` finds\n" +
		"everything by its name.\n")
	panels := append(panels(), playEntry())
	all := actions(panels)
	section := func(title string, panel int) {
		fmt.Fprintf(&b, "\n## %s\n\n| key | command | what it does |\n| --- | --- | --- |\n", title)
		for _, a := range all {
			if a.panel == panel && a.explain() != "" {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", code(a.keys.Help().Key), code(strings.TrimSpace(a.command+" "+a.args())), cell(a.explain()))
			}
		}
	}
	section("Everywhere", anywhere)
	section("On the login screen", loginForm)
	for i, p := range panels {
		if len(p.keys) > 0 {
			section("In the panel “"+p.name+"”", i)
		}
	}
	b.WriteString("\n## Commands without a key\n\n| command | what it does |\n| --- | --- |\n")
	m := model{actions: all}
	for _, c := range m.otherCommands() {
		fmt.Fprintf(&b, "| %s | %s |\n", code(strings.TrimSpace(c.Name+" "+c.Args)), cell(c.Help))
	}
	b.WriteString("\nA line that begins with `//` sends the rest of it with one `/`. Headless mode knows the commands")
	for _, c := range command.Table() {
		b.WriteString(" `" + c.Name + "`")
	}
	b.WriteString(".\n")
	return b.String()
}

// keysTable is the short table of the README: what has a word on the screen.
func keysTable() string {
	var b strings.Builder
	b.WriteString("| key | command | what it does |\n| --- | --- | --- |\n")
	for _, a := range actions(nil) {
		if a.keys.Help().Desc != "" {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", a.keys.Help().Key, a.command, cell(a.explain()))
		}
	}
	return b.String()
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// TestKeysDocument holds docs/keys.md and the README's table to the table of actions; with -update it writes them.
func TestKeysDocument(t *testing.T) {
	const readme = "../README.md"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)<!-- keys: written by make keys -->\n.*?<!-- end -->`)
	if !table.Match(text) {
		t.Fatalf("%s has no place for the table of keys", readme)
	}
	whole := table.ReplaceAllLiteralString(string(text), "<!-- keys: written by make keys -->\n"+keysTable()+"<!-- end -->")
	for file, want := range map[string]string{readme: whole, "../docs/keys.md": keysDocument()} {
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // a document for everybody
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want { //nolint:gosec // one of two documents
			t.Errorf("%s is not what the table of actions says (%v); make keys writes it", file, err)
		}
	}
}

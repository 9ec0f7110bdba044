package scenario

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/ttlchat/ttlchat/internal/printable"
)

//go:embed library/*.yaml
var library embed.FS

// Library returns the built-in scenarios in the order of their names. They are read once and shared: nobody may change them.
func Library() []*Scenario { return slices.Clone(readLibrary()) }

var readLibrary = sync.OnceValue(func() []*Scenario {
	files, err := fs.Glob(library, "library/*.yaml")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	var list []*Scenario
	for _, name := range files {
		content, err := library.ReadFile(name)
		if err != nil {
			panic(err) // it was just listed
		}
		s, err := Parse(strings.TrimPrefix(name, "library/"), content)
		if err != nil {
			panic(err) // a test reads them all
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *Scenario) int { return strings.Compare(a.Name, b.Name) })
	return list
})

// Find returns a built-in scenario by its name. The error names those that are nearest.
func Find(name string) (*Scenario, error) {
	all := Library()
	i := slices.IndexFunc(all, func(s *Scenario) bool { return s.Name == name })
	if i >= 0 {
		return all[i], nil
	}
	var near []string
	for _, s := range all {
		if strings.EqualFold(s.Name, name) { // nothing is nearer
			near = []string{s.Name}
			break
		}
		if shareWord(name, s.Name) {
			near = append(near, s.Name)
		}
	}
	if near == nil {
		return nil, fmt.Errorf("there is no scenario %q; run --list shows all %d", printable.Line(name, 64), len(all))
	}
	return nil, fmt.Errorf("there is no scenario %q; do you mean %s?", printable.Line(name, 64), strings.Join(near[:min(len(near), 5)], ", "))
}

// shareWord reports whether two names in kebab-case have a word in common.
func shareWord(a, b string) bool {
	words := strings.Split(b, "-")
	return slices.ContainsFunc(strings.Split(a, "-"), func(word string) bool { return word != "" && slices.Contains(words, word) })
}

// Source returns the text of a built-in scenario, as somebody who writes one of their own wants to read it.
func Source(name string) (string, error) {
	s, err := Find(name)
	if err != nil {
		return "", err
	}
	content, err := library.ReadFile("library/" + s.File)
	return string(content), err
}

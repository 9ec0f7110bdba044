package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// Bounds of a file. A scenario is a page or two long; what the YAML library needs for long lines and deep nesting grows with their square.
const (
	maxFile     = 64 << 10
	maxLine     = 2000
	maxBrackets = 1000
	maxDepth    = 20
	maxProblems = 10
)

// Problem is something wrong with a file, and where.
type Problem struct {
	File         string
	Line, Column int
	Message      string
}

// Error writes the problem as compilers do: FILE:LINE:COL: what is wrong and what would be right.
func (p *Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", printable.Line(p.File, 200), p.Line, p.Column, p.Message)
}

// Problems are all that is wrong with a file, in the order of the lines.
type Problems []*Problem

// Error has one problem a line.
func (p Problems) Error() string {
	var lines []string
	for _, each := range p[:min(len(p), maxProblems)] {
		lines = append(lines, each.Error())
	}
	if more := len(p) - maxProblems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Parse reads a scenario; file is its name for messages. The error is of type [Problems].
func Parse(file string, content []byte) (*Scenario, error) {
	d := &decoder{file: file, at: make(map[string]position)}
	s := &Scenario{File: file}
	if body := d.body(content); body != nil {
		d.decode("", body, reflect.ValueOf(s).Elem())
		if len(d.problems) == 0 {
			s.validate(d)
		}
	}
	if len(d.problems) > 0 {
		slices.SortStableFunc(d.problems, func(a, b *Problem) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		return nil, d.problems
	}
	return s, nil
}

// Read reads a scenario from a file, and no more of it than a scenario can have.
func Read(file string) (*Scenario, error) {
	f, err := os.Open(file) //nolint:gosec // the user names a file of their own
	if err != nil {
		return nil, fmt.Errorf("the scenario cannot be read: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("the scenario cannot be read: %w", err)
	}
	return Parse(file, content)
}

type position struct{ line, column int }

// decoder fills structs from YAML, strictly, and remembers where each value stands.
type decoder struct {
	file     string
	at       map[string]position // by path, such as steps[2].fault.kind
	problems Problems
	depth    int
}

func (d *decoder) problem(at position, format string, args ...any) {
	d.problems = append(d.problems, &Problem{d.file, max(at.line, 1), max(at.column, 1), fmt.Sprintf(format, args...)})
}

// wrong is problem at the place of a path, or of the nearest thing around it.
func (d *decoder) wrong(path, format string, args ...any) {
	for around := path; ; around = around[:strings.LastIndexAny(around, ".[")] {
		if at, ok := d.at[around]; ok {
			d.problem(at, format, args...)
			return
		}
		if !strings.ContainsAny(around, ".[") {
			d.problem(position{}, format, args...)
			return
		}
	}
}

// body is the one document of a file, nil when there is a problem.
func (d *decoder) body(content []byte) ast.Node {
	if len(content) > maxFile {
		d.problem(position{}, "the file has more than %d KiB, which is no scenario", maxFile>>10)
		return nil
	}
	line := 0
	for text := range bytes.Lines(content) {
		if line++; len(text) > maxLine {
			d.problem(position{line, maxLine}, "the line has more than %d bytes; break it, a long text is written behind >-", maxLine)
			return nil
		}
	}
	if bytes.Count(content, []byte("["))+bytes.Count(content, []byte("{")) > maxBrackets {
		d.problem(position{}, "the file has more than %d brackets, which is no scenario", maxBrackets)
		return nil
	}
	parsed, err := parser.ParseBytes(content, 0)
	if err != nil {
		at := position{}
		text := err.Error()
		if e, ok := errors.AsType[yaml.Error](err); ok {
			at, text = placeOf(e.GetToken()), e.GetMessage()
		}
		d.problem(at, "this is not YAML: %s", printable.Line(text, 200))
		return nil
	}
	var bodies []ast.Node
	for _, doc := range parsed.Docs {
		if doc != nil && doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		d.problem(position{}, "the file is empty; a scenario begins with name: and story:")
		return nil
	case 1:
		return bodies[0]
	default:
		d.problem(startOf(bodies[1]), "a file holds one scenario; put the next one into a file of its own")
		return nil
	}
}

func placeOf(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{t.Position.Line, t.Position.Column}
}

// startOf is where a value begins: a mapping's own token is the colon behind its first key.
func startOf(n ast.Node) position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return startOf(n.Values[0])
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key.GetToken())
	}
	return placeOf(n.GetToken())
}

// parsed is a value that is written as one text.
type parsed interface{ parse(string) error }

func (d *decoder) decode(path string, n ast.Node, into reflect.Value) {
	if d.depth++; d.depth > maxDepth {
		d.problem(startOf(n), "this is nested too deep for a scenario")
		return
	}
	defer func() { d.depth-- }()
	d.at[path] = startOf(n)
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if p, ok := into.Addr().Interface().(parsed); ok {
		if text, ok := d.scalar(n, "a text such as "+exampleOf(into.Type())); ok {
			if err := p.parse(text); err != nil {
				d.problem(startOf(n), "%v", err)
			}
		}
		return
	}
	switch {
	case into.Kind() == reflect.Struct:
		d.structure(path, n, into)
	case into.Kind() == reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			d.problem(startOf(n), "want a list here: lines that begin with - or [a, b]")
			return
		}
		into.Set(reflect.MakeSlice(into.Type(), len(list.Values), len(list.Values)))
		for i, each := range list.Values {
			d.decode(fmt.Sprintf("%s[%d]", path, i), each, into.Index(i))
		}
	case into.Kind() == reflect.Map:
		d.mapping(path, n, into)
	default:
		d.plain(n, into)
	}
}

// scalar is the text of a plain value.
func (d *decoder) scalar(n ast.Node, want string) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.problem(startOf(n), "anchors, aliases and tags are not taken in a scenario; write the value itself")
	default:
		d.problem(startOf(n), "want %s here", want)
	}
	return "", false
}

// plain decodes what is neither a structure nor written in a form of its own.
func (d *decoder) plain(n ast.Node, into reflect.Value) {
	want := wanted(into.Type())
	text, ok := d.scalar(n, want)
	if !ok {
		return
	}
	good := true
	switch {
	case into.Type() == reflect.TypeFor[time.Duration]():
		v, err := time.ParseDuration(text)
		into.SetInt(int64(v))
		good = err == nil
	case into.Kind() == reflect.String:
		into.SetString(strings.TrimRight(text, "\n"))
	case into.Kind() == reflect.Int:
		v, err := strconv.ParseInt(text, 10, 32)
		into.SetInt(v)
		good = err == nil
	case into.Kind() == reflect.Float64:
		v, err := strconv.ParseFloat(text, 64)
		into.SetFloat(v)
		good = err == nil
	case into.Kind() == reflect.Bool:
		v, err := strconv.ParseBool(text)
		into.SetBool(v)
		good = err == nil
	}
	if !good {
		d.problem(startOf(n), "%q does not fit: want %s", printable.Line(text, 60), want)
	}
}

func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 10s or 24h"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	default:
		return "a text"
	}
}

func exampleOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Window]():
		return "0.8T..0.8T+1s"
	case reflect.TypeFor[Range]():
		return "2 or 1..3"
	default:
		return "8s or 0.8T"
	}
}

// field is one field of a struct, as the YAML knows it.
type field struct {
	name            string
	required, short bool
	doc             string
	index           int
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "-" || name == "" {
			continue
		}
		fields = append(fields, field{
			name: name, required: strings.Contains(options, "required"), short: strings.Contains(options, "short"),
			doc: t.Field(i).Tag.Get("doc"), index: i,
		})
	}
	return fields
}

// pairs lists the keys of a mapping; false means that it is none.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	default:
		return nil, false
	}
}

func (d *decoder) structure(path string, n ast.Node, into reflect.Value) {
	fields := fieldsOf(into.Type())
	list, ok := pairs(n)
	if !ok {
		d.shorthand(path, n, into, fields)
		return
	}
	seen := map[string]bool{}
	for _, pair := range list {
		name, at := keyOf(pair)
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			d.problem(at, "there is no key %q here; known: %s", printable.Line(name, 40), strings.Join(names(fields), ", "))
			continue
		}
		if seen[name] {
			d.problem(at, "%s stands here twice", name)
			continue
		}
		seen[name] = true
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		if _, empty := pair.Value.(*ast.NullNode); empty || pair.Value == nil {
			d.problem(at, "%s has no value; give it one, or leave the line out", name)
			continue
		}
		d.decode(inner, pair.Value, into.Field(fields[i].index))
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			d.problem(startOf(n), "%s is missing: %s", f.name, lowerFirst(f.doc))
		}
	}
}

// shorthand fills the one field that a plain value stands for.
func (d *decoder) shorthand(path string, n ast.Node, into reflect.Value, fields []field) {
	if i := slices.IndexFunc(fields, func(f field) bool { return f.short }); i >= 0 {
		d.plain(n, into.Field(fields[i].index))
		d.at[path+"."+fields[i].name] = startOf(n)
		return
	}
	d.problem(startOf(n), "want keys here: %s", strings.Join(names(fields), ", "))
}

func (d *decoder) mapping(path string, n ast.Node, into reflect.Value) {
	list, ok := pairs(n)
	if !ok {
		d.problem(startOf(n), "want keys with values here, such as {status: 503}")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, pair := range list {
		name, at := keyOf(pair)
		value := reflect.New(into.Type().Elem()).Elem()
		if pair.Value == nil {
			d.problem(at, "%s has no value", printable.Line(name, 40))
			continue
		}
		inner := path + "." + name
		d.decode(inner, pair.Value, value)
		d.at[inner] = at
		into.SetMapIndex(reflect.ValueOf(name), value)
	}
}

func keyOf(pair *ast.MappingValueNode) (string, position) {
	t := pair.Key.GetToken()
	if t == nil {
		return "", position{}
	}
	return t.Value, placeOf(t)
}

func names(fields []field) []string {
	var list []string
	for _, f := range fields {
		list = append(list, f.name)
	}
	return list
}

func lowerFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// sortedKeys lists a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

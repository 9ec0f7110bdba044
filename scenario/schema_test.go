package scenario

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "write scenario.schema.json anew")

func TestSchemaFileIsFresh(t *testing.T) {
	if *update {
		if err := os.WriteFile("scenario.schema.json", generatedSchema(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(SchemaFile, generatedSchema()) {
		t.Error("scenario.schema.json is stale; go test ./scenario -run TestSchemaFileIsFresh -update writes it anew")
	}
}

// The schema takes what the parser takes.
func TestLibraryFitsTheSchema(t *testing.T) {
	for _, s := range Library() {
		text, err := Source(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := fitsSchema(t, text); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	if err := fitsSchema(t, whole); err != nil {
		t.Error(err)
	}
}

// And it finds what an editor can find without running anything.
func TestBrokenFilesDoNotFitTheSchema(t *testing.T) {
	for _, tc := range [][2]string{
		{"ttl: 20s", "tll: 20s"},
		{"ttl: 20s", "ttl: soon"},
		{"ttl: 20s", "profile: windows"},
		{"name: late-token\n", ""},
		{"until: 1.2T\n", ""},
		{"params: {status", "parms: {status"},
		{"target: token-server", "target: server"},
		{"final: online", "final: onlin"},
		{"never: [token.expired]", "never: token.expired"},
		{"    fault:", "    network: down\n    fault:"},
		{"[token.expired]", "[{event: token.expired, in: 1T}]"},
		{"final: online", "requests: few"},
		{"at: 0.75T", "at: soon!"},
	} {
		text := strings.Replace(whole, tc[0], tc[1], 1)
		if _, err := Parse("f.yaml", []byte(text)); err == nil {
			t.Errorf("%q is no mistake", tc[1])
		}
		if fitsSchema(t, text) == nil {
			t.Errorf("the schema takes %q", tc[1])
		}
	}
}

func fitsSchema(t *testing.T, text string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(SchemaFile, &schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(asJSON, &value); err != nil {
		t.Fatal(err)
	}
	return validator{schema}.fits(schema, value, "")
}

// validator knows as much of JSON Schema as the generator uses, and fails for a word that it does not know.
type validator struct{ root map[string]any }

func (v validator) fits(schema map[string]any, value any, at string) error {
	wrong := func(format string, args ...any) error { return fmt.Errorf(at+": "+format, args...) }
	for _, word := range sortedKeys(schema) {
		want := schema[word]
		var err error
		switch word {
		case "$schema", "title", "description", "$defs":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/$defs/")
			err = v.fits(v.root["$defs"].(map[string]any)[name].(map[string]any), value, at)
		case "type":
			if types, ok := want.([]any); ok {
				if !slices.ContainsFunc(types, func(t any) bool { return isType(t.(string), value) }) {
					err = wrong("%v is none of %v", value, types)
				}
			} else if !isType(want.(string), value) {
				err = wrong("%v is no %v", value, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), value) {
				err = wrong("%v is not among %v", value, want)
			}
		case "const":
			if value != want {
				err = wrong("%v is not %v", value, want)
			}
		case "minimum":
			if n, ok := value.(float64); ok && n < want.(float64) {
				err = wrong("%v is too little", value)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(want.(string)).MatchString(text) {
				err = wrong("%q does not match %v", text, want)
			}
		case "anyOf", "oneOf":
			fitting := 0
			for _, each := range want.([]any) {
				if v.fits(each.(map[string]any), value, at) == nil {
					fitting++
				}
			}
			if fitting == 0 || word == "oneOf" && fitting > 1 {
				err = wrong("%d alternatives of %s fit", fitting, word)
			}
		case "required":
			for _, name := range want.([]any) {
				if object, ok := value.(map[string]any); ok {
					if _, there := object[name.(string)]; !there {
						err = wrong("%v is missing", name)
					}
				}
			}
		case "properties":
			object, _ := value.(map[string]any)
			for name, inner := range object {
				if property, known := want.(map[string]any)[name]; known && err == nil {
					err = v.fits(property.(map[string]any), inner, at+"/"+name)
				}
			}
		case "additionalProperties":
			object, _ := value.(map[string]any)
			known, _ := schema["properties"].(map[string]any)
			for name, inner := range object {
				if _, is := known[name]; is || err != nil {
					continue
				}
				if other, ok := want.(map[string]any); ok {
					err = v.fits(other, inner, at+"/"+name)
				} else {
					err = wrong("%s is not known", name)
				}
			}
		case "items":
			list, _ := value.([]any)
			for i, each := range list {
				if err == nil {
					err = v.fits(want.(map[string]any), each, fmt.Sprintf("%s/%d", at, i))
				}
			}
		default:
			err = wrong("the schema has the word %q, which this test does not know", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isType(name string, value any) bool {
	switch value := value.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && value == float64(int64(value))
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	default:
		return false
	}
}

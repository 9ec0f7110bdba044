package fakeserver

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// FaultParam describes one parameter of a kind of fault.
type FaultParam struct {
	Name string `json:"name"`
	// Type is text, number, duration, boolean or choice.
	Type string `json:"type"`
	// Choices are the values of a choice.
	Choices []string `json:"choices,omitempty"`
	// Default is what an absent parameter means.
	Default string `json:"default"`
	Meaning string `json:"meaning"`
	// min and max bound a number, or a duration in nanoseconds.
	min, max int64
}

// maxFaultText bounds a text parameter in bytes.
const maxFaultText = 16 << 10

func textParam(name, def, meaning string) FaultParam {
	return FaultParam{Name: name, Type: "text", Default: def, Meaning: meaning}
}

func numberParam(name string, def, least, most int64, meaning string) FaultParam {
	return FaultParam{Name: name, Type: "number", Default: strconv.FormatInt(def, 10), Meaning: meaning, min: least, max: most}
}

// maxFaultWait bounds every duration of a fault.
const maxFaultWait = 365 * 24 * time.Hour

func durationParam(name string, def time.Duration, meaning string) FaultParam {
	return FaultParam{Name: name, Type: "duration", Default: def.String(), Meaning: meaning, max: int64(maxFaultWait)}
}

func boolParam(name string, def bool, meaning string) FaultParam {
	return FaultParam{Name: name, Type: "boolean", Default: strconv.FormatBool(def), Meaning: meaning}
}

func choiceParam(name, meaning string, choices ...string) FaultParam {
	return FaultParam{Name: name, Type: "choice", Choices: choices, Default: choices[0], Meaning: meaning}
}

// check says what is wrong with a value.
func (p FaultParam) check(value string) error {
	shown := printable.Line(value, 60)
	switch p.Type {
	case "number":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < p.min || n > p.max {
			return fmt.Errorf("%s %q: want a number from %d to %d", p.Name, shown, p.min, p.max)
		}
	case "duration":
		d, err := time.ParseDuration(value)
		if err != nil || int64(d) < p.min || int64(d) > p.max {
			return fmt.Errorf("%s %q: want a duration such as 4s or 10m, from %v to %v", p.Name, shown, time.Duration(p.min), time.Duration(p.max))
		}
	case "boolean":
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%s %q: want true or false", p.Name, shown)
		}
	case "choice":
		if !slices.Contains(p.Choices, value) {
			return fmt.Errorf("%s %q: want %s", p.Name, shown, strings.Join(p.Choices, ", "))
		}
	default:
		if len(value) > maxFaultText {
			return fmt.Errorf("%s: want at most %d bytes", p.Name, maxFaultText)
		}
	}
	return nil
}

// faultValues are the checked parameters of a fault, defaults included. The readers know that they are well-formed.
type faultValues map[string]string

func (v faultValues) number(name string) int {
	n, _ := strconv.Atoi(v[name])
	return n
}

func (v faultValues) duration(name string) time.Duration {
	d, _ := time.ParseDuration(v[name])
	return d
}

func (v faultValues) yes(name string) bool {
	b, _ := strconv.ParseBool(v[name])
	return b
}

// fieldNames lists the JSON names of a struct's fields, for messages.
func fieldNames(into any) []string {
	t := reflect.TypeOf(into)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

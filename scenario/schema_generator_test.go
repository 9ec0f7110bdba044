package scenario

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/session"
)

// schemaNode is a JSON Schema or a part of one.
type schemaNode map[string]any

// Patterns of what is written as one text, as far as a regular expression can tell.
const (
	spanPattern    = `^[+-]?([0-9.]*T|[0-9][0-9.a-zµ]*)([+-]([0-9.]*T|[0-9][0-9.a-zµ]*))*$`
	instantPattern = `^[a-zA-Z0-9_.@/#+µ-]+$`
	windowPattern  = `^[a-zA-Z0-9_.@/#+µ-]*\.\.[a-zA-Z0-9_.@/#+µ-]*$`
	rangePattern   = `^([0-9]+|[0-9]*\.\.[0-9]+|[0-9]+\.\.)$`
	durPattern     = `^([0-9.]+(ns|us|µs|ms|s|m|h))+$`
)

// choices are the words that a field takes, by its path in the types.
func choices() map[string][]string {
	var states []string
	for _, s := range session.States() {
		states = append(states, string(s))
	}
	var targets []string
	for _, t := range fakeserver.FaultTargets() {
		targets = append(targets, string(t))
	}
	return map[string][]string{
		"Scenario.profile": Profiles(), "Scenario.app": Apps(), "FailsWith.app": Apps(),
		"Policy.on_will_expire": {"renew", "ignore", "ask"}, "Policy.on_expired": {"relogin", "renew", "ignore"},
		"EmulatorSettings.over_24h": {"cap", "refuse"}, "EmulatorSettings.expired_status": {"reason", "enum"},
		"EmulatorSettings.enforce_expiry": {"none", "close", "refuse-sends"},
		"Step.network":                    {"down", "up", "cut"}, "Do.action": {"login", "renew", "logout"}, "Trigger.event": fakeserver.TriggerEvents(),
		"Expect.final": states, "Expect.delivered": {"once"}, "Expect.why": reasons(), "Event.why": reasons(), "Fault.target": targets,
	}
}

// generatedSchema generates SchemaFile from the types.
func generatedSchema() []byte {
	g := &schemaGenerator{words: choices(), defs: schemaNode{}}
	root := g.structure(reflect.TypeFor[Scenario]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "ttlchat scenario"
	root["$defs"] = g.defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it holds nothing but texts, numbers and lists
	}
	return append(text, '\n')
}

type schemaGenerator struct {
	words map[string][]string
	defs  schemaNode
}

func matching(p string) schemaNode { return schemaNode{"type": "string", "pattern": p} }

func (g *schemaGenerator) of(t reflect.Type, path string) schemaNode {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return matching(durPattern)
	case reflect.TypeFor[Span]():
		return schemaNode{"anyOf": []schemaNode{matching(spanPattern), {"const": 0}}}
	case reflect.TypeFor[Instant]():
		return schemaNode{"anyOf": []schemaNode{matching(instantPattern), {"const": 0}}}
	case reflect.TypeFor[Window]():
		return matching(windowPattern)
	case reflect.TypeFor[Range]():
		return schemaNode{"anyOf": []schemaNode{matching(rangePattern), {"type": "integer", "minimum": 0}}}
	}
	switch t.Kind() {
	case reflect.Struct:
		if _, known := g.defs[t.Name()]; !known {
			g.defs[t.Name()] = schemaNode{} // so that nothing comes round to it again
			g.defs[t.Name()] = g.structure(t)
		}
		return schemaNode{"$ref": "#/$defs/" + t.Name()}
	case reflect.Slice:
		return schemaNode{"type": "array", "items": g.of(t.Elem(), path)}
	case reflect.Map:
		return schemaNode{"type": "object", "additionalProperties": g.of(t.Elem(), path)}
	case reflect.Int:
		return schemaNode{"type": "integer"}
	case reflect.Float64:
		return schemaNode{"type": "number"}
	case reflect.Bool:
		return schemaNode{"type": "boolean"}
	default:
		if words := g.words[path]; words != nil {
			return schemaNode{"enum": words}
		}
		return schemaNode{"type": []string{"string", "number", "boolean"}} // a number without quotes is a text as well
	}
}

func (g *schemaGenerator) structure(t reflect.Type) schemaNode {
	properties := schemaNode{}
	required := []string{}
	var short schemaNode
	for _, f := range fieldsOf(t) {
		node := g.of(t.Field(f.index).Type, t.Name()+"."+f.name)
		if f.short {
			short = node
		}
		described := schemaNode{"description": f.doc}
		for key, value := range node {
			described[key] = value
		}
		properties[f.name] = described
		if f.required {
			required = append(required, f.name)
		}
	}
	object := schemaNode{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	if t == reflect.TypeFor[Step]() {
		var one []schemaNode
		for _, f := range fieldsOf(t) {
			if !f.required {
				one = append(one, schemaNode{"required": []string{f.name}})
			}
		}
		object["oneOf"] = one
	}
	if short != nil {
		return schemaNode{"anyOf": []schemaNode{short, object}}
	}
	return object
}

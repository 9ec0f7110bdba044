package fakeserver

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ctl calls the control API and returns the answer as it is.
func (w *world) ctl(method, path, body string, header map[string]string) answer {
	w.t.Helper()
	return w.whole(method, "http://chat"+ControlPath+path, header, body)
}

// TestControlGuard: pages, foreign names and other machines are kept out, and the journal tells.
func TestControlGuard(t *testing.T) {
	for name, tt := range map[string]struct {
		header map[string]string
		token  string
		status int
		want   string
	}{
		"a program":           {nil, "", 200, "ok"},
		"127.0.0.1":           {map[string]string{"Host": "127.0.0.1:8081"}, "", 200, "ok"},
		"localhost":           {map[string]string{"Host": "localhost"}, "", 200, "ok"},
		"IPv6":                {map[string]string{"Host": "[::1]:8081"}, "", 200, "ok"},
		"the demo page":       {map[string]string{"Origin": "http://chat"}, "", 200, "ok"},
		"a page":              {map[string]string{"Origin": "https://evil.test"}, "", 403, "does not answer pages from https://evil.test"},
		"a file":              {map[string]string{"Origin": "null"}, "", 403, "does not answer pages from null"},
		"a page of its own":   {map[string]string{"Origin": "http://chat:81"}, "", 403, "does not answer pages"},
		"DNS rebinding":       {map[string]string{"Host": "evil.test", "Origin": "http://evil.test"}, "", 403, "does not answer to the host evil.test"},
		"no token":            {nil, "secret", 401, "wants its token"},
		"a wrong token":       {map[string]string{"Authorization": "Bearer guess"}, "secret", 401, "wants its token"},
		"another scheme":      {map[string]string{"Authorization": "Basic secret"}, "secret", 401, "wants its token"},
		"the token":           {map[string]string{"Authorization": "Bearer secret"}, "secret", 200, "ok"},
		"the token, a page":   {map[string]string{"Authorization": "Bearer secret", "Origin": "https://evil.test"}, "secret", 403, "does not answer pages"},
		"the token, any host": {map[string]string{"Authorization": "bearer secret", "Host": "ci.test"}, "secret", 200, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{ControlToken: tt.token}, func(t *testing.T, w *world) {
				a := w.ctl(http.MethodGet, "/health", "", tt.header)
				if a.status != tt.status || !strings.Contains(a.body, tt.want) {
					t.Errorf("%d %s", a.status, a.body)
				}
				if refused := len(w.srv.entries(ControlRefused)) == 1; refused != (tt.status != 200) {
					t.Errorf("the journal has %+v", w.srv.entries())
				}
				if tt.token != "" && strings.Contains(a.body, tt.token) {
					t.Error("the answer tells the token")
				}
			})
		})
	}
}

// TestControlReachable: where other machines can come, the API is off without a token.
func TestControlReachable(t *testing.T) {
	for _, tt := range []struct {
		address net.Addr
		token   string
		status  int
	}{
		{&net.TCPAddr{IP: net.IPv4zero, Port: 8081}, "", 403},
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 8081}, "", 403},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8081}, "", 403},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 8081}, "", 200},
		{&net.TCPAddr{IP: net.IPv4zero, Port: 8081}, "secret", 200},
	} {
		s := newServer(t, Config{ControlToken: tt.token})
		s.chatAddress = tt.address
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8081/_ctl/v1/health", nil)
		req.Header.Set("Authorization", "Bearer "+tt.token)
		w := httptest.NewRecorder()
		s.chatHandler().ServeHTTP(w, req)
		if w.Code != tt.status || s.ControlEnabled(tt.address) != (tt.status == 200) {
			t.Errorf("%v: %d %s", tt.address, w.Code, w.Body)
		}
	}
}

func TestControlMistakes(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			method, path, body string
			status             int
			want               string
		}{
			{"GET", "/nothing", "", 404, `there is no /_ctl/v1/nothing; known below /_ctl/v1: /health /state`},
			{"GET", "/", "", 404, "known below"},
			{"PATCH", "/clock", "", 405, "PATCH is not possible here; use GET or PUT"},
			{"GET", "/trigger/kick", "", 405, "use POST"},
			{"POST", "/faults", `{"target":"rest","kind":"statsu"}`, 400, `there is no fault \"statsu\" on rest; known: refuse, status, delay, hang, seconds`},
			{"POST", "/faults", `{"targte":"rest"}`, 400, `there is no field \"targte\"; known: id, target`},
			{"POST", "/faults", `x`, 400, "not the JSON that is wanted"},
			{"POST", "/faults", `{} {}`, 400, "something behind the JSON object"},
			{"POST", "/faults", `{"id":"` + strings.Repeat("x", maxControlBody) + `"}`, 413, "longer than 65536 bytes"},
			{"DELETE", "/faults/f1", "", 404, `there is no fault \"f1\"`},
			{"PUT", "/clock", `{"jmp":"1s"}`, 400, `there is no field \"jmp\"; known: offset, jump, freeze`},
			{"PUT", "/clock", `{"jump":"1"}`, 400, `jump: \"1\" is no duration`},
			{"PUT", "/clock", `{"offset":"1000000h"}`, 400, `offset: \"1000000h\" is no duration`},
			{"PUT", "/clock", ``, 400, "nothing is to change; known: offset, jump, freeze"},
			{"POST", "/trigger/boom", ``, 404, "known: will-expire, expire, kick, cut, revoke"},
			{"POST", "/trigger/kick", `{"code":208}`, 400, "code 208: want one of [206 207 216 217]"},
			{"POST", "/trigger/kick", `{"user":"Alice"}`, 400, `user \"Alice\"`},
			{"POST", "/trigger/cut", `{"code":206}`, 400, "code and reason are for kick, not for cut"},
			{"POST", "/trigger/kick", `{"usr":"alice"}`, 400, "known: user, code, reason"},
			{"GET", "/journal?sinc=1", "", 400, `there is no parameter \"sinc\"; known: since, name, user, limit, wait, timeout`},
			{"GET", "/journal?since=x", "", 400, `since \"x\"`},
			{"GET", "/journal?limit=0", "", 400, "want 1 to 1000"},
			{"GET", "/journal?wait=session.expierd", "", 400, `no journal entry is called \"session.expierd\"; known: rest.request, token.issued`},
			{"GET", "/journal?name=sesion.*", "", 400, `no journal entry is called`},
			{"GET", "/journal?wait=session.expired&timeout=1h", "", 400, "at most 10m0s"},
			{"GET", "/journal/stream?name=x", "", 400, "no journal entry"},
		} {
			a := w.ctl(tt.method, tt.path, tt.body, nil)
			if a.status != tt.status || !strings.Contains(a.body, tt.want) || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %.40s: %d %s", tt.method, tt.path, tt.body, a.status, a.body)
			}
		}
		if a := w.ctl("GET", "/journal/stream", "", map[string]string{"Last-Event-ID": "x"}); a.status != 400 {
			t.Errorf("Last-Event-ID: %d", a.status)
		}
	})
}

// TestControlNoFaults: faults on REST do not strike the API that lifts them.
func TestControlNoFaults(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.fault(Fault{Target: FaultREST, Kind: "refuse"})
		if a := w.ctl("DELETE", "/faults", "", nil); a.body != `{"cleared":1}`+"\n" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// TestControlJournal: filters, numbers to go on from, and a limit that keeps the newest.
func TestControlJournal(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.login("bob", "web")
		page := func(query string) (users []string, last uint64) {
			t.Helper()
			var got JournalPage
			a := w.ctl("GET", "/journal"+query, "", nil)
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				t.Fatalf("%s: %v", a.body, err)
			}
			for _, e := range got.Entries {
				users = append(users, string(e.Name)+" "+e.User)
			}
			return users, got.Last
		}
		for query, want := range map[string][]string{
			"":                                   {"session.opened alice", "session.opened bob"},
			"?user=bob":                          {"session.opened bob"},
			"?limit=1":                           {"session.opened bob"},
			"?name=frame.out&user=alice":         nil, // nobody knew at that time whose it was
			"?name=session.*,token.*&user=alice": {"session.opened alice"},
			"?since=99":                          nil,
			"?wait=session.opened&since=0":       {"session.opened alice"},
			"?wait=session.opened&since=0&user=bob&name=frame.in": nil,
		} {
			got, _ := page(query)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
		_, last := page("")
		if got, again := page(fmt.Sprintf("?since=%d", last)); got != nil || again != last {
			t.Errorf("after the end: %v, %d", got, again)
		}
		a := w.ctl("GET", "/journal?wait=session.closed&timeout=5s", "", nil)
		if !strings.Contains(a.body, `"timed_out":true`) {
			t.Errorf("a wait for nothing: %s", a.body)
		}
	})
}

// description is as much of OpenAPI as the tests walk.
type description struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]schema
	Items      *schema
	Required   []string
	Enum       []any
}

type operation struct {
	Parameters  []struct{ Name, In string }
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema schema }
	}
}

func described(t *testing.T) description {
	t.Helper()
	var d description
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d description) operation(t *testing.T, method, path string) operation {
	t.Helper()
	var op operation
	if err := json.Unmarshal(d.Paths[path][strings.ToLower(method)], &op); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return op
}

// TestOpenAPIRoutes: what is described is there, and the other way round.
func TestOpenAPIRoutes(t *testing.T) {
	var have, told []string
	for _, r := range controlRoutes() {
		have = append(have, r.method+" "+r.path)
	}
	for path, item := range described(t).Paths {
		for method := range item {
			if method != "parameters" {
				told = append(told, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(have)
	slices.Sort(told)
	if diff := cmp.Diff(have, told); diff != "" {
		t.Errorf("routes (-have +described):\n%s", diff)
	}
}

// TestOpenAPIFields: every type of the API has exactly the described fields, and every list of words is the described one.
func TestOpenAPIFields(t *testing.T) {
	d := described(t)
	for name, v := range map[string]any{
		"Error": ControlError{}, "Health": Health{}, "Clock": clockStateJSON{}, "ClockChange": clockChangeJSON{}, "State": State{}, "User": UserState{},
		"Device": DeviceState{}, "Session": SessionState{}, "Queue": QueueState{}, "Fault": faultJSON{}, "FaultList": FaultList{}, "FaultKind": FaultKind{},
		"FaultParam": FaultParam{}, "FaultKindList": FaultKindList{}, "Cleared": Cleared{}, "TriggerRequest": TriggerRequest{}, "Triggered": Triggered{},
		"JournalPage": JournalPage{}, "Entry": Entry{}, "FaultName": FaultName{},
	} {
		var want []string
		for _, field := range fieldNames(v) {
			if field != "-" {
				want = append(want, field)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, sorted(d.Components.Schemas[name].Properties)); diff != "" {
			t.Errorf("%s (-Go +described):\n%s", name, diff)
		}
	}
	status := append(sorted(d.Components.Schemas["Fault"].Properties), "active", "applied", "over", "left")
	slices.Sort(status)
	if diff := cmp.Diff(status, sorted(d.Components.Schemas["FaultStatus"].Properties)); diff != "" {
		t.Errorf("FaultStatus (-want +described):\n%s", diff)
	}
	var targets []any
	for _, target := range FaultTargets() {
		targets = append(targets, string(target))
	}
	if diff := cmp.Diff(targets, d.Components.Schemas["Fault"].Properties["target"].Enum); diff != "" {
		t.Errorf("targets (-Go +described):\n%s", diff)
	}
	var parameters []string
	for _, p := range d.operation(t, "GET", "/journal").Parameters {
		parameters = append(parameters, p.Name)
	}
	if diff := cmp.Diff(journalFields, parameters); diff != "" {
		t.Errorf("parameters of the journal (-Go +described):\n%s", diff)
	}
	if body := string(openAPI); !strings.Contains(strings.Join(strings.Fields(body), ""), `"enum":["`+strings.Join(TriggerEvents(), `","`)+`"]`) {
		t.Error("the events that can be triggered are not described")
	}
}

// TestOpenAPIAnswers: real answers have the described fields, and all that are required.
func TestOpenAPIAnswers(t *testing.T) {
	d := described(t)
	inWorld(t, Config{Users: []User{{"bob", ""}}}, func(t *testing.T, w *world) {
		alice := w.login("alice", "web")
		alice.say(1, "bob", "hello")
		w.login("alice", "phone").leave()
		once := `{"target":"message","kind":"status","params":{"reason":"x"},"count":1,"user":"alice","seed":1,"probability":1}`
		for _, tt := range []struct{ method, path, route, body string }{
			{"GET", "/health", "/health", ""},
			{"POST", "/faults", "/faults", once},
			{"GET", "/faults", "/faults", ""},
			{"GET", "/fault-kinds", "/fault-kinds", ""},
			{"GET", "/state", "/state", ""},
			{"GET", "/clock", "/clock", ""},
			{"PUT", "/clock", "/clock", `{"offset":"1h","jump":"-1m","freeze":false}`},
			{"POST", "/trigger/will-expire", "/trigger/{event}", `{"user":"alice"}`},
			{"POST", "/trigger/expire", "/trigger/{event}", ``},
			{"POST", "/trigger/kick", "/trigger/{event}", `{"user":"alice","code":217,"reason":"x"}`},
			{"POST", "/trigger/cut", "/trigger/{event}", `{}`},
			{"POST", "/trigger/revoke", "/trigger/{event}", `{}`},
			{"GET", "/journal?since=0&name=*", "/journal", ""},
			{"DELETE", "/faults/f1", "/faults/{id}", ""},
			{"DELETE", "/faults", "/faults", ""},
			{"POST", "/reset", "/reset", ""},
			{"GET", "/openapi.json", "/openapi.json", ""},
		} {
			a := w.ctl(tt.method, tt.path, tt.body, nil)
			var got any
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 {
				t.Errorf("%s %s: %d %s", tt.method, tt.path, a.status, a.body)
				continue
			}
			op := d.operation(t, tt.method, tt.route)
			d.check(t, tt.method+" "+tt.path, op.Responses["200"].Content["application/json"].Schema, got)
			var sent any
			if tt.body != "" && json.Unmarshal([]byte(tt.body), &sent) == nil {
				d.check(t, tt.method+" "+tt.path+" body", op.RequestBody.Content["application/json"].Schema, sent)
			}
		}
		failed := w.ctl("GET", "/nothing", "", nil)
		var got any
		if err := json.Unmarshal([]byte(failed.body), &got); err != nil {
			t.Fatal(err)
		}
		d.check(t, "an error", d.operation(t, "GET", "/health").Responses["default"].Content["application/json"].Schema, got)
	})
}

// check compares a value with its description, all the way down.
func (d description) check(t *testing.T, where string, s schema, value any) {
	t.Helper()
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		target, ok := d.Components.Schemas[name]
		if !ok {
			t.Errorf("%s: there is no %s", where, name)
		}
		d.check(t, where, target, value)
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if s.Properties == nil {
			return
		}
		for field, each := range v {
			p, ok := s.Properties[field]
			if !ok {
				t.Errorf("%s: %s is not described", where, field)
				continue
			}
			d.check(t, where+"."+field, p, each)
		}
		for _, field := range s.Required {
			if _, ok := v[field]; !ok {
				t.Errorf("%s: %s is missing", where, field)
			}
		}
	case []any:
		if s.Items == nil {
			t.Errorf("%s: a list is not described", where)
			return
		}
		for _, each := range v {
			d.check(t, where+"[]", *s.Items, each)
		}
	}
}

// TestEntryNames: the list has every name that the package declares, because the control API refuses others.
func TestEntryNames(t *testing.T) {
	seen := make(map[EntryName]bool)
	for _, n := range EntryNames() {
		if seen[n] || n == "" {
			t.Errorf("%q twice", n)
		}
		seen[n] = true
	}
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.login("alice", "web")
		w.srv.Reset()
		for _, e := range w.srv.entries() {
			if !seen[e.Name] {
				t.Errorf("%s is not in the list", e.Name)
			}
		}
	})
}

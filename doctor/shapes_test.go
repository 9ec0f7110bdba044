package doctor

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/pipenet"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// shapeCase is how a shape of the emulator's token server is asked, and the defects that its original really has.
type shapeCase struct {
	preset, path string
	skipped      string // ids, in order
	want         map[string]Verdict
}

var shapeCases = map[string]shapeCase{
	// The Go sample says text/plain, takes any method, and makes a token for nobody that lives 0 s out of fields that it does not know.
	"go": {"go", "/generate-user-token", "stated-expiry", map[string]Verdict{"content-type": Warn, "missing-field": Fail, "wrong-method": Warn}},
	// It signs the UUID of the user whom it registers.
	"java": {"java-text", "/chat/user/{user}/token", "stated-expiry login renewal", map[string]Verdict{"user": Warn}},
	// The answers to GET of these two may be cached.
	"older-java": {"java-uuid", "/chat/user/uuid/{user}/token", "stated-expiry", map[string]Verdict{"cache-control": Warn}},
	"python":     {"python", "/api/token/generateUserToken", "stated-expiry", map[string]Verdict{"cache-control": Warn}},
	// An empty userId is a user for it, and gets a token for nobody.
	"java-form":  {"java", "/token/generate", "stated-expiry", map[string]Verdict{"missing-field": Fail}},
	"node":       {"node", "/api/token/generateUserToken", "stated-expiry", map[string]Verdict{}},
	"web":        {"web", "/token", "", map[string]Verdict{}},
	"flutter":    {"flutter", "/flutter/token", "stated-expiry", map[string]Verdict{}},
	"quickstart": {"quickstart", "/app/chat/user/login", "", map[string]Verdict{}},
	// Its tokens are for another service.
	"rtc": {
		"", "/fetch_rtc_token",
		"app-id genuine user second-user lifetime stated-expiry fresh clock login renewal unknown-user missing-field wrong-method burst latency",
		map[string]Verdict{"token": Fail},
	},
}

// rtcShape asks for a token for a channel; no preset does.
var rtcShape = tokenclient.Shape{
	Name: "rtc", Method: "POST", Header: map[string]string{"Content-Type": "application/json"},
	Body: `{"uid":7,"channelName":{{json .User}},"role":1}`, Accept: tokenclient.AcceptJSON, TokenField: "token",
}

// TestShapes: of each shape of our own server the doctor finds what is wrong with its original, and nothing else.
func TestShapes(t *testing.T) {
	for _, shape := range fakeserver.TokenShapes() {
		c, known := shapeCases[shape.Name]
		if !known {
			t.Errorf("nobody says what is to be found in the shape %s", shape.Name)
			continue
		}
		t.Run(shape.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report := examineShape(t, "/shape/"+shape.Name+c.path, c.preset, nil)
				if diff := cmp.Diff(c.want, findings(report)); diff != "" {
					t.Errorf("findings (-want +got):\n%s\n%s", diff, describe(report))
				}
				if got := skipped(report); got != c.skipped {
					t.Errorf("skipped %q, want %q", got, c.skipped)
				}
			})
		})
	}
}

func skipped(r Report) string {
	var ids []string
	for _, c := range r.Checks {
		if c.Verdict == Skip {
			ids = append(ids, c.ID)
		}
	}
	return strings.Join(ids, " ")
}

// TestMisconfiguredJava: the Java samples answer 200 with a sentence where the token should be.
func TestMisconfiguredJava(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		properties, err := fakeserver.ReadProperties(strings.NewReader("appid=\"\"\nappcert=\"\"\nexpire.second=6000\n"))
		if err != nil {
			t.Fatal(err)
		}
		report := examineShape(t, "/chat/user/{user}/token", "java-text", &properties)
		if diff := cmp.Diff(map[string]Verdict{"shape": Fail}, findings(report)); diff != "" {
			t.Errorf("findings (-want +got):\n%s\n%s", diff, describe(report))
		}
		if seen := report.check("shape").Seen; !strings.Contains(seen, "appid or appcert is not empty") {
			t.Errorf("%q does not tell the server's complaint", seen)
		}
	})
}

// examineShape runs the doctor against the emulator's token server.
func examineShape(t *testing.T, path, preset string, properties *fakeserver.Properties) Report {
	t.Helper()
	var users []fakeserver.User
	for _, name := range []string{"alice", "bob"} {
		users = append(users, fakeserver.User{Name: name, Password: "secret"})
	}
	server, err := fakeserver.New(fakeserver.Config{
		AppID: project.AppID, AppCertificate: string(project.Certificate), Users: users, Properties: properties,
	})
	if err != nil {
		t.Fatal(err)
	}
	network := pipenet.New()
	served := make(chan error, 1)
	listener := network.Listen("localhost:80")
	go func() { served <- server.Serve(nil, listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	shape, ok := tokenclient.Preset(preset)
	if !ok {
		shape = rtcShape
	}
	report, err := Run(t.Context(), Config{
		URL: "http://localhost" + path, Shape: shape, Password: "secret", AppID: project.AppID, Certificate: string(project.Certificate),
		User: "alice", OtherUser: "bob", DialContext: network.DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report)
	return report
}

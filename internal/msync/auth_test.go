package msync

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCredential(t *testing.T) {
	long := strings.Repeat("x", MaxAuthToken+1)
	tests := map[string]struct {
		envelope, auth, authToken string
		want                      string
	}{
		"Web SDK 1.4.0":             {"$t$env", "", `{"token":"$t$json"}`, "json"},
		"official Go SDK":           {"", "", `{"token":"json"}`, "json"},
		"exchange family":           {"$t$env", "$t$auth", "", "auth"},
		"envelope only":             {"$t$env", "", "", "env"},
		"only one prefix goes":      {"$t$$t$env", "", "", "$t$env"},
		"stray empty provision":     {"$t$", "", `{"token":"$t$"}`, ""},
		"nothing":                   {"", "", "", ""},
		"auth_token is no JSON":     {"env", "", `{"token":`, "env"},
		"auth_token has other type": {"env", "", `{"token":7}`, "env"},
		"auth_token is a list":      {"", "", `[]`, ""},
		"too long":                  {"$t$" + long, long, `{"token":"` + long + `"}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Credential(&MSync{Auth: &tt.envelope}, &Provision{Auth: &tt.auth, AuthToken: []byte(tt.authToken)})
			if got != tt.want {
				t.Errorf("Credential = %.40q, want %q", got, tt.want)
			}
		})
	}
	if got := Credential(nil, nil); got != "" {
		t.Errorf("Credential of nothing = %q, want none", got)
	}
}

func TestAuthTokenRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.OneOf(rapid.String(), rapid.StringMatching(`(\$t\$)?[a-zA-Z0-9+/=._-]{0,300}`))
		want := AuthToken{Token: token.Draw(t, "token"), ExpiresIn: rapid.Int64().Draw(t, "expires")}
		b, err := EncodeAuthToken(want)
		if err != nil {
			t.Fatal(err)
		}
		if standard, err := json.Marshal(want); err != nil || string(b) != string(standard) {
			t.Fatalf("%q, which encoding/json writes as %q, %v", b, standard, err)
		}
		if got, err := DecodeAuthToken(b); err != nil || got != want {
			t.Fatalf("DecodeAuthToken(%s) = %v, %v, want %v", b, got, err, want)
		}
	})
}

func TestAuthTokenErrors(t *testing.T) {
	const secret = "007eJxTYBBbsMMnKq7p9Hf7f9f2a"
	if _, err := EncodeAuthToken(AuthToken{Token: strings.Repeat("x", MaxAuthToken)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("EncodeAuthToken of a long token: %v, want ErrTooLarge", err)
	}
	if _, err := DecodeAuthToken(make([]byte, MaxAuthToken+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("DecodeAuthToken of a long text: %v, want ErrTooLarge", err)
	}
	for _, bad := range []string{"", secret, `{"token":"` + secret, `{"token":{"` + secret + `":1}}`, `{"expires_in":"` + secret + `"}`} {
		got, err := DecodeAuthToken([]byte(bad))
		if !errors.Is(err, ErrMalformed) || got != (AuthToken{}) {
			t.Errorf("DecodeAuthToken(%q) = %v, %v, want ErrMalformed", bad, got, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the token: %v", err)
		}
	}
}

func FuzzCredential(f *testing.F) {
	f.Add("$t$007abc", "", []byte(`{"token":"$t$007abc"}`))
	f.Add("$t$007abc", "$t$007abc", []byte(nil))
	f.Add("$t$", "", []byte(`{"token":"$t$"}`))
	f.Add("", "", []byte(`{"token":"007abc","expires_in":1700000000000}`))
	f.Add("\xff", "$t$\x1b[31m", []byte(`{"TOKEN":"\ud800"}`))
	f.Fuzz(func(t *testing.T, envelope, auth string, authToken []byte) {
		got := Credential(&MSync{Auth: &envelope}, &Provision{Auth: &auth, AuthToken: authToken})
		if len(authToken) <= MaxAuthToken {
			var want AuthToken
			if json.Unmarshal(authToken, &want) != nil {
				want = AuthToken{}
			}
			if have, _ := DecodeAuthToken(authToken); have != want {
				t.Fatalf("%q is read as %v, by encoding/json as %v", authToken, have, want)
			}
		}
		if len(got) > MaxAuthToken {
			t.Fatalf("a credential of %d bytes", len(got))
		}
		if got == "" {
			return
		}
		fromJSON, _ := DecodeAuthToken(authToken)
		for _, source := range []string{fromJSON.Token, auth, envelope} {
			if source == got || source == "$t$"+got {
				return
			}
		}
		t.Fatalf("%q comes from none of its sources", got)
	})
}

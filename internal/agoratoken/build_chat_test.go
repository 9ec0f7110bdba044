package agoratoken

import (
	"math"
	"testing"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
	"pgregory.net/rapid"
)

// TestBuildIsOfficial holds the builder to the official package, byte by byte: for the same salt and second both write the same token.
func TestBuildIsOfficial(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := chatGrant{
			user:      rapid.OneOf(rapid.StringMatching(`[a-z0-9_.-]{0,64}`), rapid.StringN(0, 300, 600)).Draw(t, "user"),
			privilege: rapid.SampledFrom([]uint16{PrivilegeUser, PrivilegeApp}).Draw(t, "privilege"),
			expire:    rapid.Uint32().Draw(t, "expire"),
		}
		issuedAt, salt := rapid.Uint32().Draw(t, "issued at"), rapid.Uint32().Draw(t, "salt")
		theirs := accesstoken2.NewAccessToken(project.AppID, string(project.Certificate), g.expire)
		theirs.IssueTs, theirs.Salt = issuedAt, salt
		service := accesstoken2.NewServiceChat(g.user)
		service.AddPrivilege(g.privilege, g.expire)
		theirs.AddService(service)
		want, err := theirs.Build()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := g.token(project, issuedAt, salt); err != nil || got != want {
			t.Fatalf("token = %q, %v, want %q", got, err, want)
		}
	})
}

// TestBuildSalts: two tokens of one second differ, by a salt in the official range.
func TestBuildSalts(t *testing.T) {
	seen := make(map[uint32]bool)
	for range 100 {
		text, err := BuildUser(project, "alice", 600, time.Unix(math.MaxUint32, 0))
		if err != nil {
			t.Fatal(err)
		}
		token, err := Read(text)
		if err != nil {
			t.Fatal(err)
		}
		salt := token.Claims().Salt
		if salt < 1 || salt > 99_999_998 {
			t.Errorf("salt %d", salt)
		}
		seen[salt] = true
	}
	if len(seen) < 95 {
		t.Errorf("only %d salts in 100 tokens", len(seen))
	}
}

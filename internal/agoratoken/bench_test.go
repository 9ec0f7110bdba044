package agoratoken

import (
	"testing"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
)

func BenchmarkAdmit(b *testing.B) {
	now := time.Now()
	text, err := BuildUser(project, "alice", 600, now)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Admit(text, project, now, Cap); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOfficial is what BenchmarkAdmit is compared with.
func BenchmarkOfficial(b *testing.B) {
	text, err := BuildUser(project, "alice", 600, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		token := accesstoken2.CreateAccessToken()
		if _, err := token.Parse(text); err != nil {
			b.Fatal(err)
		}
		if ok, err := token.VerifySignature(string(project.Certificate)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkFloor is what any server has to do for a token of that size: three HMAC-SHA256, here without a single allocation.
func BenchmarkFloor(b *testing.B) {
	var s signer
	signed := make([]byte, 96)
	b.ReportAllocs()
	for b.Loop() {
		s.sign(project.Certificate, 1, 2, signed)
	}
}

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(printed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuildUser(b *testing.B) {
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := BuildUser(project, "alice", 600, at); err != nil {
			b.Fatal(err)
		}
	}
}

package agoratoken

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// TestSignerIsHMAC holds the signer to crypto/hmac, byte by byte, while it is used again and again.
func TestSignerIsHMAC(t *testing.T) {
	plain := func(key, message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		return h.Sum(nil)
	}
	s := new(signer)
	rapid.Check(t, func(t *rapid.T) {
		certificate := Certificate(rapid.StringMatching(`[0-9a-fA-F]{32}`).Draw(t, "certificate"))
		issuedAt, salt := rapid.Uint32().Draw(t, "issued at"), rapid.Uint32().Draw(t, "salt")
		signed := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "signed")
		key := plain(binary.LittleEndian.AppendUint32(nil, issuedAt), []byte(certificate))
		key = plain(binary.LittleEndian.AppendUint32(nil, salt), key)
		if got, want := s.sign(certificate, issuedAt, salt, signed), plain(key, signed); string(got[:]) != string(want) {
			t.Fatalf("sign = %x, want %x", got, want)
		}
	})
}

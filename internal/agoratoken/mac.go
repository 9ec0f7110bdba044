package agoratoken

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// signer computes signatures with no memory but its own. The signature of a token is three HMAC-SHA256 (RFC 2104), one inside the other.
type signer struct {
	hash   hash.Hash
	pad    [sha256.BlockSize]byte
	number [4]byte
	text   [2 * 16]byte // the certificate
	sum    [signatureSize]byte
}

// sign returns the signature that a valid certificate gives the signed part of a token (protocol.md e).
func (s *signer) sign(certificate Certificate, issuedAt, salt uint32, signed []byte) [signatureSize]byte {
	if s.hash == nil {
		s.hash = sha256.New()
	}
	binary.LittleEndian.PutUint32(s.number[:], issuedAt)
	s.mac(s.number[:], s.text[:copy(s.text[:], certificate)])
	binary.LittleEndian.PutUint32(s.number[:], salt)
	s.mac(s.number[:], s.sum[:])
	s.mac(s.sum[:], signed)
	return s.sum
}

// mac puts the HMAC of the message into sum, from where key and message may come. The key must not be longer than a block.
func (s *signer) mac(key, message []byte) {
	const inner, outer = 0x36, 0x5c
	clear(s.pad[:])
	copy(s.pad[:], key)
	s.flip(inner)
	s.hash.Reset()
	s.hash.Write(s.pad[:])
	s.hash.Write(message)
	s.hash.Sum(s.sum[:0])
	s.flip(inner ^ outer)
	s.hash.Reset()
	s.hash.Write(s.pad[:])
	s.hash.Write(s.sum[:])
	s.hash.Sum(s.sum[:0])
}

func (s *signer) flip(mask byte) {
	for i := range s.pad {
		s.pad[i] ^= mask
	}
}

// same compares signatures in constant time.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

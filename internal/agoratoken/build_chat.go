package agoratoken

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Chat tokens are built here and not by the official package, which makes a new compressor of 800 KB for each. Both write the same bytes.

// chatGrant is what a token for the chat service says.
type chatGrant struct {
	user      string // at most math.MaxUint16 bytes
	privilege uint16
	expire    uint32 // the life of the token and of its privilege, in seconds
}

// press is a compressor with what it works on, to be used again.
type press struct {
	signer signer
	raw    []byte
	packed bytes.Buffer
	zlib   *zlib.Writer
	text   []byte
}

var presses = sync.Pool{New: func() any {
	p := new(press)
	p.zlib = zlib.NewWriter(&p.packed)
	return p
}}

func (g chatGrant) build(c Credentials, at time.Time) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	issued, err := issueSecond(at)
	if err != nil {
		return "", err
	}
	return g.token(c, issued, 1+rand.Uint32N(99_999_998)) //nolint:gosec // a salt is no secret; the range is the official one
}

// token packs the fields in the order of the official builder (protocol.md e).
func (g chatGrant) token(c Credentials, issuedAt, salt uint32) (string, error) {
	p := presses.Get().(*press)
	defer presses.Put(p)
	raw := p.raw[:0]
	raw = append(raw, make([]byte, 2+signatureSize)...)
	binary.LittleEndian.PutUint16(raw, signatureSize)
	raw = appendString(raw, c.AppID)
	for _, n := range []uint32{issuedAt, g.expire, salt} {
		raw = binary.LittleEndian.AppendUint32(raw, n)
	}
	const services, privileges = 1, 1
	for _, n := range []uint16{services, ServiceChat, privileges, g.privilege} {
		raw = binary.LittleEndian.AppendUint16(raw, n)
	}
	raw = binary.LittleEndian.AppendUint32(raw, g.expire)
	raw = appendString(raw, g.user)
	signature := p.signer.sign(c.Certificate, issuedAt, salt, raw[2+signatureSize:])
	copy(raw[2:], signature[:])
	p.raw = raw

	p.packed.Reset()
	p.zlib.Reset(&p.packed)
	if _, err := p.zlib.Write(raw); err != nil {
		return "", err
	}
	if err := p.zlib.Close(); err != nil {
		return "", err
	}
	p.text = base64.StdEncoding.AppendEncode(append(p.text[:0], version...), p.packed.Bytes())
	return string(p.text), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(s))), s...) //nolint:gosec // callers bound it to math.MaxUint16
}

// issueSecond is the second that a token says it is issued in.
func issueSecond(at time.Time) (uint32, error) {
	issued := at.Unix()
	if issued < 0 || issued > math.MaxUint32 {
		return 0, fail(KindBadRequest, "a token cannot be issued at %v: its time has 32 bits; set the clock between 1970 and 2106", at)
	}
	return uint32(issued), nil
}

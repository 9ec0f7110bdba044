package agoratoken

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// standard inflates with the standard library, under the same rules.
func standard(src []byte) ([]byte, error) {
	in := bytes.NewReader(src)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxRaw+1))
	switch {
	case err != nil:
		return nil, err
	case len(out) > maxRaw:
		return nil, errInflated
	case in.Len() != 0:
		return nil, errors.New("junk after the stream")
	}
	return out, nil
}

// agree fails when this package and the standard library inflate src differently.
func agree(t interface{ Fatalf(string, ...any) }, src []byte) {
	var buffer [maxRaw]byte
	n, err := inflate(buffer[:], src)
	want, wantErr := standard(src)
	if (err == nil) != (wantErr == nil) && !errors.Is(err, errInflated) {
		t.Fatalf("inflate(%x) fails with %v, the standard library with %v", src, err, wantErr)
	}
	if err == nil && !bytes.Equal(buffer[:n], want) {
		t.Fatalf("inflate(%x) = %x, want %x", src, buffer[:n], want)
	}
}

func TestInflateAgreesWithStandard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(flate.HuffmanOnly, flate.BestCompression).Draw(t, "level")
		text := rapid.SliceOfN(rapid.SampledFrom([]byte("aab\x00\x01\xff")), 0, maxRaw)
		content := rapid.OneOf(text, rapid.SliceOfN(rapid.Byte(), 0, maxRaw)).Draw(t, "content")
		packed := deflateLevel(content, level)
		var buffer [maxRaw]byte
		n, err := inflate(buffer[:], packed)
		if err != nil || !bytes.Equal(buffer[:n], content) {
			t.Fatalf("%d bytes unpack to %d with %v", len(content), n, err)
		}
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			packed[rapid.IntRange(0, len(packed)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		agree(t, packed)
	})
}

func TestBlockBombIsValid(t *testing.T) {
	bomb := blockBomb(20)
	if out, err := standard(bomb); err != nil || len(out) != 0 {
		t.Errorf("the standard library unpacks the bomb to %d bytes with %v", len(out), err)
	}
	agree(t, bomb)
	if blocks := testing.AllocsPerRun(3, func() { _, _ = standard(bomb) }); blocks < 1_000 {
		t.Errorf("the bomb costs the standard library %v allocations: it is no bomb", blocks)
	}
}

func FuzzInflate(f *testing.F) {
	f.Add(deflate(nil))
	f.Add(deflate([]byte("a token, a token, a token")))
	f.Add(deflate(make([]byte, maxRaw)))
	f.Add(deflate(make([]byte, maxRaw+1)))
	f.Add(blockBomb(2))
	f.Add([]byte{0x78, 0x01, 0x01, 0x01, 0x00, 0xfe, 0xff, 'a', 0, 0x62, 0, 0x62})
	f.Fuzz(func(t *testing.T, src []byte) { agree(t, src) })
}

package agoratoken

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
)

// Tokens are unpacked by this small inflater (RFC 1950, RFC 1951) and not by compress/zlib, because it allocates nothing. The
// standard library builds lookup tables for every block, so that 2 KiB of hostile text could make it allocate megabytes.

var (
	errDamaged  = errors.New("the compressed data is damaged")
	errCut      = errors.New("the compressed data ends too early")
	errInflated = errors.New("the data unpacks to more than the limit")
)

const (
	maxCodeBits  = 15
	maxSymbols   = 288
	maxDistances = 32
	endOfBlock   = 256
)

var (
	lengthBase = [...]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [...]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	// The order in which a block lists the lengths of the code that its other lengths are written in.
	lengthOrder = [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

	fixedSymbols, fixedDistances = fixedCodes()
)

// inflater unpacks one zlib stream. The first error sticks; after it bits yields zeros.
type inflater struct {
	src   []byte
	at    int // bytes of src that are taken
	dst   []byte
	n     int // bytes of dst that are written
	hold  uint32
	held  uint // bits in hold
	fault error
}

// inflate unpacks the zlib stream src into dst and returns how many bytes it wrote. Nothing may follow the stream.
func inflate(dst, src []byte) (int, error) {
	if len(src) < 2 {
		return 0, errCut
	}
	if src[0]&0x0f != 8 || src[0]>>4 > 7 || src[1]&0x20 != 0 || binary.BigEndian.Uint16(src)%31 != 0 {
		return 0, errDamaged
	}
	f := inflater{src: src[2:], dst: dst}
	for last := false; !last && f.fault == nil; {
		last = f.bits(1) == 1
		f.block(f.bits(2))
	}
	if f.fault != nil {
		return 0, f.fault
	}
	f.align()
	sum := f.src[f.at:]
	if len(sum) < 4 {
		return 0, errCut
	}
	if len(sum) > 4 || binary.BigEndian.Uint32(sum) != adler32.Checksum(dst[:f.n]) {
		return 0, errDamaged
	}
	return f.n, nil
}

// block unpacks the rest of a block whose type is kind.
func (f *inflater) block(kind int) {
	switch kind {
	case 0:
		f.stored()
	case 1:
		f.compressed(&fixedSymbols, &fixedDistances)
	case 2:
		f.dynamic()
	default:
		f.fail(errDamaged)
	}
}

// dynamic unpacks a block with codes of its own. They stand apart because they are large, and would make the stack of every login grow.
//
//go:noinline
func (f *inflater) dynamic() {
	var symbols, distances code
	f.codes(&symbols, &distances)
	f.compressed(&symbols, &distances)
}

func (f *inflater) fail(err error) {
	if f.fault == nil {
		f.fault = err
	}
}

// bits takes up to 16 bits from the stream.
func (f *inflater) bits(n uint) int {
	for f.held < n {
		if !f.fill() {
			return 0
		}
	}
	v := f.hold & (1<<n - 1)
	f.hold >>= n
	f.held -= n
	return int(v)
}

// fill takes the next byte of the stream into hold.
func (f *inflater) fill() bool {
	if f.at == len(f.src) || f.fault != nil {
		f.fail(errCut)
		return false
	}
	f.hold |= uint32(f.src[f.at]) << f.held
	f.at++
	f.held += 8
	return true
}

// align goes to the beginning of the next byte: what is left of the present one is dropped, what was taken ahead is given back.
func (f *inflater) align() {
	f.at -= int(f.held / 8)
	f.hold, f.held = 0, 0
}

// stored copies a block that is not compressed. It begins at a byte of its own.
func (f *inflater) stored() {
	f.align()
	size, inverse := f.bits(16), f.bits(16)
	switch {
	case f.fault != nil:
		return
	case size != inverse^0xffff:
		f.fail(errDamaged)
		return
	case size > len(f.dst)-f.n:
		f.fail(errInflated)
		return
	case size > len(f.src)-f.at:
		f.fail(errCut)
		return
	}
	f.n += copy(f.dst[f.n:], f.src[f.at:f.at+size])
	f.at += size
}

// compressed unpacks literals and repetitions up to the end of the block.
func (f *inflater) compressed(symbols, distances *code) {
	for f.fault == nil {
		symbol := f.symbol(symbols)
		switch {
		case f.fault != nil || symbol == endOfBlock:
			return
		case symbol < endOfBlock && f.n == len(f.dst):
			f.fail(errInflated)
		case symbol < endOfBlock:
			f.dst[f.n] = byte(symbol & 0xff)
			f.n++
		default:
			f.repeat(symbol-endOfBlock-1, distances)
		}
	}
}

// repeat copies bytes that were written before. The copy may overlap with its source.
func (f *inflater) repeat(symbol int, distances *code) {
	if symbol >= len(lengthBase) {
		f.fail(errDamaged)
		return
	}
	length := lengthBase[symbol] + f.bits(lengthBits[symbol])
	distance := f.symbol(distances)
	if distance >= 30 {
		f.fail(errDamaged)
		return
	}
	if distance >= 4 {
		extra := uint(distance/2 - 1)
		distance = (2+distance%2)<<extra + f.bits(extra)
	}
	distance++
	switch {
	case f.fault != nil || distance > f.n:
		f.fail(errDamaged)
	case length > len(f.dst)-f.n:
		f.fail(errInflated)
	default:
		for range length {
			f.dst[f.n] = f.dst[f.n-distance]
			f.n++
		}
	}
}

// codes reads the two codes that a block brings along. Their lengths are themselves written in a third one.
func (f *inflater) codes(symbols, distances *code) {
	nSymbols, nDistances, nLengths := f.bits(5)+257, f.bits(5)+1, f.bits(4)+4
	if nSymbols > 286 || nDistances > 30 {
		f.fail(errDamaged)
		return
	}
	var lengths [maxSymbols + maxDistances]int
	for _, at := range lengthOrder[:nLengths] {
		lengths[at] = f.bits(3)
	}
	var meta code
	if !meta.build(lengths[:len(lengthOrder)]) {
		f.fail(errDamaged)
		return
	}
	clear(lengths[:len(lengthOrder)])
	total, previous := nSymbols+nDistances, -1
	for i := 0; i < total && f.fault == nil; {
		length, times := f.symbol(&meta), 1
		switch length {
		case 16:
			length, times = previous, 3+f.bits(2)
		case 17:
			length, times = 0, 3+f.bits(3)
		case 18:
			length, times = 0, 11+f.bits(7)
		}
		if length < 0 || times > total-i {
			f.fail(errDamaged)
			return
		}
		for range times {
			lengths[i] = length
			i++
		}
		previous = length
	}
	if !symbols.build(lengths[:nSymbols]) || !distances.build(lengths[nSymbols:total]) {
		f.fail(errDamaged)
	}
}

// code is a canonical Huffman code: how many symbols have each length, and the symbols sorted by length.
type code struct {
	count   [maxCodeBits + 1]int
	symbols [maxSymbols]int
	ahead   *lookup // nil for the codes of a block, which is read only once
}

// lookup tells for each value of the next bits of the stream which symbol stands there, and how long its code is.
type lookup [1 << lookupBits]struct{ symbol, size uint16 }

// lookupBits is how long the longest of the fixed codes is.
const lookupBits = 9

// build sets the code up from the length of each symbol; 0 means that a symbol is not used. It reports whether the lengths fit together.
// A code of one symbol, or of none where it is never used, is the only incomplete one that encoders write.
func (c *code) build(lengths []int) bool {
	for _, n := range lengths {
		c.count[n]++
	}
	used := len(lengths) - c.count[0]
	c.count[0] = 0
	left := 1
	var next [maxCodeBits + 2]int
	for n := 1; n <= maxCodeBits; n++ {
		left = left*2 - c.count[n]
		if left < 0 {
			return false
		}
		next[n+1] = next[n] + c.count[n]
	}
	for symbol, n := range lengths {
		if n != 0 {
			c.symbols[next[n]] = symbol
			next[n]++
		}
	}
	return left == 0 || used == 0 || used == 1 && c.count[1] == 1
}

// symbol reads one symbol.
func (f *inflater) symbol(c *code) int {
	if c.ahead == nil {
		return f.slowSymbol(c)
	}
	for f.held < lookupBits && f.at < len(f.src) {
		f.fill()
	}
	entry := c.ahead[f.hold&(1<<lookupBits-1)]
	size := uint(entry.size)
	if size == 0 || size > f.held {
		return f.slowSymbol(c) // which says what is wrong
	}
	f.hold >>= size
	f.held -= size
	return int(entry.symbol)
}

// slowSymbol reads one symbol bit by bit: the codes of one length are consecutive numbers.
func (f *inflater) slowSymbol(c *code) int {
	value, first, index := 0, 0, 0
	for _, count := range c.count[1:] {
		if f.held == 0 && !f.fill() {
			return 0
		}
		value |= int(f.hold & 1)
		f.hold >>= 1
		f.held--
		if value-first < count {
			return c.symbols[index+value-first]
		}
		index += count
		first = (first + count) << 1
		value <<= 1
	}
	f.fail(errDamaged)
	return 0
}

func fixedCodes() (symbols, distances code) {
	var lengths [maxSymbols]int
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	symbols.build(lengths[:])
	for i := range maxDistances {
		lengths[i] = 5
	}
	distances.build(lengths[:maxDistances])
	symbols.ahead, distances.ahead = symbols.lookup(), distances.lookup()
	return symbols, distances
}

// lookup reads every value that the next bits can have the slow way.
func (c *code) lookup() *lookup {
	var table lookup
	for bits := range uint32(len(table)) {
		f := inflater{hold: bits, held: lookupBits}
		if symbol := f.slowSymbol(c); f.fault == nil {
			table[bits].symbol, table[bits].size = uint16(symbol), uint16(lookupBits-f.held) //nolint:gosec // both are small
		}
	}
	return &table
}

package main

import (
	"encoding/binary"
	"encoding/hex"
)

// note is what the text of a message says: who sent it, the how many-th it is of its sender, and when it left or was due to, in ns since 1970.
type note struct {
	sender uint32
	number uint64
	sent   int64
}

const (
	noteBytes = 4 + 8 + 8
	textSize  = 100
)

// write makes text the note's.
func (n note) write(text *[textSize]byte) {
	var raw [noteBytes]byte
	binary.BigEndian.PutUint32(raw[:], n.sender)
	binary.BigEndian.PutUint64(raw[4:], n.number)
	binary.BigEndian.PutUint64(raw[12:], uint64(n.sent))
	for i := hex.Encode(text[:], raw[:]); i < textSize; i++ {
		text[i] = '.'
	}
}

// readNote reads a text back; of anything else it makes the note of nobody.
func readNote(text []byte) note {
	var raw [noteBytes]byte
	if len(text) != textSize {
		return note{}
	}
	if _, err := hex.Decode(raw[:], text[:2*noteBytes]); err != nil {
		return note{}
	}
	return note{binary.BigEndian.Uint32(raw[:]), binary.BigEndian.Uint64(raw[4:]), int64(binary.BigEndian.Uint64(raw[12:]))}
}
